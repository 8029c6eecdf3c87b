//! The calendar family: looking at a span of time, and writing one entry.
//!
//! An entry is kept as the iCalendar text (RFC 5545) that the server gets, and the preview shows that text's lines, all of
//! them: nothing is summarised that could hide a guest.

use std::collections::BTreeSet;

use super::escape::visible_lines;
use super::kind::{AskedBy, Group, Level, kinds};
use super::text::Address;
use super::tool::Amount;
use super::{ActionKind, Family, Party, Taint, Traits, rfc5322};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::intent::Verb;
use crate::preview::Preview;
use crate::verdict::Class;

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

/// Longest entry, in bytes. An event with hundreds of guests is far below.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024;
/// Longest path of a resource.
const MAX_HREF_BYTES: usize = 1_024;

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
    /// Write one entry.
    Write(Writing),
}

/// One entry before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// Where it lies.
    pub href: Href,
    /// Says what it is and what it becomes.
    pub change: Change,
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

/// A path on a server: printable ASCII without query, fragment or steps upwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Href(String);

impl Href {
    /// Refuses everything that could lead elsewhere or end the line.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let plain = text.chars().all(|c| c.is_ascii_graphic() && !"?#\\\"<>".contains(c));
        let upwards = text.split('/').any(|part| matches!(part, "." | ".."));
        if text.starts_with('/') && !text.starts_with("//") && plain && !upwards && text.len() <= MAX_HREF_BYTES {
            return Ok(Self(text.to_owned()));
        }
        Err(CodecError::Malformed("a path on a server"))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A strong entity tag (RFC 9110, 8.8.3), quotation marks included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// `"…"`; weak tags cannot guard a write.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match inner {
            Some(inner) if inner.len() <= 200 && inner.chars().all(|c| c.is_ascii_graphic() && c != '"') => {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(CodecError::Malformed("an entity tag")),
        }
    }

    /// With its quotation marks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The iCalendar text of one entry; lines end in CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(String);

impl Entry {
    /// Line ends become CRLF; other control characters are refused.
    pub fn new(text: &str) -> Result<Self, CodecError> {
        let text = text.replace("\r\n", "\n");
        if text.len() > MAX_ENTRY_BYTES {
            return Err(CodecError::TooLong);
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(CodecError::Malformed("a control character in a calendar entry"));
        }
        if !text.starts_with("BEGIN:VCALENDAR\n")
            || !text.contains("\nBEGIN:VEVENT\n")
            || !text.trim_end().ends_with("END:VCALENDAR")
        {
            return Err(CodecError::Malformed("not a calendar entry"));
        }
        Ok(Self(text.replace('\n', "\r\n")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its lines as they are meant: folding (RFC 5545, 3.1) taken back.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0
            .replace("\r\n ", "")
            .replace("\r\n\t", "")
            .split("\r\n")
            .map(str::to_owned)
            .filter(|line| !line.is_empty())
            .collect()
    }

    /// The value of the first property of a name that belongs to the event itself, not to a time zone or an alarm in it.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<String> {
        let mut within = Vec::new();
        for line in self.lines() {
            if let Some(component) = line.strip_prefix("BEGIN:") {
                within.push(component.to_owned());
            } else if line.starts_with("END:") {
                within.pop();
            } else if within.last().is_some_and(|component| component == "VEVENT")
                && let Some(rest) = line.strip_prefix(name)
                && rest.starts_with([':', ';'])
            {
                return rest.split_once(':').map(|(_, value)| value.to_owned());
            }
        }
        None
    }

    /// Tells whether two texts hold the same lines, in whatever order: a server may write them in its own.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let sorted = |entry: &Self| {
            let mut lines = entry.lines();
            lines.sort_unstable();
            lines
        };
        sorted(self) == sorted(other)
    }

    /// Lines that name a guest or an organiser: whoever stands there may be told by the server.
    #[must_use]
    pub fn guests(&self) -> Vec<String> {
        let names = |line: &String| {
            let upper = line.to_ascii_uppercase();
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

    /// How many guests' lines it has, before and after.
    #[must_use]
    pub fn guests(&self) -> usize {
        [self.before(), self.after()].into_iter().flatten().map(|entry| entry.guests().len()).sum()
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

    /// How many guests there are whose addresses cannot be read, before and after.
    #[must_use]
    pub fn unreadable_guests(&self) -> usize {
        let lines = [self.before(), self.after()].into_iter().flatten().flat_map(Entry::guests);
        let unread: BTreeSet<String> = lines.filter(|line| guest(line).is_none()).collect();
        unread.len()
    }
}

fn readable<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Address> {
    let mut all: Vec<Address> = entries.flat_map(Entry::guests).filter_map(|line| guest(&line)).collect();
    all.sort();
    all.dedup();
    all
}

/// The address of a guest's line, where nothing else could be meant by it: a server may tell whom a parameter names.
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

impl Family for CalendarAction {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Read { .. } => READ,
            Self::Write(writing) => match writing.change {
                Change::Create { .. } => CREATE,
                Change::Replace { .. } => CHANGE,
                Change::Cancel { .. } => CANCEL,
            },
        }
    }

    fn class(&self) -> Class {
        match self {
            // A calendar server may tell the guests, and they have been told then.
            Self::Write(writing) if writing.guests() > 0 => Class::Compensable,
            Self::Read { .. } | Self::Write(_) => Class::Undoable,
        }
    }

    fn traits(&self) -> Traits {
        let writing = match self {
            Self::Read { .. } => None,
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
            targets: Vec::new(),
            places: Vec::new(),
            method: String::new(),
            amount: Amount::None,
            tool: String::new(),
            undescribed: false,
            taint: Taint { untrusted: self.kind().is_read(), confidential: false },
            into_sent_or_drafts: false,
            among_own_folders: false,
        }
    }

    fn artefact(&self) -> Vec<u8> {
        match self {
            Self::Read { .. } => Vec::new(),
            Self::Write(writing) => writing.after().map(|entry| entry.as_str().as_bytes().to_vec()).unwrap_or_default(),
        }
    }

    fn check(&self) -> Result<(), CodecError> {
        Ok(())
    }

    fn encode(&self, out: &mut Encoder) {
        out.byte(TAG);
        match self {
            Self::Read { from, until } => out.byte(1).signed(*from).signed(*until),
            Self::Write(Writing { href, change }) => match change {
                Change::Create { after } => out.byte(2).text(href.as_str()).text(after.as_str()),
                Change::Replace { before, etag, after } => {
                    out.byte(3).text(href.as_str()).text(before.as_str()).text(etag.as_str()).text(after.as_str())
                }
                Change::Cancel { before, etag } => {
                    out.byte(4).text(href.as_str()).text(before.as_str()).text(etag.as_str())
                }
            },
        };
    }

    fn preview(&self, out: &mut Preview) {
        match self {
            Self::Read { from, until } => {
                out.headline = "Look at the calendar".into();
                out.item("From", &rfc5322::date(*from, 0));
                out.item("Until", &rfc5322::date(*until, 0));
            }
            Self::Write(writing) => preview(writing, out),
        }
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 4;

/// Shows all lines of the entry; of a changed one, every line that goes and every line that comes.
fn preview(writing: &Writing, out: &mut Preview) {
    out.headline = match writing.change {
        Change::Create { .. } => "Add a calendar entry",
        Change::Replace { .. } => "Change a calendar entry",
        Change::Cancel { .. } => "Remove a calendar entry",
    }
    .into();
    let lines = |entry: Option<&Entry>| entry.map(Entry::lines).unwrap_or_default();
    let (before, after) = (lines(writing.before()), lines(writing.after()));
    for (label, name) in [("What", "SUMMARY"), ("Begins", "DTSTART"), ("Ends", "DTEND"), ("Where", "LOCATION")] {
        if let Some(value) = writing.after().or(writing.before()).and_then(|entry| entry.property(name)) {
            out.item(label, &value);
        }
    }
    out.item("Place", writing.href.as_str());
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let came = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    out.body = visible_lines(&gone.chain(came).collect::<Vec<_>>().join("\n"));
    if writing.guests() > 0 {
        out.warnings.push("The entry has guests; the calendar server may tell them.".into());
    }
}

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<CalendarAction, CodecError> {
    let tag = bytes.byte()?;
    if tag == 1 {
        return Ok(CalendarAction::Read { from: bytes.signed()?, until: bytes.signed()? });
    }
    let href = Href::new(&bytes.text()?)?;
    let entry = |bytes: &mut Decoder<'_>| Entry::new(&bytes.text()?);
    let etag = |bytes: &mut Decoder<'_>| Etag::new(&bytes.text()?);
    let change = match tag {
        2 => Change::Create { after: entry(bytes)? },
        3 => Change::Replace { before: entry(bytes)?, etag: etag(bytes)?, after: entry(bytes)? },
        4 => Change::Cancel { before: entry(bytes)?, etag: etag(bytes)? },
        unknown => return Err(CodecError::UnknownTag(unknown)),
    };
    Ok(CalendarAction::Write(Writing { href, change }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_paths_and_tags() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nDTSTART:19700101T000000\nEND:VTIMEZONE\nBEGIN:VEVENT\nSUMMARY:a lo\n ng one\nATTENDEE;CN=Eve:MAILTO:eve@evil.exa\n mple\nEND:VEVENT\nEND:VCALENDAR\n";
        let entry = Entry::new(text).unwrap();
        assert_eq!(entry.property("SUMMARY").as_deref(), Some("a long one"));
        assert_eq!(entry.property("DTSTART"), None, "that of the time zone is not the event's");
        assert_eq!(entry.guests(), ["ATTENDEE;CN=Eve:MAILTO:eve@evil.example"]);
        let writing = Writing { href: Href::new("/c/1.ics").unwrap(), change: Change::Create { after: entry } };
        assert_eq!(writing.addresses(), [Address::new("eve@evil.example").unwrap()]);
        for bad in ["", "BEGIN:VEVENT", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:\u{7}\nEND:VEVENT\nEND:VCALENDAR\n"] {
            assert!(Entry::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "c", "//evil.example/c", "/a/../b", "/a b", "/a\r\nHost: x", "/a?b", "/a#b", "/\u{e9}"] {
            assert!(Href::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "x", "W/\"x\"", "\"a\"b\"", "\"a\r\nIf: x\""] {
            assert!(Etag::new(bad).is_err(), "{bad:?}");
        }
    }
}
