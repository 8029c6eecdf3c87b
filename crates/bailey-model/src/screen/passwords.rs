//! Passwords: what people call so, in five languages, and what stands where a password would.

use std::ops::Range;

use super::vocabulary::{
    BEHIND_A_PAIR, CALLED_PASSWORD, CODE, COMMAND, COPULA, NO_PASSWORD, PARTICIPLES, PASSWORD, SIGN_IN, WEAK_PASSWORD,
    matches,
};
use super::words::{is_measure, is_secretive};
use super::{Found, Kind};

/// Furthest a password stands from the word for it, in bytes of the line.
const REACH: usize = 60;
/// How far a line is read, in bytes: [`REACH`], and the longest password.
const LINE: usize = 256;
/// Shortest password, in characters.
const SHORTEST: usize = 4;
/// Longest password taken, in characters; longer ones are keys.
const LONGEST: usize = 128;
/// Lines below a head of a table that are looked at.
const ROWS: usize = 64;
/// Longest head of a column, in bytes.
const HEAD: usize = 32;

/// A word for passwords, and how sure it is one.
struct Noun {
    place: Range<usize>,
    strong: bool,
}

/// Finds passwords in a text; `lower` is the same in lower case.
pub(super) fn find(text: &str, lower: &str, out: &mut Vec<Found>) {
    let strong = matches(&PASSWORD, lower).map(|place| Noun { place, strong: true });
    let weak = matches(&WEAK_PASSWORD, lower).map(|place| Noun { place, strong: false });
    for noun in strong.chain(weak) {
        behind(text, lower, &noun, out);
    }
    for place in matches(&CALLED_PASSWORD, lower) {
        before(text, &place, out);
    }
    for place in matches(&BEHIND_A_PAIR, lower) {
        paired(text, &place, out);
    }
    if let Some(regex) = COMMAND.as_ref() {
        let secrets = regex.captures_iter(text).filter_map(|found| found.iter().skip(1).flatten().next());
        out.extend(secrets.map(|secret| Found { kind: Kind::Password, place: secret.range() }));
    }
    tables(text, lower, out);
}

/// How a word and what is behind it are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// A colon, an equals sign, an arrow, a bar or a tab.
    Mark,
    /// "is" and the like.
    Copula,
    /// The line ends.
    Line,
    /// Nothing but a blank.
    Blank,
}

/// Looks behind a word for passwords.
fn behind(text: &str, lower: &str, noun: &Noun, out: &mut Vec<Found>) {
    let line_end = noun.place.end + line_at(text, noun.place.end).len();
    let line = lower.get(noun.place.end..line_end).unwrap_or_default();
    // A part of a name, as in `login.example.org` or `key-file`.
    if !noun.strong && line.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '@')) {
        return;
    }
    // What stands in brackets says more about the word, as in "key (WPA2)".
    let aside = line
        .trim_start()
        .strip_prefix('(')
        .and_then(|inside| inside.find(')').map(|at| line.len() - inside.len() + at + 1));
    let (line, base) = (line.get(aside.unwrap_or(0)..).unwrap_or_default(), noun.place.end + aside.unwrap_or(0));
    let (join, from) = joined(line, base);
    let from =
        if join == Join::Line || text.get(from..line_end).is_none_or(|rest| rest.trim_matches(is_frame).is_empty()) {
            match next_line(text, line_end) {
                Some(from) => from,
                None => return,
            }
        } else {
            from
        };
    let below = from > line_end;
    let Some(value) = value(text, from) else { return };
    let said = text.get(value.clone()).unwrap_or_default();
    let rest = line_at(text, value.end);
    let ends = rest.trim_matches(is_frame).is_empty()
        || rest.trim_start().starts_with([',', ';', '(', '|'])
        || rest.starts_with(". ");
    let accepted = match (join, noun.strong) {
        (_, _) if is_no_password(said) => false,
        (Join::Mark, true) => is_made_up(said) || (ends && said.chars().count() >= SHORTEST),
        (Join::Copula, true) => is_made_up(said) || (ends && said.chars().count() > SHORTEST),
        (Join::Line, true) => ends && said.chars().count() > SHORTEST && (is_made_up(said) || below),
        (Join::Blank, true) => is_made_up(said),
        (Join::Mark | Join::Copula, false) => is_made_up(said) && !is_measure(said),
        (Join::Line, false) => ends && is_made_up(said) && said.len() > 7,
        (Join::Blank, false) => is_secretive(said) && said.contains(|c: char| c.is_ascii_digit()),
    };
    if accepted {
        out.push(Found { kind: Kind::Password, place: value });
    } else if noun.strong && join == Join::Mark {
        out.extend(phrase(text, from).map(|place| Found { kind: Kind::Password, place }));
    }
}

/// Returns a passphrase: at least three words up to the end of the line, hardly any of them one that sentences are made with.
fn phrase(text: &str, from: usize) -> Option<Range<usize>> {
    let line = line_at(text, from);
    let said = line.trim_matches(|c: char| is_frame(c) || c == '.');
    let words: Vec<String> = said.split_whitespace().map(str::to_ascii_lowercase).collect();
    let plain = |word: &String| word.len() > 2 && word.chars().all(|c| c.is_alphabetic() || c == '-');
    let grouped = (2..=8).contains(&words.len()) && words.iter().all(|word| word.len() == 4);
    let fits = (3..=10).contains(&words.len()) || grouped;
    let start = from + line.find(said)?;
    let of_sentences = words.iter().filter(|word| NO_PASSWORD.contains(&word.as_str())).count();
    let sound = words.iter().all(plain) && of_sentences * 4 <= words.len();
    (fits && sound).then(|| start..start + said.len())
}

/// Tells how a line goes on behind a word for passwords, and where the password would begin.
fn joined(line: &str, base: usize) -> (Join, usize) {
    let near = line.char_indices().take_while(|(at, _)| *at < REACH).last().map_or(0, |(at, c)| at + c.len_utf8());
    let near = line.get(..near).unwrap_or_default();
    let sentence = near.find(". ").unwrap_or(near.len());
    let near = near.get(..sentence).unwrap_or_default();
    let mark = near.char_indices().find_map(|(at, c)| match c {
        ':' | '=' | '|' | '\t' | '\u{2192}' | '\u{21d2}' => Some(at + c.len_utf8()),
        '>' if near.get(..at).is_some_and(|before| before.ends_with(['-', '='])) => Some(at + 1),
        _ => None,
    });
    let copula = COPULA.as_ref().and_then(|regex| regex.find(near)).map(|found| found.end());
    match (mark, copula) {
        (Some(mark), None) => (Join::Mark, base + mark),
        (Some(mark), Some(copula))
            if mark < copula || near.get(copula..mark).is_some_and(|gap| gap.trim().len() < 2) =>
        {
            (Join::Mark, base + mark)
        }
        (_, Some(copula)) => (Join::Copula, base + copula),
        (None, None) if line.trim_matches(is_frame).is_empty() => (Join::Line, base),
        (None, None) => (Join::Blank, base),
    }
}

/// Returns the rest of a line from a place on, as far as anything about a password may stand in it.
fn line_at(text: &str, from: usize) -> &str {
    let to = (from..=(from + LINE).min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    let near = text.get(from..to).unwrap_or_default();
    near.split('\n').next().unwrap_or_default()
}

/// Returns what may stand around a password.
fn is_frame(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '*' | '|' | '>' | '<' | ':' | '(' | ')' | '[' | ']')
}

/// Tells where the next line that says something begins, past marks of quotation.
fn next_line(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.char_indices()
        .take(REACH)
        .find(|(_, c)| !c.is_whitespace() && !matches!(c, '>' | '|'))
        .map(|(at, _)| from + at)
}

/// Returns a value that begins at or behind a place, on the same line: up to a blank, or to the quotation mark that it began
/// with.
fn value(text: &str, from: usize) -> Option<Range<usize>> {
    let open = |c: char| {
        c == ' ' || c == '\t' || matches!(c, '"' | '\'' | '`' | '*' | '(' | '[' | '<' | '|' | '>' | ':' | '=')
    };
    let rest = line_at(text, from);
    let lead = rest.len() - rest.trim_start_matches(open).len();
    let opened = rest.get(..lead).unwrap_or_default();
    let quote = opened.chars().rev().find(|c| matches!(c, '"' | '\'' | '`'));
    let line = line_at(text, from + lead);
    let length = match quote.and_then(|quote| line.find(quote)) {
        Some(end) => line.get(..end).unwrap_or_default().trim_end().len(),
        None => line.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '|')).unwrap_or(line.len()),
    };
    let said = line.get(..length)?;
    let wrapped = opened.contains(['*', '(', '[']);
    let said = said.trim_end_matches(|c: char| {
        matches!(c, '.' | ',' | ';' | ':' | '\'' | '`') || (wrapped && matches!(c, '*' | ')' | ']'))
    });
    let said = if opened.contains('(') { said } else { said.trim_end_matches([')', '}']) };
    let start = from + lead;
    (!said.is_empty() && said.chars().count() <= LONGEST).then(|| start..start + said.len())
}

/// Tells whether a word could be a password, or a number used as one.
fn is_made_up(word: &str) -> bool {
    let number = word.chars().filter(char::is_ascii_digit).count();
    let digits = number >= 4 && word.chars().all(|c| c.is_ascii_digit() || c == '-') && !is_measure(word);
    let short = number > 0 && word.len() > 2 && word.contains(['!', '?', '#', '$', '%', '&', '+', '*']);
    is_secretive(word)
        || digits
        || short
        || (word.contains(|c: char| c.is_ascii_digit())
            && word.len() >= SHORTEST
            && word.chars().any(char::is_alphabetic))
}

/// Tells whether a word is one that is said about passwords.
fn is_no_password(word: &str) -> bool {
    let low = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    let lower_case = !word.contains(|c: char| c.is_uppercase() || c.is_ascii_digit());
    let hidden = word.chars().all(|c| matches!(c, '*' | '\u{2022}' | '.' | '-' | '_' | 'x' | 'X' | '\u{25cf}'));
    let dash = low.is_empty() || word.contains("kept back");
    let place = word.contains("://") || word.starts_with('[');
    hidden
        || dash
        || place
        || NO_PASSWORD.contains(&low.as_str())
        || (lower_case && PARTICIPLES.iter().any(|end| low.ends_with(end)))
}

/// Looks before "is the password", "as the password" and the like.
fn before(text: &str, place: &Range<usize>, out: &mut Vec<Found>) {
    let from =
        (place.start.saturating_sub(LONGEST)..place.start).find(|at| text.is_char_boundary(*at)).unwrap_or(place.start);
    let near = text.get(from..place.start).unwrap_or_default();
    let line = from + near.rfind('\n').map_or(0, |at| at + 1);
    let head = text.get(line..place.start).unwrap_or_default().trim_end();
    let start = head.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = head.get(start..).unwrap_or_default();
    let said = word.trim_matches(|c: char| matches!(c, '"' | '\'' | '`' | '*' | '(' | ')' | ','));
    let from = line + start + word.find(said).unwrap_or(0);
    if is_made_up(said) && !is_no_password(said) {
        out.push(Found { kind: Kind::Password, place: from..from + said.len() });
    }
}

/// Looks behind "anna / " and "login anna@example.org / ": a password that stands beside the name of an account.
fn paired(text: &str, place: &Range<usize>, out: &mut Vec<Found>) {
    if let Some(value) = value(text, place.end)
        && text.get(value.clone()).is_some_and(|said| is_secretive(said) && !is_no_password(said))
    {
        out.push(Found { kind: Kind::Password, place: value });
    }
}

/// Looks below heads of columns.
fn tables(text: &str, lower: &str, out: &mut Vec<Found>) {
    let signs_in = SIGN_IN.iter().any(|word| lower.contains(word));
    for mark in ['|', '\t', ';', ','] {
        let (mut at, mut head): (usize, Option<(usize, usize, usize)>) = (0, None);
        for line in lower.split_inclusive('\n') {
            let cells: Vec<&str> = line.split(mark).collect();
            let named = cells.iter().position(|cell| is_head(cell) || (signs_in && is_head_of_codes(cell)));
            if let (Some(column), 2..) = (named, cells.len()) {
                head = cells.iter().all(|cell| cell.len() <= HEAD).then_some((column, cells.len(), ROWS));
            } else if let Some((column, count, rows)) = head {
                head = (cells.len() == count && rows > 0).then(|| (column, count, rows.saturating_sub(1)));
                if head.is_some() {
                    cell(text, at, &cells, column, out);
                }
            }
            at += line.len();
        }
    }
}

/// Tells whether a cell is a head of a column of passwords.
fn is_head(cell: &str) -> bool {
    let cell = cell.trim_matches(|c: char| is_frame(c));
    let whole = |place: Range<usize>| cell.len() - place.len() <= 12;
    cell.len() <= HEAD && !cell.contains(['.', '=']) && matches(&PASSWORD, cell).any(whole)
}

/// Tells whether a cell is a head of a column of codes, in a text that speaks of signing in.
fn is_head_of_codes(cell: &str) -> bool {
    let cell = cell.trim_matches(is_frame);
    matches(&CODE, cell).any(|place| place.len() == cell.len())
}

/// Takes the cell of a column.
fn cell(text: &str, at: usize, cells: &[&str], column: usize, out: &mut Vec<Found>) {
    let before: usize = cells.iter().take(column).map(|cell| cell.len() + 1).sum();
    let Some(cell) = cells.get(column) else { return };
    let start = at + before;
    let raw = text.get(start..start + cell.len()).unwrap_or_default();
    let said = raw.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
    if said.chars().count() >= SHORTEST && !is_no_password(said) {
        let from = start + raw.find(said).unwrap_or(0);
        out.push(Found { kind: Kind::Password, place: from..from + said.len() });
    }
}
