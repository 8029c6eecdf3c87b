//! How much of what opens something is kept back, and how much of what does not.

use std::ops::Range;

use bailey_model::tap::{Tapped, rebuild, tap};
use bailey_model::{Answer, Ask, Hear, Message, Model, ModelError, Sending, Shown};

use crate::corpus::{Form, forms, harmless};

/// A model that is asked for nothing: its request is the words of all messages.
struct Request;

impl Model for Request {
    fn request(&self, ask: &Ask) -> Vec<u8> {
        let words = ask.messages.iter().map(|message| match message {
            Message::System(text) | Message::Person(text) | Message::Noted(text) | Message::Asked(text) => text,
            Message::Model { text, .. } | Message::Result { text, .. } | Message::Found { text, .. } => text,
        });
        serde_json::to_vec(&words.collect::<Vec<_>>()).unwrap()
    }

    fn ask<'a>(&'a self, _: Vec<u8>, _: Option<&'static str>, _: Hear<'a>) -> Sending<'a, Result<Answer, ModelError>> {
        Box::pin(async { Ok(Answer::default()) })
    }
}

fn tapped(text: &str) -> Tapped {
    let (call, tool) = ("c".into(), "mail_read".into());
    let message = Message::Result { call, tool, text: text.into(), shown: Shown::default() };
    let tapped = tap(&Request, Ask { messages: vec![message], tools: vec![], shape: None, max_tokens: 1 });
    assert_eq!(rebuild(&tapped.recipe, &tapped.spans), tapped.body);
    tapped
}

/// What a model gets of a text, by itself.
fn alone(text: &str) -> String {
    tapped(text).spans[0].text.clone()
}

/// What it gets of a text in the result of a tool, behind other words.
fn in_result(before: &str, text: &str) -> String {
    let result =
        serde_json::json!({"messages": [{"id": "INBOX/1/7", "subject": "Hello", "text": format!("{before}{text}")}]});
    let clean = alone(&result.to_string());
    let words: serde_json::Value = serde_json::from_str(&clean).unwrap();
    let words = words["messages"][0]["text"].as_str().unwrap_or_else(|| panic!("{clean}"));
    words.strip_prefix(before).unwrap_or_else(|| panic!("{words:?}")).to_owned()
}

/// What is left of a text between the places where something was kept back, as parts of the text.
fn left(text: &str, clean: &str) -> Vec<Range<usize>> {
    let mark = regex::Regex::new(r"\[[A-Za-z -]+ kept back\]").unwrap();
    let (mut from, mut out) = (0, Vec::new());
    for piece in mark.split(clean) {
        let at = from + text[from..].find(piece).unwrap_or_else(|| panic!("`{piece}` is not of `{text}`"));
        out.push(at..at + piece.len());
        from = at + piece.len();
    }
    out
}

/// Whether nothing of the secrets is left.
fn is_gone(text: &str, clean: &str, secrets: &[Range<usize>]) -> bool {
    let left = left(text, clean);
    let touches = |one: &Range<usize>, other: &Range<usize>| one.start < other.end && other.start < one.end;
    let seen =
        |secret: &Range<usize>| left.iter().any(|part| touches(part, secret) && !text[part.clone()].trim().is_empty());
    !secrets.iter().any(|secret| seen(secret) || clean.contains(&text[secret.clone()]))
}

/// Whether a form is kept back wherever it stands.
fn is_kept(form: &Form) -> bool {
    let seen = [alone(&form.text), in_result("", &form.text), in_result("Bonjour,\n", &form.text)];
    seen.iter().all(|clean| is_gone(&form.text, clean, &form.secrets))
}

#[test]
fn everyday_secrets_are_kept_back_wherever_they_stand() {
    let forms: Vec<(Form, bool)> = forms().into_iter().map(|form| (form.clone(), is_kept(&form))).collect();
    let count = |of: &dyn Fn(&Form) -> bool| {
        let these: Vec<bool> = forms.iter().filter(|(form, _)| of(form)).map(|(_, kept)| *kept).collect();
        (these.iter().filter(|kept| **kept).count(), these.len())
    };
    let (kept, all) = count(&|_| true);
    println!("kept back: {kept} of {all}");
    println!("of the third that nothing is tuned on: {:?}", count(&|form| form.held_out));
    println!("of those of it that were written later: {:?}", count(&|form| form.held_out && form.later));
    // What is held out is not shown: whoever sees it tunes on it.
    let missed = forms.iter().filter(|(form, kept)| !kept && !form.held_out);
    let missed: Vec<String> =
        missed.map(|(form, _)| format!("{}: {:?}\n    {:?}", form.name, form.text, alone(&form.text))).collect();
    println!("{}", missed.join("\n"));
    assert!(all >= 300 && count(&|form| form.held_out).1 * 4 >= all);
    assert!(kept * 100 >= all * 95, "{kept} of {all}");
}

#[test]
fn harmless_lines_stay_as_they_are() {
    let lines = harmless();
    assert!(lines.len() >= 10_000);
    let mut touched: Vec<&String> = lines.iter().filter(|line| in_result("", line) != **line).collect();
    println!("touched: {} of {}", touched.len(), lines.len());
    // In mails of ten lines, drawn from all over the corpus.
    let strides: Vec<&String> = (0..lines.len()).map(|at| &lines[at * 7919 % lines.len()]).collect();
    let mut together = 0;
    for mail in strides.chunks(10) {
        let text = mail.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
        let clean = in_result("", &text);
        let changed = mail.iter().filter(|line| !clean.contains(line.as_str())).count();
        together += changed;
    }
    println!("touched in mails of ten lines: {together} of {}", lines.len());
    assert!(touched.len() * 100 <= lines.len() && together * 100 <= lines.len(), "{touched:#?}");
    touched.dedup_by_key(|line| line.chars().filter(|c| !c.is_ascii_digit()).collect::<String>());
    println!(
        "{}",
        touched.iter().map(|line| format!("{line} -> {}", in_result("", line))).collect::<Vec<_>>().join("\n")
    );
}

/// What takes longer and longer the more of it there is would not end here.
#[test]
fn what_repeats_without_end_is_screened_in_time() {
    const EACH: usize = 64 * 1024;
    const TOGETHER: usize = 1024 * 1024;
    let pieces = [
        "code ",
        "your code\n",
        "password ",
        "password: ",
        "pass\n",
        "482913 ",
        "4 ",
        "4821-",
        "abandon ",
        "backup codes 123456 ",
        "seed phrase ",
        "-----BEGIN PRIVATE KEY-----\n",
        "https://a.example/reset/",
        "https://a.example/reset?token=a1b2c3d4e5 ",
        "a://",
        "key: ",
        "key ",
        "key=",
        "telegr",
        "<",
        "<a ",
        "<b>",
        "&#",
        "&amp;",
        "\\n",
        "\\u0041",
        "%41",
        "%2541",
        "=\n",
        "eyJhbGciOi.",
        "4111 1111 1111 1111 ",
        "YWJj",
        "secret key ABCD ",
        "password|",
        "|",
        "a,b,c\n",
        "\u{200b}",
        "{\"a\":",
        "[",
        "\"",
        "enter 482913 ",
        "x",
        "AKIA",
        "ghp_",
        "sk-",
        "discord=",
        "login a/",
        "\n>",
        "a@b #",
        "mysql -p",
        "verification code. ",
    ];
    for again in pieces {
        alone(&again.repeat(EACH / again.len()));
    }
    let all: String = pieces.iter().map(|again| again.repeat(TOGETHER / pieces.len() / again.len())).collect();
    assert!(alone(&all).contains("[password kept back]"));
    assert!(alone(&serde_json::json!([all]).to_string()).contains("[password kept back]"));
}

#[test]
fn a_secret_that_a_page_would_cut_is_kept_back_from_both_pages() {
    // The end of the first page, at 16,000 bytes, falls before the secret, into it, and behind it.
    for at in (15_970..15_992).step_by(4) {
        let text = format!("{}\nmy password: limonata2024! today\n{}", "x ".repeat(at / 2), "y ".repeat(2_000));
        for page in [1, 2] {
            let shown = Shown { number: 1, page };
            let message = Message::Result { call: "c".into(), tool: "mail_read".into(), text: text.clone(), shown };
            let tapped = tap(&Request, Ask { messages: vec![message], tools: vec![], shape: None, max_tokens: 1 });
            let sent = String::from_utf8(tapped.body).unwrap();
            assert!(
                sent.contains(&format!("Page {page} of")) && !sent.contains("limo") && !sent.contains("2024"),
                "at {at}, page {page}"
            );
        }
    }
}
