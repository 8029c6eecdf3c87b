//! What may go by itself: what the rules come to, the person's own sentences, what a new one would have done, and the way back.

use bailey_interface::{RuleEventView, RuleView, SuggestionView, TrialView, TriedView};
use maud::{Markup, html};
use serde_json::json;

use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch, field};
use crate::words;

/// Actions of a trial that are shown.
const MOST_TRIED: usize = 20;
/// Characters of the rules that are shown as Cedar, before and after a change.
const MOST_CEDAR: usize = 4_000;
/// Changes of the rules that are shown.
const MOST_CHANGES: usize = 20;

/// What the rules come to for a kind of action.
#[derive(Debug, Clone)]
pub struct KindRow<'a> {
    /// `mail.send` and so on.
    pub kind: &'a str,
    /// `auto`, `ask`, `ask-step-up` or `deny`, where nothing more is known of an action.
    pub decision: &'a str,
    /// The rule that decides it, in words; or that some of it is decided otherwise.
    pub by: &'a str,
}

/// A shipped set of rules.
#[derive(Debug, Clone)]
pub struct Profile<'a> {
    /// `careful`, `balanced`, `trusting`.
    pub name: &'a str,
    /// What it lets go, in words.
    pub about: &'a str,
}

/// A sentence that is being written.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// As it was written.
    pub words: &'a str,
    /// What it would have done; or what is wrong with it, with a mark under the word.
    pub trial: Result<&'a TrialView, &'a str>,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Autonomy<'a> {
    /// What the rules come to.
    pub kinds: &'a [KindRow<'a>],
    /// The profile in force.
    pub profile: &'a str,
    /// The profiles there are.
    pub profiles: &'a [Profile<'a>],
    /// The rules in force beside the shipped ones.
    pub rules: &'a [RuleView],
    /// A sentence that is being written.
    pub draft: Option<Draft<'a>>,
    /// Rules that would spare the person questions.
    pub suggestions: &'a [SuggestionView],
    /// What was changed, newest first.
    pub history: &'a [RuleEventView],
}

/// Makes the page.
#[must_use]
pub fn autonomy(frame: &Frame<'_>, view: &Autonomy<'_>) -> String {
    let main = html! {
        h1 { "Autonomy" }
        p class="lead" { "What goes ahead by itself, what asks you, and what never happens. Some things ask whatever is said here." }
        p { a href="/schedules" { "Schedules" } ": tasks that begin by themselves." }
        (sentence(view.draft.as_ref()))
        @if !view.suggestions.is_empty() { (suggestions(frame, view.suggestions)) }
        (own(frame, view.rules))
        (table(view))
        (history(frame, view.history))
    };
    page(frame, "Autonomy", &main)
}

fn sentence(draft: Option<&Draft<'_>>) -> Markup {
    let words = draft.map(|draft| draft.words).unwrap_or_default();
    html! {
        section class="group" aria-labelledby="say" {
            h2 id="say" { "Say a rule" }
            form method="post" action="/do/rules/try" class="fields" {
                label {
                    span { "In words " small { "mail to @example.org: go ahead" } }
                    textarea name="words" rows="2" required spellcheck="false" { "\n" (words) }
                }
                div class="answers" { button type="submit" class="plain" { "Try it on what happened" } }
            }
            @if let Some(draft) = draft {
                @match draft.trial {
                    Err(mistake) => pre class="trouble mistake" role="alert" { (mistake) },
                    Ok(trial) => div class="trial" {
                        (tried(trial, false))
                        div class="answers" { (take(draft.words, "Make it a rule", None)) }
                    },
                }
            }
        }
    }
}

/// Makes the touch that adds a rule; the one that a suggestion is, where it is one.
fn take(words: &str, label: &str, suggestion: Option<&str>) -> Markup {
    let change = match suggestion {
        Some(id) => json!({ "add": words, "suggestion": id }),
        None => json!({ "add": words }),
    };
    let add = Touch {
        path: "/v1/rules",
        body: json!({ "change": change }),
        said: "It is a rule now.",
        then: Then::Go("/autonomy"),
    };
    touch::button(&add, label, "go")
}

fn tried(trial: &TrialView, folded: bool) -> Markup {
    let otherwise = trial.otherwise.len() as u64;
    let list = html! {
        ul class="tried" { @for one in trial.otherwise.iter().take(MOST_TRIED) { (one_tried(one)) } }
        @if trial.otherwise.len() > MOST_TRIED { p class="dim" { "The newest " (MOST_TRIED) " of them." } }
    };
    html! {
        p {
            "Tried on " (words::count(trial.tried, "action", "actions")) ": "
            b { @if otherwise == 0 { "nothing would have been decided otherwise" } @else { (words::number(otherwise)) " would have been decided otherwise" } } "."
            @if trial.untold > 0 { " Of " (words::number(trial.untold)) " more nothing is kept to try it on." }
        }
        @if otherwise > 0 {
            @if folded { details { summary { "Which" } (list) } } @else { (list) }
        }
        details {
            summary { "As Cedar" }
            div class="beside" {
                div { p class="by" { "Now" } pre { code { (words::short(&trial.before, MOST_CEDAR)) } } }
                div { p class="by" { "Then" } pre { code { (words::short(&trial.after, MOST_CEDAR)) } } }
            }
        }
    }
}

fn one_tried(one: &TriedView) -> Markup {
    html! {
        li {
            a href={ "/activity/" (one.id) } { bdi { (words::short(&one.headline, 160)) } }
            " " span class="dim" { (words::decision(&one.before)) " → " } b { (words::decision(&one.after)) }
            " " span class="dim" { "(" (one.answered) ")" }
        }
    }
}

fn suggestions(frame: &Frame<'_>, all: &[SuggestionView]) -> Markup {
    let cards = html! {
        @for one in all {
            article class="card" id={ "o-" (one.id) } {
                h3 { (one.words) }
                p class="why" { (one.why) " " span class="dim" { (words::count(one.approved, "approval", "approvals")) ", last " (frame.moment(one.last_ms)) } }
                (tried(&one.trial, true))
                div class="answers" {
                    (touch::post("/do/rules/dismiss", &[("id", &one.id)], "Not now", "plain"))
                    (take(&one.words, "Make it a rule", Some(&one.id)))
                }
            }
        }
    };
    html! {
        section class="group" aria-labelledby="offers" {
            h2 id="offers" { "Could spare you questions" }
            (part("suggestions", "cards", &cards))
        }
    }
}

fn own(frame: &Frame<'_>, rules: &[RuleView]) -> Markup {
    let list = html! {
        @for rule in rules {
            li class="rule" {
                div class="beside" {
                    p { b { @if rule.words.is_empty() { "(in Cedar)" } @else { (rule.words) } } br; span class="dim" { (origin(&rule.origin)) ", " (frame.moment(rule.added_ms)) } }
                    details { summary { "As Cedar" } pre { code { (rule.cedar) } } }
                }
                (drop_rule(rule))
            }
        }
    };
    html! {
        section class="group" aria-labelledby="own" {
            h2 id="own" { "Your rules" }
            @if rules.is_empty() { p class="dim" { "None. Everything but looking asks you." } }
            @else {
                (part("rules", "", &html! { ul class="rules" { (list) } }))
                (touch::post("/do/rules/lockdown", &[], "Back to careful", "plain reject"))
                p class="dim" { "Drops every rule that lets something go by itself, at once and without a touch." }
            }
        }
    }
}

fn origin(origin: &str) -> &str {
    match origin {
        "own" => "said by you",
        "offer" => "suggested, taken by you",
        profile => profile,
    }
}

fn drop_rule(rule: &RuleView) -> Markup {
    let away = Touch {
        path: "/v1/rules",
        body: json!({ "change": { "remove": [rule.id] } }),
        said: "Dropped.",
        then: Then::Renew,
    };
    touch::form(
        &away,
        &html! { button type="submit" class="plain" disabled { "Drop" span class="off" { ": " (rule.words) } } },
    )
}

fn table(view: &Autonomy<'_>) -> Markup {
    let rows = html! {
        @for row in view.kinds {
            tr {
                th scope="row" { (words::kind(row.kind)) }
                @for (decisions, name) in [(&["auto"][..], "Goes ahead"), (&["ask", "ask-step-up"][..], "Asks"), (&["deny"][..], "Never")] {
                    @let here = decisions.contains(&row.decision);
                    td class=[here.then_some("here")] { @if here { span class="dot" aria-hidden="true" {} span class="off" { (name) } } }
                }
                td class="dim" { (row.by) }
            }
        }
    };
    html! {
        section class="group" aria-labelledby="kinds" {
            h2 id="kinds" { "What it comes to" }
            @if !view.profiles.is_empty() { (profiles(view)) }
            @if !view.kinds.is_empty() {
                div class="wide" tabindex="0" role="region" aria-label="Table of kinds" {
                    table class="decisions" {
                        thead { tr { th scope="col" { "What" } th scope="col" { "Goes ahead" } th scope="col" { "Asks" } th scope="col" { "Never" } th scope="col" { "Because" } } }
                        tbody { (rows) }
                    }
                }
            }
        }
    }
}

fn profiles(view: &Autonomy<'_>) -> Markup {
    let change = Touch {
        path: "/v1/rules",
        body: json!({ "change": { "profile": field("profile") } }),
        said: "Changed.",
        then: Then::Renew,
    };
    touch::form(
        &change,
        &html! {
            fieldset class="choice" {
                legend { "Set of rules to begin from" }
                @for one in view.profiles {
                    label {
                        input type="radio" name="profile" value=(one.name) checked[one.name == view.profile] required;
                        span { b { (one.name) } " " span class="dim" { (one.about) } }
                    }
                }
            }
            button type="submit" class="plain" disabled { "Change the set" }
        },
    )
}

fn history(frame: &Frame<'_>, events: &[RuleEventView]) -> Markup {
    html! {
        @if !events.is_empty() {
            details class="group" id="history" {
                summary { "What was changed" }
                ol class="history" {
                    @for event in events.iter().take(MOST_CHANGES) {
                        li {
                            p class="by" { (frame.moment(event.at_ms)) " · " (event.actor) }
                            @for (sign, lines) in [("came", &event.added), ("went", &event.removed)] {
                                @for line in lines.lines() { p { span class="dim" { (sign) } " " (line) } }
                            }
                            @for (name, value) in [("organisation", &event.organisation), ("group", &event.group), ("not wanted", &event.dismissed), ("why", &event.why)] {
                                @if !value.is_empty() { p { span class="dim" { (name) } " " (value) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
