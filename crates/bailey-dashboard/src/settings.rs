//! Devices and sessions, what changes from day to day, export, and the end of it all.

use bailey_interface::{CertificateState, NamesView};
use maud::{Markup, html};
use serde_json::json;

use crate::enter::create;
use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch, field};
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
    /// What changes from day to day.
    pub daily: Daily<'a>,
    /// Where the dashboard is, and how its certificate is.
    pub names: &'a NamesView,
}

/// What changes from day to day.
#[derive(Debug, Clone)]
pub struct Daily<'a> {
    /// The time zone that is set; empty where it is the machine's.
    pub zone: &'a str,
    /// Time zones there are.
    pub zones: &'a [String],
    /// How long an approved mail waits, in seconds.
    pub hold_seconds: u64,
    /// The model that is asked, and where.
    pub model: Option<(&'a str, &'a str)>,
}

/// Makes the page.
#[must_use]
pub fn settings(frame: &Frame<'_>, view: &Settings<'_>) -> String {
    let main = html! {
        h1 { "Settings" }
        ul class="elsewhere" { li { a href="/autonomy" { "Autonomy" } } li { a href="/connections" { "Connections" } } li { a href="/models" { "Models" } } li { a href="/notifications" { "Notifications" } } }
        (devices(frame, view))
        (sessions(frame, view.sessions))
        (daily(&view.daily))
        (names(frame, view.names))
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
    let passphrase =
        Touch { path: "/v1/browsers/link", body: json!({}), said: "", then: Then::Code("/passphrase-code") };
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
            div class="between" {
                p { b { "Approval passphrase" } br; span class="dim" { "for the command line; if you forgot it, your passkey sets another" } }
                (touch::button(&passphrase, "Set a new one…", "plain"))
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

fn daily(view: &Daily<'_>) -> Markup {
    let set = json!({ "home.time_zone": field("zone"), "home.hold_seconds": field("hold") });
    let body = json!({ "change": { "set": set, "unset": [] } });
    let change = Touch { path: "/v1/config", body, said: "Changed; it counts from now on.", then: Then::Renew };
    let inside = html! {
        (touch::form(&change, &html! {
            div class="fields" {
                label {
                    span { "Time zone " small { "empty: the machine's" } }
                    input name="zone" list="zones" value=(view.zone) autocomplete="off" spellcheck="false";
                }
                datalist id="zones" { @for zone in view.zones { option value=(zone) {} } }
                label {
                    span { "Seconds that an approved mail waits, so that you can take it back" }
                    input name="hold" type="number" min="0" max="86400" step="1" required value=(view.hold_seconds);
                }
                div class="answers" { button type="submit" class="go" disabled { "Change" } }
            }
        }))
    };
    html! {
        section class="group" aria-labelledby="daily" {
            h2 id="daily" { "Day to day" }
            (part("daily-form", "", &inside))
            div class="between" {
                p {
                    b { "Model" } br;
                    span class="dim" {
                        @match view.model {
                            Some((name, at)) => { bdi { (name) } " at " bdi { (at) } },
                            None => "none is chosen yet",
                        }
                    }
                }
                a class="button plain" href="/models" { "Models and costs" }
            }
            p class="dim" { "The same on the machine: " code { "bailey config list" } ". Paths and ports stand in " code { "config.toml" } "." }
        }
    }
}

fn data(frame: &Frame<'_>) -> Markup {
    let export = Touch {
        path: "/v1/log/export-readable",
        body: json!({}),
        said: "It is being kept as a file.",
        then: Then::Post("/do/log/export-readable"),
    };
    let delete = Touch { path: "/v1/home/delete", body: json!({}), said: "", then: Then::End };
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
