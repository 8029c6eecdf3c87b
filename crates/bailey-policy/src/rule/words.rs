//! Reading rules, and the words they are printed in. One table serves both.

use bailey_gate::Weekday;
use bailey_gate::event::Origin;
use bailey_gate::family::text::Address;
use bailey_gate::ground::plain;
use bailey_gate::ledger::MAX_COUNTED;
use bailey_gate::place::Place;

use super::tokens::Words;
use super::{BadRule, Condition, Period, Rule, Subject, Verdict};

/// Subjects: the words each is printed in first, then others that mean the same.
pub(crate) const SUBJECTS: [(Subject, &[&str]); 27] = [
    (Subject::Anything, &["anything", "everything"]),
    (Subject::Reading, &["reading", "looking"]),
    (Subject::Fetching, &["fetching", "browsing", "opening pages"]),
    (Subject::Doing, &["anything but reading", "everything but reading", "changing anything"]),
    (Subject::Outward, &["what reaches others", "anything that reaches others"]),
    (Subject::Mail, &["mail", "mails", "email", "emails", "sending mail", "e-mail"]),
    (Subject::MovingMail, &["moving mail"]),
    (Subject::TrashingMail, &["trashing mail", "deleting mail"]),
    (Subject::MarkingMail, &["marking mail", "labelling mail"]),
    (Subject::Unsubscribing, &["unsubscribing", "leaving mailing lists"]),
    (Subject::Calendar, &["calendar", "calendar entries", "the calendar"]),
    (Subject::NewEntries, &["new calendar entries", "creating calendar entries"]),
    (Subject::ChangedEntries, &["changing calendar entries"]),
    (Subject::CancelledEntries, &["cancelling calendar entries", "removing calendar entries"]),
    (Subject::NewThings, &["new things", "creating things"]),
    (Subject::Changes, &["changing or removing things"]),
    (Subject::Changing, &["changing things"]),
    (Subject::Removing, &["removing things", "deleting things"]),
    (Subject::Payments, &["payments", "payment", "paying", "spending", "money"]),
    (Subject::Notes, &["notes", "remembering"]),
    (Subject::Files, &["files", "writing files", "my files"]),
    (Subject::CreatingFiles, &["creating files", "new files"]),
    (Subject::ChangingFiles, &["changing files", "overwriting files"]),
    (Subject::MovingFiles, &["moving files", "renaming files"]),
    (Subject::DeletingFiles, &["deleting files", "removing files", "trashing files"]),
    (Subject::Commands, &["commands", "running commands"]),
    (Subject::Requests, &["requests", "web requests", "requests to sites"]),
];

/// Conditions without a value.
const CONDITIONS: [(Condition, &[&str]); 32] = [
    (
        Condition::Grounded(true),
        &[
            "to recipients I named or dealt with",
            "to receivers I named or dealt with",
            "to people I named or wrote to",
            "to people I named or know",
        ],
    ),
    (
        Condition::Grounded(false),
        &[
            "to recipients I neither named nor dealt with",
            "to receivers I neither named nor dealt with",
            "to strangers",
        ],
    ),
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
    (Condition::Attachments(true), &["with attachments"]),
    (Condition::Attachments(false), &["without attachments"]),
    (Condition::ForeignFiles(true), &["with files of others"]),
    (Condition::ForeignFiles(false), &["without files of others"]),
    (Condition::UnprovenSender(true), &["that answers an unproven sender"]),
    (Condition::UnprovenSender(false), &["that answers no unproven sender"]),
    (Condition::Named(true), &["that I named", "I named"]),
    (Condition::Named(false), &["that I did not name"]),
    (Condition::AfterReading(true), &["after reading what others wrote", "after reading"]),
    (Condition::AfterReading(false), &["before reading what others wrote", "before reading"]),
    (Condition::AfterSecrets(true), &["after seeing secrets"]),
    (Condition::AfterSecrets(false), &["before seeing secrets"]),
    (Condition::OffTask(true), &["outside the task", "beside the task"]),
    (Condition::OffTask(false), &["inside the task"]),
    (Condition::BegunBy(Origin::Person), &["begun by me", "that I asked for"]),
    (Condition::BegunBy(Origin::Schedule), &["begun by a schedule"]),
    (Condition::BegunBy(Origin::Trigger), &["begun by a trigger"]),
    (Condition::BegunBy(Origin::Agent), &["begun by another agent", "begun by an agent"]),
    (Condition::Attended(true), &["while I am there", "when I am there", "attended"]),
    (Condition::Attended(false), &["while I am away", "when I am away", "unattended"]),
];

/// Spans of time that budgets are about.
const PERIODS: [(Period, &[&str]); 3] = [
    (Period::Day, &["a day", "per day"]),
    (Period::Week, &["a week", "per week"]),
    (Period::Month, &["a month", "per month"]),
];

/// Spans of time that things are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rate {
    Day,
    Hour,
}

const RATES: [(Rate, &[&str]); 2] = [(Rate::Day, &["a day", "per day"]), (Rate::Hour, &["an hour", "per hour"])];

/// Days by the words for several.
const DAYS: [(&[Weekday], &[&str]); 2] = [
    (
        &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday],
        &["weekdays", "working days"],
    ),
    (&[Weekday::Saturday, Weekday::Sunday], &["weekends", "the weekend"]),
];

/// Longest text of rules, in bytes, and most conditions of one rule: more is no rule anybody reads.
const MAX_TEXT_BYTES: usize = 256 * 1024;
const MAX_CONDITIONS: usize = 56;
/// Longest method of a request.
const MAX_METHOD_CHARS: usize = 16;

/// When it is night: minutes since midnight.
const NIGHT: (u16, u16) = (22 * 60, 7 * 60);
/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Conditions with a value: the words before it.
const WITH_VALUE: [&str; 13] = [
    "up to",
    "at most",
    "over",
    "more than",
    "with the tool",
    "with the method",
    "through",
    "in the schedule",
    "in",
    "between",
    "at night",
    "not at night",
    "on",
];

const VERDICTS: [(Verdict, &[&str]); 3] = [
    (Verdict::GoAhead, &["go ahead", "yes", "allow", "always go ahead", "fine"]),
    (Verdict::Ask, &["ask", "ask first", "always ask", "ask me"]),
    (Verdict::Never, &["never", "no", "deny", "forbid"]),
];

pub(super) fn subject(subject: Subject) -> &'static str {
    first(&SUBJECTS, &subject)
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    first(&VERDICTS, &verdict)
}

pub(super) fn condition(condition: &Condition, subject: Subject) -> String {
    if let Some((_, words)) = CONDITIONS.iter().find(|(one, _)| one == condition) {
        return words.first().copied().unwrap_or_default().to_owned();
    }
    let sum = |hundredths: &u64| match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part:02}"),
    };
    // Of payments, a number is a sum; of all else it has to be said.
    let spending = if subject == Subject::Payments { "" } else { "spending " };
    match condition {
        Condition::Only(names) => {
            // An address is itself; all else stands in quotation marks, and so do addresses with signs that mean something here.
            let written = |name: &String| if Address::new(name).is_ok() { quoted(name) } else { format!("\"{name}\"") };
            format!("to {}", names.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        Condition::OnlyAt(names) => {
            format!("to {}", names.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", "))
        }
        Condition::AtMost(most) => format!("{spending}up to {}", sum(most)),
        Condition::MoreThan(most) => format!("{spending}over {}", sum(most)),
        Condition::ADay(count) => format!("more than {count} times a day"),
        Condition::AnHour(count) => format!("more than {count} times an hour"),
        Condition::UpToADay(count) => format!("up to {count} times a day"),
        Condition::UpToAnHour(count) => format!("up to {count} times an hour"),
        Condition::Tool(name) => format!("with the tool {}", quoted(name)),
        Condition::Group(name, _) => format!("to the group {}", quoted(name)),
        Condition::BudgetUpTo(most, period) => format!("{spending}up to {} {}", sum(most), first(&PERIODS, period)),
        Condition::BudgetOver(most, period) => format!("{spending}over {} {}", sum(most), first(&PERIODS, period)),
        Condition::In(folder) => format!("in {}", quoted(folder)),
        Condition::OnSite(site) => format!("on {site}"),
        Condition::Method(method) => format!("with the method {method}"),
        Condition::Through(account) => format!("through {}", quoted(account)),
        Condition::Schedule(name) => format!("in the schedule {}", quoted(name)),
        Condition::Between(from, until) => {
            let clock = |minutes: &u16| format!("{:02}.{:02}", minutes / 60, minutes % 60);
            format!("between {} and {}", clock(from), clock(until))
        }
        Condition::OnDays(days) => {
            let many = DAYS.iter().find(|(all, _)| *all == days.as_slice()).and_then(|(_, words)| words.first());
            many.map_or_else(
                || format!("on {}", days.iter().map(|day| day.name()).collect::<Vec<_>>().join(", ")),
                |many| format!("on {many}"),
            )
        }
        // Printed above; every one of these is in the table.
        Condition::Grounded(_)
        | Condition::FirstContact(_)
        | Condition::Outside(_)
        | Condition::OnlyMe(_)
        | Condition::Guests(_)
        | Condition::Links(_)
        | Condition::Attachments(_)
        | Condition::ForeignFiles(_)
        | Condition::UnprovenSender(_)
        | Condition::Named(_)
        | Condition::AfterReading(_)
        | Condition::AfterSecrets(_)
        | Condition::Attended(_)
        | Condition::BegunBy(_)
        | Condition::OffTask(_) => String::new(),
    }
}

/// Returns the words a value of a table is printed in.
fn first<T: PartialEq>(table: &[(T, &[&'static str])], value: &T) -> &'static str {
    table.iter().find(|(one, _)| one == value).and_then(|(_, words)| words.first()).copied().unwrap_or_default()
}

/// Returns a name as it is written: in quotation marks where it would not be one word.
fn quoted(name: &str) -> String {
    let plain = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || "\":;,#".contains(c));
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// Returns one of each condition, for tests that leave none out.
#[cfg(test)]
pub(crate) fn examples() -> Vec<Condition> {
    let mut all: Vec<Condition> = CONDITIONS.iter().map(|(condition, _)| condition.clone()).collect();
    all.extend([
        Condition::Only(vec!["ana@example.org".into(), "o'tom+x@example.org".into(), "de89 3704 0044".into()]),
        Condition::OnlyAt(vec!["example.org".into(), "sub.example.net".into()]),
        Condition::AtMost(5_000),
        Condition::MoreThan(12_345),
        Condition::ADay(20),
        Condition::AnHour(3),
        Condition::UpToADay(20),
        Condition::UpToAnHour(1),
        Condition::Tool("bank.pay".into()),
        Condition::Group("the board".into(), vec!["ana@example.org".into()]),
        Condition::BudgetUpTo(5_000, Period::Week),
        Condition::BudgetOver(10_050, Period::Month),
        Condition::In("Clients/New ones/".into()),
        Condition::OnSite("example.org".into()),
        Condition::OnSite("example.org/api/V1/".into()),
        Condition::Method("POST".into()),
        Condition::Through("me@example.org".into()),
        Condition::Schedule("weekly report".into()),
        Condition::Between(1_320, 420),
        Condition::Between(540, 1_020),
        Condition::OnDays(vec![Weekday::Saturday, Weekday::Sunday]),
        Condition::OnDays(vec![Weekday::Monday]),
    ]);
    all
}

fn listed<T>(table: &[(T, &[&str])]) -> String {
    table.iter().filter_map(|(_, words)| words.first()).map(|words| format!("`{words}`")).collect::<Vec<_>>().join(", ")
}

/// Reads rules.
pub fn parse(text: &str) -> Result<Vec<Rule>, BadRule> {
    if text.len() > MAX_TEXT_BYTES {
        let hint = format!("rules have at most {MAX_TEXT_BYTES} bytes");
        return Err(BadRule { at: 0, found: "a text that is too long".into(), hint });
    }
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
        let count = times(words)?;
        let subject = words.choose(&SUBJECTS).or(before);
        let subject = subject.ok_or_else(|| words.bad(format!("say of what: {}", listed(&SUBJECTS))))?;
        let _ = words.take("times");
        conditions.push(rate(words, count, false)?);
        subject
    } else {
        let subject = words.choose(&SUBJECTS).or(before);
        subject.ok_or_else(|| words.bad(format!("a rule begins with what it is about: {}", listed(&SUBJECTS))))?
    };
    while words.next() != ":" {
        if words.ends_clause() {
            return Err(words.bad(format!("`:` and what is to happen are missing: {}", listed(&VERDICTS))));
        }
        let begun = words.at;
        let condition = one_condition(words, subject)?;
        if conditions.len() >= MAX_CONDITIONS || !super::fits(subject, &condition) {
            words.at = begun;
            let name = self::subject(subject);
            return Err(words.bad(if conditions.len() >= MAX_CONDITIONS {
                format!("a rule has at most {MAX_CONDITIONS} conditions; make several of it")
            } else {
                format!("of `{name}` this is never so, or always; leave it out, or say it of what it can be so of")
            }));
        }
        conditions.push(condition);
    }
    words.at += 1;
    let verdict =
        words.choose(&VERDICTS).ok_or_else(|| words.bad(format!("say what is to happen: {}", listed(&VERDICTS))))?;
    let rule = Rule { subject, conditions, verdict };
    if rule.lacks_site() {
        return Err(words.bad("a rule that lets requests go names their site: `requests on example.org: go ahead`"));
    }
    Ok(rule)
}

fn one_condition(words: &mut Words<'_>, subject: Subject) -> Result<Condition, BadRule> {
    if let Some(condition) = words.choose(&CONDITIONS) {
        return Ok(condition);
    }
    if words.take("to") {
        return recipients(words);
    }
    let spending = words.take("spending");
    match WITH_VALUE.into_iter().find(|phrase| words.take(phrase)) {
        Some("up to" | "at most") => bound(words, subject, spending, true),
        Some("over") => bound(words, subject, spending, false),
        _ if spending => Err(words.bad("say how much: `spending up to 50 a week`, `spending over 50`")),
        Some("with the tool") => name(words, "name the tool as server.tool").map(Condition::Tool),
        Some("with the method") => {
            let hint = "name the method, such as POST";
            let bad = words.bad(hint);
            let method = name(words, hint)?.to_uppercase();
            if method.len() <= MAX_METHOD_CHARS && method.chars().all(|c| c.is_ascii_uppercase()) {
                Ok(Condition::Method(method))
            } else {
                Err(bad)
            }
        }
        Some("through") => {
            let account = name(words, "name the account, as `bailey connections` does")?;
            Ok(Condition::Through(account.to_lowercase()))
        }
        Some("in the schedule") => name(words, "name the schedule").map(Condition::Schedule),
        Some("in") => {
            let bad = words.bad("a folder is written with a stroke at its end, such as Clients/");
            let folder = name(words, "name the folder, such as Clients/")?;
            if Place::folder(&folder).is_some() { Ok(Condition::In(folder)) } else { Err(bad) }
        }
        Some("between") => {
            let from = clock(words)?;
            if !words.take("and") {
                return Err(words.bad("say until when: `and 07.00`"));
            }
            let until = clock(words)?;
            if from == until {
                return Err(words.bad("both times are the same; leave the condition out for the whole day"));
            }
            Ok(Condition::Between(from, until))
        }
        Some("at night") => Ok(Condition::Between(NIGHT.0, NIGHT.1)),
        Some("not at night") => Ok(Condition::Between(NIGHT.1, NIGHT.0)),
        Some("on") => days_or_site(words),
        Some(_) => {
            let begun = words.at;
            let count = times(words)?;
            if !words.take("times") && subject == Subject::Payments {
                words.at = begun;
                return Err(words.bad("say `over 50 a day` for a sum, or `more than 3 times a day` for how many"));
            }
            rate(words, count, false)
        }
        None => Err(words.bad(format!(
            "a condition is one of: {}, `to ADDRESS, @DOMAIN`, `to the group NAME`, `up to SUM`, `over SUM a week`, `more than NUMBER times a day`, `in FOLDER/`, `on SITE`, `on weekdays`, `between TIME and TIME`, `through ACCOUNT`, `in the schedule NAME`, `with the method METHOD`, `with the tool NAME`",
            listed(&CONDITIONS)
        ))),
    }
}

/// Tells how many times.
fn times(words: &mut Words<'_>) -> Result<u64, BadRule> {
    let bad = words.bad(format!("things are counted up to {MAX_COUNTED}"));
    let count = number(words)?;
    if count > MAX_COUNTED { Err(bad) } else { Ok(count) }
}

/// Tells how many within what: `up_to` so many, or more.
fn rate(words: &mut Words<'_>, count: u64, up_to: bool) -> Result<Condition, BadRule> {
    match (words.choose(&RATES), up_to) {
        (Some(Rate::Day), true) => Ok(Condition::UpToADay(count)),
        (Some(Rate::Hour), true) => Ok(Condition::UpToAnHour(count)),
        (Some(Rate::Day), false) => Ok(Condition::ADay(count)),
        (Some(Rate::Hour), false) => Ok(Condition::AnHour(count)),
        (None, _) => Err(words.bad("say within what: `a day` or `an hour`")),
    }
}

/// Returns a bound from above (`up_to`) or below: a sum where something is spent, a count of times where nothing is.
fn bound(words: &mut Words<'_>, subject: Subject, spending: bool, up_to: bool) -> Result<Condition, BadRule> {
    let money = spending || subject == Subject::Payments;
    let begun = words.at;
    if !spending && let Ok(count) = number(words) {
        let times = words.take("times");
        if times || !money && RATES.iter().any(|(_, all)| all.iter().any(|words_of| words.stands(words_of))) {
            if count > MAX_COUNTED {
                words.at = begun;
                return Err(words.bad(format!("things are counted up to {MAX_COUNTED}")));
            }
            return rate(words, count, up_to);
        }
        words.at = begun;
    }
    if !money {
        return Err(
            words.bad("a sum is said of payments, or as `spending up to 50`; a count as `up to 20 times a day`")
        );
    }
    let sum = sum(words)?;
    Ok(match (words.choose(&PERIODS), up_to) {
        (Some(period), true) => Condition::BudgetUpTo(sum, period),
        (Some(period), false) => Condition::BudgetOver(sum, period),
        (None, true) => Condition::AtMost(sum),
        (None, false) => Condition::MoreThan(sum),
    })
}

/// Returns one name, in quotation marks where it has blanks.
fn name(words: &mut Words<'_>, hint: &str) -> Result<String, BadRule> {
    let word = words.next();
    let bare = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).unwrap_or(word);
    if words.ends_clause() || matches!(word, ":" | ",") || bare.trim().is_empty() || bare.contains('"') {
        return Err(words.bad(hint));
    }
    words.at += 1;
    Ok(bare.to_owned())
}

/// Most words of a time of day: `half past five pm`.
const MAX_TIME_WORDS: usize = 4;

/// Returns a time of day as minutes since midnight: `22.00`, `7.30`, a whole hour, or words that leave no doubt, such as `9am`,
/// `half past five pm`, `noon`. (`:` ends the conditions.)
fn clock(words: &mut Words<'_>) -> Result<u16, BadRule> {
    let (hours, minutes) = words.next().split_once('.').unwrap_or((words.next(), "00"));
    if let (Ok(hours), Ok(minutes)) = (hours.parse::<u16>(), minutes.parse::<u16>()) {
        let at = hours.checked_mul(60).filter(|_| minutes < 60).and_then(|at| at.checked_add(minutes));
        let more = (1..MAX_TIME_WORDS).any(|count| time_in_words(words, count + 1).is_some());
        if let Some(at) = at.filter(|at| *at < DAY_MINUTES && !more) {
            words.at += 1;
            return Ok(at);
        }
    }
    let found = (1..=MAX_TIME_WORDS).rev().find_map(|count| Some((time_in_words(words, count)?, count)));
    let (at, count) = found.ok_or_else(|| words.bad("a time is written as 22.00, or as 10pm"))?;
    words.at += count;
    Ok(at)
}

/// Returns the next words, if they are a time of day.
fn time_in_words(words: &Words<'_>, count: usize) -> Option<u16> {
    let said: Vec<&str> = (0..count).map(|ahead| words.word(words.at + ahead)).collect();
    if said.iter().any(|word| matches!(*word, "" | ":" | ";" | "," | "and" | "on")) {
        return None;
    }
    bailey_dates::time_of_day(&said.join(" ")).filter(|at| *at < DAY_MINUTES)
}

/// Days of the week, or a site.
fn days_or_site(words: &mut Words<'_>) -> Result<Condition, BadRule> {
    if let Some(days) = words.choose(&DAYS) {
        return Ok(Condition::OnDays(days.to_vec()));
    }
    let day = |word: &str| Weekday::ALL.into_iter().find(|day| word.to_lowercase().trim_end_matches('s') == day.name());
    let mut days = Vec::new();
    while let Some(one) = day(words.next()) {
        days.push(one);
        words.at += 1;
        if !words.take(",") && !words.take("and") && !words.take("or") {
            break;
        }
    }
    if !days.is_empty() {
        let all = Weekday::ALL.into_iter().filter(|day| days.contains(day));
        return Ok(Condition::OnDays(all.collect()));
    }
    let bad = words.bad("behind `on` stands a day, `weekdays`, `weekends`, a site such as example.org, or a folder at one such as example.org/docs/");
    let site = name(words, "name a day or a site")?;
    // Capitals tell no hosts apart, and may tell paths apart.
    let site = match site.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_lowercase()),
        None => site.to_lowercase(),
    };
    if Place::site(&site).is_some() { Ok(Condition::OnSite(site)) } else { Err(bad) }
}

/// Addresses, or domains behind an `@`; not both in one rule.
fn recipients(words: &mut Words<'_>) -> Result<Condition, BadRule> {
    if words.take("the group") {
        // Who is in it is looked up where the groups are known.
        return Ok(Condition::Group(name(words, "name the group")?, Vec::new()));
    }
    let (mut names, mut domains) = (Vec::new(), Vec::new());
    loop {
        let word = words.next();
        let hint = "an address is written as name@domain, a domain as @domain, any other name in quotation marks";
        let bad = || words.bad(hint);
        if word.starts_with('"') {
            let name = name(words, hint)?;
            names.push(Address::read(&name).map_or_else(|_| plain(&name), |address| address.key()));
            if words.take(",") || words.take("and") || words.take("or") {
                continue;
            }
            break;
        }
        match word.strip_prefix('@') {
            Some(domain) => {
                let address = Address::read(&format!("x@{domain}")).map_err(|_| bad())?;
                domains.push(address.domain().to_owned());
            }
            None => names.push(Address::read(word).map_err(|_| bad())?.key()),
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

/// Returns a sum with at most two digits behind the point, in hundredths.
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
