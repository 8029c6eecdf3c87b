//! One model request as it left: who wrote each piece, what was kept back, what it took.

use bailey_interface::{ContextView, SpanView, UsageView};
use maud::{Markup, html};

use crate::frame::{Frame, page};
use crate::talk::usage;
use crate::words;

/// Characters of a request that are shown: the page stays below 100 kB. Its exact bytes are one link away.
const MOST_SHOWN: usize = 60_000;

/// Which request of which task.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The task.
    pub task: &'a str,
    /// The person's words of it.
    pub words: &'a str,
    /// Its number, from 0.
    pub n: u64,
    /// Numbers of all that are kept.
    pub all: &'a [u64],
    /// What it took, where that is known.
    pub usage: Option<UsageView>,
}

/// Makes the page of a request.
#[must_use]
pub fn context(frame: &Frame<'_>, request: &Request<'_>, view: &ContextView) -> String {
    let neighbour = |further: bool| {
        let beyond = |n: &&u64| if further { **n > request.n } else { **n < request.n };
        let all = request.all.iter().filter(beyond);
        if further { all.min() } else { all.max() }
    };
    let to = |n: u64| format!("/context/{}/{n}", request.task);
    let main = html! {
        p class="crumb" { a href={ "/talk/" (request.task) } { (words::short(request.words, 80)) } }
        h1 { "What the model was shown: request " (request.n.saturating_add(1)) }
        p class="dim" {
            (words::size(view.body.len() as u64))
            @if let Some(taken) = request.usage { " · " (usage(taken)) }
            " · " a href={ "/v1/tasks/" (request.task) "/context/" (request.n) "/raw" } download={ "request-" (request.n) ".json" } { "exact bytes" }
        }
        p { a href="/context" { "Which requests held a text, and who received what" } }
        nav class="answers" aria-label="Requests" {
            @if let Some(n) = neighbour(false) { a class="button plain" rel="prev" href=(to(*n)) { "Earlier" } }
            @if let Some(n) = neighbour(true) { a class="button plain" rel="next" href=(to(*n)) { "Later" } }
        }
        @if !view.led_to.is_empty() {
            section aria-labelledby="led-to" {
                h2 id="led-to" { "What it led to" }
                ul { @for action in &view.led_to {
                    li { a href={ "/activity/" (action.id) } { (action.headline) } " " span class={ "state s-" (action.state) } { (words::state(&action.state)) } }
                } }
            }
        }
        (legend())
        (kept_back(view))
        (spans(&view.spans))
    };
    page(frame, "Context", &main)
}

pub(crate) const LABELS: [(&str, &str, &str); 5] = [
    ("person", "You", "your words: what is named here may be acted on"),
    ("note", "Your note", "what you noted when you refused something: names nobody, allows nothing"),
    ("bailey", "Bailey", "fixed words, and what Bailey knows"),
    ("model", "Model", "what the model wrote before; never trusted"),
    ("others", "Others", "what others wrote; never trusted"),
];

fn legend() -> Markup {
    html! {
        dl class="legend" {
            @for (label, name, about) in LABELS {
                dt class={ "mark l-" (label) } { (name) } dd { (about) }
            }
        }
    }
}

fn kept_back(view: &ContextView) -> Markup {
    html! {
        @if !view.kept_back.is_empty() {
            section aria-labelledby="kept" {
                h2 id="kept" { "Kept back from the model" }
                ul { @for one in &view.kept_back {
                    li { (one.kind) ", beginning " code { (one.hint) } ", from " a href={ "#p-" (one.span) } { "piece " (one.span.saturating_add(1)) } }
                } }
            }
        }
    }
}

fn spans(spans: &[SpanView]) -> Markup {
    let mut left = MOST_SHOWN;
    html! {
        ol class="spans" {
            @for (place, span) in spans.iter().enumerate() {
                @let (shown, whole) = part_of(&span.text, &mut left);
                li id={ "p-" (place) } class={ "span l-" (known(&span.label)) } {
                    p class="by" {
                        b { (name(&span.label)) }
                        @if !span.source.is_empty() {
                            @if span.label == "model" && span.source != "thoughts" { " · calls " } @else { " · from " }
                            bdi { (span.source) }
                        }
                        @if let Some(action) = &span.action {
                            @if span.received { " · " a href={ "/approvals/" (action) "/original" } { "the mail as it came" } }
                            " · " a href={ "/activity/" (action) } { "the action it came of" }
                        }
                    }
                    @if !shown.is_empty() { pre dir="auto" { (shown) } }
                    @if !whole { p class="dim" { "The rest of this piece is in the exact bytes." } }
                }
            }
        }
    }
}

/// Returns as much of a text as there is room for, and whether that is all of it.
fn part_of<'a>(text: &'a str, left: &mut usize) -> (&'a str, bool) {
    let end =
        text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| end <= left).last().unwrap_or_default();
    *left -= end;
    (text.get(..end).unwrap_or_default(), end == text.len())
}

pub(crate) fn known(label: &str) -> &str {
    LABELS.iter().find(|(one, _, _)| *one == label).map_or("others", |(one, _, _)| one)
}

pub(crate) fn name(label: &str) -> &str {
    LABELS.iter().find(|(one, _, _)| *one == label).map_or(label, |(_, name, _)| name)
}
