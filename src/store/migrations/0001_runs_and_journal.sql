-- Format 1: runs, their row errors and journal, cursors, the scripts' own store. Times are microseconds since 1970, UTC.

CREATE TABLE owners (
    id  INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: names the lock file of a process
    pid INTEGER NOT NULL
);

CREATE TABLE runs (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    hash           TEXT NOT NULL,
    reason         TEXT NOT NULL,
    parameters     TEXT NOT NULL,
    status         TEXT NOT NULL,
    owner          INTEGER NOT NULL,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    rows_read      INTEGER NOT NULL DEFAULT 0,
    rows_written   INTEGER NOT NULL DEFAULT 0,
    rows_unchanged INTEGER NOT NULL DEFAULT 0,
    rows_rejected  INTEGER NOT NULL DEFAULT 0,
    calls          TEXT NOT NULL DEFAULT '{}',
    seconds        REAL NOT NULL DEFAULT 0,
    message        TEXT,
    row_errors     INTEGER NOT NULL DEFAULT 0  -- all that came, kept or not
);
CREATE INDEX runs_by_name ON runs (name, seq);
CREATE INDEX runs_running ON runs (owner) WHERE status = 'running';

CREATE TABLE row_errors (
    run    INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    n      INTEGER NOT NULL,
    key    TEXT NOT NULL,
    field  TEXT,
    value  TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (run, n)
) WITHOUT ROWID;

-- A batch is noted before it is sent; its rows are one unbroken range of journal_rows.
CREATE TABLE journal_batches (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    run          INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    system       TEXT,
    object       TEXT,
    effect       TEXT,                     -- an effect that is no write of rows
    first_row    INTEGER NOT NULL,
    row_count    INTEGER NOT NULL,
    ids_known    INTEGER NOT NULL DEFAULT 1, -- every row is an update or a delete
    intended_at  INTEGER NOT NULL,
    completed_at INTEGER,                  -- null while nobody knows what became of it
    fault        TEXT                      -- the whole batch failed for this
);
CREATE INDEX journal_batches_by_run ON journal_batches (run, id);
CREATE INDEX journal_batches_open ON journal_batches (run) WHERE completed_at IS NULL;

CREATE TABLE journal_rows (
    seq       INTEGER PRIMARY KEY,
    operation TEXT NOT NULL,
    key       TEXT NOT NULL,
    target    TEXT,                        -- the system's id, or the external id field of an upsert
    fields    TEXT,
    before    TEXT,
    new_id    TEXT,                        -- told by the system afterwards
    created   INTEGER,
    fault     TEXT
);

CREATE TABLE cursors (
    name   TEXT NOT NULL,
    source TEXT NOT NULL,
    value  TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (name, source)
) WITHOUT ROWID;

CREATE TABLE kv (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;
