//! Private keys, and values nobody could guess that are called a key, a token or a secret.

use super::vocabulary::{KEY, OPAQUE, PRIVATE_KEY, WITH_PASSWORD, matches};
use super::words::is_opaque;
use super::{Found, Kind};

/// Furthest a value stands from the word for it, in bytes.
const REACH: usize = 90;
/// Shortest value, in characters: shorter ones are passwords.
const SHORTEST: usize = 16;
/// Most lines of a private key whose end is missing.
const LINES: usize = 200;

/// Finds keys.
pub(super) fn find(text: &str, lower: &str, out: &mut Vec<Found>) {
    private(text, out);
    // What was looked at for one word need not be looked at for the next one in it.
    let mut done = 0;
    for noun in matches(&KEY, lower) {
        if noun.end >= done {
            done = called(text, noun.end, out).unwrap_or(done);
        }
    }
    if let Some(regex) = WITH_PASSWORD.as_ref() {
        let secrets = regex.captures_iter(text).filter_map(|found| found.get(1));
        out.extend(secrets.map(|secret| Found { kind: Kind::Password, place: secret.range() }));
    }
}

/// Finds private keys in their armour (RFC 7468, RFC 9580), to its end, or as far as it goes on.
fn private(text: &str, out: &mut Vec<Found>) {
    let ends: Vec<usize> = text.match_indices("-----END").map(|(at, _)| at).collect();
    let mut done = 0;
    for begin in matches(&PRIVATE_KEY, text) {
        if begin.start < done {
            continue;
        }
        let next = ends.get(ends.partition_point(|end| *end < begin.end));
        done = match next {
            Some(end) => text.get(*end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| end + length),
            None => armour_end(text, begin.end),
        };
        out.push(Found { kind: Kind::PrivateKey, place: begin.start..done });
    }
}

fn armour_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let armour = |line: &&str| line.trim().is_empty() || line.contains(": ") || !line.trim().contains(' ');
    from + rest.split_inclusive('\n').take(LINES).take_while(armour).map(str::len).sum::<usize>()
}

/// Looks behind a word for keys; says where the value ends that stands there.
fn called(text: &str, from: usize, out: &mut Vec<Found>) -> Option<usize> {
    let to = (from..=(from + REACH).min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    let near = text.get(from..to)?;
    let value = OPAQUE.as_ref()?.find(near)?;
    let gap = near.get(..value.start())?;
    // A value may be longer than the reach: it only has to begin there.
    let begin = from + value.start();
    let said = text.get(begin..)?.split(|c: char| !is_of_value(c)).next()?;
    let end = begin + said.len();
    let said = said.trim_end_matches(['.', ':']);
    let lead = said.len() - said.trim_start_matches([':', '=', '.', '-']).len();
    let said = said.get(lead..).unwrap_or_default();
    let start = begin + lead;
    // On the next line it stands for what the line before it ends with.
    let (own, below) = gap.split_once('\n').unwrap_or((gap, ""));
    let follows =
        below.trim().is_empty() && (!gap.contains('\n') || own.trim_matches(|c: char| !c.is_alphanumeric()).len() < 2);
    if is_opaque(said, SHORTEST) && !said.contains("//") && follows && !gap.contains(". ") && !is_account(said) {
        out.push(Found { kind: Kind::Key, place: start..start + said.len() });
    }
    Some(end)
}

/// Returns the letters of [`OPAQUE`].
fn is_of_value(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '/' | '=' | '.' | '~' | ':' | '-')
}

/// Tells whether a value is the number of an account (ISO 13616): it is told to whoever is to pay.
fn is_account(said: &str) -> bool {
    let digits = said.chars().skip(2).filter(char::is_ascii_digit).count();
    said.len() <= 34
        && said.chars().take(2).all(|c| c.is_ascii_uppercase())
        && said.chars().skip(2).take(2).all(|c| c.is_ascii_digit())
        && said.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && digits * 4 >= said.len() * 3
}
