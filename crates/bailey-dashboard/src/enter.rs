//! Coming in: signing in, claiming a home with the link that its command line printed, and the codes for when a device is lost.

use maud::{Markup, html};
use serde_json::json;

use crate::frame::bare;
use crate::touch::{self, Then, Touch};

/// Makes the page for signing in. `trouble` says why the last try led nowhere; empty where there was none.
#[must_use]
pub fn sign_in(trouble: &str) -> String {
    let enter = Touch { path: "/v1/sessions", body: json!({}), said: "", then: Then::Go("/approvals") };
    let main = html! {
        div class="enter" {
            h1 { "Your home" }
            @if !trouble.is_empty() { p class="trouble" role="alert" { (trouble) } }
            (touch::button(&enter, "Use a passkey", "go large"))
            noscript { p class="note" { "A passkey needs scripts, which are off here. " code { "bailey" } " on the machine takes your passphrase." } }
            details id="lost" {
                summary { "No device with a passkey at hand?" }
                form method="post" action="/do/recover" class="fields" {
                    label { span { "Recovery code" } input name="code" required autocomplete="off" spellcheck="false" autocapitalize="none"; }
                    div class="answers" { button type="submit" class="plain" { "Use the code" } }
                }
                p class="dim" { "Or on the machine: " code { "bailey passkey add" } }
            }
        }
    };
    bare("Sign in", &main)
}

/// Makes the page on which a device makes its passkey, opened by a link with a token, or after a recovery code.
#[must_use]
pub fn claim(trouble: &str) -> String {
    let main = html! {
        div class="enter" {
            h1 { "Let this device in" }
            p class="lead" { "Whoever holds the passkey of this device can approve what your agent proposes." }
            @if !trouble.is_empty() { p class="trouble" role="alert" { (trouble) } }
            (create("Name this device", "Make a passkey"))
            noscript { p class="note" { "A passkey needs scripts, which are off here." } }
        }
    };
    bare("Let this device in", &main)
}

/// Makes the form that makes a passkey.
pub(crate) fn create(label: &str, button: &str) -> Markup {
    html! {
        form method="post" class="fields" data-create="/v1/browsers/claim" {
            label { span { (label) } input name="name" required maxlength="60" autocomplete="off" value="This device"; }
            div class="answers" { button type="submit" class="go" disabled { (button) } }
        }
    }
}

/// Makes the page that the script shows recovery codes on; by itself it holds none.
#[must_use]
pub fn recovery_codes() -> String {
    let main = html! {
        div class="enter" {
            h1 { "Keep these codes" }
            p class="lead" { "Each lets one new device in, once, if you lose the others. They are shown now and never again." }
            ol class="codes" id="codes" {}
            div class="answers" {
                button type="button" class="plain scripted" data-keep="#codes" data-name="bailey-recovery-codes.txt" { "Keep as a file" }
                a class="button go" href="/talk" { "I kept them" }
            }
        }
    };
    bare("Keep these codes", &main)
}

/// Makes the page that the script shows the code on by which a new approval passphrase is set; by itself it holds none.
#[must_use]
pub fn passphrase_code() -> String {
    let main = html! {
        div class="enter" {
            h1 { "Set a new passphrase" }
            p class="lead" { "On the machine that Bailey runs on, within 15 minutes, type:" }
            pre class="body" { "bailey passphrase --code" }
            p { "It asks for this code, once, and then for your new approval passphrase. The one before counts no more." }
            ol class="codes one" id="codes" {}
            div class="answers" { a class="button go" href="/settings" { "Done" } }
        }
    };
    bare("Set a new passphrase", &main)
}
