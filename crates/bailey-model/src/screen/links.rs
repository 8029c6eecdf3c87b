//! Links that open something for whoever has them.
//!
//! A link is told by what is secret in it (a name and password, a parameter that is called a token, a place that signs it), or by
//! what nobody could guess in it together with words about signing in, confirming or inviting, in it or before it.

use std::ops::Range;

use super::vocabulary::{
    ACCOUNT_IN_PLACE, ACCOUNT_WORDS, LINK, OPENING_HOSTS, PLAIN_HOSTS, SECRET_PARAMETERS, matches,
};
use super::words::is_opaque;
use super::{Found, Kind};

/// How far before a link words about it are looked for, in bytes.
const BEFORE: usize = 120;
/// The same behind it.
const BEHIND: usize = 60;
/// Shortest part of a link that nobody could guess, in characters, where words speak of an account.
const UNGUESSED: usize = 10;

/// Finds links.
pub(super) fn find(text: &str, lower: &str, out: &mut Vec<Found>) {
    for place in matches(&LINK, lower) {
        let Some(link) = text.get(place.clone()) else { continue };
        let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '*', '>']);
        let place = place.start..place.start + link.len();
        if is_secret(link, lower, &place) {
            out.push(Found { kind: Kind::Link, place });
        }
    }
}

fn is_secret(link: &str, lower: &str, place: &Range<usize>) -> bool {
    let low = link.to_ascii_lowercase();
    let Some((scheme, rest)) = low.split_once("://") else { return low.starts_with("otpauth:") };
    if scheme == "otpauth" {
        return true;
    }
    let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    if PLAIN_HOSTS
        .iter()
        .any(|(known, begin)| host.ends_with(known) && path.starts_with(begin) && !path.contains("pwd="))
    {
        return false;
    }
    if OPENING_HOSTS
        .iter()
        .any(|(known, begin)| host.ends_with(known) && path.starts_with(begin) && path.len() > begin.len() + 3)
    {
        return true;
    }
    if has_secret_parameter(path) || path.contains("/private-") {
        return true;
    }
    let about = ACCOUNT_IN_PLACE.iter().any(|word| path.contains(word) || host.contains(word))
        || is_spoken_of(lower, place)
        || !scheme.starts_with("http");
    about && has_unguessed(link)
}

/// Tells whether a parameter is called as secrets are, and has a value.
fn has_secret_parameter(path: &str) -> bool {
    let parameters = path.split(['?', '#']).skip(1).flat_map(|query| query.split(['&', ';']));
    parameters.filter_map(|one| one.trim_start_matches("amp;").split_once('=')).any(|(name, value)| {
        let own = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
        let called = SECRET_PARAMETERS.iter().any(|known| *known == name || *known == own);
        let short =
            matches!(name, "t" | "k" | "c" | "h" | "u" | "s" | "hash" | "id" | "key" | "code") && value.len() < 8;
        let plain = value.is_empty() || (short && !(name == "code" && value.bytes().all(|byte| byte.is_ascii_digit())));
        called && !plain
    })
}

/// Tells whether something in the place could not be guessed.
fn has_unguessed(link: &str) -> bool {
    let inside = link.split_once("://").map_or(link, |(_, rest)| rest);
    let parts = inside.split(['/', '?', '#', '&', '=', '.']).skip(1);
    parts
        .filter(|part| !part.contains("utm_"))
        .any(|part| is_opaque(part, UNGUESSED) || (part.len() >= 24 && !part.contains('-')))
}

/// Tells whether the words around speak of signing in, confirming, inviting.
fn is_spoken_of(lower: &str, place: &Range<usize>) -> bool {
    let from =
        (place.start.saturating_sub(BEFORE)..place.start).find(|at| lower.is_char_boundary(*at)).unwrap_or(place.start);
    let to = (place.end..=(place.end + BEHIND).min(lower.len()))
        .rev()
        .find(|at| lower.is_char_boundary(*at))
        .unwrap_or(place.end);
    let before = lower.get(from..place.start).unwrap_or_default();
    let behind = lower.get(place.end..to).unwrap_or_default();
    ACCOUNT_WORDS.iter().any(|word| before.contains(word) || behind.contains(word))
}
