//! What is shown where something failed.

use bailey_interface::Failure;
use maud::html;

use crate::frame::{Frame, bare, page};
use crate::touch;

/// To whom a failure is shown.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// Somebody who is signed in, within the frame.
    Within(&'a Frame<'a>),
    /// Somebody who is signed in, where the frame itself cannot be made.
    Known,
    /// Nobody who is known.
    Stranger,
}

/// Makes the page of a failure: what happened, and the way on.
#[must_use]
pub fn trouble(reader: Reader<'_>, failure: &Failure) -> String {
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
        div class="answers" {
            @match reader {
                Reader::Within(_) | Reader::Known => {
                    a class="button plain" href="/approvals" { "Approvals" }
                    a class="button plain" href="/activity" { "Activity" }
                    // The frame has its own.
                    @if matches!(reader, Reader::Known) { (touch::post("/do/pause", &[], "Pause", "plain")) }
                },
                Reader::Stranger => a class="button plain" href="/sign-in" { "Sign in" },
            }
        }
    };
    match reader {
        Reader::Within(frame) => page(frame, title, &main),
        Reader::Known | Reader::Stranger => bare(title, &main),
    }
}
