//! Internationalised domain names in the two forms they have: letters, and `xn--…` (RFC 3492, RFC 5890).
//!
//! Mail travels in the second form, and actions hold nothing else; here are the steps between the two, without tables: what Unicode
//! would map to something else (UTS 46) stays another name here, which nobody is known by. What reads mail maps first.

/// Parameters of the encoding for domain names: RFC 3492, 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;
/// What an encoded label begins with.
const PREFIX: &str = "xn--";
/// Longest label in bytes: RFC 1035, 2.3.4.
const MAX_LABEL: usize = 63;

/// Letters of scripts that have look-alikes of Latin ones: Greek, Cyrillic, Armenian, Cherokee.
const LIKE_LATIN: [(u32, u32); 8] = [
    (0x370, 0x3ff),
    (0x400, 0x52f),
    (0x530, 0x58f),
    (0x13a0, 0x13ff),
    (0x1c80, 0x1c8f),
    (0x1f00, 0x1fff),
    (0xa640, 0xa69f),
    (0xab70, 0xabbf),
];

/// Tells whether a label of a domain has Latin letters beside others that look like them, which no registry gives out (UTS 39, 5.2):
/// it is written to be taken for another.
#[must_use]
pub fn mixes_scripts(domain: &str) -> bool {
    let alike = |c: char| LIKE_LATIN.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)));
    domain.split('.').any(|label| {
        let latin = label.chars().any(|c| c.is_alphabetic() && u32::from(c) < 0x370);
        latin && label.chars().any(alike)
    })
}

/// Writes a domain in the form mail travels in. `None` where a character is no letter, digit or hyphen, a label is too long, or mixes
/// scripts.
#[must_use]
pub fn to_ascii(domain: &str) -> Option<String> {
    let labels = domain.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).map(|label| {
        let label = label.to_lowercase();
        if label.is_ascii() {
            return Some(label);
        }
        let plain = label.chars().all(|c| c == '-' || c.is_alphanumeric());
        let encoded = encode(&label).filter(|_| plain && !mixes_scripts(&label))?;
        Some(format!("{PREFIX}{encoded}")).filter(|label| label.len() <= MAX_LABEL)
    });
    labels.collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
}

/// Returns the letters behind a domain, where they are not what stands there; `None` for all else, and for what does not lead back.
#[must_use]
pub fn letters(domain: &str) -> Option<String> {
    let label = |label: &str| match label.strip_prefix(PREFIX) {
        Some(rest) => decode(rest),
        None => Some(label.to_owned()),
    };
    let shown = domain.split('.').map(label).collect::<Option<Vec<_>>>()?.join(".");
    (shown != domain && to_ascii(&shown).as_deref() == Some(domain)).then_some(shown)
}

fn digit(value: u32) -> Option<char> {
    let byte = u8::try_from(value).ok()?;
    Some(char::from(if byte < 26 { b'a' + byte } else { b'0' + (byte - 26) }))
}

const fn value(c: char) -> Option<u32> {
    match c {
        'a'..='z' => Some(c as u32 - 'a' as u32),
        '0'..='9' => Some(c as u32 - '0' as u32 + 26),
        _ => None,
    }
}

const fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (((BASE - T_MIN + 1) * delta) / (delta + SKEW))
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn encode(label: &str) -> Option<String> {
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let total = u32::try_from(label.chars().count()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut done) = (INITIAL_N, 0_u32, INITIAL_BIAS, basic);
    while done < total {
        let next = label.chars().map(u32::from).filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for c in label.chars().map(u32::from) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c == n {
                let (mut q, mut k) = (delta, BASE);
                loop {
                    let t = threshold(k, bias);
                    if q < t {
                        break;
                    }
                    out.push(digit(t + (q - t) % (BASE - t))?);
                    q = (q - t) / (BASE - t);
                    k += BASE;
                }
                out.push(digit(q)?);
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

fn decode(label: &str) -> Option<String> {
    if label.len() > MAX_LABEL || !label.is_ascii() {
        return None;
    }
    let (basic, rest) = label.rsplit_once('-').unwrap_or(("", label));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (INITIAL_N, 0_u32, INITIAL_BIAS);
    let mut digits = rest.chars();
    while let Some(first) = digits.next() {
        let (old, mut weight, mut k, mut next) = (i, 1_u32, BASE, Some(first));
        loop {
            let v = value(next?)?;
            i = i.checked_add(v.checked_mul(weight)?)?;
            let t = threshold(k, bias);
            if v < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
            next = digits.next();
        }
        let points = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(i - old, points, old == 0);
        n = n.checked_add(i / points)?;
        i %= points;
        out.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_two_forms() {
        for (letters_, ascii) in [
            ("exämple.org", "xn--exmple-cua.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("mail.köln.example", "mail.xn--kln-sna.example"),
        ] {
            assert_eq!(to_ascii(letters_).as_deref(), Some(ascii));
            assert_eq!(letters(ascii).as_deref(), Some(letters_));
        }
        assert_eq!(to_ascii("EXÄMPLE.org").as_deref(), Some("xn--exmple-cua.org"));
        assert_eq!(to_ascii("Example.ORG").as_deref(), Some("example.org"));
        assert_eq!(to_ascii("ex\u{200b}ämple.org"), None);
        assert_eq!(to_ascii("ex\u{430}mple.org"), None, "a Cyrillic a among Latin letters");
        assert_eq!(letters("xn--exmple-4nf.org"), None);
        assert_eq!(to_ascii(&format!("{}ä.org", "a".repeat(60))), None);
    }

    #[test]
    fn domains_that_do_not_lead_back_are_shown_as_they_are() {
        for odd in ["example.org", "xn--.org", "xn--a.org", "xn--99999999.org", "xn--exmple-cua-.org", "xn--\u{e4}.org"]
        {
            assert_eq!(letters(odd), None, "{odd}");
        }
    }
}
