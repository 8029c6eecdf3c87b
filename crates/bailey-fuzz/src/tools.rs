//! A model's tool calls, up to the prepared action and its preview.

use std::sync::{Arc, OnceLock};

use bailey_connectors::{Account, HomeContext, PrepareContext};
use bailey_gate::content::Content;
use bailey_gate::family::Level;
use bailey_gate::handoff::{HandoffLock, Mode, PauseState};
use bailey_gate::{ActionId, ConnectionId, HomeId, Now, Preview};
use bailey_keys::HomeKey;
use bailey_ledger::{Ledger, MarkFile, Paths};
use bailey_vault::{Trust, Vault};
use futures_util::FutureExt as _;

use crate::is_plain;

/// Returns a vault without accounts: whatever would look at a server is refused there.
fn vault() -> &'static Arc<Vault> {
    static VAULT: OnceLock<Arc<Vault>> = OnceLock::new();
    VAULT.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("bailey-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap_or_else(|error| unreachable!("no folder: {error}"));
        let (database, keys) = (folder.join("ledger.db"), folder.join("keys.db"));
        let mark = Box::new(MarkFile::new(&folder.join("mark")));
        let now = Now { wall_ms: 0, boot_ms: 0, boot_id: [0; 16] };
        let key = HomeKey::take_over(&mut [7_u8; 48].as_slice());
        let key = key.unwrap_or_else(|error| unreachable!("no key: {error}"));
        let paths = Paths { database: &database, keys: &keys, mark, create: true };
        let opened = Ledger::open(paths, key, now);
        // What is open stays open; the names are not needed.
        let _ = std::fs::remove_dir_all(&folder);
        let (ledger, _) = opened.unwrap_or_else(|error| unreachable!("no store: {error}"));
        let lock = HandoffLock::new(PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 });
        let trust = Trust::new(None).unwrap_or_else(|error| unreachable!("{error}"));
        Vault::new(Arc::new(ledger), Arc::new(lock), trust, Arc::new(Standing))
    })
}

/// A clock that stands.
struct Standing;

impl bailey_vault::Clock for Standing {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn moment(&self) -> bailey_gate::Now {
        bailey_gate::Now { wall_ms: 0, boot_ms: 0, boot_id: [0; 16] }
    }
}

/// Tries the tool's name, a line break, and its arguments.
pub(crate) fn prepare(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((tool, arguments)) = text.split_once('\n') else { return };
    let connection = (ConnectionId::from_bytes([1; 16]), 1);
    let server = serde_json::json!({"host": "localhost", "port": 1, "tls": false});
    let accounts = [
        serde_json::json!({"kind": "mail", "address": "me@example.org"}),
        serde_json::json!({"kind": "calendar", "user": "me", "server": server, "path": "/calendar/"}),
    ];
    let account = |settings| {
        let settings = serde_json::from_value(settings).ok()?;
        Some(Account { connection, level: Level::Full, settings, is_default: false })
    };
    let home = HomeContext {
        accounts: accounts.into_iter().filter_map(account).collect(),
        words: String::new(),
        zone: jiff::tz::TimeZone::UTC,
        seconds: 1_767_225_600,
        offset_minutes: 60,
        unique: [7; 16],
    };
    let cx = PrepareContext { vault: vault(), home };
    match bailey_connectors::prepare(tool, arguments, &cx).now_or_never() {
        Some(Ok(prepared)) => {
            let content = Content {
                home: HomeId::from_bytes([1; 16]),
                id: ActionId::from_bytes([2; 16]),
                account: Some(connection),
                precondition: Vec::new(),
                action: prepared.action,
            };
            assert!(Content::decode(&content.encode()).is_ok_and(|read| read == content), "it does not read back");
            assert!(is_plain(&Preview::of(&content).to_string()), "a preview that a terminal would act on");
            let head = content.action.artefact();
            let lines = String::from_utf8_lossy(&head).into_owned();
            let end = lines.find("\r\n\r\n").unwrap_or(lines.len());
            let bare = lines.get(..end).unwrap_or_default().replace("\r\n", "").contains(['\r', '\n']);
            assert!(!tool.starts_with("mail") || !bare, "a bare line break in a mail's head");
        }
        Some(Err(error)) => assert!(!error.to_string().is_empty()),
        // It looks at the account, which takes a network.
        None => {}
    }
}
