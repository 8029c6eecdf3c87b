//! Forms: those that are posted as they are, and those that a passkey has to answer for, which the script posts.

use maud::{Markup, html};
use serde_json::{Value, json};

/// What a touch does: a route, the body it is for, and what comes after.
pub(crate) struct Touch<'a> {
    /// The route that is posted to.
    pub(crate) path: &'a str,
    /// The body, without its proof; [`field()`] stands for what the person fills in.
    pub(crate) body: Value,
    /// What is said when it is done.
    pub(crate) said: &'a str,
    /// What comes of the answer.
    pub(crate) then: Then<'a>,
}

/// What comes of the answer to a touch.
pub(crate) enum Then<'a> {
    /// The page is asked for anew.
    Renew,
    /// Another page is opened.
    Go(&'a str),
    /// The answer's `url` is opened.
    Follow,
    /// The answer holds recovery codes, which are shown.
    Codes,
    /// The answer holds a code for a terminal, which is shown on this page.
    Code(&'a str),
    /// A form of this path is posted with the proof; its answer is a file, kept as it comes.
    Post(&'a str),
    /// The home is gone: what its answer says is left to be done is shown.
    End,
}

/// Stands in a body for the value of a field of the form.
pub(crate) fn field(name: &str) -> Value {
    json!({ "$": name })
}

/// Makes the form of a touch that the script of its page shows once it is filled in.
pub(crate) fn form_with_id(id: &str, touch: &Touch<'_>, inside: &Markup) -> Markup {
    made(Some(id), touch, inside)
}

/// Makes the form of a touch. Its buttons are off until the script is there, for without it they do nothing.
pub(crate) fn form(touch: &Touch<'_>, inside: &Markup) -> Markup {
    made(None, touch, inside)
}

/// Leaves an attribute out that holds nothing.
fn some(words: &str) -> Option<&str> {
    (!words.is_empty()).then_some(words)
}

fn made(id: Option<&str>, touch: &Touch<'_>, inside: &Markup) -> Markup {
    let (answer, to) = match touch.then {
        Then::Renew => ("renew", ""),
        Then::Go(to) => ("go", to),
        Then::Follow => ("follow", ""),
        Then::Codes => ("codes", "/recovery-codes"),
        Then::Code(page) => ("codes", page),
        Then::Post(path) => ("post", path),
        Then::End => ("end", ""),
    };
    html! {
        form id=[id] hidden[id.is_some()] method="post" data-touch=(touch.path) data-body=(touch.body) data-said=[some(touch.said)] data-answer=(answer) data-to=[some(to)] {
            (inside)
        }
    }
}

/// Makes a touch with one button and nothing to fill in.
pub(crate) fn button(touch: &Touch<'_>, words: &str, class: &str) -> Markup {
    form(touch, &html! { button type="submit" class=(class) disabled { (words) } })
}

/// Makes a form with one button, which needs no script.
pub(crate) fn post(path: &str, fields: &[(&str, &str)], words: &str, class: &str) -> Markup {
    html! {
        form method="post" action=(path) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button type="submit" class=(class) { (words) }
        }
    }
}
