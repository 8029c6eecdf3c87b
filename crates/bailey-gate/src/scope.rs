//! What the person's own words ask for, read without a model: before anything untrusted is looked at, and the same each time.
//!
//! It only subtracts. What no word asks for is outside of the task, and asks, whatever was granted; what a word does ask
//! for is judged as ever. A plan a model made is held to the same reading.

use crate::family::ActionKind;

/// What a task's words ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Look at mail.
    pub mail: bool,
    /// At new mail in particular.
    pub unread: bool,
    /// Look at the calendar.
    pub calendar: bool,
    /// Write to somebody.
    pub send: bool,
    /// Prepare a mail without sending it.
    pub draft: bool,
    /// Throw mail away.
    pub trash: bool,
    /// Move mail.
    pub sort: bool,
    /// Add to the calendar.
    pub create: bool,
    /// Change an entry.
    pub change: bool,
    /// Remove an entry.
    pub cancel: bool,
    /// Ask people to come.
    pub invite: bool,
    /// Keep something for later.
    pub remember: bool,
}

/// Words as people write them in English, German and French, in lower case. A `*` at the end stands for any ending.
const MAIL: &[&str] =
    &["mail*", "e-mail*", "email*", "inbox", "message*", "posteingang", "nachricht*", "courriel*", "courrier*"];
const UNREAD: &[&str] = &["unread", "new", "inbox", "ungelesen*", "neue*", "posteingang", "lus", "nouveau*"];
const CALENDAR: &[&str] = &[
    "calendar*",
    "schedule",
    "appointment*",
    "meeting*",
    "agenda",
    "busy",
    "free",
    "kalender*",
    "termin*",
    "calendrier",
    "rendez-vous",
    "réunion*",
];
const SEND: &[&str] = &[
    "answer",
    "answers",
    "reply",
    "respond",
    "write",
    "send",
    "forward",
    "antworte*",
    "schreib*",
    "sende*",
    "schick*",
    "réponds",
    "répondre",
    "écris",
    "écrire",
    "envoie*",
    "envoyer",
];
const DRAFT: &[&str] = &["draft*", "entwurf", "entwirf", "brouillon*"];
const TRASH: &[&str] = &["trash", "delete", "bin", "lösch*", "supprime*", "corbeille"];
const SORT: &[&str] = &["move", "archive", "file", "sort", "verschieb*", "archivier*", "déplace*", "range*"];
const CREATE: &[&str] = &[
    "add",
    "create",
    "book",
    "enter",
    "schedule",
    "plan",
    "put",
    "block",
    "trag*",
    "erstell*",
    "plane",
    "ajoute*",
    "crée*",
    "planifie*",
];
const CHANGE: &[&str] = &[
    "move",
    "reschedule",
    "change",
    "shift",
    "postpone",
    "verschieb*",
    "verleg*",
    "ändere",
    "déplace*",
    "change*",
    "reporte*",
];
const CANCEL: &[&str] = &["cancel", "remove", "delete", "absag*", "streich*", "lösch*", "annule*", "supprime*"];
const INVITE: &[&str] = &["invite", "invitation*", "einladen", "lade", "einladung*", "inviter"];
const REMEMBER: &[&str] = &["remember", "note", "memorise", "memorize", "merk*", "notier*", "retiens", "note*"];

impl Asked {
    /// Reads a task.
    #[must_use]
    pub fn of(task: &str) -> Self {
        let words = tokens(task);
        let any = |list: &[&str]| words.iter().any(|word| list.iter().any(|pattern| fits(word, pattern)));
        let (mail, calendar) = (any(MAIL), any(CALENDAR));
        Self {
            mail,
            unread: mail && any(UNREAD) || any(&["inbox", "posteingang"]),
            calendar,
            send: any(SEND),
            draft: any(DRAFT),
            // People say "cancel the dentist" without naming the calendar: the verb is enough.
            trash: any(TRASH),
            sort: any(SORT),
            create: any(CREATE),
            change: any(CHANGE),
            cancel: any(CANCEL),
            invite: any(INVITE),
            remember: any(REMEMBER),
        }
    }

    /// Whether the words ask for this kind of action. Looking, answering the person, and drafts, which stay in the home, are
    /// never beside the task.
    #[must_use]
    pub const fn covers(&self, kind: ActionKind) -> bool {
        match kind {
            ActionKind::MailSearch
            | ActionKind::MailRead
            | ActionKind::CalendarRead
            | ActionKind::MailDraft
            | ActionKind::Reply => true,
            ActionKind::MailSend => self.send || self.invite,
            ActionKind::MailMove => self.sort,
            ActionKind::MailTrash => self.trash,
            ActionKind::CalendarCreate => self.create,
            ActionKind::CalendarChange => self.change,
            ActionKind::CalendarCancel => self.cancel,
            ActionKind::MemoryWrite => self.remember,
        }
    }
}

/// Whole words in lower case.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    let inside = |c: char| c.is_alphanumeric() || "-@._'".contains(c);
    let words = text.split(|c| !inside(c)).map(|word| word.trim_matches(|c: char| "-._'".contains(c)).to_lowercase());
    words.filter(|word| !word.is_empty()).collect()
}

fn fits(word: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_word_asks_for_is_not_covered() {
        let reading = Asked::of("Read my unread mail and tell me what needs me.");
        let kinds = [
            ActionKind::MailSend,
            ActionKind::MailTrash,
            ActionKind::MailMove,
            ActionKind::CalendarCreate,
            ActionKind::CalendarCancel,
            ActionKind::MemoryWrite,
        ];
        for kind in kinds {
            assert!(!reading.covers(kind), "{}", kind.name());
        }
        assert!(reading.covers(ActionKind::MailSearch) && reading.covers(ActionKind::CalendarRead));
        assert!(Asked::of("delete the newsletter mails").covers(ActionKind::MailTrash));
        assert!(Asked::of("cancel my appointment on Friday").covers(ActionKind::CalendarCancel));
        assert!(Asked::of("Trag den Termin in meinen Kalender ein").covers(ActionKind::CalendarCreate));
        assert!(!Asked::of("").covers(ActionKind::MailSend));
    }
}
