
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
  state       TEXT NOT NULL CHECK (state IN ('proposed','denied','awaiting','approved','rejected','expired','cancelled','superseded','held','claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed')),
  kind        TEXT NOT NULL CHECK (kind IN ('mail.draft','mail.send','mail.search','mail.read','mail.move','mail.trash','calendar.read','calendar.create','calendar.change','calendar.cancel','reply','memory.write')),
  class       TEXT NOT NULL CHECK (class IN ('undoable','held','compensable','critical')),
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
  CHECK (previous IS NULL OR previous || '>' || state IN ('proposed>denied','proposed>awaiting','proposed>approved','awaiting>approved','awaiting>rejected','awaiting>expired','awaiting>cancelled','awaiting>superseded','awaiting>denied','approved>held','approved>claimed','approved>awaiting','approved>denied','approved>expired','approved>cancelled','held>claimed','held>cancelled','held>awaiting','held>denied','held>expired','claimed>succeeded','claimed>failed','claimed>partial','claimed>not-executed','claimed>unknown','unknown>reconciling','reconciling>succeeded','reconciling>needs-person','reconciling>unknown','needs-person>succeeded','needs-person>not-executed','succeeded>undoing','partial>undoing','undoing>undone','undoing>undo-failed','undo-failed>undoing')),
  CHECK ((connection IS NULL) = (generation IS NULL)),
  CHECK ((held IS NOT NULL) = (state = 'held')),
  CHECK ((credential IS NULL) = (client IS NULL) AND (credential IS NULL) = (session IS NULL) AND (credential IS NULL) = (stepped_up IS NULL)),
  CHECK (state NOT IN ('claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed') OR (claim_epoch IS NOT NULL AND claim_lease IS NOT NULL AND claimed_ms IS NOT NULL AND attempt > 0)),
  CHECK (NOT (class = 'critical' AND state IN ('claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed') AND coalesce(stepped_up, 0) = 0))
) STRICT;
CREATE INDEX action_by_state ON action (state);
CREATE INDEX action_by_task ON action (task, state);
CREATE INDEX action_by_claim ON action (kind, claimed_ms) WHERE claimed_ms IS NOT NULL;

CREATE TABLE connection (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  kind       TEXT NOT NULL,
  account    TEXT NOT NULL,
  level      TEXT NOT NULL CHECK (level IN ('read-only','draft','send','full')),
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
