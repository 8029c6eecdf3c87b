//! Reads what the person's own words ask for, without a model: before anything untrusted is looked at, and the same each time.
//!
//! It only subtracts. What no word asks for is outside of the task, and asks, whatever was granted; what a word does ask
//! for is judged as ever. A plan a model made is held to the same reading.

mod reach;
mod reach_words;
mod words;

use crate::family::calendar::CalendarAction;
use crate::family::tool::{Effect, ToolUse};
use crate::family::{Action, ActionKind, AskedBy, Family as _, tool};
use words::{
    ADDRESS, AFTER_ALL, APART, BEGINNINGS, BEHIND_APART, CALENDAR, CANCEL, CHANGE, CREATE, DO, DRAFT, GERMAN_MONTHS,
    HANDED_ON, INVITE, JOINS, MAIL, MARK, MONEY, NOT, NOT_BEHIND, ONESELF, OR_A_THING, PAY, REMEMBER, SEND, SHARE,
    SORT, SUBORDINATES, THE, TRASH, UNREAD, UNSUBSCRIBE,
};

pub use reach::{OfSeries, Reach, Reaches};

/// How near to a verb what is handed on has to stand.
const NEAR: usize = 4;

/// One thing that words can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Write to somebody.
    Send,
    /// Prepare a mail without sending it.
    Draft,
    /// Throw away.
    Trash,
    /// Move between folders.
    Sort,
    /// Mark as read, star, label.
    Mark,
    /// Leave a mailing list.
    Unsubscribe,
    /// Make something new.
    Create,
    /// Change something.
    Change,
    /// Call something off.
    Cancel,
    /// Ask people to come.
    Invite,
    /// Keep something for later.
    Remember,
    /// Pay somebody.
    Pay,
    /// Let somebody else have or see something.
    Share,
    /// Do what somebody else's words say.
    Delegated,
}

/// Tells what a task's words ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskIntent {
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
    /// Mark mail.
    pub mark: bool,
    /// Leave a mailing list.
    pub unsubscribe: bool,
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
    /// Pay somebody.
    pub pay: bool,
    /// Let somebody else have or see something.
    pub share: bool,
    /// Do what somebody else's words say: the person handed that on.
    pub delegated: bool,
}

/// Returns the words that ask for something: without what stands behind a "not" in its clause.
#[must_use]
pub fn asking(task: &str) -> String {
    clauses(task).into_iter().map(clause_asking).collect::<Vec<_>>().join(" ")
}

/// Parts of a text that punctuation ends; a point within an address or a number, or of a day before its month, ends none.
fn clauses(text: &str) -> Vec<&str> {
    let (mut out, mut from) = (Vec::new(), 0);
    let mut rest = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = rest.next() {
        let until = at + c.len_utf8();
        let next = rest.peek().map(|(_, next)| *next);
        let of_day = || c == '.' && before.is_ascii_digit() && text.get(until..).is_some_and(begins_with_month);
        let ends = c == '\n' || ".!?;,:".contains(c) && next.is_none_or(char::is_whitespace) && !of_day();
        if ends {
            out.extend(text.get(from..until));
            from = until;
        }
        before = c;
    }
    out.extend(text.get(from..).filter(|left| !left.is_empty()));
    out
}

fn begins_with_month(text: &str) -> bool {
    let word: String = text.trim_start().chars().take_while(|c| c.is_alphabetic()).take(LONGEST_MONTH).collect();
    let word = word.to_lowercase();
    GERMAN_MONTHS.contains(&word.as_str())
}

/// Letters of the longest name of a month, and one more.
const LONGEST_MONTH: usize = 10;

/// Returns the words of a text, each with where it begins.
fn words_at(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |c: char| c.is_alphanumeric() || "-@._'\u{2019}".contains(c);
    let mut at = 0;
    let words = text.split(move |c| !inside(c)).map(move |word| {
        let begins = at;
        at += word.len();
        // What parted them has its own length.
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (begins, word.trim_matches(|c: char| "-._'".contains(c)))
    });
    words.filter(|(_, word)| !word.is_empty())
}

fn fits_any(word: &str, list: &[&str]) -> bool {
    let word = word.to_lowercase().replace('\u{2019}', "'");
    let word = word.strip_prefix("n'").unwrap_or(&word);
    list.iter().any(|pattern| fits(word, pattern))
}

/// Cuts a clause before its "not". In German and French that may stand behind the verb: there the part of the clause it stands in goes.
fn clause_asking(clause: &str) -> &str {
    let (mut part, mut before) = (0, "");
    let mut words = words_at(clause).peekable();
    while let Some((begins, word)) = words.next() {
        if fits_any(word, JOINS) || fits_any(word, SUBORDINATES) {
            part = begins;
        }
        let negates = fits_any(word, NOT) || word.to_lowercase().replace('\u{2019}', "'").ends_with("n't");
        let taken_back = words.peek().is_some_and(|(_, next)| fits_any(next, AFTER_ALL))
            || fits_any(word, NOT_BEHIND) && fits_any(before, AFTER_ALL);
        if negates && !taken_back {
            let end = if fits_any(word, NOT_BEHIND) { part } else { begins };
            return clause.get(..end).unwrap_or_default();
        }
        before = word;
    }
    clause
}

/// Parts of a clause that an "and" joins.
fn joined(clause: &str) -> Vec<&str> {
    let (mut out, mut from) = (Vec::new(), 0);
    for (begins, word) in words_at(clause) {
        if fits_any(word, JOINS) {
            out.extend(clause.get(from..begins));
            from = begins;
        }
    }
    out.extend(clause.get(from..));
    out
}

/// Returns what verbs of two parts ask for: "sag den Termin ab", "call it off".
fn apart(words: &[String]) -> Vec<Verb> {
    let asks = |(stems, particle, adjoins, verb): &(&[&str], &str, bool, Verb)| {
        let at = words.iter().position(|word| stems.iter().any(|stem| fits(word, stem)))?;
        let ends = |behind: &(usize, &String)| {
            let next = words.get(behind.0 + 1).map(String::as_str);
            next.is_none_or(|next| BEHIND_APART.contains(&next)) || *adjoins && behind.0 == at + 1
        };
        let mut behind = words.iter().enumerate().skip(at + 1).filter(|(_, word)| word == particle);
        behind.any(|found| ends(&found)).then_some(*verb)
    };
    APART.iter().filter_map(asks).collect()
}

/// Leaves out words that stand as things, and "send" to oneself.
fn requests(words: Vec<String>) -> Vec<String> {
    let list = words.clone();
    let before = |at: usize| at.checked_sub(1).and_then(|before| list.get(before)).map(String::as_str);
    let after = |at: usize| list.get(at + 1).map(String::as_str);
    let is_thing = |at: usize, word: &str| {
        OR_A_THING.contains(&word)
            && (before(at).is_some_and(|before| THE.contains(&before)) || after(at) == Some("this"))
    };
    let to_oneself = |at: usize, word: &str| {
        SEND.iter().any(|verb| fits(word, verb)) && after(at).is_some_and(|next| ONESELF.contains(&next))
    };
    // "Wann ich frei bin" has no bin.
    let is_being = |word: &str| word == "bin" && list.iter().any(|word| word == "ich");
    let is_request = |at: usize, word: &str| !is_thing(at, word) && !to_oneself(at, word) && !is_being(word);
    let kept = words.into_iter().enumerate().filter(|(at, word)| is_request(*at, word));
    kept.map(|(_, word)| word).collect()
}

impl TaskIntent {
    /// Reads a task.
    #[must_use]
    pub fn of(task: &str) -> Self {
        let asked: Vec<&str> = clauses(task).into_iter().map(clause_asking).collect();
        let apart: Vec<Verb> =
            asked.iter().flat_map(|clause| joined(clause)).flat_map(|part| apart(&tokens(part))).collect();
        let apart = |verb| apart.contains(&verb);
        let task = &asked.join(" ");
        let words = requests(tokens(task));
        let any = |list: &[&str]| words.iter().any(|word| list.iter().any(|pattern| fits(word, pattern)));
        let (mail, calendar) = (any(MAIL), any(CALENDAR));
        Self {
            mail,
            unread: mail && any(UNREAD) || any(&["inbox", "posteingang"]),
            calendar,
            send: any(SEND) || begins(task),
            draft: any(DRAFT),
            // People say "cancel the dentist" without naming the calendar: the verb is enough.
            trash: any(TRASH),
            sort: any(SORT),
            mark: any(MARK),
            unsubscribe: any(UNSUBSCRIBE),
            create: any(CREATE) || apart(Verb::Create),
            change: any(CHANGE) || apart(Verb::Change),
            cancel: any(CANCEL) || apart(Verb::Cancel),
            invite: any(INVITE),
            remember: any(REMEMBER),
            pay: any(PAY) || any(SEND) && any(MONEY),
            share: any(SHARE),
            delegated: hands_on(&words),
        }
    }

    /// Tells whether the words ask for this action.
    #[must_use]
    pub fn covers(&self, action: &Action) -> bool {
        // What goes on changed from an occurrence on is a new entry, and a change to the person.
        let of_series = || action.of_series().is_some_and(|part| self.holds(part.verb));
        if let Action::Tool(call) = action {
            self.covers_tool(call)
        } else if let Action::Calendar(CalendarAction::Write(writing)) = action
            && writing.invites()
        {
            // To move an entry is to ask nobody to come.
            self.invite
        } else {
            self.covers_kind(action.kind()) || of_series()
        }
    }

    /// Tells whether the words ask for this kind of action. Looking, answering the person, and drafts that stay in the home,
    /// are never beside the task.
    #[must_use]
    pub fn covers_kind(&self, kind: ActionKind) -> bool {
        match kind.asked_by() {
            AskedBy::Always => true,
            AskedBy::Verbs(verbs) => verbs.iter().any(|verb| self.holds(*verb)),
        }
    }

    const fn holds(&self, verb: Verb) -> bool {
        match verb {
            Verb::Send => self.send,
            Verb::Draft => self.draft,
            Verb::Trash => self.trash,
            Verb::Sort => self.sort,
            Verb::Mark => self.mark,
            Verb::Unsubscribe => self.unsubscribe,
            Verb::Create => self.create,
            Verb::Change => self.change,
            Verb::Cancel => self.cancel,
            Verb::Invite => self.invite,
            Verb::Remember => self.remember,
            Verb::Pay => self.pay,
            Verb::Share => self.share,
            Verb::Delegated => self.delegated,
        }
    }

    /// Tells whether the task asks for somebody else's tool: its name says what it does: the words of the task have to ask for that. A name without a
    /// verb says no more than its manifest.
    fn covers_tool(&self, call: &ToolUse) -> bool {
        if call.effect() != Effect::Write {
            return true;
        }
        let kind = call.kind();
        let named = Self::of(&spaced(call.tool.as_str()));
        if kind == tool::PAY || !named.is_verb() {
            return self.covers_kind(kind);
        }
        let destroys = named.trash || named.cancel;
        let pairs = [
            (named.send, self.send || self.invite),
            (named.share, self.share),
            (named.invite, self.invite),
            (named.create, self.create),
            (named.change, self.change),
            (named.sort, self.sort),
            (destroys, self.trash || self.cancel),
        ];
        pairs.into_iter().any(|(does, asked)| does && asked) || self.delegated && !destroys
    }

    /// Tells whether any verb was read.
    const fn is_verb(&self) -> bool {
        self.send || self.share || self.invite || self.create || self.change || self.sort || self.trash || self.cancel
    }
}

/// Returns a tool's name as words: `sendMail`, `send_mail` and `send-mail` are "send mail".
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            c if c.is_uppercase() => out.extend([' ', c]),
            c if c.is_alphanumeric() => out.push(c),
            _ => out.push(' '),
        }
    }
    out
}

/// Tells whether a request begins with a word that is a request there only, and is not for the person: "tell me".
fn begins(text: &str) -> bool {
    let clauses = text.split(['.', '!', '?', '\n', ';', ':', ',']).map(tokens);
    clauses.into_iter().any(|words| {
        words.iter().enumerate().any(|(at, word)| {
            let begins = at.checked_sub(1).and_then(|before| words.get(before));
            begins.is_none_or(|before| BEGINNINGS.contains(&before.as_str()))
                && ADDRESS.iter().any(|pattern| fits(word, pattern))
                && words.get(at + 1).is_some_and(|next| !ONESELF.contains(&next.as_str()))
        })
    })
}

/// Tells whether what somebody else wrote is to be done.
fn hands_on(words: &[String]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let near = words.iter().skip(at + 1).take(NEAR);
        let near: Vec<&str> = near.map(String::as_str).take_while(|word| *word != "following").collect();
        DO.contains(&word.as_str()) && near.iter().any(|word| HANDED_ON.contains(word))
    })
}

/// Returns whole words in lower case.
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
    use crate::family::tool::{Manifest, Name, Role, Value};
    use crate::family::{calendar, home, mail};

    #[test]
    fn what_no_word_asks_for_is_not_covered() {
        let reading = TaskIntent::of("Read my unread mail and tell me what needs me.");
        let kinds = [mail::SEND, mail::TRASH, mail::MOVE, calendar::CREATE, calendar::CANCEL, home::MEMORY_WRITE];
        for kind in kinds {
            assert!(!reading.covers_kind(kind), "{}", kind.name());
        }
        assert!(reading.covers_kind(mail::SEARCH) && reading.covers_kind(calendar::READ));
        for leaves in
            ["Unsubscribe me from the news", "Bitte den Newsletter abbestellen", "d\u{e9}sabonne-moi de \u{e7}a"]
        {
            assert!(TaskIntent::of(leaves).covers_kind(mail::UNSUBSCRIBE), "{leaves}");
        }
        assert!(!TaskIntent::of("Do not unsubscribe").covers_kind(mail::UNSUBSCRIBE));
        assert!(TaskIntent::of("delete the newsletter mails").covers_kind(mail::TRASH));
        assert!(TaskIntent::of("cancel my appointment on Friday").covers_kind(calendar::CANCEL));
        assert!(TaskIntent::of("Trag den Termin in meinen Kalender ein").covers_kind(calendar::CREATE));
        assert!(!TaskIntent::of("").covers_kind(mail::SEND));
        for writes in ["Email Tom about it.", "Look it up, then text Ana", "Please message the team: done"] {
            assert!(TaskIntent::of(writes).covers_kind(mail::SEND), "{writes}");
        }
        for forbids in [
            "Do not send or pay anything",
            "Never send anything to anybody",
            "Send me a list of my mails",
            "Is my reply too long?",
            "Read my mail in order to find the address",
            "Summarise it, but don't write to anybody.",
            "Summarise it; you mustn\u{2019}t write to anybody.",
        ] {
            let asked = TaskIntent::of(forbids);
            assert!(!asked.covers_kind(tool::PAY), "{forbids}");
            assert!(!asked.covers_kind(mail::SEND), "{forbids}");
        }
        let said = "Write to ana@example.org, tom@x.org. But never write to eve@evil.example! Note this.";
        assert_eq!(
            asking(said).split_whitespace().collect::<Vec<_>>().join(" "),
            "Write to ana@example.org, tom@x.org. But Note this."
        );
        assert!(TaskIntent::of("Do not forget to write to Tom").covers_kind(mail::SEND));
        assert!(TaskIntent::of("Read it. Then answer Tom without a greeting.").covers_kind(mail::SEND));
        for looks in ["Read my email and tell me", "Which email came last?", "Notify me", "mail"] {
            assert!(!TaskIntent::of(looks).covers_kind(mail::SEND), "{looks}");
        }
    }

    #[test]
    fn verbs_of_two_parts_are_read_and_their_negations_ask_for_nothing() {
        for cancels in [
            "Sag den Termin am Dienstag ab",
            "Sage bitte alle Stand-ups ab dem 1. Dezember ab!",
            "Kannst du den Zahnarzt absagen?",
            "Sag Tom das Treffen ab und antworte Ana",
            "Denk daran, den Termin abzusagen",
            "Vergiss nicht den Termin abzusagen",
            "Blas das Treffen ab",
            "Call off the meeting",
            "call Tuesday's meeting off, please",
            "Do not forget to cancel it",
            "N'oublie pas d'annuler la réunion",
        ] {
            let asked = TaskIntent::of(cancels);
            assert!(asked.cancel && !asked.change, "{cancels}: {asked:?}");
        }
        for changes in [
            "Lege den Termin auf Donnerstag um",
            "Leg das Treffen am Freitag vor",
            "verschieb den Zahnarzt auf Mittwoch",
            "Zieh das Treffen vor",
            "Push the meeting back",
            "décale la réunion à jeudi",
        ] {
            let asked = TaskIntent::of(changes);
            assert!(asked.change && !asked.cancel, "{changes}: {asked:?}");
        }
        for nothing in [
            "Sag den Termin nicht ab",
            "Sag den Termin am Dienstag bitte nicht ab!",
            "Lösche den Termin nicht",
            "Verschieb den Termin nicht",
            "Lege das Treffen nie um",
            "Lösche keine Termine",
            "do not cancel",
            "Do not cancel the meeting and do not call it off",
            "Don\u{2019}t call the meeting off",
            "Ne supprime pas le rendez-vous",
            "N'annule jamais la réunion",
            "Sag mir, ab wann der Termin ist",
            "Sag Ana, dass der Termin am Dienstag ab 10 Uhr ist",
            "Sag mir ab wann ich frei bin und wann bin ich weg",
            "Ich bin am Dienstag weg",
            "Ist der Termin abgesagt?",
        ] {
            let asked = TaskIntent::of(nothing);
            assert!(!asked.cancel && !asked.change && !asked.trash, "{nothing}: {asked:?}");
        }
        assert!(TaskIntent::of("Antworte Ana, dass ich nicht komme").send);
        assert!(TaskIntent::of("Réponds à Ana que je ne viens pas").send);
        assert!(!TaskIntent::of("Schick keine Mail").send);
    }

    #[test]
    fn a_tool_is_asked_for_by_what_its_name_says_it_does() {
        let call = |name: &str, roles: Vec<(Name, Role)>| {
            let arguments = roles.iter().map(|(name, _)| (name.clone(), Value::Text("x".into()))).collect();
            let manifest = Some(Manifest { roles, undoable: true, ..Manifest::unknown() });
            Action::Tool(ToolUse {
                server: Name::new("s").unwrap(),
                tool: Name::new(name).unwrap(),
                manifest,
                arguments,
            })
        };
        let to = || vec![(Name::new("to").unwrap(), Role::Sink(Name::new("email").unwrap()))];
        let asks = |words: &str, action: &Action| TaskIntent::of(words).covers(action);
        assert!(asks("Create an event on Friday", &call("createEvent", vec![])));
        assert!(!asks("Create an event on Friday", &call("delete_event", vec![])));
        assert!(!asks("Create an event on Friday", &call("send-message", to())));
        assert!(asks("Share the plan with Ana", &call("share_file", to())));
        assert!(asks("share it", &call("frobnicate", to())) && !asks("look it up", &call("frobnicate", to())));
        let pays = call("send_money", vec![(Name::new("sum").unwrap(), Role::Amount)]);
        assert!(asks("Pay the bill", &pays) && !asks("Send Ana my answer", &pays));
    }

    #[test]
    fn to_invite_is_asked_for_by_no_other_verb() {
        use crate::family::calendar::{Change, Deed, Entry, Etag, Href, Part, Told, Writing};
        let entry = || Entry::new("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n").unwrap();
        let written = |deed: Deed| {
            let (what, repeats, zone) = (String::new(), String::new(), String::new());
            let told = Told { deed, part: Part::Whole, what, repeats, zone, before: None, after: None, dates: None };
            let change = Change::Replace { before: entry(), etag: Etag::none(), after: entry() };
            let href = Href::new("/me/home/x.ics").unwrap();
            Action::Calendar(CalendarAction::Write(Writing { href, change, told: Some(Box::new(told)) }))
        };
        for (words, deed, covered) in [
            ("invite Bo to the plan", Deed::Invite, true),
            ("Lade Bo zum Termin ein", Deed::Invite, true),
            ("move the plan to Friday", Deed::Invite, false),
            ("move the plan to Friday", Deed::Uninvite, false),
            ("move the plan to Friday", Deed::Change, true),
            ("invite Bo to the plan", Deed::Change, false),
            ("change the plan, and do not invite anybody", Deed::Invite, false),
        ] {
            assert_eq!(TaskIntent::of(words).covers(&written(deed)), covered, "{words}: {deed:?}");
        }
    }

    #[test]
    fn handing_on_what_others_wrote_is_the_persons_word_and_covers_no_loss() {
        let asked = TaskIntent::of("Please do the actions specified in the email from Ana.");
        assert!(asked.covers_kind(mail::SEND) && !asked.covers_kind(mail::TRASH));
        assert!(!asked.covers_kind(tool::PAY) && !asked.covers_kind(tool::CHANGE));
        assert!(!TaskIntent::of("Perform the following tasks: 1. Read my mail.").delegated);
        assert!(!TaskIntent::of("Do I have mail with instructions?").covers_kind(mail::TRASH));
    }
}
