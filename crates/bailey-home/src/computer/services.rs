//! The computer as services use it, and as the person asks for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bailey_computer::{How, Output};
use bailey_egress::{Ended, Head, HeaderMap, Method, Origin, Record, Scheme, Whole, header};
use bailey_gate::family::http::{By, HttpRequest};
use bailey_gate::family::shell::ShellAction;
use bailey_gate::handoff::Wrote;
use bailey_gate::{Claimed, Effect, Outcome};
use bailey_vault::{Computer, Doing};
use serde_json::{Value, json};

use super::life::program;
use super::{Lacking, Room, SECRETS};

/// Most bytes of a command's output that are kept, of standard output and standard error each.
const MAX_OUTPUT_BYTES: u64 = 64 * 1024;
/// Most bytes of an answer that the agent's own requests keep.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

impl Room {
    async fn run_claimed(&self, claimed: &Claimed<ShellAction>) -> Result<Outcome, Lacking> {
        let ShellAction::Run { command, seconds, confidential } = claimed.action();
        let record = self.ledger.action(&claimed.id())?;
        let task = record.and_then(|record| record.row.task);
        let brought = task.map(|task| self.ledger.task_taint(&task)).transpose()?.unwrap_or_default().brought;
        if brought.confidential && !self.has_secrets() {
            // Noted before it comes in.
            self.ledger.write(|tx| tx.put_record(SECRETS, b"yes"))?;
            self.secrets.store(true, Ordering::SeqCst);
        }
        if self.has_secrets() && !confidential && !brought.confidential {
            return Ok(Outcome::new(Effect::NotExecuted, "secrets came into the computer meanwhile; propose it again"));
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
                    put(&mut told, "cut", Value::Bool(true));
                }
                if let Some(location) = answer.location {
                    put(&mut told, "leads_to", Value::String(location));
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

/// Returns what a command came to, for the model.
fn told(output: &Output, seconds: u64) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut told = json!({ "output": text(&output.output) });
    if !output.error.is_empty() {
        put(&mut told, "error", Value::String(text(&output.error)));
    }
    match output.ended.how {
        How::Status(status) => put(&mut told, "status", status.into()),
        How::Signal(signal) => put(&mut told, "signal", signal.into()),
    }
    if output.ended.timed_out {
        put(&mut told, "ended", Value::String(format!("it was ended after {seconds} seconds")));
    }
    if output.ended.cut {
        put(&mut told, "cut", Value::Bool(true));
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

/// Adds a field to what is told.
fn put(told: &mut Value, name: &str, value: Value) {
    if let Some(fields) = told.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
