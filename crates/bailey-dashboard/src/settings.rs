//! Devices and sessions, the model, what the configuration says, export, and the end of it all.

use bailey_interface::{CertificateState, Line, ModelsView, NamesView, OfferView};
use maud::{Markup, html};
use serde_json::json;

use crate::enter::create;
use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch};
use crate::words;

/// A device with a passkey.
#[derive(Debug, Clone)]
pub struct Device<'a> {
    /// The credential's id.
    pub id: &'a str,
    /// What the person calls it.
    pub name: &'a str,
    /// When it was added: milliseconds since 1970-01-01T00:00Z.
    pub made_ms: i64,
    /// When it last answered.
    pub used_ms: Option<i64>,
    /// Whether its passkey is kept by more than this device, as it says.
    pub synced: bool,
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct Session<'a> {
    /// Which.
    pub id: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// The device whose passkey began it.
    pub device: &'a str,
    /// When it began: milliseconds since 1970-01-01T00:00Z.
    pub made_ms: i64,
    /// When it was last heard of.
    pub used_ms: i64,
    /// Whether it is this one.
    pub this: bool,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// Devices with a passkey.
    pub devices: &'a [Device<'a>],
    /// Browsers that are signed in.
    pub sessions: &'a [Session<'a>],
    /// Recovery codes that are left, where that is known.
    pub codes_left: Option<u64>,
    /// The models, where they were looked at.
    pub models: Option<&'a ModelsView>,
    /// What the configuration says: name and value of each line. It is a file, and changed there.
    pub configuration: &'a [Line],
    /// Where the dashboard is, and how its certificate is.
    pub names: &'a NamesView,
}

/// Makes the page.
#[must_use]
pub fn settings(frame: &Frame<'_>, view: &Settings<'_>) -> String {
    let main = html! {
        h1 { "Settings" }
        ul class="elsewhere" { li { a href="/autonomy" { "Autonomy" } } li { a href="/connections" { "Connections" } } }
        (devices(frame, view))
        (sessions(frame, view.sessions))
        (model(frame, view.models))
        (names(frame, view.names))
        (configuration(view.configuration))
        (data(frame))
    };
    page(frame, "Settings", &main)
}

fn devices(frame: &Frame<'_>, view: &Settings<'_>) -> Markup {
    let list = html! {
        ul class="listed" { @for device in view.devices {
            li {
                div {
                    b { bdi { (device.name) } }
                    p class="dim" {
                        "added " (frame.moment(device.made_ms)) " · "
                        @if let Some(used) = device.used_ms { "last used " (frame.moment(used)) } @else { "not used yet" }
                        @if device.synced { " · its provider keeps a copy" }
                    }
                }
                (end_device(device))
            }
        } }
    };
    let codes = Touch { path: "/v1/recovery-codes", body: json!({}), said: "", then: Then::Codes };
    html! {
        section class="group" aria-labelledby="devices" {
            h2 id="devices" { "Devices" }
            (part("device-list", "", &list))
            details id="add-device" {
                summary class="button plain" { "Add this device" }
                (create("Name this device", "Make a passkey"))
            }
            div class="between" {
                p {
                    b { "Recovery codes" } br;
                    span class="dim" {
                        @match view.codes_left {
                            Some(0) => "none left",
                            Some(left) => { (words::number(left)) " left" },
                            None => "each lets one new device in",
                        }
                    }
                }
                (touch::button(&codes, "Make new ones", "plain"))
            }
        }
    }
}

fn end_device(device: &Device<'_>) -> Markup {
    let path = format!("/v1/passkeys/{}/end", device.id);
    let end = Touch { path: &path, body: json!({}), said: "It approves nothing any more.", then: Then::Renew };
    touch::form(
        &end,
        &html! { button type="submit" class="plain reject" disabled { "Remove" span class="off" { ": " (device.name) } } },
    )
}

fn sessions(frame: &Frame<'_>, all: &[Session<'_>]) -> Markup {
    let list = html! {
        ul class="listed" { @for session in all {
            li {
                div {
                    b { bdi { (session.agent) } } @if session.this { " " span class="count" { "this one" } }
                    p class="dim" { "by " bdi { (session.device) } " · since " (frame.moment(session.made_ms)) " · last heard of " (frame.moment(session.used_ms)) }
                }
                @let path = if session.this { "/do/sign-out".to_owned() } else { format!("/do/sessions/{}/end", session.id) };
                form method="post" action=(path) {
                    button type="submit" class="plain" { @if session.this { "Sign out" } @else { "End" } span class="off" { ": " (session.agent) } }
                }
            }
        } }
    };
    html! {
        section class="group" aria-labelledby="sessions" {
            h2 id="sessions" { "Signed in" }
            (part("session-list", "", &list))
            @if all.len() > 1 { (touch::post("/do/sessions/end-all", &[], "Sign out everywhere", "plain")) }
        }
    }
}

fn model(frame: &Frame<'_>, models: Option<&ModelsView>) -> Markup {
    html! {
        section class="group" aria-labelledby="model" {
            h2 id="model" { "Model" }
            @if !frame.status.model { p class="trouble" { "No model is configured: add [model] to config.toml." } }
            @if let Some(models) = models {
                @for offer in models.configured.iter().chain(&models.local) { (one_model(offer)) }
                p class="dim" {
                    (models.month) ": " (words::count(models.month_answers, "answer", "answers"))
                    @if let Some(cost) = words::cost(models.month_cost) {
                        ", " (cost)
                        @if let Some(limit) = models.month_limit.and_then(words::cost) { " of " (limit) }
                        " at your prices"
                    }
                }
            }
        }
    }
}

fn one_model(offer: &OfferView) -> Markup {
    html! {
        dl class="items" {
            dt { (offer.what) }
            dd {
                bdi { (offer.base_url) }
                @if !offer.configured.is_empty() { " · " b { (offer.configured) } }
                @if let Some(trouble) = &offer.trouble { p class="trouble" { (trouble) } }
                @if !offer.models.is_empty() {
                    details { summary { (words::count(offer.models.len() as u64, "model", "models")) } ul { @for model in offer.models.iter().take(100) { li { (model) } } } }
                }
            }
        }
    }
}

fn names(frame: &Frame<'_>, names: &NamesView) -> Markup {
    html! {
        section class="group" aria-labelledby="names" {
            h2 id="names" { "Names and certificate" }
            p class="dim" { "The dashboard opens at these addresses, and at no other." }
            ul class="listed" { @for origin in &names.origins { li { div { bdi { (origin) } } } } }
            @if !names.not_public.is_empty() {
                p { "Other machines are not let in yet: " (names.not_public) "." }
            }
            @match &names.certificate {
                Some(one) => {
                    dl class="items" {
                        dt { "Certificate" } dd { (one.says()) }
                        dt { "From" } dd { bdi { (one.source) } }
                        @if let Some(until) = one.until_ms {
                            dt { @if one.state == CertificateState::Ended { "Ended" } @else { "Counts until" } }
                            dd { (frame.moment(until)) }
                        }
                    }
                    @if !one.trouble.is_empty() { p { "What is wrong: " (one.trouble) "." } }
                }
                None => p class="dim" { "No name has a certificate here. To open the dashboard from another device: docs/away-from-home.md." },
            }
        }
    }
}

fn configuration(lines: &[Line]) -> Markup {
    html! {
        @if !lines.is_empty() {
            section class="group" aria-labelledby="configuration" {
                h2 id="configuration" { "Configuration" }
                p class="dim" { "These are read from " code { "config.toml" } " on the machine when the home starts, and changed there." }
                dl class="items" { @for line in lines { dt { code { (line.label) } } dd { (line.value) } } }
            }
        }
    }
}

fn data(frame: &Frame<'_>) -> Markup {
    let export = Touch {
        path: "/v1/log/export-readable",
        body: json!({}),
        said: "Exported.",
        then: Then::Keep("bailey-log.jsonl"),
    };
    let delete = Touch { path: "/v1/home/delete", body: json!({}), said: "", then: Then::Go("/sign-in") };
    html! {
        section class="group" aria-labelledby="data" {
            h2 id="data" { "Your data" }
            div class="between" {
                p { b { "The log, sealed" } br; span class="dim" { "For checking with " code { "bailey-verify" } "; its contents stay locked." } }
                (touch::post("/do/log/export", &[], "Export", "plain"))
            }
            div class="between" {
                p { b { "The log, in plain words" } br; span class="dim" { "Everything your agent did, readable by whoever has the file." } }
                (touch::button(&export, "Export readable", "plain"))
            }
            details id="delete" {
                summary { "Delete this home" }
                p { "Pauses, ends every connection, destroys the keys, and removes all but config.toml. Nothing brings it back." }
                (touch::form(&delete, &html! {
                    div class="fields" {
                        label { span { "Type the home's name: " code { (frame.status.home) } }
                            input name="confirm" required autocomplete="off" spellcheck="false" pattern=(escaped(&frame.status.home)); }
                        div class="answers" { button type="submit" class="danger" disabled { "Delete everything" } }
                    }
                }))
            }
        }
    }
}

/// Writes a name as a pattern that matches it alone (HTML, 4.10.5.3.6).
fn escaped(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\u{{{:x}}}", u32::from(c)) })
        .collect()
}
