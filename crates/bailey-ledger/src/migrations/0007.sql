-- Credentials of more kinds than one. A passkey has a public key of another length, a counter and transports (WebAuthn
-- Level 3, sections 6.1.1 and 5.8.4), and its authenticator's own name for it; a passphrase has a salt.
CREATE TABLE credential_7 (
  id         BLOB PRIMARY KEY CHECK (length(id) = 16),
  kind       TEXT NOT NULL CHECK (kind IN ('passphrase-key','passkey')),
  salt       BLOB CHECK (salt IS NULL OR length(salt) = 16),
  public     BLOB NOT NULL CHECK (length(public) BETWEEN 1 AND 8192),
  raw_id     BLOB UNIQUE CHECK (raw_id IS NULL OR length(raw_id) BETWEEN 1 AND 1023),
  sign_count INTEGER CHECK (sign_count IS NULL OR sign_count BETWEEN 0 AND 4294967295),
  transports TEXT,
  CHECK ((kind = 'passphrase-key') = (salt IS NOT NULL)),
  CHECK ((kind = 'passkey') = (raw_id IS NOT NULL)),
  CHECK (kind <> 'passphrase-key' OR (length(public) = 32 AND sign_count IS NULL AND transports IS NULL))
) STRICT;
INSERT INTO credential_7 (id, kind, salt, public) SELECT id, 'passphrase-key', salt, public FROM credential ORDER BY rowid;
DROP TABLE credential;
ALTER TABLE credential_7 RENAME TO credential;
