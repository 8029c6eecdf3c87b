//! Places where the person is told that something waits, and what installs the dashboard as an app.

use bailey_interface::{NotificationView, NotificationsView};
use maud::{Markup, html};
use serde_json::json;

use crate::assets::{ICON, ICON_LARGE, ICON_MASKABLE, NOTIFICATIONS, path};
use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch, field};

/// Makes the page. `accounts` are the mail accounts that may send.
#[must_use]
pub fn notifications(frame: &Frame<'_>, view: &NotificationsView, accounts: &[String]) -> String {
    let main = html! {
        p class="crumb" { a href="/settings" { "Settings" } }
        h1 { "Notifications" }
        p class="lead" { "Where you are told that something waits for you. A notice says how many actions wait, and nothing else." }
        (places(frame, &view.places))
        (browser(&view.key))
        section class="group" aria-labelledby="others" {
            h2 id="others" { "Another app" }
            p class="dim" { "Its server reads how many actions wait, and where your dashboard is." }
            (server("ntfy", "ntfy", "Address of the topic", "https://ntfy.sh/a-name-nobody-guesses", "Access token, if the topic has one"))
            (server("gotify", "Gotify", "Address of the server", "https://gotify.example.org", "Token of the application"))
        }
        section class="group" aria-labelledby="by-mail" {
            h2 id="by-mail" { "Mail" }
            p class="dim" { "From an account of yours to its own address, and to nobody else. Your mail server reads how many actions wait, and where your dashboard is." }
            @if accounts.is_empty() {
                p { "No connected mail account may send. " a href="/connect?kind=mail" { "Connect one" } }
            } @else { (mail(accounts)) }
        }
        script type="module" src=(path(&NOTIFICATIONS)) {}
    };
    page(frame, "Notifications", &main)
}

fn places(frame: &Frame<'_>, all: &[NotificationView]) -> Markup {
    let list = html! {
        @if all.is_empty() { p class="dim" { "Nowhere yet." } }
        ul class="listed" { @for one in all {
            li {
                div {
                    b { bdi { (one.name) } }
                    p class="dim" {
                        @match one.kind.as_str() {
                            "browser" => { "through " bdi { (one.host) } },
                            "mail" => "by mail, to itself",
                            other => (other),
                        }
                        " · added " (frame.moment(one.made_ms))
                        @if let Some(sent) = one.sent_ms { " · last notice " (frame.moment(sent)) }
                    }
                    @if let Some(trouble) = &one.trouble { p class="trouble" { "The last notice did not arrive: " (trouble) "." } }
                }
                div class="answers" {
                    (touch::post(&format!("/do/notifications/{}/try", one.id), &[], "Send one now", "plain"))
                    (touch::post(&format!("/do/notifications/{}/end", one.id), &[], "Remove", "plain reject"))
                }
            }
        } }
    };
    html! {
        section class="group" aria-labelledby="places" {
            h2 id="places" { "Told now" }
            (part("place-list", "", &list))
        }
    }
}

fn browser(key: &str) -> Markup {
    let place = json!({
        "kind": "browser", "endpoint": field("endpoint"), "public": field("public"), "auth": field("auth"),
    });
    let add = Touch {
        path: "/v1/notifications",
        body: json!({ "place": place }),
        said: "This browser is told from now on.",
        then: Then::Renew,
    };
    let confirm = html! {
        @for name in ["endpoint", "public", "auth"] { input type="hidden" name=(name); }
        p { "The notices go through the browser's own push service, sealed so that it cannot read them." }
        button type="submit" class="go" disabled { "Confirm with your passkey" }
    };
    html! {
        section class="group" aria-labelledby="this-browser" {
            h2 id="this-browser" { "This browser" }
            p class="dim" { "Your phone is woken even when the dashboard is closed. Add Bailey to its home screen first; an iPhone insists on that." }
            @if key.is_empty() { p class="trouble" { "The home has no key for push services yet. Load the page anew." } }
            @else { button type="button" id="wake-ask" class="plain" data-key=(key) { "Notify this browser" } }
            (touch::form_with_id("wake", &add, &confirm))
        }
    }
}

fn mail(accounts: &[String]) -> Markup {
    let add = Touch {
        path: "/v1/notifications",
        body: json!({ "place": { "kind": "mail", "address": field("address") } }),
        said: "It is told from now on.",
        then: Then::Renew,
    };
    touch::form(
        &add,
        &html! {
            div class="fields" {
                label { span { "Account" } select name="address" { @for one in accounts { option value=(one) { (one) } } } }
                div class="answers" { button type="submit" class="plain" disabled { "Add" } }
            }
        },
    )
}

fn server(kind: &str, name: &str, label: &str, example: &str, token: &str) -> Markup {
    let add = Touch {
        path: "/v1/notifications",
        body: json!({ "place": { "kind": kind, "url": field("url") }, "password": field("token") }),
        said: "It is told from now on.",
        then: Then::Renew,
    };
    let fields = html! {
        div class="fields" {
            label { span { (label) } input name="url" type="url" required maxlength="2048" placeholder=(example) autocomplete="off" spellcheck="false"; }
            label { span { (token) } input name="token" type="password" maxlength="256" autocomplete="off"; }
            div class="answers" { button type="submit" class="plain" disabled { "Add" } }
        }
    };
    html! {
        details id=(kind) { summary { (name) } (touch::form(&add, &fields)) }
    }
}

/// Returns what installs the dashboard as an app (w3.org/TR/appmanifest).
#[must_use]
pub fn manifest() -> String {
    let icon = |from: &str, size: &str, purpose: &str| json!({"src": from, "sizes": size, "type": "image/png", "purpose": purpose});
    json!({
        "name": "Bailey", "short_name": "Bailey", "id": "/", "start_url": "/talk", "scope": "/", "display": "standalone",
        "background_color": "#ffffff", "theme_color": "#0b6b5d",
        "icons": [
            icon(path(&ICON), "192x192", "any"),
            icon(path(&ICON_LARGE), "512x512", "any"),
            icon(path(&ICON_MASKABLE), "512x512", "maskable"),
        ],
        "shortcuts": [{"name": "Approvals", "url": "/approvals"}],
    })
    .to_string()
}
