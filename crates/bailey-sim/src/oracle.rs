//! The oracle: knows what the person did and what reached the outside, and nothing of what the product thinks.
//!
//! Each rule here is a promise of `SECURITY.md`, told from outside. A finding is a broken promise.

use std::collections::{BTreeMap, BTreeSet};

use bailey_gate::{ActionId, ConnectionId, Digest, Limits, Now, State};

/// One effect, at the moment its bytes were handed over.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The action it carries out.
    pub id: ActionId,
    /// The digest it was approved under.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The account.
    pub connection: ConnectionId,
    /// When its claim was given to whoever carries it out, as [`Oracle::moment`].
    pub claimed: u64,
    /// The time that the home was told, then.
    pub at: Now,
    /// Tells whether it can be taken back for a while first.
    pub is_held: bool,
}

/// What was proposed, as far as the outside can know.
#[derive(Debug, Clone, Copy)]
pub struct Proposed {
    /// Tells whether nothing but the person's word may let it out.
    pub asks: bool,
    /// Tells whether it only looks, or stays in the home.
    pub harmless: bool,
    /// The action it undoes.
    pub undoes: Option<ActionId>,
}

/// Tells how many milliseconds past its time something is: by the clock since boot where that counts, by the wall clock where
/// it does not, and for ever where that was set back. Written apart from the product's own.
fn late(set: Now, after_ms: u64, now: Now) -> Option<u64> {
    let gone = if set.boot_id == now.boot_id {
        now.boot_ms.checked_sub(set.boot_ms)
    } else {
        now.wall_ms.checked_sub(set.wall_ms).and_then(|gone| u64::try_from(gone).ok())
    };
    gone.map_or(Some(u64::MAX), |gone| gone.checked_sub(after_ms))
}

/// What a log says of actions, entry by entry.
#[derive(Debug, Default)]
pub struct Told {
    /// The last state of each.
    pub states: BTreeMap<ActionId, State>,
    /// Those that were ever claimed.
    pub claimed: BTreeSet<ActionId>,
}

/// Everything observed in one run.
#[derive(Debug, Default)]
pub struct Oracle {
    /// Broken promises.
    pub findings: Vec<String>,
    moments: u64,
    /// Proposals, with when, and how many times the home had been told then.
    proposed: BTreeMap<ActionId, (Proposed, Now, usize)>,
    /// Answers that count, or may, by what was shown.
    shown: BTreeMap<(ActionId, Digest), Vec<Answer>>,
    undo_asked: BTreeSet<ActionId>,
    effects: BTreeMap<ActionId, Vec<Effect>>,
    /// Since when an action waits out its window.
    waits: BTreeMap<ActionId, Now>,
    /// Every time the home was told.
    times: Vec<Now>,
    last_pause: Option<u64>,
    /// Everything was paused from outside, and no home was opened since.
    by_supervisor: bool,
    shut: u64,
    reopened: u64,
    pause_kept: bool,
    /// The newest pause that returned and is in the log.
    logged_pause: u64,
    revoked: BTreeSet<ConnectionId>,
    /// Versions of tokens that were said to be kept.
    kept: BTreeMap<ConnectionId, u64>,
    ended: BTreeMap<ActionId, State>,
    /// Actions of which the person said what is not so, and has not corrected it.
    mistaken: BTreeSet<ActionId>,
    /// Actions of a history that was put aside by an older copy.
    forgotten: BTreeSet<ActionId>,
    /// How many effects there were.
    pub handed_off: u64,
}

/// One answer of the person that says yes to an action, as it was shown.
#[derive(Debug)]
struct Answer {
    /// The number of the answer: an action can be in several that are under way at once.
    number: u64,
    bytes: Vec<u8>,
    /// When it was taken, once the person knows that it was.
    taken: Option<u64>,
    at: Now,
    /// How many times the home had been told then.
    told: usize,
}

impl Oracle {
    fn found(&mut self, words: String) {
        self.findings.push(words);
    }

    /// Returns a number for now, above all before.
    pub fn moment(&mut self) -> u64 {
        self.moments += 1;
        self.moments
    }

    /// Notes that something is about to be proposed.
    pub fn proposes(&mut self, id: ActionId, proposed: Proposed, now: Now) {
        let told = self.times.len();
        if self.proposed.insert(id, (proposed, now, told)).is_some() {
            self.found(format!("{id}: the simulation used an identity twice"));
        }
    }

    /// Notes that the person sends an approval of what they were shown, in the answer of this number.
    pub fn approves(&mut self, number: u64, id: ActionId, digest: Digest, bytes: Vec<u8>, at: Now) {
        self.waits.remove(&id);
        let told = self.times.len();
        self.shown.entry((id, digest)).or_default().push(Answer { number, bytes, taken: None, at, told });
    }

    /// Notes that the person is told that their answer was refused, whole.
    pub fn refused(&mut self, number: u64, id: ActionId, digest: Digest) {
        if let Some(answers) = self.shown.get_mut(&(id, digest)) {
            answers.retain(|answer| answer.number != number);
        }
    }

    /// Notes that an action was told to wait out its window, which began at `since`.
    pub fn held(&mut self, id: ActionId, since: Now) {
        self.waits.insert(id, since);
    }

    /// Notes that the home was told that it is `now`.
    pub fn told_time(&mut self, now: Now) {
        self.times.push(now);
    }

    /// Notes that the person is told that their approval was taken.
    pub fn approved(&mut self, number: u64, id: ActionId, digest: Digest) {
        let moment = self.moment();
        for answer in self.shown.get_mut(&(id, digest)).into_iter().flatten().filter(|one| one.number == number) {
            answer.taken = Some(moment);
        }
    }

    /// Notes that the person sends the wish to have an action undone.
    pub fn wants_undone(&mut self, id: ActionId) {
        self.undo_asked.insert(id);
    }

    /// Notes that the person was told that an action is over without having happened.
    pub fn told_over(&mut self, id: ActionId, state: State) {
        if let Some(effect) = self.effects.get(&id).and_then(|all| all.first()) {
            let words = format!("{id}: told {}, but it happened at {}", state.name(), effect.claimed);
            self.found(words);
        }
        self.ended.insert(id, state);
    }

    /// Notes that a pause returned. `kept` is whether the record or the log has it, `logged` whether the log does.
    pub fn paused(&mut self, epoch: u64, kept: bool, logged: bool) {
        if logged {
            self.logged_pause = self.logged_pause.max(epoch);
        }
        if epoch <= self.reopened {
            // Somebody ended it before it had returned.
            return;
        }
        self.last_pause = Some(self.moment());
        if epoch > self.shut {
            self.shut = epoch;
            self.pause_kept = kept;
        }
    }

    /// Notes that a pause returned that was not the home's doing: the home had ended, and its record was marked. In which epoch is said by the
    /// next home that opens.
    pub fn paused_by_supervisor(&mut self) {
        self.by_supervisor = true;
        self.last_pause = Some(self.moment());
    }

    /// Notes that the person, who was `shown` the pause of that epoch, is about to end the one of this `epoch` for good.
    pub fn reopens(&mut self, shown: u64, epoch: u64) {
        if shown != epoch {
            self.found(format!("the answer to the pause of epoch {shown} ends that of {epoch}"));
        }
        self.reopened = self.reopened.max(epoch);
    }

    /// Notes that a home is paused that has just come up, and whether its log says so.
    pub fn comes_up_paused(&mut self, log_says_paused: bool) {
        if !log_says_paused {
            self.found("a home came up paused, and its log does not say so".into());
        }
    }

    /// Notes that a revocation returned.
    pub fn revoked(&mut self, connection: ConnectionId) {
        self.revoked.insert(connection);
    }

    /// Notes that renewed tokens are said to be kept, in the place of those of version `seen`.
    pub fn renewed(&mut self, connection: ConnectionId, seen: u64) {
        if self.kept.get(&connection).is_some_and(|kept| *kept > seen) {
            self.found(format!("tokens of version {seen} were renewed twice"));
        }
        self.kept.insert(connection, seen + 1);
    }

    /// Compares what is stored of a connection's tokens, at rest.
    pub fn tokens(&mut self, connection: ConnectionId, version: Option<u64>) {
        match version {
            Some(version) if self.revoked.contains(&connection) => {
                self.found(format!("tokens of version {version} are kept of a connection that was revoked"));
            }
            Some(version)
                if self.forgotten.is_empty() && self.kept.get(&connection).is_some_and(|kept| *kept > version) =>
            {
                self.found(format!("tokens of version {version} are stored, and newer ones were said to be kept"));
            }
            Some(_) | None => {}
        }
    }

    /// Notes that an older copy of the home was put in its place: what it knows of actions need not be what happened.
    pub fn rolled_back(&mut self) {
        self.forgotten = self.proposed.keys().copied().collect();
        self.kept.clear();
    }

    /// Tells whether an action happened.
    #[must_use]
    pub fn happened(&self, id: &ActionId) -> bool {
        self.effects.contains_key(id)
    }

    /// Notes that the person is about to say of an action what is not so.
    pub fn mistakes(&mut self, id: ActionId) {
        self.mistaken.insert(id);
    }

    /// Notes that the person was told that their true word on an action counts.
    pub fn corrected(&mut self, id: &ActionId) {
        self.mistaken.remove(id);
    }

    /// Returns the actions of which the person said what is not so.
    #[must_use]
    pub fn mistaken(&self) -> Vec<ActionId> {
        self.mistaken.iter().copied().collect()
    }

    /// Tells whether the state of an action stands on a mistake: on its own, or on that of what undoes it.
    fn stands_on_a_mistake(&self, id: &ActionId) -> bool {
        let undoes = |by: &ActionId| self.proposed.get(by).is_some_and(|(proposed, ..)| proposed.undoes == Some(*id));
        self.mistaken.contains(id) || self.mistaken.iter().any(undoes)
    }

    /// Notes that a home was opened, in a pause epoch; `open` is whether effects may leave.
    pub fn opened(&mut self, open: bool, epoch: u64) {
        if std::mem::take(&mut self.by_supervisor) {
            if open {
                self.found("a home that was paused from outside came up open".into());
            } else if epoch <= self.reopened {
                let words = format!("a pause from outside counts as epoch {epoch}, which was ended before");
                self.found(words);
            } else {
                self.paused(epoch, true, false);
            }
        }
        if self.shut <= self.reopened {
            return;
        }
        if !open {
            if !self.pause_kept {
                // It is paused by an older one, that was kept: ending that ends all.
                (self.shut, self.pause_kept) = (epoch, true);
            }
            return;
        }
        if self.pause_kept {
            let words = format!("a home that was paused in epoch {} came up open", self.shut);
            self.found(words);
        }
        // Neither record nor log could be written, and the person was told that the pause ends with the process. The
        // supervisor, which remembers it, is not simulated.
        self.reopened = self.shut;
        self.last_pause = None;
    }

    /// Compares what the log's last word on pausing is, when a home is opened.
    pub fn last_word(&mut self, says_paused: bool) {
        if self.forgotten.is_empty() && self.shut > self.reopened && self.logged_pause == self.shut && !says_paused {
            let words =
                format!("the pause of epoch {} returned and was logged, and the log ends with resuming", self.shut);
            self.found(words);
        }
    }

    /// Compares the log's entries: what each action came to by them, and which were ever claimed. `states` is what the home says.
    pub fn compare(&mut self, told: &Told, states: &BTreeMap<ActionId, State>) {
        for (id, state) in states {
            if told.states.get(id) != Some(state) {
                let words = format!("{id}: it is {}, and its entries say {:?}", state.name(), told.states.get(id));
                self.found(words);
            }
        }
        let unclaimed: Vec<_> = self
            .effects
            .keys()
            .filter(|id| !self.forgotten.contains(id) && !told.claimed.contains(id))
            .map(|id| format!("{id}: it happened, and no entry says that it was claimed"))
            .collect();
        self.findings.extend(unclaimed);
    }

    /// Tells whether nobody's leave can still cover it. What asks again may be answered for as long again, and nobody
    /// outside knows when it asked: so it has to be too late from every moment the home was told of, from proposal to answer.
    fn is_past_its_time(&self, effect: &Effect, limits: &Limits) -> bool {
        let Some((_, at, from)) = self.proposed.get(&effect.id) else { return false };
        let answers = self.shown.get(&(effect.id, effect.digest)).into_iter().flatten();
        let until = answers.map(|answer| answer.told).max().unwrap_or(0);
        let begun = self.times.get(*from..until).unwrap_or_default().iter().chain([at]);
        begun.into_iter().all(|begun| late(*begun, limits.answer_ms, effect.at).is_some_and(|ms| ms > 0))
    }

    /// Notes that bytes are handed over, now, under the hand-off lock.
    pub fn handed_over(&mut self, effect: Effect, limits: &Limits) {
        self.handed_off += 1;
        let id = effect.id;
        let mut wrong = Vec::new();
        match self.proposed.get(&id).copied() {
            None => wrong.push("nobody proposed it"),
            Some((Proposed { undoes: Some(of), .. }, ..)) if !self.undo_asked.contains(&of) => {
                wrong.push("it undoes what nobody wanted undone");
            }
            Some((Proposed { asks: true, .. }, ..)) => {
                // Any of the answers may be the one it stands on: a promise is broken if it is under all of them.
                let answers = self.shown.get(&(id, effect.digest)).map(Vec::as_slice).unwrap_or_default();
                let paused = |answer: &Answer| {
                    answer.taken.is_some_and(|taken| self.last_pause.is_some_and(|pause| pause > taken))
                };
                let early = |answer: &Answer| {
                    effect.is_held
                        && answer.at.boot_id == effect.at.boot_id
                        && late(answer.at, limits.hold_ms, effect.at).is_none()
                };
                if answers.is_empty() {
                    wrong.push("nobody approved it");
                } else if answers.iter().all(|answer| answer.bytes != effect.bytes) {
                    wrong.push("other bytes than were shown");
                } else if answers.iter().all(paused) {
                    wrong.push("there was a pause since it was approved");
                } else if answers.iter().all(early) {
                    wrong.push("it did not wait out its hold window");
                }
            }
            Some((Proposed { asks: false, .. }, ..)) => {}
        }
        if self.is_past_its_time(&effect, limits) {
            wrong.push("it waited too long for that");
        }
        let patience = limits.hold_ms + limits.late_ms;
        if self.waits.get(&id).is_some_and(|at| late(*at, patience, effect.at).is_some_and(|ms| ms > 0)) {
            wrong.push("its hold window was over long ago, and nobody was asked again");
        }
        if self.ended.contains_key(&id) {
            wrong.push("it was over");
        }
        // What went by itself, asking nobody, moves no mark: an older copy put back within seconds may do it again.
        let asks = self.proposed.get(&id).is_none_or(|(proposed, ..)| proposed.asks);
        if self.effects.contains_key(&id) && (asks || !self.forgotten.contains(&id)) {
            wrong.push("it happened before");
        }
        if self.revoked.contains(&effect.connection) {
            wrong.push("its connection was revoked");
        }
        if self.last_pause.is_some_and(|pause| pause > effect.claimed) {
            wrong.push("there was a pause since its claim");
        }
        if self.shut > self.reopened {
            wrong.push("everything is paused");
        }
        let digest = effect.digest;
        self.findings.extend(wrong.into_iter().map(|why| format!("{id}: handed off, but {why} ({digest})")));
        self.effects.entry(id).or_default().push(effect);
    }

    /// Compares what happened with what the product says of an action, right after opening, before anything is settled.
    pub fn audit(&mut self, states: &BTreeMap<ActionId, State>) {
        let missing: Vec<_> = self
            .effects
            .keys()
            .filter(|id| !self.forgotten.contains(id) && !self.mistaken.contains(id))
            .filter(|id| !states.get(id).is_some_and(|state| state.is_past_claim()))
            .map(|id| format!("{id}: it happened, and nothing durable says that it was claimed"))
            .collect();
        self.findings.extend(missing);
        let revived: Vec<_> = self
            .ended
            .iter()
            .filter(|(id, _)| !self.forgotten.contains(id))
            .filter_map(|(id, told)| Some((id, told, states.get(id)?)))
            .filter(|(_, told, now)| told != now)
            .map(|(id, told, now)| format!("{id}: told {}, now {}", told.name(), now.name()))
            .collect();
        self.findings.extend(revived);
    }

    /// Takes the last look: every state has to be true of the outside.
    pub fn close(&mut self, states: &BTreeMap<ActionId, State>) {
        self.audit(states);
        for (id, state) in states {
            if self.forgotten.contains(id) || self.proposed.get(id).is_none_or(|(proposed, ..)| proposed.harmless) {
                continue;
            }
            if self.stands_on_a_mistake(id) {
                continue;
            }
            let happened = self.effects.contains_key(id);
            if matches!(state, State::Claimed | State::Unknown | State::Reconciling) {
                self.findings.push(format!("{id}: it is still {}, and nobody was told", state.name()));
            }
            let undone =
                || self.proposed.iter().any(|(by, (p, ..))| p.undoes == Some(*id) && self.effects.contains_key(by));
            if *state == State::Undone && !undone() {
                self.findings.push(format!("{id}: it is said to be undone, and nothing undid it"));
            }
            let wrong = match state {
                State::Succeeded | State::Undoing | State::Undone | State::UndoFailed => !happened,
                State::Proposed
                | State::Denied
                | State::Awaiting
                | State::Approved
                | State::Rejected
                | State::Expired
                | State::Cancelled
                | State::Superseded
                | State::Held
                | State::NotExecuted => happened,
                // The other side may say "no" and have done it; and what is not known is not known.
                State::Failed
                | State::Claimed
                | State::Partial
                | State::Unknown
                | State::Reconciling
                | State::NeedsPerson => false,
            };
            if wrong {
                self.findings.push(format!(
                    "{id}: the log says {}, and it {}",
                    state.name(),
                    if happened { "happened" } else { "did not happen" }
                ));
            }
        }
    }
}
