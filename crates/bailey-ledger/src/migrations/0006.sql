
-- Content that others refer to by what it is: sealed under a key of its own, kept once, and gone with the last reference.
CREATE TABLE blob (
  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
  size   INTEGER NOT NULL CHECK (size >= 0),
  key_id INTEGER NOT NULL UNIQUE,
  sealed BLOB NOT NULL
) STRICT;

-- Who refers to it: once each, however often it is said.
CREATE TABLE blob_reference (
  kind   TEXT NOT NULL,
  owner  BLOB NOT NULL,
  digest BLOB NOT NULL REFERENCES blob (digest),
  PRIMARY KEY (kind, owner, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_reference_by_digest ON blob_reference (digest);
