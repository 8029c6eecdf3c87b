//! Reading rules, and the words they are printed in. One table serves both.

use bailey_gate::family::text::Address;

use super::{BadRule, Condition, Rule, Subject, Verdict};

/// Subjects: the words each is printed in first, then others that mean the same.
pub(crate) const SUBJECTS: [(Subject, &[&str]); 15] = [
    (Subject::Anything, &["anything", "everything"]),
    (Subject::Reading, &["reading", "looking"]),
    (Subject::Fetching, &["fetching", "browsing", "opening pages"]),
    (Subject::Outward, &["what reaches others", "anything that reaches others"]),
    (Subject::Mail, &["mail", "mails", "email", "emails", "sending mail", "e-mail"]),
    (Subject::MovingMail, &["moving mail"]),
    (Subject::TrashingMail, &["trashing mail", "deleting mail"]),
    (Subject::Calendar, &["calendar", "calendar entries", "the calendar"]),
    (Subject::NewEntries, &["new calendar entries", "creating calendar entries"]),
    (Subject::ChangedEntries, &["changing calendar entries"]),
    (Subject::CancelledEntries, &["cancelling calendar entries", "removing calendar entries"]),
    (Subject::NewThings, &["new things", "creating files", "new files"]),
    (Subject::Changes, &["changing or removing things", "changing things", "deleting things", "deleting files"]),
    (Subject::Payments, &["payments", "payment", "paying", "spending", "money"]),
    (Subject::Notes, &["notes", "remembering"]),
];

/// Conditions without a value.
const CONDITIONS: [(Condition, &[&str]); 20] = [
    (
        Condition::Grounded(true),
        &["to receivers I named or dealt with", "to people I named or wrote to", "to people I named or know"],
    ),
    (Condition::Grounded(false), &["to receivers I neither named nor dealt with", "to strangers"]),
    (Condition::FirstContact(true), &["to a first contact", "first contact", "to first contacts", "to new people"]),
    (Condition::FirstContact(false), &["to no first contact", "to people I wrote to before"]),
    (
        Condition::Outside(false),
        &["inside my organisation", "inside", "within my organisation", "inside my organization"],
    ),
    (
        Condition::Outside(true),
        &["outside my organisation", "outside", "outside of my organisation", "outside my organization"],
    ),
    (Condition::OnlyMe(true), &["to myself", "to me", "to my own address"]),
    (Condition::OnlyMe(false), &["to others"]),
    (Condition::Guests(true), &["with guests"]),
    (Condition::Guests(false), &["without guests", "with no guests"]),
    (Condition::Links(true), &["with links I did not write", "with links"]),
    (Condition::Links(false), &["without links I did not write", "without links"]),
    (Condition::Named(true), &["that I named", "I named"]),
    (Condition::Named(false), &["that I did not name"]),
    (Condition::AfterReading(true), &["after reading what others wrote", "after reading"]),
    (Condition::AfterReading(false), &["before reading what others wrote", "before reading"]),
    (Condition::AfterSecrets(true), &["after seeing secrets"]),
    (Condition::AfterSecrets(false), &["before seeing secrets"]),
    (Condition::BesideTask(true), &["beside the task", "outside the task"]),
    (Condition::BesideTask(false), &["inside the task"]),
];

/// Conditions with a value: the words before it.
const WITH_VALUE: [&str; 5] = ["up to", "at most", "over", "more than", "with the tool"];

const VERDICTS: [(Verdict, &[&str]); 3] = [
    (Verdict::GoAhead, &["go ahead", "yes", "allow", "always go ahead", "fine"]),
    (Verdict::Ask, &["ask", "ask first", "always ask", "ask me"]),
    (Verdict::Never, &["never", "no", "deny", "forbid"]),
];

pub(super) fn subject(subject: Subject) -> &'static str {
    SUBJECTS.iter().find(|(one, _)| *one == subject).and_then(|(_, words)| words.first()).copied().unwrap_or_default()
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    VERDICTS.iter().find(|(one, _)| *one == verdict).and_then(|(_, words)| words.first()).copied().unwrap_or_default()
}

pub(super) fn condition(condition: &Condition) -> String {
    if let Some((_, words)) = CONDITIONS.iter().find(|(one, _)| one == condition) {
        return words.first().copied().unwrap_or_default().to_owned();
    }
    let sum = |hundredths: &u64| match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part:02}"),
    };
    match condition {
        Condition::Only(names) => format!("to {}", names.join(", ")),
        Condition::OnlyAt(names) => {
            format!("to {}", names.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", "))
        }
        Condition::AtMost(most) => format!("up to {}", sum(most)),
        Condition::MoreThan(most) => format!("over {}", sum(most)),
        Condition::ADay(count) => format!("more than {count} a day"),
        Condition::AnHour(count) => format!("more than {count} an hour"),
        Condition::Tool(name) => format!("with the tool {name}"),
        // Printed above; every one of these is in the table.
        Condition::Grounded(_)
        | Condition::FirstContact(_)
        | Condition::Outside(_)
        | Condition::OnlyMe(_)
        | Condition::Guests(_)
        | Condition::Links(_)
        | Condition::Named(_)
        | Condition::AfterReading(_)
        | Condition::AfterSecrets(_)
        | Condition::BesideTask(_) => String::new(),
    }
}

/// One of each condition, for tests that leave none out.
#[cfg(test)]
pub(crate) fn examples() -> Vec<Condition> {
    let mut all: Vec<Condition> = CONDITIONS.iter().map(|(condition, _)| condition.clone()).collect();
    all.extend([
        Condition::Only(vec!["ana@example.org".into(), "o'tom+x@example.org".into()]),
        Condition::OnlyAt(vec!["example.org".into(), "sub.example.net".into()]),
        Condition::AtMost(5_000),
        Condition::MoreThan(12_345),
        Condition::ADay(20),
        Condition::AnHour(3),
        Condition::Tool("bank.pay".into()),
    ]);
    all
}

/// Words of a text and where each begins.
struct Words<'a> {
    text: &'a str,
    /// Beginning and end of each word, in bytes.
    places: Vec<(usize, usize)>,
    at: usize,
}

impl<'a> Words<'a> {
    /// Blanks part words; `:`, `;`, `,` and line ends are words of their own; `#` begins a remark.
    fn new(text: &'a str) -> Self {
        let (mut places, mut begun, mut remark) = (Vec::new(), None, false);
        for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
            remark = (remark || c == '#') && c != '\n';
            let parts = remark || c.is_whitespace() || ":;,".contains(c);
            if parts && let Some(from) = begun.take() {
                places.push((from, at));
            }
            if !parts {
                begun.get_or_insert(at);
            } else if !remark && (":;,".contains(c) || c == '\n' && at < text.len()) {
                places.push((at, at + 1));
            }
        }
        Self { text, places, at: 0 }
    }

    fn word(&self, at: usize) -> &'a str {
        self.places.get(at).and_then(|(from, until)| self.text.get(*from..*until)).unwrap_or_default()
    }

    fn next(&self) -> &'a str {
        self.word(self.at)
    }

    fn ends_clause(&self) -> bool {
        self.at >= self.places.len() || matches!(self.next(), ";" | "\n")
    }

    fn bad(&self, hint: impl Into<String>) -> BadRule {
        let at = self.places.get(self.at).map_or(self.text.len(), |(from, _)| *from);
        let at = self.text.get(..at).unwrap_or_default().chars().count();
        BadRule { at, found: self.next().trim().to_owned(), hint: hint.into() }
    }

    /// Takes the words of a phrase, whatever their case.
    fn take(&mut self, phrase: &str) -> bool {
        let count = phrase.split(' ').count();
        let fits =
            phrase.split(' ').enumerate().all(|(n, word)| self.word(self.at + n).to_lowercase() == word.to_lowercase());
        if fits {
            self.at += count;
        }
        fits
    }

    /// Takes the longest phrase of a table that stands here.
    fn choose<T: Clone>(&mut self, table: &[(T, &[&str])]) -> Option<T> {
        let mut phrases: Vec<(&T, &str)> =
            table.iter().flat_map(|(value, words)| words.iter().map(move |words| (value, *words))).collect();
        phrases.sort_by_key(|(_, words)| std::cmp::Reverse(words.split(' ').count()));
        phrases.into_iter().find(|(_, words)| self.take(words)).map(|(value, _)| value.clone())
    }
}

fn listed<T>(table: &[(T, &[&str])]) -> String {
    table.iter().filter_map(|(_, words)| words.first()).map(|words| format!("`{words}`")).collect::<Vec<_>>().join(", ")
}

/// Reads rules.
pub fn parse(text: &str) -> Result<Vec<Rule>, BadRule> {
    let mut words = Words::new(text);
    let (mut rules, mut before) = (Vec::new(), None);
    while words.at < words.places.len() {
        if words.ends_clause() {
            words.at += 1;
            continue;
        }
        let rule = clause(&mut words, before)?;
        before = Some(rule.subject);
        rules.push(rule);
        if !words.ends_clause() {
            return Err(words.bad("a rule ends with `;` or a new line"));
        }
    }
    Ok(rules)
}

fn clause(words: &mut Words<'_>, before: Option<Subject>) -> Result<Rule, BadRule> {
    let mut conditions = Vec::new();
    // "More than 20 mails a day" says the number first.
    let counts =
        matches!(words.next().to_lowercase().as_str(), "more") && words.word(words.at + 1).eq_ignore_ascii_case("than");
    let subject = if counts {
        words.at += 2;
        let count = number(words)?;
        let subject = words.choose(&SUBJECTS).or(before);
        let subject = subject.ok_or_else(|| words.bad(format!("say of what: {}", listed(&SUBJECTS))))?;
        conditions.push(rate(words, count)?);
        subject
    } else {
        let subject = words.choose(&SUBJECTS).or(before);
        subject.ok_or_else(|| words.bad(format!("a rule begins with what it is about: {}", listed(&SUBJECTS))))?
    };
    while words.next() != ":" {
        if words.ends_clause() {
            return Err(words.bad(format!("`:` and what is to happen are missing: {}", listed(&VERDICTS))));
        }
        conditions.push(one_condition(words)?);
    }
    words.at += 1;
    let verdict =
        words.choose(&VERDICTS).ok_or_else(|| words.bad(format!("say what is to happen: {}", listed(&VERDICTS))))?;
    Ok(Rule { subject, conditions, verdict })
}

fn one_condition(words: &mut Words<'_>) -> Result<Condition, BadRule> {
    if let Some(condition) = words.choose(&CONDITIONS) {
        return Ok(condition);
    }
    if words.take("to") {
        return receivers(words);
    }
    match WITH_VALUE.into_iter().find(|phrase| words.take(phrase)) {
        Some("up to" | "at most") => Ok(Condition::AtMost(sum(words)?)),
        Some("over") => Ok(Condition::MoreThan(sum(words)?)),
        Some("with the tool") => {
            let name = words.next().to_owned();
            if words.ends_clause() || name == ":" {
                return Err(words.bad("name the tool as server.tool"));
            }
            words.at += 1;
            Ok(Condition::Tool(name))
        }
        Some(_) => {
            let count = number(words)?;
            rate(words, count)
        }
        None => Err(words.bad(format!(
            "a condition is one of: {}, `to ADDRESS, @DOMAIN`, `up to SUM`, `over SUM`, `more than NUMBER a day`, `with the tool NAME`",
            listed(&CONDITIONS)
        ))),
    }
}

fn rate(words: &mut Words<'_>, count: u64) -> Result<Condition, BadRule> {
    if words.take("a day") || words.take("per day") {
        return Ok(Condition::ADay(count));
    }
    if words.take("an hour") || words.take("per hour") {
        return Ok(Condition::AnHour(count));
    }
    Err(words.bad("say within what: `a day` or `an hour`"))
}

/// Addresses, or domains behind an `@`; not both in one rule.
fn receivers(words: &mut Words<'_>) -> Result<Condition, BadRule> {
    let (mut names, mut domains) = (Vec::new(), Vec::new());
    loop {
        let word = words.next();
        let bad = || words.bad("an address is written as name@domain, a domain as @domain");
        match word.strip_prefix('@') {
            Some(domain) => {
                let address = Address::new(&format!("x@{domain}")).map_err(|_| bad())?;
                domains.push(address.domain().to_owned());
            }
            None => names.push(Address::new(word).map_err(|_| bad())?.key()),
        }
        words.at += 1;
        if !words.take(",") && !words.take("and") && !words.take("or") {
            break;
        }
    }
    match (names.is_empty(), domains.is_empty()) {
        (false, true) => Ok(Condition::Only(names)),
        (true, _) => Ok(Condition::OnlyAt(domains)),
        (false, false) => Err(words.bad("name either addresses or domains in one rule; make two rules of it")),
    }
}

fn number(words: &mut Words<'_>) -> Result<u64, BadRule> {
    let number = words.next().parse().map_err(|_| words.bad("here a whole number is wanted"))?;
    words.at += 1;
    Ok(number)
}

/// A sum with at most two digits behind the point, in hundredths.
fn sum(words: &mut Words<'_>) -> Result<u64, BadRule> {
    let bad = || words.bad("here a number is wanted, such as 50 or 9.99");
    let (whole, part) = words.next().split_once('.').unwrap_or((words.next(), ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 2 {
        return Err(bad());
    }
    let part: u64 = format!("{part:0<2}").parse().map_err(|_| bad())?;
    let sum = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(100)?.checked_add(part));
    let sum = sum.filter(|sum| i64::try_from(*sum).is_ok()).ok_or_else(bad)?;
    words.at += 1;
    // Sums are of the account's own currency, whatever it is called.
    let _ =
        ["eur", "euro", "euros", "usd", "dollars", "chf", "€", "$"].into_iter().any(|currency| words.take(currency));
    Ok(sum)
}
