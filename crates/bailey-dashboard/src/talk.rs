//! Tasks: the person's words, what was done for them and why, and the answer.

use bailey_interface::{
    ActionView, FoundTasksView, TaskSummary, TaskUndoView, TaskView, UndoFate, UndoStepView, UsageView,
};
use maud::{Markup, html};
use serde_json::json;

use crate::card::{self, Heading, about, undo};
use crate::frame::{Frame, page, part};
use crate::touch::{self, Then, Touch};
use crate::{markdown, records, words};

/// Makes the page of all tasks, newest first. `older` is how many newer ones the next page leaves out, where there is one.
#[must_use]
pub fn talk(frame: &Frame<'_>, tasks: &[TaskSummary], older: Option<u32>) -> String {
    let main = html! {
        h1 { "Talk" }
        (write("/do/task", "What is to be done?", "Give the task"))
        details {
            summary { "With files" }
            form method="post" action="/do/task/files" enctype="multipart/form-data" class="write" {
                label { span { "What is to be done with them?" } textarea name="words" rows="3" required dir="auto" {} }
                label { span { "Files " small { "4 MB in all; put larger ones on the page Files first" } } input type="file" name="file" multiple required; }
                div class="answers" { button type="submit" class="plain" { "Give it with the files" } }
            }
        }
        @if tasks.is_empty() {
            p class="lead" { "No tasks yet. Write what is to be done; Bailey proposes, and asks before anything leaves." }
        } @else {
            h2 { "Tasks" }
            (search(""))
            (part("tasks", "", &list(tasks, None)))
            @if let Some(older) = older { p class="older" { a class="button plain" rel="next" href={ "/talk?skip=" (older) } { "Older" } } }
        }
    };
    page(frame, "Talk", &main)
}

/// Makes the page of the tasks that hold some words, newest first.
#[must_use]
pub fn history(frame: &Frame<'_>, words: &str, found: &FoundTasksView) -> String {
    let main = html! {
        p class="crumb" { a href="/talk" { "Talk" } }
        h1 { "Tasks with these words" }
        (search(words))
        @if found.indexed < found.entries { p class="note" role="status" { (records::behind(found.indexed, found.entries)) } }
        @if found.tasks.is_empty() { p class="lead" { "No task has these words." } }
        @else { (part("tasks", "", &list(&found.tasks, None))) }
        @if let Some(before) = found.before {
            @let before = before.to_string();
            @let parts = [("q", words), ("before", before.as_str())];
            p class="older" { a class="button plain" rel="next" href=(records::address("/talk", parts.into_iter())) { "Older" } }
        }
    };
    page(frame, "Tasks", &main)
}

fn search(words: &str) -> Markup {
    html! {
        form method="get" action="/talk" class="chooser" role="search" {
            label class="grow" { span { "Search your tasks" } input type="search" name="q" value=(words) required enterkeyhint="search"; }
            button type="submit" class="plain" { "Search" }
        }
    }
}

/// Steps of a task on one page, and bytes of the words of the cards among them: a page stays below 100 kB.
const MOST_STEPS: usize = 60;
const CARDS_BYTES: usize = 40 * 1_024;

/// Makes the page of one task, without the last `later` of its steps. Beside it stand the newest tasks.
#[must_use]
pub fn task(frame: &Frame<'_>, tasks: &[TaskSummary], task: &TaskView, later: usize) -> String {
    let summary = &task.summary;
    let id = summary.id.as_str();
    let under_way = matches!(summary.state.as_str(), "running" | "waiting");
    let said = &summary.words;
    let steps: Vec<&ActionView> = task.actions.iter().filter(|action| action.kind != "reply").collect();
    let until = steps.len().saturating_sub(later);
    let from = until.saturating_sub(MOST_STEPS);
    let whole = whole_cards(&steps);
    // What asks is shown wherever it stands.
    let is_here = |place: usize| (from..until).contains(&place) || later == 0 && whole.contains(&place);
    let shown: Vec<(usize, &&ActionView)> = steps.iter().enumerate().filter(|(place, _)| is_here(*place)).collect();
    let main = html! {
        div class="talk" {
            div class="thread" {
                p class="crumb" { a href="/talk" { "Talk" } }
                h1 class="said-by-you" dir="auto" { span class="off" { "You: " } (said) }
                p class="dim" {
                    span class={ "state s-" (summary.state) } { (words::task_state(&summary.state)) }
                    @let by = words::begun_by(&summary.origin);
                    @if !by.is_empty() { " · " (by) }
                }
                @if !steps.is_empty() {
                    h2 class="off" { "What was done" }
                    (part("steps", "", &html! {
                        @if from > 0 { p class="older" { a class="button plain" rel="prev" href={ "/talk/" (id) "?later=" (steps.len() - from) } { (words::count(from as u64, "earlier step", "earlier steps")) } } }
                        ol class="steps" { @for (place, step) in &shown { (one_step(frame, step, whole.contains(place))) } }
                        @if later > 0 { p class="older" { a class="button plain" rel="next" href={ "/talk/" (id) } { "The last steps" } } }
                    }))
                }
                @if under_way {
                    p class="coming" data-events={ "/v1/tasks/" (id) "/events" } aria-live="off" {}
                }
                @if let Some(reply) = &summary.reply {
                    h2 class="off" { "The answer" }
                    div class="reply" { (markdown::render(reply, said)) }
                }
                @if let Some(trouble) = &summary.trouble { p class="trouble" { (trouble) } }
                @for note in &summary.notes { p class="dim" { (note) } }
                p class="dim usage" { (usage(summary.usage)) @if summary.usage.requests > 0 { " · " a href={ "/context/" (id) "/0" } { "what the model was shown" } } }
                @if !under_way { (write(&format!("/do/task/{id}/more"), "Go on with it", "Go on")) }
                div class="answers" {
                    @if under_way { (touch::post(&format!("/do/task/{id}/stop"), &[], "Stop", "plain")) }
                    @if steps.iter().any(|step| can_go_back(step)) {
                        a class="button plain" href={ "/talk/" (id) "/undo" } { "Undo the whole task…" }
                    }
                }
            }
            aside aria-labelledby="others" {
                h2 id="others" { "Tasks" }
                (part("tasks", "", &list(tasks, Some(id))))
                p { a href="/talk" { "Give another" } }
            }
        }
    };
    page(frame, &words::short(said, 60), &main)
}

/// Tells whether undoing its task would do something to an action.
fn can_go_back(action: &ActionView) -> bool {
    action.can_undo || matches!(action.state.as_str(), "awaiting" | "approved" | "held")
}

/// What undoing a task does, in the order in which it is shown: to be done, done, and left.
const FATES: [(UndoFate, &str); 7] = [
    (UndoFate::Undo, "Will be undone"),
    (UndoFate::TakeBack, "Will be taken back before it happens"),
    (UndoFate::UnderWay, "Being undone"),
    (UndoFate::Undone, "Undone"),
    (UndoFate::TakenBack, "Taken back"),
    (UndoFate::Later, "After these, by another touch"),
    (UndoFate::Leave, "Stays as it is"),
];

/// Makes the page that says what undoing a whole task would do, or did, to each of its actions.
#[must_use]
pub fn undo_task(frame: &Frame<'_>, view: &TaskUndoView) -> String {
    let of = |fate: UndoFate| view.steps.iter().filter(move |step| step.fate == fate);
    let ids = |fate| of(fate).map(|step| step.action.id.as_str()).collect::<Vec<_>>();
    let (undo, take_back) = (ids(UndoFate::Undo), ids(UndoFate::TakeBack));
    let later = of(UndoFate::Later).count() as u64;
    let tried =
        view.running || view.steps.iter().any(|step| matches!(step.fate, UndoFate::Undone | UndoFate::TakenBack));
    let main = html! {
        p class="crumb" { a href={ "/talk/" (view.task) } { bdi { (words::short(&view.words, 80)) } } }
        h1 { "Undo the whole task" }
        @if let Some(at) = view.broken_off_ms.filter(|_| !view.running) {
            p class="note" role="status" {
                "Undoing this began " (frame.moment(at)) " and broke off: Bailey ended meanwhile. What was undone then stays undone"
                @if undo.is_empty() { "." } @else { "; the rest is listed below, as before." }
            }
        }
        @if view.running {
            p class="note" role="status" { "It is being undone. It goes on if you leave this page, which says how far it is when you come back." }
        } @else if view.steps.is_empty() {
            p class="lead" { "There is nothing to undo in this task." }
        } @else if undo.is_empty() && take_back.is_empty() {
            p class="lead" { @if tried { "Nothing is left to undo." } @else { "Nothing of this task can be undone." } }
        } @else {
            p class="lead" {
                "The newest first, each by an action of its own, which the log keeps."
                @if later > 0 {
                    " One touch undoes at most " (words::number(undo.len() as u64)) ": " (words::count(later, "further action is", "further actions are"))
                    " offered here after these."
                }
            }
        }
        @for (fate, heading) in FATES {
            @if of(fate).next().is_some() {
                section aria-labelledby={ "f-" (fate as u8) } {
                    h2 id={ "f-" (fate as u8) } { (heading) }
                    ul class="undoing" { @for step in of(fate) { (undo_step(frame, step)) } }
                }
            }
        }
        @if !view.running { (undo_answer(view, &undo, &take_back)) }
    };
    page(frame, "Undo", &main)
}

fn undo_step(frame: &Frame<'_>, step: &UndoStepView) -> Markup {
    let action = &step.action;
    let about = about(action);
    html! {
        li {
            p { (frame.clock(action.at_ms)) " " a href={ "/activity/" (action.id) } { (action.headline) } @if !about.is_empty() { " " span class="dim" { bdi { (about) } } } }
            @if !step.why.is_empty() { p class="dim" { (step.why) } }
        }
    }
}

/// Makes what undoes: a touch where something is undone; what is only taken back needs none, and no script.
fn undo_answer(view: &TaskUndoView, undo: &[&str], take_back: &[&str]) -> Markup {
    let path = format!("/v1/tasks/{}/undo", view.task);
    html! {
        @if !undo.is_empty() {
            @let body = json!({ "undo": undo, "take_back": take_back });
            @let all = Touch { path: &path, body, said: "", then: Then::Renew };
            @let one = (undo.len() + take_back.len()) as u64;
            div class="answers" { (touch::button(&all, &format!("Undo {}", words::count(one, "action", "actions")), "go")) }
        } @else if !take_back.is_empty() {
            div class="answers" {
                (touch::post(&format!("/do/task/{}/take-back", view.task), &[("ids", &take_back.join(" "))], "Take back", "go"))
            }
        }
    }
}

fn write(to: &str, label: &str, button: &str) -> Markup {
    html! {
        form method="post" action=(to) class="write" {
            label { span { (label) } textarea name="words" rows="3" required dir="auto" {} }
            div class="answers" { button type="submit" class="go" { (button) } }
        }
    }
}

fn list(tasks: &[TaskSummary], current: Option<&str>) -> Markup {
    html! {
        ul class="tasks" {
            @for task in tasks {
                li {
                    a href={ "/talk/" (task.id) } aria-current=[(current == Some(task.id.as_str())).then_some("page")] {
                        span class="words" dir="auto" { (words::short(&task.words, 120)) }
                        span class={ "state s-" (task.state) } { (words::task_state(&task.state)) }
                    }
                }
            }
        }
    }
}

/// Tells whether a step wants something of the person.
fn asks(step: &ActionView) -> bool {
    matches!(step.state.as_str(), "awaiting" | "held" | "needs-person")
}

/// Returns the places of the steps that are shown as cards: of those that ask, as many as a page holds.
fn whole_cards(steps: &[&ActionView]) -> Vec<usize> {
    let mut bytes = 0;
    let asking = steps.iter().enumerate().filter(|(_, step)| asks(step));
    let fits = asking.take_while(|(_, step)| {
        let first = bytes == 0;
        bytes += step.body.len() + step.items.iter().map(|line| line.value.len()).sum::<usize>() + 1;
        first || bytes <= CARDS_BYTES
    });
    fits.map(|(place, _)| place).collect()
}

/// Shows a step: a card where it waits for the person, else one line that opens.
fn one_step(frame: &Frame<'_>, step: &ActionView, whole: bool) -> Markup {
    if whole {
        return html! { li class="asks" { (card::card(frame, step, Heading::Part, None)) } };
    }
    let about = about(step);
    html! {
        li {
            details class="step" id={ "s-" (step.id) } {
                summary {
                    span class="what" { @if step.undoes.is_some() { span class="dim" { "Undo: " } } (step.headline) @if !about.is_empty() { " " span class="dim" { bdi { (about) } } } }
                    span class={ "state s-" (step.state) } { (words::state(&step.state)) }
                }
                @if !step.reason.is_empty() { p { b { "Why it was decided so" } " " (step.reason) } }
                @if !step.claimed_why.is_empty() { p { b { "The agent says" } " " (step.claimed_why) } }
                @if let Some(outcome) = &step.outcome { p { b { "Outcome" } " " (words::short(outcome, 2_000)) } }
                div class="answers" {
                    @if asks(step) { a class="button go" href={ "/approvals/" (step.id) } { "Look at it, and answer" } }
                    @else { a class="button plain" href={ "/activity/" (step.id) } { "Whole" } }
                    @if step.can_undo { (undo(step)) }
                }
            }
        }
    }
}

/// Says what a task took of the model.
pub(crate) fn usage(usage: UsageView) -> String {
    if usage.requests == 0 {
        return "No model was asked yet.".into();
    }
    let mut said = format!(
        "{} · {} tokens read, {} written",
        words::count(usage.requests, "request", "requests"),
        words::number(usage.input_tokens),
        words::number(usage.output_tokens)
    );
    if let Some(cost) = words::cost(usage.cost) {
        said.push_str(" · ");
        said.push_str(&cost);
        said.push_str(" at your prices");
    }
    said
}
