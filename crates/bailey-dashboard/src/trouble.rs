//! What is shown where something failed.

use bailey_interface::Failure;
use maud::html;

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
        p class="lead" { (crate::words::with_code(&failure.message)) }
        p class="dim" { (failure.code.about()) " " code { (failure.code.name()) } }
        p { @if frame.is_some() { a href="/approvals" { "Approvals" } " · " a href="/activity" { "Activity" } } @else { a href="/sign-in" { "Sign in" } } }
    };
    frame.map_or_else(|| bare(title, &main), |frame| page(frame, title, &main))
}
