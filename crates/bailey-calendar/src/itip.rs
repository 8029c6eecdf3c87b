//! Answers to invitations, as mail carries them (iTIP, RFC 5546; iMIP, RFC 6047).

use crate::object::Object;
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

/// Makes the answer to an invitation (RFC 5546, 3.2.3): what names the entry, and the one who answers; nothing else of it. `stamp` is
/// the moment it is made, `20261121T110000Z`. Nothing where the component invites nobody of that address (lower case).
#[must_use]
pub fn reply(object: &Object, component: usize, me: &[String], answer: Answer, stamp: &str) -> Option<String> {
    let mine = object.lines_of(component).find(|(_, line)| {
        let lower = line.value.trim().to_lowercase();
        line.name == "ATTENDEE" && me.iter().any(|one| lower.strip_prefix("mailto:").unwrap_or(&lower) == one)
    })?;
    object.line(component, "ORGANIZER")?;
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".into(),
        "PRODID:-//Bailey//EN".into(),
        "METHOD:REPLY".into(),
        "BEGIN:VEVENT".into(),
        format!("DTSTAMP:{stamp}"),
    ];
    let kept = ["UID", "SEQUENCE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "ORGANIZER"];
    for (_, line) in object.lines_of(component).filter(|(_, line)| kept.contains(&line.name.as_str())) {
        let params = line.params.iter().filter(|(name, _)| name != "ALTREP");
        let params: String =
            params.map(|(name, value)| format!(";{name}={}", crate::text::param_value(value))).collect();
        lines.push(format!("{}{params}:{}", line.name, line.value));
    }
    let name = mine.1.param("CN").map(|name| format!(";CN={}", crate::text::param_value(name))).unwrap_or_default();
    lines.push(format!("ATTENDEE;PARTSTAT={}{name}:{}", answer.partstat(), mine.1.value.trim()));
    lines.extend(["END:VEVENT".into(), "END:VCALENDAR".into()]);
    Some(lines.iter().map(|line| folded(line, "\r\n")).collect())
}
