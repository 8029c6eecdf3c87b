//! The database schema, and the way from older ones. The legal states of an action are the gate's table, as constraints.

use bailey_gate::family::{ActionKind, Level};
use bailey_gate::{Class, State, TRANSITIONS};

/// Steps from an empty database to the current schema; step `n` leads to `user_version` `n + 1`. Only ever appended to.
pub(crate) fn migrations() -> Vec<String> {
    vec![first()]
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",")
}

fn first() -> String {
    let states = quoted(State::ALL.iter().map(|state| state.name()));
    let kinds = quoted(ActionKind::ALL.iter().map(|kind| kind.name()));
    let classes = quoted(Class::ALL.iter().map(|class| class.name()));
    let levels = quoted(Level::ALL.iter().map(|level| level.name()));
    let past_claim = quoted(State::ALL.iter().filter(|state| state.is_past_claim()).map(|state| state.name()));
    let steps: Vec<String> = TRANSITIONS
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| format!("{}>{}", from.name(), to.name())))
        .collect();
    let steps = quoted(steps.iter().map(String::as_str));
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

CREATE TABLE action (
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
) STRICT;
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
