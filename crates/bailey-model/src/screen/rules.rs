//! Keys of services by their issuers' own formats: the rules of gitleaks, carried as data (`data/README.md`), and prefixes.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::vocabulary::{Pattern, matches};
use super::words::entropy;
use super::{Found, Kind};

/// A rule as gitleaks has it.
#[derive(Debug, Deserialize)]
struct Rule {
    /// The pattern, in the syntax of RE2, which `regex` reads too.
    regex: String,
    /// Words of which one has to stand in the text for the pattern to be tried, in lower case.
    keywords: Vec<String>,
    /// The group that is the secret; the first one where none is named, or all of the match.
    #[serde(default)]
    group: Option<usize>,
    /// Least entropy of the secret, in bits for each character.
    #[serde(default)]
    entropy: f64,
    /// The pattern, made when it is first needed.
    #[serde(skip)]
    made: OnceLock<Option<Regex>>,
}

/// Largest pattern, in bytes once made: those with long repetitions need more than `regex` gives by itself.
const MAX_PATTERN_BYTES: usize = 64 * 1024 * 1024;

impl Rule {
    /// Makes the pattern. In RE2 the classes of letters and blanks are those of ASCII; so it is here where the pattern has no class
    /// that other characters belong to as well.
    fn made(&self) -> Option<Regex> {
        let built =
            |unicode: bool| RegexBuilder::new(&self.regex).unicode(unicode).size_limit(MAX_PATTERN_BYTES).build();
        built(false).or_else(|_| built(true)).ok()
    }
}

static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| serde_json::from_str(include_str!("data/gitleaks.json")).unwrap_or_default());

/// Beginnings of keys that say whose they are, whatever their length will be one day.
pub(super) static PREFIXED: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:sk-[A-Za-z0-9_-]{20,}|[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}",
        r"|xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,}",
        r"|gl[a-z]{2,6}-[0-9A-Za-z_-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{30,}",
        r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|do[opr]_v1_[a-f0-9]{40,}|whsec_[A-Za-z0-9+/=]{20,}",
        r"|key-[0-9a-f]{32}|AGE-SECRET-KEY-1[0-9A-Z]{40,}|AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{100,}|\d{8,12}:AA[A-Za-z0-9_-]{32,35}",
        r"|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,40}|lin_api_[A-Za-z0-9]{30,}|ntn_[A-Za-z0-9]{30,}",
        r"|dapi[a-f0-9]{32}|NRAK-[A-Z0-9]{20,}|PMAK-[a-f0-9-]{30,}|EAA[A-Za-z0-9]{60,}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}|sbp_[a-f0-9]{30,}",
        r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,})"
    ))
    .ok()
});

/// Finds keys.
pub(super) fn find(text: &str, lower: &str, out: &mut Vec<Found>) {
    out.extend(matches(&PREFIXED, text).map(|place| Found { kind: Kind::Key, place }));
    for rule in RULES.iter().filter(|rule| rule.keywords.iter().any(|word| lower.contains(word.as_str()))) {
        let Some(regex) = rule.made.get_or_init(|| rule.made()) else { continue };
        for found in regex.captures_iter(text) {
            let first = || found.iter().skip(1).flatten().next();
            let secret = rule.group.and_then(|group| found.get(group)).or_else(first).or_else(|| found.get(0));
            if let Some(secret) = secret.filter(|secret| entropy(secret.as_str()) >= rule.entropy) {
                out.push(Found { kind: Kind::Key, place: secret.range() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_be_read_and_has_words_to_look_for() {
        assert!(RULES.len() > 200);
        for rule in RULES.iter() {
            assert!(rule.made().is_some(), "{}", rule.regex);
            assert!(!rule.keywords.is_empty() && rule.keywords.iter().all(|word| *word == word.to_ascii_lowercase()));
        }
    }
}
