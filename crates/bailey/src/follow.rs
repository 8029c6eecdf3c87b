//! Giving a task and following it: words as they come, then how it stands. And which models there are to give it to.

use std::io::{self, Write as _};

use bailey_home::routes;
use bailey_interface::{ActionView, ModelsView, OfferView, Status, TaskBody, TaskView, WordsView};

use crate::args::Task;
use crate::client::{Client, Trouble};
use crate::commands::cards;
use crate::show;

/// Gives a task, or more words to one, and follows it until it comes to rest.
pub(crate) async fn give_task(client: &Client, task: Task, json: bool) -> Result<(), Trouble> {
    let route = task.on.as_deref().map_or_else(|| routes::GIVE_TASK.here(), |id| routes::GO_ON.at(&[id]));
    let given = crate::files::give(client, &task.file).await?;
    let words = format!("{}{given}", task.words.join(" "));
    let mut card = client.post(&route, &TaskBody { words, origin: None }).await?;
    let status: Status = client.get(&routes::STATUS.here()).await?;
    if status.mode != bailey_gate::handoff::Mode::Open.name() && card.summary.state == "running" {
        writeln!(io::stderr(), "Everything is paused: task {} goes on after `bailey resume`.", card.summary.id)?;
    }
    // Of a task that goes on, what came before was told before.
    let told = if task.on.is_some() { card.actions.len() } else { 0 };
    let mut heard = Heard { told, aloud: !json, ..Heard::default() };
    while !task.no_wait && card.summary.state == "running" {
        client.events(&routes::TASK_EVENTS.at(&[&card.summary.id]), |event, data| heard.take(event, data)).await?;
        // Where the stream ended before the task did, it is followed anew.
        card = match heard.card.take() {
            Some(card) if card.summary.state != "running" => card,
            _ => client.get(&routes::TASK.at(&[&card.summary.id])).await?,
        };
        heard.told = show::progress(&card, heard.told)?;
    }
    let said = heard.finish(card.summary.reply.as_deref())?;
    let waiting: Vec<ActionView> = card.actions.iter().filter(|action| action.state == "awaiting").cloned().collect();
    show::print(json, &card, |out| {
        let mut shown = card.clone();
        if said {
            shown.summary.reply = None;
        }
        show::task(out, &shown)?;
        if !waiting.is_empty() {
            writeln!(out, "\nThis waits for you:\n")?;
            cards(out, &waiting)?;
            writeln!(out, "Answer with `bailey approve`, `bailey edit` or `bailey reject`.")?;
        }
        Ok(())
    })?;
    match card.summary.state.as_str() {
        // What went wrong is printed with the task.
        "failed" | "limit-reached" => Err(Trouble::Printed(1)),
        _ => Ok(()),
    }
}

/// What was heard of a task.
#[derive(Default)]
struct Heard {
    /// Whether words are printed as they come.
    aloud: bool,
    /// The answer that is printed, and what of it was.
    of: Option<(u64, u32)>,
    words: String,
    /// How the task stood last.
    card: Option<TaskView>,
    /// How many of its actions were told.
    told: usize,
}

impl Heard {
    fn take(&mut self, event: &str, data: &str) -> io::Result<()> {
        match event {
            "words" if self.aloud => {
                let Ok(words) = serde_json::from_str::<WordsView>(data) else { return Ok(()) };
                let of = Some((words.request, words.attempt));
                if self.of != of {
                    self.end_line()?;
                    self.words.clear();
                    self.of = of;
                }
                self.words.push_str(&words.text);
                write!(io::stdout(), "{}", words.text)?;
                io::stdout().flush()
            }
            "task" => {
                let Ok(card) = serde_json::from_str::<TaskView>(data) else { return Ok(()) };
                if card.actions.iter().skip(self.told).any(|action| action.kind != "reply") {
                    self.end_line()?;
                    // What was said before a step is no part of what is said after it.
                    self.of = None;
                    self.words.clear();
                }
                self.told = show::progress(&card, self.told)?;
                self.card = Some(card);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end_line(&self) -> io::Result<()> {
        if self.words.is_empty() || self.words.ends_with('\n') { Ok(()) } else { writeln!(io::stdout()) }
    }

    /// Prints what is left of the reply; tells whether all of it is printed by now.
    fn finish(&self, reply: Option<&str>) -> io::Result<bool> {
        let rest = match reply.map(|reply| reply.strip_prefix(self.words.as_str())) {
            Some(Some(rest)) if !self.words.trim().is_empty() => rest,
            _ => {
                self.end_line()?;
                return Ok(false);
            }
        };
        writeln!(io::stdout(), "{rest}\n")?;
        Ok(true)
    }
}

/// Shows which models there are.
pub(crate) async fn models(client: &Client, json: bool) -> Result<(), Trouble> {
    let view: ModelsView = client.get(&routes::MODELS.here()).await?;
    Ok(show::print(json, &view, |out| {
        if view.configured.is_empty() {
            writeln!(
                out,
                "No model is chosen. Choose one on the page Models, or: bailey config set model.kind=openai-chat model.base_url=… model.name=…"
            )?;
        }
        view.configured.iter().try_for_each(|one| offer(out, one))?;
        if view.local.is_empty() {
            writeln!(out, "No model server was found on this machine.")?;
        } else {
            writeln!(out, "\nOn this machine:")?;
        }
        view.local.iter().try_for_each(|one| offer(out, one))?;
        let limit = view.month_limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        writeln!(
            out,
            "\n{}: {} answer(s), {:.4}{limit} at your prices",
            view.month, view.month_answers, view.month_cost
        )
    })?)
}

fn offer(out: &mut dyn io::Write, offer: &OfferView) -> io::Result<()> {
    writeln!(out, "{}  base_url = \"{}\"", offer.what, offer.base_url)?;
    if let Some(trouble) = &offer.trouble {
        writeln!(out, "  ! {trouble}")?;
    }
    for name in &offer.models {
        writeln!(out, "  {} {name}", if *name == offer.configured { "*" } else { "-" })?;
    }
    if !offer.configured.is_empty() && !offer.models.is_empty() && !offer.models.contains(&offer.configured) {
        writeln!(out, "  ! `{}`, which the configuration names, is not among them", offer.configured)?;
    }
    Ok(())
}
