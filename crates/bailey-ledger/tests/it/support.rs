//! A home's store in a folder of its own, and a gate over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailey_gate::approval::{Assertion, Authority, ChallengeKey, Disbelief};
use bailey_gate::event::Actor;
use bailey_gate::family::Action;
use bailey_gate::family::ActionKind;
use bailey_gate::handoff::{Mode, PauseState, Wrote};
use bailey_gate::policy::{Policy, Question};
use bailey_gate::{
    ActionId, Claiming, ConnectionId, Effect, Evidence, Gate, Limits, Now, Outcome, Parts, Permit, Proposal, Proposed,
    Ruling, State, StaticContext,
};
use bailey_keys::HomeKey;
use bailey_ledger::{Ledger, MarkFile, Opened, Paths, PauseFile, Payloads, Recorded, export};
use bailey_verify::Verdict;

/// The calendar that stands.
pub const CALENDAR: ConnectionId = ConnectionId::from_bytes([2; 16]);

/// A folder that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("bailey-ledger-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A copy of a home that an earlier release left.
    pub fn of_format(format: u32) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/homes/format-{format}"));
        let to = Self::new();
        for name in ["ledger.db", "keys.db", "mark", "pause"] {
            std::fs::copy(from.join(name), to.0.join(name)).unwrap();
        }
        to
    }

    /// Opens the store that lies here, or makes one.
    pub fn open(&self, create: bool) -> (Arc<Ledger>, Opened) {
        let (database, keys) = (self.0.join("ledger.db"), self.0.join("keys.db"));
        let mark = Box::new(MarkFile::new(&self.0.join("mark")));
        let key = HomeKey::take_over(&mut [7_u8; 48].as_slice()).unwrap();
        let (ledger, opened) =
            Ledger::open(Paths { database: &database, keys: &keys, mark, create }, key, at(0)).unwrap();
        (Arc::new(ledger), opened)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A clock that is set.
pub fn at(ms: i64) -> Now {
    Now { wall_ms: 1_790_000_000_000 + ms, boot_ms: ms.unsigned_abs() + 1, boot_id: [1; 16] }
}

/// Lets new calendar entries go, and all else on the person's word.
struct Asks;

impl Policy for Asks {
    fn rule(&self, question: &Question<'_>) -> Ruling {
        let goes = question.kind.name() == "calendar.create" || question.evidence != Evidence::None;
        Ruling { allowed: goes, rules: vec!["test".into()] }
    }

    fn version(&self) -> String {
        "test".into()
    }

    fn heeds(&self, _: ActionKind, _: &str) -> bool {
        false
    }
}

/// Believes every proof.
struct Anyone;

impl Authority for Anyone {
    fn verify(&self, _: &[u8; 16], _: &[u8], _: &Assertion, _: Now) -> Result<bool, Disbelief> {
        Ok(true)
    }
}

/// A gate over a store, its pause state as the record in the folder says.
pub fn gate(folder: &Folder, ledger: &Arc<Ledger>) -> Gate {
    let (record, recorded) = PauseFile::open(&folder.path().join("pause")).unwrap();
    let Recorded::Open { epoch } = recorded else { panic!("it is paused: {recorded:?}") };
    Gate::new(Parts {
        home: ledger.home(),
        ledger: Arc::clone(ledger) as Arc<dyn bailey_gate::ledger::Ledger>,
        policy: Arc::new(Asks),
        authority: Arc::new(Anyone),
        record: Arc::new(record),
        pause_state: PauseState { mode: Mode::Open, epoch, lease_epoch: 0 },
        limits: Limits::default(),
        person_context: Arc::new(StaticContext { minutes: 0, attended: true }),
        challenge_key: ChallengeKey::from_bytes([5; 32]),
    })
}

/// Proposes an action.
pub fn propose(gate: &Gate, id: u8, action: Action, account: Option<ConnectionId>) -> Proposed {
    let proposal = Proposal {
        id: ActionId::from_bytes([id; 16]),
        task: None,
        account,
        precondition: Vec::new(),
        action,
        why: "because".into(),
        actor: Actor::Agent,
    };
    gate.propose(proposal, at(1_000)).unwrap()
}

/// Claims, hands off to nobody, settles.
pub fn execute(gate: &Gate, permit: Permit) -> State {
    let Claiming::Claimed(claimed) = gate.claim(permit, at(1_001)).unwrap() else { panic!("it was not claimed") };
    claimed.effect_token().hand_off(|| Wrote::Some).unwrap();
    gate.settle(&claimed.settle(Outcome::new(Effect::Done, "saved")), at(1_002)).unwrap()
}

/// What the verifier says of the log, in plain words or sealed.
pub fn verdict(ledger: &Ledger, payloads: Payloads) -> Verdict {
    let mut out = Vec::new();
    export(ledger, payloads, &mut out).unwrap();
    bailey_verify::verify(&String::from_utf8(out).unwrap(), None)
}
