//! How a list says one can leave it: `List-Unsubscribe` (RFC 2369) and `List-Unsubscribe-Post` (RFC 8058).

use serde::Serialize;

use crate::authentication::{Checked, authentication};
use crate::fields::Fields;
use crate::params::percent_decoded;

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

/// The ways out of a list that can be taken without a browser.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leaving {
    /// The first https address of one that takes one request (RFC 8058), and the domain whose signature covers it, if one does.
    pub one_click: Option<(String, Option<String>)>,
    /// A mail to write.
    pub mail: Option<LeavingMail>,
}

/// A mail that leaves a list, as the list asks for it (RFC 6068): one recipient, a subject, a text; whatever else it asks for is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingMail {
    /// Whom to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// Most characters of the subject and of the text that a list asks for.
const MAX_ASKED: usize = 500;
/// Subject and text where a list asks for none.
const USUAL: &str = "unsubscribe";

/// Looks for ways out of the list that a mail came by; `own` are the account's own servers ([`crate::own_servers`]).
#[must_use]
pub fn leaving(fields: &Fields, own: &[String]) -> Leaving {
    let Some(ways) = of(fields) else { return Leaving::default() };
    let is_https = |way: &&String| way.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("https:"));
    let web = ways.web.iter().find(is_https).filter(|_| ways.one_click).cloned();
    Leaving {
        one_click: web.map(|web| (web, signed_by(fields, own))),
        mail: ways.mail.iter().find_map(|way| mail(way)),
    }
}

/// Returns the domain whose valid signature covers both fields, which RFC 8058, 4 asks for. A field that stands there twice may be covered
/// once: then none is.
fn signed_by(fields: &Fields, own: &[String]) -> Option<String> {
    const COVERED: [&str; 3] = ["from", "list-unsubscribe", "list-unsubscribe-post"];
    let once = |name: &str| fields.iter().filter(|(known, _)| *known == name).count() == 1;
    if !COVERED.iter().all(|name| once(name)) {
        return None;
    }
    let signatures: Vec<Vec<(String, String)>> = fields
        .iter()
        .filter(|(name, _)| *name == "dkim-signature")
        .map(|(_, value)| tags(&fields.line(value)))
        .collect();
    let covers = |signature: &Vec<(String, String)>| {
        let signed = tag(signature, "h").to_ascii_lowercase();
        let signed: Vec<&str> = signed.split(':').collect();
        COVERED.iter().all(|name| signed.contains(name))
    };
    authentication(fields, own).iter().filter(|one| one.method == "dkim" && one.result == "pass").find_map(|valid| {
        let domain = domain_of(valid)?;
        let mut meant = signatures.iter().filter(|signature| is_meant(valid, &domain, signature)).peekable();
        // Which of several is valid is not said: each has to cover them.
        (meant.peek().is_some() && meant.all(covers)).then_some(domain)
    })
}

/// Returns the domain that a result is about: `header.d`, or behind the at sign of `header.i` (RFC 8601, 2.7.1).
fn domain_of(checked: &Checked) -> Option<String> {
    let domain =
        checked.property("header.d").or_else(|| checked.property("header.i")?.rsplit_once('@').map(|(_, it)| it));
    domain.map(str::to_ascii_lowercase).filter(|domain| !domain.is_empty())
}

/// Tells whether a result may be about a signature: of its domain, its selector and the beginning of its text, where they are said.
fn is_meant(valid: &Checked, domain: &str, signature: &[(String, String)]) -> bool {
    tag(signature, "d").eq_ignore_ascii_case(domain)
        && valid.property("header.s").is_none_or(|selector| tag(signature, "s").eq_ignore_ascii_case(selector))
        && valid.property("header.b").is_none_or(|begin| tag(signature, "b").starts_with(begin))
}

/// Reads the tags of a signature (RFC 6376, 3.2), without blanks.
fn tags(value: &str) -> Vec<(String, String)> {
    let plain: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    let pair = |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    plain.split(';').filter_map(pair).collect()
}

/// Returns the value of a tag; nothing where it is not there.
fn tag<'a>(tags: &'a [(String, String)], name: &str) -> &'a str {
    tags.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// Reads `mailto:address?subject=…&body=…` (RFC 6068).
fn mail(way: &str) -> Option<LeavingMail> {
    let (_, rest) = way.split_once(':')?;
    let (to, more) = rest.split_once('?').unwrap_or((rest, ""));
    let decoded = |text: &str| String::from_utf8_lossy(&percent_decoded(text)).into_owned();
    let asked = |name: &str| {
        let fields = more.split('&').filter_map(|field| field.split_once('='));
        let value =
            fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| decoded(value));
        let value = value.unwrap_or_default();
        let plain: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_ASKED).collect();
        if plain.trim().is_empty() { USUAL.to_owned() } else { plain.trim().to_owned() }
    };
    let to = decoded(to).trim().to_owned();
    let one = to.contains('@') && !to.contains([',', ';', ' ', '<', '>']);
    one.then(|| LeavingMail { to, subject: asked("subject"), body: asked("body") })
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

    const LIST: &str = "From: News <news@list.example>\r\nList-Unsubscribe: <mailto:out@list.example?subject=leave%20it&cc=eve@evil.example>,\r\n <https://list.example/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click";
    const SIGNED: &str = "DKIM-Signature: v=1; a=rsa-sha256; d=list.example; s=k1;\r\n h=From:To:List-Unsubscribe:\r\n List-Unsubscribe-Post; b=AbC\r\n dEf";
    const PASSES: &str =
        "Authentication-Results: mx.home.example; dkim=pass header.d=list.example header.s=k1 header.b=AbCd";

    fn left(header: &str) -> Leaving {
        leaving(&Fields::split(format!("{header}\r\n\r\n").as_bytes()).0, &["home.example".to_owned()])
    }

    #[test]
    fn one_click_counts_where_a_valid_signature_covers_it() {
        let signer = |header: &str| left(header).one_click.map(|(_, by)| by);
        let by = |domain: &str| Some(Some(domain.to_owned()));
        assert_eq!(signer(&format!("{PASSES}\r\n{SIGNED}\r\n{LIST}")), by("list.example"));
        let by_identity = PASSES.replace("header.d=list.example", "header.i=@list.example");
        assert_eq!(signer(&format!("{by_identity}\r\n{SIGNED}\r\n{LIST}")), by("list.example"));
        for (what, header) in [
            ("no result", format!("{SIGNED}\r\n{LIST}")),
            ("no signature", format!("{PASSES}\r\n{LIST}")),
            ("another server's result", format!("{}\r\n{SIGNED}\r\n{LIST}", PASSES.replace("home", "evil"))),
            ("a failure", format!("{}\r\n{SIGNED}\r\n{LIST}", PASSES.replace("pass", "fail"))),
            ("another domain's signature", format!("{}\r\n{SIGNED}\r\n{LIST}", PASSES.replace("list.", "other."))),
            ("another selector", format!("{}\r\n{SIGNED}\r\n{LIST}", PASSES.replace("k1", "k2"))),
            ("another signature", format!("{}\r\n{SIGNED}\r\n{LIST}", PASSES.replace("AbCd", "AbCx"))),
            ("not covered", format!("{PASSES}\r\n{}\r\n{LIST}", SIGNED.replace("List-Unsubscribe-Post", "Subject"))),
            ("put on top", format!("{PASSES}\r\nList-Unsubscribe: <https://evil.example/>\r\n{SIGNED}\r\n{LIST}")),
            (
                "a second signature of the domain",
                format!(
                    "{}\r\n{SIGNED}\r\nDKIM-Signature: d=list.example; h=from; b=x\r\n{LIST}",
                    PASSES.split(" header.s").next().unwrap()
                ),
            ),
        ] {
            assert_eq!(signer(&header), Some(None), "{what}");
        }
        assert_eq!(signer("From: a@b.example\r\nList-Unsubscribe: <https://list.example/u>"), None);
    }

    #[test]
    fn a_mail_that_leaves_a_list_is_to_one_with_a_subject_and_a_text() {
        let mail = left(LIST).mail.unwrap();
        assert_eq!(
            (mail.to.as_str(), mail.subject.as_str(), mail.body.as_str()),
            ("out@list.example", "leave it", "unsubscribe")
        );
        let of = |way: &str| left(&format!("List-Unsubscribe: <{way}>")).mail;
        assert_eq!(
            of("mailto:out@list.example?body=a%0D%0AX-Y%3A%20z&subject=").map(|mail| (mail.subject, mail.body)),
            Some(("unsubscribe".into(), "a  X-Y: z".into()))
        );
        for none in
            ["mailto:", "mailto:a@b.example,eve@evil.example", "mailto:a@b.example%2Ceve@evil.example", "mailto:nobody"]
        {
            assert_eq!(of(none), None, "{none}");
        }
    }

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
