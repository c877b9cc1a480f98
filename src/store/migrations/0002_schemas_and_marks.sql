-- Format 2: what systems say about their objects, and when declarations last ran.

CREATE TABLE schemas (
    system TEXT NOT NULL,
    object TEXT NOT NULL,
    schema TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (system, object)
) WITHOUT ROWID;

CREATE TABLE marks (
    name        TEXT PRIMARY KEY,
    started_at  INTEGER,
    finished_at INTEGER
) WITHOUT ROWID;
