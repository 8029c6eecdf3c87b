-- What a passkey is to the person, beside what an approval needs of it.
CREATE TABLE passkey (
  id        BLOB PRIMARY KEY REFERENCES credential (id),
  rp        TEXT NOT NULL CHECK (length(rp) BETWEEN 1 AND 253),
  name      TEXT NOT NULL,
  synced    INTEGER NOT NULL CHECK (synced IN (0, 1)),
  made_ms   INTEGER NOT NULL,
  used_ms   INTEGER,
  ended_ms  INTEGER,
  -- Whether it counts: an older database, put back, may hold one that was ended since.
  confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1))
) STRICT;

-- Browsers that are let in: what each shows, hashed, and by which passkey it came.
CREATE TABLE session (
  id       BLOB PRIMARY KEY CHECK (length(id) = 16),
  secret   BLOB NOT NULL UNIQUE CHECK (length(secret) = 32),
  passkey  BLOB NOT NULL REFERENCES passkey (id),
  agent    TEXT NOT NULL,
  made_ms  INTEGER NOT NULL,
  used_ms  INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;
CREATE INDEX session_by_passkey ON session (passkey);

-- Codes that let in a browser once each, hashed.
CREATE TABLE recovery_code (
  hash    BLOB PRIMARY KEY CHECK (length(hash) = 32),
  made_ms INTEGER NOT NULL,
  used_ms INTEGER
) STRICT;
