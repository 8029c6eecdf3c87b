//! Who wrote to whom: names and addresses apart, never as text that is cut again.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use serde::Serialize;

use crate::fields::Fields;

/// Most addresses of one field that are read.
const MAX_ADDRESSES: usize = 2_000;
/// Characters of a name.
const MAX_NAME: usize = 200;

/// Someone a mail names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Mailbox {
    /// The name, as the mail's writer chose it; it proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `name@domain`, with the domain as the mail system writes it (`xn--…`); empty where the field holds none.
    pub address: String,
    /// The address with its domain in its own letters (RFC 5890), where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// The group it was named in (RFC 5322, 3.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl std::fmt::Display for Mailbox {
    /// Writes `"Name" <address>`, the name quoted, so that nobody can take a part of it for an address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "\"{}\" <{}>", name.replace('\\', "\\\\").replace('"', "\\\""), self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// What a field of addresses says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// All that are read, in order.
    pub all: Vec<Mailbox>,
    /// How many more there are.
    pub more: usize,
}

/// Reads every field of a name; there may be several, though there should not.
#[must_use]
pub fn addresses(fields: &Fields, name: &str) -> Addresses {
    let mut found = Addresses::default();
    for (_, value) in fields.iter().filter(|(known, _)| *known == name) {
        for mailbox in read(&fields.readable(value)) {
            if found.all.len() < MAX_ADDRESSES {
                found.all.push(mailbox);
            } else {
                found.more += 1;
            }
        }
    }
    found
}

fn read(value: &str) -> Vec<Mailbox> {
    // Some programs part addresses by semicolons; one that ends a group stands behind its colon.
    let outside = outside_of_quotes(value);
    let semicolons = outside.contains(';') && !outside.contains(':');
    let value = if semicolons { with_commas(value) } else { value.to_owned() };
    let HeaderValue::Address(list) = MessageStream::new(value.as_bytes()).parse_address() else { return Vec::new() };
    let groups = match list {
        mail_parser::Address::List(all) => vec![(None, all)],
        mail_parser::Address::Group(groups) => {
            groups.into_iter().map(|group| (group.name.map(|name| clean(&name)), group.addresses)).collect()
        }
    };
    let mut out = Vec::new();
    for (group, all) in groups {
        let group = group.filter(|name: &String| !name.is_empty());
        if all.is_empty()
            && let Some(group) = &group
        {
            out.push(Mailbox { group: Some(group.clone()), ..Mailbox::default() });
        }
        out.extend(all.iter().filter_map(|one| mailbox(one, group.clone())));
    }
    out
}

fn mailbox(one: &mail_parser::Addr<'_>, group: Option<String>) -> Option<Mailbox> {
    let name = one.name.as_deref().map(clean).filter(|name| !name.is_empty());
    let written = one.address.as_deref().map(clean).unwrap_or_default();
    if name.is_none() && written.is_empty() {
        return None;
    }
    let (address, shown) = both_forms(&written);
    // A name that says the address again says nothing.
    let name = name.filter(|name| !name.eq_ignore_ascii_case(&address));
    Some(Mailbox { name, address, shown, group })
}

/// Returns the address as the mail system writes it, and with the domain in its own letters where that differs.
#[must_use]
pub fn both_forms(written: &str) -> (String, Option<String>) {
    let Some((local, domain)) = written.rsplit_once('@') else { return (written.to_owned(), None) };
    let ascii = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
    let (letters, readable) = idna::domain_to_unicode(&ascii);
    let shown = (readable.is_ok() && letters != ascii).then(|| format!("{local}@{letters}"));
    (format!("{local}@{ascii}"), shown)
}

/// Returns one line without control characters and invisible letters, of bounded length.
pub(crate) fn clean(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = crate::invisible::without(&plain).0;
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::short(&line, MAX_NAME)
}

fn outside_of_quotes(value: &str) -> String {
    let mut quoted = false;
    let mut depth = 0_u32;
    let mut escaped = false;
    value
        .chars()
        .filter(|c| {
            if std::mem::take(&mut escaped) {
                return false;
            }
            match c {
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            !quoted && depth == 0
        })
        .collect()
}

fn with_commas(value: &str) -> String {
    let mut quoted = false;
    let swap = |c: char| {
        quoted ^= c == '"';
        if c == ';' && !quoted { ',' } else { c }
    };
    value.chars().map(swap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &[u8]) -> Vec<(Option<String>, String, Option<String>)> {
        let mail = [b"From: ".as_slice(), value, b"\r\n\r\n"].concat();
        let found = addresses(&Fields::split(&mail).0, "from").all;
        found.into_iter().map(|one| (one.name, one.address, one.shown.or(one.group))).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_name_is_never_an_address() {
        for (value, name, address) in [
            (r#""ana@example.org, Tom" <tom@example.org>"#, some("ana@example.org, Tom"), "tom@example.org"),
            (r#""Doe, Jane" <jane.doe@corp.example>"#, some("Doe, Jane"), "jane.doe@corp.example"),
            ("=?utf-8?Q?Doe=2C_Jane?= <jane.doe@corp.example>", some("Doe, Jane"), "jane.doe@corp.example"),
            (
                "=?utf-8?Q?a=40b=2Ec=2C_=3Cx=40y=3E?= <jane.doe@corp.example>",
                some("a@b.c, <x@y>"),
                "jane.doe@corp.example",
            ),
            (r#""=?utf-8?Q?J=C3=B6rg?=" <j@example.org>"#, some("Jörg"), "j@example.org"),
            ("ana@example.org (Ana)", some("Ana"), "ana@example.org"),
            ("Ana Doe <ana@example.org>", some("Ana Doe"), "ana@example.org"),
            ("<ana@example.org>", None, "ana@example.org"),
            ("ana@example.org", None, "ana@example.org"),
            ("\"ana@example.org\" <ana@example.org>", None, "ana@example.org"),
            (r#""She said \"hi\"" <a@example.org>"#, some("She said \"hi\""), "a@example.org"),
        ] {
            assert_eq!(of(value.as_bytes()), [(name, address.to_owned(), None)], "{value}");
        }
        assert_eq!(of(b"J\xf6rg M\xfcller <j@example.org>")[0].0, some("Jörg Müller"));
    }

    #[test]
    fn domains_of_other_letters_are_told_in_both_forms() {
        let told = [(None, "joerg@xn--exmple-cua.org".to_owned(), some("joerg@exämple.org"))];
        assert_eq!(of("joerg@exämple.org".as_bytes()), told);
        assert_eq!(of(b"joerg@xn--exmple-cua.org"), told);
        assert_eq!(of("Jörg <joerg@exämple.org>".as_bytes())[0].1, "joerg@xn--exmple-cua.org");
    }

    #[test]
    fn several_and_groups_are_told_apart() {
        let two = of(br#""Doe, Jane" <jane@x.org>, tom@y.org"#);
        assert_eq!(two.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(), ["jane@x.org", "tom@y.org"]);
        let semicolons = of(br#""Doe; Jane" <jane@x.org>; Tom <tom@y.org>"#);
        assert_eq!(semicolons.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(), ["jane@x.org", "tom@y.org"]);
        assert_eq!(semicolons[0].0, some("Doe; Jane"));
        let group = of(b"Team: Ana <ana@x.org>, bo@x.org;, eve@y.org");
        assert_eq!(group.len(), 3);
        assert_eq!(group[0], (some("Ana"), "ana@x.org".into(), some("Team")));
        assert_eq!(group[2].1, "eve@y.org");
        assert_eq!(of(b"undisclosed-recipients:;"), [(None, String::new(), some("undisclosed-recipients"))]);
    }

    #[test]
    fn written_out_a_mailbox_reads_back_as_itself() {
        for name in ["ana@example.org, Tom", "Doe, Jane", "say \"hi\"", "back\\slash", "a <b@c>"] {
            let one = Mailbox { name: some(name), address: "tom@example.org".into(), ..Mailbox::default() };
            assert_eq!(of(one.to_string().as_bytes()), [(some(name), one.address.clone(), None)], "{one}");
        }
    }
}
