//! What the person's own words ask for, read without a model: before anything untrusted is looked at, and the same each time.
//!
//! It decides which steps that *change* something a plan may have. A plan a model made may leave out, and may look at more;
//! it may not write where no word asks for it. It permits nothing: what the gate asks about, it asks about all the same.

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
            trash: mail && any(TRASH),
            sort: mail && any(SORT),
            create: calendar && any(CREATE),
            change: calendar && any(CHANGE),
            cancel: calendar && any(CANCEL),
            invite: any(INVITE),
            remember: any(REMEMBER),
        }
    }

    /// Whether the words ask for what a tool does. Looking is never beside the task.
    #[must_use]
    pub fn covers(&self, tool: &str) -> bool {
        match tool {
            "mail_search" | "mail_read" | "calendar_read" => true,
            "mail_send" => self.send,
            "mail_draft" => self.draft || self.send,
            "mail_move" => self.sort,
            "mail_trash" => self.trash,
            "calendar_create" => self.create,
            "calendar_change" => self.change,
            "calendar_cancel" => self.cancel,
            "calendar_invite" => self.invite,
            "memory_write" => self.remember,
            _ => false,
        }
    }

    /// The steps without which the words would not have been heard, looking first.
    #[must_use]
    pub fn needs(&self) -> Vec<&'static str> {
        let send = self.send && !self.draft;
        let all = [
            (self.mail || self.send, "mail_search"),
            (self.calendar, "calendar_read"),
            (self.draft, "mail_draft"),
            (send, "mail_send"),
        ];
        all.into_iter().filter_map(|(asked, tool)| asked.then_some(tool)).collect()
    }
}

/// Whole words in lower case.
pub(crate) fn tokens(text: &str) -> Vec<String> {
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
    fn words_name_the_steps() {
        for (task, needs) in [
            (
                "Read my unread mail, tell me what needs me, and answer Ana about Tuesday after checking my calendar.",
                "mail_search calendar_read mail_send",
            ),
            ("What's in my inbox?", "mail_search"),
            ("Am I free on Tuesday?", "calendar_read"),
            ("Schreib Ana, dass ich am Dienstag komme", "mail_search mail_send"),
            ("Prépare un brouillon pour Ana", "mail_draft"),
            ("What is 2 + 2?", ""),
        ] {
            assert_eq!(Asked::of(task).needs().join(" "), needs, "{task}");
        }
    }

    #[test]
    fn what_no_word_asks_for_is_not_covered() {
        let reading = Asked::of("Read my unread mail and tell me what needs me.");
        for tool in
            ["mail_send", "mail_trash", "mail_move", "calendar_create", "calendar_cancel", "memory_write", "unheard_of"]
        {
            assert!(!reading.covers(tool), "{tool}");
        }
        assert!(reading.covers("mail_search") && reading.covers("calendar_read"));
        assert!(Asked::of("delete the newsletter mails").covers("mail_trash"));
        assert!(Asked::of("cancel my appointment on Friday").covers("calendar_cancel"));
    }
}
