//! Accounts: what each may be used for, who keeps that, what it was used for; and connecting another.

use bailey_interface::{ConnectionView, Line};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch, field};
use crate::words;

/// An account that was connected.
#[derive(Debug, Clone)]
pub struct Account<'a> {
    /// The connection.
    pub connection: &'a ConnectionView,
    /// Who keeps it to its level, in words: the provider, or Bailey alone. Empty where that is not known.
    pub kept_by: &'a str,
    /// What it was used for, where that is counted.
    pub used: Option<Use<'a>>,
}

/// What an account was used for.
#[derive(Debug, Clone)]
pub struct Use<'a> {
    /// When last: milliseconds since 1970-01-01T00:00Z.
    pub last_ms: Option<i64>,
    /// In the last seven days, by kind of action.
    pub week: &'a [(&'a str, u64)],
}

/// What was found for an account.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// `mail`, `calendar`, `contacts` or `model`.
    pub kind: &'a str,
    /// The account.
    pub account: &'a str,
    /// The servers, and where it was found that these are they.
    pub servers: &'a [Line],
    /// The `settings` of `POST /v1/connections`.
    pub settings: &'a Value,
    /// Whether it is signed in to in a browser.
    pub in_browser: bool,
    /// Who keeps it to its level, in words.
    pub kept_by: &'a str,
}

/// How far connecting has come.
#[derive(Debug, Clone)]
pub enum Connecting<'a> {
    /// The account is asked for.
    Address {
        /// `mail`, `calendar`, `contacts` or `model`.
        kind: &'a str,
        /// Why the last address led nowhere; empty where none was given yet.
        trouble: &'a str,
    },
    /// Servers were found; sign-in and level are asked for.
    Found(Offer<'a>),
}

/// Makes the page of all accounts.
#[must_use]
pub fn connections(frame: &Frame<'_>, accounts: &[Account<'_>]) -> String {
    let (active, ended): (Vec<_>, Vec<_>) = accounts.iter().partition(|account| account.connection.active);
    let main = html! {
        h1 { "Connections" }
        @if active.is_empty() { p class="lead" { "No account is connected. Bailey reaches nothing but what you connect." } }
        (part("accounts", "cards", &html! { @for account in &active { (one(frame, account)) } }))
        section class="group" aria-labelledby="more" {
            h2 id="more" { "Connect another" }
            ul class="choices" {
                @for (kind, name, about) in KINDS {
                    li { a href={ "/connect?kind=" (kind) } { b { (name) } span class="dim" { (about) } } }
                }
            }
        }
        @if !ended.is_empty() {
            details id="ended" {
                summary { (words::count(ended.len() as u64, "ended account", "ended accounts")) }
                ul { @for account in &ended { li { bdi { (account.connection.account) } " " span class="dim" { (kind_name(&account.connection.kind)) } } } }
            }
        }
    };
    page(frame, "Connections", &main)
}

const KINDS: [(&str, &str, &str); 4] = [
    ("mail", "Mail", "IMAP and SMTP, with an app password or a browser"),
    ("calendar", "Calendar", "CalDAV"),
    ("contacts", "Contacts", "CardDAV"),
    ("model", "Model", "the provider that your words go to"),
];

fn kind_name(kind: &str) -> &str {
    KINDS.iter().find(|(known, _, _)| *known == kind).map_or(kind, |(_, name, _)| name)
}

fn one(frame: &Frame<'_>, account: &Account<'_>) -> Markup {
    let connection = account.connection;
    let id = connection.id.as_str();
    let (level, about) = words::level(&connection.level);
    let inside = html! {
        header {
            h2 id={ "h-" (id) } { bdi { (connection.account) } }
            p class="back" { (kind_name(&connection.kind)) @if connection.is_default { " · used where nothing else is said" } }
        }
        @if !connection.sign_in.is_empty() {
            p class="trouble" { (connection.sign_in) " " a href={ "/connect?kind=" (connection.kind) } { "Sign in again" } }
        }
        dl class="items" {
            @if connection.kind != "model" { dt { "May" } dd { b { (level) } @if !about.is_empty() { ": " (about) } } }
            @if !account.kept_by.is_empty() { dt { "Kept by" } dd { (account.kept_by) } }
            @if !connection.weaker.is_empty() { dt { "Weaker" } dd { (connection.weaker) } }
            @if let Some(used) = &account.used {
                dt { "Last used" } dd { @if let Some(last) = used.last_ms { (frame.moment(last)) } @else { "never" } }
                dt { "This week" }
                dd {
                    @if used.week.is_empty() { "not used" }
                    @for (place, (kind, many)) in used.week.iter().enumerate() {
                        @if place > 0 { " · " } (words::kind(kind)) " " (words::number(*many))
                    }
                }
            }
        }
        div class="answers" {
            (touch::post(&format!("/do/connections/{id}/revoke"), &[], "Revoke", "plain reject"))
            @if !connection.is_default && connection.kind != "model" {
                (touch::post(&format!("/do/connections/{id}/default"), &[], "Use by default", "plain"))
            }
            @if connection.kind != "model" { (change_level(connection)) }
        }
    };
    html! {
        article class="card" id={ "a-" (id) } data-v=(crate::frame::version(&inside)) aria-labelledby={ "h-" (id) } { (inside) }
    }
}

fn levels(kind: &str) -> &'static [&'static str] {
    match kind {
        "mail" => &["read-only", "draft", "send", "full"],
        "model" => &["read-only"],
        _ => &["read-only", "full"],
    }
}

fn change_level(connection: &ConnectionView) -> Markup {
    let path = format!("/v1/connections/{}/level", connection.id);
    let change = Touch { path: &path, body: json!({ "level": field("level") }), said: "Changed.", then: Then::Renew };
    html! {
        details id={ "l-" (connection.id) } {
            summary class="button plain" { "Change what it may do" }
            (touch::form(&change, &html! {
                (level_choice(&connection.kind, &connection.level))
                button type="submit" class="go" disabled { "Change" }
            }))
        }
    }
}

fn level_choice(kind: &str, now: &str) -> Markup {
    html! {
        fieldset class="choice" {
            legend { "What it may do" }
            @for level in levels(kind) {
                @let (name, about) = words::level(level);
                label {
                    input type="radio" name="level" value=(level) checked[*level == now] required;
                    span { b { (name) } " " span class="dim" { (about) } }
                }
            }
        }
    }
}

/// Makes a page of the way to another account.
#[must_use]
pub fn connect(frame: &Frame<'_>, step: &Connecting<'_>) -> String {
    let main = html! {
        p class="crumb" { a href="/connections" { "Connections" } }
        @match step {
            Connecting::Address { kind, trouble } => { (address(kind, trouble)) },
            Connecting::Found(offer) => { (found(offer)) },
        }
    };
    page(frame, "Connect", &main)
}

fn address(kind: &str, trouble: &str) -> Markup {
    html! {
        h1 { "Connect: " (kind_name(kind)) }
        @if !trouble.is_empty() { p class="trouble" role="alert" { (trouble) } }
        form method="post" action="/do/connect/find" class="fields" {
            input type="hidden" name="kind" value=(kind);
            @match kind {
                "mail" => {
                    label { span { "Your address" } input type="email" name="address" required autocomplete="email" spellcheck="false"; }
                    label { span { "Your name, as others see it" } input name="name" autocomplete="name"; }
                    details id="servers" {
                        summary { "Name the servers yourself" }
                        label { span { "Where mail is read " small { "imap.example.org:993" } } input name="imap" spellcheck="false"; }
                        label { span { "Where it is handed in " small { "mail.example.org:465, or :587" } } input name="submission" spellcheck="false"; }
                    }
                },
                "model" => {
                    label { span { "The provider's address " small { "https://…/v1" } } input type="url" name="url" required spellcheck="false"; }
                },
                _ => {
                    label { span { "Address of the collection " small { "https://cloud.example.org/…/" } } input type="url" name="url" required spellcheck="false"; }
                    label { span { "Who signs in" } input name="user" required autocomplete="username" spellcheck="false"; }
                },
            }
            div class="answers" { button type="submit" class="go" { @if kind == "mail" { "Find its servers" } @else { "Go on" } } }
        }
        p class="dim" { "A password is asked for only after the server has shown a certificate that holds." }
    }
}

fn found(offer: &Offer<'_>) -> Markup {
    let mut body = json!({ "settings": offer.settings, "level": field("level") });
    if let Some(fields) = body.as_object_mut().filter(|_| !offer.in_browser) {
        fields.insert("password".into(), field("password"));
    }
    let (path, then) =
        if offer.in_browser { ("/v1/sign-ins", Then::Follow) } else { ("/v1/connections", Then::Go("/connections")) };
    let connect = Touch { path, body, said: "Connected.", then };
    html! {
        h1 { "Connect " bdi { (offer.account) } }
        section aria-labelledby="found" {
            h2 id="found" { "What was found" }
            dl class="items" { @for line in offer.servers { dt { (line.label) } dd { bdi { (line.value) } } } }
            p { a href={ "/connect?kind=" (offer.kind) } { "Not these" } }
        }
        section aria-labelledby="sign" {
            h2 id="sign" { "Sign in" }
            (touch::form(&connect, &html! {
                div class="fields" {
                    @if offer.in_browser { p { "Your provider's page opens and asks you." } }
                    @else {
                        label { span { @if offer.kind == "model" { "Key" } @else { "App password" } } input type="password" name="password" autocomplete="off" required[offer.kind != "model"]; }
                    }
                    (level_choice(offer.kind, "read-only"))
                    @if !offer.kept_by.is_empty() { p class="dim" { "Kept by " (offer.kept_by) "." } }
                    div class="answers" { button type="submit" class="go" disabled { "Connect, and try it out" } }
                }
            }))
        }
    }
}
