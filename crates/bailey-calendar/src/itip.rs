//! Answers to invitations, as mail carries them (iTIP, RFC 5546; iMIP, RFC 6047).

use std::collections::BTreeSet;

use crate::object::{Line, Object};
use crate::text::folded;

/// What can be answered to an invitation (RFC 5545, 3.2.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// They come.
    Accepted,
    /// They do not.
    Declined,
    /// Perhaps.
    Tentative,
}

impl Answer {
    /// Writes it as an entry does.
    #[must_use]
    pub const fn partstat(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Declined => "DECLINED",
            Self::Tentative => "TENTATIVE",
        }
    }

    /// Reads what a person or a model says.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Some(match word.trim().to_lowercase().as_str() {
            "accept" | "accepted" | "yes" | "annehmen" | "zusagen" | "ja" | "accepter" | "oui" => Self::Accepted,
            "decline" | "declined" | "no" | "reject" | "ablehnen" | "absagen" | "nein" | "refuser" | "décliner"
            | "non" => Self::Declined,
            "tentative" | "maybe" | "perhaps" | "vielleicht" | "vorläufig" | "peut-être" | "provisoire" => {
                Self::Tentative
            }
            _ => return None,
        })
    }
}

/// Lines of a time zone that are taken over into an answer, at most: what programs write has a few dozen.
const MAX_ZONE_LINES: usize = 1_000;

/// Makes the answer to an invitation (RFC 5546, 3.2.3): what names the entry, and the one who answers; nothing else of it, but for the
/// zones its times are of. `components` are those that are answered: the entry, and occurrences that differ. `stamp` is the
/// moment it is made, `20261121T110000Z`. Nothing where none of them invites anybody of these addresses (lower case).
#[must_use]
pub fn reply(object: &Object, components: &[usize], me: &[String], answer: Answer, stamp: &str) -> Option<String> {
    let mut events = Vec::new();
    let mut zones = BTreeSet::new();
    for component in components {
        let mine = object.lines_of(*component).find(|(_, line)| line.name == "ATTENDEE" && names(line, me));
        let Some((_, mine)) = mine.filter(|_| object.line(*component, "ORGANIZER").is_some()) else { continue };
        events.extend(["BEGIN:VEVENT".to_owned(), format!("DTSTAMP:{stamp}")]);
        let kept = ["UID", "SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "ORGANIZER"];
        for (_, line) in object.lines_of(*component).filter(|(_, line)| kept.contains(&line.name.as_str())) {
            zones.extend(line.param("TZID").map(|name| name.trim().to_owned()));
            events.push(written(line));
        }
        let name = mine.param("CN").map(|name| format!(";CN={}", crate::text::param_value(name))).unwrap_or_default();
        events.push(format!("ATTENDEE;PARTSTAT={}{name}:{}", answer.partstat(), mine.value.trim()));
        events.push("END:VEVENT".into());
    }
    if events.is_empty() {
        return None;
    }
    let mut lines: Vec<String> =
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Bailey//EN", "METHOD:REPLY"].map(str::to_owned).into();
    for (at, component) in object.of_name("VTIMEZONE") {
        let used = object.line(at, "TZID").is_some_and(|line| zones.contains(line.value.trim()));
        let own = component.begin..=component.end.unwrap_or(component.begin);
        let length = own.end() - own.start();
        let zone = object.lines().get(own).unwrap_or_default();
        if used && length > 0 && lines.len() + length <= MAX_ZONE_LINES && zone.iter().all(is_of_a_zone) {
            lines.extend(zone.iter().filter(|line| ZONE_LINES.contains(&line.name.as_str())).map(written));
        }
    }
    lines.append(&mut events);
    lines.push("END:VCALENDAR".into());
    Some(lines.iter().map(|line| folded(line, "\r\n")).collect())
}

/// What of a zone is told: what its times need, and no words (RFC 5545, 3.6.5).
const ZONE_LINES: [&str; 8] = ["BEGIN", "END", "TZID", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"];

/// Tells whether a line can stand in a zone: nothing else begins or ends there.
fn is_of_a_zone(line: &Line) -> bool {
    let names = ["VTIMEZONE", "STANDARD", "DAYLIGHT"];
    !matches!(line.name.as_str(), "BEGIN" | "END") || names.contains(&line.value.trim().to_ascii_uppercase().as_str())
}

/// Tells whether a line that names somebody names one of these addresses (lower case).
pub(crate) fn names(line: &Line, me: &[String]) -> bool {
    let lower = line.value.trim().to_lowercase();
    let address = lower.strip_prefix("mailto:").unwrap_or(&lower);
    // Where the value is an address of mail, it says who it is; the parameter is for what has none (RFC 7986, 6.2).
    let by_parameter = |one: &str| {
        !lower.starts_with("mailto:") && line.param("EMAIL").is_some_and(|email| email.eq_ignore_ascii_case(one))
    };
    me.iter().any(|one| one == address || by_parameter(one))
}

/// Writes a line anew; what another representation of it says stays out.
fn written(line: &Line) -> String {
    let params = line.params.iter().filter(|(name, _)| name != "ALTREP");
    let params: String = params.map(|(name, value)| format!(";{name}={}", crate::text::param_value(value))).collect();
    format!("{}{params}:{}", line.name, line.value)
}
