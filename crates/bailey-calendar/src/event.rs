//! An entry of a calendar: what one `VEVENT` says.

use crate::object::{Line, Object};
use crate::rule::Rule;
use crate::stamp::{Length, Stamp};
use crate::text::unescaped;
use crate::zone::{Known, Zones};

/// Most moments in the lists of one entry (`RDATE`, `EXDATE`).
const MAX_MOMENTS: usize = 10_000;
/// Most rules of an entry: the standard asks for one, and programs have written a few.
const MAX_RULES: usize = 20;

/// When an entry ends, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It does not say: a day's end, or the moment it begins (RFC 5545, 3.6.1).
    Unsaid,
    /// At a moment (`DTEND`).
    At(Stamp),
    /// After a length (`DURATION`).
    After(Length),
}

/// Whether it takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it stands.
    Confirmed,
    /// Perhaps.
    Tentative,
    /// Called off.
    Cancelled,
}

/// Somebody who was invited, or who invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// The address, lower case, without `mailto:`.
    pub address: String,
    /// The name shown with it.
    pub name: String,
    /// Their answer (`PARTSTAT`), in capitals.
    pub answer: String,
}

/// One `VEVENT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The place among the object's components.
    pub component: usize,
    /// Its identity.
    pub uid: String,
    /// Names the occurrence of a series it stands for.
    pub recurrence_id: Option<Stamp>,
    /// Tells whether it stands for all that follow, too (`RANGE=THISANDFUTURE`).
    pub and_following: bool,
    /// When it begins.
    pub start: Stamp,
    /// When it ends.
    pub end: End,
    /// How it repeats.
    pub rules: Vec<Rule>,
    /// The rules by which some of that is left out (RFC 2445).
    pub without_rules: Vec<Rule>,
    /// Further times, some with an end of their own.
    pub also: Vec<(Stamp, End)>,
    /// Times left out.
    pub without: Vec<Stamp>,
    /// Tells whether it takes place.
    pub status: Status,
    /// Tells whether it takes up no time (`TRANSP:TRANSPARENT`).
    pub transparent: bool,
    /// Its title.
    pub summary: String,
    /// Where.
    pub location: String,
    /// Its description.
    pub description: String,
    /// Who invites.
    pub organizer: Option<Attendee>,
    /// Who was invited.
    pub attendees: Vec<Attendee>,
    /// Says what of it cannot be read: zones, rules, times.
    pub faults: Vec<String>,
}

impl Event {
    /// Reads a component; nothing where its beginning cannot be read.
    pub(crate) fn read(object: &Object, component: usize, zones: &Zones) -> Option<Self> {
        let mut faults = Vec::new();
        let start = stamps(object.line(component, "DTSTART")?, zones, &mut faults).into_iter().next()?.0;
        let text = |name: &str| object.line(component, name).map(|line| unescaped(&line.value)).unwrap_or_default();
        let word = |name: &str| text(name).trim().to_ascii_uppercase();
        let mut event = Self {
            component,
            uid: text("UID").trim().to_owned(),
            recurrence_id: None,
            and_following: false,
            start,
            end: End::Unsaid,
            rules: Vec::new(),
            without_rules: Vec::new(),
            also: Vec::new(),
            without: Vec::new(),
            status: match word("STATUS").as_str() {
                "CANCELLED" => Status::Cancelled,
                "TENTATIVE" => Status::Tentative,
                _ => Status::Confirmed,
            },
            transparent: word("TRANSP") == "TRANSPARENT",
            summary: text("SUMMARY").trim().to_owned(),
            location: text("LOCATION").trim().to_owned(),
            description: text("DESCRIPTION").trim().to_owned(),
            organizer: object.line(component, "ORGANIZER").map(attendee),
            attendees: Vec::new(),
            faults,
        };
        for (_, line) in object.lines_of(component) {
            event.take(line, zones);
        }
        event.faults.dedup();
        Some(event)
    }

    fn take(&mut self, line: &Line, zones: &Zones) {
        match line.name.as_str() {
            "DTEND" if self.end == End::Unsaid => match stamps(line, zones, &mut self.faults).into_iter().next() {
                Some((end, _)) => self.end = End::At(end),
                None => self.faults.push("when it ends cannot be read".into()),
            },
            "DURATION" if self.end == End::Unsaid => match Length::read(&line.value) {
                Some(length) => self.end = End::After(length),
                None => self.faults.push("how long it takes cannot be read".into()),
            },
            "RECURRENCE-ID" => {
                self.recurrence_id = stamps(line, zones, &mut self.faults).into_iter().next().map(|(stamp, _)| stamp);
                self.and_following =
                    line.param("RANGE").is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
            }
            // Each of them takes as much work as one may.
            "RRULE" | "EXRULE" if self.rules.len() + self.without_rules.len() >= MAX_RULES => {
                self.faults.push("how it repeats cannot be read: it has too many rules".into());
            }
            "RRULE" | "EXRULE" => match Rule::read(&line.value) {
                Ok(rule) if line.name == "RRULE" => self.rules.push(rule),
                Ok(rule) => self.without_rules.push(rule),
                Err(part) => self.faults.push(format!("how it repeats cannot be read: {part}")),
            },
            "RDATE" => {
                let moments = stamps(line, zones, &mut self.faults);
                self.also.extend(moments);
                self.also.truncate(MAX_MOMENTS);
            }
            "EXDATE" => {
                let moments = stamps(line, zones, &mut self.faults);
                self.without.extend(moments.into_iter().map(|(stamp, _)| stamp));
                self.without.truncate(MAX_MOMENTS);
            }
            "ATTENDEE" => self.attendees.push(attendee(line)),
            _ => {}
        }
    }

    /// Tells whether it repeats.
    #[must_use]
    pub fn repeats(&self) -> bool {
        !self.rules.is_empty() || !self.also.is_empty() || self.faults.iter().any(|fault| fault.contains("repeats"))
    }

    /// Returns what one of these addresses (lower case) answered to the invitation.
    #[must_use]
    pub fn answer_of(&self, me: &[String]) -> Option<&str> {
        self.attendees.iter().find(|one| me.contains(&one.address)).map(|one| one.answer.as_str())
    }
}

/// Reads the moments of a line: several, and those of periods with their ends.
fn stamps(line: &Line, zones: &Zones, faults: &mut Vec<String>) -> Vec<(Stamp, End)> {
    let zone = line.param("TZID").map(|name| zones.find(name));
    let mut out = Vec::new();
    for text in line.value.split(',').map(str::trim).filter(|text| !text.is_empty()).take(MAX_MOMENTS) {
        let (start, end) = text.split_once('/').map_or((text, None), |(start, end)| (start, Some(end)));
        let Some(start) = Stamp::read(start, zone.as_ref()) else {
            faults.push(format!("`{}` in {} is no moment", text.chars().take(40).collect::<String>(), line.name));
            continue;
        };
        let end = match end {
            None => End::Unsaid,
            Some(end) => Length::read(end)
                .map(End::After)
                .or_else(|| Stamp::read(end, zone.as_ref()).map(End::At))
                .unwrap_or(End::Unsaid),
        };
        out.push((start, end));
    }
    // A zone matters where a time is read on its clock.
    let on_clock = out.iter().any(|(stamp, _)| matches!(stamp.form, crate::Form::Zoned(_)));
    if let Some(zone) = zone.filter(|zone| zone.known == Known::No && on_clock) {
        faults.push(format!("its time zone `{}` is not known", zone.name.chars().take(80).collect::<String>()));
    }
    out
}

/// Reads a line that names somebody.
fn attendee(line: &Line) -> Attendee {
    let value = line.value.trim();
    let lower = value.to_lowercase();
    let address = match lower.rfind("mailto:") {
        Some(at) => lower.get(at + "mailto:".len()..).unwrap_or_default().to_owned(),
        // Servers name people by their own addresses, and the mail address beside it.
        None => line.param("EMAIL").map(str::to_lowercase).unwrap_or(lower),
    };
    Attendee {
        address: address.trim().to_owned(),
        name: line.param("CN").unwrap_or_default().to_owned(),
        answer: line.param("PARTSTAT").unwrap_or("NEEDS-ACTION").to_ascii_uppercase(),
    }
}
