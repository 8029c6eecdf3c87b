//! Printing for people. What comes from the home is escaped there already; what comes from elsewhere is escaped here.

use std::io::{self, IsTerminal as _, Write};

use bailey_gate::family::escape::judged;
use bailey_interface::{
    ActionView, ConnectingView, ConnectionView, ContextView, EntryView, Status, StepView, TaskSummary, TaskView,
    UsageView,
};
use serde::Serialize;

/// Prints as JSON, or as text for people.
pub(crate) fn print<T: Serialize>(
    json: bool,
    value: &T,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let printed = if json {
        serde_json::to_string_pretty(value).map_err(io::Error::from).and_then(|text| writeln!(out, "{}", inert(&text)))
    } else {
        text(&mut out)
    };
    match printed.and_then(|()| out.flush()) {
        // A reader that has seen enough (`| head`) is no trouble.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| {
            io::Error::new(error.kind(), format!("what was asked for is done, but could not be printed: {error}"))
        }),
    }
}

/// Returns JSON in which no character moves a cursor or turns a line round: the same text, with those written as `\u`.
fn inert(json: &str) -> String {
    let written = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    let inert = |(c, written_out)| if written_out && c != '\n' { written(c) } else { c.to_string() };
    judged(json).map(inert).collect()
}

/// Returns a moment as people write it.
pub(crate) fn moment(ms: i64) -> String {
    let Ok(time) = jiff::Timestamp::from_millisecond(ms) else { return ms.to_string() };
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

pub(crate) fn status(out: &mut dyn Write, status: &Status, steps: &[StepView]) -> io::Result<()> {
    writeln!(out, "home {}: {}", status.home, status.mode)?;
    writeln!(
        out,
        "  waiting for you: {}   outcome only you can tell: {}   log entries: {}",
        status.waiting, status.needs_person, status.log_entries
    )?;
    if status.suggestions > 0 {
        writeln!(out, "  {} rule(s) could spare you questions: `bailey rules suggestions`", status.suggestions)?;
    }
    first_steps(out, steps)?;
    if !status.model && steps.is_empty() {
        writeln!(
            out,
            "  no model is chosen: look at `bailey models`, then `bailey config set model.kind=… model.base_url=… model.name=…`"
        )?;
    }
    status.notices.iter().try_for_each(|notice| writeln!(out, "  ! {notice}"))
}

/// Says what a new home still needs: what is done, and what is next.
fn first_steps(out: &mut dyn Write, steps: &[StepView]) -> io::Result<()> {
    let Some(next) = steps.iter().position(|step| !step.done) else { return Ok(()) };
    let done = steps.iter().filter(|step| step.done).count();
    writeln!(
        out,
        "  First steps, {done} of {} done (`bailey dashboard` leads through them in a browser):",
        steps.len()
    )?;
    for (place, step) in steps.iter().enumerate() {
        match (step.done, place == next) {
            (true, _) => writeln!(out, "    done  {}", step.words)?,
            (false, true) => writeln!(out, "    next  {}: {}", step.words, step.command)?,
            (false, false) => writeln!(out, "          {}", step.words)?,
        }
    }
    Ok(())
}

/// Tells of an account that is being connected, or could not be.
pub(crate) fn connecting(out: &mut dyn Write, one: &ConnectingView) -> io::Result<()> {
    let stands = match (&one.trouble, one.at_provider) {
        (Some(why), _) => format!("was not connected: {why}; bailey connections --dismiss {}", one.id),
        (None, true) => "waits for your answer on the provider's page".into(),
        (None, false) => "is being tried out".into(),
    };
    writeln!(out, "{} {} {stands} (begun {})", one.kind, one.account, moment(one.begun_ms))
}

/// Returns an action whole: nothing is cut short.
pub(crate) fn card(out: &mut dyn Write, card: &ActionView) -> io::Result<()> {
    writeln!(out, "{}  [{}] {}", card.headline, card.kind, card.state)?;
    writeln!(out, "  action {}", card.id)?;
    for item in &card.items {
        writeln!(out, "  {}: {}", item.label, item.value)?;
    }
    if !card.body.is_empty() {
        writeln!(out)?;
        card.body.split('\n').try_for_each(|line| writeln!(out, "  | {line}"))?;
        writeln!(out)?;
    }
    card.warnings.iter().try_for_each(|warning| writeln!(out, "  ! {warning}"))?;
    card.provenance.iter().try_for_each(|line| writeln!(out, "  {}: {}", line.label, line.value))?;
    if !card.reason.is_empty() {
        writeln!(out, "  Why you are shown this: {}", card.reason)?;
    }
    if !card.claimed_why.is_empty() {
        writeln!(out, "  The agent says: {}", card.claimed_why)?;
    }
    if let Some(outcome) = &card.outcome {
        writeln!(out, "  Outcome: {outcome}")?;
    }
    if let Some(held) = card.held_until_ms {
        writeln!(out, "  Held until {}; `bailey undo {}` takes it back", moment(held), card.id)?;
    }
    if card.state == "awaiting" {
        writeln!(out, "  Waits until {}", moment(card.expires_ms))?;
    }
    writeln!(out, "  digest {}", card.digest)
}

/// Tells on a terminal what a running task has come to do since it was last told; gives how much that is by now.
pub(crate) fn progress(task: &TaskView, told: usize) -> io::Result<usize> {
    if io::stderr().is_terminal() {
        for action in task.actions.iter().skip(told).filter(|action| action.kind != "reply") {
            writeln!(io::stderr(), "  … {}", action.headline)?;
        }
    }
    Ok(task.actions.len())
}

pub(crate) fn task(out: &mut dyn Write, task: &TaskView) -> io::Result<()> {
    words_of_task(out, &task.summary)?;
    for action in &task.actions {
        if action.kind != "reply" {
            writeln!(out, "  - {} [{}] {}", action.headline, action.state, action.id)?;
        }
        if action.state == "denied" {
            writeln!(out, "      {}", action.reason)?;
        }
    }
    result_of_task(out, &task.summary)
}

/// Returns a task in a list, its actions as numbers.
pub(crate) fn task_summary(out: &mut dyn Write, task: &TaskSummary) -> io::Result<()> {
    words_of_task(out, task)?;
    if !task.action_states.is_empty() {
        let counts: Vec<String> = task.action_states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        writeln!(out, "  actions: {}; `bailey show {}` lists them", counts.join(", "), task.id)?;
    }
    result_of_task(out, task)
}

fn words_of_task(out: &mut dyn Write, task: &TaskSummary) -> io::Result<()> {
    writeln!(out, "task {}: {}", task.id, task.state)?;
    if task.origin != "person" {
        writeln!(out, "  begun by: {}", task.origin)?;
    }
    task.words.split('\n').try_for_each(|line| writeln!(out, "  > {line}"))
}

fn result_of_task(out: &mut dyn Write, task: &TaskSummary) -> io::Result<()> {
    if let Some(reply) = &task.reply {
        writeln!(out)?;
        reply.split('\n').try_for_each(|line| writeln!(out, "{line}"))?;
    }
    let usage = task.usage;
    if usage.requests > 0 {
        let cost = if usage.cost > 0.0 { format!(", {:.4} at your prices", usage.cost) } else { String::new() };
        let UsageView { requests, input_tokens, output_tokens, .. } = usage;
        writeln!(out, "  model: {requests} request(s), {input_tokens} tokens read, {output_tokens} written{cost}")?;
    }
    task.notes.iter().try_for_each(|note| writeln!(out, "  * {note}"))?;
    match &task.trouble {
        Some(trouble) => writeln!(out, "  ! {trouble}"),
        None => Ok(()),
    }
}

/// Returns a model request, each piece with who wrote it.
pub(crate) fn context(out: &mut dyn Write, context: &ContextView) -> io::Result<()> {
    for (number, span) in context.spans.iter().enumerate() {
        let from = if span.source.is_empty() { String::new() } else { format!(" ({})", span.source) };
        writeln!(out, "{number}. {}{from}", span.label)?;
        span.text.split('\n').try_for_each(|line| writeln!(out, "   | {line}"))?;
    }
    for back in &context.kept_back {
        writeln!(out, "  ! kept back from piece {}: a {}, `{}`", back.span, back.kind, back.hint)?;
    }
    writeln!(out, "{} bytes in all; `--raw` shows them as they were sent", context.body.len())
}

pub(crate) fn connection(out: &mut dyn Write, connection: &ConnectionView) -> io::Result<()> {
    let standing = if connection.active { connection.level.as_str() } else { "revoked" };
    let default = if connection.is_default { "  (default)" } else { "" };
    writeln!(out, "{}  {} {}  {standing}{default}", connection.id, connection.kind, connection.account)?;
    if let Some(used) = connection.used.as_ref().filter(|_| connection.active) {
        let looks = looks_of(used.week_looks);
        let others = used.week.iter().filter(|(kind, _)| !is_look(kind)).map(|(kind, many)| format!("{kind} {many}"));
        let week = looks.into_iter().chain(others).collect::<Vec<_>>().join(", ");
        let last = used.last_ms.map_or_else(|| "not in the last 90 days".into(), moment);
        writeln!(out, "  this week: {}; last used: {last}", if week.is_empty() { "not used" } else { &week })?;
        if used.idle {
            writeln!(out, "  ! not used for 30 days; `bailey revoke {}` ends it", connection.id)?;
        }
    }
    let lines = [&connection.sign_in, &connection.weaker].into_iter().filter(|line| !line.is_empty());
    lines.into_iter().try_for_each(|line| writeln!(out, "  ! {line}"))
}

/// Tells whether a kind of action only looks.
fn is_look(kind: &str) -> bool {
    use bailey_gate::family::{ActionKind, Group};
    ActionKind::from_name(kind).is_some_and(|kind| matches!(kind.group(), Group::Read | Group::Fetch))
}

fn looks_of(many: u64) -> Option<String> {
    (many > 0).then(|| format!("{many} look{}", if many == 1 { "" } else { "s" }))
}

/// Returns one line of the log.
pub(crate) fn entry(out: &mut dyn Write, entry: &EntryView) -> io::Result<()> {
    let text = |name: &str| entry.header.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let wall = entry.header.get("wall_ms").and_then(serde_json::Value::as_i64).unwrap_or_default();
    let step = if text("to").is_empty() { String::new() } else { format!(" {} → {}", text("from"), text("to")) };
    let reasons = entry.header.get("reasons").and_then(serde_json::Value::as_array);
    let reasons: Vec<_> = reasons.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let because = if reasons.is_empty() { String::new() } else { format!("  ({})", reasons.join(", ")) };
    let about = if text("action").is_empty() { String::new() } else { format!("  {}", text("action")) };
    writeln!(
        out,
        "{:>6}  {}  {:<9} {:<6} {}{step}{because}{about}",
        entry.seq,
        moment(wall),
        text("kind"),
        text("actor"),
        text("tool")
    )
}
