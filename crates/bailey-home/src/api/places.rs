//! How many requests there may be at once, for each kind of client and each kind of request: whoever asks without end, or reads no
//! answer, takes no place of another kind. What there is no place for is refused at once and told when to come again.

use std::sync::Arc;

use axum::http::Request;
use axum::response::Response;
use bailey_gate::event::Client;
use bailey_listener::Holding;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::table::{ROWS, Urgency};
use super::{Code, Failure, failure};
use crate::routes::PAUSE;

/// Requests at once that wait for something to change: a page or a command each.
const WAITING: usize = 64;
/// Requests at once that keep the person in charge. Each is answered in milliseconds, and its place is free before its answer is read.
const PROMPT: usize = 64;
/// All others at once. Kept until the answer has been read.
const USUAL: usize = 64;
/// Requests without the token at once, while they are answered: after their body has come, so that who sends none takes no place.
const STRANGERS: usize = 8;
/// How long one of these waits for its turn. They come in the order they were asked in, so that whoever asks without end gets no more of
/// them than whoever asks once.
const STRANGERS_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Connections at once: room for all that may be answered of a program and of the command line (3 times 64 each) and of strangers,
/// and for some that are idle. Below the 1,024 descriptors that a process has by default.
pub(crate) const MAX_CONNECTIONS: usize = 480;

/// Places of one kind of client.
#[derive(Debug)]
struct Kind {
    prompt: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    usual: Arc<Semaphore>,
}

/// The places there are.
#[derive(Debug)]
pub(super) struct Places {
    kinds: [(Client, Kind); Client::ALL.len()],
    strangers: Arc<Semaphore>,
}

/// A place, until it is dropped; a pause takes none.
#[derive(Debug)]
pub(super) struct Place {
    taken: Option<OwnedSemaphorePermit>,
    urgency: Urgency,
}

impl Places {
    pub(super) fn new() -> Self {
        let of = |most| Arc::new(Semaphore::new(most));
        let kind = |client| (client, Kind { prompt: of(PROMPT), waiting: of(WAITING), usual: of(USUAL) });
        Self { kinds: Client::ALL.map(kind), strangers: of(STRANGERS) }
    }

    /// Takes a place for a request of a client, if there is one.
    pub(super) fn take(&self, client: Client, matched: Option<&str>, method: &str) -> Result<Place, Failure> {
        let row = ROWS.iter().find(|row| Some(row.path) == matched && row.method.name() == method);
        let keeps_in_charge = matched.is_some_and(|path| super::pages::PROMPT.contains(&path));
        let usual = if keeps_in_charge { Urgency::Prompt } else { Urgency::Usual };
        let urgency = row.map_or(usual, |row| row.urgency);
        // INVARIANT: nobody keeps a pause out.
        if matched == Some(PAUSE.path()) || matched == Some(super::pages::PAUSE) {
            return Ok(Place { taken: None, urgency });
        }
        let kind = self.kinds.iter().find(|(of, _)| *of == client).map(|(_, kind)| match urgency {
            Urgency::Prompt => &kind.prompt,
            Urgency::Waits => &kind.waiting,
            Urgency::Usual => &kind.usual,
        });
        let taken = kind.and_then(|places| Arc::clone(places).try_acquire_owned().ok());
        let why = "too many requests of this kind are under way; come again when some have ended, and read the answers";
        taken.map(|taken| Place { taken: Some(taken), urgency }).ok_or_else(|| failure(Code::Busy, why))
    }

    /// Waits for a place for a request of nobody known; nothing if none was free in time.
    pub(super) async fn stranger(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.strangers).acquire_owned();
        tokio::time::timeout(STRANGERS_WAIT, place).await.ok()?.ok()
    }
}

impl Place {
    /// Keeps the place until the answer has been read. What keeps the person in charge gives it back before: those who do not read
    /// keep nobody from it, and their connections make room.
    pub(super) fn keep_for(self, response: Response) -> Response {
        match self.urgency {
            Urgency::Prompt => response,
            Urgency::Waits | Urgency::Usual => {
                response.map(|body| axum::body::Body::new(Holding::new(body, self.taken)))
            }
        }
    }
}

/// Returns the path a request was matched with.
pub(super) fn matched<B>(request: &Request<B>) -> Option<&str> {
    request.extensions().get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str)
}
