//! What the records can be asked: which requests held a text, who received what, and whether the log is whole.

use bailey_interface::{FoundRequestsView, HeldView, ReceivedView};
use maud::{Markup, html};
use serde_json::json;

use crate::assets::{RECORDS, path};
use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch};
use crate::words;

/// Makes an address with a query of what is not empty (RFC 3986, section 3.4).
pub(crate) fn address<'a>(path: &str, parts: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let mut to = path.to_owned();
    for (n, (name, value)) in parts.filter(|(_, value)| !value.is_empty()).enumerate() {
        to.push(if n == 0 { '?' } else { '&' });
        to.push_str(name);
        to.push('=');
        to.push_str(&encoded(value));
    }
    to
}

/// Writes a value for a query (RFC 3986, 2.1).
fn encoded(value: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    value.bytes().map(one).collect()
}

/// Makes the place where a browser says whether the log is the one it saw before. The script checks it and fills it in.
pub(crate) fn badge(home: &str) -> Markup {
    html! {
        p id="badge" class="badge dim" role="status" data-home=(home) data-badge="" {}
        script type="module" src=(path(&RECORDS)) {}
    }
}

/// Says that not everything can be found yet.
pub(crate) fn behind(found: u64, all: u64) -> String {
    format!(
        "The search index is being made: {} of {} entries can be found so far.",
        words::number(found),
        words::number(all)
    )
}

/// Offers the log as files.
pub(crate) fn export() -> Markup {
    let readable = |path, form| Touch { path, body: json!({}), said: "Exported.", then: Then::Post(form) };
    html! {
        details id="export" {
            summary { "Export" }
            p class="dim" { "The whole log. In plain words it is readable by whoever has the file, so it asks for your passkey." }
            div class="answers" {
                (touch::post("/do/log/export", &[], "Sealed, for checking", "plain"))
                (touch::button(&readable("/v1/log/export-readable", "/do/log/export-readable"), "In plain words", "plain"))
                (touch::button(&readable("/v1/log/export-csv", "/do/log/export-csv"), "As a table (CSV)", "plain"))
            }
        }
    }
}

/// What is looked for in model requests.
#[derive(Debug, Clone, Default)]
pub struct Looked<'a> {
    /// The words.
    pub search: &'a str,
    /// Who wrote them; empty for everybody.
    pub label: &'a str,
}

/// Makes the page of what models were shown: which requests held a text, where one is looked for, and who received what.
#[must_use]
pub fn requests(
    frame: &Frame<'_>,
    looked: &Looked<'_>,
    found: Option<&FoundRequestsView>,
    received: &[ReceivedView],
) -> String {
    let main = html! {
        p class="crumb" { a href="/activity" { "Activity" } }
        h1 { "What models were shown" }
        form method="get" action="/context" class="chooser" role="search" {
            label class="grow" { span { "Which requests held this text?" }
                input type="search" name="q" value=(looked.search) required enterkeyhint="search"; }
            label { span { "Written by" } select name="label" {
                option value="" { "Anybody" }
                @for (label, name, _) in crate::context::LABELS { option value=(label) selected[label == looked.label] { (name) } }
            } }
            button type="submit" class="plain" { "Search" }
        }
        @if let Some(found) = found {
            h2 { "Requests that held it" }
            @if found.indexed < found.entries { p class="note" role="status" { (behind(found.indexed, found.entries)) } }
            @if found.pieces.is_empty() { p class="lead" { "None: no request that is kept held these words." } }
            @else { ol class="found" { @for piece in &found.pieces { (held(piece)) } } }
            @if let Some(before) = found.before {
                @let before = before.to_string();
                @let parts = [("q", looked.search), ("label", looked.label), ("before", before.as_str())];
                p class="older" { a class="button plain" rel="next" href=(address("/context", parts.into_iter())) { "Older" } }
            }
        }
        h2 { "Who received what" }
        (part("received", "", &table(received)))
    };
    page(frame, "What models were shown", &main)
}

fn held(piece: &HeldView) -> Markup {
    html! {
        li class={ "span l-" (crate::context::known(&piece.label)) } {
            p class="by" {
                b { (crate::context::name(&piece.label)) }
                @if !piece.source.is_empty() { " · from " bdi { (piece.source) } }
                " · in " a href={ "/talk/" (piece.task) } { (words::short(&piece.words, 80)) }
            }
            pre dir="auto" { (piece.excerpt) }
            p {
                @for [first, last] in &piece.held {
                    a class="button plain" href={ "/context/" (piece.task) "/" (first) } {
                        @if first == last { "Request " (first.saturating_add(1)) }
                        @else { "Requests " (first.saturating_add(1)) " to " (last.saturating_add(1)) }
                    } " "
                }
            }
        }
    }
}

fn table(received: &[ReceivedView]) -> Markup {
    html! {
        @if received.is_empty() { p class="lead" { "Nothing was sent to a model yet." } }
        @else {
            div class="wide" tabindex="0" role="region" aria-label="Who received what" {
                table {
                    thead { tr {
                        th scope="col" { "Month" } th scope="col" { "Provider" } th scope="col" { "Model" }
                        @for name in ["Requests", "Sent", "Kept back", "Tokens read", "Tokens written", "Cost"] { th scope="col" class="figure" { (name) } }
                    } }
                    tbody { @for one in received { tr {
                        td { (one.month) } td { bdi { (one.provider) } } td { bdi { (one.model) } }
                        td class="figure" { (words::number(one.requests)) }
                        td class="figure" { (words::size(one.bytes)) }
                        td class="figure" { (words::number(one.kept_back)) }
                        td class="figure" { (words::number(one.input_tokens)) }
                        td class="figure" { (words::number(one.output_tokens)) }
                        td class="figure" { (words::cost(one.cost).unwrap_or_else(|| "–".into())) }
                    } } }
                }
            }
        }
    }
}
