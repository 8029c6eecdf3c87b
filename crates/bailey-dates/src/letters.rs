//! Letters, numbers and signs: a phrase as lexemes. Capital letters, accents, typographic dashes, spaces and apostrophes,
//! and letters that cannot be seen make no difference.

use jiff::civil::Date;

/// How a time of day was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `15:30`, `05:30`, with or without seconds.
    Colon,
    /// `15h30`.
    H,
    /// `9am`, `9:30am`.
    Am,
    /// `9pm`.
    Pm,
}

/// What stands between the parts of a number pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Dot,
    Slash,
    Hyphen,
    Comma,
}

/// One lexeme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    /// A number in digits (`digits` of them), or in words (0).
    Number {
        value: u32,
        digits: u8,
        ordinal: bool,
    },
    /// `2026-12-05`; none where there is no such day.
    Iso(Option<Date>),
    /// `2026-W50`, `2026-W50-3`.
    IsoWeek {
        year: i16,
        week: u8,
        day: Option<u8>,
    },
    /// `5.12.`, `05/12/2026`, `1,5`.
    Pair {
        a: u32,
        b: u32,
        year: Option<(u32, u8)>,
        sign: Sign,
        closed: bool,
    },
    /// A time of day in digits; `padded` where the hour begins with a zero.
    Clock {
        hour: u32,
        minute: u32,
        second: u32,
        style: Style,
        padded: bool,
    },
    /// Minutes east of UTC.
    Offset(i32),
    Word(String),
    /// A dash; a hyphen between two words may be part of them.
    Dash {
        hyphen: bool,
    },
    Comma,
}

/// A lexeme with its place in the text, in bytes, and whether it follows what is before without a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) raw: Raw,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) joined: bool,
}

/// Folds letters: small, without accents, of one kind each.
fn folded(text: &str) -> Vec<(char, usize)> {
    let mut out = Vec::new();
    for (at, c) in text.char_indices() {
        let c = match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        };
        let plain = match c {
            // Cannot be seen, or belongs to the letter before it.
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{300}'..='\u{36f}' => "",
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' => "a",
            'ç' | 'Ç' => "c",
            'è' | 'é' | 'ê' | 'ë' | 'È' | 'É' | 'Ê' | 'Ë' | 'ᵉ' => "e",
            'ì' | 'í' | 'î' | 'ï' | 'Ì' | 'Í' | 'Î' | 'Ï' => "i",
            'ñ' | 'Ñ' | 'ⁿ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' => "o",
            'ù' | 'ú' | 'û' | 'ü' | 'Ù' | 'Ú' | 'Û' | 'Ü' => "u",
            'ß' | 'ẞ' => "ss",
            'œ' | 'Œ' => "oe",
            'ʳ' => "r",
            'ˢ' => "s",
            'ᵗ' => "t",
            'ʰ' => "h",
            'ᵈ' => "d",
            '\u{2010}' | '\u{2011}' => "-",
            '\u{2012}'..='\u{2015}' | '\u{2212}' => "–",
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{2bc}' | '´' | '`' => "'",
            '\u{2236}' => ":",
            other if other.is_whitespace() => " ",
            other => {
                out.extend(other.to_lowercase().map(|small| (small, at)));
                continue;
            }
        };
        out.extend(plain.chars().map(|c| (c, at)));
    }
    out
}

struct Reader<'a> {
    letters: &'a [(char, usize)],
    at: usize,
    end: usize,
    /// A `T` of ISO 8601 came last.
    after_t: bool,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).map(|(c, _)| *c)
    }

    fn place(&self) -> usize {
        self.letters.get(self.at).map_or(self.end, |(_, at)| *at)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let is = self.peek(0) == Some(wanted);
        self.at += usize::from(is);
        is
    }

    /// Reads up to `most` digits that are not followed by another.
    fn digits(&mut self, most: u8) -> Option<(u32, u8)> {
        let (mut value, mut count) = (0_u32, 0_u8);
        let begin = self.at;
        while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(10)) {
            if count == most {
                self.at = begin;
                return None;
            }
            value = value * 10 + digit;
            count += 1;
            self.at += 1;
        }
        (count > 0).then_some((value, count))
    }

    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let begin = self.at;
        let out = read(self);
        if out.is_none() {
            self.at = begin;
        }
        out
    }

    /// `am`, `pm`, `a.m.`, `p.m.`, and nothing but these.
    fn half_of_day(&mut self, dotted_only: bool) -> Option<Style> {
        self.attempt(|r| {
            let style = match r.peek(0)? {
                'a' => Style::Am,
                'p' => Style::Pm,
                _ => return None,
            };
            r.at += 1;
            let dotted = r.eat('.');
            if (dotted_only && !dotted) || !r.eat('m') || (!dotted && r.peek(0).is_some_and(char::is_alphabetic)) {
                return None;
            }
            let _dot = dotted && r.eat('.');
            Some(style)
        })
    }
}

/// Splits a phrase into lexemes; `None` where a number is too long to be any date's.
pub(crate) fn lexemes(text: &str) -> Option<Vec<Lexeme>> {
    let letters = folded(text);
    let mut r = Reader { letters: &letters, at: 0, end: text.len(), after_t: false };
    let mut out: Vec<Lexeme> = Vec::new();
    let mut joined = false;
    while let Some(c) = r.peek(0) {
        let from = r.place();
        let last = out.last().map(|lexeme| lexeme.raw.clone());
        let raw = match c {
            '0'..='9' => number(&mut r)?,
            '+' | '-' | '–' if offset_may_follow(last.as_ref(), c, joined, r.after_t) => match offset(&mut r) {
                Some(minutes) => Raw::Offset(minutes),
                None => dash(&mut r),
            },
            '-' | '–' => dash(&mut r),
            ',' | ';' => {
                r.at += 1;
                Raw::Comma
            }
            '\'' | ' ' | '"' | '(' | ')' | '[' | ']' | '„' | '“' | '”' | '«' | '»' | '.' | '!' | '?' => {
                r.at += 1;
                joined = c == '\'';
                continue;
            }
            c if c.is_alphabetic() => word(&mut r, last.as_ref()),
            other => {
                r.at += 1;
                Raw::Word(other.to_string())
            }
        };
        r.after_t &= matches!(raw, Raw::Iso(_) | Raw::Clock { .. });
        out.push(Lexeme { raw, from, to: r.place(), joined });
        joined = true;
    }
    Some(out)
}

fn dash(r: &mut Reader<'_>) -> Raw {
    let hyphen = r.peek(0) == Some('-');
    r.at += 1;
    Raw::Dash { hyphen }
}

fn offset_may_follow(last: Option<&Raw>, sign: char, joined: bool, after_t: bool) -> bool {
    match last {
        Some(Raw::Word(word)) => joined && matches!(word.as_str(), "utc" | "gmt"),
        // `9:00-17:00` is a span; only behind the `T` of ISO 8601 is it a distance from UTC.
        // With a blank before it, it is that of a mail's date (RFC 5322, 3.3).
        Some(Raw::Clock { style: Style::Colon, .. }) => (joined && after_t) || sign == '+',
        _ => false,
    }
}

fn offset(r: &mut Reader<'_>) -> Option<i32> {
    r.attempt(|r| {
        let west = r.peek(0) != Some('+');
        r.at += 1;
        let (value, count) = r.digits(4)?;
        let (hours, minutes) = match count {
            1 | 2 if r.peek(0) == Some(':') && r.peek(1).is_some_and(|c| c.is_ascii_digit()) => {
                r.at += 1;
                (value, r.digits(2)?.0)
            }
            1 | 2 => (value, 0),
            _ => (value / 100, value % 100),
        };
        let minutes = i32::try_from(hours * 60 + minutes).ok().filter(|all| *all <= 14 * 60 && minutes < 60)?;
        Some(if west { -minutes } else { minutes })
    })
}

fn word(r: &mut Reader<'_>, last: Option<&Raw>) -> Raw {
    if matches!(last, Some(Raw::Number { .. } | Raw::Clock { .. } | Raw::Pair { .. }))
        && let Some(style) = r.half_of_day(true)
    {
        return Raw::Word(if style == Style::Am { "a.m." } else { "p.m." }.to_owned());
    }
    let mut word = String::new();
    while let Some(c) = r.peek(0).filter(|c| c.is_alphabetic()) {
        word.push(c);
        r.at += 1;
    }
    Raw::Word(word)
}

fn number(r: &mut Reader<'_>) -> Option<Raw> {
    let padded = r.peek(0) == Some('0');
    if let Some(raw) = r.attempt(iso) {
        return Some(raw);
    }
    let (value, digits) = r.digits(9)?;
    if digits <= 2 {
        if let Some(raw) = r.attempt(|r| clock(r, value, padded)) {
            return Some(raw);
        }
        if let Some(raw) = r.attempt(|r| pair(r, value)) {
            return Some(raw);
        }
    }
    if digits <= 2
        && let Some(style) = r.half_of_day(false)
    {
        return Some(Raw::Clock { hour: value, minute: 0, second: 0, style, padded });
    }
    let ordinal = ordinal_ending(r) || (digits <= 2 && r.peek(0) == Some('.'));
    if r.peek(0) == Some('.') {
        r.at += 1;
    }
    Some(Raw::Number { value, digits, ordinal })
}

/// `2026-12-05`, `2026/12/05`, `2026.12.05`, `2026-W50`.
fn iso(r: &mut Reader<'_>) -> Option<Raw> {
    let (year, 4) = r.digits(4)? else { return None };
    let year = i16::try_from(year).ok()?;
    let sign = r.peek(0).filter(|c| matches!(c, '-' | '/' | '.'))?;
    r.at += 1;
    if sign == '-' && r.eat('w') {
        let (week, 2) = r.digits(2)? else { return None };
        let day = r.attempt(|r| if r.eat('-') { r.digits(1).map(|(day, _)| day as u8) } else { None });
        return Some(Raw::IsoWeek { year, week: week as u8, day });
    }
    let (month, _) = r.digits(2)?;
    if !r.eat(sign) {
        return None;
    }
    let (day, _) = r.digits(2)?;
    // The `T` of ISO 8601.
    if r.peek(0) == Some('t') && r.peek(1).is_some_and(|c| c.is_ascii_digit()) {
        r.at += 1;
        r.after_t = true;
    }
    Some(Raw::Iso(Date::new(year, month as i8, day as i8).ok()))
}

fn clock(r: &mut Reader<'_>, hour: u32, padded: bool) -> Option<Raw> {
    let mut style = match r.peek(0)? {
        ':' => Style::Colon,
        'h' => Style::H,
        _ => return None,
    };
    r.at += 1;
    let (minute, 2) = r.digits(2)? else { return None };
    let mut second = 0;
    if style == Style::Colon && r.peek(0) == Some(':') {
        r.at += 1;
        second = r.digits(2)?.0;
        if r.peek(0) == Some('.') && r.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            // Parts of a second.
            r.at += 1;
            r.digits(9)?;
        }
    }
    if let Some(half) = r.half_of_day(false) {
        style = half;
    }
    Some(Raw::Clock { hour, minute, second, style, padded })
}

fn pair(r: &mut Reader<'_>, a: u32) -> Option<Raw> {
    let written = r.peek(0)?;
    let sign = match written {
        '.' => Sign::Dot,
        '/' => Sign::Slash,
        '-' => Sign::Hyphen,
        ',' => Sign::Comma,
        _ => return None,
    };
    r.at += 1;
    let (b, _) = r.digits(2)?;
    let year = match sign {
        Sign::Comma => None,
        _ => r.attempt(|r| if r.eat(written) { r.digits(4).filter(|(_, n)| matches!(n, 2 | 4)) } else { None }),
    };
    if sign == Sign::Hyphen && year.is_none() {
        return None;
    }
    if sign == Sign::Dot
        && year.is_none()
        && let Some(style) = r.half_of_day(false)
    {
        return Some(Raw::Clock { hour: a, minute: b, second: 0, style, padded: false });
    }
    let closed = sign == Sign::Dot && r.eat('.');
    Some(Raw::Pair { a, b, year, sign, closed })
}

/// Returns the letters that make a number one of a row: `5th`, `1er`, `3e`, `2nde`.
fn ordinal_ending(r: &mut Reader<'_>) -> bool {
    const ENDINGS: [&str; 12] = ["ieme", "eme", "nde", "ten", "st", "nd", "rd", "th", "er", "re", "te", "e"];
    let found = ENDINGS.iter().find(|ending| {
        let n = ending.chars().count();
        let same = ending.chars().enumerate().all(|(k, c)| r.peek(k) == Some(c));
        same && !r.peek(n).is_some_and(char::is_alphabetic)
    });
    r.at += found.map_or(0, |ending| ending.len());
    found.is_some()
}
