//! The computer as services use it, and as the person asks for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bailey_computer::{Address, CallError, Control, How, Output, Upload};
use bailey_egress::{Ended, Head, HeaderMap, Method, Origin, Record, Scheme, Whole, header};
use bailey_gate::family::http::{By, HttpRequest};
use bailey_gate::family::shell::ShellAction;
use bailey_gate::family::web::{Step, WebAction};
use bailey_gate::handoff::Wrote;
use bailey_gate::{ActionId, Claimed, Effect, Outcome, TaskId};
use bailey_vault::{Computer, Doing};
use serde_json::{Value, json};

use super::life::program;
use super::{Lacking, Room, SECRETS};

/// Most bytes of a command's output that are kept, of standard output and standard error each.
const MAX_OUTPUT_BYTES: u64 = 64 * 1024;
/// Largest file that goes between a page and the computer's own files, in bytes.
const MAX_FILE_BYTES: u64 = 25_000_000;
/// Most bytes of an answer that the agent's own requests keep.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Said where an action was proposed before secrets came into the computer.
const SECRETS_CAME: &str = "secrets came into the computer meanwhile; propose it again";

impl Room {
    /// Notes that secrets come into the computer with an action, where its task has read some. Returns the task, and whether what the action
    /// said of secrets still holds.
    fn note_secrets(&self, id: &ActionId, said: bool) -> Result<(Option<TaskId>, bool), Lacking> {
        let task = self.ledger.action(id)?.and_then(|record| record.row.task);
        let brought = task.map(|task| self.ledger.task_taint(&task)).transpose()?.unwrap_or_default().brought;
        if brought.confidential && !self.has_secrets() {
            // Noted before it comes in.
            self.ledger.write(|tx| tx.put_record(SECRETS, b"yes"))?;
            self.secrets.store(true, Ordering::SeqCst);
        }
        Ok((task, !self.has_secrets() || said || brought.confidential))
    }

    async fn browse_claimed(&self, claimed: &Claimed<WebAction>) -> Result<Outcome, Lacking> {
        let WebAction { step, confidential } = claimed.action();
        let (task, may) = self.note_secrets(&claimed.id(), *confidential)?;
        if !may {
            return Ok(Outcome::new(Effect::NotExecuted, SECRETS_CAME));
        }
        let _use = self.using(task);
        let running = self.awake().await?;
        if let Err(refused) = claimed.effect_token().hand_off(|| Wrote::Some) {
            return Ok(Outcome::new(Effect::NotExecuted, refused.to_string()));
        }
        Ok(match browsed(running.machine.control(), step).await {
            Ok(said) => Outcome::new(Effect::Done, said),
            Err(error) => Outcome::new(Effect::Partial, error.to_string()),
        })
    }

    async fn run_claimed(&self, claimed: &Claimed<ShellAction>) -> Result<Outcome, Lacking> {
        let ShellAction::Run { command, seconds, confidential } = claimed.action();
        let (task, may) = self.note_secrets(&claimed.id(), *confidential)?;
        if !may {
            return Ok(Outcome::new(Effect::NotExecuted, SECRETS_CAME));
        }
        let _use = self.using(task);
        let running = self.awake().await?;
        // From here on it may have happened: in a computer that is the agent's own.
        if let Err(refused) = claimed.effect_token().hand_off(|| Wrote::Some) {
            return Ok(Outcome::new(Effect::NotExecuted, refused.to_string()));
        }
        let ran = running.machine.control().run_whole(program(command, *seconds, MAX_OUTPUT_BYTES), b"").await;
        Ok(match ran {
            Ok(output) => Outcome::new(Effect::Done, told(&output, *seconds).to_string()),
            Err(error) => Outcome::new(Effect::Partial, error.to_string()),
        })
    }

    async fn fetch(&self, claimed: &Claimed<HttpRequest>) -> Result<Outcome, Lacking> {
        let request = claimed.action();
        let broker = self.broker().await?;
        let whole = whole(request).map_err(Lacking::Not)?;
        let (ticket, _done) = self.requests.ticket();
        if let Err(refused) = claimed.effect_token().hand_off(|| Wrote::Some) {
            return Ok(Outcome::new(Effect::NotExecuted, refused.to_string()));
        }
        Ok(match broker.fetch(whole, ticket, MAX_ANSWER_BYTES).await {
            Ok(answer) => {
                let mut told = json!({
                    "status": answer.status,
                    "type": answer.kind,
                    "text": String::from_utf8_lossy(&answer.body),
                });
                if answer.more {
                    told["cut"] = Value::Bool(true);
                }
                if let Some(location) = answer.location {
                    told["leads_to"] = Value::String(location);
                }
                Outcome::new(Effect::Done, told.to_string())
            }
            Err(why) if request.is_look() => Outcome::new(Effect::Refused, why),
            Err(why) => Outcome::new(Effect::Unknown, why),
        })
    }

    async fn let_go(&self, claimed: &Claimed<HttpRequest>) -> Outcome {
        let token = claimed.effect_token();
        let id = claimed.id();
        let went = self.requests.let_go(&id, claimed.action(), |send| {
            let wrote = token.hand_off(|| if send() { Wrote::Some } else { Wrote::Nothing });
            match wrote {
                Ok(Wrote::Some) => Ok(()),
                Ok(Wrote::Nothing) => Err("the program that asked waits no more; nothing was sent".to_owned()),
                Err(refused) => Err(refused.to_string()),
            }
        });
        match went.await {
            Ok(Record { ended: Ended::Answered(status), .. }) => {
                Outcome::new(Effect::Done, format!("the site answered with the status {status}"))
            }
            Ok(Record { ended: Ended::Refused(why), .. }) => Outcome::new(Effect::NotExecuted, why),
            // A look that got no answer changed nothing, whether or not the site heard of it.
            Ok(Record { ended: Ended::Failed(why), .. }) if claimed.action().is_look() => {
                Outcome::new(Effect::Refused, why)
            }
            Ok(Record { ended: Ended::Failed(why), .. }) => Outcome::new(Effect::Unknown, why),
            Err(why) => Outcome::new(Effect::NotExecuted, why),
        }
    }
}

impl Computer for Room {
    fn lacks(&self) -> Option<String> {
        self.parts.lacking()
    }

    fn is_confidential(&self) -> bool {
        self.has_secrets()
    }

    fn run<'a>(&'a self, claimed: &'a Claimed<ShellAction>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let ran = self.run_claimed(claimed).await;
            ran.unwrap_or_else(|error| Outcome::new(Effect::NotExecuted, error.to_string()))
        })
    }

    fn lacks_browser(&self) -> Option<String> {
        self.parts.lacking_browser()
    }

    fn browse<'a>(&'a self, claimed: &'a Claimed<WebAction>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            let browsed = self.browse_claimed(claimed).await;
            browsed.unwrap_or_else(|error| Outcome::new(Effect::NotExecuted, error.to_string()))
        })
    }

    fn request<'a>(&'a self, claimed: &'a Claimed<HttpRequest>) -> Doing<'a, Outcome> {
        Box::pin(async move {
            match claimed.action().by {
                By::Computer => self.let_go(claimed).await,
                By::Agent => {
                    let fetched = self.fetch(claimed).await;
                    fetched.unwrap_or_else(|error| Outcome::new(Effect::NotExecuted, error.to_string()))
                }
            }
        })
    }
}

/// Takes a step in the browser, and returns what is told of it: a page's words, which are its author's.
async fn browsed(control: &Control, step: &Step) -> Result<String, CallError> {
    let browser = control.browser();
    let page = match step {
        Step::Open { tab, address } => {
            let address = Address::read(address).map_err(|error| CallError::Said(error.to_string()))?;
            browser.open(*tab, &address).await?
        }
        Step::Read { tab, from } => browser.read(*tab, *from).await?,
        Step::Click { tab, element } => browser.click(*tab, *element).await?,
        Step::Type { tab, element, text, chooses: false } => browser.type_text(*tab, *element, text).await?,
        Step::Type { tab, element, text, chooses: true } => browser.select(*tab, *element, text).await?,
        Step::Submit { tab, element } => browser.submit(*tab, *element).await?,
        Step::Upload { tab, element, path } => {
            let bytes = control.read(path, 0, MAX_FILE_BYTES).await?;
            let name = path.rsplit('/').next().unwrap_or_default();
            browser.upload(*tab, *element, &[Upload { name, bytes: &bytes }]).await?
        }
        Step::Download { tab, download, path } => {
            let page = browser.read(*tab, 0).await?;
            let bytes = browser.download(&page, *download, MAX_FILE_BYTES).await?;
            control.write(path, 0o644, &bytes).await?;
            return Ok(json!({ "file": path, "bytes": bytes.len() }).to_string());
        }
    };
    Ok(json!({ "page": page.tell() }).to_string())
}

/// Returns what a command came to, for the model.
fn told(output: &Output, seconds: u64) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut told = json!({ "output": text(&output.output) });
    if !output.error.is_empty() {
        told["error"] = Value::String(text(&output.error));
    }
    match output.ended.how {
        How::Status(status) => told["status"] = status.into(),
        How::Signal(signal) => told["signal"] = signal.into(),
    }
    if output.ended.timed_out {
        told["ended"] = Value::String(format!("it was ended after {seconds} seconds"));
    }
    if output.ended.cut {
        told["cut"] = Value::Bool(true);
    }
    told
}

/// Returns a request of the agent's as it is sent.
fn whole(request: &HttpRequest) -> Result<Whole, String> {
    let (scheme, authority) = match request.origin.split_once("://") {
        Some(("https", authority)) => (Scheme::Https, authority),
        Some(("http", authority)) => (Scheme::Http, authority),
        _ => return Err("its address cannot be read".into()),
    };
    let origin = Origin::read(scheme, authority).map_err(|error| error.to_string())?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    for (name, value) in &request.fields {
        let name = header::HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = header::HeaderValue::from_bytes(value).map_err(|error| error.to_string())?;
        headers.append(name, value);
    }
    Ok(Whole { head: Head { origin, method, target: request.target.clone(), headers }, body: request.body.clone() })
}

impl Room {
    /// Makes, starts or wakes it, for the person.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<(), Lacking> {
        let _use = self.using(None);
        self.awake().await.map(|_| ())
    }

    /// Puts it to sleep, for the person.
    pub(crate) async fn stop(self: &Arc<Self>) -> Result<(), Lacking> {
        self.sleep().await
    }

    /// Destroys it, for the person.
    pub(crate) async fn destroy_all(self: &Arc<Self>) -> Result<(), Lacking> {
        self.destroy().await
    }
}
