//! How a list says one can leave it: `List-Unsubscribe` (RFC 2369) and `List-Unsubscribe-Post` (RFC 8058).

use serde::Serialize;

use crate::fields::Fields;

/// Most ways that are told of.
const MAX_WAYS: usize = 5;

/// How to leave the list that a mail came by. Anybody can write this; it says nothing about whether it is true.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Unsubscribe {
    /// Addresses on the web.
    pub web: Vec<String>,
    /// Addresses to write to, with what to write.
    pub mail: Vec<String>,
    /// Tells whether both fields of RFC 8058 are there, so that one request is enough.
    pub one_click: bool,
}

pub(crate) fn of(fields: &Fields) -> Option<Unsubscribe> {
    let value = fields.text("list-unsubscribe")?;
    let mut found = Unsubscribe::default();
    for way in value.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(way, _)| way) {
        // Addresses may be folded wherever the writer liked.
        let way: String = way.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let lower = way.to_ascii_lowercase();
        if lower.starts_with("mailto:") && found.mail.len() < MAX_WAYS {
            found.mail.push(way);
        } else if (lower.starts_with("https:") || lower.starts_with("http:")) && found.web.len() < MAX_WAYS {
            found.web.push(way);
        }
    }
    let post = fields.text("list-unsubscribe-post").unwrap_or_default();
    let secure = found.web.iter().any(|way| way.to_ascii_lowercase().starts_with("https:"));
    found.one_click = secure && post.replace(' ', "").eq_ignore_ascii_case("List-Unsubscribe=One-Click");
    (!found.web.is_empty() || !found.mail.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_leave_a_list_are_told() {
        let of = |header: &str| of(&Fields::split(format!("{header}\r\n\r\n").as_bytes()).0);
        let both = "List-Unsubscribe: <mailto:out@example.org?subject=x>,\r\n <https://example.org/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click";
        let found = of(both).unwrap();
        assert_eq!(found.web, ["https://example.org/u/1"]);
        assert_eq!(found.mail, ["mailto:out@example.org?subject=x"]);
        assert!(found.one_click);
        assert!(
            !of("List-Unsubscribe: <http://example.org/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click")
                .unwrap()
                .one_click
        );
        assert!(!of("List-Unsubscribe: <https://example.org/u>").unwrap().one_click);
        assert_eq!(of("List-Unsubscribe: see the web"), None);
        assert_eq!(of("List-Unsubscribe: <javascript:x>"), None);
    }
}
