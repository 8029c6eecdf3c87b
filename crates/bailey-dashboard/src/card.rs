//! An action as people see it, always in the same order: what will happen and how far it can be taken back; why it asks; who gets
//! something; the content, whole; what it answers or changes; what the agent says; folded, what only a closer look needs; and the answers.

use bailey_interface::{ActionView, AttachmentView, Line, RecipientView};
use maud::{Markup, html};
use serde_json::json;

use crate::frame::{Frame, version};
use crate::touch::{self, Then, Touch};
use crate::words;

/// Labels of what only a closer look needs.
const FOLDED: [&str; 6] = ["Answers", "Copy kept in folder", "Date", "Message-ID", "Number", "Thread"];
/// Labels of what an action answers, or is made of.
const ANSWERED: [&str; 3] =
    ["Answers the mail from (as it says)", "Passes on the mail from (as it says)", "It asks for answers to"];
/// Labels that are told by typed recipients and files, where there are any.
const TYPED: [&str; 4] = ["To", "Cc", "Bcc (hidden from the others)", "Attachment"];

/// Characters of a note on a refusal that a form takes: its bytes are bound by the gate (2,000), which says so.
const MOST_NOTED: usize = 1_000;

/// Where a card stands, which decides what its heading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    /// The page's own.
    Page,
    /// Below a heading of the second level.
    Part,
}

/// Tells whether an answer needs nothing but a touch: no stranger, no look-alike. Only these can be answered together.
pub(crate) fn is_plain(action: &ActionView) -> bool {
    !action.recipients.iter().any(needs_tick) && action.class != "critical"
}

fn needs_tick(recipient: &RecipientView) -> bool {
    recipient.stranger || !recipient.look_alike.is_empty()
}

/// Makes the card of an action. `batch` names the form that answers several together, where this one can be among them.
pub(crate) fn card(frame: &Frame<'_>, action: &ActionView, heading: Heading, batch: Option<&str>) -> Markup {
    let inside = html! {
        (sentence(frame, action, heading))
        @if !action.reason.is_empty() {
            p class="why" { b { @if action.state == "awaiting" { "Asks because" } @else { "Decided so because" } } " " (action.reason) }
        }
        (recipients(action))
        (content(action))
        (answers_to(action))
        @if !action.claimed_why.is_empty() {
            blockquote class="claim" { span class="by" { "The agent says" } p { (action.claimed_why) } }
        }
        (closer(action))
        @if !action.note.is_empty() { blockquote class="claim" { span class="by" { "You noted" } p class="lines" { (action.note) } } }
        @if let Some(outcome) = &action.outcome { p class="outcome" { b { "Outcome" } " " (outcome) } }
        (answers(frame, action, batch))
    };
    html! {
        article class="card" id={ "a-" (action.id) } data-v=(version(&inside)) data-action=(action.id) data-digest=(action.digest)
            aria-labelledby={ "h-" (action.id) } { (inside) }
    }
}

fn sentence(frame: &Frame<'_>, action: &ActionView, heading: Heading) -> Markup {
    let strangers = action.recipients.iter().filter(|recipient| recipient.stranger).count() as u64;
    let words = html! {
        @if action.undoes.is_some() { "Undo: " }
        (action.headline)
        @if strangers > 0 {
            "; " @if strangers == 1 { "one" } @else { (words::number(strangers)) } " you never wrote to"
        }
    };
    let id = format!("h-{}", action.id);
    html! {
        header {
            @match heading {
                Heading::Page => h1 id=(id) tabindex="-1" { (words) },
                Heading::Part => h3 id=(id) tabindex="-1" { (words) },
            }
            p class="back" {
                @match (action.state.as_str(), action.held_until_ms) {
                    ("awaiting", _) => { (action.reversal) " " span class="until" { "Answer until " (frame.moment(action.expires_ms)) "." } },
                    ("held", Some(until)) => { (action.reversal) " " span class="until" { "Goes in " (frame.until(until)) "." } },
                    _ => { span class={ "state s-" (action.state) } { (words::state(&action.state)) } " · " (action.reversal) },
                }
            }
        }
    }
}

fn recipients(action: &ActionView) -> Markup {
    html! {
        @if !action.recipients.is_empty() {
            ul class="who" aria-label="Who gets something" {
                @for (place, recipient) in action.recipients.iter().enumerate() {
                    li class=[needs_tick(recipient).then_some("new")] {
                        span class="role" { (role(&recipient.role)) }
                        div {
                            (name(recipient))
                            p class="standing" {
                                (recipient.standing)
                                @if !recipient.look_alike.is_empty() {
                                    " · " strong { "looks like " bdi { (recipient.look_alike) } ", whom you know" }
                                }
                            }
                            @if action.state == "awaiting" && needs_tick(recipient) {
                                label class="tick" {
                                    input type="checkbox" required form={ "f-" (action.id) } name={ "know-" (place) };
                                    span { "I know " bdi { (recipient.address) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn role(role: &str) -> &str {
    match role {
        "to" => "To",
        "cc" => "Cc",
        "bcc" => "Bcc",
        "gets" => "Gets it",
        other => other,
    }
}

/// Writes somebody out, the domain bold: that is what tells two addresses apart.
fn name(recipient: &RecipientView) -> Markup {
    html! {
        p class="address" {
            @if !recipient.name.is_empty() { bdi { (recipient.name) } " <" }
            bdi class="full" {
                @if let Some((local, domain)) = recipient.address.rsplit_once('@').filter(|_| recipient.kind == "email") {
                    (local) "@" b { (domain) }
                } @else { b { (recipient.address) } }
            }
            @if !recipient.name.is_empty() { ">" }
            @if !recipient.letters.is_empty() { " written " bdi { (recipient.letters) } }
        }
    }
}

/// Returns lines of the preview that are not told elsewhere on the card.
fn lines(action: &ActionView) -> impl Iterator<Item = &Line> {
    let typed = action.recipients.iter().any(|recipient| recipient.role != "gets");
    action.items.iter().filter(move |line| {
        let told = match line.label.as_str() {
            "Attachment" => !action.attachments.is_empty(),
            label => typed && TYPED.contains(&label),
        };
        // A place that was taken out stands in what changes.
        !told
            && !line.value.is_empty()
            && !FOLDED.contains(&line.label.as_str())
            && !ANSWERED.contains(&line.label.as_str())
    })
}

fn list<'a>(class: &str, lines: impl Iterator<Item = &'a Line>) -> Markup {
    let lines: Vec<&Line> = lines.collect();
    html! {
        @if !lines.is_empty() {
            dl class=(class) { @for line in lines { dt { (line.label) } dd { bdi { (line.value) } } } }
        }
    }
}

fn content(action: &ActionView) -> Markup {
    html! {
        (list("items", lines(action)))
        @if !action.body.is_empty() {
            @if action.kind.starts_with("calendar.") && is_difference(&action.body) { (difference(&action.body)) }
            @else { pre class="body" dir="auto" { (action.body) } }
        }
        @if !action.attachments.is_empty() {
            ul class="files" aria-label="Files" { @for (place, file) in action.attachments.iter().enumerate() { (attachment(action, place, file)) } }
        }
        (twice(action))
    }
}

/// Returns what to look at twice that does not stand on a recipient's own line.
fn twice(action: &ActionView) -> Markup {
    let on_lines: Vec<String> = action.recipients.iter().flat_map(RecipientView::warnings).collect();
    let rest: Vec<&String> = action.warnings.iter().filter(|warning| !on_lines.contains(warning)).collect();
    html! {
        @if !rest.is_empty() {
            ul class="twice" aria-label="Look twice" { @for warning in rest { li { (warning) } } }
        }
    }
}

/// Tells whether a text shows what a change takes away and adds, line by line.
fn is_difference(text: &str) -> bool {
    text.lines().all(|line| line.starts_with("- ") || line.starts_with("+ "))
}

fn difference(text: &str) -> Markup {
    html! {
        div class="difference" role="group" aria-label="What changes" {
            @for line in text.lines() {
                @match line.split_at_checked(2) {
                    Some(("- ", rest)) => del { span class="off" { "goes: " } bdi { (rest) } },
                    Some(("+ ", rest)) => ins { span class="off" { "comes: " } bdi { (rest) } },
                    _ => p { bdi { (line) } },
                }
            }
        }
    }
}

fn attachment(action: &ActionView, place: usize, file: &AttachmentView) -> Markup {
    html! {
        li {
            a href={ "/approvals/" (action.id) "/files/" (place) } { bdi { (file.name) } } " "
            span class="dim" { (words::size(file.bytes)) " · " (file.media_type) " · sha256 " code { (words::short(&file.sha256, 16)) } }
        }
    }
}

fn answers_to(action: &ActionView) -> Markup {
    let answered = action.items.iter().filter(|line| ANSWERED.contains(&line.label.as_str()));
    html! {
        (list("items dim", answered))
        @if action.has_original {
            p { a href={ "/approvals/" (action.id) "/original" } { "Look at the mail as it came" } }
        }
    }
}

/// Tells whether a line of provenance says what a recipient's own line says.
fn is_on_a_line(action: &ActionView, line: &Line) -> bool {
    let says = |recipient: &RecipientView| {
        line.value
            .strip_suffix(&recipient.standing)
            .is_some_and(|rest| rest.trim_end().trim_end_matches(':').eq_ignore_ascii_case(&recipient.address))
    };
    action.recipients.iter().any(says)
}

fn closer(action: &ActionView) -> Markup {
    let folded = action.items.iter().filter(|line| FOLDED.contains(&line.label.as_str()));
    let stands = action.provenance.iter().filter(|line| !is_on_a_line(action, line));
    html! {
        (list("items dim", stands))
        details class="closer" id={ "d-" (action.id) } {
            summary { "Exactly what is bound" }
            (list("items", folded))
            @for file in &action.attachments { p { bdi { (file.name) } " sha256 " code { (file.sha256) } } }
            dl class="items" {
                dt { "Kind" } dd { code { (action.kind) } }
                dt { "Action" } dd { code { (action.id) } }
                dt { "Digest" } dd { code { (action.digest) } }
            }
        }
    }
}

fn answers(frame: &Frame<'_>, action: &ActionView, batch: Option<&str>) -> Markup {
    let id = action.id.as_str();
    html! {
        @match action.state.as_str() {
            "awaiting" => div class="answers" {
                (touch::post("/do/reject", &[("id", id)], "Reject", "plain reject"))
                (reject_with_note(id))
                @if action.can_edit { a class="button plain edit" href={ "/approvals/" (id) "/edit" } { "Edit" } }
                a class="button plain" href={ "/autonomy?like=" (id) } { "Always like this…" }
                @if let Some(batch) = batch {
                    label class="choose scripted" {
                        input type="checkbox" form=(batch) name="choose" value=(id);
                        span { "Choose" span class="off" { ": " (action.headline) } }
                    }
                }
                (approve(action))
            },
            "held" | "approved" => div class="answers" {
                @if let Some(until) = action.held_until_ms { span class="dim" { "Approved. Goes in " (frame.until(until)) "." } }
                (touch::post("/do/take-back", &[("id", id)], "Take back", "plain"))
            },
            "needs-person" => div class="answers" {
                span { "Did it happen?" }
                (touch::post("/do/happened", &[("id", id), ("happened", "yes")], "It happened", "plain"))
                (touch::post("/do/happened", &[("id", id), ("happened", "no")], "It did not", "plain"))
            },
            _ if action.can_undo => div class="answers" { (undo(action)) },
            _ => {},
        }
    }
}

/// Makes what refuses with a word to the agent. It needs no script.
fn reject_with_note(id: &str) -> Markup {
    html! {
        details class="note" {
            summary class="button plain" { "Reject with a note…" }
            form method="post" action="/do/reject" class="fields" {
                input type="hidden" name="id" value=(id);
                label {
                    span { "To the agent; allows nothing" }
                    textarea name="note" maxlength=(MOST_NOTED) required {}
                }
                button type="submit" class="plain" { "Reject" }
            }
        }
    }
}

fn approve(action: &ActionView) -> Markup {
    let body = json!({ "shown": [{ "id": action.id, "digest": action.digest }] });
    html! {
        form method="post" id={ "f-" (action.id) } class="approve" data-touch="/v1/approvals/approve" data-body=(body) data-said="Approved."
            data-answer="renew" {
            button type="submit" class="go" disabled { "Approve" span class="off" { ": " (action.headline) } }
        }
    }
}

/// Makes the touch that undoes what has happened.
pub(crate) fn undo(action: &ActionView) -> Markup {
    let path = format!("/v1/actions/{}/undo", action.id);
    let undo = Touch { path: &path, body: json!({}), said: "Undoing.", then: Then::Renew };
    touch::button(&undo, "Undo", "plain")
}

/// Says in a few words whom or what an action is about, from the lines of its preview.
pub(crate) fn about(action: &ActionView) -> String {
    const ABOUT: [&str; 8] =
        ["Subject", "What", "Goes to", "Changes", "To folder", "From contains", "Subject contains", "Folder"];
    const MOST: usize = 80;
    let people: Vec<&str> = action.recipients.iter().map(|recipient| recipient.address.as_str()).collect();
    let about = ABOUT.iter().find_map(|label| action.items.iter().find(|line| line.label == *label));
    let parts = [people.join(", "), about.map(|line| line.value.clone()).unwrap_or_default()];
    let said: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    words::short(&said.join(" · "), MOST)
}
