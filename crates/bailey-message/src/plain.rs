//! Plain text as it is shown: lines that flow put together (RFC 3676), without what nobody sees.

use crate::invisible;

/// Makes lines of a plain part's text; the number says how many hidden characters were left out.
pub(crate) fn lines(text: &str, flowed: bool, delsp: bool) -> (String, usize) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = if flowed { flow(&text, delsp) } else { text };
    let (text, hidden) = invisible::without(&text);
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let lines: Vec<&str> = kept.lines().map(str::trim_end).collect();
    (lines.join("\n").trim_matches('\n').to_owned(), hidden)
}

fn flow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The quotation depth of a line that flows on.
    let mut flows: Option<usize> = None;
    for line in text.lines() {
        let words = line.trim_start_matches('>');
        let depth = line.len() - words.len();
        let words = words.strip_prefix(' ').unwrap_or(words);
        let signature = words == "-- ";
        if flows != Some(depth) || signature {
            if !out.is_empty() {
                out.push('\n');
            }
            if depth > 0 {
                out.push_str(&">".repeat(depth));
                out.push(' ');
            }
        }
        let soft = words.ends_with(' ') && !signature;
        out.push_str(if soft && delsp { words.strip_suffix(' ').unwrap_or(words) } else { words });
        flows = soft.then_some(depth);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowing_lines_are_put_together() {
        let flowed = "One line that \nflows on.\n> quoted and \n> flowing\n>> deeper\n-- \nAna\n From here";
        assert_eq!(
            lines(flowed, true, false).0,
            "One line that flows on.\n> quoted and flowing\n>> deeper\n--\nAna\nFrom here"
        );
        assert_eq!(lines("ab \ncd", true, true).0, "abcd");
        assert_eq!(lines("ab \ncd", false, false).0, "ab\ncd");
    }

    #[test]
    fn controls_and_hidden_characters_are_left_out() {
        assert_eq!(lines("a\u{1b}[2Jb\r\nc\rd\u{e0041}", false, false), ("a[2Jb\nc\nd".into(), 1));
    }
}
