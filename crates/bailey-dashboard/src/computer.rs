//! The page of the agent's computer: what its wall is worth, how it stands, and what its programs ask of sites.

use bailey_interface::{ComputerState, ComputerView, RequestView};
use maud::{Markup, html};
use serde_json::json;

use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch};
use crate::words;

/// Requests that the page lists; the log has them all.
const LISTED: usize = 50;
/// Most characters of a path that are shown.
const PATH_CHARS: usize = 120;

const fn state(state: ComputerState) -> &'static str {
    match state {
        ComputerState::Unavailable => "There is none",
        ComputerState::Absent => "Not made yet; the first use makes it",
        ComputerState::Off => "Off",
        ComputerState::Asleep => "Asleep; it goes on with the next use",
        ComputerState::Starting => "Starting",
        ComputerState::Running => "Running",
        ComputerState::Paused => "Stopped where it was, because everything is paused",
        ComputerState::Stopping => "Stopping",
    }
}

fn grade(view: &ComputerView) -> &'static str {
    match view.grade.as_str() {
        "isolated" => "Isolated: a kernel of its own, held by the processor",
        "emulated" => "Emulated: a kernel of its own on a processor that a program plays",
        "none" => "None",
        _ => "Not known yet",
    }
}

/// Makes the page of the computer.
#[must_use]
pub fn computer(frame: &Frame<'_>, view: &ComputerView) -> String {
    let main = html! {
        h1 { "Computer" }
        p class="lead" { "The agent's own machine, with its own kernel and disk. In it the agent may do as it likes; the one way out of it is a request to a site, and your rules or you decide on each." }
        (part("computer-state", "fields", &standing(frame, view)))
        (part("computer-requests", "fields", &requests(frame, view)))
        h2 { "For good" }
        p { "Destroying it takes the key out of its disk, then the disk away. Nothing that lay there can be read again. The next use makes a new one." }
        div class="answers" {
            (touch::button(&Touch { path: "/v1/computer/destroy", body: json!({}), said: "Destroyed.", then: Then::Renew }, "Destroy the computer", "danger"))
        }
    };
    page(frame, "Computer", &main)
}

fn standing(frame: &Frame<'_>, view: &ComputerView) -> Markup {
    let can_start = matches!(view.state, ComputerState::Absent | ComputerState::Off | ComputerState::Asleep);
    html! {
        @if !view.lacking.is_empty() { p class="trouble" { (words::with_code(&view.lacking)) } }
        @if !view.warning.is_empty() { p class="lead" { strong { "Mind: " } (view.warning) } }
        @if !view.trouble.is_empty() { p class="trouble" { (words::with_code(&view.trouble)) } }
        dl class="items" {
            dt { "State" } dd { (state(view.state)) @if let Some(since) = view.since_ms { ", since " (frame.moment(since)) } }
            dt { "Its wall" } dd { (grade(view)) }
            @if !view.layers.is_empty() { dt { "Held by" } dd { (view.layers.join("; ")) } }
            dt { "Disk" } dd { (words::size(view.disk_bytes)) " of this machine's" }
            dt { "Memory" } dd { (words::number(u64::from(view.memory_mib))) " MiB while it runs" }
            dt { "Sleeps after" } dd { (words::number(view.idle_seconds)) " seconds without work" }
            @if view.after_secrets { dt { "Secrets" } dd { "A task that had seen secrets used it, so what comes out of it may hold some" } }
        }
        div class="answers" {
            @if can_start { (touch::post("/do/computer/start", &[], if view.state == ComputerState::Asleep { "Wake it" } else { "Start it" }, "plain")) }
            @if view.state == ComputerState::Running { (touch::post("/do/computer/stop", &[], "Put it to sleep", "plain")) }
        }
    }
}

fn requests(frame: &Frame<'_>, view: &ComputerView) -> Markup {
    html! {
        h2 { "Requests of its programs" }
        @if view.waiting > 0 {
            p { a href="/approvals" { (view.waiting) @if view.waiting == 1 { " waits for you" } @else { " wait for you" } } }
        }
        @if view.requests.is_empty() { p class="none" { "None since the home was opened." } }
        @else {
            div class="wide" { table class="files" {
                thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Came to" } th scope="col" { "Sent" } th scope="col" { "Got" } } }
                tbody { @for one in view.requests.iter().take(LISTED) { (row(frame, one)) } }
            } }
            p class="dim" { "The log has them all, with those before." }
        }
    }
}

fn row(frame: &Frame<'_>, one: &RequestView) -> Markup {
    let path: String = one.path.chars().take(PATH_CHARS).collect();
    let cut = one.path.chars().count() > PATH_CHARS;
    html! {
        tr {
            td { (frame.moment(one.at_ms)) }
            th scope="row" { (one.method) " " bdi { (one.site) (path) @if cut { "…" } } }
            td {
                @match one.ended.as_str() {
                    "answered" => { "Answered " (one.detail) @if one.asked { ", you let it go" } @else { ", by a rule" } },
                    "refused" => { "Not sent: " (one.detail) },
                    _ => { "No answer: " (one.detail) },
                }
            }
            td { (words::size(one.sent_bytes)) }
            td { (words::size(one.received_bytes)) }
        }
    }
}
