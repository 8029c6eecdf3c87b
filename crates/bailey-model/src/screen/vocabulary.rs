//! Words about secrets in English, German, French, Spanish and Italian, without accents and in lower case.

mod codes;
mod keys;
mod links;
mod passwords;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

pub(super) use codes::*;
pub(super) use keys::*;
pub(super) use links::*;
pub(super) use passwords::*;

/// A pattern, made once.
pub(super) type Pattern = LazyLock<Option<Regex>>;

/// Returns the places a pattern matches.
pub(super) fn matches<'a>(pattern: &'a Pattern, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    pattern.as_ref().into_iter().flat_map(|regex| regex.find_iter(text)).map(|found| found.range())
}
