//! `bailey schedules`, `bailey attention`, `bailey digest`.

use std::io::{self, Write};

use bailey_gate::family::escape::visible;
use bailey_home::{purposes, routes};
use bailey_interface::{
    AttentionView, DigestLine, DigestView, MissedBody, ScheduleAccount, ScheduleBody, ScheduleDraft, SchedulePreview,
    ScheduleView, TaskView,
};

use crate::args::{SaidSchedule, Schedules};
use crate::client::{Client, Trouble};
use crate::{prompt, show};

/// What stands for all times that passed.
const ALL: &str = "all";

/// Runs one of the commands.
pub(crate) async fn run(command: Schedules, client: &Client, json: bool) -> Result<(), Trouble> {
    match command {
        Schedules::List => {
            let all: Vec<ScheduleView> = client.get(&routes::SCHEDULES.here()).await?;
            Ok(show::print(json, &all, |out| list(out, &all))?)
        }
        Schedules::Show { schedule } => {
            let one: ScheduleView = client.get(&routes::SCHEDULE.at(&[&schedule])).await?;
            Ok(show::print(json, &one, |out| whole(out, &one))?)
        }
        Schedules::When { words } => {
            let draft = ScheduleDraft {
                name: "-".into(),
                words: "-".into(),
                when: words.join(" "),
                accounts: Some(Vec::new()),
                ..ScheduleDraft::default()
            };
            let preview: SchedulePreview = client.post(&routes::PREVIEW_SCHEDULE.here(), &draft).await?;
            Ok(show::print(json, &preview, |out| times(out, &preview.told, &preview.times))?)
        }
        Schedules::Add { name, said } => {
            let draft = ScheduleDraft { name, ..drafted(client, said, ScheduleDraft::default()).await? };
            make(client, draft, json).await
        }
        Schedules::Edit { schedule, name, said } => {
            let before: ScheduleView = client.get(&routes::SCHEDULE.at(&[&schedule])).await?;
            let now = ScheduleDraft {
                id: Some(before.id),
                name: name.unwrap_or(before.name),
                when: before.when,
                words: before.words,
                zone: Some(before.zone),
                late: Some(before.late),
                overlap: Some(before.overlap),
                accounts: Some(before.accounts),
                run_tokens: Some(before.run_tokens),
                month_tokens: Some(before.month_tokens),
                until: None,
            };
            make(client, drafted(client, said, now).await?, json).await
        }
        Schedules::Run { schedule } => {
            let task: TaskView = client.post(&routes::RUN_SCHEDULE.at(&[&schedule]), &()).await?;
            Ok(show::print(json, &task, |out| show::task(out, &task))?)
        }
        Schedules::Stop { schedule } => {
            let one: ScheduleView = client.post(&routes::STOP_SCHEDULE.at(&[&schedule]), &()).await?;
            Ok(show::print(json, &one, |out| {
                writeln!(out, "Stopped: {}. `bailey schedules edit` begins it again.", one.name)
            })?)
        }
        Schedules::Delete { schedule } => {
            let () = client.post(&routes::DELETE_SCHEDULE.at(&[&schedule]), &()).await?;
            Ok(show::print(json, &(), |out| writeln!(out, "Deleted, with its words."))?)
        }
        Schedules::Missed { run, forget } => missed(client, run, forget, json).await,
    }
}

/// Puts what was said over what there is.
async fn drafted(client: &Client, said: SaidSchedule, before: ScheduleDraft) -> Result<ScheduleDraft, Trouble> {
    let accounts = if said.use_none {
        Some(Vec::new())
    } else if said.uses.is_empty() {
        before.accounts
    } else {
        let all: Vec<bailey_interface::ConnectionView> = client.get(&routes::CONNECTIONS.here()).await?;
        let read = |one: &String| {
            let (connection, level) = one.split_once('=').unwrap_or((one, ""));
            let known = all.iter().find(|view| view.id == connection);
            let level =
                if level.is_empty() { known.map(|view| view.level.clone()).unwrap_or_default() } else { level.into() };
            ScheduleAccount { connection: connection.into(), level }
        };
        Some(said.uses.iter().map(read).collect())
    };
    Ok(ScheduleDraft {
        when: said.when.unwrap_or(before.when),
        words: said.task.unwrap_or(before.words),
        zone: said.zone.or(before.zone),
        late: said.late.or(before.late),
        overlap: said.overlap.or(before.overlap),
        accounts,
        run_tokens: said.run_tokens.or(before.run_tokens),
        month_tokens: said.month_tokens.or(before.month_tokens),
        until: said.until.or(before.until),
        ..before
    })
}

/// Shows a schedule whole, asks for the person's leave to exactly that, and makes it.
async fn make(client: &Client, draft: ScheduleDraft, json: bool) -> Result<(), Trouble> {
    let preview: SchedulePreview = client.post(&routes::PREVIEW_SCHEDULE.here(), &draft).await?;
    if !json {
        show::print(false, &(), |out| shown(out, &preview))?;
    }
    let words = prompt::passphrase("Approval passphrase, to make this schedule")?;
    let proof = client.prove(&purposes::make_schedule(&preview.plan), &words).await?;
    let made: ScheduleView =
        client.post(&routes::MAKE_SCHEDULE.here(), &ScheduleBody { plan: preview.plan, proof }).await?;
    Ok(show::print(json, &made, |out| writeln!(out, "{} is on.", made.name))?)
}

fn shown(out: &mut dyn Write, preview: &SchedulePreview) -> io::Result<()> {
    let plan = &preview.plan;
    writeln!(out, "{}", visible(&plan.name))?;
    times(out, &preview.told, &preview.times)?;
    writeln!(out, "  Time zone: {}", plan.zone)?;
    writeln!(out, "  Times that passed: {}; while a run is at work: {}", plan.late, plan.overlap)?;
    writeln!(out, "  Tokens: {} a run, {} in 30 days", plan.run_tokens, plan.month_tokens)?;
    if !preview.until.is_empty() {
        writeln!(out, "  Ends: {}", preview.until)?;
    }
    uses(out, &preview.accounts)?;
    writeln!(out, "\n  Each time, with nobody there:")?;
    plan.words.lines().try_for_each(|line| writeln!(out, "  | {}", visible(line)))?;
    writeln!(out)
}

fn uses(out: &mut dyn Write, accounts: &[String]) -> io::Result<()> {
    match accounts {
        [] => writeln!(out, "  May use: no account"),
        accounts => accounts.iter().try_for_each(|account| writeln!(out, "  May use: {account}")),
    }
}

fn times(out: &mut dyn Write, told: &str, times: &[String]) -> io::Result<()> {
    writeln!(out, "  Due: {}", visible(told))?;
    times.iter().try_for_each(|time| writeln!(out, "  Next: {time}"))
}

fn list(out: &mut dyn Write, all: &[ScheduleView]) -> io::Result<()> {
    if all.is_empty() {
        return writeln!(out, "There are no schedules. `bailey schedules add NAME --when … --task …` makes one.");
    }
    for one in all {
        writeln!(out, "{} [{}] {}", one.name, one.state, one.told)?;
        if !one.stopped.is_empty() {
            writeln!(out, "  Stopped: {}", one.stopped)?;
        }
        if let Some(next) = one.next.first() {
            writeln!(out, "  Next: {next}")?;
        }
        if let Some(last) = one.occurrences.first() {
            writeln!(out, "  Last: {}: {}", last.due, last.told)?;
        }
        writeln!(out, "  Tokens: {} of {} in 30 days", one.used_tokens, one.month_tokens)?;
    }
    Ok(())
}

fn whole(out: &mut dyn Write, one: &ScheduleView) -> io::Result<()> {
    writeln!(out, "{} [{}] {}", one.name, one.state, one.id)?;
    if !one.stopped.is_empty() {
        writeln!(out, "  Stopped: {}", one.stopped)?;
    }
    writeln!(out, "  Said: {} ({})", one.when, one.zone)?;
    times(out, &one.told, &one.next)?;
    writeln!(out, "  Times that passed: {}; while a run is at work: {}", one.late, one.overlap)?;
    writeln!(out, "  Tokens: {} a run; {} of {} in 30 days", one.run_tokens, one.used_tokens, one.month_tokens)?;
    uses(out, &one.account_names)?;
    one.words.lines().try_for_each(|line| writeln!(out, "  | {line}"))?;
    for time in &one.occurrences {
        let several = if time.count > 1 { format!(" ({} times)", time.count) } else { String::new() };
        let task = time.task.as_ref().map(|task| format!("  task {task}")).unwrap_or_default();
        writeln!(out, "{}{several}  {}{task}", time.due, time.told)?;
    }
    Ok(())
}

async fn missed(client: &Client, run: Vec<String>, forget: Vec<String>, json: bool) -> Result<(), Trouble> {
    let open: Vec<AttentionView> = client.get(&routes::ATTENTION.here()).await?;
    let every: Vec<String> = open.iter().flat_map(|one| one.occurrences.clone()).collect();
    let named = |given: Vec<String>| if given.iter().any(|one| one == ALL) { every.clone() } else { given };
    let body = MissedBody { run: named(run), forget: named(forget) };
    let left = if body.run.is_empty() && body.forget.is_empty() {
        open
    } else {
        client.post(&routes::MISSED.here(), &body).await?
    };
    let left: Vec<AttentionView> = left.into_iter().filter(|one| !one.occurrences.is_empty()).collect();
    Ok(show::print(json, &left, |out| lines(out, &left, "No time passed without a run."))?)
}

/// Runs `bailey attention`.
pub(crate) async fn attention(client: &Client, json: bool) -> Result<(), Trouble> {
    let all: Vec<AttentionView> = client.get(&routes::ATTENTION.here()).await?;
    Ok(show::print(json, &all, |out| lines(out, &all, "Nothing needs you."))?)
}

fn lines(out: &mut dyn Write, all: &[AttentionView], none: &str) -> io::Result<()> {
    if all.is_empty() {
        return writeln!(out, "{none}");
    }
    for one in all {
        let why = if one.why.is_empty() { String::new() } else { format!(": {}", one.why) };
        writeln!(out, "{}{why}. Next: {}.", one.what, one.next)?;
        one.occurrences.iter().try_for_each(|time| writeln!(out, "  {time}"))?;
    }
    Ok(())
}

/// Runs `bailey digest`.
pub(crate) async fn digest(client: &Client, json: bool) -> Result<(), Trouble> {
    let digest: DigestView = client.get(&routes::DIGEST.here()).await?;
    Ok(show::print(json, &digest, |out| {
        writeln!(out, "{}", digest.told)?;
        part(out, "Ran", &digest.ran)?;
        part(out, "Went by your rules", &digest.by_rule)?;
        part(out, "Waits for you", &digest.waits)?;
        part(out, "Failed or missed", &digest.failed)?;
        part(out, "Noted", &digest.learnt)?;
        writeln!(out, "Schedules took {} tokens ({:.4}).", digest.tokens, digest.cost)
    })?)
}

fn part(out: &mut dyn Write, name: &str, all: &[DigestLine]) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "{name}:")?;
    all.iter().try_for_each(|one| writeln!(out, "  {}{}", one.text, if one.undo { "  (can be undone)" } else { "" }))
}
