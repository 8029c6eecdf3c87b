//! The grammar of *when* in words.
//!
//! ```text
//! when   := once | days times | steps [span]
//! days   := "every" [ordinal | number | "other"] (unit | weekday | "working day") | weekday (","|"and"|"to") weekday …
//!         | (ordinal | "last") (weekday | "day" | "working day") "of the month" | day "of the month" | day month
//! steps  := "every" [number] ("minutes" | "hours")
//! times  := "at" time {"and" time}
//! span   := "between" time "and" time
//! once   := a moment of bailey-dates
//! ```
//! Nothing is skipped that is not understood, and nothing is guessed: what could mean two things is refused, with what to write.

use bailey_dates::{Context, Language, time_of_day_in};
use jiff::{Timestamp, Zoned};

use crate::vocabulary::{Says, Unit, around, month, says, weekday};
use crate::{EXAMPLES, Form, SHORTEST_MINUTES, When};

/// Most words of it.
const MAX_WORDS: usize = 40;
/// Longest time of day, in words: `half past five in the evening`.
const MAX_TIME_WORDS: usize = 6;
/// Most times of one day.
const MAX_TIMES: usize = 96;
/// Most of a unit between two times.
const MAX_INTERVAL: u32 = 366;

/// Small letters without accents; two words that are one made one.
fn words(said: &str) -> Vec<String> {
    let mut plain = String::new();
    for c in said.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'â' | 'ä' | 'á' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'î' | 'ï' => plain.push('i'),
            'ô' | 'ö' => plain.push('o'),
            'û' | 'ü' | 'ù' => plain.push('u'),
            'ç' => plain.push('c'),
            'ß' => plain.push_str("ss"),
            '\u{2019}' => plain.push('\''),
            ',' => plain.push_str(" , "),
            // Of letters taken apart (NFD).
            '\u{300}'..='\u{36f}' => {}
            other => plain.push(other),
        }
    }
    let mut out: Vec<String> = Vec::new();
    for word in plain.split_whitespace() {
        let joined = match (out.last().map(String::as_str), word) {
            (Some("working" | "business"), "day") => Some("-day"),
            (Some("working" | "business"), "days") => Some("-days"),
            (Some("jour" | "jours"), "ouvre") => Some("-ouvre"),
            (Some("jour" | "jours"), "ouvres") => Some("-ouvres"),
            _ => None,
        };
        match (joined, out.last_mut()) {
            (Some(tail), Some(last)) => last.push_str(tail),
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// Reads words.
pub(crate) fn read(said: &str, now: &Zoned) -> Result<When, String> {
    let words = words(said);
    if words.len() > MAX_WORDS {
        return Err("that is longer than anything that says when".into());
    }
    let known = |language: &Language| words.iter().filter(|word| says(word, *language).is_some()).count();
    // The first of those that know most.
    let most = Language::ALL.iter().map(known).max().unwrap_or(0);
    let language = Language::ALL.into_iter().find(|language| known(language) == most).unwrap_or(Language::English);
    if repeats(&words, language) {
        Phrase::read(&words, language)?.meaning(now)
    } else {
        once(said, &words, language, now)
    }
}

/// Tells whether words say that it comes again and again.
fn repeats(words: &[String], language: Language) -> bool {
    let all: Vec<Says> = words.iter().filter_map(|word| says(word, language)).collect();
    let of_month =
        all.contains(&Says::Unit(Unit::Month)) && all.iter().any(|one| matches!(one, Says::Ordinal(_) | Says::Last));
    of_month
        || sur_deux(words).is_some()
        || all.iter().any(|one| {
            matches!(one, Says::Every | Says::Each(_) | Says::EachWeekday(_) | Says::Workdays(_) | Says::Weekend)
        })
        || all.windows(3).any(|three| matches!(three, [Says::Weekday(_), Says::To, Says::Weekday(_)]))
}

/// `un mardi sur deux`: every other.
fn sur_deux(words: &[String]) -> Option<usize> {
    words.windows(2).position(|two| matches!(two, [sur, deux] if sur == "sur" && deux == "deux"))
}

fn once(said: &str, words: &[String], language: Language, now: &Zoned) -> Result<When, String> {
    let habit = |two: &[String]| matches!(two, [le, day] if le == "le" && matches!(says(day, language), Some(Says::Weekday(_))));
    let dated = words.iter().any(|word| matches!(says(word, language), Some(Says::Month(_))));
    if language == Language::French && words.windows(2).any(habit) && !dated {
        return Err("is that every week, or once? Write `tous les mardis à 9h`, or the date".into());
    }
    match bailey_dates::read(said, &Context::new(now.clone())) {
        Ok(bailey_dates::When::Moment(at)) => {
            Ok(When { told: format!("once, on {}", bailey_dates::told(&at)), form: Form::Once(at.timestamp()) })
        }
        Ok(bailey_dates::When::Day(_) | bailey_dates::When::Days(..) | bailey_dates::When::Span(..)) => {
            Err("it says a day and no time; add one, such as `at 9.00`".into())
        }
        Ok(bailey_dates::When::Length(_)) => Err(format!("it says how long, not when; {EXAMPLES}")),
        Err(unclear) => Err(format!("{}; {EXAMPLES}", bailey_dates::asked_of_person(&unclear.to_string()))),
    }
}

/// Which of a month's days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pick {
    Weekday(u8),
    Workday,
    Day,
}

/// What words say.
#[derive(Debug, Default)]
struct Phrase {
    times: Vec<u16>,
    span: Option<(u16, u16)>,
    every: bool,
    interval: Option<u32>,
    unit: Option<Unit>,
    weekdays: Vec<u8>,
    workdays: bool,
    picks: Vec<(i8, Pick)>,
    days: Vec<u8>,
    months: Vec<u8>,
}

impl Phrase {
    fn read(words: &[String], language: Language) -> Result<Self, String> {
        let mut phrase = Self::default();
        let mut words = words.to_vec();
        if let Some(at) = sur_deux(&words) {
            words.drain(at..at + 2);
            (phrase.interval, phrase.every) = (Some(2), true);
        }
        let rest = phrase.take_times(&words, language)?;
        phrase.take_days(&rest, language)?;
        phrase.times.sort_unstable();
        phrase.times.dedup();
        phrase.weekdays.sort_unstable();
        phrase.weekdays.dedup();
        if phrase.weekdays == [0, 1, 2, 3, 4] && phrase.interval.is_none() {
            (phrase.weekdays, phrase.workdays) = (Vec::new(), true);
        }
        Ok(phrase)
    }

    /// Takes the times of day, and a span of them; gives the words that are left.
    fn take_times<'a>(&mut self, words: &'a [String], language: Language) -> Result<Vec<&'a str>, String> {
        let around = around(language);
        let (mut rest, mut at) = (Vec::new(), 0);
        while let Some(word) = words.get(at) {
            let behind = words.get(at + 1..).unwrap_or_default();
            if let Some((span, length)) = span(word, behind, language) {
                if self.span.replace(span).is_some() {
                    return Err("it says two spans of the day; say one".into());
                }
                at += 1 + length;
                continue;
            }
            let marked = around.at.contains(&word.as_str());
            let from = if marked { behind } else { words.get(at..).unwrap_or_default() };
            // Without its word, only what is written as a time is one.
            let is_time = marked || word.starts_with(|c: char| c.is_ascii_digit());
            match time(from, language, marked).filter(|_| is_time) {
                Some(Ok((minute, length))) => {
                    self.times.push(minute);
                    at += usize::from(marked) + length;
                    at += self.more_times(words.get(at..).unwrap_or_default(), language)?;
                }
                Some(Err(why)) => return Err(why),
                None => {
                    rest.push(word.as_str());
                    at += 1;
                }
            }
        }
        if self.times.len() > MAX_TIMES { Err(format!("it says more than {MAX_TIMES} times a day")) } else { Ok(rest) }
    }

    /// Takes further times behind one: `and 16.00`, `, 12.00 and 16.00`. Gives how many words they take.
    fn more_times(&mut self, words: &[String], language: Language) -> Result<usize, String> {
        let (and, mut at) = (around(language).and, 0);
        while words.get(at).is_some_and(|word| word == and || word == ",") {
            match time(words.get(at + 1..).unwrap_or_default(), language, true) {
                Some(Ok((minute, length))) => {
                    self.times.push(minute);
                    at += 1 + length;
                }
                Some(Err(why)) => return Err(why),
                None => break,
            }
        }
        Ok(at)
    }

    fn take_days(&mut self, words: &[&str], language: Language) -> Result<(), String> {
        let unknown =
            |word: &str| format!("`{}` is not understood there; {EXAMPLES}", word.chars().take(40).collect::<String>());
        // What a word says, the word, and whether a filler stands before it.
        let mut all = Vec::new();
        let mut after_filler = false;
        for word in words.iter().filter(|word| **word != ",") {
            if *word == "ouvrables" || *word == "ouvrable" {
                return Err("`ouvrables` may mean Saturday, too; write `jours ouvrés`, or `du lundi au samedi`".into());
            }
            match says(word, language).ok_or_else(|| unknown(word))? {
                Says::Filler => after_filler = true,
                other => {
                    all.push((other, *word, after_filler));
                    after_filler = false;
                }
            }
        }
        let of_month =
            |at: usize| all.get(at..).is_some_and(|rest| rest.iter().any(|(one, ..)| *one == Says::Unit(Unit::Month)));
        let says_at = |at: usize| all.get(at).map(|(one, ..)| *one);
        let mut at = 0;
        while let Some((one, word, _)) = all.get(at).copied() {
            let before = at.checked_sub(1).and_then(says_at);
            at += 1;
            match one {
                Says::Every => self.every = true,
                Says::Other if before == Some(Says::Every) => self.count(2)?,
                Says::Each(unit) => {
                    self.every = true;
                    self.count_in(unit)?;
                }
                Says::Unit(unit) => self.count_in(unit)?,
                Says::EachWeekday(day) => {
                    self.every = true;
                    self.weekdays.push(day);
                }
                Says::Weekday(day) => match (says_at(at), says_at(at + 1)) {
                    (Some(Says::To), Some(Says::Weekday(last) | Says::EachWeekday(last))) => {
                        self.every = true;
                        let days = (last + 7 - day) % 7;
                        self.weekdays.extend((0..=days).map(|n| (day + n) % 7));
                        at += 2;
                    }
                    _ => self.weekdays.push(day),
                },
                Says::Workdays(_) => self.workdays = true,
                Says::Weekend => self.weekdays.extend([5, 6]),
                Says::Month(month) => self.months.push(month),
                Says::Ordinal(_) | Says::Last => {
                    let nth = match one {
                        Says::Ordinal(n) => i8::try_from(n).map_err(|_| unknown(word))?,
                        _ => -1,
                    };
                    let pick = match says_at(at) {
                        Some(Says::Weekday(day)) => Some(Pick::Weekday(day)),
                        Some(Says::Workdays(_)) => Some(Pick::Workday),
                        Some(Says::Unit(Unit::Day)) => Some(Pick::Day),
                        _ => None,
                    };
                    match pick {
                        Some(pick) if of_month(at + 1) => {
                            self.picks.push((nth, pick));
                            at += 1;
                        }
                        // `every second Tuesday`, `jeden zweiten Tag`.
                        _ if before == Some(Says::Every)
                            && nth > 1
                            && (pick.is_some() || matches!(all.get(at), Some((Says::Unit(_), _, false)))) =>
                        {
                            self.count(u32::from(nth.unsigned_abs()))?;
                        }
                        None if nth > 0 => self.days.push(nth.unsigned_abs()),
                        _ => return Err(unknown(word)),
                    }
                }
                Says::Number(n) => match says_at(at) {
                    Some(Says::Unit(_)) if self.every => self.count(n)?,
                    _ => self
                        .days
                        .push(u8::try_from(n).ok().filter(|n| (1..=31).contains(n)).ok_or_else(|| unknown(word))?),
                },
                Says::Other | Says::To | Says::Filler => return Err(unknown(word)),
            }
        }
        if self.days.iter().any(|day| !(1..=31).contains(day)) || self.picks.iter().any(|(nth, _)| *nth > 5) {
            return Err("no month has that day".into());
        }
        Ok(())
    }

    fn count(&mut self, n: u32) -> Result<(), String> {
        if n == 0 || n > MAX_INTERVAL || self.interval.replace(n).is_some() {
            return Err(format!("it says how often in a way that is not understood; {EXAMPLES}"));
        }
        Ok(())
    }

    /// Takes a unit; a month may be said twice: `monthly, on the first Monday of the month`.
    fn count_in(&mut self, unit: Unit) -> Result<(), String> {
        match self.unit.replace(unit) {
            Some(before) if before != unit => Err(format!("it says how often in two ways; {EXAMPLES}")),
            _ => Ok(()),
        }
    }

    fn meaning(self, now: &Zoned) -> Result<When, String> {
        if matches!(self.unit, Some(Unit::Minute | Unit::Hour)) {
            return self.steps(now);
        }
        if self.span.is_some() {
            return Err("a span of the day goes with hours or minutes: `every 2 hours between 8.00 and 18.00`".into());
        }
        if self.times.is_empty() {
            return Err("it says no time; add one, such as `at 9.00`".into());
        }
        let interval = self.interval.unwrap_or(1);
        let (rule, days) = self.days_rule(interval)?;
        let at = self.times.iter().map(|minute| clock(*minute)).collect::<Vec<_>>();
        let mut told = format!("{days} at {}", joined(&at));
        let by = self.by_times(&rule, interval)?;
        let text = format!("{rule}{by}");
        // Every one of them first: from which of them on the others count.
        let today = now.datetime().date().at(0, 0, 0, 0);
        let mut form = Form::repeat(&text.replace(&format!(";INTERVAL={interval}"), ""), today)?;
        if interval > 1 {
            let first = form.next(now.timestamp(), now.time_zone()).ok_or("that never comes")?;
            let first = first.to_zoned(now.time_zone().clone()).date();
            form = Form::repeat(&text, first.at(0, 0, 0, 0))?;
            told = format!("{told}, from {first}");
        }
        Ok(When { form, told })
    }

    /// Returns the rule without its times, and it in words.
    fn days_rule(&self, interval: u32) -> Result<(String, String), String> {
        let step = if interval > 1 { format!(";INTERVAL={interval}") } else { String::new() };
        let every =
            |unit: &str| if interval > 1 { format!("every {interval} {unit}s") } else { format!("every {unit}") };
        let none = |what: bool| if what { Err(format!("it says its days in two ways; {EXAMPLES}")) } else { Ok(()) };
        if !self.months.is_empty() {
            none(
                !self.weekdays.is_empty()
                    || self.workdays
                    || !self.picks.is_empty()
                    || !matches!(self.unit, None | Some(Unit::Year)),
            )?;
            let ([month_of], [day]) = (self.months.as_slice(), self.days.as_slice()) else {
                return Err("say one day and one month, such as `every year on 3 March at 10.00`".into());
            };
            return Ok((
                format!("FREQ=YEARLY{step};BYMONTH={month_of};BYMONTHDAY={day}"),
                format!("{} on {day} {}", every("year"), month(*month_of)),
            ));
        }
        if self.unit == Some(Unit::Year) {
            return Err("say on which day, such as `every year on 3 March at 10.00`".into());
        }
        if let [(nth, pick)] = self.picks.as_slice() {
            none(!self.weekdays.is_empty() || self.workdays || !self.days.is_empty())?;
            let nth_told = match nth {
                -1 => "last".to_owned(),
                1 => "first".to_owned(),
                2 => "second".to_owned(),
                3 => "third".to_owned(),
                n => format!("{n}th"),
            };
            let (by, what) = match pick {
                Pick::Weekday(day) => (format!(";BYDAY={nth}{}", code(*day)), weekday(*day)),
                Pick::Workday => (format!(";BYDAY=MO,TU,WE,TH,FR;BYSETPOS={nth}"), "working day"),
                Pick::Day => (format!(";BYMONTHDAY={nth}"), "day"),
            };
            return Ok((format!("FREQ=MONTHLY{step}{by}"), format!("the {nth_told} {what} of {}", every("month"))));
        }
        if !self.picks.is_empty() {
            return Err("it names several days of the month; make a schedule for each".into());
        }
        if !self.days.is_empty() {
            none(!self.weekdays.is_empty() || self.workdays || !matches!(self.unit, Some(Unit::Month)) && !self.every)?;
            if !matches!(self.unit, None | Some(Unit::Month)) {
                return Err(format!("it says its days in two ways; {EXAMPLES}"));
            }
            let days: Vec<String> = self.days.iter().map(u8::to_string).collect();
            return Ok((
                format!("FREQ=MONTHLY{step};BYMONTHDAY={}", days.join(",")),
                format!("{} on day {}", every("month"), joined(&days)),
            ));
        }
        if self.unit == Some(Unit::Month) {
            return Err("say on which day of the month, such as `on the 15th of every month at 9.00`".into());
        }
        if self.workdays {
            none(!self.weekdays.is_empty() || interval > 1)?;
            return Ok(("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR".into(), "every weekday (Monday to Friday)".into()));
        }
        if !self.weekdays.is_empty() {
            let codes: Vec<&str> = self.weekdays.iter().map(|day| code(*day)).collect();
            let names: Vec<String> = self.weekdays.iter().map(|day| weekday(*day).to_owned()).collect();
            return Ok(if interval > 1 {
                (
                    format!("FREQ=WEEKLY{step};BYDAY={}", codes.join(",")),
                    format!("every {interval} weeks on {}", joined(&names)),
                )
            } else {
                (format!("FREQ=DAILY;BYDAY={}", codes.join(",")), format!("every {}", joined(&names)))
            });
        }
        match self.unit {
            Some(Unit::Week) => Err("say on which day of the week, such as `every week on Tuesday at 9.00`".into()),
            Some(Unit::Day) => Ok((format!("FREQ=DAILY{step}"), every("day"))),
            _ => Err(format!("it does not say on which days; {EXAMPLES}")),
        }
    }

    /// Returns the part of a rule that says its times of day.
    fn by_times(&self, rule: &str, interval: u32) -> Result<String, String> {
        let mut hours: Vec<u16> = self.times.iter().map(|time| time / 60).collect();
        let mut minutes: Vec<u16> = self.times.iter().map(|time| time % 60).collect();
        hours.dedup();
        minutes.sort_unstable();
        minutes.dedup();
        let all: Vec<u16> =
            hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect();
        let list = |numbers: &[u16]| numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        let by = format!(";BYHOUR={};BYMINUTE={};BYSECOND=0", list(&hours), list(&minutes));
        if all == self.times {
            return Ok(by);
        }
        // Of all that hours and minutes come to on a day, those that were said.
        if !rule.starts_with("FREQ=DAILY") || interval > 1 {
            return Err("with times of different minutes, make a schedule for each".into());
        }
        let positions: Vec<u16> =
            (1_u16..).zip(&all).filter(|(_, time)| self.times.contains(time)).map(|(n, _)| n).collect();
        Ok(format!("{by};BYSETPOS={}", list(&positions)))
    }

    /// Every so many minutes or hours: of elapsed time; within a span of the day, on the clock.
    fn steps(mut self, now: &Zoned) -> Result<When, String> {
        let interval = self.interval.unwrap_or(1);
        let (minutes, unit) =
            if self.unit == Some(Unit::Hour) { (interval.saturating_mul(60), "hour") } else { (interval, "minute") };
        if i64::from(minutes) < SHORTEST_MINUTES {
            return Err(format!("a schedule is due every {SHORTEST_MINUTES} minutes at most"));
        }
        if !self.times.is_empty() || !self.picks.is_empty() || !self.days.is_empty() || !self.months.is_empty() {
            return Err(format!("hours and minutes go with a span of the day alone; {EXAMPLES}"));
        }
        let every = if interval > 1 { format!("every {interval} {unit}s") } else { format!("every {unit}") };
        let Some((from, until)) = self.span.take() else {
            if self.workdays || !self.weekdays.is_empty() {
                return Err(format!(
                    "say between which times on those days, such as `{every} between 8.00 and 18.00 on weekdays`"
                ));
            }
            let from = Timestamp::from_second(now.timestamp().as_second()).map_err(|error| error.to_string())?;
            return Ok(When {
                form: Form::Steps { minutes, from },
                told: format!("{every}, from {}", bailey_dates::told(now)),
            });
        };
        if until <= from {
            return Err("the span of the day ends before it begins; across midnight, make two schedules".into());
        }
        self.unit = Some(Unit::Day);
        self.interval = None;
        self.times = (from..=until).step_by(usize::try_from(minutes).unwrap_or(usize::MAX)).collect();
        let (rule, days) = self.days_rule(1)?;
        let by = self.by_times(&rule, 1)?;
        let form = Form::repeat(&format!("{rule}{by}"), now.datetime().date().at(0, 0, 0, 0))?;
        Ok(When { form, told: format!("{every} from {} to {}, {days}", clock(from), clock(until)) })
    }
}

/// A span of the day behind its first word; gives the words it takes behind that.
fn span(word: &str, behind: &[String], language: Language) -> Option<((u16, u16), usize)> {
    around(language).spans.iter().filter(|(first, _)| *first == word).find_map(|(_, second)| {
        let (from, before) = hour(behind, language)?;
        let to = behind.get(before..)?.iter().position(|word| word == second).filter(|at| *at == 0)?;
        let (until, after) = hour(behind.get(before + to + 1..)?, language)?;
        // `zwischen 8 und 18 Uhr`.
        Some(((from, until), before + to + 1 + after))
    })
}

/// A time of a span, where a number alone is an hour of twenty-four.
fn hour(words: &[String], language: Language) -> Option<(u16, usize)> {
    if let Some(Ok(found)) = time(words, language, true) {
        return Some(found);
    }
    let hour: u16 = words.first()?.parse().ok()?;
    (hour < 24).then_some((hour * 60, 1))
}

/// Reads a time of day that words begin with, as long as it goes; gives the minute of the day and how many words. `named`: the word before
/// says that it is one.
fn time(words: &[String], language: Language, named: bool) -> Option<Result<(u16, usize), String>> {
    // `2 hours` is none; `9 Uhr`, `7 pm` are.
    let halves = ["uhr", "am", "pm", "a.m.", "p.m.", "o'clock"];
    let follows = words.get(1).is_some_and(|word| halves.contains(&word.as_str()));
    let longest = words.len().min(if named { MAX_TIME_WORDS } else { 1 + usize::from(follows) });
    for length in (1..=longest).rev() {
        let phrase = words.get(..length)?.join(" ");
        let written = (length == 1).then(|| written(&phrase)).flatten();
        let is_bare = length == 1 && phrase.bytes().all(|byte| byte.is_ascii_digit());
        if is_bare && !named {
            return None;
        }
        // An ordinal is a day.
        if length == 1 && phrase.ends_with('.') {
            return None;
        }
        if let Some(minute) = written.or_else(|| time_of_day_in(&phrase, language)).or_else(|| {
            if is_bare && language != Language::English {
                phrase.parse::<u16>().ok().filter(|hour| *hour < 24).map(|hour| hour * 60)
            } else {
                None
            }
        }) {
            return Some(Ok((minute, length)));
        }
        if is_bare {
            return Some(Err(format!(
                "is `{phrase}` in the morning or in the evening? Write {phrase}.00 or {phrase}pm"
            )));
        }
    }
    None
}

/// `7.00`, `07:30`, `16h`, `16h30`: hours of twenty-four.
fn written(word: &str) -> Option<u16> {
    let (hour, minute) = word.split_once(['.', ':', 'h'])?;
    let minute = match minute {
        "" if word.ends_with('h') => 0,
        minute if minute.len() == 2 => minute.parse().ok()?,
        _ => return None,
    };
    let hour: u16 = hour.parse().ok().filter(|_| hour.len() <= 2)?;
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn code(day: u8) -> &'static str {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].get(usize::from(day)).unwrap_or(&"MO")
}

fn joined(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
