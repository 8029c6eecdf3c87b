//! Accounts: what each may be used for, who keeps that, what it was used for; and connecting another.

use std::collections::BTreeMap;

use bailey_interface::{ConnectingView, ConnectionView, Line, UseView};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch, field};
use crate::words;

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
    /// The level that is chosen at first.
    pub level: &'a str,
    /// The connection of the same account in whose place this one comes.
    pub replaces: Option<&'a str>,
    /// The address that a browser comes back to on this page's name, to be registered with the provider.
    pub back: &'a str,
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
        /// What was typed then, by the names of the fields, but for a secret.
        typed: &'a BTreeMap<&'static str, &'a str>,
    },
    /// Servers were found; sign-in and level are asked for.
    Found(Offer<'a>),
}

/// Makes the page of all accounts. `said` is what came of the last thing done to one; empty where there is nothing to say.
#[must_use]
pub fn connections(frame: &Frame<'_>, accounts: &[ConnectionView], under_way: &[ConnectingView], said: &str) -> String {
    let (active, ended): (Vec<_>, Vec<_>) = accounts.iter().partition(|account| account.active);
    let main = html! {
        h1 { "Connections" }
        @if !said.is_empty() { p class="note" role="status" { (said) } }
        (part("under-way", "under-way", &html! { @for one in under_way { (being_connected(frame, one)) } }))
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
                ul { @for account in &ended { li { bdi { (account.account) } " " span class="dim" { (kind_name(&account.kind)) } } } }
            }
        }
    };
    page(frame, "Connections", &main)
}

/// Tells of an account that is being connected, or could not be.
fn being_connected(frame: &Frame<'_>, one: &ConnectingView) -> Markup {
    html! {
        @match (&one.trouble, one.at_provider) {
            (Some(why), _) => div class="note" role="status" {
                p { bdi { (one.account) } " (" (kind_name(&one.kind)) ") was not connected: " (words::with_code(why)) "." }
                div class="answers" {
                    a class="button plain" href={ "/connecting/" (one.id) "/again" } { "Try again" span class="off" { ": " (one.account) } }
                    (touch::post(&format!("/do/connecting/{}/dismiss", one.id), &[], "Dismiss", "plain"))
                }
            },
            (None, true) => p class="note" role="status" {
                bdi { (one.account) } " (" (kind_name(&one.kind)) ") waits since " (frame.clock(one.begun_ms))
                " for your answer on the provider's page. You can go on elsewhere meanwhile."
            },
            (None, false) => p class="note" role="status" {
                bdi { (one.account) } " (" (kind_name(&one.kind)) ") is being tried out since " (frame.clock(one.begun_ms))
                ". That goes on if you leave this page."
            },
        }
    }
}

const KINDS: [(&str, &str, &str); 4] = [
    ("mail", "Mail", "IMAP and SMTP, with an app password or a browser"),
    ("calendar", "Calendar", "CalDAV, with an app password or a browser"),
    ("contacts", "Contacts", "CardDAV, with an app password or a browser"),
    ("model", "Model", "the provider that your words go to"),
];

fn kind_name(kind: &str) -> &str {
    KINDS.iter().find(|(known, _, _)| *known == kind).map_or(kind, |(_, name, _)| name)
}

fn one(frame: &Frame<'_>, connection: &ConnectionView) -> Markup {
    let id = connection.id.as_str();
    let is_model = connection.kind == "model";
    let again = format!("/connect/{id}/again");
    let inside = html! {
        header {
            h2 id={ "h-" (id) } { bdi { (connection.account) } }
            p class="back" { (kind_name(&connection.kind)) @if connection.is_default { " · used where nothing else is said" } }
        }
        @if !connection.sign_in.is_empty() {
            p class="trouble" { (words::with_code(&connection.sign_in)) " " a href=(again) { "Connect it again" } }
        }
        @if !connection.permissions.is_empty() { (permissions(connection)) }
        dl class="items" {
            @if !connection.weaker.is_empty() { dt { "Weaker" } dd { (connection.weaker) } }
            @if !connection.given.is_empty() { dt { "Given" } dd { bdi { (connection.given.join(", ")) } } }
            @if let Some(made) = connection.made_ms { dt { "Connected" } dd { (frame.moment(made)) } }
            @if let Some(used) = &connection.used {
                dt { "Last used" } dd { @if let Some(last) = used.last_ms { (frame.moment(last)) } @else { "not in the last 90 days" } }
                dt { "This week" } dd { (week(used)) }
            }
            @if is_model { dt { "Key" } dd { "kept sealed, and never shown" } }
        }
        @if connection.used.as_ref().is_some_and(|used| used.idle) {
            p class="note" { "Not used for 30 days. What you do not need is safest ended; connecting it again takes a minute." }
        } @else if let Some(lower) = could_be_less(connection) {
            p class="note" { "In 30 days it was used for no more than: " (words::level(lower).0.to_lowercase()) ". You can take the rest away below." }
        }
        div class="answers" {
            (touch::post(&format!("/do/connections/{id}/revoke"), &[("to", "/connections")], "Revoke", "plain reject"))
            a class="button plain" href=(again) { @if is_model { "New key" } @else { "Connect again" } span class="off" { ": " (connection.account) } }
            @if !connection.is_default && !is_model {
                (touch::post(&format!("/do/connections/{id}/default"), &[], "Use by default", "plain"))
            }
            @if is_model { a class="button plain" href="/models" { "Models and costs" } } @else { (change_level(connection)) }
        }
    };
    html! {
        article class="card" id={ "a-" (id) } data-v=(crate::frame::version(&inside)) aria-labelledby={ "h-" (id) } { (inside) }
    }
}

/// Makes the table of what the account could be used for: what it may, who keeps it from the rest, and what it did.
fn permissions(connection: &ConnectionView) -> Markup {
    html! {
        table class="uses" {
            thead { tr { th scope="col" { "It may" } th scope="col" { "" span class="off" { "Whether it may" } } th scope="col" { "In 30 days" } } }
            tbody { @for one in &connection.permissions {
                @let (name, about) = use_words(&one.level);
                tr {
                    th scope="row" { (name) br; span class="dim" { (about) } }
                    td {
                        @if one.granted { "yes" }
                        @else if one.kept_by == "provider" { "no: your provider would refuse it, and so does Bailey" }
                        @else { "no: kept by Bailey alone" }
                    }
                    td { @if one.month > 0 { (words::number(one.month)) "×" } @else if one.granted { "not used" } @else { "–" } }
                }
            } }
        }
    }
}

/// Says what comes with a level, by itself.
fn use_words(level: &str) -> (&str, &str) {
    match level {
        "read-only" => ("Read", "look and search"),
        "draft" => ("Draft", "put drafts into the mailbox"),
        "send" => ("Send", "send, once the gate has let it"),
        "full" => ("Change", "change, move and remove"),
        other => (other, ""),
    }
}

/// Says what a week's use was: looks together, the rest by kind.
fn week(used: &UseView) -> Markup {
    let looks = [
        "mail.search",
        "mail.read",
        "mail.folders",
        "mail.attachment",
        "calendar.read",
        "calendar.free",
        "contacts.find",
        "contacts.read",
    ];
    let rest: Vec<_> = used.week.iter().filter(|(kind, _)| !looks.contains(&kind.as_str())).collect();
    html! {
        @if used.week.is_empty() { "not used" }
        @if used.week_looks > 0 { (words::count(used.week_looks, "look", "looks")) }
        @for (place, (kind, many)) in rest.iter().enumerate() {
            @if place > 0 || used.week_looks > 0 { " · " } (words::kind(kind)) " " (words::number(**many))
        }
    }
}

/// Returns the level that would have been enough for thirty days, where that is less than the connection has and it stands that long.
fn could_be_less(connection: &ConnectionView) -> Option<&str> {
    let used = connection.used.as_ref().filter(|used| used.month > 0)?;
    let needed = connection.permissions.iter().rev().find(|one| one.month > 0)?;
    let stands = connection.made_ms.zip(used.last_ms).is_none_or(|(made, last)| last - made > MONTH_MS);
    (stands && connection.level != needed.level).then_some(needed.level.as_str())
}

/// Thirty days, in milliseconds.
const MONTH_MS: i64 = 30 * 24 * 3_600 * 1_000;

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
            Connecting::Address { kind, trouble, typed } => { (address(kind, trouble, typed)) },
            Connecting::Found(offer) => { (found(offer)) },
        }
    };
    page(frame, "Connect", &main)
}

/// Addresses of providers of models, as their documents have them.
const PROVIDERS: [(&str, &str); 5] = [
    ("https://api.openai.com/v1", "OpenAI"),
    ("https://api.anthropic.com/v1", "Anthropic"),
    ("https://api.mistral.ai/v1", "Mistral"),
    ("https://generativelanguage.googleapis.com/v1beta/openai", "Gemini"),
    ("https://openrouter.ai/api/v1", "OpenRouter"),
];

/// Where the providers whose names are known vouch for tokens.
const ISSUERS: [(&str, &str); 2] =
    [("https://accounts.google.com", "Google"), ("https://login.microsoftonline.com/common/v2.0", "Microsoft")];

fn address(kind: &str, trouble: &str, typed: &BTreeMap<&'static str, &str>) -> Markup {
    let said = |name: &str| typed.get(name).copied().unwrap_or_default();
    html! {
        h1 { @match kind { "mail" => "Connect mail", "calendar" => "Connect a calendar", "contacts" => "Connect an address book", _ => "Connect a model" } }
        @if !trouble.is_empty() { p class="trouble" role="alert" { (words::with_code(trouble)) } }
        form method="post" action="/do/connect/find" class="fields" {
            input type="hidden" name="kind" value=(kind);
            @match kind {
                "mail" => {
                    label { span { "Your address" } input type="email" name="address" value=(said("address")) required autocomplete="email" spellcheck="false"; }
                    label { span { "Your name, as others see it" } input name="name" value=(said("name")) autocomplete="name"; }
                    (own_page(typed))
                    details id="servers" open[!said("imap").is_empty() || !said("submission").is_empty()] {
                        summary { "Name the servers yourself" }
                        label { span { "Where mail is read " small { "imap.example.org:993" } } input name="imap" value=(said("imap")) spellcheck="false"; }
                        label { span { "Where it is handed in " small { "mail.example.org:465, or :587" } } input name="submission" value=(said("submission")) spellcheck="false"; }
                    }
                },
                "model" => {
                    label { span { "The provider's address " small { "https://…/v1" } } input type="url" name="url" value=(said("url")) list="known" required spellcheck="false"; }
                    datalist id="known" { @for (address, name) in PROVIDERS { option value=(address) { (name) } } }
                    (chosen("key_header", "How it takes the key", said("key_header"), &[("bearer", "Authorization: Bearer (most)"), ("x-api-key", "x-api-key (Anthropic)")]))
                    (chosen("training", "Does it train models on what it is sent, by its terms?", said("training"), &[("unknown", "I do not know"), ("no", "No"), ("yes", "Yes")]))
                    label { span { "How long it keeps what it is sent, by its terms " small { "30 days" } } input name="retention" value=(said("retention")) autocomplete="off"; }
                    label { span { "Where its terms stand" } input type="url" name="terms" value=(said("terms")) autocomplete="off" spellcheck="false"; }
                },
                _ => {
                    label { span { "Who signs in " small { "your address there, most often" } } input name="user" value=(said("user")) required autocomplete="username" spellcheck="false"; }
                    label { span { "Where it is " small { "https://cloud.example.org/…/; empty: it is looked for at the address's domain" } } input type="url" name="url" value=(said("url")) spellcheck="false"; }
                    (own_page(typed))
                },
            }
            div class="answers" { button type="submit" class="go" { @if kind == "model" { "Go on" } @else { "Find its servers" } } }
        }
        p class="dim" { "A password is asked for only after the server has shown a certificate that holds." }
    }
}

fn chosen(name: &str, label: &str, now: &str, options: &[(&str, &str)]) -> Markup {
    html! {
        label { span { (label) } select name=(name) {
            @for (value, words) in options { option value=(value) selected[*value == now] { (words) } }
        } }
    }
}

/// Makes the fields of a sign-in on the provider's own page.
fn own_page(typed: &BTreeMap<&'static str, &str>) -> Markup {
    let said = |name: &str| typed.get(name).copied().unwrap_or_default();
    html! {
        details id="oauth" open[!said("issuer").is_empty() || !said("client_id").is_empty()] {
            summary { "Sign in on the provider's page, instead of an app password" }
            label { span { "Its authorization server " small { "https://accounts.google.com" } } input type="url" name="issuer" value=(said("issuer")) list="issuers" spellcheck="false" autocomplete="off"; }
            datalist id="issuers" { @for (address, name) in ISSUERS { option value=(address) { (name) } } }
            label { span { "The client you registered there " small { "empty: bailey" } } input name="client_id" value=(said("client_id")) spellcheck="false" autocomplete="off"; }
            label { span { "Its secret, if it has one" } input type="password" name="client_secret" autocomplete="off"; }
            p class="dim" { "A client is this program's name at the provider: you register one of your own there, once. Which address it has to be sent back to is shown next." }
        }
    }
}

/// Makes the page that a browser comes back to from a provider.
#[must_use]
pub fn signed_in(frame: &Frame<'_>, outcome: Result<&ConnectionView, &str>) -> String {
    let main = html! {
        p class="crumb" { a href="/connections" { "Connections" } }
        @match outcome {
            Ok(connection) => {
                h1 { "Connected" }
                p class="lead" { bdi { (connection.account) } " works: it was tried out." }
                p { a class="button go" href="/connections" { "See what it may do" } }
            },
            Err(why) => {
                h1 { "Not connected" }
                p class="trouble" role="alert" { (why) }
                p { a class="button plain" href="/connect" { "Connect again" } }
            },
        }
    };
    page(frame, "Connect", &main)
}

fn found(offer: &Offer<'_>) -> Markup {
    let mut body = json!({ "settings": offer.settings, "level": field("level") });
    if let Some(fields) = body.as_object_mut() {
        if offer.in_browser {
            fields.insert("back".into(), field("back"));
        } else {
            fields.insert("password".into(), field("password"));
        }
        if let Some(old) = offer.replaces {
            fields.insert("replaces".into(), old.into());
        }
    }
    let after = if offer.kind == "model" { "/models" } else { "/connections" };
    let (path, then) =
        if offer.in_browser { ("/v1/sign-ins", Then::Follow) } else { ("/v1/connections", Then::Go(after)) };
    let connect = Touch { path, body, said: "Connected.", then };
    html! {
        h1 { "Connect " bdi { (offer.account) } @if offer.replaces.is_some() { " again" } }
        @if offer.replaces.is_some() { p class="lead" { "Once the new connection was tried out, it comes in the place of the old one, which ends." } }
        section aria-labelledby="found" {
            h2 id="found" { "What was found" }
            dl class="items" { @for line in offer.servers { dt { (line.label) } dd { bdi { (line.value) } } } }
            p { a href={ "/connect?kind=" (offer.kind) } { "Not these" } }
        }
        section aria-labelledby="sign" {
            h2 id="sign" { "Sign in" }
            (touch::form(&connect, &html! {
                div class="fields" {
                    @if offer.in_browser {
                        p { "Your provider's page opens and asks you." }
                        fieldset class="choice" {
                            legend { "Then it sends your browser back" }
                            label { input type="radio" name="back" value="dashboard" checked required;
                                span { b { "to this page's address" } " " span class="dim" { "works from anywhere; register this redirect address there: " code { (offer.back) } } } }
                            label { input type="radio" name="back" value="this-machine" required;
                                span { b { "to the machine that Bailey runs on" } " " span class="dim" { "only in a browser on that machine" } } }
                        }
                    }
                    @else {
                        label { span { @if offer.kind == "model" { "Key" } @else { "App password" } } input type="password" name="password" autocomplete="off" required[offer.kind != "model"]; }
                    }
                    @if offer.kind == "model" { input type="hidden" name="level" value="read-only"; } @else { (level_choice(offer.kind, offer.level)) }
                    @if !offer.kept_by.is_empty() { p class="dim" { "Kept by " (offer.kept_by) "." } }
                    div class="answers" { button type="submit" class="go" disabled { "Connect, and try it out" } }
                    p class="dim" { "Trying it out may take a minute. You can leave this page: " a href="/connections" { "Connections" } " says what came of it." }
                }
            }))
        }
    }
}
