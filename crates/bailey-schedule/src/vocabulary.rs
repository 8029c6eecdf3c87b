//! Words that say how often, in English, German and French, in small letters without accents.

use bailey_dates::Language;

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Every,
    /// Every other.
    Other,
    Unit(Unit),
    /// `daily`, `wöchentlich`: every one of it.
    Each(Unit),
    /// From Monday (0).
    Weekday(u8),
    /// `mondays`, `montags`.
    EachWeekday(u8),
    /// Monday to Friday; the flag tells that no "every" is needed.
    Workdays(bool),
    Weekend,
    Month(u8),
    Number(u32),
    /// `second`, `15.`, `1er`.
    Ordinal(u32),
    Last,
    /// Between two weekdays.
    To,
    Filler,
}

type Row = (&'static [&'static str], Says);

const WEEKDAYS: [[&[&str]; 3]; 7] = [
    [&["monday", "mon"], &["montag", "mo"], &["lundi"]],
    [&["tuesday", "tue"], &["dienstag", "di"], &["mardi"]],
    [&["wednesday", "wed"], &["mittwoch", "mi"], &["mercredi"]],
    [&["thursday", "thu"], &["donnerstag", "do"], &["jeudi"]],
    [&["friday", "fri"], &["freitag", "fr"], &["vendredi"]],
    [&["saturday", "sat"], &["samstag", "sonnabend", "sa"], &["samedi"]],
    [&["sunday", "sun"], &["sonntag", "so"], &["dimanche"]],
];

const MONTHS: [[&[&str]; 3]; 12] = [
    [&["january", "jan"], &["januar", "janner"], &["janvier"]],
    [&["february", "feb"], &["februar"], &["fevrier"]],
    [&["march", "mar"], &["marz"], &["mars"]],
    [&["april", "apr"], &["april"], &["avril"]],
    [&["may"], &["mai"], &["mai"]],
    [&["june", "jun"], &["juni"], &["juin"]],
    [&["july", "jul"], &["juli"], &["juillet"]],
    [&["august", "aug"], &["august"], &["aout"]],
    [&["september", "sep", "sept"], &["september"], &["septembre"]],
    [&["october", "oct"], &["oktober"], &["octobre"]],
    [&["november", "nov"], &["november"], &["novembre"]],
    [&["december", "dec"], &["dezember"], &["decembre"]],
];

const ENGLISH: &[Row] = &[
    (&["every", "each"], Says::Every),
    (&["other"], Says::Other),
    (&["minute", "minutes", "min", "mins"], Says::Unit(Unit::Minute)),
    (&["hour", "hours"], Says::Unit(Unit::Hour)),
    (&["day", "days", "morning", "evening", "night", "afternoon"], Says::Unit(Unit::Day)),
    (&["week", "weeks"], Says::Unit(Unit::Week)),
    (&["month", "months"], Says::Unit(Unit::Month)),
    (&["year", "years"], Says::Unit(Unit::Year)),
    (&["hourly"], Says::Each(Unit::Hour)),
    (&["daily"], Says::Each(Unit::Day)),
    (&["weekly"], Says::Each(Unit::Week)),
    (&["monthly"], Says::Each(Unit::Month)),
    (&["yearly", "annually"], Says::Each(Unit::Year)),
    (&["weekday", "workday", "working-day", "business-day"], Says::Workdays(false)),
    (&["weekdays", "workdays", "working-days", "business-days"], Says::Workdays(true)),
    (&["weekend", "weekends"], Says::Weekend),
    (&["first"], Says::Ordinal(1)),
    (&["second"], Says::Ordinal(2)),
    (&["third"], Says::Ordinal(3)),
    (&["fourth"], Says::Ordinal(4)),
    (&["fifth"], Says::Ordinal(5)),
    (&["last"], Says::Last),
    (&["one"], Says::Number(1)),
    (&["two"], Says::Number(2)),
    (&["three"], Says::Number(3)),
    (&["four"], Says::Number(4)),
    (&["five"], Says::Number(5)),
    (&["six"], Says::Number(6)),
    (&["ten"], Says::Number(10)),
    (&["twelve"], Says::Number(12)),
    (&["to", "through"], Says::To),
    (&["on", "at", "of", "the", "and", "in"], Says::Filler),
];

const GERMAN: &[Row] = &[
    (&["jeden", "jede", "jedes", "jeder", "alle", "aller"], Says::Every),
    (&["minute", "minuten", "min"], Says::Unit(Unit::Minute)),
    (&["stunde", "stunden"], Says::Unit(Unit::Hour)),
    (&["tag", "tage", "tagen", "tages", "morgen", "abend", "vormittag", "nachmittag"], Says::Unit(Unit::Day)),
    (&["woche", "wochen"], Says::Unit(Unit::Week)),
    (&["monat", "monate", "monaten", "monats"], Says::Unit(Unit::Month)),
    (&["jahr", "jahre", "jahren", "jahres"], Says::Unit(Unit::Year)),
    (&["stundlich"], Says::Each(Unit::Hour)),
    (&["taglich"], Says::Each(Unit::Day)),
    (&["wochentlich"], Says::Each(Unit::Week)),
    (&["monatlich"], Says::Each(Unit::Month)),
    (&["jahrlich"], Says::Each(Unit::Year)),
    (
        &["werktag", "werktage", "werktagen", "arbeitstag", "arbeitstage", "arbeitstagen", "wochentag"],
        Says::Workdays(false),
    ),
    (&["werktags", "wochentags"], Says::Workdays(true)),
    (&["wochenende", "wochenenden"], Says::Weekend),
    (&["ersten", "erste", "erster", "erstes"], Says::Ordinal(1)),
    (&["zweiten", "zweite", "zweiter", "zweites"], Says::Ordinal(2)),
    (&["dritten", "dritte", "dritter", "drittes"], Says::Ordinal(3)),
    (&["vierten", "vierte", "vierter", "viertes"], Says::Ordinal(4)),
    (&["funften", "funfte"], Says::Ordinal(5)),
    (&["letzten", "letzte", "letzter", "letztes"], Says::Last),
    (&["zwei"], Says::Number(2)),
    (&["drei"], Says::Number(3)),
    (&["vier"], Says::Number(4)),
    (&["funf"], Says::Number(5)),
    (&["sechs"], Says::Number(6)),
    (&["zehn"], Says::Number(10)),
    (&["zwolf"], Says::Number(12)),
    (&["bis"], Says::To),
    (&["am", "um", "an", "im", "der", "die", "das", "des", "den", "dem", "und", "von", "in"], Says::Filler),
];

const FRENCH: &[Row] = &[
    (&["tous", "toutes", "chaque", "tout"], Says::Every),
    (&["minute", "minutes", "min"], Says::Unit(Unit::Minute)),
    (&["heure", "heures"], Says::Unit(Unit::Hour)),
    (&["jour", "jours", "matin", "matins", "soir", "soirs"], Says::Unit(Unit::Day)),
    (&["semaine", "semaines"], Says::Unit(Unit::Week)),
    (&["mois"], Says::Unit(Unit::Month)),
    (&["an", "ans", "annee", "annees"], Says::Unit(Unit::Year)),
    (&["quotidiennement"], Says::Each(Unit::Day)),
    (&["hebdomadairement"], Says::Each(Unit::Week)),
    (&["mensuellement"], Says::Each(Unit::Month)),
    (&["jour-ouvre"], Says::Workdays(false)),
    (&["jours-ouvres"], Says::Workdays(false)),
    (&["week-end", "week-ends"], Says::Weekend),
    (&["premier", "premiere"], Says::Ordinal(1)),
    (&["deuxieme", "second", "seconde"], Says::Ordinal(2)),
    (&["troisieme"], Says::Ordinal(3)),
    (&["quatrieme"], Says::Ordinal(4)),
    (&["cinquieme"], Says::Ordinal(5)),
    (&["dernier", "derniere"], Says::Last),
    (&["deux"], Says::Number(2)),
    (&["trois"], Says::Number(3)),
    (&["quatre"], Says::Number(4)),
    (&["cinq"], Says::Number(5)),
    (&["six"], Says::Number(6)),
    (&["dix"], Says::Number(10)),
    (&["douze"], Says::Number(12)),
    (&["au"], Says::To),
    (&["le", "la", "les", "a", "du", "de", "des", "et", "en", "un", "une"], Says::Filler),
];

/// Words around a time of day: those before it, and those between the two ends of a span.
pub(crate) struct Around {
    pub(crate) at: &'static [&'static str],
    pub(crate) spans: &'static [(&'static str, &'static str)],
    pub(crate) and: &'static str,
}

pub(crate) const fn around(language: Language) -> Around {
    match language {
        Language::English => {
            Around { at: &["at", "@"], spans: &[("between", "and"), ("from", "to"), ("from", "until")], and: "and" }
        }
        Language::German => Around { at: &["um", "gegen"], spans: &[("zwischen", "und"), ("von", "bis")], and: "und" },
        Language::French => {
            Around { at: &["a", "vers"], spans: &[("entre", "et"), ("de", "a"), ("de", "jusqu'a")], and: "et" }
        }
    }
}

const fn place(language: Language) -> usize {
    match language {
        Language::English => 0,
        Language::German => 1,
        Language::French => 2,
    }
}

fn named(word: &str, names: &[[&[&str]; 3]], language: Language) -> Option<u8> {
    let at = names.iter().position(|one| one.get(place(language)).is_some_and(|all| all.contains(&word)))?;
    u8::try_from(at).ok()
}

/// Returns what a word says in a language; nothing where it is none of ours.
pub(crate) fn says(word: &str, language: Language) -> Option<Says> {
    let rows = match language {
        Language::English => ENGLISH,
        Language::German => GERMAN,
        Language::French => FRENCH,
    };
    if let Some((_, says)) = rows.iter().find(|(words, _)| words.contains(&word)) {
        return Some(*says);
    }
    if let Some(day) = named(word, &WEEKDAYS, language) {
        return Some(Says::Weekday(day));
    }
    if let Some(day) = word.strip_suffix('s').and_then(|word| named(word, &WEEKDAYS, language)) {
        return Some(if language == Language::French { Says::Weekday(day) } else { Says::EachWeekday(day) });
    }
    if let Some(month) = named(word, &MONTHS, language) {
        return Some(Says::Month(month + 1));
    }
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| digits.len() <= 4)?;
    match word.get(digits.len()..)? {
        "" => Some(Says::Number(number)),
        "." | "st" | "nd" | "rd" | "th" | "er" | "e" | "eme" => Some(Says::Ordinal(number)),
        _ => None,
    }
}

/// Returns the name of a weekday in English.
pub(crate) fn weekday(day: u8) -> &'static str {
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"].get(usize::from(day)).unwrap_or(&"")
}

/// Returns the name of a month in English, from 1.
pub(crate) fn month(month: u8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES.get(usize::from(month).wrapping_sub(1)).unwrap_or(&"")
}
