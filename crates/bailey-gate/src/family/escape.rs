//! Makes text safe to look at: what a terminal or a page would act on, or not show, is written out instead.
//!
//! One table for whatever shows others' words to a person. Letters of every script are shown as they are, with the marks that
//! belong to them. What joins or varies letters without being seen is written out wherever it stands: between the
//! parts of some emoji (U+200D, U+FE0F), and in words of Persian or of Indic scripts that use it. Places where no
//! character is yet are shown as they are, unless they are kept for what is not seen.

mod marks;

use std::fmt::Write;

/// Most marks in a row that are shown over or under one letter. Hebrew with vowels and accents has four; more of them reach
/// into the lines above and below.
const MAX_MARKS: usize = 4;

/// Tells whether a character could hide or reorder text, stand for a blank that is none, or drive a terminal.
///
/// Control and format characters, separators and blanks but the space (general categories Cc, Cf, Zl, Zp, Zs; UAX 44),
/// bidirectional controls (UAX 9), what is ignorable by default (UAX 44, 5.15), private use (Co), noncharacters (the Unicode
/// Standard, 23.7), and characters that are drawn as nothing.
#[must_use]
pub const fn is_deceptive(c: char) -> bool {
    // The last two places of every plane.
    if (c as u32) & 0xfffe == 0xfffe {
        return true;
    }
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{1680}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffc}' | '\u{1107f}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{16fe4}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}')
}

/// Returns the characters of a text, and whether each is to be written out: because of what it is, or as one mark too many.
pub fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    text.chars().scan(0, |marks: &mut usize, c| {
        *marks = if marks::is_mark(c) { *marks + 1 } else { 0 };
        Some((c, is_deceptive(c) || *marks > MAX_MARKS))
    })
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (c, written_out) in judged(text) {
        if written_out && !keep(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns one line, every deceptive character and every mark too many written as `\u{…}`.
#[must_use]
pub fn visible(text: &str) -> String {
    escape(text, |_| false)
}

/// Escapes several lines: line breaks stay, every other deceptive character and every mark too many is written as `\u{…}`.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    escape(text, |c| c == '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
    use icu_properties::{CodePointMapData, CodePointSetData};

    #[test]
    fn what_could_deceive_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c\u{200b}d\r\n"), "a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{d}\\u{a}");
        assert_eq!(visible_lines("a\n\tb\r"), "a\n\\u{9}b\\u{d}");
        assert_eq!(visible("a\u{3000}\u{a0}\u{2800}b\u{e000}"), "a\\u{3000}\\u{a0}\\u{2800}b\\u{e000}");
        assert_eq!(visible("Grüße 👋"), "Grüße 👋");
    }

    #[test]
    fn letters_are_shown_with_their_marks_and_piles_of_marks_are_not() {
        for ordinary in [
            "Tiếng Việt",
            "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t",
            "हिन्दी में क्या है",
            "العَرَبِيَّةُ",
            "ภาษาไทยที่นี่",
            "שָׁלוֹם עֲלֵיכֶ֑ם",
            "བོད་སྐད་བསྒྲུབས",
            "ὦ ἄνδρες Ἀθηναῖοι",
            "한국어 日本語が",
            "€ 5 – “ja” … №",
        ] {
            assert_eq!(visible(ordinary), ordinary);
        }
        let pile = format!("a{}b", "\u{301}".repeat(40));
        assert_eq!(visible(&pile), format!("a{}{}b", "\u{301}".repeat(4), "\\u{301}".repeat(36)));
    }

    /// The tables are held against those of the Unicode Character Database, as ICU4X carries them.
    #[test]
    fn every_character_is_shown_as_itself_or_written_out() {
        let category = CodePointMapData::<GeneralCategory>::new();
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        // Drawn as nothing, whatever their category says: blanks, fillers, joiners, what stands for an object.
        let drawn_as_nothing = ['\u{2800}', '\u{fffc}', '\u{1107f}', '\u{16fe4}', '\u{1d159}'];
        for c in '\0'..=char::MAX {
            use GeneralCategory as G;
            let code = u32::from(c);
            let noncharacter = (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe;
            let hidden = match category.get(c) {
                G::Control | G::Format | G::PrivateUse | G::LineSeparator | G::ParagraphSeparator => true,
                G::SpaceSeparator => c != ' ',
                _ => ignorable.contains(c) || noncharacter || drawn_as_nothing.contains(&c),
            };
            assert_eq!(is_deceptive(c), hidden, "U+{code:04X}");
            let shown = visible(&c.to_string());
            assert_eq!(shown, if hidden { format!("\\u{{{code:x}}}") } else { c.to_string() });
            let mark = matches!(category.get(c), G::NonspacingMark | G::EnclosingMark);
            assert_eq!(marks::is_mark(c), mark, "U+{code:04X}");
        }
    }
}
