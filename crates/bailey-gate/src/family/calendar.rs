//! The calendar family: looking at a span of time, and writing one entry.
//!
//! An entry is kept as the iCalendar bytes (RFC 5545) that the server gets, and the preview shows all of its lines that come or go:
//! nothing is summarised that could hide a guest. What it means (when, which of a series) is kept beside them ([`Told`]).

mod place;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeSet, HashSet};

use super::escape::visible_lines;
use super::kind::{AskedBy, Group, Level, kinds};
use super::text::Address;
use super::tool::Amount;
use super::{ActionKind, Family, Party, Taint, Traits, rfc5322};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::ids::ConnectionId;
use crate::intent::{OfSeries, Reach, Verb};
use crate::preview::Preview;
use crate::verdict::Class;

pub use place::{Etag, Href};
pub use told::{Count, Dates, Deed, Moment, Part, Times, Told};

kinds! {
    /// Looks at what happens in a span of time.
    READ = {
        name: "calendar.read", group: Group::Read, level: Some(Level::Read), local: false,
        asked_by: AskedBy::Always, suggest: None,
    };
    /// Adds an entry.
    CREATE = {
        name: "calendar.create", group: Group::Write, level: Some(Level::Full), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Create, Verb::Delegated]), suggest: Some("new calendar entries"),
    };
    /// Changes an entry.
    CHANGE = {
        name: "calendar.change", group: Group::Write, level: Some(Level::Full), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Change]), suggest: Some("changing calendar entries"),
    };
    /// Removes an entry.
    CANCEL = {
        name: "calendar.cancel", group: Group::Write, level: Some(Level::Full), local: false,
        asked_by: AskedBy::Verbs(&[Verb::Cancel]), suggest: Some("cancelling calendar entries"),
    };
}

/// Longest entry, in bytes: programs put pictures into them.
pub const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;
/// Most calendars looked at by one look.
pub const MAX_CALENDARS: usize = 20;

/// One thing done with a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarAction {
    /// Look at what happens in a span of time, in seconds since 1970-01-01T00:00Z.
    Read {
        /// Its beginning.
        from: i64,
        /// Its end.
        until: i64,
    },
    /// Look at a span of time, in one calendar or several.
    Look(Look),
    /// Write one entry.
    Write(Writing),
}

/// A look at a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Its beginning, in seconds since 1970-01-01T00:00Z.
    pub from: i64,
    /// Its end.
    pub until: i64,
    /// Further calendars, with the generations of their grants: rules have to allow the look for each of them.
    pub also: Vec<(ConnectionId, u64)>,
    /// The name of the person's zone; what is found is told on its clock.
    pub zone: String,
    /// The person's own addresses: what they declined takes up no time.
    pub me: Vec<String>,
    /// Tells what is looked for.
    pub wanted: Sought,
}

/// What a look is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Everything that happens.
    Entries,
    /// Free time.
    Free {
        /// At least this long.
        minutes: u32,
        /// From this minute of each day.
        from: u16,
        /// Until this minute of each day.
        until: u16,
        /// On Saturdays and Sundays, too.
        weekends: bool,
    },
}

/// One entry before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// Where it lies.
    pub href: Href,
    /// Says what it is and what it becomes.
    pub change: Change,
    /// Says what that means; entries written before this was kept have none.
    pub told: Option<Box<Told>>,
}

/// Says what becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new; nothing may lie at its place.
    Create {
        /// The entry.
        after: Entry,
    },
    /// It is replaced, if it still has this ETag.
    Replace {
        /// Says what it was.
        before: Entry,
        /// The version this was prepared from.
        etag: Etag,
        /// Says what it becomes.
        after: Entry,
    },
    /// It is removed, if it still has this ETag.
    Cancel {
        /// Says what it was.
        before: Entry,
        /// The version this was prepared from.
        etag: Etag,
    },
}

/// The iCalendar bytes of one entry, as they lie on the server or are to lie there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(Vec<u8>);

impl Entry {
    /// Takes a text of ours: line ends become CRLF; other control characters are refused.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let text = text.replace("\r\n", "\n");
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(CodecError::Malformed("a control character in a calendar entry"));
        }
        if !text.starts_with("BEGIN:VCALENDAR\n")
            || !text.contains("\nBEGIN:VEVENT\n")
            || !text.trim_end().ends_with("END:VCALENDAR")
        {
            return Err(CodecError::Malformed("not a calendar entry"));
        }
        Self::as_it_lies(text.replace('\n', "\r\n").into_bytes())
    }

    /// Takes bytes as they lie on a server, whatever programs made of them.
    pub fn as_it_lies(bytes: Vec<u8>) -> Result<Self, CodecError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(CodecError::TooLong);
        }
        let entry = Self(bytes);
        let holds = |wanted: &str| entry.lines().iter().any(|line| line.trim().eq_ignore_ascii_case(wanted));
        if !holds("BEGIN:VCALENDAR") || !holds("BEGIN:VEVENT") {
            return Err(CodecError::Malformed("not a calendar entry"));
        }
        Ok(entry)
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns its lines as they are meant: folding (RFC 5545, 3.1) taken back, before letters are read: it may split one.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.0);
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty()) {
            match (line, lines.last_mut()) {
                ([b' ' | b'\t', rest @ ..], Some(last)) => last.extend(rest),
                _ => lines.push(line.to_vec()),
            }
        }
        lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    /// Returns the value of the first property of a name that belongs to the event itself, not to a time zone or an alarm in
    /// it.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<String> {
        let mut within = Vec::new();
        for line in self.lines() {
            let Some(end) = line.find([':', ';']) else { continue };
            let (known, rest) = line.split_at(end);
            let value = || line.split_once(':').map(|(_, value)| value.to_owned());
            match known.trim().to_ascii_uppercase().as_str() {
                "BEGIN" => within.push(value().unwrap_or_default().trim().to_ascii_uppercase()),
                "END" => drop(within.pop()),
                known if known == name && within.last().is_some_and(|component| component == "VEVENT") => {
                    return rest.split_once(':').map(|(_, value)| value.to_owned());
                }
                _ => {}
            }
        }
        None
    }

    /// Returns the part of it that all of it is.
    fn part(&self) -> Part {
        let repeats = ["RRULE", "RDATE"].iter().any(|name| self.property(name).is_some());
        if repeats { Part::All } else { Part::Whole }
    }

    /// Tells whether two texts hold the same lines, in whatever order: a server may write them in its own, and notes beside guests how
    /// telling them went (RFC 6638, 7.3).
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let sorted = |entry: &Self| {
            let mut lines: Vec<String> = entry.lines().iter().map(|line| without_status(line)).collect();
            lines.sort_unstable();
            lines
        };
        sorted(self) == sorted(other)
    }

    /// Lines that name a guest or an organiser: whoever stands there may be told by the server.
    #[must_use]
    pub fn guests(&self) -> Vec<String> {
        let names = |line: &String| {
            let upper = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_uppercase();
            let upper = upper
                .split_once([':', ';'])
                .and_then(|(name, _)| name.rsplit_once('.'))
                .map_or(upper.as_str(), |(_, name)| name);
            ["ATTENDEE", "ORGANIZER"].iter().any(|name| upper.starts_with(name))
        };
        self.lines().into_iter().filter(names).collect()
    }
}

impl Writing {
    /// Says what it was.
    #[must_use]
    pub const fn before(&self) -> Option<&Entry> {
        match &self.change {
            Change::Create { .. } => None,
            Change::Replace { before, .. } | Change::Cancel { before, .. } => Some(before),
        }
    }

    /// Says what it becomes.
    #[must_use]
    pub const fn after(&self) -> Option<&Entry> {
        match &self.change {
            Change::Cancel { .. } => None,
            Change::Create { after } | Change::Replace { after, .. } => Some(after),
        }
    }

    /// Tells how many guests' lines it has, before and after.
    #[must_use]
    pub fn guests(&self) -> usize {
        [self.before(), self.after()].into_iter().flatten().map(|entry| entry.guests().len()).sum()
    }

    /// Tells what the person meant: what it says of itself, or for an older entry what happens to it.
    fn deed(&self) -> Deed {
        match (&self.told, &self.change) {
            (Some(told), _) => told.deed,
            (None, Change::Create { .. }) => Deed::Add,
            (None, Change::Replace { .. }) => Deed::Change,
            (None, Change::Cancel { .. }) => Deed::Cancel,
        }
    }

    /// Tells whether it asks people to come, or takes that back.
    #[must_use]
    pub fn invites(&self) -> bool {
        matches!(self.deed(), Deed::Invite | Deed::Uninvite)
    }

    /// Returns what part of a series it cancels or changes; nothing for an entry that does not repeat, and for what answers an
    /// invitation. One that does not say what it means, means all.
    #[must_use]
    pub fn of_series(&self) -> Option<OfSeries> {
        let (verb, part) = match (&self.told, &self.change) {
            (Some(told), _) => (told.verb()?, told.part),
            (None, Change::Create { .. }) => return None,
            (None, Change::Replace { before, .. }) => (Verb::Change, before.part()),
            (None, Change::Cancel { before, .. }) => (Verb::Cancel, before.part()),
        };
        let reach = match part {
            Part::Whole => return None,
            Part::One => Reach::One,
            Part::Following => Reach::Following,
            Part::All => Reach::All,
        };
        let title = || self.before().and_then(|before| before.property("SUMMARY")).unwrap_or_default();
        let what = self.told.as_ref().map_or_else(title, |told| told.what.clone());
        Some(OfSeries { verb, reach, what })
    }

    /// Guests whose addresses can be read, before and after.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        readable([self.before(), self.after()].into_iter().flatten())
    }

    /// Guests whose addresses can be read of what it becomes.
    #[must_use]
    pub fn guests_after(&self) -> Vec<Address> {
        readable(self.after().into_iter())
    }

    /// Tells how many guests there are whose addresses cannot be read, before and after.
    #[must_use]
    pub fn unreadable_guests(&self) -> usize {
        let lines = [self.before(), self.after()].into_iter().flatten().flat_map(Entry::guests);
        let unread: BTreeSet<String> = lines.filter(|line| guest(line).is_none()).collect();
        unread.len()
    }
}

/// Returns a line without what a server noted of telling somebody.
fn without_status(line: &str) -> String {
    const STATUS: &str = ";SCHEDULE-STATUS=";
    let Some((before, rest)) = line.split_once(STATUS) else { return line.to_owned() };
    let mut quoted = false;
    let ends = rest.find(|c: char| {
        quoted ^= c == '"';
        !quoted && matches!(c, ';' | ':')
    });
    format!("{before}{}", rest.get(ends.unwrap_or(rest.len())..).unwrap_or_default())
}

fn readable<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Address> {
    let mut all: Vec<Address> = entries.flat_map(Entry::guests).filter_map(|line| guest(&line)).collect();
    all.sort();
    all.dedup();
    all
}

/// Returns the address of a guest's line, where nothing else could be meant by it: a server may tell whom a parameter names.
fn guest(line: &str) -> Option<Address> {
    let lower = line.to_ascii_lowercase();
    let at = lower.rfind("mailto:")?;
    let address = Address::new(line.get(at + "mailto:".len()..)?).ok()?;
    let elsewhere = |name: &str| {
        lower.split_once(name).is_some_and(|(_, rest)| {
            let value = rest.split([';', ':']).next().unwrap_or_default().trim_matches('"');
            value != address.key()
        })
    };
    (!elsewhere(";email=") && lower.matches("mailto:").count() == 1).then_some(address)
}

impl CalendarAction {
    /// Returns further calendars it looks into, beside the one it is bound to.
    #[must_use]
    pub fn also(&self) -> &[(ConnectionId, u64)] {
        match self {
            Self::Look(look) => &look.also,
            Self::Read { .. } | Self::Write(_) => &[],
        }
    }
}

impl Family for CalendarAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Read { .. } | Self::Look(_) => READ,
            Self::Write(writing) => match writing.deed() {
                Deed::Add => CREATE,
                Deed::Change | Deed::Accept | Deed::Decline | Deed::AcceptPerhaps | Deed::Invite | Deed::Uninvite => {
                    CHANGE
                }
                Deed::Cancel => CANCEL,
            },
        }
    }

    fn class(&self) -> Class {
        match self {
            // A calendar server may tell the guests, and they have been told then.
            Self::Write(writing) if writing.guests() > 0 => Class::Compensable,
            Self::Read { .. } | Self::Look(_) | Self::Write(_) => Class::Undoable,
        }
    }

    fn traits(&self) -> Traits {
        let writing = match self {
            Self::Read { .. } | Self::Look(_) => None,
            Self::Write(writing) => Some(writing),
        };
        let parties = |addresses: Vec<Address>| addresses.iter().map(Party::of_address).collect::<Vec<_>>();
        let told = writing.filter(|writing| writing.guests() > 0).and_then(Writing::after);
        Traits {
            recipients: writing.map(|writing| parties(writing.addresses())).unwrap_or_default(),
            unreadable_recipients: writing.map_or(0, Writing::unreadable_guests),
            // Whom an entry is cancelled for is not thereby known.
            learns: writing.map(|writing| parties(writing.guests_after())).unwrap_or_default(),
            is_mail: false,
            text_for_others: told.map(|entry| entry.lines().join("\n")).unwrap_or_default(),
            attachments: 0,
            foreign_attachments: 0,
            files: Vec::new(),
            sender_unproven: false,
            targets: Vec::new(),
            places: Vec::new(),
            method: String::new(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            taint: Taint { untrusted: self.kind().is_read(), confidential: false },
            behind: Taint::default(),
            into_sent_or_drafts: false,
            among_own_folders: false,
        }
    }

    fn artefact(&self) -> Vec<u8> {
        match self {
            Self::Read { .. } | Self::Look(_) => Vec::new(),
            Self::Write(writing) => writing.after().map(|entry| entry.bytes().to_vec()).unwrap_or_default(),
        }
    }

    /// Returns a part of a series is never removed by removing the entry, and all of one only as all of it.
    fn check(&self) -> Result<(), CodecError> {
        match self {
            Self::Read { .. } => Ok(()),
            Self::Look(look) if look.also.len() >= MAX_CALENDARS => Err(CodecError::TooLong),
            Self::Look(_) => Ok(()),
            Self::Write(writing) => told::check(writing),
        }
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG);
        match self {
            Self::Read { from, until } => {
                out.byte(1).signed(*from).signed(*until);
            }
            Self::Look(look) => {
                out.byte(5);
                encode_look(look, out);
            }
            Self::Write(Writing { href, change, told }) => {
                if let Some(told) = told {
                    out.byte(if told.dates.is_some() { 7 } else { 6 });
                    told.encode(out);
                    told.dates.iter().for_each(|dates| dates.encode(out));
                }
                match change {
                    Change::Create { after } => out.byte(2).text(href.as_str()).bytes(after.bytes()),
                    Change::Replace { before, etag, after } => {
                        out.byte(3).text(href.as_str()).bytes(before.bytes()).text(etag.as_str()).bytes(after.bytes())
                    }
                    Change::Cancel { before, etag } => {
                        out.byte(4).text(href.as_str()).bytes(before.bytes()).text(etag.as_str())
                    }
                };
            }
        }
    }

    fn preview(&self, out: &mut Preview) {
        match self {
            Self::Read { from, until } => {
                out.headline = "Look at the calendar".into();
                out.item("From", &rfc5322::date(*from, 0));
                out.item("Until", &rfc5322::date(*until, 0));
            }
            Self::Look(look) => {
                out.headline = match look.wanted {
                    Sought::Entries => "Look at the calendar",
                    Sought::Free { .. } => "Look for free time in the calendar",
                }
                .into();
                out.item("From", &rfc5322::date(look.from, 0));
                out.item("Until", &rfc5322::date(look.until, 0));
                if !look.also.is_empty() {
                    out.item("Calendars", &(look.also.len() + 1).to_string());
                }
            }
            Self::Write(writing) => preview(writing, out),
        }
    }
}

fn encode_look(look: &Look, out: &mut Encoder) {
    out.signed(look.from).signed(look.until).text(&look.zone);
    out.list(&look.me, |out, address| {
        out.text(address);
    });
    out.list(&look.also, |out, (connection, generation)| {
        out.bytes(connection.as_bytes()).number(*generation);
    });
    match look.wanted {
        Sought::Entries => out.byte(0),
        Sought::Free { minutes, from, until, weekends } => {
            out.byte(1).number(minutes.into()).number(from.into()).number(until.into()).byte(u8::from(weekends))
        }
    };
}

fn decode_look(bytes: &mut Decoder<'_>) -> Result<Look, CodecError> {
    let small = |number: u64| u16::try_from(number).map_err(|_| CodecError::TooLong);
    Ok(Look {
        from: bytes.signed()?,
        until: bytes.signed()?,
        zone: bytes.text()?,
        me: bytes.list(Decoder::text)?,
        also: bytes.list(|bytes| {
            let id: [u8; 16] = bytes.bytes()?.try_into().map_err(|_| CodecError::Short)?;
            Ok((ConnectionId::from_bytes(id), bytes.number()?))
        })?,
        wanted: match bytes.byte()? {
            0 => Sought::Entries,
            1 => Sought::Free {
                minutes: u32::try_from(bytes.number()?).map_err(|_| CodecError::TooLong)?,
                from: small(bytes.number()?)?,
                until: small(bytes.number()?)?,
                weekends: bytes.byte()? != 0,
            },
            unknown => return Err(CodecError::UnknownTag(unknown)),
        },
    })
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 4;

/// Shows what it means, and all lines of the entry; of a changed one, every line that goes and every line that comes.
fn preview(writing: &Writing, out: &mut Preview) {
    let name = |name: &str| writing.after().or(writing.before()).and_then(|entry| entry.property(name));
    out.headline = match &writing.told {
        Some(told) => told.headline(),
        None => match writing.change {
            Change::Create { .. } => "Add a calendar entry",
            Change::Replace { .. } => "Change a calendar entry",
            Change::Cancel { .. } => "Remove a calendar entry",
        }
        .into(),
    };
    let shown = |text: String| text.replace("\\n", " ").replace("\\,", ",").replace("\\;", ";");
    match &writing.told {
        Some(told) => told.preview(out),
        None => {
            for (label, property) in
                [("What", "SUMMARY"), ("Begins", "DTSTART"), ("Ends", "DTEND"), ("Where", "LOCATION")]
            {
                name(property).into_iter().for_each(|value| out.item(label, &value));
            }
        }
    }
    if writing.told.is_some() {
        name("LOCATION").into_iter().for_each(|place| out.item("Where", &shown(place)));
    }
    let named = |entry: Option<&Entry>| -> Vec<Address> {
        let lines = entry.map(Entry::guests).unwrap_or_default().into_iter();
        lines.filter(|line| line.to_ascii_uppercase().starts_with("ATTENDEE")).filter_map(|line| guest(&line)).collect()
    };
    let (were, are) = (named(writing.before()), named(writing.after()));
    if writing.invites() {
        are.iter().filter(|one| !were.contains(one)).for_each(|one| out.item("Invites", one.as_str()));
        were.iter().filter(|one| !are.contains(one)).for_each(|one| out.item("Takes off", one.as_str()));
    }
    out.item("Place", writing.href.as_str());
    let lines = |entry: Option<&Entry>| entry.map(Entry::lines).unwrap_or_default();
    let (before, after) = (lines(writing.before()), lines(writing.after()));
    let (known_before, known_after) = (before.iter().collect::<HashSet<_>>(), after.iter().collect::<HashSet<_>>());
    let gone = before.iter().filter(|line| !known_after.contains(line)).map(|line| format!("- {line}"));
    let came = after.iter().filter(|line| !known_before.contains(line)).map(|line| format!("+ {line}"));
    out.body = visible_lines(&gone.chain(came).collect::<Vec<_>>().join("\n"));
    if writing.guests() > 0 {
        let tells = if writing.invites() {
            "The calendar's server tells them."
        } else {
            "The entry has guests; the calendar server may tell them."
        };
        out.warnings.push(tells.into());
    }
    let etag = match &writing.change {
        Change::Create { .. } => None,
        Change::Replace { etag, .. } | Change::Cancel { etag, .. } => Some(etag),
    };
    if etag.is_some_and(Etag::is_none) {
        out.warnings
            .push("This server gives entries no version; a change made in the same moment could be lost.".into());
    }
}

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<CalendarAction, CodecError> {
    let mut tag = bytes.byte()?;
    match tag {
        1 => return Ok(CalendarAction::Read { from: bytes.signed()?, until: bytes.signed()? }),
        5 => return decode_look(bytes).map(CalendarAction::Look),
        _ => {}
    }
    let mut told = None;
    if matches!(tag, 6 | 7) {
        let mut meant = Told::decode(bytes)?;
        if tag == 7 {
            meant.dates = Some(Dates::decode(bytes)?);
        }
        told = Some(Box::new(meant));
        tag = bytes.byte()?;
    }
    let href = Href::new(&bytes.text()?)?;
    let entry = |bytes: &mut Decoder<'_>| Entry::as_it_lies(bytes.bytes()?.to_vec());
    let etag = |bytes: &mut Decoder<'_>| match bytes.text()?.as_str() {
        "" => Ok(Etag::none()),
        text => Etag::new(text),
    };
    let change = match tag {
        2 => Change::Create { after: entry(bytes)? },
        3 => Change::Replace { before: entry(bytes)?, etag: etag(bytes)?, after: entry(bytes)? },
        4 => Change::Cancel { before: entry(bytes)?, etag: etag(bytes)? },
        unknown => return Err(CodecError::UnknownTag(unknown)),
    };
    Ok(CalendarAction::Write(Writing { href, change, told }))
}
