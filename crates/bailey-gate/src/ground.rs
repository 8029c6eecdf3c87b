//! Tells whether a value stands on the person's own words. What was received proves nothing, however it is written; so this looks
//! at what the person typed, in whole words, and never for fragments.

use std::collections::{BTreeSet, HashMap};

use crate::family::Party;
use crate::family::escape::is_deceptive;
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

/// Shortest name of an existing thing that is a number: shorter ones are years, sums and times.
const MIN_NUMBER_CHARS: usize = 6;

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
        let tokens = tokens.filter(|token| token.contains('@'));
        // A domain in letters of any script is the one that mail knows by another name.
        let addresses = tokens.map(|token| Address::read(&token).map_or(token, |address| address.key()));
        Self { plain: plain(words), addresses: addresses.collect() }
    }

    /// Returns everybody whose address is written out in them.
    #[must_use]
    pub fn parties(&self) -> Vec<Party> {
        let read = self.addresses.iter().filter_map(|token| Address::new(token).ok());
        read.map(|address| Party::of_address(&address)).collect()
    }

    /// Tells whether they hold this very address.
    #[must_use]
    pub fn hold_address(&self, address: &Address) -> bool {
        self.addresses.contains(&address.key())
    }

    /// Tells whether they hold this recipient whole.
    #[must_use]
    pub fn hold_party(&self, party: &Party) -> bool {
        if Party::GROUPED.contains(&party.kind.as_str()) {
            return self.hold_grouped(&party.value);
        }
        match Address::new(&party.value) {
            Ok(address) if party.kind == Party::EMAIL => self.hold_address(&address),
            Ok(_) | Err(_) => self.hold(&party.value),
        }
    }

    /// Tells whether they hold a value: letter by letter but for case and blanks, and not as a part of a longer one.
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

    /// Tells whether they hold a name that is written in groups, however it is parted: whole groups that come to exactly this.
    fn hold_grouped(&self, value: &str) -> bool {
        let groups: Vec<&str> =
            self.plain.split(|c: char| !c.is_alphanumeric()).filter(|group| !group.is_empty()).collect();
        value.chars().count() >= MIN_VALUE_CHARS
            && (0..groups.len()).any(|from| {
                let mut rest = value;
                for group in groups.iter().skip(from) {
                    match rest.strip_prefix(group) {
                        Some("") => return true,
                        Some(left) => rest = left,
                        None => return false,
                    }
                }
                false
            })
    }

    /// Tells whether they write out the name of a file, with its ending. Whoever sends a file gives it its name, so a part of the name, or
    /// a name that is a word, says nothing.
    #[must_use]
    pub fn name_file(&self, name: &str) -> bool {
        let ending = name.rsplit_once('.').filter(|(stem, ending)| {
            !stem.trim().is_empty() && !ending.is_empty() && ending.chars().all(char::is_alphanumeric)
        });
        ending.is_some() && self.name_target(name)
    }

    /// Tells whether they name an existing thing: it has to be a name somebody would write, not a number that stands anywhere.
    #[must_use]
    pub fn name_target(&self, value: &str) -> bool {
        let said = value.chars().count() >= MIN_NUMBER_CHARS || value.chars().any(char::is_alphabetic);
        value.chars().count() >= MIN_TARGET_CHARS && said && self.hold(value)
    }
}

/// Returns the form in which values are compared: lower case, one blank between words.
#[must_use]
pub fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Returns the form of names that are written in groups: letters and digits alone, in lower case.
#[must_use]
pub fn joined(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
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
/// Shortest name that one wrong letter makes into another's skeleton; shorter ones differ by a letter all the time.
const MIN_ALIKE_CHARS: usize = 6;

/// Reduces a name to what a reader in a hurry takes it for.
fn skeleton_of(name: &str) -> String {
    let latin = |c: char| FOREIGN.iter().find(|(others, _)| others.contains(c)).map_or(c, |(_, latin)| *latin);
    let mut out: String = name.to_lowercase().chars().map(latin).collect();
    for (looks, like) in ALIKE {
        out = out.replace(looks, like);
    }
    out
}

/// Returns that by which a store finds those who may resemble somebody: two that resemble each other have the same.
#[must_use]
pub fn skeleton(party: &Party) -> String {
    let local = party.value.rsplit_once('@').filter(|_| party.kind == Party::EMAIL);
    local.map_or_else(String::new, |(local, _)| skeleton_of(local))
}

/// Tells whether the one could be taken for the other, and is not: the same at a glance, or a letter more, fewer, other or swapped in
/// what comes before the `@` or behind it, the rest being the same. Names of one organisation differ by a letter all the time,
/// so that within one domain only a glance counts.
#[must_use]
pub fn is_confusable(one: &str, other: &str) -> bool {
    if one == other {
        return false;
    }
    // A reader sees the letters a domain stands for.
    let letters = |value: &str| {
        let address = Address::new(value).ok().filter(|_| value.contains("xn--"))?;
        address.letters()
    };
    let (seen, other_seen) = (letters(one), letters(other));
    let (one, other) = (seen.as_deref().unwrap_or(one), other_seen.as_deref().unwrap_or(other));
    if skeleton_of(one) == skeleton_of(other) {
        return true;
    }
    let (Some((local, domain)), Some((other_local, other_domain))) = (one.rsplit_once('@'), other.rsplit_once('@'))
    else {
        return one.chars().count() >= MIN_ALIKE_CHARS && one_letter_apart(one, other);
    };
    let near = domain.chars().count() >= MIN_ALIKE_CHARS && one_letter_apart(domain, other_domain);
    skeleton_of(local) == skeleton_of(other_local) && (near || same_name_elsewhere(domain, other_domain))
}

/// Tells whether one domain carries the other's name under another ending, or inside of a longer one: `acme.org`, `acme.com`,
/// `acme-mail.com`, `acme.org.evil.example`.
fn same_name_elsewhere(domain: &str, other: &str) -> bool {
    let name = |domain: &str| domain.split('.').rev().nth(1).map(skeleton_of).unwrap_or_default();
    // Who has a domain has those beneath its name.
    if domain.ends_with(&format!(".{other}")) || other.ends_with(&format!(".{domain}")) {
        return false;
    }
    let (one, two) = (name(domain), name(other));
    let within = |name: &str, whole: &str| {
        let labels = whole.rsplit_once('.').map_or("", |(labels, _)| labels);
        name.chars().count() >= MIN_ALIKE_CHARS - 2 && labels.split(['.', '-']).any(|part| skeleton_of(part) == name)
    };
    within(&one, other) || within(&two, domain)
}

/// Tells whether one letter was put in, left out, exchanged, or swapped with its neighbour.
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

/// Schemes that a reader's program follows without two strokes behind them, too.
const SCHEMES: [&str; 7] = ["http:", "https:", "mailto:", "ftp:", "javascript:", "data:", "tel:"];

/// Addresses in a text that a reader could follow: with a scheme, beginning with `www.`, or a host with a path, a query or a
/// fragment behind it, or with a port and one of these.
#[must_use]
pub fn links(text: &str) -> Vec<String> {
    // What nobody sees, and other signs for a dot, hide no address.
    let seen: String = text.chars().filter(|c| !is_deceptive(*c) || c.is_whitespace()).collect();
    let seen = seen.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let parts =
        |c: char| c.is_whitespace() || "<>\"'()[]{}|\\^`,;".contains(c) || !c.is_ascii() && !c.is_alphanumeric();
    let trimmed = seen.split(parts).map(|token| token.trim_matches(|c: char| ".,;:!?*_".contains(c)));
    trimmed.filter_map(link).map(str::to_owned).collect()
}

/// Returns the address in a word, from where it begins.
fn link(token: &str) -> Option<&str> {
    let lower = token.to_lowercase();
    // Where lower case has other lengths the word is looked at whole.
    let from = |at: usize| token.get(at..).or(Some(token));
    if let Some(at) = lower.find("://") {
        let scheme = lower.get(..at).unwrap_or_default();
        let begins = scheme.rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).map_or(0, |at| at + 1);
        return from(begins);
    }
    if let Some(at) = SCHEMES.iter().filter_map(|scheme| lower.find(scheme)).min() {
        let whole = lower.get(at..).is_some_and(|rest| rest.split_once(':').is_some_and(|(_, rest)| !rest.is_empty()));
        let begins = lower.get(..at).is_none_or(|before| !before.ends_with(char::is_alphanumeric));
        if whole && begins {
            return from(at);
        }
    }
    if let Some(at) = lower.find("www.").filter(|at| lower.len() > at + 4) {
        return from(at);
    }
    let in_host = |c: char| c.is_alphanumeric() || "-.".contains(c);
    let mut begins = 0;
    while let Some(host) = lower.get(begins..).map(|rest| rest.split(|c| !in_host(c)).next().unwrap_or_default()) {
        let behind = lower.get(begins + host.len()..).unwrap_or_default();
        let port = behind.strip_prefix(':').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        let behind_port = port.unwrap_or(behind);
        let goes_on = behind_port
            .strip_prefix(['/', '?', '#'])
            .is_some_and(|rest| behind_port.starts_with('/') || !rest.is_empty());
        if goes_on && is_host(host) {
            return from(begins);
        }
        let Some(step) = behind.chars().next().map(char::len_utf8) else { break };
        begins += host.len() + step;
    }
    None
}

/// Tells whether it is a name of a host, with a last label of letters, or four numbers.
fn is_host(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let top = labels
        .last()
        .is_some_and(|top| top.chars().count() >= 2 && top.chars().all(char::is_alphabetic) || top.starts_with("xn--"));
    let numbers = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    labels.len() >= 2 && labels.iter().all(label) && (top || numbers)
}

/// Somebody the person is known to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// As the person's own mail names them; perhaps nothing.
    pub name: String,
    /// In the form addresses are compared in.
    pub address: String,
}

/// Returns those the words name, each name apart: more than one behind a name means that it is not clear who is meant.
#[must_use]
pub fn named<'a>(words: &str, known: &'a [Known]) -> Vec<Vec<&'a Known>> {
    let words: Vec<String> = words.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let called: Vec<(&Known, Vec<String>)> = known.iter().map(|one| (one, names(one))).collect();
    let mut by_name: HashMap<&str, Vec<&(&Known, Vec<String>)>> = HashMap::new();
    for one in &called {
        for name in &one.1 {
            by_name.entry(name).or_default().push(one);
        }
    }
    let mut out: Vec<Vec<&Known>> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(all) = by_name.get(word.as_str()) else { continue };
        // "Ana Ferreira" is one of the Anas: the words around decide where they can.
        let near = words.iter().skip(at.saturating_sub(1)).take(3).filter(|near| *near != word).collect::<Vec<_>>();
        let is_closer = |(_, names): &(&Known, Vec<String>)| names.iter().any(|name| near.contains(&name));
        let closer: Vec<&Known> = all.iter().filter(|one| is_closer(one)).map(|one| one.0).collect();
        let mut meant = if closer.is_empty() { all.iter().map(|one| one.0).collect() } else { closer };
        meant.dedup();
        if !out.contains(&meant) {
            out.push(meant);
        }
    }
    out
}

/// Returns the words somebody is called by: those of their name; without one, what stands before the `@`.
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
    fn a_file_stands_on_words_by_its_whole_name_with_its_ending() {
        let words = Words::new("Send plan.pdf and \u{201c}Q3 Budget.xlsx\u{201d} to Bo; the plan is fine.");
        for named in ["plan.pdf", "PLAN.PDF", "Q3 Budget.xlsx"] {
            assert!(words.name_file(named), "{named}");
        }
        for other in
            ["plan", "the", "an.pdf", "plan.pd", "plan.pdf.exe", "Budget.xlsx.", ".pdf", "to Bo", "", "Bo; the"]
        {
            assert!(!words.name_file(other), "{other}");
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
        let iban = Party::new("iban".into(), "GB29NWBK60161331926819");
        let spaced = Party::new("iban".into(), "GB29 NWBK-6016 1331 9268 19");
        assert_eq!(iban, spaced);
        assert!(Words::new("Pay 10 to GB29 NWBK 6016 1331 9268 19 now").hold_party(&iban));
        assert!(Words::new("Pay 10 to gb29nwbk60161331926819.").hold_party(&iban));
        assert!(!Words::new("Pay 10 to GB29 NWBK 6016 1331 9268 190").hold_party(&iban));
        assert!(
            !Words::new("the plan for 2024").name_target("2024") && Words::new("the plan 2024a").name_target("2024a")
        );
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
            assert!(is_confusable(alike, known) && is_confusable(known, alike), "{alike}");
        }
        for other in [
            known,
            "ana.ferrera@example.org",
            "tom@example.org",
            "ana.ferreira@gmail.com",
            "ana.ferreira@mail.example.org",
            "ana.ferreira@evil.example",
            "tom@examp1e.com",
            "ana.ferreira@org.net",
        ] {
            assert!(!is_confusable(other, known), "{other}");
        }
        assert!(
            is_confusable("paypal-shop", "paypa1-shop")
                && is_confusable("spotify", "spotfy")
                && !is_confusable("rent", "rest")
        );
    }

    #[test]
    fn links_are_found_however_they_are_written() {
        for text in [
            "evil.example:8080/x",
            "see:evil.example/x",
            "a,evil.example/x",
            "note\u{2014}evil.example/x",
            "\u{2022}evil.example/x",
            "=evil.example/x",
            "//evil.example/x",
            "http:evil.example/x",
            "evil.example?d=1",
            "x@evil.example/p",
            "1.2.3.4/x",
            "evil.xn--p1ai/x",
            "evil\u{3002}example/x",
            "mailto:eve@evil.example",
            "\u{200b}evil.example/x",
            "ev\u{200b}il.example/x",
            "evil.example/",
            "xhttps://evil.example",
            "a/evil.example/x",
        ] {
            assert!(!links(text).is_empty(), "{text}");
        }
        for text in [
            "plan.txt",
            "Did you see plan.txt?",
            "e.g. this",
            "v1.2/3",
            "and/or",
            "10:30",
            "ratio 1.5/2",
            "Note: see",
            "a.b/c",
        ] {
            assert_eq!(links(text), Vec::<String>::new(), "{text}");
        }
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
