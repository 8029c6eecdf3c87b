-- What the person said of an action whose outcome was not known, they may correct; so may what follows of an undo.
CREATE TABLE action_9 (
  id          BLOB PRIMARY KEY CHECK (length(id) = 16),
  task        BLOB CHECK (task IS NULL OR length(task) = 16),
  previous    TEXT,
  state       TEXT NOT NULL CHECK (state IN ('proposed','denied','awaiting','approved','rejected','expired','cancelled','superseded','held','claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed')),
  kind        TEXT NOT NULL REFERENCES kind (name),
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
  amount      INTEGER NOT NULL DEFAULT 0 CHECK (amount >= 0),
  CHECK ((previous IS NULL) = (state = 'proposed')),
  CHECK (previous IS NULL OR previous || '>' || state IN ('proposed>denied','proposed>awaiting','proposed>approved','awaiting>approved','awaiting>rejected','awaiting>expired','awaiting>cancelled','awaiting>superseded','awaiting>denied','approved>held','approved>claimed','approved>awaiting','approved>denied','approved>expired','approved>cancelled','held>claimed','held>cancelled','held>awaiting','held>denied','held>expired','claimed>succeeded','claimed>failed','claimed>partial','claimed>not-executed','claimed>unknown','unknown>reconciling','reconciling>succeeded','reconciling>needs-person','reconciling>unknown','needs-person>succeeded','needs-person>not-executed','not-executed>succeeded','succeeded>undoing','succeeded>not-executed','partial>undoing','undoing>undone','undoing>undo-failed','undo-failed>undoing','undo-failed>undone','undone>undo-failed')),
  CHECK ((connection IS NULL) = (generation IS NULL)),
  CHECK ((held IS NOT NULL) = (state = 'held')),
  CHECK ((credential IS NULL) = (client IS NULL) AND (credential IS NULL) = (session IS NULL) AND (credential IS NULL) = (stepped_up IS NULL)),
  CHECK (state NOT IN ('claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed') OR (claim_epoch IS NOT NULL AND claim_lease IS NOT NULL AND claimed_ms IS NOT NULL AND attempt > 0)),
  CHECK (NOT (class = 'critical' AND state IN ('claimed','succeeded','failed','partial','not-executed','unknown','reconciling','needs-person','undoing','undone','undo-failed') AND coalesce(stepped_up, 0) = 0))
) STRICT;
INSERT INTO action_9 SELECT * FROM action;
DROP TABLE action;
ALTER TABLE action_9 RENAME TO action;

-- Lists: all of them, those in a state, of a task, of a kind; each in the order of the log.
CREATE UNIQUE INDEX action_by_order ON action (content_seq);
CREATE INDEX action_by_state ON action (state, content_seq);
CREATE INDEX action_by_task ON action (task, content_seq, state);
CREATE INDEX action_by_kind ON action (kind, content_seq);
-- The notes there are.
CREATE INDEX action_noted ON action (kind, task) WHERE kind = 'memory.write' AND state = 'succeeded';
-- What the gate counts.
CREATE INDEX action_by_claim ON action (kind, claimed_ms) WHERE claimed_ms IS NOT NULL;
CREATE INDEX action_by_spending ON action (claimed_ms) WHERE amount > 0 AND claimed_ms IS NOT NULL;
-- What the person answered or went back on, and what ran without asking them.
CREATE INDEX action_answered ON action (content_seq)
  WHERE (credential IS NOT NULL OR state IN ('rejected', 'cancelled', 'superseded', 'undoing', 'undone', 'undo-failed'))
    AND undo_of IS NULL;
CREATE INDEX action_unasked ON action (claimed_ms) WHERE credential IS NULL AND claimed_ms IS NOT NULL;
-- Which action undoes another; foreign keys look for it, too.
CREATE INDEX action_by_undone ON action (undo_of) WHERE undo_of IS NOT NULL;
