//! The corpus that screening is measured on (`tests/data`), made the same each time.

use std::ops::Range;

/// A form of a secret.
#[derive(Clone)]
pub struct Form {
    /// Language and kind.
    pub name: String,
    /// Tells whether nothing is tuned on it.
    pub held_out: bool,
    /// Tells whether it was written when the patterns were done.
    pub later: bool,
    /// The text as it is written.
    pub text: String,
    /// The parts of it that must not reach a model.
    pub secrets: Vec<Range<usize>>,
}

/// How many times a harmless line with slots is filled in.
const FILLS: u64 = 60;

/// Numbers that look like chance and are the same each time (Knuth's MMIX generator).
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
        for _ in 0..4 {
            chance.below(2);
        }
        chance
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const NAMES: &[&str] = &[
    "Anna",
    "Tom",
    "Joana",
    "Matteo",
    "Claire",
    "Jürgen",
    "Lucía",
    "Piet",
    "Dr. Weber",
    "Mrs Okafor",
    "Aoife",
    "Søren",
];
const CITIES: &[&str] =
    &["Lisbon", "Köln", "Paris", "Madrid", "Torino", "Porto", "Graz", "Lyon", "Sevilla", "Zürich", "Cork", "Málaga"];
const DAYS: &[&str] = &["Monday", "Tuesday", "Freitag", "mardi", "jueves", "sabato", "tomorrow", "Sunday"];
const MONTHS: &[&str] = &["January", "März", "avril", "mayo", "giugno", "November"];
const WORDS: &[&str] = &[
    "garden", "budget", "parser", "letter", "summer", "window", "figures", "table", "museum", "tickets", "lantern",
    "river", "balcony", "harvest",
];

fn letters(chance: &mut Chance, alphabet: &str, count: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..count).map(|_| alphabet[chance.below(alphabet.len())]).collect()
}

fn slot(chance: &mut Chance, name: &str) -> String {
    const DIGITS: &str = "0123456789";
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let all = format!("{DIGITS}{LOWER}{UPPER}");
    if let Some((kind, count)) = name.split_once(':') {
        let alphabet = match kind {
            "d" => DIGITS.to_owned(),
            "h" => format!("{DIGITS}abcdef"),
            "l" => LOWER.to_owned(),
            "u" => format!("{UPPER}234567"),
            "w" => format!("{all}_-"),
            "b" => format!("{all}+/"),
            _ => all,
        };
        return letters(chance, &alphabet, count.parse().unwrap());
    }
    let (year, month, day) = (2024 + chance.below(4), 1 + chance.below(12), 1 + chance.below(28));
    match name {
        "date" => match chance.below(5) {
            0 => format!("{year}-{month:02}-{day:02}"),
            1 => format!("{day:02}.{month:02}.{year}"),
            2 => format!("{day}/{month}/{year}"),
            3 => format!("{day} {} {year}", chance.of(MONTHS)),
            _ => format!("{day}.{month}."),
        },
        "time" => format!("{:02}:{:02}", chance.below(24), chance.below(60)),
        "price" => match chance.below(3) {
            0 => format!("{}.{:02}", 1 + chance.below(900), chance.below(100)),
            1 => format!("{},{:02}", 1 + chance.below(900), chance.below(100)),
            _ => format!("{}.{:03},{:02}", 1 + chance.below(20), chance.below(1000), chance.below(100)),
        },
        "name" => chance.of(NAMES).to_owned(),
        "city" => chance.of(CITIES).to_owned(),
        "day" => chance.of(DAYS).to_owned(),
        "month" => chance.of(MONTHS).to_owned(),
        "word" => chance.of(WORDS).to_owned(),
        other => panic!("`{other}` is no slot"),
    }
}

const SLOTS: [&str; 8] = ["date", "time", "price", "name", "city", "day", "month", "word"];

/// Fills in the slots; braces around anything else stay.
fn filled(text: &str, seed: u64) -> String {
    let (mut out, mut rest, mut chance) = (String::new(), text, Chance::new(seed));
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let is_slot = |name: &&str| {
            SLOTS.contains(name)
                || name.split_once(':').is_some_and(|(kind, count)| kind.len() == 1 && count.parse::<u8>().is_ok())
        };
        match behind.split_once('}').filter(|(name, _)| is_slot(name)) {
            Some((name, behind)) => {
                out.push_str(&slot(&mut chance, name));
                rest = behind;
            }
            None => {
                out.push('{');
                rest = behind;
            }
        }
    }
    out + rest
}

/// All forms of secrets: those that were there before the patterns, and those that were written when they were done. Of each
/// three the last is held out: nothing is tuned on it.
pub fn forms() -> Vec<Form> {
    [read(include_str!("../data/secrets.txt"), false), read(include_str!("../data/later.txt"), true)].concat()
}

fn read(data: &str, later: bool) -> Vec<Form> {
    let records = data.split("\n= ").skip(1).enumerate();
    let form = |(number, record): (usize, &str)| {
        let (name, marked) = record.split_once('\n').unwrap();
        let marked = filled(marked.trim_end_matches('\n'), number as u64);
        let (mut text, mut secrets) = (String::new(), Vec::new());
        for (at, piece) in marked.split(['\u{27e6}', '\u{27e7}']).enumerate() {
            if at % 2 == 1 {
                secrets.push(text.len()..text.len() + piece.len());
            }
            text.push_str(piece);
        }
        assert!(!secrets.is_empty(), "{name}: {text}");
        Form { name: name.to_owned(), held_out: number % 3 == 2, later, text, secrets }
    };
    records.map(form).collect()
}

/// All harmless lines.
pub fn harmless() -> Vec<String> {
    let lines = include_str!("../data/harmless.txt").lines().filter(|line| !line.starts_with("# ") && !line.is_empty());
    let mut out = Vec::new();
    for (number, line) in lines.enumerate() {
        let fills = if filled(line, 0) == line { 1 } else { FILLS };
        out.extend((0..fills).map(|fill| filled(line, number as u64 * FILLS + fill)));
    }
    out
}
