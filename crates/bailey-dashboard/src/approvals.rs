//! What waits for the person.

use std::collections::BTreeMap;

use bailey_interface::{ActionView, WhyView};
use maud::{Markup, html};

use crate::card::{self, Heading, is_plain};
use crate::frame::{Frame, page, part, version};
use crate::words;

/// Most actions that are answered with one touch.
const MOST_TOGETHER: usize = 10;

/// How much waits in all, and from where on it is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting {
    /// Actions that wait before the first that is shown.
    pub skip: u64,
    /// Actions that wait.
    pub waits: u64,
    /// Actions that are approved, and can still be taken back.
    pub holds: u64,
    /// Actions of which only the person can tell whether they happened.
    pub doubts: u64,
}

/// Makes a page of what waits. `tasks` has the person's words of each task.
#[must_use]
pub fn approvals(
    frame: &Frame<'_>,
    all: Waiting,
    waiting: &[ActionView],
    held: &[ActionView],
    unsure: &[ActionView],
    tasks: &BTreeMap<String, String>,
) -> String {
    let shown = all.skip.saturating_add(waiting.len() as u64);
    let main = html! {
        h1 { "Approvals" }
        (part("waits", "lead", &html! {
            @match (all.waits, all.doubts) {
                (0, 0) => "Nothing waits for you.",
                (waits, 0) => { (words::count(waits, "waits", "wait")) "." },
                (0, only) => { (words::number(only)) " only you can tell." },
                (waits, only) => { (words::count(waits, "waits", "wait")) " · " (words::number(only)) " only you can tell." },
            }
            @if all.skip > 0 {
                " "
                @if waiting.is_empty() { "None of them stands here. " }
                @else { "Shown from number " (words::number(all.skip.saturating_add(1))) " on. " }
                a href="/approvals" { "From the first" }
            }
        }))
        @for (place, actions) in by_task(waiting).into_iter().enumerate() { (task_group(frame, place, &actions, tasks)) }
        (part("next", "older", &html! {
            @if shown < all.waits && !waiting.is_empty() {
                a class="button plain" rel="next" href={ "/approvals?skip=" (shown) } { (words::number(all.waits - shown)) " more" }
            }
        }))
        @if !held.is_empty() {
            (group("held", &html! { "Approved, and still to be taken back" }, &html! {
                (cards(frame, held))
                (rest(all.holds, held, "held"))
            }))
        }
        @if !unsure.is_empty() {
            (group("unsure", &html! { "Only you can tell" }, &html! {
                p class="dim" { "It was handed over, and nobody has said since whether it happened. It is not sent again." }
                (cards(frame, unsure))
                (rest(all.doubts, unsure, "needs-person"))
            }))
        }
    };
    page(frame, "Approvals", &main)
}

/// Leads to those of a state that have no card here.
fn rest(all: u64, shown: &[ActionView], state: &str) -> Markup {
    let more = all.saturating_sub(shown.len() as u64);
    html! {
        @if more > 0 { p class="older" { a href={ "/activity?state=" (state) } { (words::number(more)) " more, in the activity" } } }
    }
}

/// Makes a part of the page with a heading, which is renewed by itself.
fn group(id: &str, heading: &Markup, inside: &Markup) -> Markup {
    let inside = html! {
        h2 id={ "h-" (id) } { (heading) }
        (inside)
    };
    html! {
        section class="group" id=(id) data-v=(version(&inside)) aria-labelledby={ "h-" (id) } { (inside) }
    }
}

fn cards(frame: &Frame<'_>, actions: &[ActionView]) -> Markup {
    html! { div class="cards" { @for action in actions { (card::card(frame, action, Heading::Part, None)) } } }
}

/// Puts together what serves the same task, in the order in which each task first asks.
fn by_task(actions: &[ActionView]) -> Vec<Vec<&ActionView>> {
    let mut groups: Vec<Vec<&ActionView>> = Vec::new();
    for action in actions {
        let same = |group: &&mut Vec<&ActionView>| {
            action.task.is_some() && group.first().is_some_and(|first| first.task == action.task)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(action),
            None => groups.push(vec![action]),
        }
    }
    groups
}

fn task_group(frame: &Frame<'_>, place: usize, actions: &[&ActionView], tasks: &BTreeMap<String, String>) -> Markup {
    let task = actions.first().and_then(|action| action.task.as_ref());
    let said = task.and_then(|task| tasks.get(task));
    let id = format!("g-{}", task.map_or_else(|| place.to_string(), Clone::clone));
    let together = format!("together-{id}");
    let alike = |action: &ActionView| {
        is_plain(action) && actions.iter().filter(|other| other.kind == action.kind && is_plain(other)).count() > 1
    };
    let chosen = actions.iter().filter(|action| alike(action)).count();
    let heading = html! {
        @match (task, said) {
            (Some(task), Some(said)) => a href={ "/talk/" (task) } { (words::short(said, 160)) },
            (Some(task), None) => a href={ "/talk/" (task) } { "A task" },
            (None, _) => "Of no task",
        }
    };
    let inside = html! {
        div class="cards" {
            @for action in actions {
                (card::card(frame, action, Heading::Part, alike(action).then_some(together.as_str())))
            }
        }
        @if chosen > 1 {
            form method="post" id=(together) class="together scripted" data-touch="/v1/approvals/approve" data-body="{\"shown\":[]}"
                data-together=(MOST_TOGETHER) data-said="Approved." data-answer="renew" {
                span { "Those that can go together: " (words::number(chosen as u64)) "." }
                button type="submit" class="go" disabled { "Approve chosen" }
            }
        }
    };
    group(&id, &heading, &inside)
}

/// Makes the page of one action that waits, or has.
#[must_use]
pub fn card(frame: &Frame<'_>, action: &ActionView, why: Option<&WhyView>) -> String {
    let main = html! {
        p class="crumb" { a href="/approvals" { "Approvals" } }
        (card::card(frame, action, Heading::Page, None))
        @if let Some(why) = why { (crate::activity::facts(why)) }
    };
    page(frame, "Approval", &main)
}

/// What stands in the fields of an action that is being changed.
#[derive(Debug, Clone, Copy)]
pub struct Editing<'a> {
    /// The fields, by name: what the action says, or what the person wrote.
    pub fields: &'a BTreeMap<&'static str, String>,
    /// Which of them cannot be used, and why; an empty name stands for all of it.
    pub wrong: Option<(&'a str, &'a str)>,
}

/// Returns what a waiting mail says, as it is written into its fields.
#[must_use]
pub fn mail_fields(action: &ActionView) -> BTreeMap<&'static str, String> {
    let list = |role: &str| {
        let of = action.recipients.iter().filter(|recipient| recipient.role == role);
        let written = of.map(|recipient| match recipient.name.as_str() {
            "" => recipient.address.clone(),
            name => format!("\"{}\" <{}>", name.replace(['"', '\\'], ""), recipient.address),
        });
        written.collect::<Vec<_>>().join("\n")
    };
    let subject = action.items.iter().find(|line| line.label == "Subject").map(|line| line.value.clone());
    [
        ("to", list("to")),
        ("cc", list("cc")),
        ("bcc", list("bcc")),
        ("subject", subject.unwrap_or_default()),
        ("body", action.body.clone()),
    ]
    .into()
}

/// How a field is written into.
#[derive(Debug, Clone, Copy)]
enum Input {
    Line,
    Needed,
    /// Rows of a text.
    Text(u8),
}

/// A field: its name, what it is called, a hint, and how it is written into.
type Field = (&'static str, &'static str, &'static str, Input);

const OF_MAIL: [Field; 5] = [
    ("to", "To", "One on each line", Input::Text(2)),
    ("cc", "Cc", "", Input::Text(2)),
    ("bcc", "Bcc", "Hidden from the others", Input::Text(2)),
    ("subject", "Subject", "", Input::Line),
    ("body", "Text", "", Input::Text(14)),
];

const OF_ENTRY: [Field; 5] = [
    ("what", "Title", "", Input::Needed),
    ("begins", "Begins", "2026-12-05 15:00, a day alone, or in words", Input::Needed),
    ("ends", "Ends", "Empty: it takes as long as now", Input::Line),
    ("where", "Place", "", Input::Line),
    ("notes", "Notes", "", Input::Text(5)),
];

/// Makes the page on which a waiting mail, or entry of a calendar, is changed. What is saved is another action, and is shown anew before
/// it is approved.
#[must_use]
pub fn edit(frame: &Frame<'_>, action: &ActionView, editing: &Editing<'_>) -> String {
    let of_entry = action.kind.starts_with("calendar.");
    let (heading, fields) = if of_entry { ("Edit the entry", OF_ENTRY) } else { ("Edit the mail", OF_MAIL) };
    // How much of a series, as the card says it.
    let part = action.items.iter().find(|line| of_entry && line.label == "How much").map(|line| line.value.as_str());
    let main = html! {
        p class="crumb" { a href="/approvals" { "Approvals" } " › " a href={ "/approvals/" (action.id) } { "As it is now" } }
        h1 { (heading) }
        p class="lead" { "Saving makes a new one of it, which asks again. Nothing goes by saving." }
        @if let Some(part) = part { p class="note" { "It repeats. This changes " b { (part) } "." } }
        @if !action.can_edit {
            p class="trouble" role="alert" { "It does not wait any more, or is nothing that can be edited here. It stands at: " (words::state(&action.state)) "." }
        }
        @if let Some(("", why)) = editing.wrong { p class="trouble" role="alert" { (words::with_code(why)) } }
        form method="post" action={ "/do/edit/" (action.id) } class="fields" {
            @for field in fields { (edit_field(field, editing)) }
            @if of_entry { p class="dim" { "Times are those of " (frame.zone_name()) "." @if part.is_some_and(|part| part.contains("all")) { " They are those of one date; the others move along with it." } } }
            div class="answers" {
                a class="button plain" href={ "/approvals/" (action.id) } { "Leave it as it is" }
                button type="submit" class="go" { "Save, and show it anew" }
            }
        }
    };
    page(frame, "Edit", &main)
}

fn edit_field((name, label, hint, input): Field, editing: &Editing<'_>) -> Markup {
    let value = editing.fields.get(name).map(String::as_str).unwrap_or_default();
    let wrong = editing.wrong.filter(|(field, _)| *field == name).map(|(_, why)| why);
    let (said, invalid) = (wrong.map(|_| format!("wrong-{name}")), wrong.map(|_| "true"));
    html! {
        label {
            span { (label) @if !hint.is_empty() { " " small { (hint) } } }
            @match input {
                Input::Text(rows) => textarea name=(name) rows=(rows) dir="auto" spellcheck=[(rows < 5).then_some("false")]
                    aria-describedby=[said.as_deref()] aria-invalid=[invalid] { "\n" (value) },
                Input::Line | Input::Needed => input name=(name) value=(value) dir="auto" required[matches!(input, Input::Needed)]
                    aria-describedby=[said.as_deref()] aria-invalid=[invalid];,
            }
        }
        @if let (Some(id), Some(why)) = (&said, wrong) { p id=(id) class="trouble" role="alert" { (words::with_code(why)) } }
    }
}
