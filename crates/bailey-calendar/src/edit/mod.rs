//! Changes of an object by splicing: what is not named stays as it was, byte for byte.

mod dates;
mod moves;
mod parts;

use std::ops::Range;

pub use dates::{Count, Dates, MAX_DATES, Meant, Pair, dates};
pub use moves::{Move, Point, Wanted, end_of_move, moved};
pub use parts::{EditError, cancel_following, cancel_one, change_all, change_following, change_one};

use crate::event::{End, Event};
use crate::object::Object;
use crate::stamp::Stamp;
use crate::text::{escaped, folded};

/// Bytes of a line before it is folded.
const FOLD_AT: usize = 73;

/// What of an entry becomes another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The title.
    pub summary: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// When it begins and ends.
    pub times: Option<Move>,
}

impl Changes {
    /// Tells whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn texts(&self) -> [(&'static str, Option<&String>); 3] {
        [
            ("SUMMARY", self.summary.as_ref()),
            ("LOCATION", self.location.as_ref()),
            ("DESCRIPTION", self.description.as_ref()),
        ]
    }
}

/// Changes of an object that are not made yet.
#[derive(Debug)]
pub struct Draft<'a> {
    object: &'a Object,
    edits: Vec<(Range<usize>, Vec<u8>)>,
}

impl<'a> Draft<'a> {
    /// Begins with nothing changed.
    #[must_use]
    pub const fn new(object: &'a Object) -> Self {
        Self { object, edits: Vec::new() }
    }

    /// Returns the bytes with all changes made; those made first come first where several are at one place.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.edits.sort_by_key(|edit| (edit.0.start, edit.0.end));
        let bytes = self.object.bytes();
        let (mut out, mut at) = (Vec::with_capacity(bytes.len() + 256), 0);
        for (range, with) in self.edits {
            out.extend(bytes.get(at..range.start).unwrap_or_default());
            out.extend(with);
            at = at.max(range.end);
        }
        out.extend(bytes.get(at..).unwrap_or_default());
        out
    }

    /// Writes another line in place of one.
    pub fn replace(&mut self, line: usize, text: &str) {
        let Some(line) = self.object.lines().get(line) else { return };
        let had_end = line.bytes.end > line.content.end;
        let text = folded(text, self.object.line_end());
        let text = if had_end { text.strip_suffix(self.object.line_end()).unwrap_or(&text) } else { &text };
        self.edits.push((line.content.clone(), text.as_bytes().to_vec()));
    }

    /// Writes another value in place of a line's: its name and parameters stay as they are.
    pub fn value(&mut self, line: usize, value: &str) {
        let Some(found) = self.object.lines().get(line) else { return };
        let raw = self.object.bytes().get(found.content.clone()).unwrap_or_default();
        let Some(colon) = colon(raw) else {
            return self.replace(line, &format!("{}:{value}", found.name));
        };
        let head = raw.get(..=colon).unwrap_or_default();
        let last_fold = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (mut length, mut out) = (head.len() - last_fold, String::new());
        for c in value.chars() {
            if length + c.len_utf8() > FOLD_AT {
                out.push_str(self.object.line_end());
                out.push(' ');
                length = 1;
            }
            out.push(c);
            length += c.len_utf8();
        }
        self.edits.push((found.content.start + colon + 1..found.content.end, out.into_bytes()));
    }

    /// Takes a line out.
    pub fn remove(&mut self, line: usize) {
        self.edits.extend(self.object.lines().get(line).map(|line| (line.bytes.clone(), Vec::new())));
    }

    /// Takes a component out, with all that lies in it.
    pub fn remove_component(&mut self, component: usize) {
        if let Some(range) = range(self.object, component) {
            self.edits.push((range, Vec::new()));
        }
    }

    /// Adds a line at the end of a component's own lines.
    pub fn add(&mut self, component: usize, text: &str) {
        let Some(at) = self.own_end(component) else { return };
        self.insert(at, folded(text, self.object.line_end()).into_bytes());
    }

    /// Adds bytes that are whole lines at a place between lines.
    fn insert(&mut self, at: usize, mut bytes: Vec<u8>) {
        let before = self.object.bytes().get(..at).and_then(<[u8]>::last);
        if before.is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
            bytes.splice(0..0, self.object.line_end().bytes());
        }
        self.edits.push((at..at, bytes));
    }

    /// Tells where a line is added: before what lies within, alarms say, or before its end.
    fn own_end(&self, component: usize) -> Option<usize> {
        let found = self.object.components().get(component)?;
        let last = found.lines.last().copied().unwrap_or(found.begin).max(found.begin);
        let inner = self.object.within(component).map(|one| one.begin).min();
        let last = inner
            .map_or(last, |inner| found.lines.iter().copied().filter(|at| *at < inner).max().unwrap_or(found.begin));
        Some(self.object.lines().get(last)?.bytes.end)
    }

    /// Tells whether what stands before a line's value is UTF-8: what is not would make all of the line read in another charset.
    fn head_is_text(&self, line: &crate::object::Line) -> bool {
        let raw = self.object.bytes().get(line.content.clone()).unwrap_or_default();
        let head = colon(raw).and_then(|at| raw.get(..at)).unwrap_or_default();
        String::from_utf8(crate::text::unfolded(head)).is_ok()
    }

    /// Sets a text: changed where it stands, else added.
    pub fn text(&mut self, component: usize, name: &str, text: &str) {
        let value = escaped(text);
        match self.object.lines_of(component).find(|(_, line)| line.name == name) {
            // A representation elsewhere would go on saying the old; a text in another encoding could not be read.
            Some((at, line))
                if line.param("ALTREP").is_some() || line.param("ENCODING").is_some() || !self.head_is_text(line) =>
            {
                let kept = line.params.iter().filter(|(name, _)| name != "ALTREP" && name != "ENCODING");
                let params: String =
                    kept.map(|(name, value)| format!(";{name}={}", crate::text::param_value(value))).collect();
                self.replace(at, &format!("{name}{params}:{value}"));
            }
            Some((at, _)) => self.value(at, &value),
            None => self.add(component, &format!("{name}:{value}")),
        }
    }

    /// Sets a moment: its value alone, where its clock stays the same.
    fn moment(&mut self, component: usize, name: &str, before: Option<&Stamp>, after: &Stamp) {
        let found = self.object.lines_of(component).find(|(_, line)| line.name == name).map(|(at, _)| at);
        match found {
            Some(at) if before.is_some_and(|before| before.form == after.form) => self.value(at, &after.value()),
            Some(at) => self.replace(at, &after.line(name)),
            None => self.add(component, &after.line(name)),
        }
    }

    /// Sets when an event begins and ends.
    fn times(&mut self, event: &Event, times: &Move) {
        let component = event.component;
        if event.start != times.start {
            self.moment(component, "DTSTART", Some(&event.start), &times.start);
        }
        if event.end == times.end {
            return;
        }
        let at = |name: &str| self.object.lines_of(component).find(|(_, line)| line.name == name).map(|(at, _)| at);
        match (&event.end, &times.end) {
            (End::At(before), End::At(after)) => self.moment(component, "DTEND", Some(before), after),
            (End::After(_), End::After(length)) => match at("DURATION") {
                Some(at) => self.value(at, &length.value()),
                None => self.add(component, &format!("DURATION:{}", length.value())),
            },
            (End::After(_), End::At(after)) => match at("DURATION") {
                Some(at) => self.replace(at, &after.line("DTEND")),
                None => self.add(component, &after.line("DTEND")),
            },
            (_, End::At(after)) => self.moment(component, "DTEND", None, after),
            (_, End::After(length)) => self.add(component, &format!("DURATION:{}", length.value())),
            (_, End::Unsaid) => {
                ["DTEND", "DURATION"]
                    .into_iter()
                    .filter_map(at)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|at| self.remove(at));
            }
        }
        // Guests' programs take a later time for an older one unless its number rises (RFC 5546, 2.1.4).
        if !event.attendees.is_empty() {
            let sequence = self.object.lines_of(component).find(|(_, line)| line.name == "SEQUENCE");
            match sequence.map(|(at, line)| (at, line.value.trim().parse::<u32>().unwrap_or(0))) {
                Some((at, number)) => self.value(at, &number.saturating_add(1).to_string()),
                None => self.add(component, "SEQUENCE:1"),
            }
        }
    }

    /// Makes changes of a component.
    pub fn change(&mut self, event: &Event, changes: &Changes) {
        for (name, text) in changes.texts() {
            if let Some(text) = text {
                self.text(event.component, name, text);
            }
        }
        if let Some(times) = &changes.times {
            self.times(event, times);
        }
    }
}

/// Changes an entry that does not repeat.
#[must_use]
pub fn change(object: &Object, event: &Event, changes: &Changes) -> Vec<u8> {
    let mut draft = Draft::new(object);
    draft.change(event, changes);
    draft.finish()
}

/// Sets what somebody answered, in every component that names them (RFC 5546, 3.2.3); `me` holds their addresses, lower case.
/// Nothing where none names them.
#[must_use]
pub fn answer(object: &Object, components: &[usize], me: &[String], answer: &str) -> Option<Vec<u8>> {
    let mut draft = Draft::new(object);
    for component in components {
        for (at, line) in object.lines_of(*component).filter(|(_, line)| line.name == "ATTENDEE") {
            if !crate::itip::names(line, me) {
                continue;
            }
            match written_answer(object, at) {
                Some(range) => draft.edits.push((range, answer.as_bytes().to_vec())),
                None => {
                    let others = line.params.iter().filter(|(name, _)| name != "PARTSTAT");
                    let others: String =
                        others.map(|(name, value)| format!(";{name}={}", crate::text::param_value(value))).collect();
                    draft.replace(at, &format!("ATTENDEE;PARTSTAT={answer}{others}:{}", line.value));
                }
            }
        }
    }
    (!draft.edits.is_empty()).then(|| draft.finish())
}

/// Adds guests to components, and who invites where nobody does. `own` holds the addresses of whoever invites, `guests` those of the others,
/// both in lower case. Nothing where somebody else invites.
#[must_use]
pub fn invite(object: &Object, components: &[usize], own: &[String], guests: &[String]) -> Option<Vec<u8>> {
    let mut draft = Draft::new(object);
    for component in components {
        match object.line(*component, "ORGANIZER") {
            Some(line) if !crate::itip::names(line, own) => return None,
            Some(_) => {}
            None => draft.add(*component, &format!("ORGANIZER:mailto:{}", own.first()?)),
        }
        let there = |guest: &&String| {
            let named = std::slice::from_ref(*guest);
            object.lines_of(*component).any(|(_, line)| line.name == "ATTENDEE" && crate::itip::names(line, named))
        };
        for guest in guests.iter().filter(|guest| !there(guest)) {
            let line = format!("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest}");
            draft.add(*component, &line);
        }
    }
    Some(draft.finish())
}

/// Takes guests off components; addresses as for [`invite`]. Nothing where somebody else invites.
#[must_use]
pub fn uninvite(object: &Object, components: &[usize], own: &[String], guests: &[String]) -> Option<Vec<u8>> {
    let mut draft = Draft::new(object);
    for component in components {
        if object.line(*component, "ORGANIZER").is_some_and(|line| !crate::itip::names(line, own)) {
            return None;
        }
        let named = object.lines_of(*component).filter(|(_, line)| line.name == "ATTENDEE");
        for (at, _) in named.filter(|(_, line)| crate::itip::names(line, guests)) {
            draft.remove(at);
        }
    }
    Some(draft.finish())
}

/// Tells where the answer stands in a line's bytes, if it stands there in one piece.
fn written_answer(object: &Object, line: usize) -> Option<Range<usize>> {
    let line = object.lines().get(line)?;
    let raw = object.bytes().get(line.content.clone())?;
    let head = raw.get(..colon(raw)?)?;
    let name = b";PARTSTAT=";
    let at = head.windows(name.len()).position(|part| part.eq_ignore_ascii_case(name))? + name.len();
    let value = head.get(at..)?;
    let length = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let plain = value.get(..length)?.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    plain.then_some(line.content.start + at..line.content.start + at + length)
}

/// Finds the colon between a line's parameters and its value.
fn colon(raw: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let careful = raw.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b':' && !quoted
    });
    careful.or_else(|| raw.iter().position(|byte| *byte == b':'))
}

/// Tells where a component lies, from its beginning to its end, or to the last of its lines.
fn range(object: &Object, component: usize) -> Option<Range<usize>> {
    let found = object.components().get(component)?;
    let inner =
        object.within(component).filter_map(|one| one.end.or(one.lines.last().copied())).max().unwrap_or(found.begin);
    let last = found.end.unwrap_or_else(|| found.lines.last().copied().unwrap_or(found.begin).max(inner));
    Some(object.lines().get(found.begin)?.bytes.start..object.lines().get(last)?.bytes.end)
}
