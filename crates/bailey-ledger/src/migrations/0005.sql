
-- Keys of records that were replaced or removed, until they are destroyed: a crash between the two must not keep them.
CREATE TABLE retired_key (
  id INTEGER PRIMARY KEY CHECK (id > 0)
) STRICT;
