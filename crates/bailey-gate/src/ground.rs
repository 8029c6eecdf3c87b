//! Whether a value stands on the person's own words. What was received proves nothing, however it is written; so this looks
//! at what the person typed, in whole words, and never for fragments.

use std::collections::BTreeSet;

use crate::family::Party;
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

/// Characters that belong to a value: what stands beside them is part of another value.
fn inside(c: char) -> bool {
    c.is_alphanumeric() || "@._-+/%&=?#:~".contains(c)
}

/// Shortest value that can stand on words: anything stands on one letter.
const MIN_VALUE_CHARS: usize = 2;

/// Shortest name of an existing thing.
const MIN_TARGET_CHARS: usize = 4;

/// The person's words, made ready for being looked at many times.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// In lower case, one blank between words.
    plain: String,
    /// Every token that could be an address, in lower case.
    addresses: BTreeSet<String>,
}

impl Words {
    /// Takes the words as they were typed.
    #[must_use]
    pub fn new(words: &str) -> Self {
        let inside = |c: char| c.is_alphanumeric() || "@.!#$%&'*+-/=?^_`{|}~".contains(c);
        let tokens = words.split(|c| !inside(c)).map(|token| token.trim_matches(|c: char| ".!?'/=-".contains(c)));
        let tokens = tokens.map(|token| token.strip_prefix("mailto:").unwrap_or(token).to_lowercase());
        Self { plain: plain(words), addresses: tokens.filter(|token| token.contains('@')).collect() }
    }

    /// Everybody whose address is written out in them.
    #[must_use]
    pub fn parties(&self) -> Vec<Party> {
        let read = self.addresses.iter().filter_map(|token| Address::new(token).ok());
        read.map(|address| Party { kind: Party::EMAIL.into(), value: address.key() }).collect()
    }

    /// Whether they hold this very address.
    #[must_use]
    pub fn hold_address(&self, address: &Address) -> bool {
        self.addresses.contains(&address.key())
    }

    /// Whether they hold this receiver whole.
    #[must_use]
    pub fn hold_party(&self, party: &Party) -> bool {
        match Address::new(&party.value) {
            Ok(address) if party.kind == Party::EMAIL => self.hold_address(&address),
            Ok(_) | Err(_) => self.hold(&party.value),
        }
    }

    /// Whether they hold a value: letter by letter but for case and blanks, and not as a part of a longer one.
    #[must_use]
    pub fn hold(&self, value: &str) -> bool {
        let value = plain(value);
        if value.chars().count() < MIN_VALUE_CHARS || !value.chars().any(char::is_alphanumeric) {
            return false;
        }
        self.plain.match_indices(&value).any(|(at, _)| {
            let before = self.plain.get(..at).and_then(|before| before.chars().next_back());
            let mut after = self.plain.get(at + value.len()..).unwrap_or_default().chars();
            let ends = match (after.next(), after.next()) {
                (None, _) => true,
                // The end of a sentence, not of a value.
                (Some('.' | ',' | ';' | ':' | '!' | '?' | '-'), next) => next.is_none_or(|next| !inside(next)),
                (Some(next), _) => !inside(next),
            };
            ends && before.is_none_or(|before| !inside(before))
        })
    }

    /// Whether they name an existing thing: it has to be a name somebody would write, not a number that stands anywhere.
    #[must_use]
    pub fn name_target(&self, value: &str) -> bool {
        value.chars().count() >= MIN_TARGET_CHARS && self.hold(value)
    }
}

/// The form in which values are compared: lower case, one blank between words.
#[must_use]
pub fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Letters that look alike to a reader in a hurry, each with the one it is taken for.
const ALIKE: [(&str, &str); 12] = [
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("5", "s"),
    ("-", ""),
    ("_", ""),
    (".", ""),
    ("3", "e"),
    ("8", "b"),
];
/// Letters of other scripts, and those with marks, that look like Latin ones.
const FOREIGN: [(&str, char); 20] = [
    ("аàáâãäåāαɑ", 'a'),
    ("ьþƅ", 'b'),
    ("сçćč", 'c'),
    ("ԁďđ", 'd'),
    ("еèéêëēęěё", 'e'),
    ("ɡğġ", 'g'),
    ("һħ", 'h'),
    ("іìíîïīıїι", 'l'),
    ("јĵ", 'j'),
    ("кķκ", 'k'),
    ("ӏłĺľ", 'l'),
    ("ոñńň", 'n'),
    ("оòóôõöøōοσ", 'o'),
    ("рρ", 'p'),
    ("ѕśşš", 's'),
    ("тţťτ", 't'),
    ("υùúûüūμ", 'u'),
    ("ѵν", 'v'),
    ("хχ", 'x'),
    ("уýÿγ", 'y'),
];
/// Shortest name that one wrong letter makes into another's likeness; shorter ones differ by a letter all the time.
const MIN_ALIKE_CHARS: usize = 6;

/// What a reader in a hurry takes a name for.
fn glance(name: &str) -> String {
    let latin = |c: char| FOREIGN.iter().find(|(others, _)| others.contains(c)).map_or(c, |(_, latin)| *latin);
    let mut out: String = name.to_lowercase().chars().map(latin).collect();
    for (looks, like) in ALIKE {
        out = out.replace(looks, like);
    }
    out
}

/// By what a store finds those who may resemble somebody: two that resemble each other have the same.
#[must_use]
pub fn likeness(party: &Party) -> String {
    let local = party.value.rsplit_once('@').filter(|_| party.kind == Party::EMAIL);
    local.map_or_else(String::new, |(local, _)| glance(local))
}

/// Whether the one could be taken for the other, and is not: the same at a glance, or a letter more, fewer, other or swapped in
/// what comes before the `@` or behind it, the rest being the same. Names of one organisation differ by a letter all the time,
/// so that within one domain only a glance counts.
#[must_use]
pub fn resemble(one: &str, other: &str) -> bool {
    if one == other {
        return false;
    }
    if glance(one) == glance(other) {
        return true;
    }
    let (Some((local, domain)), Some((other_local, other_domain))) = (one.rsplit_once('@'), other.rsplit_once('@'))
    else {
        return one.chars().count() >= MIN_ALIKE_CHARS && one_letter_apart(one, other);
    };
    let near = domain.chars().count() >= MIN_ALIKE_CHARS && one_letter_apart(domain, other_domain);
    glance(local) == glance(other_local) && (near || same_name_elsewhere(domain, other_domain))
}

/// Whether one domain carries the other's name under another ending, or inside of a longer one: `acme.org`, `acme.com`,
/// `acme-mail.com`, `acme.org.evil.example`.
fn same_name_elsewhere(domain: &str, other: &str) -> bool {
    let name = |domain: &str| domain.split('.').rev().nth(1).map(glance).unwrap_or_default();
    let (one, two) = (name(domain), name(other));
    let within = |name: &str, whole: &str| {
        name.chars().count() >= MIN_ALIKE_CHARS - 2 && whole.split(['.', '-']).any(|part| glance(part) == name)
    };
    within(&one, other) || within(&two, domain)
}

/// Whether one letter was put in, left out, exchanged, or swapped with its neighbour.
fn one_letter_apart(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (Some(a), Some(b)) = (one.get(same..), other.get(same..)) else { return false };
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([x, rest @ ..], [y, others @ ..]) => {
            rest == others
                || rest == b
                || others == a
                || matches!((rest, others), ([x2, tail @ ..], [y2, tails @ ..]) if x == y2 && y == x2 && tail == tails)
        }
        _ => false,
    }
}

/// Addresses in a text that a reader could follow: with a scheme, beginning with `www.`, or a host with a path.
#[must_use]
pub fn links(text: &str) -> Vec<String> {
    let tokens = text.split(|c: char| c.is_whitespace() || "<>\"'()[]{}|\\^`".contains(c));
    let trimmed = tokens.map(|token| token.trim_matches(|c: char| ".,;:!?*_".contains(c)));
    trimmed.filter(|token| is_link(token)).map(str::to_owned).collect()
}

fn is_link(token: &str) -> bool {
    let lower = token.to_lowercase();
    if lower.contains("://") || lower.starts_with("www.") {
        return true;
    }
    let Some((host, _)) = lower.split_once('/') else { return false };
    let labels: Vec<&str> = host.split('.').collect();
    let label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let top = labels.last().is_some_and(|top| top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
    labels.len() >= 2 && top && labels.iter().all(label)
}

/// Somebody the person is known to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// As the person's own mail names them; perhaps nothing.
    pub name: String,
    /// In the form addresses are compared in.
    pub address: String,
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
            assert!(Words::new(words).hold_address(&ana), "{words}");
        }
        for words in [
            "Write to ana",
            "joana@example.org",
            "ana@example.org.evil.example",
            "ana@example.orgs",
            "xana@example.org",
            "",
        ] {
            assert!(!Words::new(words).hold_address(&ana), "{words}");
        }
    }

    #[test]
    fn addresses_in_words_are_found_whole() {
        let words = Words::new("Write to Ana@example.org, <tom@example.org>; (eve@x.org). Not @you or a@.");
        let found: Vec<String> = words.parties().into_iter().map(|party| party.value).collect();
        assert_eq!(found, ["ana@example.org", "eve@x.org", "tom@example.org"]);
    }

    #[test]
    fn a_value_stands_on_the_words_only_whole() {
        let words = "Refund GB29 NWBK 60 to  Spotify, then open https://a.example/b. Pay acme-shop.";
        for value in ["spotify", "gb29 nwbk 60", "https://a.example/b", "acme-shop"] {
            assert!(Words::new(words).hold(value), "{value}");
        }
        for value in
            ["spot", "https://a.example/", "https://a.example", "acme", "shop", "b", "", " ", ".", "GB29NWBK60"]
        {
            assert!(!Words::new(words).hold(value), "{value}");
        }
        let party = |kind: &str, value: &str| Party { kind: kind.into(), value: value.into() };
        assert!(Words::new("mail ana@example.org").hold_party(&party(Party::EMAIL, "ana@example.org")));
        assert!(!Words::new("mail joana@example.org").hold_party(&party(Party::EMAIL, "ana@example.org")));
        assert!(Words::new("pay spotify").hold_party(&party("merchant", "Spotify")));
    }

    #[test]
    fn likenesses_are_what_a_reader_in_a_hurry_takes_for_the_same() {
        let known = "ana.ferreira@example.org";
        for alike in [
            "ana.ferreira@examp1e.org",
            "ana.ferreira@exarnple.org",
            "ana.ferreira@exmaple.org",
            "ana.ferreira@example.com",
            "ana.ferreira@example.org.evil.example",
            "ana.ferreira@mail-example.net",
            "anaferreira@example.org",
            "ana.ferrelra@example.org",
            "аna.ferreira@example.org",
            "ana.ferreira@exampl.org",
            "ana.ferreira@examp1e.example",
        ] {
            assert!(resemble(alike, known) && resemble(known, alike), "{alike}");
        }
        for other in [
            known,
            "ana.ferrera@example.org",
            "tom@example.org",
            "ana.ferreira@gmail.com",
            "tom@examp1e.com",
            "ana.ferreira@org.net",
        ] {
            assert!(!resemble(other, known), "{other}");
        }
        assert!(resemble("paypal-shop", "paypa1-shop") && resemble("spotify", "spotfy") && !resemble("rent", "rest"));
    }

    #[test]
    fn links_are_what_a_reader_could_follow() {
        let text = "See https://a.example/x, www.b.example or bit.ly/abc. (HTTP://C.example) and/or 1/2 e.g. this.";
        assert_eq!(links(text), ["https://a.example/x", "www.b.example", "bit.ly/abc", "HTTP://C.example"]);
        assert!(links("nothing here; a/b, v1.2/3, notes.txt").is_empty());
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
