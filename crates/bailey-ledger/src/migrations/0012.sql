-- The person's schedules: tasks of theirs that begin by themselves. Their words are sealed records.
CREATE TABLE schedule (
  id           BLOB PRIMARY KEY CHECK (length(id) = 16),
  name         TEXT NOT NULL CHECK (length(name) > 0),
  -- The name as it is compared.
  folded       TEXT NOT NULL UNIQUE,
  -- Rises with each change; runs of an older one end.
  generation   INTEGER NOT NULL CHECK (generation > 0),
  state        TEXT NOT NULL CHECK (state IN ('on', 'stopped', 'expired')),
  -- Why it is stopped, as a code.
  stopped      TEXT NOT NULL CHECK ((stopped <> '') = (state = 'stopped')),
  -- When it is due: as it was said, as it was understood, and as it is read.
  said         TEXT NOT NULL,
  told         TEXT NOT NULL,
  form         TEXT NOT NULL,
  zone         TEXT NOT NULL,
  late         TEXT NOT NULL CHECK (late IN ('usual', 'never', 'always-once')),
  overlap      TEXT NOT NULL CHECK (overlap IN ('skip', 'queue-one')),
  -- Tokens that one run may take, and all runs of thirty days.
  run_tokens   INTEGER NOT NULL CHECK (run_tokens > 0),
  month_tokens INTEGER NOT NULL CHECK (month_tokens > 0),
  -- When it ends by itself.
  until_ms     INTEGER,
  made_ms      INTEGER NOT NULL,
  -- When the person last looked at what came of it.
  looked_ms    INTEGER NOT NULL,
  -- The newest of its times that has its outcome.
  watermark_ms INTEGER NOT NULL,
  -- A time that waits for room.
  queued_ms    INTEGER
) STRICT;

-- What it may use, and up to which level.
CREATE TABLE schedule_connection (
  schedule   BLOB NOT NULL REFERENCES schedule (id),
  connection BLOB NOT NULL CHECK (length(connection) = 16),
  level      TEXT NOT NULL CHECK (level IN ('read-only', 'draft', 'send', 'full')),
  PRIMARY KEY (schedule, connection)
) STRICT, WITHOUT ROWID;

-- Each time that came, with its outcome; several in a row without a run are one row. Kept when the schedule is deleted, for what was used.
CREATE TABLE occurrence (
  schedule   BLOB NOT NULL CHECK (length(schedule) = 16),
  generation INTEGER NOT NULL,
  due_ms     INTEGER NOT NULL,
  last_ms    INTEGER NOT NULL CHECK (last_ms >= due_ms),
  count      INTEGER NOT NULL CHECK (count > 0),
  outcome    TEXT NOT NULL CHECK (outcome IN ('ran', 'ran-late', 'by-hand', 'coalesced', 'missed', 'missed-paused', 'skipped-running', 'skipped-questions', 'not-run')),
  -- More of it, as a code.
  why        TEXT NOT NULL,
  decided_ms INTEGER NOT NULL,
  -- The run, how it ended and what it took.
  task       BLOB UNIQUE CHECK (task IS NULL OR length(task) = 16),
  ended      TEXT,
  ended_ms   INTEGER,
  tokens     INTEGER NOT NULL CHECK (tokens >= 0),
  micros     INTEGER NOT NULL CHECK (micros >= 0),
  -- Whether it needs the person's attention.
  open       INTEGER NOT NULL CHECK (open IN (0, 1)),
  PRIMARY KEY (schedule, generation, due_ms),
  CHECK ((task IS NOT NULL) = (outcome IN ('ran', 'ran-late', 'by-hand'))),
  CHECK ((ended IS NULL) = (ended_ms IS NULL)),
  CHECK (ended IS NULL OR task IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX occurrence_by_schedule ON occurrence (schedule, decided_ms, due_ms);
CREATE INDEX occurrence_by_time ON occurrence (decided_ms);
CREATE INDEX occurrence_open ON occurrence (decided_ms) WHERE open = 1;
CREATE INDEX occurrence_at_work ON occurrence (schedule) WHERE task IS NOT NULL AND ended IS NULL;

-- How far the clockwork came: the pause epoch it last saw, and when it made the last digest.
CREATE TABLE clockwork (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  epoch     INTEGER NOT NULL,
  digest_ms INTEGER NOT NULL
) STRICT;
INSERT INTO clockwork (one, epoch, digest_ms) VALUES (1, 0, 0);
