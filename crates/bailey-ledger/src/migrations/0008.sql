-- An entry in less room. A header is the text that is the leaf of the hash tree, or that text packed (`pack.rs`), which reads
-- back byte for byte; its hash, its time and its task can be read from it. Steps and proposals are looked up by their action.
CREATE TABLE event_8 (
  seq     INTEGER PRIMARY KEY CHECK (seq >= 0),
  header  ANY NOT NULL CHECK (typeof(header) IN ('text', 'blob')),
  kind    TEXT NOT NULL,
  action  BLOB,
  key_id  INTEGER UNIQUE,
  payload BLOB,
  CHECK (payload IS NULL OR key_id IS NOT NULL)
) STRICT;
INSERT INTO event_8 SELECT seq, header, kind, action, key_id, payload FROM event;
DROP TABLE event;
ALTER TABLE event_8 RENAME TO event;
CREATE INDEX event_by_action ON event (action) WHERE action IS NOT NULL;
CREATE INDEX event_by_kind ON event (kind, seq) WHERE kind NOT IN ('step', 'proposed');
CREATE INDEX event_control ON event (seq) WHERE kind IN ('paused', 'resumed');
