//! Telling the person, at places they named, that something waits: how many actions, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bailey_gate::approval::Authorised;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::family::Level;
use bailey_gate::family::escape::visible;
use bailey_gate::handoff::Mode;
use bailey_gate::ledger::StoreError;
use bailey_gate::{ConnectionId, Nonce, Now, State};
use bailey_interface::{NotificationPlace, NotificationView, NotificationsView};
use bailey_keys::push::{self, PushError, Sender};
use bailey_ledger::{Ledger, RecordName};
use bailey_telemetry::event;
use bailey_vault::{HttpError, MailNotice, Notice, Place};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::executor::blocking;
use crate::home::Home;
use crate::wire_secret::Password;

/// Places at most.
const MAX_PLACES: usize = 16;
/// How long no further notice goes after one: what comes meanwhile is told at the end of it, once.
const APART: Duration = Duration::from_secs(30);
/// How long a push service keeps a notice for a browser that is not there, in seconds (RFC 8030, section 5.2), and how long the
/// home's word counts.
const KEPT_SECONDS: i64 = 12 * 60 * 60;
/// The status that says that a notice was taken (RFC 9110, 15.3.1), also where a mail server said so.
const TAKEN: u16 = 200;
/// Longest token of a server, in bytes.
const MAX_TOKEN: usize = 256;
/// Whom push services may ask about a home that has no name of its own; nobody answers there (RFC 8292, section 2.1).
const NO_CONTACT: &str = "mailto:nobody@bailey.invalid";
/// Records of places, and of the key that push services know the home by.
const PLACE: &str = "notification";
const KEY: RecordName<'static> = RecordName { kind: "notification key", owner: b"push", n: 0 };

type Id = [u8; 16];

/// A place, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    place: NotificationPlace,
    /// The token its server wants to be shown.
    token: Option<Password>,
    name: String,
    /// The passkey of the browser; it is told no more once that is ended.
    passkey: Option<Id>,
    made_ms: i64,
}

/// How it went with a place last.
#[derive(Debug, Clone, Default)]
struct Told {
    sent_ms: Option<i64>,
    trouble: Option<String>,
}

/// How it went with the places since the home was opened.
#[derive(Debug, Default)]
pub(crate) struct Notifications(Mutex<BTreeMap<Id, Told>>);

impl Notifications {
    fn told(&self) -> MutexGuard<'_, BTreeMap<Id, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a place is not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTold {
    /// Its address.
    #[error(
        "`{0}` is no address that notices can go to; it begins with https://, or with http:// on this machine, and holds no login"
    )]
    Address(String),
    /// The address of ntfy names no topic.
    #[error("the address of an ntfy topic ends in the topic's name, such as https://ntfy.sh/my-topic")]
    Topic,
    /// The subscription that a browser gave.
    #[error("the browser's subscription cannot be read; try again there")]
    Subscription,
    /// A mail account.
    #[error("`{0}` is no connected mail account that may send; connect it with the level `send`, or name another")]
    Account(String),
    /// The token.
    #[error("this is no token: it is longer than {MAX_TOKEN} bytes, or holds signs that no token has")]
    Token,
    /// There are enough.
    #[error("{MAX_PLACES} places are told already; remove one first")]
    Many,
    /// There is no such place.
    #[error("there is no such place; `bailey notifications list` shows which there are")]
    Unknown,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Keys(#[from] bailey_keys::KeyError),
}

/// A place that was read: what is sent, and where.
enum Target<'a> {
    Browser { public: Vec<u8>, auth: [u8; push::AUTH_BYTES] },
    Ntfy { path: &'a str, topic: &'a str },
    Gotify { path: String },
}

/// Reads a place that is reached over HTTP.
fn target<'a>(place: &NotificationPlace, at: &'a Place) -> Result<Target<'a>, NotTold> {
    let plain =
        || if at.path().contains('?') { Err(NotTold::Address(visible(place.address()))) } else { Ok(at.path()) };
    match place {
        NotificationPlace::Browser { public, auth, .. } => {
            let read = |text: &str| BASE64.decode(text.trim_end_matches('=')).map_err(|_| NotTold::Subscription);
            let (public, auth) = (read(public)?, read(auth)?);
            let auth = auth.try_into().map_err(|_| NotTold::Subscription)?;
            if push::is_key(&public) { Ok(Target::Browser { public, auth }) } else { Err(NotTold::Subscription) }
        }
        NotificationPlace::Ntfy { .. } => {
            let (path, topic) = plain()?.trim_end_matches('/').rsplit_once('/').ok_or(NotTold::Topic)?;
            // As ntfy names topics (docs.ntfy.sh/publish).
            let is_topic = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if topic.is_empty() || !topic.bytes().all(is_topic) {
                return Err(NotTold::Topic);
            }
            Ok(Target::Ntfy { path: if path.is_empty() { "/" } else { path }, topic })
        }
        NotificationPlace::Gotify { .. } => {
            Ok(Target::Gotify { path: format!("{}/message", plain()?.trim_end_matches('/')) })
        }
        // Nothing is posted there.
        NotificationPlace::Mail { address } => Err(NotTold::Account(visible(address))),
    }
}

/// Says how many wait, in words.
fn words(waiting: u64) -> String {
    match waiting {
        0 => "Notices arrive here. Nothing waits for you.".into(),
        1 => "1 action waits for you.".into(),
        many => format!("{many} actions wait for you."),
    }
}

/// Returns the host that notices of a place go through, to be shown; of a mail account its address.
fn host(place: &NotificationPlace) -> String {
    if let NotificationPlace::Mail { address } = place {
        return visible(address);
    }
    Place::parse(place.address()).map(|at| visible(at.authority())).unwrap_or_default()
}

fn read_one(ledger: &Ledger, id: &Id) -> Result<Option<Kept>, StoreError> {
    let json = ledger.record(RecordName { kind: PLACE, owner: id, n: 0 })?;
    Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
}

fn read(ledger: &Ledger) -> Result<Vec<(Id, Kept)>, StoreError> {
    let mut all = Vec::new();
    for owner in ledger.record_owners(PLACE)? {
        let Ok(id) = Id::try_from(owner.as_slice()) else { continue };
        all.extend(read_one(ledger, &id)?.map(|kept| (id, kept)));
    }
    all.sort_by_key(|(_, kept)| kept.made_ms);
    Ok(all)
}

impl Home {
    /// Lists the places that are told.
    pub(crate) fn notifications(&self) -> Result<NotificationsView, StoreError> {
        let told = self.notifications.told().clone();
        let view = |(id, kept): (Id, Kept)| {
            let Told { sent_ms, trouble } = told.get(&id).cloned().unwrap_or_default();
            NotificationView {
                id: Nonce::from_bytes(id).to_string(),
                kind: kept.place.kind().into(),
                host: host(&kept.place),
                name: kept.name,
                made_ms: kept.made_ms,
                sent_ms,
                trouble,
            }
        };
        let key = self.push_sender()?.map(|sender| sender.public()).unwrap_or_default();
        Ok(NotificationsView { key, places: read(&self.ledger)?.into_iter().map(view).collect() })
    }

    /// Tells one place more, with the leave of the person. `passkey` is that of the browser it is, if it is one.
    pub(crate) fn notify(
        &self,
        place: NotificationPlace,
        token: Option<Password>,
        browser: Option<(String, Id)>,
        leave: &Authorised,
    ) -> Result<(), NotTold> {
        if let NotificationPlace::Mail { address } = &place {
            self.sending_account(address)?;
        } else {
            let at = Place::parse(place.address()).map_err(|_| NotTold::Address(visible(place.address())))?;
            target(&place, &at)?;
        }
        let token = token.filter(|token| !token.expose().is_empty());
        let is_token = |token: &Password| {
            token.expose().len() <= MAX_TOKEN && token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !token.as_ref().is_none_or(is_token) {
            return Err(NotTold::Token);
        }
        let (now, id): (_, Id) = (self.clock.now(), bailey_keys::random()?);
        let (name, passkey) = browser.map_or((host(&place), None), |(name, passkey)| (name, Some(passkey)));
        let others = read(&self.ledger)?;
        // The same again replaces what was.
        let before: Vec<Id> = others.iter().filter(|(_, kept)| kept.place == place).map(|(id, _)| *id).collect();
        if others.len() - before.len() >= MAX_PLACES {
            return Err(NotTold::Many);
        }
        let says = said("added", &place);
        let kept = Kept { place, token, name, passkey, made_ms: now.wall_ms };
        let json = serde_json::to_vec(&kept).map_err(|error| StoreError::Broken(error.to_string()))?;
        self.ledger.write(|tx| {
            for one in &before {
                tx.remove_record(RecordName { kind: PLACE, owner: one, n: 0 })?;
            }
            tx.put_record(RecordName { kind: PLACE, owner: &id, n: 0 }, &json)?;
            let entry = leave.entry(EventKind::Authority, now, self.gate.lock().pause_state(), says.clone());
            tx.append(&entry, None).map(drop)
        })?;
        self.changed();
        Ok(())
    }

    /// Returns the connected mail account of an address, as its grant stands, where it may send.
    fn sending_account(&self, address: &str) -> Result<(ConnectionId, u64), NotTold> {
        let all = self.ledger.connections()?;
        let may_send = |row: &&bailey_ledger::ConnectionRow| {
            row.grant.active && row.kind == "mail" && row.account == address && row.grant.level >= Level::Send
        };
        let found = all.iter().find(may_send).map(|row| (row.id, row.grant.generation));
        found.ok_or_else(|| NotTold::Account(visible(address)))
    }

    /// Returns the addresses of the connected mail accounts that may send, each once.
    pub(crate) fn sending_accounts(&self) -> Result<Vec<String>, StoreError> {
        let all = self.ledger.connections()?.into_iter();
        let may_send = all.filter(|row| row.grant.active && row.kind == "mail" && row.grant.level >= Level::Send);
        let mut addresses: Vec<String> = may_send.map(|row| row.account).collect();
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }

    /// Sends a notice from a mail account to itself.
    async fn send_by_mail(self: &Arc<Self>, address: &str, waiting: u64, now: Now) -> Result<u16, String> {
        let account = self.sending_account(address).map_err(|error| error.to_string())?;
        let name: Id = bailey_keys::random().map_err(|error| error.to_string())?;
        let open = self.origins().first().map(|origin| format!("{origin}/approvals"));
        let notice = MailNotice {
            subject: format!("Bailey: {}", words(waiting).trim_end_matches('.')),
            lines: std::iter::once(words(waiting)).chain(open).collect(),
            name: Nonce::from_bytes(name).to_string(),
            at: (now.wall_ms.div_euclid(1_000), self.clock.offset_minutes(now)),
        };
        let vault = Arc::clone(&self.vault);
        let sending = self.spawn_detached(async move { vault.notify_by_mail(account, &notice).await });
        match sending.await {
            Ok(Ok(_)) => Ok(TAKEN),
            Ok(Err(error)) if self.gate.lock().pause_state().mode == Mode::Open => Err(visible(&error.to_string())),
            Ok(Err(_)) => Err("everything is paused, so nothing was sent".into()),
            Err(_) => Err("the notice could not be sent".into()),
        }
    }

    /// Tells a place no more.
    pub(crate) fn end_notification(&self, id: Id, by: Actor) -> Result<(), NotTold> {
        let now = self.clock.now();
        let says = said("ended", &read_one(&self.ledger, &id)?.ok_or(NotTold::Unknown)?.place);
        self.ledger.write(|tx| {
            if tx.remove_record(RecordName { kind: PLACE, owner: &id, n: 0 })?.is_none() {
                return Ok(());
            }
            let entry = Event::of_home(EventKind::Authority, by, now, self.gate.lock().pause_state());
            tx.append(&Event { payload: says.clone(), ..entry }, None).map(drop)
        })?;
        self.notifications.told().remove(&id);
        self.changed();
        Ok(())
    }

    /// Tells places when something more waits, as long as the home runs.
    pub(crate) async fn send_notifications(self: Arc<Self>) {
        let mut changes = self.changes();
        if self.make_push_key().is_err() {
            event!(WARN, "the key for push services could not be made");
        }
        // What waited before the home was opened was told then.
        let (mut count, mut newest) = self.read_waiting().await.unwrap_or_default();
        while changes.changed().await.is_ok() && self.ended.borrow().is_none() {
            let Some((count_now, newest_now)) = self.read_waiting().await else { continue };
            if self.gate.lock().pause_state().mode != Mode::Open {
                continue;
            }
            let is_more = newest_now > newest || count_now > count;
            (count, newest) = (count_now, newest_now.max(newest));
            if is_more && count > 0 && self.tell_all(count).await {
                tokio::time::sleep(APART).await;
            }
        }
    }

    /// Counts what waits for the person, and says where in the log the newest of it stands.
    async fn read_waiting(self: &Arc<Self>) -> Option<(u64, u64)> {
        let home = Arc::clone(self);
        let read = move || {
            let ledger = &home.ledger;
            let count = ledger.count_in(State::Awaiting)?.saturating_add(ledger.count_in(State::NeedsPerson)?);
            Ok::<_, StoreError>((count, ledger.newest_in(State::Awaiting)?.max(ledger.newest_in(State::NeedsPerson)?)))
        };
        tokio::task::spawn_blocking(read).await.ok()?.ok()
    }

    /// Tells every place; says whether there is one.
    async fn tell_all(self: &Arc<Self>, waiting: u64) -> bool {
        let home = Arc::clone(self);
        let read = blocking(move || Ok(read(&home.ledger)?)).await;
        let Ok(places) = read else { return false };
        let is_any = !places.is_empty();
        let each = places.into_iter().map(|(id, kept)| self.tell_place(id, kept, waiting));
        futures_util::future::join_all(each).await;
        if is_any {
            self.changed();
        }
        is_any
    }

    /// Sends one place a notice now, and says how that went.
    pub(crate) async fn try_notification(self: &Arc<Self>, id: Id) -> Result<NotificationView, NotTold> {
        let kept = read_one(&self.ledger, &id)?.ok_or(NotTold::Unknown)?;
        let waiting = self.read_waiting().await.unwrap_or_default().0;
        self.tell_place(id, kept, waiting).await;
        self.changed();
        let named = Nonce::from_bytes(id).to_string();
        self.notifications()?.places.into_iter().find(|one| one.id == named).ok_or(NotTold::Unknown)
    }

    async fn tell_place(self: &Arc<Self>, id: Id, kept: Kept, waiting: u64) {
        let now = self.clock.now();
        let stands = |passkey: &Id| {
            self.ledger.passkeys().is_ok_and(|all| all.iter().any(|row| row.id == *passkey && row.is_active()))
        };
        if kept.passkey.as_ref().is_some_and(|passkey| !stands(passkey)) {
            // A browser that was turned away is not woken any more.
            let _ = self.end_notification(id, Actor::Home);
            return;
        }
        let trouble = match self.send(&kept, waiting, now).await {
            Ok(200..=299) => None,
            // The subscription is over (RFC 8030, section 7.3).
            Ok(404 | 410) if kept.passkey.is_some() => {
                let _ = self.end_notification(id, Actor::Home);
                return;
            }
            Ok(401 | 403) => Some("its server does not let the home in: give it another token".into()),
            Ok(404) => Some("its server knows no such address".into()),
            Ok(429) => Some("its server takes no more for now".into()),
            Ok(status) => Some(format!("its server answered with the status {status}")),
            Err(why) => Some(why),
        };
        let mut told = self.notifications.told();
        let one = told.entry(id).or_default();
        if trouble.is_none() {
            one.sent_ms = Some(now.wall_ms);
        }
        one.trouble = trouble;
    }

    async fn send(self: &Arc<Self>, kept: &Kept, waiting: u64, now: Now) -> Result<u16, String> {
        if let NotificationPlace::Mail { address } = &kept.place {
            return self.send_by_mail(address, waiting, now).await;
        }
        let at = Place::parse(kept.place.address()).map_err(|error| error.to_string())?;
        let read = target(&kept.place, &at).map_err(|error| error.to_string())?;
        let open = self.origins().first().map(|origin| format!("{origin}/approvals"));
        let token = |header: &'static str, before: &str| {
            let shown = kept.token.as_ref().map(|token| (header, format!("{before}{}", token.expose())));
            shown.into_iter().collect::<Vec<_>>()
        };
        let (path, notice) = match read {
            Target::Browser { public, auth } => {
                let notice = self.sealed(&public, &auth, &at, waiting, now).map_err(|error| error.to_string())?;
                (at.path().to_owned(), notice)
            }
            Target::Ntfy { path, topic } => {
                let body = json!({"topic": topic, "title": "Bailey", "message": words(waiting), "click": open});
                let notice = Notice {
                    headers: token("authorization", "Bearer "),
                    body: body.to_string().into_bytes(),
                    json: true,
                };
                (path.to_owned(), notice)
            }
            Target::Gotify { path } => {
                let click = json!({"client::notification": {"click": {"url": open}}});
                let body = json!({"title": "Bailey", "message": words(waiting), "priority": 5, "extras": click});
                let notice =
                    Notice { headers: token("x-gotify-key", ""), body: body.to_string().into_bytes(), json: true };
                (path, notice)
            }
        };
        let vault = Arc::clone(&self.vault);
        let sending = self.spawn_detached(async move { vault.notify(&at, &path, notice).await });
        match sending.await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(HttpError::Paused)) => Err("everything is paused, so nothing was sent".into()),
            Ok(Err(error)) => Err(format!("its server cannot be reached: {error}")),
            Err(_) => Err("the notice could not be sent".into()),
        }
    }

    /// Makes the request that wakes a browser.
    fn sealed(
        &self,
        public: &[u8],
        auth: &[u8; push::AUTH_BYTES],
        at: &Place,
        waiting: u64,
        now: Now,
    ) -> Result<Notice, PushError> {
        let sender = self.push_sender().map_err(|_| PushError::Failed)?.ok_or(PushError::Failed)?;
        let contact = self.origins().iter().find(|origin| origin.starts_with("https://"));
        let until = now.wall_ms.div_euclid(1_000).saturating_add(KEPT_SECONDS);
        let authorization = sender.authorization(at.origin(), contact.map_or(NO_CONTACT, String::as_str), until)?;
        let words = json!({ "waiting": waiting }).to_string();
        let headers = vec![
            ("authorization", authorization),
            ("content-encoding", "aes128gcm".into()),
            ("ttl", KEPT_SECONDS.to_string()),
            // Of two that were not fetched yet the later counts (RFC 8030, section 5.4).
            ("topic", "waiting".into()),
            ("urgency", "normal".into()),
        ];
        Ok(Notice { headers, body: push::seal(public, auth, words.as_bytes())?, json: false })
    }

    fn push_sender(&self) -> Result<Option<Sender>, StoreError> {
        Ok(self.ledger.record(KEY)?.and_then(|kept| Sender::read(&kept).ok()))
    }

    fn make_push_key(&self) -> Result<(), StoreError> {
        if self.push_sender()?.is_some() {
            return Ok(());
        }
        let made = Sender::generate().map_err(|error| StoreError::Broken(error.to_string()))?;
        self.ledger.write(|tx| tx.put_record(KEY, &made))
    }
}

fn said(what: &str, place: &NotificationPlace) -> Payload {
    Payload::default().text("notification", what).text("kind", place.kind()).text("host", host(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ntfy_names_server_and_topic_and_one_of_gotify_its_server() {
        let of = |place: &NotificationPlace| {
            let at = Place::parse(place.address()).unwrap();
            match target(place, &at) {
                Ok(Target::Ntfy { path, topic }) => format!("{path} {topic}"),
                Ok(Target::Gotify { path }) => path,
                Ok(Target::Browser { .. }) => "a browser".into(),
                Err(error) => error.to_string(),
            }
        };
        let ntfy = |url: &str| of(&NotificationPlace::Ntfy { url: url.into() });
        assert_eq!(ntfy("https://ntfy.sh/my-topic"), "/ my-topic");
        assert_eq!(ntfy("https://example.org/under/ntfy/my_topic/"), "/under/ntfy my_topic");
        for bad in ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a%20b"] {
            assert!(ntfy(bad).contains("topic's name"), "{bad}");
        }
        assert!(ntfy("https://ntfy.sh/topic?auth=x").contains("no address"));
        let gotify = |url: &str| of(&NotificationPlace::Gotify { url: url.into() });
        assert_eq!(gotify("https://gotify.example"), "/message");
        assert_eq!(gotify("https://example.org/gotify/"), "/gotify/message");
        let browser = |public: &str, auth: &str| {
            let endpoint = "https://push.example/1".into();
            of(&NotificationPlace::Browser { endpoint, public: public.into(), auth: auth.into() })
        };
        let public = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        assert_eq!(browser(public, "BTBZMqHH6r4Tts7J_aSIgg=="), "a browser");
        for (public, auth) in [("", "BTBZMqHH6r4Tts7J_aSIgg"), (public, ""), (public, "!"), ("AAAA", "AAAA")] {
            assert!(browser(public, auth).contains("subscription"), "{public} {auth}");
        }
    }

    #[test]
    fn words_count_what_waits() {
        assert_eq!(words(1), "1 action waits for you.");
        assert_eq!(words(12), "12 actions wait for you.");
    }
}
