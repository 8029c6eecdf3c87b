-- The person's files: each a list of versions, each version pieces of content by their hashes.
CREATE TABLE folder (
  -- The path as it is compared: in one form of Unicode, in small letters.
  folded TEXT PRIMARY KEY,
  path   TEXT NOT NULL,
  parent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX folder_by_parent ON folder (parent, folded);

CREATE TABLE file (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  -- Where it lies, or lay before it went to the trash.
  path       TEXT NOT NULL,
  folded     TEXT UNIQUE,
  folder     TEXT,
  newest     INTEGER NOT NULL CHECK (newest > 0),
  trashed_ms INTEGER,
  CHECK ((folded IS NULL) = (trashed_ms IS NOT NULL)),
  CHECK ((folder IS NULL) = (trashed_ms IS NOT NULL))
) STRICT;
CREATE INDEX file_by_folder ON file (folder, folded) WHERE folder IS NOT NULL;
CREATE INDEX file_in_trash ON file (trashed_ms) WHERE trashed_ms IS NOT NULL;

CREATE TABLE file_version (
  file         BLOB NOT NULL REFERENCES file (id),
  n            INTEGER NOT NULL CHECK (n > 0),
  digest       BLOB NOT NULL CHECK (length(digest) = 32),
  size         INTEGER NOT NULL CHECK (size >= 0),
  made_ms      INTEGER NOT NULL,
  -- The action that wrote it; nothing where the person did.
  action       BLOB CHECK (action IS NULL OR length(action) = 16),
  -- What the task of that action had let in.
  untrusted    INTEGER NOT NULL CHECK (untrusted IN (0, 1)),
  confidential INTEGER NOT NULL CHECK (confidential IN (0, 1)),
  PRIMARY KEY (file, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE file_piece (
  file    BLOB NOT NULL,
  version INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  digest  BLOB NOT NULL CHECK (length(digest) = 32),
  size    INTEGER NOT NULL CHECK (size > 0),
  PRIMARY KEY (file, version, n),
  FOREIGN KEY (file, version) REFERENCES file_version (file, n)
) STRICT, WITHOUT ROWID;

-- Actions that changed files: whether one happened is looked up here.
CREATE TABLE file_done (
  action  BLOB PRIMARY KEY CHECK (length(action) = 16),
  file    BLOB NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The bytes of all versions, for the bound.
CREATE TABLE file_use (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
INSERT INTO file_use (one, bytes) VALUES (1, 0);
