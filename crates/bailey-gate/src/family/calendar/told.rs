//! What the write of an entry means: of a series which part, and when that is on the person's clock. The gate writes the words.

use super::{Change, Writing};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::intent::Verb;
use crate::preview::Preview;

/// Longest text of it, in bytes: how an entry repeats, what it is called.
const MAX_TEXT_BYTES: usize = 1_024;

/// What a write means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Says what is done.
    pub deed: Deed,
    /// To what part of the entry.
    pub part: Part,
    /// The entry's title.
    pub what: String,
    /// How the entry repeats, in words; nothing where it does not.
    pub repeats: String,
    /// The name of the person's zone.
    pub zone: String,
    /// When it was.
    pub before: Option<Times>,
    /// When it will be.
    pub after: Option<Times>,
    /// The dates it comes to, of a part of a series that is more than one.
    pub dates: Option<Dates>,
}

/// What a change of more than one occurrence comes to, worked out of the bytes that are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dates {
    /// The first of them, each before and after; nothing where it goes.
    pub first: Vec<(Times, Option<Times>)>,
    /// How many are changed or go.
    pub count: Count,
    /// How many stay as they are.
    pub stay: Count,
    /// How the series repeats then, in words; nothing where it does not.
    pub repeats: String,
}

/// How many times something takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Times(u64),
    /// More than could be worked out.
    MoreThan(u64),
    /// It has no end.
    Endless,
}

/// Most dates of it that are kept.
const MAX_DATES: usize = 20;

/// What is done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is added.
    Add,
    /// It is changed.
    Change,
    /// It, or a part of it, is cancelled.
    Cancel,
    /// The invitation that it is, is accepted.
    Accept,
    /// It is declined.
    Decline,
    /// It is accepted perhaps.
    AcceptPerhaps,
    /// Guests are added; the calendar's server tells them.
    Invite,
    /// Guests are taken off; the calendar's server tells them.
    Uninvite,
}

/// What part of an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// An entry that does not repeat.
    Whole,
    /// One occurrence.
    One,
    /// One occurrence and all that follow.
    Following,
    /// All of a series.
    All,
}

/// A beginning and an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// The beginning.
    pub begins: Moment,
    /// The end.
    pub ends: Moment,
    /// The beginning on the entry's own clock, in words; nothing where that is the person's.
    pub own: String,
}

/// A moment on the person's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A whole day, in days since 1970-01-01; for an end, the last day.
    Day(i64),
    /// Seconds since 1970-01-01T00:00Z, and the minutes by which the person's clock is ahead of UTC then.
    At(i64, i64),
}

impl Moment {
    /// Writes `Tuesday 2026-11-24`, with a time `Tuesday 2026-11-24 15:00 +01:00`.
    fn words(self) -> String {
        const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
        let (days, time) = match self {
            Self::Day(days) => (days, String::new()),
            Self::At(seconds, offset) => {
                let there = seconds.saturating_add(offset.saturating_mul(60));
                let (sign, ahead) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
                let minute = there.rem_euclid(86_400) / 60;
                let clock = format!(" {:02}:{:02} {sign}{:02}:{:02}", minute / 60, minute % 60, ahead / 60, ahead % 60);
                (there.div_euclid(86_400), clock)
            }
        };
        let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|at| DAYS.get(at)).copied().unwrap_or_default();
        let (year, month, day) = civil(days);
        format!("{weekday} {year:04}-{month:02}-{day:02}{time}")
    }

    fn encode(self, out: &mut Encoder) {
        match self {
            Self::Day(days) => out.byte(1).signed(days),
            Self::At(seconds, offset) => out.byte(2).signed(seconds).signed(offset),
        };
    }

    fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match bytes.byte()? {
            1 => Ok(Self::Day(bytes.signed()?)),
            2 => Ok(Self::At(bytes.signed()?, bytes.signed()?)),
            unknown => Err(CodecError::UnknownTag(unknown)),
        }
    }
}

/// Year, month and day of days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    // Far beyond what calendars hold; keeps the sums within bounds.
    let days = days.clamp(-4_000_000, 4_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl Count {
    fn words(self) -> String {
        match self {
            Self::Times(1) => "1 time".into(),
            Self::Times(count) => format!("{count} times"),
            Self::MoreThan(count) => format!("more than {count} times"),
            Self::Endless => "without an end".into(),
        }
    }

    fn encode(self, out: &mut Encoder) {
        match self {
            Self::Times(count) => out.byte(1).number(count),
            Self::MoreThan(count) => out.byte(2).number(count),
            Self::Endless => out.byte(3),
        };
    }

    fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match bytes.byte()? {
            1 => Ok(Self::Times(bytes.number()?)),
            2 => Ok(Self::MoreThan(bytes.number()?)),
            3 => Ok(Self::Endless),
            unknown => Err(CodecError::UnknownTag(unknown)),
        }
    }
}

impl Dates {
    fn how_many(&self) -> String {
        let stay = match self.stay {
            Count::Times(0) => String::new(),
            stay => format!("; {} before it stay", stay.words()),
        };
        format!(", {}{stay}", self.count.words())
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        out.list(&self.first, |out, (before, after)| {
            before.encode(out);
            out.option(after.as_ref(), |out, times| times.encode(out));
        });
        self.count.encode(out);
        self.stay.encode(out);
        out.text(&self.repeats);
    }

    pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let first = bytes.list(|bytes| Ok((Times::decode(bytes)?, bytes.option(Times::decode)?)))?;
        if first.len() > MAX_DATES {
            return Err(CodecError::TooLong);
        }
        let (count, stay) = (Count::decode(bytes)?, Count::decode(bytes)?);
        Ok(Self { first, count, stay, repeats: short(bytes.text()?)? })
    }
}

impl Times {
    /// Returns how long it takes, in seconds or in days.
    fn length(&self) -> (bool, i64) {
        match (self.begins, self.ends) {
            (Moment::At(begins, _), Moment::At(ends, _)) => (true, ends.saturating_sub(begins)),
            (Moment::Day(first), Moment::Day(last)) => (false, last.saturating_sub(first)),
            (Moment::At(..), Moment::Day(_)) | (Moment::Day(_), Moment::At(..)) => (false, -1),
        }
    }

    fn encode(&self, out: &mut Encoder) {
        self.begins.encode(out);
        self.ends.encode(out);
        out.text(&self.own);
    }

    fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self { begins: Moment::decode(bytes)?, ends: Moment::decode(bytes)?, own: short(bytes.text()?)? })
    }
}

fn short(text: String) -> Result<String, CodecError> {
    if text.len() > MAX_TEXT_BYTES { Err(CodecError::TooLong) } else { Ok(text) }
}

impl Told {
    /// Says in one sentence what will happen.
    pub(super) fn headline(&self) -> String {
        let series = if self.repeats.is_empty() { "a series".to_owned() } else { "a repeating entry".to_owned() };
        let of = match self.part {
            Part::Whole => "a calendar entry".to_owned(),
            Part::One => format!("this one of {series}"),
            Part::Following => format!("this one of {series} and all that follow"),
            Part::All => format!("all of {series}"),
        };
        match self.deed {
            Deed::Add if self.part == Part::Following => {
                "Begin a changed series that goes on from this one of a repeating entry".into()
            }
            Deed::Add => "Add a calendar entry".into(),
            Deed::Change => format!("Change {of}"),
            Deed::Cancel if self.part == Part::Whole => "Remove a calendar entry".into(),
            Deed::Cancel => format!("Cancel {of}"),
            Deed::Accept => format!("Accept the invitation to {of}"),
            Deed::Decline => format!("Decline the invitation to {of}"),
            Deed::Invite => format!("Invite people to {of}"),
            Deed::Uninvite => format!("Take people off {of}"),
            Deed::AcceptPerhaps => format!("Answer \u{201c}perhaps\u{201d} to the invitation to {of}"),
        }
    }

    /// Returns whether it cancels or changes; nothing where it does neither.
    pub(super) fn verb(&self) -> Option<Verb> {
        match (self.deed, self.part) {
            (Deed::Cancel, _) => Some(Verb::Cancel),
            (Deed::Change, _) | (Deed::Add, Part::Following) => Some(Verb::Change),
            (Deed::Add | Deed::Accept | Deed::Decline | Deed::AcceptPerhaps | Deed::Invite | Deed::Uninvite, _) => None,
        }
    }

    /// Shows what, when on the person's clock, and how it repeats.
    pub(super) fn preview(&self, out: &mut Preview) {
        out.item("What", &self.what);
        let of = match self.part {
            Part::Whole => "",
            Part::One => "this one alone",
            Part::Following => "this one and all that follow",
            Part::All => "all of the series",
        };
        if !of.is_empty() {
            let many = self.dates.as_ref().map(Dates::how_many).unwrap_or_default();
            out.item("How much", &format!("{of}{many}"));
        }
        let mut times = |begins: &'static str, ends: &'static str, own: &'static str, times: &Times| {
            out.item(begins, &self.with_zone(times.begins));
            out.item(ends, &self.with_zone(times.ends));
            if !times.own.is_empty() {
                out.item(own, &times.own);
            }
        };
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before != after => {
                times("Began", "Ended", "Began in its own zone", before);
                times("Begins", "Ends", "Begins in its own zone", after);
            }
            (_, Some(one)) | (Some(one), None) => times("Begins", "Ends", "Begins in its own zone", one),
            (None, None) => {}
        }
        if !self.repeats.is_empty() {
            out.item("Repeats", &self.repeats);
        }
        let Some(dates) = &self.dates else { return };
        if !dates.repeats.is_empty() && dates.repeats != self.repeats {
            out.item("Will repeat", &dates.repeats);
        }
        for (before, after) in &dates.first {
            out.item("Date", &self.date(before, after.as_ref()));
        }
    }

    /// Writes a date before and after; with ends where the length changes.
    fn date(&self, before: &Times, after: Option<&Times>) -> String {
        let Some(after) = after else { return format!("{} goes", self.with_zone(before.begins)) };
        if before == after {
            return format!("{} stays then", self.with_zone(before.begins));
        }
        if before.length() == after.length() {
            return format!("{} \u{2192} {}", before.begins.words(), self.with_zone(after.begins));
        }
        let both = |times: &Times, ends: String| format!("{} until {ends}", times.begins.words());
        let (was, becomes) = (both(before, before.ends.words()), both(after, self.with_zone(after.ends)));
        format!("{was} \u{2192} {becomes}")
    }

    fn with_zone(&self, moment: Moment) -> String {
        match moment {
            Moment::At(..) if !self.zone.is_empty() => format!("{} ({})", moment.words(), self.zone),
            Moment::At(..) | Moment::Day(_) => moment.words(),
        }
    }

    pub(super) fn encode(&self, out: &mut Encoder) {
        out.byte(match self.deed {
            Deed::Add => 1,
            Deed::Change => 2,
            Deed::Cancel => 3,
            Deed::Accept => 4,
            Deed::Decline => 5,
            Deed::AcceptPerhaps => 6,
            Deed::Invite => 7,
            Deed::Uninvite => 8,
        });
        out.byte(match self.part {
            Part::Whole => 1,
            Part::One => 2,
            Part::Following => 3,
            Part::All => 4,
        });
        out.text(&self.what).text(&self.repeats).text(&self.zone);
        out.option(self.before.as_ref(), |out, times| times.encode(out));
        out.option(self.after.as_ref(), |out, times| times.encode(out));
    }

    pub(super) fn decode(bytes: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            deed: match bytes.byte()? {
                1 => Deed::Add,
                2 => Deed::Change,
                3 => Deed::Cancel,
                4 => Deed::Accept,
                5 => Deed::Decline,
                6 => Deed::AcceptPerhaps,
                7 => Deed::Invite,
                8 => Deed::Uninvite,
                unknown => return Err(CodecError::UnknownTag(unknown)),
            },
            part: match bytes.byte()? {
                1 => Part::Whole,
                2 => Part::One,
                3 => Part::Following,
                4 => Part::All,
                unknown => return Err(CodecError::UnknownTag(unknown)),
            },
            what: short(bytes.text()?)?,
            repeats: short(bytes.text()?)?,
            zone: short(bytes.text()?)?,
            before: bytes.option(Times::decode)?,
            after: bytes.option(Times::decode)?,
            dates: None,
        })
    }
}

/// Holds what is said of a write against what it does.
pub(super) fn check(writing: &Writing) -> Result<(), CodecError> {
    let Some(told) = &writing.told else { return Ok(()) };
    let fits = match (told.deed, &writing.change) {
        (Deed::Add, Change::Create { .. }) => true,
        (Deed::Cancel, Change::Cancel { before, .. }) => told.part == before.part(),
        (Deed::Cancel, Change::Replace { .. }) => matches!(told.part, Part::One | Part::Following),
        (
            Deed::Change | Deed::Accept | Deed::Decline | Deed::AcceptPerhaps | Deed::Invite | Deed::Uninvite,
            Change::Replace { .. },
        ) => true,
        _ => false,
    };
    let many = matches!(told.part, Part::Following | Part::All) || told.dates.is_none();
    if fits && many { Ok(()) } else { Err(CodecError::Malformed("a write of another part of the entry than it says")) }
}
