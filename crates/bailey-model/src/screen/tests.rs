//! Single forms, and what the encoding of a text does to them.

use super::redact;

#[test]
fn what_opens_something_is_kept_back_and_the_rest_stays() {
    let kept = |text: &str| {
        let mut text = text.to_owned();
        let found = redact(&mut text);
        (text, found.into_iter().map(|(kind, original)| format!("{kind}: {original}")).collect::<Vec<_>>())
    };
    for (text, clean, found) in [
        (
            "Your verification code is 482913.",
            "Your verification code is [one-time code kept back].",
            "one-time code: 482913",
        ),
        ("Ihr Sicherheitscode: 4829 13", "Ihr Sicherheitscode: [one-time code kept back]", "one-time code: 4829 13"),
        (
            "Your verification code is:\\n\\n482913",
            "Your verification code is:\\n\\n[one-time code kept back]",
            "one-time code: 482913",
        ),
        (
            "Your verification code is:\n\n482913",
            "Your verification code is:\n\n[one-time code kept back]",
            "one-time code: 482913",
        ),
        (
            "G-482913 is your Google verification code",
            "[one-time code kept back] is your Google verification code",
            "one-time code: G-482913",
        ),
        ("Enter code 482913 to go on", "Enter code [one-time code kept back] to go on", "one-time code: 482913"),
        ("Your PIN is 4821.", "Your PIN is [PIN kept back].", "PIN: 4821"),
        ("security code: AB12-CD34", "security code: [one-time code kept back]", "one-time code: AB12-CD34"),
        ("password:hunter2!", "password:[password kept back]", "password: hunter2!"),
        ("Password:\\nhunter2!", "Password:\\n[password kept back]", "password: hunter2!"),
        ("Your password is: correcthorse", "Your password is: [password kept back]", "password: correcthorse"),
        ("Your password is now x9!", "Your password is now [password kept back]", "password: x9!"),
        ("key sk_live_abcdefghij0123456789", "key [access key kept back]", "access key: sk_live_abcdefghij0123456789"),
        (
            "https://x.example/r/aB3?code=9",
            "[link that opens an account kept back]",
            "link that opens an account: https://x.example/r/aB3?code=9",
        ),
        ("Your login code is 123-456", "Your login code is [one-time code kept back]", "one-time code: 123-456"),
        (
            "Reset: https://shop.example/reset?token=abcdefghijklmnop now",
            "Reset: [link that opens an account kept back] now",
            "link that opens an account: https://shop.example/reset?token=abcdefghijklmnop",
        ),
        ("key sk-abcdefghijklmnopqrstuvwx.", "key [access key kept back].", "access key: sk-abcdefghijklmnopqrstuvwx"),
        ("password: hunter2!", "password: [password kept back]", "password: hunter2!"),
    ] {
        assert_eq!(kept(text), (clean.to_owned(), vec![found.to_owned()]), "{text}");
    }
    for harmless in [
        "Invoice 4711 over 129.00 EUR is due on 2026-11-27.",
        "See https://news.example/articles/this-week-in-reading",
        "Please change your password soon.",
        "My number is 0170 123456",
        "Your password was changed yesterday.",
        "The code review is on 2026-11-24 at 15:00.",
    ] {
        assert_eq!(kept(harmless), (harmless.to_owned(), vec![]));
    }
}

#[test]
fn what_is_found_is_cut_out_of_a_json_text_and_the_rest_keeps_its_bytes() {
    for (source, clean) in [
        // The break before it is two characters of the encoding.
        (
            r#"{"b":1.50 , "a":"Hi,\nPassword: hunter2!\nBye \u00fc"}"#,
            r#"{"b":1.50 , "a":"Hi,\nPassword: [password kept back]\nBye \u00fc"}"#,
        ),
        (r#"["Your code:\n482913"]"#, r#"["Your code:\n[one-time code kept back]"]"#),
        (r#"["Your code: \u0034\u00382913"]"#, r#"["Your code: [one-time code kept back]"]"#),
        // Names of members say what their values are.
        (r#"{"password":"hunter2!","n":7}"#, r#"{"password":"[password kept back]","n":7}"#),
        (r#"{"login code":482913}"#, r#"{"login code":"[one-time code kept back]"}"#),
        // A JSON text within a text.
        (r#"["{\"password\":\"hunter2!\"}"]"#, r#"["{\"password\":\"[password kept back]\"}"]"#),
        (
            r#"{"a": "b", "a": [1, -2e3, null, true, "\ud83d\ude00"]}"#,
            r#"{"a": "b", "a": [1, -2e3, null, true, "\ud83d\ude00"]}"#,
        ),
    ] {
        let mut text = source.to_owned();
        redact(&mut text);
        assert_eq!(text, clean);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}

#[test]
fn what_is_hidden_from_the_eye_or_dressed_is_read() {
    for text in [
        "Your code: 48\u{200b}29\u{ad}13",
        "Your co\u{2060}de is \u{ff14}\u{ff18}\u{ff12}\u{ff19}\u{ff11}\u{ff13}",
        "Your\u{a0}code:\u{3000}482\u{2009}913",
        "Your code: <b>482</b><i>913</i>",
        "<td>Your code</td><td>482913</td>",
        "Your code:&nbsp;&#52;&#x38;2913",
        "Your code: **482913**",
    ] {
        let mut clean = text.to_owned();
        let found = redact(&mut clean);
        assert!(found.len() == 1 && !clean.contains("913") && clean.contains("kept back"), "{clean}");
    }
}

/// The patterns are strings: that each of them is one is known when it is first used, which must not be in a mail.
#[test]
fn every_pattern_is_one() {
    use super::vocabulary::*;
    for pattern in [
        &BOUND,
        &CODE,
        &STRONG_CODE,
        &SIGNING,
        &TYPED_BEFORE,
        &COMMAND,
        &PLACE,
        &TYPE,
        &PASSWORD,
        &WEAK_PASSWORD,
        &COPULA,
        &CALLED_PASSWORD,
        &BEHIND_A_PAIR,
        &LINK,
        &KEY,
        &OPAQUE,
        &PRIVATE_KEY,
        &WITH_PASSWORD,
        &CARD,
        &CARD_CHECK,
        &SEED,
        &BACKUP,
        &AUTHENTICATOR,
        &BASE64,
        &super::rules::PREFIXED,
    ] {
        assert!(pattern.is_some());
    }
}
