//! What nests or repeats without end, at sizes that neither chance variations nor libFuzzer reach, on the stack of an ordinary thread.

use bailey_fuzz::TARGETS;

/// What begins, what is repeated, and what ends it again, for each target it means something to.
const REPEATED: [(&[&str], &str, &str, &str); 55] = [
    (&["mail"], "", "Content-Type:message/a\n\n", ""),
    // The same, encoded.
    (
        &["mail"],
        "Content-Type: message/a\nContent-Transfer-Encoding: base64\n\n",
        "Q29udGVudC1UeXBlOm1lc3NhZ2UvYQoK",
        "",
    ),
    (&["mail"], "", "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n", ""),
    (&["mail"], "Content-Type: text/html\r\n\r\n", "<div>", ""),
    (&["mail"], "Content-Type: text/html\r\n\r\n", "<!--", ""),
    (&["mail"], "Content-Type: text/html\r\n\r\n", "&", ""),
    (&["mail", "sent"], "To: ", "(", ""),
    (&["mail", "sent"], "To: ", "a:", ""),
    (&["mail", "sent"], "To: ", "<", ""),
    (&["mail", "sent"], "To: ", "a@example.org,", ""),
    (&["mail", "sent"], "Subject: ", "=?utf-8?Q?a?= ", ""),
    (&["mail", "sent"], "", "To: a\r\n", ""),
    (&["mail", "sent"], "Subject: a", "\r\n b", ""),
    (&["file"], "application/pdf a\n%PDF-1.4 trailer << /Root ", "[", "]"),
    (&["file"], "application/pdf a\n%PDF-1.4 ", "1 0 obj << /Type /Page /Contents ", ""),
    (
        &["file"],
        "application/pdf a\n%PDF-1.4 /Root 1 0 R 1 0 obj << /Pages 2 0 R >> 2 0 obj << /Kids [",
        "2 0 R ",
        "] >>",
    ),
    (&["file"], "text/rtf a\n{\\rtf1 ", "{", "}"),
    (&["file"], "text/rtf a\n{\\rtf1 ", "\\u1", ""),
    (&["file"], "application/ms-tnef a\nx", "\0", ""),
    (&["calendar"], "", "<a>", ""),
    (&["calendar"], "", "<a xmlns=\"b\">", ""),
    (&["calendar"], "<!DOCTYPE a [", "<!ENTITY b \"b\">", ""),
    (&["entry"], "", "BEGIN:VCALENDAR\r\n", ""),
    (&["entry"], "", "BEGIN:VEVENT\r\n", "END:VEVENT\r\n"),
    (&["entry"], "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:a", "\r\n b", ""),
    (&["entry"], "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "ATTENDEE;CN=a:mailto:a@example.org\r\n", ""),
    (&["openai", "anthropic", "foreign", "tools", "plan"], "", "[", ""),
    (&["openai", "anthropic", "foreign", "tools", "plan"], "", "{\"a\":", ""),
    (&["openai", "anthropic"], "data: ", "[", "\n\n"),
    (&["openai", "anthropic"], "data: ", "{\"choices\":[{\"delta\":{\"content\":\"", "\n\n"),
    (&["openai", "anthropic"], "", "data: {}\n\n", ""),
    (&["openai", "anthropic"], "", "\n", ""),
    (&["foreign"], "{\"description\":\"a\",\"args\":{}}\n{\"a\":\"", "https://a.example/ ", "\"}"),
    (&["foreign"], "{\"description\":\"a\",\"args\":{}}\n{\"a\":\"", "a@example.org ", "\"}"),
    (&["rules"], "", "mail: go ahead\n", ""),
    (&["rules"], "mail to ", "a@example.org or ", ": go ahead"),
    (&["rules"], "mail ", "not ", ": go ahead"),
    (&["rules"], "permit(principal,action,resource) when { ", "(", ""),
    (&["rules"], "permit(principal,action,resource) when { ", "!", "true };"),
    (&["rules"], "permit(principal,action,resource) when { true ", "&& true ", "};"),
    (&["rules"], "permit(principal,action,resource) when { ", "[", ""),
    (&["rules"], "permit(principal,action,resource) when { ", "if true then ", ""),
    (&["rules"], "/", "../", ""),
    (&["verify"], "", "E {}\n", ""),
    (&["verify"], "", "E [", ""),
    (&["screen"], "", "your code: 482913 ", ""),
    (&["screen"], "", "password: ", ""),
    (&["screen"], "", "key ", ""),
    (&["screen"], "", "-----BEGIN PRIVATE KEY-----\n", ""),
    (&["screen"], "", "https://a.example/reset?token=", ""),
    (&["screen"], "[\"", "\\ud83d<b ", "\"]"),
    (&["config"], "a = ", "[", ""),
    (&["config", "signin"], "", "a.", ""),
    (&["autoconfig"], "", "<a>", ""),
    (&["autoconfig"], "<incomingServer type=\"imap\">", "<hostname>a</hostname>", "</incomingServer>"),
];
const SIZE: usize = 512 * 1024;

#[test]
fn what_nests_or_repeats_without_end_breaks_no_parser() {
    for (names, begin, again, end) in REPEATED {
        for name in names {
            let (_, target) = TARGETS.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("`{name}`?"));
            // Cut short, and to its end.
            for end in ["", end].into_iter().take(1 + usize::from(!end.is_empty())) {
                let count = SIZE / again.len();
                let closed = if again.starts_with("BEGIN:") { end.repeat(count) } else { end.to_owned() };
                let bytes = format!("{begin}{}{closed}", again.repeat(count));
                let target = *target;
                std::thread::spawn(move || target(bytes.as_bytes())).join().unwrap();
            }
        }
    }
}
