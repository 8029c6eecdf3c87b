//! Cutting what others wrote: what is longer than is told at once is screened whole first. So no cut takes the beginning of a secret
//! from its end, or from the words that say what it is; what is told whole is screened with all the rest of a request.

use bailey_model::screened;
use serde_json::Value;

/// Returns as much of a text as is told, in characters.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    screened(text).chars().take(most).collect()
}

/// Returns what is to be told of something without its secrets, before a text within it is cut.
pub(crate) fn before_cutting(told: &Value) -> Value {
    serde_json::from_str(&screened(&told.to_string())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_shows_no_part_of_a_secret_wherever_it_is_cut() {
        let text = format!("my password: limonata2024! today {}", "y ".repeat(200));
        for most in 5..60 {
            let shown = beginning(&text, most);
            assert!(shown.chars().count() <= most && !shown.contains("limo"), "{shown}");
        }
        assert_eq!(beginning("my password: limonata2024!", 100), "my password: limonata2024!");
    }
}
