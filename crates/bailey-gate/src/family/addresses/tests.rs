use super::super::punycode::to_ascii;
use super::*;

fn read(text: &str) -> Result<Vec<String>, BadAddresses> {
    list(text, &to_ascii).map(|all| all.iter().map(ToString::to_string).collect())
}

/// Name and address of the one recipient a text names.
fn only(text: &str) -> (String, String) {
    let mailbox = one(text, &to_ascii).unwrap_or_else(|why| panic!("{text}: {why}"));
    (mailbox.name.map(|name| name.as_str().to_owned()).unwrap_or_default(), mailbox.address.to_string())
}

#[test]
fn recipients_are_read_as_mail_programs_write_them() {
    for (text, name, address) in [
        ("ana@example.org", "", "ana@example.org"),
        (r#""Doe, Jane" <jane.doe@corp.example>"#, "Doe, Jane", "jane.doe@corp.example"),
        ("ana@example.org (Ana)", "Ana", "ana@example.org"),
        ("ana@example.org (Ana (at \\) work))", "Ana (at ) work)", "ana@example.org"),
        ("Ana Doe <ana@example.org>", "Ana Doe", "ana@example.org"),
        ("J. R. Doe <ana@example.org>", "J. R. Doe", "ana@example.org"),
        ("<ana@example.org>", "", "ana@example.org"),
        ("<mailto:ana@example.org>", "", "ana@example.org"),
        ("mailto:ana@example.org", "", "ana@example.org"),
        (r#""O\"Hara \\ Sons" <o@example.org>"#, r#"O"Hara \ Sons"#, "o@example.org"),
        (r#""ana@example.org, Tom" <tom@example.org>"#, "ana@example.org, Tom", "tom@example.org"),
        (r#""<ana@example.org>" <tom@example.org>"#, "<ana@example.org>", "tom@example.org"),
        ("ana@example.org <tom@example.org>", "ana@example.org", "tom@example.org"),
        (r#""Doe, Jane" (work, home) <jane@example.org> (x, y@example.org)"#, "Doe, Jane", "jane@example.org"),
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe=2C?= =?utf-8?B?QW5h?= <ana@example.org>", "Grüße,Ana", "ana@example.org"),
        ("=?iso-8859-1?Q?J=F6rg?= Doe <j@example.org>", "Jörg Doe", "j@example.org"),
        ("=?koi8-r?B?8A==?= <j@example.org>", "=?koi8-r?B?8A==?=", "j@example.org"),
        ("=?utf-8?B?YW5hQGV4YW1wbGUub3JnLCA=?= <t@example.org>", "ana@example.org,", "t@example.org"),
        (r#""ana"@example.org"#, "", "ana@example.org"),
        ("joerg@exämple.org", "", "joerg@xn--exmple-cua.org"),
        ("Jörg <joerg@EXÄMPLE.org>", "Jörg", "joerg@xn--exmple-cua.org"),
        ("Team: ana@example.org;", "", "ana@example.org"),
        ("  Ana\t<ana@example.org> ,", "Ana", "ana@example.org"),
    ] {
        assert_eq!(only(text), (name.to_owned(), address.to_owned()), "{text}");
    }
}

#[test]
fn recipients_of_lists_and_groups_are_all_there() {
    assert_eq!(read("a@x.org, B <b@x.org>"), read("a@x.org; B <b@x.org>"), "both are parted alike");
    assert_eq!(read("B <b@x.org>; a@x.org"), Ok(vec!["B <b@x.org>".into(), "a@x.org".into()]));
    let group = r#"A group: Ann <a@x.org>, "B, b" <b@x.org>; c@x.org, undisclosed-recipients:;"#;
    assert_eq!(read(group), Ok(vec!["Ann <a@x.org>".into(), "\"B, b\" <b@x.org>".into(), "c@x.org".into()]));
    assert_eq!(read("undisclosed-recipients:;"), Ok(vec![]));
    assert_eq!(read(" , ;, "), Ok(vec![]));
}

#[test]
fn recipients_that_are_not_clear_are_refused_with_how_to_write_them() {
    for (text, says) in [
        ("ana@example.org, Tom <tom@example.org>", "it is not clear whether `ana@example.org` is a recipient"),
        ("Doe, Jane <jane.doe@corp.example>", "write that name in quotation marks"),
        ("\"Doe, Jane <jane@example.org>", "a quotation mark is opened and not closed"),
        ("ana@example.org (Ana", "a parenthesis is opened"),
        ("Ana <ana@example.org", "an angle bracket is opened"),
        ("Ana <ana@example.org <b@example.org>", "an angle bracket is opened"),
        ("Team: ana@example.org", "a group"),
        ("Ana <ana@example.org> <b@example.org>", "is not an e-mail address"),
        ("Ana <ana@example.org> Doe", "is not an e-mail address"),
        ("Ana <@relay.example:ana@example.org>", "is not an e-mail address"),
        ("ana@example.org bo@example.org", "is not an e-mail address"),
        ("Ana <ana@example.org, bo@example.org>", "is not an e-mail address"),
        ("\"a b\"@example.org", "is not an e-mail address"),
        ("<>", "is not an e-mail address"),
        ("j\u{ff4f}rg@example.org", "letters before the @"),
        ("anа@example.org", "letters before the @"),
        ("ana@example.org\r\nBcc: e@evil.org", "control character"),
        ("ana@ex\u{200b}ample.org", "is not an e-mail address"),
    ] {
        let why = read(text).expect_err(text).to_string();
        assert!(why.contains(says), "{text}: {why}");
    }
    assert_eq!(one("B <b@x.org>, a@x.org", &to_ascii), Err(BadAddresses::Several(2)));
    assert!(one("", &to_ascii).is_err());
    let read = one("J\u{f6}rg <J\u{f6}rg@ex\u{e4}mple.org>", &to_ascii).unwrap();
    assert_eq!(
        (read.address.as_str(), read.address.key().as_str()),
        ("J\u{f6}rg@xn--exmple-cua.org", "j\u{f6}rg@xn--exmple-cua.org")
    );
}

#[test]
fn recipients_taken_over_from_a_mail_keep_their_address_whatever_the_name() {
    for name in ["a\r\nBcc: x@evil.org", "\u{0}", "Doe, \"Jane\" <x@y.org>", &"long ".repeat(900)] {
        let mailbox = named(name, "ana@example.org", &to_ascii).unwrap();
        assert_eq!(mailbox.address.as_str(), "ana@example.org");
        assert_eq!(one(&mailbox.to_string(), &to_ascii), Ok(mailbox));
    }
}
