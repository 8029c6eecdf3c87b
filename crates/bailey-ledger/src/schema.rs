//! The database schema, and the way from older ones. The legal states of an action are the gate's table, as constraints.

use bailey_gate::family::Level;
use bailey_gate::{Class, State, TRANSITIONS};

/// Steps from an empty database to the current schema; step `n` leads to `user_version` `n + 1`. Only ever appended to.
pub(crate) fn migrations() -> Vec<String> {
    vec![first(), second(), third()]
}

/// The kinds of action of the first schema.
const FIRST_KINDS: [&str; 12] = [
    "mail.draft",
    "mail.send",
    "mail.search",
    "mail.read",
    "mail.move",
    "mail.trash",
    "calendar.read",
    "calendar.create",
    "calendar.change",
    "calendar.cancel",
    "reply",
    "memory.write",
];
/// Those the second added.
const SECOND_KINDS: [&str; 6] = ["tool.read", "tool.fetch", "tool.write", "tool.send", "tool.change", "tool.pay"];

/// Those the third added.
const THIRD_KINDS: [&str; 3] = ["tool.remove", "memory.read", "memory.forget"];

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",")
}

/// The table of actions, under a name, for actions of these kinds.
fn actions(name: &str, kinds: &str) -> String {
    let states = quoted(State::ALL.iter().map(|state| state.name()));
    let classes = quoted(Class::ALL.iter().map(|class| class.name()));
    let past_claim = quoted(State::ALL.iter().filter(|state| state.is_past_claim()).map(|state| state.name()));
    let steps: Vec<String> = TRANSITIONS
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| format!("{}>{}", from.name(), to.name())))
        .collect();
    let steps = quoted(steps.iter().map(String::as_str));
    format!(
        "CREATE TABLE {name} (
  id          BLOB PRIMARY KEY CHECK (length(id) = 16),
  task        BLOB CHECK (task IS NULL OR length(task) = 16),
  previous    TEXT,
  state       TEXT NOT NULL CHECK (state IN ({states})),
  kind        TEXT NOT NULL CHECK (kind IN ({kinds})),
  class       TEXT NOT NULL CHECK (class IN ({classes})),
  connection  BLOB CHECK (connection IS NULL OR length(connection) = 16),
  generation  INTEGER,
  digest      BLOB NOT NULL CHECK (length(digest) = 32),
  proposed    BLOB NOT NULL,
  expires     BLOB NOT NULL,
  held        BLOB,
  credential  BLOB,
  session     BLOB,
  client      TEXT,
  stepped_up  INTEGER,
  claim_epoch INTEGER,
  claim_lease INTEGER,
  claimed_ms  INTEGER,
  attempt     INTEGER NOT NULL CHECK (attempt >= 0),
  content_seq INTEGER NOT NULL REFERENCES event (seq),
  undo_of     BLOB REFERENCES action (id),
  CHECK ((previous IS NULL) = (state = 'proposed')),
  CHECK (previous IS NULL OR previous || '>' || state IN ({steps})),
  CHECK ((connection IS NULL) = (generation IS NULL)),
  CHECK ((held IS NOT NULL) = (state = 'held')),
  CHECK ((credential IS NULL) = (client IS NULL) AND (credential IS NULL) = (session IS NULL) AND (credential IS NULL) = (stepped_up IS NULL)),
  CHECK (state NOT IN ({past_claim}) OR (claim_epoch IS NOT NULL AND claim_lease IS NOT NULL AND claimed_ms IS NOT NULL AND attempt > 0)),
  CHECK (NOT (class = 'critical' AND state IN ({past_claim}) AND coalesce(stepped_up, 0) = 0))
) STRICT;"
    )
}

/// Tools of others; whom the person gave something, of whatever kind; what a task has let in and asked.
fn second() -> String {
    let kinds = quoted(FIRST_KINDS.into_iter().chain(SECOND_KINDS));
    let read = quoted(["mail.search", "mail.read", "calendar.read"].into_iter());
    let action = actions("action_2", &kinds);
    format!(
        "
PRAGMA defer_foreign_keys = ON;
{action}
INSERT INTO action_2 SELECT * FROM action;
DROP TABLE action;
ALTER TABLE action_2 RENAME TO action;
CREATE INDEX action_by_state ON action (state);
CREATE INDEX action_by_task ON action (task, state);
CREATE INDEX action_by_claim ON action (kind, claimed_ms) WHERE claimed_ms IS NOT NULL;

CREATE TABLE party (
  kind  TEXT NOT NULL,
  value TEXT NOT NULL,
  name  TEXT NOT NULL,
  own   INTEGER NOT NULL CHECK (own IN (0, 1)),
  PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
INSERT INTO party SELECT 'email', address, name, 0 FROM known_receiver;
DROP TABLE known_receiver;

CREATE TABLE task_mark (
  task         BLOB PRIMARY KEY CHECK (length(task) = 16),
  untrusted    INTEGER NOT NULL CHECK (untrusted IN (0, 1)),
  confidential INTEGER NOT NULL CHECK (confidential IN (0, 1)),
  odd          INTEGER NOT NULL CHECK (odd >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO task_mark
  SELECT DISTINCT task, 1, 0, 0 FROM action WHERE task IS NOT NULL AND claimed_ms IS NOT NULL AND kind IN ({read});
"
    )
}

/// What is spent; by what likenesses are found; the schedule a task was begun by.
fn third() -> String {
    let action = actions("action_3", &quoted(FIRST_KINDS.into_iter().chain(SECOND_KINDS).chain(THIRD_KINDS)));
    format!(
        "
PRAGMA defer_foreign_keys = ON;
{action}
INSERT INTO action_3 SELECT * FROM action;
DROP TABLE action;
ALTER TABLE action_3 RENAME TO action;
ALTER TABLE action ADD COLUMN amount INTEGER NOT NULL DEFAULT 0 CHECK (amount >= 0);
CREATE INDEX action_by_state ON action (state);
CREATE INDEX action_by_task ON action (task, state);
CREATE INDEX action_by_claim ON action (kind, claimed_ms) WHERE claimed_ms IS NOT NULL;
CREATE INDEX action_by_spending ON action (claimed_ms) WHERE amount > 0 AND claimed_ms IS NOT NULL;

-- Nothing until it has been worked out, which the next opening does.
ALTER TABLE party ADD COLUMN likeness TEXT;
CREATE INDEX party_by_likeness ON party (kind, likeness);

-- Whom the words of a task name of those known by then.
CREATE TABLE task_named (
  task  BLOB NOT NULL CHECK (length(task) = 16),
  kind  TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (task, kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_schedule (
  task BLOB PRIMARY KEY CHECK (length(task) = 16),
  name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"
    )
}

fn first() -> String {
    let action = actions("action", &quoted(FIRST_KINDS.into_iter()));
    let levels = quoted(Level::ALL.iter().map(|level| level.name()));
    format!(
        "
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- One line of the log. `header` is the leaf of the hash tree, byte for byte; the columns beside it are for looking up.
CREATE TABLE event (
  seq     INTEGER PRIMARY KEY CHECK (seq >= 0),
  header  TEXT NOT NULL,
  leaf    BLOB NOT NULL CHECK (length(leaf) = 32),
  kind    TEXT NOT NULL,
  wall_ms INTEGER NOT NULL,
  task    BLOB,
  action  BLOB,
  key_id  INTEGER UNIQUE,
  payload BLOB,
  CHECK (payload IS NULL OR key_id IS NOT NULL)
) STRICT;
CREATE INDEX event_by_action ON event (action) WHERE action IS NOT NULL;
CREATE INDEX event_by_task ON event (task) WHERE task IS NOT NULL;

CREATE INDEX event_control ON event (seq) WHERE kind IN ('paused', 'resumed');

CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL,
  tree BLOB NOT NULL
) STRICT;

{action}
CREATE INDEX action_by_state ON action (state);
CREATE INDEX action_by_task ON action (task, state);
CREATE INDEX action_by_claim ON action (kind, claimed_ms) WHERE claimed_ms IS NOT NULL;

CREATE TABLE connection (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  kind       TEXT NOT NULL,
  account    TEXT NOT NULL,
  level      TEXT NOT NULL CHECK (level IN ({levels})),
  active     INTEGER NOT NULL CHECK (active IN (0, 1)),
  generation INTEGER NOT NULL CHECK (generation > 0)
) STRICT;

CREATE TABLE known_receiver (
  address TEXT PRIMARY KEY,
  name    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
  id     BLOB PRIMARY KEY CHECK (length(id) = 16),
  salt   BLOB NOT NULL CHECK (length(salt) = 16),
  public BLOB NOT NULL CHECK (length(public) = 32)
) STRICT;

CREATE TABLE task (
  id      BLOB PRIMARY KEY CHECK (length(id) = 16),
  state   TEXT NOT NULL,
  wall_ms INTEGER NOT NULL
) STRICT;

-- Anything else that is kept sealed under a key of its own: transcripts, connection settings, credentials.
CREATE TABLE record (
  kind   TEXT NOT NULL,
  owner  BLOB NOT NULL,
  n      INTEGER NOT NULL,
  key_id INTEGER NOT NULL UNIQUE,
  sealed BLOB NOT NULL,
  PRIMARY KEY (kind, owner, n)
) STRICT;
"
    )
}
