//! Makes text safe to look at: what a terminal or a page would act on is written out instead.

use std::fmt::Write;

/// Whether a character could hide or reorder text, or drive a terminal.
///
/// Control characters, bidirectional controls (Unicode UAX 9), zero-width and other invisible format characters, tag
/// characters and variation selectors.
#[must_use]
pub const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) && !keep(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// One line, every deceptive character written as `\u{…}`.
#[must_use]
pub fn visible(text: &str) -> String {
    escape(text, |_| false)
}

/// Several lines: line breaks and tabs stay, every other deceptive character is written as `\u{…}`.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c\u{200b}d\r\n"), "a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{d}\\u{a}");
        assert_eq!(visible_lines("a\n\tb\r"), "a\n\tb\\u{d}");
        assert_eq!(visible("Grüße 👋"), "Grüße 👋");
    }
}
