//! Pages of day-to-day matters: models, settings, a browser that comes back from a provider, the first run.

use std::sync::atomic::Ordering;

use axum::http::{HeaderValue, Uri};
use bailey_dashboard as html;
use bailey_dashboard::{Section, Step};
use bailey_interface::{ConfigChange, FirstStepsView, StepView};
use bailey_ledger::RecordName;

use super::pages::{Around, Page, shown, to};
use super::*;

/// The kind of record that says that the first run is over; its owner is the home.
const FIRST_RUN: &str = "first-run";

/// What to list.
#[derive(Default, Deserialize)]
pub(super) struct Listed {
    /// Tells whether providers are asked what they offer, which may take long.
    #[serde(default)]
    offered: String,
}

pub(super) async fn models(AppState(home): Shared, Query(listed): Query<Listed>) -> Page {
    let around = Around::of(&home).await?;
    let view = models::look(&home, !listed.offered.is_empty()).await?;
    let settings = reading(&home, |home| Ok(home.settings()?)).await?;
    Ok(shown(html::models(&around.frame(Section::Settings), &view, &settings)))
}

pub(super) async fn no_fallback(AppState(home): Shared) -> Page {
    let names =
        ["kind", "base_url", "name", "thinking", "context_tokens", "answer_tokens", "input_price", "output_price"];
    let set = names.iter().map(|name| (format!("model.fallback.{name}"), String::new())).collect();
    let Json(_) = config::narrow(AppState(home), JsonBody(ConfigChange { set, unset: Vec::new() })).await?;
    Ok(to("/models"))
}

pub(super) async fn oauth_back(AppState(home): Shared, caller: Caller, uri: Uri) -> Page {
    let around = Around::of(&home).await?;
    let came = connections::come_back(&home, caller, uri.query().unwrap_or_default()).await?;
    let outcome = match (&came.connection, &came.trouble) {
        (Some(connection), _) => Ok(connection),
        (None, trouble) => Err(trouble.as_deref().unwrap_or("It is still being tried out.")),
    };
    Ok(shown(html::signed_in(&around.frame(Section::Connections), outcome)))
}

/// The evidence of a touch, as JSON in a field.
#[derive(Deserialize)]
pub(super) struct ProofForm {
    proof: String,
}

pub(super) async fn export_readable(AppState(home): Shared, caller: Caller, Form(form): Form<ProofForm>) -> Page {
    let exported = log::export_readable(AppState(home), caller, JsonBody(form.read()?)).await?;
    Ok(as_file(exported, "attachment; filename=\"bailey-log-readable.jsonl\""))
}

/// Gives the log as a table, as a file, with the proof that the script got by a touch.
pub(super) async fn export_csv(AppState(home): Shared, caller: Caller, Form(form): Form<ProofForm>) -> Page {
    let exported = log::export_csv(AppState(home), caller, JsonBody(form.read()?)).await?;
    Ok(as_file(exported, "attachment; filename=\"bailey-log.csv\""))
}

fn as_file(exported: impl IntoResponse, name: &'static str) -> Response {
    let mut response = exported.into_response();
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    response
}

impl ProofForm {
    fn read(&self) -> Result<ProvenBody, Failure> {
        let proof = serde_json::from_str(&self.proof)
            .map_err(|error| failure(Code::Malformed, format!("the proof cannot be read: {error}")))?;
        Ok(ProvenBody { proof })
    }
}

impl Home {
    /// Returns what a new home still needs, in order; nothing once all was done, or the person does not want to be led.
    pub(crate) fn first_steps(&self) -> Result<Vec<Step>, Failure> {
        if self.first_run_over.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let owner = *self.ledger.home().as_bytes();
        if self.ledger.record(RecordName { kind: FIRST_RUN, owner: &owner, n: 0 })?.is_some() {
            self.first_run_over.store(true, Ordering::Relaxed);
            return Ok(Vec::new());
        }
        let has_account = self.ledger.connections()?.iter().any(|row| row.grant.active && row.kind != "model");
        let steps = vec![
            Step { words: "Choose a model", to: "/models", done: self.model().is_some() },
            Step { words: "Connect your mail or a calendar", to: "/connect", done: has_account },
            Step { words: "Give a first task", to: "/talk", done: !self.ledger.tasks(0, 1)?.is_empty() },
            Step { words: "Answer what it asks", to: "/approvals", done: !self.ledger.answered(1)?.is_empty() },
        ];
        if steps.iter().all(|step| step.done) {
            self.end_first_run()?;
            return Ok(Vec::new());
        }
        Ok(steps)
    }

    /// Remembers that nobody is to be led any more.
    pub(crate) fn end_first_run(&self) -> Result<(), Failure> {
        let owner = *self.ledger.home().as_bytes();
        self.ledger.write(|tx| tx.put_record(RecordName { kind: FIRST_RUN, owner: &owner, n: 0 }, b"over"))?;
        self.first_run_over.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Says how a step is done on the command line, by the page that it is done on.
fn on_command_line(page: &str) -> &'static str {
    match page {
        "/models" => "bailey config set model.kind=… model.base_url=… model.name=… (bailey models shows what there is)",
        "/connect" => "bailey connect mail ADDRESS",
        "/talk" => "bailey task \"answer Ana about Tuesday\"",
        "/approvals" => "bailey approvals, then bailey approve",
        _ => "bailey dashboard",
    }
}

pub(super) async fn first_steps(AppState(home): Shared) -> Answer<FirstStepsView> {
    let steps = reading(&home, Home::first_steps).await?;
    let view = |step: Step| StepView {
        words: step.words.into(),
        page: step.to.into(),
        command: on_command_line(step.to).into(),
        done: step.done,
    };
    Ok(Json(FirstStepsView { steps: steps.into_iter().map(view).collect() }))
}

pub(super) async fn hide_first_steps(AppState(home): Shared) -> Answer<()> {
    reading(&home, Home::end_first_run).await?;
    home.changed();
    Ok(Json(()))
}

pub(super) async fn hide(AppState(home): Shared) -> Page {
    let Json(()) = hide_first_steps(AppState(home)).await?;
    Ok(to("/talk"))
}

/// Returns the names of time zones that people live in, in their order.
pub(super) fn zones() -> Vec<String> {
    let names = jiff::tz::db().available().map(|name| name.to_string());
    let mut all: Vec<_> =
        names.filter(|name| name.contains('/') && !name.starts_with("Etc/") && !name.starts_with("posix")).collect();
    all.sort();
    all.dedup();
    all
}
