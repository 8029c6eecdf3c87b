//! Tasks that begin by themselves: what needs somebody, the schedules, what a new one would be, and what happened.

use bailey_interface::{
    AttentionView, DigestLine, DigestView, OccurrenceView, ScheduleAccount, ScheduleDraft, SchedulePreview,
    ScheduleView,
};
use maud::{Markup, html};
use serde_json::json;

use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch};
use crate::words;

/// An account that a schedule may be given.
#[derive(Debug, Clone, Copy)]
pub struct OwnAccount<'a> {
    /// Its connection.
    pub connection: &'a str,
    /// What the person calls it, with its kind.
    pub name: &'a str,
    /// The most it may be used for.
    pub level: &'a str,
}

/// A schedule that is being written.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleForm<'a> {
    /// As it was written.
    pub draft: &'a ScheduleDraft,
    /// What it would be; or what is wrong with it; nothing where it was not looked at yet.
    pub shown: Option<Result<&'a SchedulePreview, &'a str>>,
    /// The accounts there are.
    pub accounts: &'a [OwnAccount<'a>],
}

/// Makes the page of all schedules.
#[must_use]
pub fn schedules(
    frame: &Frame<'_>,
    all: &[ScheduleView],
    attention: &[AttentionView],
    digest: &DigestView,
    form: &ScheduleForm<'_>,
) -> String {
    let cards = html! {
        @if all.is_empty() { p class="dim" { "None yet." } }
        @for one in all { (card(one, false)) }
    };
    let main = html! {
        p class="crumb" { a href="/autonomy" { "Autonomy" } }
        h1 { "Schedules" }
        p class="lead" { "Tasks that begin by themselves. Their words are yours: you fix them here, and what they do asks as ever." }
        (needs(attention))
        section class="group" aria-labelledby="all" {
            h2 id="all" { "Your schedules" }
            (part("schedules", "cards", &cards))
        }
        (writing("A new one", form))
        (happened(digest))
    };
    page(frame, "Schedules", &main)
}

/// Makes the page of one schedule.
#[must_use]
pub fn schedule(frame: &Frame<'_>, one: &ScheduleView, form: &ScheduleForm<'_>) -> String {
    let times = html! {
        @if one.occurrences.is_empty() { p class="dim" { "None of its times came yet." } }
        ol class="history" { @for time in &one.occurrences { (occurrence(time)) } }
    };
    let main = html! {
        p class="crumb" { a href="/schedules" { "Schedules" } }
        h1 { bdi { (one.name) } }
        (card(one, true))
        section class="group" aria-labelledby="words" {
            h2 id="words" { "Each time" }
            pre class="words" { (one.words) }
            dl class="facts" {
                dt { "Said" } dd { bdi { (one.when) } " (" (one.zone) ")" }
                @for next in &one.next { dt { "Next" } dd { (next) } }
                dt { "May use" } dd { @if one.account_names.is_empty() { "no account" } @else { bdi { (one.account_names.join(", ")) } } }
                dt { "Tokens" } dd { (words::number(one.used_tokens)) " of " (words::number(one.month_tokens)) " in 30 days; " (words::number(one.run_tokens)) " a run" }
                dt { "Times that passed" } dd { (late(&one.late)) }
                dt { "While it is at work" } dd { (overlap(&one.overlap)) }
            }
        }
        section class="group" aria-labelledby="of-times" {
            h2 id="of-times" { "What became of its times" }
            (part("times", "", &times))
        }
        (writing("Change it", form))
        section class="group" aria-labelledby="away" {
            h2 id="away" { "Away with it" }
            p class="dim" { "Its words go with it, and their key. What it did stays under Activity." }
            (touch::post(&format!("/do/schedules/{}/delete", one.id), &[], "Delete this schedule", "plain reject"))
        }
    };
    page(frame, &one.name, &main)
}

fn state(one: &ScheduleView) -> &'static str {
    match one.state.as_str() {
        "on" => "on",
        "expired" => "over",
        _ => "stopped",
    }
}

fn card(one: &ScheduleView, alone: bool) -> Markup {
    html! {
        article class="card" {
            @if alone { h2 class="dim" { (state(one)) } }
            @else { h3 { a href={ "/schedules/" (one.id) } { bdi { (one.name) } } " " span class="dim" { (state(one)) } } }
            p { (one.told) }
            @if !one.stopped.is_empty() { p class="trouble" { "Stopped: " (one.stopped) "." } }
            @if let Some(next) = one.next.first() { p class="why" { "Next: " (next) } }
            @if let Some(last) = one.occurrences.first() { p class="why" { "Last: " (last.due) ", " (last.told) } }
            p class="dim" { (words::number(one.used_tokens)) " of " (words::number(one.month_tokens)) " tokens in 30 days" }
            div class="answers" {
                (touch::post(&format!("/do/schedules/{}/run", one.id), &[], &format!("Run now: {}", one.name), "plain"))
                @if one.state == "on" {
                    (touch::post(&format!("/do/schedules/{}/stop", one.id), &[], &format!("Stop: {}", one.name), "plain reject"))
                }
            }
        }
    }
}

fn occurrence(time: &OccurrenceView) -> Markup {
    html! {
        li {
            p class="by" { (time.due) @if time.count > 1 { " and " (words::number(u64::from(time.count) - 1)) " more" } }
            p {
                @if let Some(task) = &time.task { a href={ "/talk/" (task) } { (time.told) } } @else { (time.told) }
                @if time.tokens > 0 { " " span class="dim" { (words::number(time.tokens)) " tokens" } }
                @if let Some(cost) = words::cost(time.cost) { " " span class="dim" { (cost) } }
            }
        }
    }
}

/// Makes what needs somebody; nothing where nothing does.
fn needs(all: &[AttentionView]) -> Markup {
    let list = html! {
        ul class="listed" { @for one in all {
            li {
                div {
                    a href=(one.page) { bdi { (one.what) } }
                    @if !one.why.is_empty() { p class="dim" { (one.why) } }
                    p { "Next: " (one.next) "." }
                }
                @if !one.occurrences.is_empty() {
                    div class="answers" {
                        @let times = one.occurrences.join(" ");
                        (touch::post("/do/missed", &[("times", &times), ("what", "run")], &format!("Run now: {}", one.what), "plain"))
                        (touch::post("/do/missed", &[("times", &times), ("what", "forget")], &format!("Let it be: {}", one.what), "plain"))
                    }
                }
            }
        } }
    };
    html! {
        @if !all.is_empty() {
            section class="group" aria-labelledby="needs" {
                h2 id="needs" { "Needs you" }
                (part("attention", "", &list))
            }
        }
    }
}

fn happened(digest: &DigestView) -> Markup {
    html! {
        details class="group" id="digest" {
            summary { "What happened" }
            p class="dim" { (digest.told) }
            (lines("Ran", &digest.ran))
            (lines("Went by your rules", &digest.by_rule))
            (lines("Waits for you", &digest.waits))
            (lines("Failed or missed", &digest.failed))
            (lines("Noted", &digest.learnt))
            p { "Schedules took " (words::number(digest.tokens)) " tokens" @if let Some(cost) = words::cost(digest.cost) { ", " (cost) } "." }
        }
    }
}

fn lines(name: &str, all: &[DigestLine]) -> Markup {
    html! {
        @if !all.is_empty() {
            h3 { (name) }
            ul { @for one in all { li { a href=(one.page) { bdi { (words::short(&one.text, 400)) } } @if one.undo { " " span class="dim" { "can be undone" } } } } }
        }
    }
}

fn late(name: &str) -> &'static str {
    match name {
        "never" => "never made up for",
        "always-once" => "the latest is made up for, however late",
        _ => "the latest is made up for on the same day",
    }
}

fn overlap(name: &str) -> &'static str {
    if name == "queue-one" { "one waits until the run has ended" } else { "the time is skipped" }
}

/// Makes the form that writes a schedule, with what it would be.
fn writing(title: &str, form: &ScheduleForm<'_>) -> Markup {
    let ScheduleForm { draft, shown, accounts } = form;
    let given = |one: &OwnAccount<'_>| match &draft.accounts {
        None => one.level.to_owned(),
        Some(given) => level_in(given, one.connection).to_owned(),
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    html! {
        section class="group" aria-labelledby="write" {
            h2 id="write" { (title) }
            form method="post" action="/do/schedules/preview" class="fields" {
                @if let Some(id) = &draft.id { input type="hidden" name="id" value=(id); }
                label { span { "Name" } input type="text" name="name" value=(draft.name) required maxlength="80"; }
                label {
                    span { "When " small { "every weekday at 7.00; jeden zweiten Dienstag um 9 Uhr; in 20 minutes; or cron" } }
                    input type="text" name="when" value=(draft.when) required maxlength="200" spellcheck="false";
                }
                label { span { "What is to be done each time" } textarea name="words" rows="3" required { "\n" (draft.words) } }
                details {
                    summary { "More" }
                    @for one in *accounts {
                        label {
                            span { "Use " bdi { (one.name) } " for" }
                            select name={ "use-" (one.connection) } {
                                option value="" selected[given(one).is_empty()] { "nothing" }
                                @for level in levels(one.level) {
                                    option value=(level) selected[given(one) == *level] { (words::level(level).0) }
                                }
                            }
                        }
                    }
                    label {
                        span { "Times that passed" }
                        select name="late" {
                            @for name in ["usual", "never", "always-once"] {
                                option value=(name) selected[draft.late.as_deref() == Some(name)] { (late(name)) }
                            }
                        }
                    }
                    label {
                        span { "While a run is at work" }
                        select name="overlap" {
                            @for name in ["skip", "queue-one"] {
                                option value=(name) selected[draft.overlap.as_deref() == Some(name)] { (overlap(name)) }
                            }
                        }
                    }
                    label { span { "Time zone " small { "yours where nothing is said" } } input type="text" name="zone" value=(text(&draft.zone)) spellcheck="false"; }
                    label { span { "Ends " small { "a date; never where nothing is said" } } input type="text" name="until" value=(text(&draft.until)); }
                    label { span { "Tokens a run may take" } input type="number" name="run_tokens" min="1" value=[draft.run_tokens]; }
                    label { span { "Tokens in 30 days" } input type="number" name="month_tokens" min="1" value=[draft.month_tokens]; }
                }
                div class="answers" { button type="submit" class="plain" { "Show it whole" } }
            }
            @match shown {
                None => {},
                Some(Err(mistake)) => p class="trouble" role="alert" { (mistake) },
                Some(Ok(preview)) => (whole(preview)),
            }
        }
    }
}

fn level_in<'a>(given: &'a [ScheduleAccount], connection: &str) -> &'a str {
    given.iter().find(|one| one.connection == connection).map_or("", |one| one.level.as_str())
}

/// Returns the levels up to one.
fn levels(most: &str) -> &'static [&'static str] {
    match most {
        "read-only" => &["read-only"],
        "draft" => &["read-only", "draft"],
        "send" => &["read-only", "draft", "send"],
        _ => &["read-only", "draft", "send", "full"],
    }
}

/// Shows what a schedule would be, and the touch that makes exactly that.
fn whole(preview: &SchedulePreview) -> Markup {
    let plan = &preview.plan;
    let make =
        Touch { path: "/v1/schedules", body: json!({ "plan": plan }), said: "It is on.", then: Then::Go("/schedules") };
    html! {
        article class="card trial" aria-label="What it would be" {
            h3 { bdi { (plan.name) } }
            p { (preview.told) }
            ol { @for time in &preview.times { li { (time) } } }
            dl class="facts" {
                dt { "Time zone" } dd { (plan.zone) }
                dt { "May use" } dd { @if preview.accounts.is_empty() { "no account" } @else { bdi { (preview.accounts.join(", ")) } } }
                dt { "Tokens" } dd { (words::number(plan.run_tokens)) " a run, " (words::number(plan.month_tokens)) " in 30 days" }
                dt { "Times that passed" } dd { (late(&plan.late)) }
                dt { "While it is at work" } dd { (overlap(&plan.overlap)) }
                @if !preview.until.is_empty() { dt { "Ends" } dd { (preview.until) } }
            }
            p class="by" { "Each time, with nobody there" }
            pre class="words" { (plan.words) }
            div class="answers" { (touch::button(&make, "Make exactly this", "go")) }
        }
    }
}
