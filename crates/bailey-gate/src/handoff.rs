//! The hand-off lock: the one place where "not paused" and "the effect starts" are the same moment.
//!
//! Checking and then sending leaves a gap in which pause can return; so does reading the epoch again before sending.
//! Here the check and the one synchronous, non-blocking write happen under a lock that pause takes too. When
//! [`HandoffLock::pause`] has returned, no write of an older epoch can start.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Tells whether effects may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Claimed actions may be handed off.
    Open,
    /// Nothing leaves, but for revocation.
    Paused,
    /// Look-ups for reconciliation may leave; claims are refused.
    Resuming,
}

impl Mode {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Resuming => "resuming",
        }
    }
}

/// Mode and epoch at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseState {
    /// Tells whether effects may leave.
    pub mode: Mode,
    /// Counts pauses. A claim of an earlier epoch is dead.
    pub epoch: u64,
    /// Counts the holders of this home's lease up to us; constant on a single machine.
    pub lease_epoch: u64,
}

/// Names what leaves without an approval. Each is refused while paused, but for revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SystemEgress {
    /// A request to a model provider.
    Model,
    /// Fetching what a proposal is prepared from.
    Preparation,
    /// Looking up whether an effect happened.
    Reconciliation,
    /// Exchanging a refresh token.
    TokenRefresh,
    /// Telling a provider that a grant is over.
    Revocation,
    /// Telling the person, at a place they named, that something waits for them.
    Notification,
    /// Having a certificate issued for the home's own name.
    Certificate,
    /// A request of the agent's computer that the person's rules let go, or that the person approved.
    Computer,
}

impl SystemEgress {
    const fn passes(self, mode: Mode) -> bool {
        match (self, mode) {
            (Self::Revocation, _) | (_, Mode::Open) | (Self::Reconciliation | Self::TokenRefresh, Mode::Resuming) => {
                true
            }
            (_, Mode::Paused | Mode::Resuming) => false,
        }
    }
}

/// Why a hand-off did not start. Nothing has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Everything is paused.
    Paused,
    /// There was a pause, or another machine took over, since the claim.
    Stale,
    /// Open connections were cut since the claim: one was revoked.
    Cut,
    /// This claim has been handed off already.
    Spent,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "everything is paused; nothing was sent",
            Self::Stale => "there was a pause since this was released; nothing was sent",
            Self::Cut => "the connection was cut because one was revoked; nothing was sent",
            Self::Spent => "this was handed off already; it is not sent again",
        })
    }
}

impl std::error::Error for Refused {}

/// Reports what became of the one write under the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    /// Bytes were taken over: from here on the effect may happen.
    Some,
    /// The other side had no room; not a single byte was taken. May be tried again.
    Nothing,
}

/// Where the lock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockState {
    pub(crate) pause_state: PauseState,
    /// Counts revocations. What was claimed before one is dead, whatever it was for: its connection was cut.
    cuts: u64,
}

/// The lock. One per home; every way out of the home goes through it.
#[derive(Debug)]
pub struct HandoffLock(Mutex<LockState>);

impl HandoffLock {
    /// Makes a lock in the given state, as the pause record has it.
    #[must_use]
    pub const fn new(pause_state: PauseState) -> Self {
        Self(Mutex::new(LockState { pause_state, cuts: 0 }))
    }

    /// Takes the lock. A thread that died inside it leaves it paused: what that thread did is not known.
    fn lock(&self) -> MutexGuard<'_, LockState> {
        self.0.lock().unwrap_or_else(|poisoned| {
            let mut lock_state = poisoned.into_inner();
            lock_state.pause_state.mode = Mode::Paused;
            lock_state
        })
    }

    /// Returns the state now. It may have changed by the time the caller looks at it.
    #[must_use]
    pub fn pause_state(&self) -> PauseState {
        self.lock().pause_state
    }

    pub(crate) fn lock_state(&self) -> LockState {
        *self.lock()
    }

    /// Invalidates all outstanding claims. On return, no effect claimed earlier can start. Call it after the revocation has
    /// committed: from then on [`crate::Gate::claim`] refuses the revoked grant.
    pub fn cut(&self) {
        self.lock().cuts += 1;
    }

    /// Pauses, and begins the next epoch. On return, no hand-off of an earlier epoch can start.
    pub fn pause(&self) -> PauseState {
        let pause_state = &mut self.lock().pause_state;
        pause_state.mode = Mode::Paused;
        pause_state.epoch += 1;
        *pause_state
    }

    /// Moves from [`Mode::Paused`] to [`Mode::Resuming`], or from there to [`Mode::Open`]. Returns false, and moves nothing, where
    /// `epoch` is not the current one or the step is another.
    pub(crate) fn advance(&self, epoch: u64, to: Mode) -> bool {
        let pause_state = &mut self.lock().pause_state;
        let legal = matches!((pause_state.mode, to), (Mode::Paused, Mode::Resuming) | (Mode::Resuming, Mode::Open));
        if legal && pause_state.epoch == epoch {
            pause_state.mode = to;
            return true;
        }
        false
    }

    /// Runs one synchronous, non-blocking write of a named system egress under the lock.
    ///
    /// Errors: [`Refused::Paused`] where this egress may not pass now; `write` was not run.
    pub fn system<T>(&self, egress: SystemEgress, write: impl FnOnce() -> T) -> Result<T, Refused> {
        let lock_state = self.lock();
        if egress.passes(lock_state.pause_state.mode) { Ok(write()) } else { Err(Refused::Paused) }
    }

    fn claimed<T>(&self, claim: &LockState, write: impl FnOnce() -> T) -> Result<T, Refused> {
        let now = self.lock();
        if now.pause_state.mode != Mode::Open {
            return Err(Refused::Paused);
        }
        if (now.pause_state.epoch, now.pause_state.lease_epoch)
            != (claim.pause_state.epoch, claim.pause_state.lease_epoch)
        {
            return Err(Refused::Stale);
        }
        if now.cuts != claim.cuts {
            return Err(Refused::Cut);
        }
        Ok(write())
    }
}

const READY: u8 = 0;
const SPENT: u8 = 1;

/// The right to one hand-off, shared between a claim and the stream that carries it out.
#[derive(Debug)]
pub struct EffectToken {
    lock: Arc<HandoffLock>,
    /// How the lock stood when it was claimed.
    claim: LockState,
    spent: AtomicU8,
}

impl EffectToken {
    pub(crate) fn new(lock: Arc<HandoffLock>, claim: LockState) -> Arc<Self> {
        Arc::new(Self { lock, claim, spent: AtomicU8::new(READY) })
    }

    /// Runs the write after which the effect may happen: once, under the lock, if the claim still stands.
    ///
    /// `write` must not block and must not wait. Where it reports [`Wrote::Nothing`] the token stays ready.
    ///
    /// Errors: any [`Refused`]; `write` was not run, and nothing has left.
    pub fn hand_off(&self, write: impl FnOnce() -> Wrote) -> Result<Wrote, Refused> {
        self.lock.claimed(&self.claim, || {
            // The lock is held, so load and store cannot race with another hand-off of this token.
            if self.is_spent() {
                return Err(Refused::Spent);
            }
            // INVARIANT: spent before written, so that a panic inside `write` counts as handed off.
            self.spent.store(SPENT, Ordering::SeqCst);
            let wrote = write();
            if wrote == Wrote::Nothing {
                self.spent.store(READY, Ordering::SeqCst);
            }
            Ok(wrote)
        })?
    }

    /// Runs one synchronous, non-blocking write on the way to the hand-off (or of a claim that only looks): any number of
    /// times, under the lock, while the claim stands.
    ///
    /// Errors: [`Refused::Paused`], [`Refused::Stale`] or [`Refused::Cut`] where it stands no more; `write` was not run.
    pub fn pass<T>(&self, write: impl FnOnce() -> T) -> Result<T, Refused> {
        self.lock.claimed(&self.claim, write)
    }

    /// Tells whether a hand-off may have happened.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::SeqCst) == SPENT
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64};
    use std::thread;

    use super::*;

    /// Pauses of the race below: enough that a lock let go between looking and writing is found many times over.
    const PAUSES: u32 = 200_000;

    #[test]
    fn looking_and_writing_are_one_step_however_tight_the_race() {
        let lock = Arc::new(HandoffLock::new(PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 }));
        let (over, returned) = (AtomicBool::new(false), AtomicU64::new(0));
        let (done, late) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        let claim = lock.lock_state();
                        let _handed = EffectToken::new(Arc::clone(&lock), claim).hand_off(|| {
                            done.fetch_add(1, Ordering::SeqCst);
                            let paused_since = returned.load(Ordering::SeqCst) > claim.pause_state.epoch;
                            late.fetch_add(u64::from(paused_since), Ordering::SeqCst);
                            Wrote::Some
                        });
                    }
                });
            }
            // Where no write has come yet there is no race, however many pauses went by.
            for round in 0.. {
                let pause_state = lock.pause();
                returned.store(pause_state.epoch, Ordering::SeqCst);
                lock.advance(pause_state.epoch, Mode::Resuming);
                lock.advance(pause_state.epoch, Mode::Open);
                if round >= PAUSES && done.load(Ordering::SeqCst) > 0 {
                    break;
                }
            }
            over.store(true, Ordering::SeqCst);
        });
        assert_eq!(late.into_inner(), 0, "hand-offs after the pause of their epoch had returned");
    }
}
