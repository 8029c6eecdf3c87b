
PRAGMA defer_foreign_keys = ON;
CREATE TABLE action_2 (
  id          BLOB PRIMARY KEY CHECK (length(id) = 16),
  task        BLOB CHECK (task IS NULL OR length(task) = 16),
  previous    TEXT,
  state       TEXT NOT NULL CHECK (state IN ('proposed','denied','awaiting','approved','rejected','expired','cancelled','superseded','held','claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed')),
  kind        TEXT NOT NULL CHECK (kind IN ('mail.draft','mail.send','mail.search','mail.read','mail.move','mail.trash','calendar.read','calendar.create','calendar.change','calendar.cancel','reply','memory.write','tool.read','tool.fetch','tool.write','tool.send','tool.change','tool.pay')),
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
  SELECT DISTINCT task, 1, 0, 0 FROM action WHERE task IS NOT NULL AND claimed_ms IS NOT NULL AND kind IN ('mail.search','mail.read','calendar.read');
