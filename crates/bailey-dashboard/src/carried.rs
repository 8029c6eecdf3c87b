//! What an action carries or stands on, to be looked at: files, and received mail.

use bailey_interface::{AttachmentView, OriginalView};
use maud::{Markup, html};

use crate::frame::{Frame, page};
use crate::words;

/// How a file can be seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// As a picture.
    Picture,
    /// As text, what is invisible written out.
    Text {
        /// As much of it as is shown.
        text: &'a str,
        /// Whether that is all.
        whole: bool,
    },
    /// Not here: it can be kept.
    Nothing,
}

fn crumbs(id: &str) -> Markup {
    html! { p class="crumb" { a href="/approvals" { "Approvals" } " · " a href={ "/approvals/" (id) } { "The action" } } }
}

/// Makes the page of one file that an action carries: which it is, and as much as can be seen of it here.
#[must_use]
pub fn file(frame: &Frame<'_>, id: &str, n: usize, file: &AttachmentView, seen: &Seen<'_>) -> String {
    let from = format!("/v1/actions/{id}/attachments/{n}");
    let main = html! {
        (crumbs(id))
        h1 { bdi { (file.name) } }
        dl class="items" {
            dt { "Size" } dd { (words::size(file.bytes)) " (" (words::number(file.bytes)) " bytes)" }
            dt { "Called" } dd { bdi { (file.media_type) } }
            dt { "SHA-256" } dd { code { (file.sha256) } }
        }
        @match seen {
            Seen::Picture => p { img class="seen" src=(from) alt={ "The file " (file.name) }; },
            Seen::Text { text, whole } => {
                pre class="body" dir="auto" { (text) }
                @if !whole { p class="dim" { "There is more of it; keep the file to read the rest." } }
            },
            Seen::Nothing => p class="lead" { "It is not shown here. Keep it, and open it with a program you trust with it." },
        }
        div class="answers" {
            a class="button plain" href=(from) download=(file.name) { "Keep the file" }
        }
    };
    page(frame, "File", &main)
}

/// Makes the page of the received mail that an action stands on: its text, or, where the person wants it, its HTML in a frame of its own.
#[must_use]
pub fn original(frame: &Frame<'_>, id: &str, mail: &OriginalView, as_made: bool) -> String {
    let here = format!("/approvals/{id}/original");
    let main = html! {
        (crumbs(id))
        h1 { "The mail as it came" }
        p class="lead" { "All of it was written by others. Nothing in it is loaded from anywhere, and its links lead nowhere." }
        dl class="items" {
            dt { "From, as it says" } dd { @for one in &mail.from { p { bdi { (one) } } } }
            @if !mail.date.is_empty() { dt { "Date, as it says" } dd { (mail.date) } }
            dt { "Subject" } dd { bdi { (mail.subject) } }
        }
        @if !mail.html.is_empty() {
            div class="answers" {
                @if as_made { a class="button plain" href=(here) { "Show its text" } }
                @else { a class="button plain" href={ (here) "?html=true" } { "Show it as it was made" } }
            }
        }
        @if as_made && !mail.html.is_empty() {
            iframe class="received" sandbox="" referrerpolicy="no-referrer" title="The mail as it was made" src={ (here) "/frame" } {}
        } @else {
            pre class="body" dir="auto" { (mail.text) }
        }
        @if !mail.links.is_empty() {
            h2 { "Where its links lead" }
            ul class="links" { @for link in &mail.links { li { code { bdi { (words::short(link, 300)) } } } } }
        }
        @for cut in &mail.cut { p class="dim" { "Left out: " (cut) "." } }
    };
    page(frame, "Received mail", &main)
}
