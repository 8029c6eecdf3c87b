//! What happened: by day, narrowed as one likes; and one action, with all that is known of it.

use bailey_interface::{ActionView, WhyView};
use maud::{Markup, html};

use crate::card::{self, Heading, about, undo};
use crate::frame::{Frame, page, part};
use crate::{records, words};

/// Longest outcome that a row shows; the action's own page has it whole.
const MOST_OUTCOME: usize = 300;

/// What the list is narrowed to. Empty where it is not.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// Words that are searched for.
    pub search: &'a str,
    /// A kind of action.
    pub kind: &'a str,
    /// Where actions stand.
    pub state: &'a str,
    /// An account.
    pub account: &'a str,
    /// What the person answered from: `dashboard`, `cli`, `program`, `rules`.
    pub by: &'a str,
    /// The first day, such as `2026-11-30`.
    pub from: &'a str,
    /// The last day.
    pub to: &'a str,
    /// Kinds there are to choose from.
    pub kinds: &'a [&'a str],
    /// Accounts there are to choose from.
    pub accounts: &'a [String],
    /// How much of the log can be found, where that is not all of it: entries that can be, and entries there are.
    pub behind: Option<(u64, u64)>,
}

/// What an action can have been decided by, and how it is called.
const DECIDED_BY: [(&str, &str); 4] = [
    ("rules", "By itself, by the rules"),
    ("dashboard", "You, in a browser"),
    ("cli", "You, on the command line"),
    ("program", "You, in another program"),
];

impl Filter<'_> {
    fn parts(&self) -> [(&'static str, &str); 7] {
        [
            ("q", self.search),
            ("kind", self.kind),
            ("state", self.state),
            ("account", self.account),
            ("by", self.by),
            ("from", self.from),
            ("to", self.to),
        ]
    }

    fn is_on(&self) -> bool {
        self.parts().iter().any(|(_, value)| !value.is_empty())
    }

    /// Tells whether more is chosen than the words.
    fn is_narrow(&self) -> bool {
        self.parts().iter().skip(1).any(|(_, value)| !value.is_empty())
    }
}

/// Makes the page of what happened, newest first. `before` is the id that the next page begins behind, where there is one.
#[must_use]
pub fn activity(frame: &Frame<'_>, actions: &[ActionView], filter: &Filter<'_>, before: Option<&str>) -> String {
    let rows = html! {
        @for (day, of_day) in by_day(frame, actions) {
            section class="day" aria-label=(day) {
                h2 { (day) }
                @for action in of_day { (row(frame, action)) }
            }
        }
    };
    let main = html! {
        h1 { "Activity" }
        (records::badge(&frame.status.home))
        (chooser(filter))
        @if let Some((found, all)) = filter.behind { p class="note" role="status" { (records::behind(found, all)) } }
        @if actions.is_empty() {
            p class="lead" { @if filter.is_on() { "Nothing like that. " a href="/activity" { "Show all" } } @else { "Nothing has happened yet." } }
        } @else { (part("rows", "", &rows)) }
        @if let Some(before) = before { p class="older" { a class="button plain" rel="next" href=(older(filter, before)) { "Older" } } }
        (records::export())
    };
    page(frame, "Activity", &main)
}

/// Returns the address of the page behind this one.
fn older(filter: &Filter<'_>, before: &str) -> String {
    let before = [("before", before)];
    records::address("/activity", before.iter().copied().chain(filter.parts()))
}

fn chooser(filter: &Filter<'_>) -> Markup {
    let chosen = |name: &str, label: &str, all: &str, value: &str, options: &[(&str, &str)]| {
        html! {
            label { span { (label) } select name=(name) {
                option value="" { (all) }
                @for (one, words) in options { option value=(one) selected[*one == value] { (words) } }
            } }
        }
    };
    let kinds: Vec<_> = filter.kinds.iter().map(|kind| (*kind, words::kind(kind))).collect();
    let states: Vec<_> = words::STATES.iter().map(|state| (*state, words::state(state))).collect();
    let accounts: Vec<_> = filter.accounts.iter().map(|account| (account.as_str(), account.as_str())).collect();
    html! {
        form method="get" action="/activity" class="chooser" role="search" {
            label class="grow" { span { "Search" }
                input type="search" name="q" value=(filter.search) placeholder="words, or \"words in a row\"" enterkeyhint="search"; }
            button type="submit" class="plain" { "Search" }
            @if filter.is_on() { a class="button plain" href="/activity" { "Show all" } }
            details id="narrow" class="narrow" open[filter.is_narrow()] {
                summary { "Narrow it down" }
                div class="chooser" {
                    (chosen("kind", "What", "Everything", filter.kind, &kinds))
                    (chosen("state", "Where it stands", "Anywhere", filter.state, &states))
                    @if !accounts.is_empty() { (chosen("account", "Account", "Every account", filter.account, &accounts)) }
                    (chosen("by", "Decided by", "Anybody", filter.by, &DECIDED_BY))
                    label { span { "From" } input type="date" name="from" value=(filter.from); }
                    label { span { "Until" } input type="date" name="to" value=(filter.to); }
                }
            }
        }
    }
}

fn by_day<'a>(frame: &Frame<'_>, actions: &'a [ActionView]) -> Vec<(String, Vec<&'a ActionView>)> {
    let mut days: Vec<(String, Vec<&ActionView>)> = Vec::new();
    let mut last = None;
    for action in actions {
        let date = words::date(action.at_ms, &frame.zone);
        match days.last_mut().filter(|_| last == Some(date)) {
            Some((_, of_day)) => of_day.push(action),
            None => days.push((words::day(action.at_ms, frame.now_ms, &frame.zone), vec![action])),
        }
        last = Some(date);
    }
    days
}

fn row(frame: &Frame<'_>, action: &ActionView) -> Markup {
    let about = about(action);
    html! {
        details class="row" id={ "r-" (action.id) } {
            summary {
                (frame.clock(action.at_ms))
                span class="what" { @if action.undoes.is_some() { span class="dim" { "Undo: " } } (action.headline) @if !about.is_empty() { " " span class="dim" { bdi { (about) } } } }
                span class={ "state s-" (action.state) } { (words::state(&action.state)) }
            }
            @if !action.answered.is_empty() { p { (sentence(&action.answered)) } }
            @if !action.reason.is_empty() { p { b { "Why it was decided so" } " " (action.reason) } }
            @if !action.claimed_why.is_empty() { p { b { "The agent says" } " " (action.claimed_why) } }
            @if let Some(outcome) = &action.outcome { p { b { "Outcome" } " " (words::short(outcome, MOST_OUTCOME)) } }
            div class="answers" {
                a class="button plain" href={ "/activity/" (action.id) } { "Whole" span class="off" { ": " (action.headline) } }
                @if let Some(task) = &action.task {
                    a class="button plain" href={ "/talk/" (task) } { "Its task" }
                    a class="button plain" href={ "/activity/" (action.id) "/request" } { "The request behind it" }
                    @if action.can_undo { a class="button plain" href={ "/talk/" (task) "/undo" } { "Undo its whole task…" } }
                }
                @if action.can_undo { (undo(action)) }
            }
        }
    }
}

/// Makes a sentence of a few words.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

/// Makes the page of one action. `requests` are the model requests that led to it, by their numbers.
#[must_use]
pub fn action(frame: &Frame<'_>, action: &ActionView, why: Option<&WhyView>, requests: &[u64]) -> String {
    let main = html! {
        p class="crumb" { a href="/activity" { "Activity" } }
        (card::card(frame, action, Heading::Page, None))
        dl class="items" {
            dt { "Proposed" } dd { (words::day(action.at_ms, frame.now_ms, &frame.zone)) ", " (frame.clock(action.at_ms)) }
            @if !action.answered.is_empty() { dt { "Since then" } dd { (sentence(&action.answered)) } }
            @if let Some(undone) = &action.undoes {
                dt { "Undoes" } dd { a href={ "/activity/" (undone) } { "an earlier action" } }
            }
            @if let Some(task) = &action.task {
                dt { "Task" } dd { a href={ "/talk/" (task) } { "what it was done for" } }
                @if !requests.is_empty() {
                    dt { "The request behind it" }
                    dd { @for n in requests { a href={ "/context/" (task) "/" (n) } { "request " (n.saturating_add(1)) } " " } }
                }
            }
        }
        @if let Some(why) = why { (facts(why)) }
    };
    page(frame, &words::short(&action.headline, 60), &main)
}

/// Shows why an action was decided as it was.
pub(crate) fn facts(why: &WhyView) -> Markup {
    html! {
        section class="facts" aria-labelledby="facts" {
            h2 id="facts" { "Why it was decided so" }
            p { "Decided: " b { (words::decision(&why.decision)) } ". By the rules in force now: " b { (words::decision(&why.now)) } "." }
            @if !why.reasons.is_empty() {
                dl class="items" { @for line in &why.reasons { dt { code { (line.label) } } dd { (line.value) } } }
            }
            @if !why.facts.is_empty() {
                details id="all-facts" {
                    summary { "What was true about it" }
                    dl class="items" { @for line in &why.facts { dt { code { (line.label) } } dd { bdi { (line.value) } } } }
                }
            }
        }
    }
}
