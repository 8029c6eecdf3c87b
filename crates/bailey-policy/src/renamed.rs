//! Rules of earlier versions: homes keep rules as they were written, and some facts had other names.

use bailey_gate::policy::RENAMED_FACTS;

/// What a piece of Cedar text is, as far as names of facts go.
enum Piece<'a> {
    /// Letters, digits and underscores.
    Word(&'a str),
    /// Text in quotation marks, without them.
    Quoted(&'a str),
    /// Blanks and remarks.
    Blank(&'a str),
    /// Any other sign.
    Sign(&'a str),
}

/// Takes the next piece off a text.
fn next(text: &str) -> Option<(Piece<'_>, &str)> {
    let first = text.chars().next()?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let cut = |at: usize| text.split_at_checked(at).unwrap_or((text, ""));
    if is_word(first) {
        let (word, rest) = cut(text.find(|c| !is_word(c)).unwrap_or(text.len()));
        Some((Piece::Word(word), rest))
    } else if first.is_whitespace() {
        let (blank, rest) = cut(text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()));
        Some((Piece::Blank(blank), rest))
    } else if text.starts_with("//") {
        let (remark, rest) = cut(text.find('\n').unwrap_or(text.len()));
        Some((Piece::Blank(remark), rest))
    } else if let Some(quoted) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (inside, rest) = quoted.split_at_checked(end.unwrap_or(quoted.len())).unwrap_or((quoted, ""));
        match rest.strip_prefix('"') {
            Some(rest) => Some((Piece::Quoted(inside), rest)),
            // Without an end it is no Cedar, and is left as it is.
            None => Some((Piece::Sign(text), "")),
        }
    } else {
        let (sign, rest) = cut(first.len_utf8());
        Some((Piece::Sign(sign), rest))
    }
}

/// Names the facts in the Cedar text of a rule as this version does, however the text reaches for them: `context.fact`,
/// `context["fact"]`, `context has fact`.
pub(crate) fn with_current_names(cedar: &str) -> String {
    let now = |name: &str| {
        RENAMED_FACTS.iter().find(|(then, _)| *then == name).map_or(name.to_owned(), |(_, now)| (*now).to_owned())
    };
    let (mut out, mut rest) = (String::with_capacity(cedar.len()), cedar);
    // Behind `context`, and then behind what reaches into it, stands the name of a fact.
    let (mut of_context, mut names_fact) = (false, false);
    while let Some((piece, behind)) = next(rest) {
        rest = behind;
        match piece {
            Piece::Blank(blank) => out.push_str(blank),
            Piece::Word("has") if of_context => {
                out.push_str("has");
                (of_context, names_fact) = (false, true);
            }
            Piece::Word(word) => {
                out.push_str(&if names_fact { now(word) } else { word.to_owned() });
                (of_context, names_fact) = (!names_fact && word == "context", false);
            }
            Piece::Quoted(inside) => {
                out.extend(["\"", &if names_fact { now(inside) } else { inside.to_owned() }, "\""]);
                (of_context, names_fact) = (false, false);
            }
            Piece::Sign(sign) => {
                out.push_str(sign);
                (of_context, names_fact) = (false, of_context && matches!(sign, "." | "["));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_renamed_however_a_rule_reaches_for_them() {
        for (then, now) in [
            ("context.receivers > 0", "context.recipients > 0"),
            ("context . receivers", "context . recipients"),
            ("context\n  .besideReceivers", "context\n  .offTaskRecipients"),
            ("context[\"receivers\"]", "context[\"recipients\"]"),
            ("context [ \"receivers\" ]", "context [ \"recipients\" ]"),
            ("context has ungroundedReceivers && context.x", "context has ungroundedRecipients && context.x"),
            ("context has \"receivers\"", "context has \"recipients\""),
            ("context /* */.receivers", "context /* */.receivers"),
            ("context // receivers\n.receivers", "context // receivers\n.recipients"),
            // Not facts: another's field, words in quotation marks, what only begins so.
            ("principal.receivers", "principal.receivers"),
            ("context.names.contains(\"context.receivers\")", "context.names.contains(\"context.receivers\")"),
            ("\"\\\"context.receivers\"", "\"\\\"context.receivers\""),
            ("context.receiversX", "context.receiversX"),
            ("\"open context.receivers", "\"open context.receivers"),
        ] {
            assert_eq!(with_current_names(then), now, "{then}");
            assert_eq!(with_current_names(now), now, "{now}");
        }
    }
}
