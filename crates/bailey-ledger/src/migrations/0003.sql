
PRAGMA defer_foreign_keys = ON;
CREATE TABLE action_3 (
  id          BLOB PRIMARY KEY CHECK (length(id) = 16),
  task        BLOB CHECK (task IS NULL OR length(task) = 16),
  previous    TEXT,
  state       TEXT NOT NULL CHECK (state IN ('proposed','denied','awaiting','approved','rejected','expired','cancelled','superseded','held','claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed')),
  kind        TEXT NOT NULL CHECK (kind IN ('mail.draft','mail.send','mail.search','mail.read','mail.move','mail.trash','calendar.read','calendar.create','calendar.change','calendar.cancel','reply','memory.write','tool.read','tool.fetch','tool.write','tool.send','tool.change','tool.pay','tool.remove','memory.read','memory.forget')),
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
