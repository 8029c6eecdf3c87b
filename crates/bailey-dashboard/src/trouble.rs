//! What is shown where something failed.

use bailey_interface::Failure;
use maud::{DOCTYPE, html};

use crate::frame::{Frame, bare, page};

/// Makes the page of a failure: what happened, and the way on.
#[must_use]
pub fn trouble(frame: Option<&Frame<'_>>, failure: &Failure) -> String {
    let title = match failure.code.status() {
        404 | 405 => "There is nothing here",
        401 | 403 => "Not without you",
        409 => "It has changed meanwhile",
        500.. => "Something failed",
        _ => "That did not work",
    };
    let main = html! {
        h1 { (title) }
        p class="lead" { (failure.message) }
        p class="dim" { (failure.code.about()) " " code { (failure.code.name()) } }
        p { @if frame.is_some() { a href="/approvals" { "Approvals" } " · " a href="/activity" { "Activity" } } @else { a href="/sign-in" { "Sign in" } } }
    };
    frame.map_or_else(|| bare(title, &main), |frame| page(frame, title, &main))
}

/// Makes the page that the gateway shows where the home does not answer. It names no file, for whoever would give it is not there.
#[must_use]
pub fn not_answering() -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Bailey does not answer" }
            }
            body {
                main {
                    h1 { "Your home does not answer" }
                    p { "It may be locked since the machine was started, or be starting." }
                    p { "On the machine: " code { "bailey unlock" } " opens it, " code { "bailey status" } " says how it is, and " code { "bailey pause" } " stops everything, whether it answers or not." }
                    p { "Then load this page again." }
                }
            }
        }
    };
    page.into_string()
}
