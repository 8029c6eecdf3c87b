//! Reads what the person's own words ask for, without a model: before anything untrusted is looked at, and the same each time.
//!
//! It only subtracts. What no word asks for is outside of the task, and asks, whatever was granted; what a word does ask
//! for is judged as ever. A plan a model made is held to the same reading.

mod words;

use crate::family::tool::{Effect, ToolUse};
use crate::family::{Action, ActionKind, AskedBy, Family as _, tool};
use words::{
    ADDRESS, AFTER_ALL, BEGINNINGS, CALENDAR, CANCEL, CHANGE, CREATE, DO, DRAFT, HANDED_ON, INVITE, MAIL, MARK, MONEY,
    NOT, ONESELF, OR_A_THING, PAY, REMEMBER, SEND, SHARE, SORT, THE, TRASH, UNREAD,
};

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

/// Parts of a text that punctuation ends; a point within an address or a number ends none.
fn clauses(text: &str) -> Vec<&str> {
    let (mut out, mut from) = (Vec::new(), 0);
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let ends = c == '\n' || ".!?;,:".contains(c) && rest.peek().is_none_or(|(_, next)| next.is_whitespace());
        if ends {
            let until = at + c.len_utf8();
            out.extend(text.get(from..until));
            from = until;
        }
    }
    out.extend(text.get(from..).filter(|left| !left.is_empty()));
    out
}

fn clause_asking(clause: &str) -> &str {
    let inside = |c: char| c.is_alphanumeric() || "-@._'\u{2019}".contains(c);
    let fits_any = |word: &str, list: &[&str]| {
        let word = word.to_lowercase().replace('\u{2019}', "'");
        list.iter().any(|pattern| fits(&word, pattern)) || list == NOT && word.ends_with("n't")
    };
    let mut at = 0;
    let words = clause.split(|c| !inside(c)).map(|word| {
        let begins = at;
        at += word.len();
        // What parted them has its own length.
        at += clause.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (begins, word.trim_matches(|c: char| "-._'".contains(c)))
    });
    let mut words = words.filter(|(_, word)| !word.is_empty()).peekable();
    while let Some((begins, word)) = words.next() {
        if fits_any(word, NOT) && !words.peek().is_some_and(|(_, next)| fits_any(next, AFTER_ALL)) {
            return clause.get(..begins).unwrap_or_default();
        }
    }
    clause
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
    let kept = words.into_iter().enumerate().filter(|(at, word)| !is_thing(*at, word) && !to_oneself(*at, word));
    kept.map(|(_, word)| word).collect()
}

impl TaskIntent {
    /// Reads a task.
    #[must_use]
    pub fn of(task: &str) -> Self {
        let task = &asking(task);
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
            create: any(CREATE),
            change: any(CHANGE),
            cancel: any(CANCEL),
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
        if let Action::Tool(call) = action { self.covers_tool(call) } else { self.covers_kind(action.kind()) }
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
    fn handing_on_what_others_wrote_is_the_persons_word_and_covers_no_loss() {
        let asked = TaskIntent::of("Please do the actions specified in the email from Ana.");
        assert!(asked.covers_kind(mail::SEND) && !asked.covers_kind(mail::TRASH));
        assert!(!asked.covers_kind(tool::PAY) && !asked.covers_kind(tool::CHANGE));
        assert!(!TaskIntent::of("Perform the following tasks: 1. Read my mail.").delegated);
        assert!(!TaskIntent::of("Do I have mail with instructions?").covers_kind(mail::TRASH));
    }
}
