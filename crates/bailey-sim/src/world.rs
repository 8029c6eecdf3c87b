//! One simulated person, their machine, clock and services, through all lives of the machine.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailey_gate::approval::{Assertion, Proof, Purpose};
use bailey_gate::event::{Actor, Client};
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::family::home::HomeAction;
use bailey_gate::family::mail::{
    FolderName, FolderRole, MailAction, Message, MessageId, MessageRef, Moving, Query, Summary,
};
use bailey_gate::family::text::{Address, Line, Mailbox};
use bailey_gate::family::{Action, Level};
use bailey_gate::ledger::Grant;
use bailey_gate::{ActionId, ConnectionId, Gate, HomeId, Limits, Nonce, Now, Proposal};
use bailey_keys::sign::SigningKey;
use bailey_keys::{HomeKey, Key};
use bailey_ledger::{ConnectionRow, Ledger};
use bailey_vault::renewal;
use fastrand::Rng;

use crate::oracle::{Oracle, Proposed};
use crate::sys::Machine;

/// Whose home it is.
pub const HOME: HomeId = HomeId::from_bytes([1; 16]);
/// A mail account that may do everything.
pub const MAIL: ConnectionId = ConnectionId::from_bytes([2; 16]);
/// A calendar that may be written.
pub const CALENDAR: ConnectionId = ConnectionId::from_bytes([3; 16]);
/// The person's credential.
const CREDENTIAL: [u8; 16] = [4; 16];
/// When the simulated world begins, in wall time: 2026-01-01T00:00Z.
const BEGINNING_MS: i64 = 1_767_225_600_000;

/// Times of the simulated gate: short, so that runs reach all of them.
pub const LIMITS: Limits = Limits { answer_ms: 60_000, hold_ms: 500, late_ms: 5_000 };

#[derive(Debug, Default)]
struct Clock {
    true_ms: u64,
    boot_began: u64,
    boot: u64,
    wall_off: i64,
}

/// Everything that outlives a life of the machine.
pub struct World {
    /// The machine's name, by which SQLite finds it.
    pub name: String,
    /// The machine.
    pub machine: Arc<Machine>,
    random: Mutex<Rng>,
    clock: Mutex<Clock>,
    oracle: Mutex<Oracle>,
    numbers: AtomicU64,
    key: SigningKey,
}

impl World {
    /// Returns a new world.
    pub fn new(name: String, machine: Arc<Machine>, random: Rng) -> Result<Self, String> {
        let key = SigningKey::from_seed(&Key::from_bytes([5; 32])).map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            machine,
            random: Mutex::new(random),
            clock: Mutex::default(),
            oracle: Mutex::default(),
            numbers: AtomicU64::new(1),
            key,
        })
    }

    /// Returns a number by chance.
    pub fn chance(&self, range: Range<u32>) -> u32 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u32(range)
    }

    /// Returns one of so many, which must not be none.
    pub fn index(&self, of: usize) -> usize {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).usize(0..of)
    }

    /// Is true once in so many times.
    pub fn once_in(&self, times: u32) -> bool {
        self.chance(0..times) == 0
    }

    /// Returns the oracle.
    pub fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what the product is told the time is.
    pub fn now(&self) -> Now {
        let clock = self.clock();
        let mut boot_id = [0; 16];
        boot_id.iter_mut().zip(clock.boot.to_be_bytes()).for_each(|(to, from)| *to = from);
        let passed = i64::try_from(clock.true_ms).unwrap_or(i64::MAX);
        let (wall_ms, boot_ms) = (BEGINNING_MS + passed + clock.wall_off, clock.true_ms - clock.boot_began);
        drop(clock);
        let now = Now { wall_ms, boot_ms, boot_id };
        self.oracle().told_time(now);
        now
    }

    /// Lets time go by.
    pub fn wait(&self, ms: u64) {
        self.clock().true_ms += ms;
    }

    /// Sets the wall clock, as someone might.
    pub fn set_clock(&self, by_ms: i64) {
        self.clock().wall_off += by_ms;
    }

    /// Starts the machine anew; a process that starts anew on a running machine keeps its boot.
    pub fn reboot(&self) {
        let mut clock = self.clock();
        clock.boot += 1;
        clock.boot_began = clock.true_ms;
    }

    /// Returns a number never used before.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns an identity of 16 bytes, from a number never used before.
    pub fn identity(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.iter_mut().skip(8).zip(self.number().to_be_bytes()).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Returns the home's key, as the supervisor would hand it over.
    pub fn home_key(&self) -> Result<HomeKey, String> {
        let mut bytes = HOME.as_bytes().to_vec();
        bytes.extend([6; 32]);
        HomeKey::take_over(&mut bytes.as_slice()).map_err(|error| error.to_string())
    }

    /// Returns what `bailey setup` and `bailey connect` leave in a new home.
    pub fn furnish(&self, ledger: &Ledger) -> Result<(), String> {
        let tokens = renewal::stored(1, "access 1".into(), "refresh 1".into()).map_err(|error| error.to_string())?;
        let write = ledger.write(|tx| {
            tx.put_passphrase_key(&CREDENTIAL, &[0; 16], &self.key.public())?;
            for (id, kind, level) in [(MAIL, "mail", Level::Full), (CALENDAR, "calendar", Level::Full)] {
                let grant = Grant { level, active: true, generation: 1 };
                tx.put_connection(&ConnectionRow { id, kind: kind.into(), account: kind.into(), grant })?;
                renewal::put_first(tx, &id, &tokens)?;
            }
            Ok(())
        });
        write.map_err(|error| error.to_string())
    }

    /// Returns the person's proof for a purpose, with a challenge of its own.
    pub fn proof(&self, gate: &Gate, purpose: &Purpose) -> Proof {
        let challenge = gate.challenge(&Nonce::from_bytes(self.identity()), self.now());
        let assertion = Assertion::PassphraseKey { signature: self.key.sign(&purpose.message(&HOME, &challenge)) };
        Proof { challenge, credential: CREDENTIAL, assertion, client: Client::CommandLine, session: [7; 16] }
    }

    /// Returns something an agent wants, and what the oracle should know of it.
    pub fn wish(&self) -> Result<(Proposal, Proposed), String> {
        let choice = self.chance(0..10);
        let sends = Proposed { asks: true, harmless: false, undoes: None };
        let does = Proposed { asks: false, ..sends };
        let looks = Proposed { asks: false, harmless: true, undoes: None };
        let (account, action, proposed) = match choice {
            0..=4 => (Some(MAIL), self.mail()?, sends),
            5 | 6 => (Some(MAIL), self.moving("INBOX", "Archive")?, does),
            7 => (Some(CALENDAR), self.entry()?, does),
            8 => {
                let folder = FolderName::new("INBOX").map_err(|error| error.to_string())?;
                (Some(MAIL), Action::Mail(MailAction::Search { folder, query: Query::default() }), looks)
            }
            _ => (None, Action::Home(HomeAction::MemoryWrite { note: "a note".into() }), looks),
        };
        Ok((self.proposal(account, action), proposed))
    }

    /// Returns a proposal under a fresh identity.
    pub fn proposal(&self, account: Option<ConnectionId>, action: Action) -> Proposal {
        Proposal {
            id: ActionId::from_bytes(self.identity()),
            task: None,
            account,
            precondition: Vec::new(),
            action,
            why: "simulated".into(),
            actor: Actor::Agent,
        }
    }

    /// Returns a mail to somebody.
    pub fn mail(&self) -> Result<Action, String> {
        let mailbox = |address: &str| {
            let address = Address::new(address).map_err(|error| error.to_string())?;
            Ok::<_, String>(Mailbox { name: None, address })
        };
        let number = self.number();
        Ok(Action::Mail(MailAction::Send(Message {
            from: mailbox("me@example.org")?,
            to: vec![mailbox(&format!("someone{}@example.org", number % 3))?],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: Line::new("Subject").map_err(|error| error.to_string())?,
            body: format!("Body {number}\n"),
            date: 1_767_225_600,
            offset_minutes: 0,
            message_id: MessageId::new(&format!("<{number}@example.org>")).map_err(|error| error.to_string())?,
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
            keep_in: None,
            source: None,
        })))
    }

    /// Returns a mail moved between folders of the person's own.
    pub fn moving(&self, from: &str, to: &str) -> Result<Action, String> {
        let folder = |name: &str| FolderName::new(name).map_err(|error| error.to_string());
        let uid = u32::try_from(self.number()).unwrap_or(1);
        let about = Summary { message_id: format!("<moved-{uid}@example.org>"), ..Summary::default() };
        Ok(Action::Mail(MailAction::Move(Moving {
            message: MessageRef { folder: folder(from)?, uid_validity: 1, uid },
            to: folder(to)?,
            role: FolderRole::Own,
            about,
            makes: false,
        })))
    }

    /// Returns a calendar entry without guests.
    fn entry(&self) -> Result<Action, String> {
        let number = self.number();
        let text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//simulated//EN\nBEGIN:VEVENT\nUID:{number}\nDTSTAMP:20260101T000000Z\nDTSTART:20260102T100000Z\nDTEND:20260102T110000Z\nSUMMARY:Entry\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let href = Href::new(&format!("/calendar/{number}.ics")).map_err(|error| error.to_string())?;
        let after = Entry::new(&text).map_err(|error| error.to_string())?;
        Ok(Action::Calendar(CalendarAction::Write(Writing { href, change: Change::Create { after }, told: None })))
    }
}
