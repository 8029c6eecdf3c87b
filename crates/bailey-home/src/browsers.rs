//! The person's browsers: how one is let in, what it then shows, and how it is turned away.
//!
//! A browser is let in by a link that only the approval passphrase, a passkey or a recovery code makes; there it makes a passkey,
//! and with it a session. A session proposes and observes, as the token does; what needs the person needs their passkey, each time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use bailey_gate::approval::Authorised;
use bailey_gate::codec::Encoder;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_gate::ledger::StoreError;
use bailey_gate::{GateError, HomeId, Nonce, Now};
use bailey_keys::passkey;
use bailey_ledger::{CredentialKind, Ledger, LedgerTx, PasskeyRow, SessionRow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::home::{Home, HomeError};
use crate::layout::{BrowsersLeft, BrowsersNote};

/// How long a link lets a browser in, once: the time to scan it with a phone.
pub(crate) const LINK_MS: u64 = 15 * 60 * 1_000;
/// Links that are open at once; only the person makes any. Beyond it the oldest counts no more.
const MAX_LINKS: usize = 16;
/// How long a session may be silent before it ends.
const IDLE_MS: i64 = 14 * 24 * 60 * 60 * 1_000;
/// How far the clock may have been set back since a session was heard of.
const AHEAD_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long a session lasts at most.
const AGE_MS: i64 = 90 * 24 * 60 * 60 * 1_000;
/// Sessions at once; beyond it the one that is silent longest ends.
const MAX_SESSIONS: usize = 64;
/// How often it is written down that a session was heard of.
const NOTED_EVERY_MS: i64 = 60 * 1_000;
/// Recovery codes that are made at once, and their random bytes: 80 bits each.
pub(crate) const RECOVERY_CODES: usize = 10;
const CODE_BYTES: usize = 10;
/// Longest name of a passkey, or of a browser, in characters.
const MAX_NAME_CHARS: usize = 80;

const REGISTRATION_DOMAIN: &str = "bailey passkey registration";
const REGISTRATION_VERSION: u8 = 1;

type Hash = [u8; 32];

fn hash(secret: &[u8]) -> Hash {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, secret).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Why a browser is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The link is not one of ours, was used, or is too old.
    #[error(
        "this link does not let a browser in any more; each does once, within 15 minutes. Run `bailey dashboard` for another"
    )]
    Link,
    /// The recovery code is none.
    #[error(
        "this is no recovery code that still counts; each does once. `bailey dashboard` lets you in by your passphrase"
    )]
    Code,
    /// The page that asks is not the dashboard's.
    #[error(
        "this page is not one that passkeys are made for; open the dashboard by the address that `bailey dashboard` shows"
    )]
    Origin,
    /// The key of a new passphrase does not hold.
    #[error("this key is none that a passphrase made for this home; set the passphrase with `bailey passphrase`")]
    NoPassphrase,
    /// The passkey was ended meanwhile.
    #[error("this passkey counts no more; let the browser in anew with `bailey dashboard`")]
    Ended,
    /// The browser's answer does not hold.
    #[error("the passkey was not taken: {0}")]
    Passkey(#[from] passkey::Wrong),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Keys(#[from] bailey_keys::KeyError),
}

/// A link that lets one browser in.
#[derive(Debug, Clone)]
struct Link {
    /// Milliseconds since boot from which it does not any more.
    ends_boot_ms: u64,
}

/// A session, with the host of the passkey that began it: it counts there and nowhere else.
#[derive(Debug, Clone)]
struct Kept {
    row: SessionRow,
    rp: String,
}

/// The sessions and links of the person's browsers, while the home runs.
#[derive(Debug)]
pub(crate) struct Browsers {
    /// Sessions that stand, by the SHA-256 of what their browsers show.
    sessions: Mutex<BTreeMap<Hash, Kept>>,
    /// Links that stand, by the SHA-256 of their tokens. A restart ends them.
    links: Mutex<BTreeMap<Hash, Link>>,
    /// Says what is to be done to them at the next start.
    note: BrowsersNote,
}

/// A browser that was let in.
pub(crate) struct LetIn {
    /// The secret it shows from now on.
    pub(crate) secret: String,
    /// Its session.
    pub(crate) session: SessionRow,
    /// Recovery codes that were made for it, if these are the first.
    pub(crate) codes: Vec<String>,
}

/// The passkey that a browser made, as it tells it. Bytes as WebAuthn names them.
pub(crate) struct Registration {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) authenticator_data: Vec<u8>,
}

/// Returns the host of an origin.
pub(crate) fn host_of(origin: &str) -> &str {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    host.split_once(':').map_or(host, |(host, _)| host)
}

/// Returns a name as it is kept: one line of visible characters, not too long.
fn name_of(said: &str) -> String {
    let name: String = bailey_gate::family::escape::visible(said.trim()).chars().take(MAX_NAME_CHARS).collect();
    if name.is_empty() { "a browser".into() } else { name }
}

impl Browsers {
    /// Takes up what the store knows.
    pub(crate) fn load(
        ledger: &Ledger,
        note: BrowsersNote,
        now: Now,
        notices: &mut Vec<String>,
    ) -> Result<Self, HomeError> {
        let left = note.read();
        match left {
            BrowsersLeft::Nothing => {}
            BrowsersLeft::EndSessions => ledger.write(|tx| tx.end_sessions(now.wall_ms)).map_err(GateError::from)?,
            BrowsersLeft::Doubt => {
                ledger.write(|tx| tx.doubt_passkeys(now.wall_ms)).map_err(GateError::from)?;
                notices.push("The home was put back from a backup. Passkeys that were ended since may be among those of its day: none counts until `bailey passkey confirm`, and its sessions and recovery codes are ended.".into());
            }
        }
        if left != BrowsersLeft::Nothing {
            let forgotten = note.write(BrowsersLeft::Nothing);
            // Done once more at the next start, then.
            drop(forgotten);
        }
        let sessions = ledger.sessions().map_err(GateError::from)?;
        let passkeys = ledger.passkeys().map_err(GateError::from)?;
        let rp = |id: &[u8; 16]| passkeys.iter().find(|one| one.id == *id).map(|one| one.rp.clone());
        let kept = |row: SessionRow| Some((row.secret, Kept { rp: rp(&row.passkey)?, row }));
        let sessions = sessions.into_iter().filter_map(kept).collect();
        Ok(Self { sessions: Mutex::new(sessions), links: Mutex::default(), note })
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<Hash, Kept>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<Hash, Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the session of a browser that shows this where it asks, and whether it is time to note that it was used: what a page asks
    /// by itself, and nobody did, keeps no session.
    pub(crate) fn session(
        &self,
        shown: &str,
        now: Now,
        by_hand: bool,
        is_host: impl FnOnce(&str) -> bool,
    ) -> Option<(SessionRow, bool)> {
        let mut sessions = self.sessions();
        let Kept { row, rp } = sessions.get_mut(&hash(shown.as_bytes()))?;
        if !is_alive(row, now.wall_ms) || !is_host(rp) {
            return None;
        }
        let notes = by_hand && now.wall_ms.saturating_sub(row.used_ms) >= NOTED_EVERY_MS;
        if notes {
            row.used_ms = now.wall_ms;
        }
        Some((row.clone(), notes))
    }

    /// Tells whether a session still stands.
    pub(crate) fn stands(&self, id: &[u8; 16], now: Now) -> bool {
        self.sessions().values().any(|Kept { row, .. }| row.id == *id && is_alive(row, now.wall_ms))
    }

    /// Returns the sessions that stand, heard of last first.
    pub(crate) fn list(&self, now: Now) -> Vec<SessionRow> {
        let sessions = self.sessions();
        let rows = sessions.values().map(|kept| &kept.row);
        let mut all: Vec<_> = rows.filter(|row| is_alive(row, now.wall_ms)).cloned().collect();
        all.sort_by_key(|row| std::cmp::Reverse(row.used_ms));
        all
    }

    fn forget(&self, which: impl Fn(&SessionRow) -> bool) {
        self.sessions().retain(|_, kept| !which(&kept.row));
    }

    /// Opens a link; gives its token.
    fn open_link(&self, now: Now) -> Result<String, Refused> {
        let token = BASE64.encode(bailey_keys::random::<16>()?);
        let mut links = self.links();
        links.retain(|_, link| now.boot_ms < link.ends_boot_ms);
        while links.len() >= MAX_LINKS {
            let oldest = links.iter().min_by_key(|(_, link)| link.ends_boot_ms).map(|(hash, _)| *hash);
            let Some(oldest) = oldest else { break };
            links.remove(&oldest);
        }
        links.insert(hash(token.as_bytes()), Link { ends_boot_ms: now.boot_ms.saturating_add(LINK_MS) });
        Ok(token)
    }

    /// Tells whether a link lets a browser in.
    pub(crate) fn is_open(&self, token: &str, now: Now) -> bool {
        self.links().get(&hash(token.as_bytes())).is_some_and(|link| now.boot_ms < link.ends_boot_ms)
    }
}

fn is_alive(row: &SessionRow, now_ms: i64) -> bool {
    let (idle, age) = (now_ms.saturating_sub(row.used_ms), now_ms.saturating_sub(row.made_ms));
    // A clock that was set back makes nothing younger.
    row.ended_ms.is_none() && (-AHEAD_MS..IDLE_MS).contains(&idle) && age < AGE_MS
}

/// Returns what a browser signs when it makes a passkey by this link.
pub(crate) fn registration_challenge(home: &HomeId, token: &str) -> Vec<u8> {
    let mut out = Encoder::default();
    out.text(REGISTRATION_DOMAIN).byte(REGISTRATION_VERSION).bytes(home.as_bytes()).text(token);
    digest(&SHA256, &out.finish()).as_ref().to_vec()
}

/// Draws recovery codes as people copy them: four groups of four letters and digits.
fn draw_codes() -> Result<Vec<String>, Refused> {
    /// Crockford's alphabet: none of its letters is taken for another (crockford.com/base32.html).
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..RECOVERY_CODES)
        .map(|_| {
            let bytes = bailey_keys::random::<CODE_BYTES>()?;
            let number = bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
            let letter = |place: u32| {
                let index = usize::try_from(number >> (5 * place) & 31).unwrap_or_default();
                LETTERS.get(index).map_or('0', |letter| char::from(*letter))
            };
            let letters: Vec<char> = (0..16).map(letter).collect();
            Ok(letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"))
        })
        .collect()
}

/// Returns a recovery code as it was made, however it was copied.
fn plain_code(said: &str) -> String {
    let kept = said.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let letters = kept.map(|c| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    });
    letters.collect::<Vec<_>>().chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

impl Home {
    /// Opens a link by which one browser is let in, with the leave of the person.
    pub(crate) fn let_browser_in(&self, leave: &Authorised) -> Result<String, Refused> {
        let now = self.clock.now();
        let by = leave.approval.credential;
        let is_passkey = self.ledger.passkeys()?.iter().any(|row| row.id == by);
        let noted = self.note_browser(|tx| {
            // It may have been ended since it answered.
            if is_passkey && !tx.passkey_stands(&by)? {
                return Ok(None);
            }
            let entry = leave.entry(EventKind::Authority, now, self.gate.lock().pause_state(), said("link", ""));
            Ok(Some(entry))
        })?;
        if noted { self.browsers.open_link(now) } else { Err(Refused::Ended) }
    }

    /// Opens a link for whoever knows a recovery code, which counts no more then.
    pub(crate) fn recover(&self, code: &str) -> Result<String, Refused> {
        let (now, hash) = (self.clock.now(), hash(plain_code(code).as_bytes()));
        // Guesses do not write.
        if !self.ledger.has_recovery_code(&hash)? {
            return Err(Refused::Code);
        }
        let used = self.note_browser(|tx| {
            let used = tx.use_recovery_code(&hash, now.wall_ms)?;
            Ok(used.then(|| self.entry(now, said("recovery code used", ""))))
        })?;
        if used { self.browsers.open_link(now) } else { Err(Refused::Code) }
    }

    /// Takes the passkey that a browser made by a link, and begins its session. The first passkey comes with recovery codes.
    pub(crate) fn claim(
        &self,
        token: &str,
        origin: &str,
        name: &str,
        agent: &str,
        made: &Registration,
    ) -> Result<LetIn, Refused> {
        let now = self.clock.now();
        let origins = self.origins();
        if !origins.iter().any(|known| known == origin) {
            return Err(Refused::Origin);
        }
        if !self.browsers.is_open(token, now) {
            return Err(Refused::Link);
        }
        let challenge = registration_challenge(&self.gate.home(), token);
        let Registration { credential_id, client_data, authenticator_data } = made;
        let rp = host_of(origin);
        let made = passkey::register(credential_id, client_data, authenticator_data, &challenge, rp, &[origin])?;
        self.take_link(token, now)?;
        let row = PasskeyRow {
            id: bailey_keys::random()?,
            raw_id: made.id,
            public: made.public,
            count: made.count,
            rp: made.rp,
            name: name_of(name),
            synced: made.synced,
            made_ms: now.wall_ms,
            used_ms: None,
            ended_ms: None,
            confirmed: true,
        };
        let (secret, session) = self.new_session(row.id, agent, now)?;
        // Those on paper stay good, whoever comes by one of them.
        let first = self.ledger.recovery_codes_left()? == 0;
        let codes = if first { draw_codes()? } else { Vec::new() };
        let hashes: Vec<Hash> = codes.iter().map(|code| hash(code.as_bytes())).collect();
        // Introduced in the log, so that from then on it shows by itself who approved (`docs/log-format.md`).
        let introduced = said("passkey", &row.name)
            .text("home", self.gate.home().to_string())
            .text("credential", Nonce::from_bytes(row.id).to_string())
            .text("kind", CredentialKind::Passkey.name())
            .text("rp", row.rp.clone())
            .bytes("credential_id", row.raw_id.clone())
            .bytes("public", row.public.clone());
        self.note_browser(|tx| {
            tx.put_passkey(&row)?;
            if !tx.put_session(&session)? {
                return Ok(None);
            }
            if first {
                tx.put_recovery_codes(&hashes, now.wall_ms)?;
            }
            Ok(Some(self.entry(now, introduced.clone())))
        })?;
        self.keep(&session, &row.rp);
        // Said until the person has seen it: whoever is let in may approve.
        let notice = format!(
            "A passkey was made for a browser, `{}`. If it was not you: `bailey passkey list`, then `bailey passkey end`.",
            row.name
        );
        self.give_notice(&notice);
        Ok(LetIn { secret, session, codes })
    }

    /// Uses up a link.
    pub(crate) fn take_link(&self, token: &str, now: Now) -> Result<(), Refused> {
        // INVARIANT: taken out before anything is kept: of two at once one gets in.
        let link = self.browsers.links().remove(&hash(token.as_bytes()));
        link.filter(|link| now.boot_ms < link.ends_boot_ms).ok_or(Refused::Link).map(drop)
    }

    /// Tells the person something on every page, until they have seen it.
    pub(crate) fn give_notice(&self, notice: &str) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice.to_owned());
    }

    /// Begins a session for a browser whose passkey answered.
    pub(crate) fn begin_session(&self, leave: &Authorised, rp: &str, agent: &str) -> Result<LetIn, Refused> {
        let now = self.clock.now();
        let (secret, session) = self.new_session(leave.approval.credential, agent, now)?;
        let begun = self.note_browser(|tx| {
            if !tx.put_session(&session)? {
                return Ok(None);
            }
            let entry =
                leave.entry(EventKind::Authority, now, self.gate.lock().pause_state(), said("session", &session.agent));
            Ok(Some(entry))
        })?;
        if !begun {
            return Err(Refused::Ended);
        }
        self.keep(&session, rp);
        Ok(LetIn { secret, session, codes: Vec::new() })
    }

    fn new_session(&self, passkey: [u8; 16], agent: &str, now: Now) -> Result<(String, SessionRow), Refused> {
        let secret = BASE64.encode(bailey_keys::random::<32>()?);
        let session = SessionRow {
            id: bailey_keys::random()?,
            secret: hash(secret.as_bytes()),
            passkey,
            agent: name_of(agent),
            made_ms: now.wall_ms,
            used_ms: now.wall_ms,
            ended_ms: None,
        };
        Ok((secret, session))
    }

    /// Lets a session count, and ends what there is too much of.
    fn keep(&self, session: &SessionRow, rp: &str) {
        let now = self.clock.now();
        let mut sessions = self.browsers.sessions();
        sessions.retain(|_, kept| is_alive(&kept.row, now.wall_ms));
        sessions.insert(session.secret, Kept { row: session.clone(), rp: rp.to_owned() });
        let mut over = Vec::new();
        while sessions.len() > MAX_SESSIONS {
            let oldest = sessions.values().map(|kept| &kept.row).min_by_key(|row| row.used_ms);
            let oldest = oldest.map(|row| (row.secret, row.id));
            let Some((secret, id)) = oldest else { break };
            sessions.remove(&secret);
            over.push(id);
        }
        drop(sessions);
        for id in over {
            let _ = self.ledger.write(|tx| tx.end_session(&id, now.wall_ms));
        }
        self.changed();
    }

    /// Notes, at leisure, that a session was heard of.
    pub(crate) fn note_session(&self, id: [u8; 16], now: Now) {
        let ledger = std::sync::Arc::clone(&self.ledger);
        // Where it cannot be written, the session ends earlier than it might.
        tokio::task::spawn_blocking(move || ledger.write(|tx| tx.note_session_used(&id, now.wall_ms)));
    }

    /// Ends one session, or all of them. False if there is none that stands.
    pub(crate) fn end_session(&self, which: Option<[u8; 16]>) -> Result<bool, Refused> {
        let now = self.clock.now();
        let is_meant = |row: &SessionRow| which.is_none_or(|id| row.id == id);
        // INVARIANT: it counts no more before it is written down; whoever ends a session may rely on that.
        self.browsers.forget(is_meant);
        if which.is_none() {
            self.browsers.links().clear();
        }
        let ended = self.note_browser(|tx| {
            let ended = match which {
                Some(id) => tx.end_session(&id, now.wall_ms)?,
                None => tx.end_sessions(now.wall_ms).map(|()| true)?,
            };
            Ok(ended.then(|| self.entry(now, said("session ended", ""))))
        });
        self.note_where_failed(ended.is_err());
        self.changed();
        ended
    }

    /// Notes, where the end of a session could not be written down, that none of them is to come back at the next start.
    fn note_where_failed(&self, failed: bool) {
        if failed && self.browsers.note.write(BrowsersLeft::EndSessions).is_err() {
            bailey_telemetry::event!(ERROR, "the end of a session could not be noted");
        }
    }

    /// Ends a passkey and the sessions it began, with the leave of the person. False if there is none that stands.
    pub(crate) fn end_passkey(&self, id: [u8; 16], leave: &Authorised) -> Result<bool, Refused> {
        let now = self.clock.now();
        self.browsers.forget(|row| row.passkey == id);
        // Whoever made a link by it gets in no more.
        self.browsers.links().clear();
        let ended = self.note_browser(|tx| {
            let says = said("passkey ended", "").text("credential", Nonce::from_bytes(id).to_string());
            let entry = leave.entry(EventKind::Authority, now, self.gate.lock().pause_state(), says);
            Ok(tx.end_passkey(&id, now.wall_ms)?.then_some(entry))
        });
        self.note_where_failed(ended.is_err());
        self.changed();
        ended
    }

    /// Lets passkeys count again after an older copy was put back, with the leave of the person. Gives how many.
    pub(crate) fn confirm_passkeys(&self, ids: &[[u8; 16]], leave: &Authorised) -> Result<u64, Refused> {
        let now = self.clock.now();
        let mut confirmed = 0;
        self.note_browser(|tx| {
            confirmed = 0;
            for id in ids {
                confirmed += u64::from(tx.confirm_passkey(id)?);
            }
            let says = said("passkeys confirmed", "");
            Ok(Some(leave.entry(EventKind::Authority, now, self.gate.lock().pause_state(), says)))
        })?;
        self.changed();
        Ok(confirmed)
    }

    /// Makes new recovery codes, with the leave of the person; those before count no more.
    pub(crate) fn new_recovery_codes(&self, leave: &Authorised) -> Result<Vec<String>, Refused> {
        let now = self.clock.now();
        let codes = draw_codes()?;
        let hashes: Vec<Hash> = codes.iter().map(|code| hash(code.as_bytes())).collect();
        self.note_browser(|tx| {
            tx.put_recovery_codes(&hashes, now.wall_ms)?;
            let says = said("recovery codes", "");
            Ok(Some(leave.entry(EventKind::Authority, now, self.gate.lock().pause_state(), says)))
        })?;
        Ok(codes)
    }

    /// Changes what is kept of browsers, with the entry that says so. Gives whether there was something to say.
    fn note_browser(
        &self,
        mut change: impl FnMut(&mut LedgerTx<'_>) -> Result<Option<Event>, StoreError> + Send,
    ) -> Result<bool, Refused> {
        Ok(self.ledger.write(|tx| match change(tx)? {
            Some(entry) => tx.append(&entry, None).map(|_| true),
            None => Ok(false),
        })?)
    }

    fn entry(&self, now: Now, says: Payload) -> Event {
        let entry = Event::of_home(EventKind::Authority, Actor::Person, now, self.gate.lock().pause_state());
        Event { payload: says, ..entry }
    }
}

fn said(what: &str, name: &str) -> Payload {
    let payload = Payload::default().text("browser", what);
    if name.is_empty() { payload } else { payload.text("name", name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_reads_however_it_was_copied() {
        let codes = draw_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        for code in codes {
            assert_eq!(plain_code(&code), code);
            let copied = code.to_uppercase().replace('-', " ").replace('0', "O").replace('1', "l");
            assert_eq!(plain_code(&copied), code);
        }
    }

    #[test]
    fn the_host_of_an_origin_has_neither_scheme_nor_port() {
        assert_eq!(host_of("http://bailey.localhost:7447"), "bailey.localhost");
        assert_eq!(host_of("https://bailey.example.org"), "bailey.example.org");
    }
}
