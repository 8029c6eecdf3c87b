//! Whether a value stands on the person's own words. What was received proves nothing, however it is written; so this looks
//! at what the person typed, in whole words, and never for fragments.

use crate::family::text::Address;

/// Words that name nobody, though they may stand in a name or an address.
const NO_NAMES: [&str; 22] = [
    "mail",
    "info",
    "team",
    "support",
    "the",
    "and",
    "office",
    "contact",
    "hello",
    "admin",
    "news",
    "newsletter",
    "noreply",
    "reply",
    "calendar",
    "my",
    "me",
    "no",
    "service",
    "von",
    "de",
    "van",
];
/// Shortest word taken for a name.
const MIN_NAME_CHARS: usize = 2;

/// Somebody the person is known to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// As the person's own mail names them; perhaps nothing.
    pub name: String,
    /// In the form addresses are compared in.
    pub address: String,
}

/// Whether the words hold this very address.
#[must_use]
pub fn holds_address(words: &str, address: &Address) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "@.!#$%&'*+-/=?^_`{|}~".contains(c);
    let tokens = words.split(|c| !inside(c)).map(|token| token.trim_matches(|c: char| ".!?'/=-".contains(c)));
    let key = address.key();
    tokens.map(|token| token.strip_prefix("mailto:").unwrap_or(token)).any(|token| token.to_lowercase() == key)
}

/// Those the words name, each name apart: more than one behind a name means that it is not clear who is meant.
#[must_use]
pub fn named<'a>(words: &str, known: &'a [Known]) -> Vec<Vec<&'a Known>> {
    let words: Vec<String> = words.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let mut out: Vec<Vec<&Known>> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let mut meant: Vec<&Known> = known.iter().filter(|one| names(one).contains(word)).collect();
        // "Ana Ferreira" is one of the Anas: the words around decide where they can.
        let near = words.iter().skip(at.saturating_sub(1)).take(3).filter(|near| *near != word).collect::<Vec<_>>();
        let closer: Vec<&Known> =
            meant.iter().copied().filter(|one| names(one).iter().any(|name| near.contains(&name))).collect();
        if !closer.is_empty() {
            meant = closer;
        }
        if !meant.is_empty() && !out.contains(&meant) {
            out.push(meant);
        }
    }
    out
}

/// The words somebody is called by: those of their name; without one, what stands before the `@`.
fn names(known: &Known) -> Vec<String> {
    let local = known.address.split('@').next().unwrap_or_default();
    let source = if known.name.trim().is_empty() { local } else { &known.name };
    let words = source.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| word.chars().count() >= MIN_NAME_CHARS && !NO_NAMES.contains(&word.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_on_the_words_only_whole() {
        let ana = Address::new("ana@example.org").unwrap();
        for words in ["Write to ana@example.org.", "mail <Ana@Example.org>, please", "(ana@example.org)"] {
            assert!(holds_address(words, &ana), "{words}");
        }
        for words in [
            "Write to ana",
            "joana@example.org",
            "ana@example.org.evil.example",
            "ana@example.orgs",
            "xana@example.org",
            "",
        ] {
            assert!(!holds_address(words, &ana), "{words}");
        }
    }

    #[test]
    fn names_are_those_the_person_gave() {
        let known = |name: &str, address: &str| Known { name: name.into(), address: address.into() };
        let all = [
            known("Ana Ferreira", "ana@example.org"),
            known("Ana Berg", "ab@example.org"),
            known("", "tom.berger@example.org"),
            known("Support Team", "support@example.org"),
        ];
        let who = |words: &str| -> Vec<Vec<String>> {
            let found = named(words, &all);
            found.into_iter().map(|meant| meant.into_iter().map(|one| one.address.clone()).collect()).collect()
        };
        assert_eq!(who("answer Ferreira about Tuesday"), [["ana@example.org"]]);
        assert_eq!(who("answer Ana Ferreira"), [["ana@example.org"]]);
        assert_eq!(who("answer Ana"), [["ana@example.org", "ab@example.org"]]);
        assert_eq!(who("tell Tom and Ana Berg"), [["tom.berger@example.org"], ["ab@example.org"]]);
        assert!(who("read my mail and support the team; banana").is_empty());
    }
}
