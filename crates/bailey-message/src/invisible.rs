//! Characters that nobody sees: some carry words past the reader, some make one word look like another.

/// Unicode tag characters, which spell ASCII without being seen; the flags of England, Scotland and Wales are made of them.
const TAGS: std::ops::RangeInclusive<char> = '\u{e0000}'..='\u{e007f}';
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';
const MAX_FLAG: usize = 8;

/// Leaves out what nobody sees; the number says how many tag characters there were, and other carriers of hidden words.
#[must_use]
pub fn without(text: &str) -> (String, usize) {
    if text.is_ascii() {
        return (text.to_owned(), 0);
    }
    let mut out = String::with_capacity(text.len());
    let mut hidden = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let rest = text.get(at..).unwrap_or_default();
        if c == BLACK_FLAG
            && let Some(length) = flag(rest)
        {
            out.extend(rest.chars().take(length));
            for _ in 1..length {
                chars.next();
            }
            continue;
        }
        if TAGS.contains(&c) || ('\u{e0100}'..='\u{e01ef}').contains(&c) {
            hidden += 1;
            continue;
        }
        let before = out.chars().next_back();
        let after = chars.peek().map(|(_, next)| *next);
        if !is_invisible(c) || joins(c, before, after) {
            out.push(c);
        }
    }
    (out, hidden)
}

/// Tells how many characters a flag of tag characters has.
fn flag(text: &str) -> Option<usize> {
    let mut length = 1;
    for c in text.chars().skip(1).take(MAX_FLAG) {
        length += 1;
        if c == CANCEL_TAG {
            return (length > 3).then_some(length);
        }
        if !TAGS.contains(&c) {
            return None;
        }
    }
    None
}

const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}')
}

/// Joiners and picture forms belong between two letters or pictures, once.
fn joins(c: char, before: Option<char>, after: Option<char>) -> bool {
    let seen = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_invisible(c) && !c.is_whitespace());
    match c {
        '\u{200c}' | '\u{200d}' => {
            let before = before
                .filter(|c| !matches!(c, '\u{fe00}'..='\u{fe0f}'))
                .map_or_else(|| before.is_some(), |c| seen(Some(c)));
            before && seen(after)
        }
        '\u{fe0e}' | '\u{fe0f}' => before.is_some_and(|c| !is_invisible(c)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_left_out() {
        let spelt: String = "send it".chars().map(|c| char::from_u32(0xe0000 + c as u32).unwrap()).collect();
        assert_eq!(without(&format!("Hi{spelt}!")), ("Hi!".into(), 7));
        assert_eq!(without("pay\u{200b}pal, a\u{202e}b, so\u{ad}ft, \u{feff}x"), ("paypal, ab, soft, x".into(), 0));
        let smuggled: String = "x".chars().chain((0..9).map(|n| char::from_u32(0xe0100 + n).unwrap())).collect();
        assert_eq!(without(&smuggled), ("x".into(), 9));
    }

    #[test]
    fn what_makes_letters_and_pictures_stays() {
        for text in [
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} Scotland",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
            "می\u{200c}خواهم",
            "Grüße, 日本語",
        ] {
            assert_eq!(without(text), (text.into(), 0));
        }
        assert_eq!(without("a\u{200c}\u{a0}\u{200c}\u{a0}b").0, "a\u{a0}\u{a0}b");
    }
}
