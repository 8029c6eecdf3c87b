//! One life of the machine: the home is opened as the product opens it, and everybody does what they do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use bailey_gate::approval::{Assertion, Purpose};
use bailey_gate::content::Content;
use bailey_gate::event::Actor;
use bailey_gate::family::Action;
use bailey_gate::family::mail::MailAction;
use bailey_gate::handoff::{Mode, Wrote};
use bailey_gate::{
    ActionId, Claimed, Claiming, Class, ConnectionId, Effect, Found, Gate, GateError, Now, Outcome, Permit, Settled,
    State, StaticContext,
};
use bailey_home::recovery::{self, Store};
use bailey_ledger::{ActionRecord, Ledger, Opened, Paths, PauseFile};
use bailey_policy::CedarPolicy;
use bailey_vault::{Vault, cut_around, renewal};

use crate::oracle::{self, Proposed, Told};
use crate::sched;
use crate::stores::{DATABASE, KEYS, SimLedger, SimMark, SimRecord, SimSector, path};
use crate::world::{CALENDAR, LIMITS, MAIL, World};

/// How often an outcome that cannot be recorded is tried again; the product does so for as long as it lives.
const SETTLE_TRIES: u32 = 8;
/// One in so many actions whose outcome only the person knows, they are mistaken about at first.
const MISTAKES: u8 = 4;

/// How long another thread tries to get past a lock that is to be held.
const LOCK_TRIAL: Duration = Duration::from_millis(2);

/// An opened home and the world around it.
pub struct Life {
    world: Arc<World>,
    gate: Arc<Gate>,
    ledger: Arc<Ledger>,
    /// Rises when open connections are cut, as the vault does it.
    resets: AtomicU64,
}

impl Life {
    /// Makes the home of a new world.
    pub fn begin(world: &World) -> Result<(), String> {
        let mark = Box::new(SimMark(Arc::clone(&world.machine)));
        let (database, keys) = (path(&world.name, DATABASE), path(&world.name, KEYS));
        let paths = Paths { database: &database, keys: &keys, mark, create: true };
        let (ledger, _) = Ledger::open(paths, world.home_key()?, world.now()).map_err(|error| error.to_string())?;
        world.furnish(&ledger)?;
        PauseFile::begin(&SimSector(Arc::clone(&world.machine))).map_err(|error| error.to_string())
    }

    /// Opens the home, looks at what it says before anything is settled, and settles it.
    pub fn open(world: &Arc<World>) -> Result<Self, String> {
        let mark = Box::new(SimMark(Arc::clone(&world.machine)));
        let (database, keys) = (path(&world.name, DATABASE), path(&world.name, KEYS));
        let paths = Paths { database: &database, keys: &keys, mark, create: false };
        let (ledger, found) = Ledger::open(paths, world.home_key()?, world.now()).map_err(|error| error.to_string())?;
        let ledger = Arc::new(ledger);
        if found == Opened::Continued {
            let states = states(&ledger)?;
            world.oracle().audit(&states);
            world.oracle().compare(&told(&ledger)?, &states);
            world.oracle().last_word(ledger.log_says_paused().map_err(|error| error.to_string())?);
        }
        let (record, recorded) = PauseFile::on(Box::new(SimSector(Arc::clone(&world.machine))));
        let store = Store {
            ledger: Arc::clone(&ledger),
            transactions: Arc::new(SimLedger(Arc::clone(&ledger))),
            found,
            recorded,
            record: Arc::new(SimRecord(record)),
            origins: Vec::new(),
            suspicions: Arc::default(),
        };
        let (gate, _) = recovery::open_gate(
            store,
            policy()?,
            LIMITS,
            Arc::new(StaticContext { minutes: 0, attended: true }),
            world.now(),
        )
        .map_err(|error| error.to_string())?;
        let pause_state = gate.lock().pause_state();
        world.oracle().opened(pause_state.mode == Mode::Open, pause_state.epoch);
        if pause_state.mode == Mode::Paused {
            world.oracle().comes_up_paused(ledger.log_says_paused().map_err(|error| error.to_string())?);
        }
        Ok(Self { world: Arc::clone(world), gate, ledger, resets: AtomicU64::new(0) })
    }

    /// Returns the log, as it would be exported.
    pub fn export(&self) -> Result<String, String> {
        let mut out = Vec::new();
        bailey_ledger::export(&self.ledger, bailey_ledger::Payloads::Sealed, &mut out)
            .map_err(|error| error.to_string())?;
        String::from_utf8(out).map_err(|error| error.to_string())
    }

    /// Tells where every action stands.
    pub fn states(&self) -> Result<BTreeMap<ActionId, State>, String> {
        states(&self.ledger)
    }

    /// Returns what the log says of every action.
    pub fn told(&self) -> Result<Told, String> {
        told(&self.ledger)
    }

    /// Takes a permit as far as it goes, as the home's executor does.
    fn run(&self, permit: Permit) {
        let (id, now) = (permit.action(), self.world.now());
        let claimed = match self.gate.claim(permit, now) {
            Ok(Claiming::Claimed(claimed)) => claimed,
            Ok(Claiming::Held(until)) => {
                self.world.oracle().held(id, until.set);
                return;
            }
            Ok(Claiming::Done | Claiming::NotClaimed(_)) | Err(_) => return,
        };
        let (moment, resets) = (self.world.oracle().moment(), self.resets.load(Ordering::SeqCst));
        sched::note(&format!("claimed {}", claimed.id()));
        let settled = self.execute(*claimed, now, moment, resets);
        for _ in 0..SETTLE_TRIES {
            match self.gate.settle(&settled, self.world.now()) {
                Err(GateError::Store(_)) => sched::pass("settling again"),
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Plays the vault and the services behind it, as **a double**: checks the grant, writes, hands off, waits for an answer.
    fn execute(&self, claimed: Claimed, at: Now, moment: u64, resets: u64) -> Settled {
        let outcome = self.effect(&claimed, at, moment, resets);
        claimed.settle(outcome)
    }

    fn effect(&self, claimed: &Claimed, at: Now, moment: u64, resets: u64) -> Outcome {
        let token = claimed.effect_token();
        // Being cut takes effect when the connection is next looked at; bytes may be on their way meanwhile.
        let cut = || self.resets.load(Ordering::SeqCst) != resets && self.world.once_in(2);
        let ended = |why: &str| {
            let result = if token.is_spent() { Effect::Unknown } else { Effect::NotExecuted };
            Outcome::new(result, why)
        };
        let Some((connection, generation)) = claimed.account() else { return ended("no account") };
        sched::pass("vault");
        let stands = self.ledger.connection(&connection).ok().flatten();
        if !stands.is_some_and(|row| row.grant.active && row.grant.generation == generation) {
            return ended("revoked");
        }
        for _ in 0..self.world.chance(0..3) {
            if cut() || token.pass(|| ()).is_err() {
                return ended("cut");
            }
            self.world.wait(20);
            sched::pass("wrote");
        }
        if claimed.kind().is_read() {
            return Outcome::new(Effect::Done, "looked");
        }
        let effect = oracle::Effect {
            id: claimed.id(),
            digest: claimed.digest(),
            bytes: claimed.artefact().to_vec(),
            connection,
            claimed: moment,
            at,
            is_held: matches!(claimed.class(), Class::Held | Class::Critical),
        };
        let (refuses, silent) = (self.world.once_in(8), self.world.once_in(5));
        // One that refuses may have done it all the same; one that is full takes nothing for now.
        let lies = refuses && self.world.once_in(2);
        loop {
            if cut() {
                return ended("cut");
            }
            let (full, looks) = (self.world.once_in(6), self.world.once_in(8));
            let handed = token.hand_off(|| {
                if looks && !self.lock_is_held() {
                    self.world.oracle().findings.push("a hand-off is written without the lock".into());
                }
                if full {
                    return Wrote::Nothing;
                }
                if !refuses || lies {
                    sched::note(&format!("handed off {}", effect.id));
                    self.world.oracle().handed_over(effect.clone(), &LIMITS);
                }
                Wrote::Some
            });
            match handed {
                Err(_) => return ended("refused"),
                Ok(Wrote::Some) => break,
                Ok(Wrote::Nothing) => sched::pass("no room at the other side"),
            }
        }
        for _ in 0..self.world.chance(0..4) {
            sched::pass("waits for the answer");
            self.world.wait(50);
            if cut() {
                return ended("cut");
            }
        }
        match (silent, refuses) {
            (true, _) => Outcome::new(Effect::Unknown, "no answer"),
            (false, true) => Outcome::new(Effect::Refused, "550"),
            (false, false) if self.world.once_in(10) => Outcome::new(Effect::Partial, "some of it"),
            (false, false) => Outcome::new(Effect::Done, "250"),
        }
    }

    /// Tells whether the hand-off lock is taken: then nobody else gets past it. One that is too slow to try counts as held back.
    fn lock_is_held(&self) -> bool {
        let (lock, (tell, told)) = (self.gate.lock(), mpsc::channel());
        thread::spawn(move || {
            let _valve = lock.pause_state();
            let _ = tell.send(());
        });
        told.recv_timeout(LOCK_TRIAL).is_err()
    }

    /// Plays the agent, who wants things.
    pub fn agent(&self) {
        for _ in 0..self.world.chance(1..5) {
            sched::pass("agent");
            let Ok((proposal, proposed)) = self.world.wish() else { return };
            let now = self.world.now();
            self.world.oracle().proposes(proposal.id, proposed, now);
            let again = self.world.once_in(10).then(|| proposal.clone());
            let proposed = self.gate.propose(proposal, now);
            if proposed.is_ok() && again.is_some_and(|again| self.gate.propose(again, now).is_ok()) {
                self.world.oracle().findings.push("an action was proposed twice".into());
            }
            if let Ok(proposed) = proposed
                && let Some(permit) = proposed.permit
            {
                self.run(permit);
            }
        }
    }

    /// Plays the person, who answers, edits, takes back, undoes, settles what only they know, and resumes.
    pub fn person(&self) {
        for _ in 0..self.world.chance(2..9) {
            sched::pass("person");
            let choice = self.world.chance(0..12);
            match choice {
                0..=4 => self.approve(),
                5 => self.end(State::Awaiting, State::Rejected),
                6 => {
                    let from = if self.world.once_in(2) { State::Held } else { State::Awaiting };
                    self.end(from, State::Cancelled);
                }
                7 => self.edit(),
                8 => self.undo(),
                9 => self.say(),
                _ => self.resume(),
            }
        }
    }

    fn any(&self, state: State) -> Option<ActionRecord> {
        let mut all = self.ledger.actions_in(state).ok()?;
        let chosen = (!all.is_empty()).then(|| self.world.index(all.len()))?;
        Some(all.swap_remove(chosen))
    }

    fn approve(&self) {
        let (mut shown, mut wrong, number) = (Vec::new(), false, self.world.number());
        let all = self.ledger.actions_in(State::Awaiting).unwrap_or_default();
        let few = 1 + self.world.index(3);
        for view in all.into_iter().take(few) {
            let Ok(content) = Content::decode(&view.content) else { continue };
            if self.world.once_in(12) {
                // A digest that nobody was shown: the whole answer has to be refused.
                shown.push((view.row.id, bailey_gate::Digest::from_bytes([9; 32])));
                wrong = true;
                continue;
            }
            shown.push((view.row.id, view.row.digest));
            let now = self.world.now();
            self.world.oracle().approves(number, view.row.id, content.digest(), content.action.artefact(), now);
        }
        let purpose = Purpose::Approve(shown.clone());
        let mut proof = self.world.proof(&self.gate, &purpose);
        let forged = self.world.once_in(12);
        if forged
            && let Assertion::PassphraseKey { signature } = &mut proof.assertion
            && let Some(byte) = signature.first_mut()
        {
            *byte ^= 1;
        }
        sched::pass("the person reads");
        let twice = self.world.once_in(4);
        let approved = self.gate.approve(shown.clone(), &proof, self.world.now());
        let ids: Vec<String> = shown.iter().map(|(id, _)| id.to_string()).collect();
        let came = approved.as_ref().map_or_else(ToString::to_string, |permits| format!("{} may go", permits.len()));
        sched::note(&format!("answer {number} on {}: {came}", ids.join(" ")));
        match &approved {
            Ok(_) if wrong => {
                self.world.oracle().findings.push("an answer with a digest that nobody was shown counted".into());
            }
            Ok(_) if forged => self.world.oracle().findings.push("a forged answer counted".into()),
            Ok(_) => shown.iter().for_each(|(id, digest)| self.world.oracle().approved(number, *id, *digest)),
            // Of one that the store did not take, nobody is told whether it counts.
            Err(GateError::Store(_)) => {}
            Err(_) => shown.iter().for_each(|(id, digest)| self.world.oracle().refused(number, *id, *digest)),
        }
        if twice && self.gate.approve(shown, &proof, self.world.now()).is_ok() {
            self.world.oracle().findings.push("an answer counted twice".into());
        }
        for permit in approved.unwrap_or_default() {
            self.run(permit);
        }
    }

    fn end(&self, from: State, to: State) {
        let Some(view) = self.any(from) else { return };
        let ids = [view.row.id];
        let now = self.world.now();
        let ended = if to == State::Rejected { self.gate.reject(&ids, now) } else { self.gate.cancel(&ids, now) };
        if ended.is_ok() {
            self.world.oracle().told_over(view.row.id, to);
        }
    }

    fn edit(&self) {
        let Some(view) = self.any(State::Awaiting) else { return };
        let Ok(action) = self.world.mail() else { return };
        let proposal = self.world.proposal(Some(MAIL), action);
        let now = self.world.now();
        self.world.oracle().proposes(proposal.id, Proposed { asks: true, harmless: false, undoes: None }, now);
        if self.gate.edit(&view.row.id, proposal, now).is_ok() {
            self.world.oracle().told_over(view.row.id, State::Superseded);
        }
    }

    fn undo(&self) {
        let from = [State::Succeeded, State::Succeeded, State::Partial, State::UndoFailed];
        let Some(view) = from.get(self.world.index(from.len())).and_then(|state| self.any(*state)) else { return };
        let Ok(Content { action: Action::Mail(MailAction::Move(_)), .. }) = Content::decode(&view.content) else {
            return;
        };
        let Ok(action) = self.world.moving("Archive", "INBOX") else { return };
        let proposal = self.world.proposal(Some(MAIL), action);
        let of = view.row.id;
        let now = self.world.now();
        self.world.oracle().proposes(proposal.id, Proposed { asks: false, harmless: false, undoes: Some(of) }, now);
        self.world.oracle().wants_undone(of);
        let proof = self.world.proof(&self.gate, &Purpose::Undo(of));
        if let Ok(proposed) = self.gate.undo(&of, proposal, &proof, now)
            && let Some(permit) = proposed.permit
        {
            self.run(permit);
        }
    }

    /// Says of what nobody could find out whether it happened. This person knows; of one action in [`MISTAKES`] they say what is not
    /// so, and correct it once nothing else is asked of them.
    fn say(&self) {
        let Some(view) = self.any(State::NeedsPerson) else { return self.correct() };
        let id = view.row.id;
        let happened = self.world.oracle().happened(&id);
        // By its name, so that no run draws other lots for it.
        if id.as_bytes().first().is_some_and(|byte| byte % MISTAKES == 0) {
            self.world.oracle().mistakes(id);
            let _said = self.gate.resolve(&id, !happened, self.world.now());
        } else if self.gate.resolve(&id, happened, self.world.now()).is_ok() {
            self.world.oracle().corrected(&id);
        }
    }

    fn correct(&self) {
        let mistaken = self.world.oracle().mistaken();
        for id in mistaken {
            let happened = self.world.oracle().happened(&id);
            if self.gate.resolve(&id, happened, self.world.now()).is_ok() {
                self.world.oracle().corrected(&id);
            }
        }
    }

    /// Ends a pause, as the home does it: look things up, then ask again, then open.
    pub fn resume(&self) {
        let shown = self.gate.lock().pause_state();
        if shown.mode == Mode::Open {
            return;
        }
        let proof = self.world.proof(&self.gate, &Purpose::Resume { epoch: shown.epoch });
        // They think about it; meanwhile somebody may pause anew.
        sched::pass("answering to resume");
        let Ok(pause_state) = self.gate.begin_resume(shown.epoch, &proof, self.world.now()) else { return };
        if pause_state.mode != Mode::Resuming {
            return;
        }
        self.reconcile();
        sched::pass("resuming");
        self.world.oracle().reopens(shown.epoch, pause_state.epoch);
        let _swept = self.gate.finish_resume(pause_state.epoch, self.world.now());
    }

    /// Plays somebody who ends every pause, sooner or later.
    pub fn resumer(&self) {
        for _ in 0..4 {
            for _ in 0..self.world.chance(0..150) {
                sched::pass("about to resume");
            }
            self.resume();
        }
    }

    /// Does what goes on by itself: hold windows, expiry, checkpoints, looking up.
    pub fn ticks(&self, rounds: u32) {
        for _ in 0..rounds {
            sched::pass("tick");
            let now = self.world.now();
            let _swept = self.gate.expire(now);
            if self.world.once_in(4) {
                let _signed = sched::as_writer(|| self.ledger.checkpoint());
            }
            for permit in self.gate.due(now).unwrap_or_default() {
                self.run(permit);
            }
            self.reconcile();
            let ms = if self.world.once_in(20) { 40_000 } else { u64::from(self.world.chance(10..900)) };
            self.world.wait(ms);
        }
    }

    fn reconcile(&self) {
        if self.gate.lock().pause_state().mode == Mode::Paused {
            return;
        }
        for id in self.gate.unknown().unwrap_or_default() {
            // A mail leaves nothing to be found; a move does.
            let seen = self.world.oracle().happened(&id) && self.world.once_in(2);
            let found = if seen { Found::Yes } else { Found::No };
            let _moved = self.gate.reconcile(&id, found, "looked up", self.world.now());
        }
    }

    /// Plays somebody who stops everything, each time after at most so many steps.
    pub fn pauser(&self, times: u32, patience: u32) {
        for _ in 0..times {
            for _ in 0..self.world.chance(0..patience) {
                sched::pass("about to pause");
            }
            let report = self.gate.pause(Actor::Client, self.world.now(), || {
                self.reset();
                sched::pass("cut");
            });
            let kept = report.recorded.is_ok() || report.logged.is_ok();
            sched::note(&format!(
                "paused {}{}",
                report.pause_state.epoch,
                if kept { "" } else { ", and neither record nor log has it" }
            ));
            self.world.oracle().paused(report.pause_state.epoch, kept, report.logged.is_ok());
        }
    }

    /// Tokens are renewed, as the vault does it but for its lock: two of these at once, and only one may win.
    pub fn renewer(&self) {
        for _ in 0..self.world.chance(1..4) {
            sched::pass("about to renew");
            let id = if self.world.once_in(2) { MAIL } else { CALENDAR };
            let Ok(Some(row)) = self.ledger.connection(&id) else { return };
            let Ok(Some(seen)) = renewal::version(&self.ledger, &id) else { continue };
            for _ in 0..self.world.chance(0..20) {
                sched::pass("waits for new tokens");
            }
            let (access, refresh) = (format!("access {}", seen + 1), format!("refresh {}", seen + 1));
            let Ok(renewed) = renewal::stored(seen + 1, access, refresh) else { return };
            let generation = row.grant.generation;
            let kept = sched::as_writer(|| {
                let kept = self.ledger.write(|tx| renewal::keep(tx, &id, generation, seen, &renewed));
                // Told in the order in which it happened.
                if let Ok(Some(_)) = kept {
                    self.world.oracle().renewed(id, seen);
                }
                kept
            });
            if let Ok(Some(old)) = kept {
                let _destroyed = self.ledger.keys().destroy(old.as_slice());
            }
        }
    }

    /// Returns what is stored of tokens, for the oracle.
    pub fn look_at_tokens(&self) -> Result<(), String> {
        for id in [MAIL, CALENDAR] {
            let version = renewal::version(&self.ledger, &id).map_err(|error| error.to_string())?;
            self.world.oracle().tokens(id, version);
        }
        Ok(())
    }

    /// Plays somebody who ends a connection, as the vault does it.
    pub fn revoker(&self) {
        for _ in 0..self.world.chance(0..80) {
            sched::pass("about to revoke");
        }
        let id = if self.world.once_in(2) { MAIL } else { CALENDAR };
        if self.revoke(&id) {
            sched::note("revoked");
            self.world.oracle().revoked(id);
            let _denied = self.gate.deny_connection(&id, self.world.now());
        }
    }

    fn reset(&self) {
        self.gate.lock().cut();
        self.resets.fetch_add(1, Ordering::SeqCst);
    }

    fn revoke(&self, id: &ConnectionId) -> bool {
        let Ok(Some(row)) = self.ledger.connection(id) else { return false };
        if !row.grant.active {
            return false;
        }
        let (now, pause_state) = (self.world.now(), self.gate.lock().pause_state());
        let end =
            || sched::as_writer(|| self.ledger.write(|tx| Vault::forget(tx, &row, now, pause_state, Actor::Client)));
        let ended = cut_around(|| self.reset(), end);
        if let Ok(keys) = &ended {
            let _destroyed = self.ledger.keys().destroy(keys);
        }
        ended.is_ok()
    }

    /// Plays a disk that fills up and empties, fails, and somebody sets the clock.
    pub fn gremlin(&self) {
        const DAY_MS: i64 = 24 * 3_600 * 1_000;
        for _ in 0..self.world.chance(1..6) {
            for _ in 0..self.world.chance(0..40) {
                sched::pass("gremlin");
            }
            let choice = self.world.chance(0..5);
            match choice {
                0 => self.world.machine.disk().set_full(true),
                1 | 2 => self.world.machine.disk().set_full(false),
                3 => {
                    let later = u64::from(self.world.chance(0..30));
                    self.world.machine.disk().fail_once(later);
                }
                _ => {
                    let days = i64::from(self.world.chance(0..3)) - 1;
                    self.world.set_clock(days * DAY_MS);
                }
            }
        }
        self.world.machine.disk().set_full(false);
    }
}

/// Returns the shipped rules, read once: they are the same for every home, and reading them takes longer than opening one.
fn policy() -> Result<Arc<CedarPolicy>, String> {
    static SHIPPED: OnceLock<Arc<CedarPolicy>> = OnceLock::new();
    if let Some(policy) = SHIPPED.get() {
        return Ok(Arc::clone(policy));
    }
    let policy = Arc::new(CedarPolicy::shipped().map_err(|error| error.to_string())?);
    Ok(Arc::clone(SHIPPED.get_or_init(|| policy)))
}

/// Returns what the log's own entries say of every action.
fn told(ledger: &Ledger) -> Result<Told, String> {
    let mut told = Told::default();
    for entry in ledger.entries(0, u64::from(u32::MAX)).map_err(|error| error.to_string())? {
        let header: serde_json::Value = serde_json::from_str(&entry.header).map_err(|error| error.to_string())?;
        let text = |name: &str| header.get(name).and_then(serde_json::Value::as_str);
        let Some(id) = text("action").and_then(|id| id.parse::<ActionId>().ok()) else { continue };
        let Some(to) = text("to").and_then(|to| State::ALL.into_iter().find(|state| state.name() == to)) else {
            continue;
        };
        told.states.insert(id, to);
        if to == State::Claimed {
            told.claimed.insert(id);
        }
    }
    Ok(told)
}

fn states(ledger: &Ledger) -> Result<BTreeMap<ActionId, State>, String> {
    let mut out = BTreeMap::new();
    for state in State::ALL {
        for view in ledger.actions_in(state).map_err(|error| error.to_string())? {
            out.insert(view.row.id, state);
        }
    }
    Ok(out)
}
