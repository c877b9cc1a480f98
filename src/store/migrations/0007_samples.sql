-- Format 7: recent inputs of declarations, and the texts that declared them: what back-tests run on.

CREATE TABLE samples (
    seq    INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    -- Where the record was read, as JSON.
    source TEXT NOT NULL,
    record TEXT NOT NULL
);

CREATE INDEX samples_of ON samples (name, source, seq);

-- Pseudonyms are made with it: they say nothing to whoever has not got it.
CREATE TABLE sample_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL
);

INSERT INTO sample_key VALUES (1, randomblob(32));

CREATE TABLE sources (
    hash  TEXT PRIMARY KEY,
    -- File -> text, as JSON.
    files TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE versions (
    name TEXT NOT NULL,
    hash TEXT NOT NULL REFERENCES sources (hash) ON DELETE CASCADE,
    file TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (name, hash)
) WITHOUT ROWID;

CREATE INDEX versions_by_hash ON versions (hash);
