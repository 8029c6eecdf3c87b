//! Models: which is asked, which there are, what their providers may do with your words, and what they cost.

use bailey_interface::{ModelsView, OfferView, ProviderView, SettingView};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch, field};
use crate::words;

/// Models of a place that are shown.
const SHOWN: usize = 100;
/// Below so many thousand millions of parameters a model loses its way without a plan.
const SMALL: f64 = 7.0;

/// What is said of a model beside its place and its name: each begins anew with another model.
const BESIDE: [&str; 7] =
    ["thinking", "context_tokens", "answer_tokens", "input_price", "output_price", "task_limit", "month_limit"];
/// Those of them that the other model has too.
const BESIDE_FALLBACK: [&str; 5] = ["thinking", "context_tokens", "answer_tokens", "input_price", "output_price"];

/// Makes the page.
#[must_use]
pub fn models(frame: &Frame<'_>, models: &ModelsView, settings: &[SettingView]) -> String {
    let main = html! {
        p class="crumb" { a href="/settings" { "Settings" } }
        h1 { "Models" }
        p class="lead" { "A model reads your tasks, and what they read: mail, calendar, all of it. Choose whom you let read along." }
        (part("in-use", "cards", &html! {
            @for offer in &models.configured { (one(offer, settings)) }
            @if models.configured.is_empty() { p { "None is chosen yet." } }
        }))
        (here(models))
        (providers(models))
        (costs(models, settings))
    };
    page(frame, "Models", &main)
}

fn value<'a>(settings: &'a [SettingView], name: &str) -> &'a str {
    settings.iter().find(|one| one.name == name).and_then(|one| one.value.as_deref()).unwrap_or_default()
}

/// Returns a touch that changes what is set; `name` and value of each.
fn change(set: Map<String, Value>) -> Value {
    json!({ "change": { "set": set, "unset": [] } })
}

fn one(offer: &OfferView, settings: &[SettingView]) -> Markup {
    let is_first = offer.what == "model";
    let id = if is_first { "first" } else { "fallback" };
    html! {
        article class="card" aria-labelledby={ "h-" (id) } {
            header {
                h2 id={ "h-" (id) } { bdi { (offer.configured) } }
                p class="back" { @if is_first { "is asked" } @else { "is asked where the first cannot be reached, if it may do no more with your words" } }
            }
            dl class="items" {
                dt { "At" } dd { bdi { (offer.base_url) } }
                dt { "Your words" } dd { (offer.data) }
                @if is_first {
                    dt { "Worked with" }
                    dd { @if value(settings, "model.mode") == "planned" { "step by step, as small models need it" } @else { "freely" } }
                }
            }
            @if let Some(trouble) = &offer.trouble { p class="trouble" { (trouble) } }
            @if !offer.models.is_empty() {
                details id={ "offered-" (id) } {
                    summary { "What it offers: " (words::count(offer.models.len() as u64, "model", "models")) }
                    ul class="listed" { @for name in offer.models.iter().take(SHOWN) { (use_one(&offer.base_url, value(settings, "model.kind"), name)) } }
                }
            }
            div class="answers" {
                @if offer.models.is_empty() && offer.trouble.is_none() { a class="button plain" href="/models?offered=yes" { "What else does it offer?" } }
                @if is_first { (details(settings)) } @else { (touch::post("/do/models/no-fallback", &[], "Do without", "plain reject")) }
            }
        }
    }
}

fn text_field(label: &str, hint: &str, name: &str, value: &str, required: bool) -> Markup {
    html! {
        label { span { (label) @if !hint.is_empty() { " " small { (hint) } } }
            input name=(name) value=(value) required[required] autocomplete="off" spellcheck="false"; }
    }
}

fn amount_field(label: &str, name: &str, value: &str) -> Markup {
    html! {
        label { span { (label) } input name=(name) value=(value) type="number" min="0" step="any" inputmode="decimal" autocomplete="off"; }
    }
}

fn choice_field(label: &str, name: &str, now: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        label { span { (label) } select name=(name) { @for (choice, words) in choices { option value=(choice) selected[*choice == now] { (words) } } } }
    }
}

const KINDS: [(&str, &str); 2] =
    [("openai-chat", "OpenAI Chat Completions: most servers"), ("anthropic", "Anthropic Messages")];
const MODES: [(&str, &str); 2] = [("free", "freely"), ("planned", "step by step: for small models, below about 7B")];
const THINKING: [(&str, &str); 4] =
    [("", "as its provider has it"), ("low", "a little"), ("medium", "more"), ("high", "much")];

/// Makes the form for everything that can be said of the model.
fn details(settings: &[SettingView]) -> Markup {
    let now = |name: &str| value(settings, &format!("model.{name}"));
    let names = [
        "kind",
        "base_url",
        "name",
        "mode",
        "thinking",
        "context_tokens",
        "budget_tokens",
        "input_price",
        "output_price",
    ];
    let set = names.iter().map(|name| (format!("model.{name}"), field(name))).collect();
    let touch =
        Touch { path: "/v1/config", body: change(set), said: "Changed; it counts from now on.", then: Then::Renew };
    html! {
        details id="model-details" {
            summary class="button plain" { "Change" }
            (touch::form(&touch, &html! {
                div class="fields" {
                    (choice_field("What its server speaks", "kind", now("kind"), &KINDS))
                    (text_field("Address", "without /chat/completions", "base_url", now("base_url"), true))
                    (text_field("Model", "", "name", now("name"), true))
                    (choice_field("Worked with", "mode", now("mode"), &MODES))
                    (choice_field("Thinks", "thinking", now("thinking"), &THINKING))
                    (amount_field("Tokens it holds", "context_tokens", now("context_tokens")))
                    (amount_field("Most tokens of one task", "budget_tokens", now("budget_tokens")))
                    (amount_field("A million tokens read cost", "input_price", now("input_price")))
                    (amount_field("A million tokens written cost", "output_price", now("output_price")))
                    div class="answers" { button type="submit" class="go" disabled { "Change" } }
                }
            }))
        }
    }
}

/// Tells whether a model says by its name that it is small: `qwen2.5:1.5b`, `Llama-3.2-3B`.
fn is_small(name: &str) -> bool {
    let lower = name.to_lowercase();
    let parts = lower.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    parts.filter_map(|part| part.strip_suffix('b')).filter_map(|size| size.parse::<f64>().ok()).any(|size| size < SMALL)
}

/// Makes a line of one model, with what takes it.
fn use_one(base_url: &str, kind: &str, name: &str) -> Markup {
    let kind = if kind.is_empty() { "openai-chat" } else { kind };
    let mode = if is_small(name) { "planned" } else { "free" };
    let mut first: Map<String, Value> = [("kind", kind), ("base_url", base_url), ("name", name), ("mode", mode)]
        .into_iter()
        .map(pair("model."))
        .collect();
    first.extend(BESIDE.iter().map(|beside| pair("model.")((beside, ""))));
    let mut other: Map<String, Value> =
        [("kind", kind), ("base_url", base_url), ("name", name)].into_iter().map(pair("model.fallback.")).collect();
    other.extend(BESIDE_FALLBACK.iter().map(|beside| pair("model.fallback.")((beside, ""))));
    let said = "It is asked from now on.";
    let first = Touch { path: "/v1/config", body: change(first), said, then: Then::Go("/models") };
    let said = "It is asked where the first cannot be reached.";
    let other = Touch { path: "/v1/config", body: change(other), said, then: Then::Go("/models") };
    let button = |words: &str| html! { button type="submit" class="plain" disabled { (words) span class="off" { ": " (name) } } };
    html! {
        li {
            bdi { (name) }
            div class="answers" { (touch::form(&first, &button("Use"))) (touch::form(&other, &button("As fallback"))) }
        }
    }
}

fn pair(before: &'static str) -> impl Fn((&str, &str)) -> (String, Value) {
    move |(name, value)| (format!("{before}{name}"), Value::from(value))
}

fn here(models: &ModelsView) -> Markup {
    let list = html! {
        @for offer in &models.local {
            h3 { (offer.what) " " small { (offer.base_url) } }
            ul class="listed" { @for name in offer.models.iter().take(SHOWN) { (use_one(&offer.base_url, "openai-chat", name)) } }
            @if offer.models.is_empty() { p class="dim" { "It has no model yet." } }
        }
        @if models.local.is_empty() {
            p { "No server was found. With Ollama (" code { "ollama pull qwen2.5:7b" } ") or llama.cpp running on this machine, it stands here." }
        }
    };
    html! {
        section class="group" aria-labelledby="here" {
            h2 id="here" { "On this machine" }
            (part("local", "", &list))
        }
    }
}

fn providers(models: &ModelsView) -> Markup {
    let list = html! {
        @for provider in &models.providers { (one_provider(provider)) }
        @if models.providers.is_empty() { p { "You agreed to none, so nothing is sent to any." } }
    };
    html! {
        section class="group" aria-labelledby="providers" {
            h2 id="providers" { "Providers" }
            (part("provider-list", "", &list))
            p { a class="button plain" href="/connect?kind=model" { "Agree to a provider, and give its key" } }
        }
    }
}

fn one_provider(provider: &ProviderView) -> Markup {
    let id = provider.connection.as_str();
    let mut set: Map<String, Value> = [pair("model.")(("base_url", &provider.base_url))].into_iter().collect();
    let names = ["kind", "name", "mode", "input_price", "output_price", "task_limit", "month_limit"];
    set.extend(names.iter().map(|name| (format!("model.{name}"), field(name))));
    set.extend(["thinking", "context_tokens", "answer_tokens"].iter().map(|name| pair("model.")((name, ""))));
    let said = "It is asked from now on.";
    let choose = Touch { path: "/v1/config", body: change(set), said, then: Then::Go("/models") };
    html! {
        div class="provider" {
            h3 { bdi { (provider.base_url) } }
            p { (provider.data) }
            p class="dim" { "Its key is kept sealed, and is never shown." }
            div class="answers" {
                a class="button plain" href={ "/connect/" (id) "/again" } { "New key" span class="off" { ": " (provider.base_url) } }
                (touch::post(&format!("/do/connections/{id}/revoke"), &[("to", "/models")], "Take back", "plain reject"))
                details id={ "use-" (id) } {
                    summary class="button plain" { "Use a model of it" }
                    (touch::form(&choose, &html! {
                        div class="fields" {
                            (choice_field("What it speaks", "kind", "", &KINDS))
                            (text_field("Model", "as the provider names it", "name", "", true))
                            (choice_field("Worked with", "mode", "free", &MODES))
                            (amount_field("A million tokens read cost", "input_price", ""))
                            (amount_field("A million tokens written cost", "output_price", ""))
                            (amount_field("Most that one task may cost", "task_limit", ""))
                            (amount_field("Most that a month may cost", "month_limit", ""))
                            div class="answers" { button type="submit" class="go" disabled { "Use it" } }
                        }
                    }))
                }
            }
        }
    }
}

fn costs(models: &ModelsView, settings: &[SettingView]) -> Markup {
    let now = |name: &str| value(settings, name);
    let set = ["task_limit", "month_limit"].iter().map(|name| (format!("model.{name}"), field(name))).collect();
    let bound = Touch { path: "/v1/config", body: change(set), said: "Changed.", then: Then::Renew };
    let priced = ["model.input_price", "model.output_price"]
        .iter()
        .any(|name| now(name).parse::<f64>().is_ok_and(|price| price > 0.0));
    let list = html! {
        @if models.months.is_empty() { p { "Nothing was asked yet." } } @else {
            table {
                thead { tr { th scope="col" { "Month" } th scope="col" { "Answers" } th scope="col" { "Tokens" } th scope="col" { "Cost" } } }
                tbody { @for month in &models.months {
                    tr {
                        th scope="row" { (month.month) }
                        td { (words::number(month.answers)) }
                        td { (words::number(month.tokens)) }
                        td { (words::cost(month.cost).unwrap_or_else(|| "–".into())) }
                    }
                } }
            }
        }
        p class="dim" {
            (models.month) ": " (words::count(models.month_answers, "answer", "answers"))
            @if let Some(cost) = words::cost(models.month_cost) { ", " (cost) " at your prices" }
            @if let Some(limit) = models.month_limit.and_then(words::cost) { "; more than " (limit) " is not spent" }
            "."
        }
    };
    html! {
        section class="group" aria-labelledby="costs" {
            h2 id="costs" { "Costs" }
            (part("months", "", &list))
            @if priced {
                details id="bounds" {
                    summary class="button plain" { "Set a bound" }
                    (touch::form(&bound, &html! {
                        div class="fields" {
                            (amount_field("Most that one task may cost", "task_limit", now("model.task_limit")))
                            (amount_field("Most that a month may cost", "month_limit", now("model.month_limit")))
                            div class="answers" { button type="submit" class="go" disabled { "Set" } }
                        }
                    }))
                }
            } @else if !models.configured.is_empty() {
                p class="dim" { "With prices set (Change, above) there are sums here, and bounds." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_small;

    #[test]
    fn small_models_are_told_by_their_names() {
        for small in ["qwen2.5:1.5b", "Llama-3.2-3B-Instruct", "gemma:2b", "smollm-0.5b"] {
            assert!(is_small(small), "{small}");
        }
        for large in ["qwen2.5:7b", "gpt-5", "claude-opus", "llama3.1:70b", "mixtral", "b", "grub"] {
            assert!(!is_small(large), "{large}");
        }
    }
}
