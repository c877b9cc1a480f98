-- Format 3: journeys, the people in them, what happened to each, and what still has to go out.

CREATE TABLE programs (
    name          TEXT PRIMARY KEY,
    status        TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    hash          TEXT NOT NULL,
    folder        TEXT,
    scheduled_for INTEGER,
    published_at  INTEGER,
    paused_at     INTEGER,
    stopped_at    INTEGER,
    reasons       TEXT NOT NULL,           -- why it went back to draft
    polled_at     INTEGER,
    changed_at    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE revisions (
    journey TEXT NOT NULL,
    number  INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    graph   TEXT NOT NULL,
    sources TEXT NOT NULL,
    at      INTEGER NOT NULL,
    note    TEXT NOT NULL,
    PRIMARY KEY (journey, number)
);

CREATE TABLE participants (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: it stands in links that were sent
    journey   TEXT NOT NULL,
    key       TEXT NOT NULL,
    email     TEXT COLLATE NOCASE,
    px_id     TEXT,
    state     TEXT NOT NULL,
    step      TEXT,
    since     INTEGER NOT NULL,
    due       INTEGER,
    reason    TEXT,
    entered   INTEGER NOT NULL,
    ended     INTEGER,
    revision  INTEGER NOT NULL,
    parked_as TEXT,                        -- the state to go back to
    fields    TEXT NOT NULL,
    facts     TEXT NOT NULL
);
CREATE INDEX participants_of ON participants (journey);
CREATE INDEX participants_by_key ON participants (journey, key);
CREATE INDEX participants_by_email ON participants (email) WHERE email IS NOT NULL;
CREATE INDEX participants_by_px ON participants (px_id) WHERE px_id IS NOT NULL;
CREATE INDEX participants_by_step ON participants (journey, state, step);
CREATE INDEX participants_due ON participants (journey, due) WHERE due IS NOT NULL AND state IN ('active', 'waiting');
CREATE INDEX participants_failed ON participants (journey, reason) WHERE state = 'failed';

-- What a participant went through, in the order it was written down.
CREATE TABLE timeline (
    id          INTEGER PRIMARY KEY,
    participant INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    step        TEXT,
    detail      TEXT NOT NULL
);
CREATE INDEX timeline_of ON timeline (participant);

-- What came from outside and has not moved anybody yet; what did stays, so that it counts once.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    participant INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
    journey     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    step        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    payload     TEXT NOT NULL,
    handled     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX events_of ON events (participant);
CREATE INDEX events_unhandled ON events (journey, participant, at) WHERE handled = 0;

-- What has to go out. Rows stay: a key that is known never goes out again.
CREATE TABLE intents (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    participant INTEGER NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
    journey     TEXT NOT NULL,
    step        TEXT NOT NULL,
    intent      TEXT NOT NULL,
    state       TEXT NOT NULL,             -- pending, held (its program is paused), sent, failed
    attempts    INTEGER NOT NULL DEFAULT 0,
    at          INTEGER NOT NULL,
    not_before  INTEGER NOT NULL,
    done_at     INTEGER,
    detail      TEXT,
    fault       TEXT
);
CREATE INDEX intents_of ON intents (participant);
CREATE INDEX intents_by_state ON intents (journey, state);
CREATE INDEX intents_pending ON intents (not_before) WHERE state = 'pending';

-- Messages a person got, over all journeys.
CREATE TABLE messages (
    person  TEXT NOT NULL COLLATE NOCASE,
    at      INTEGER NOT NULL,
    journey TEXT NOT NULL,
    step    TEXT NOT NULL,
    PRIMARY KEY (person, at, journey, step)
) WITHOUT ROWID;

-- Addresses that get no mail.
CREATE TABLE suppressions (
    email TEXT NOT NULL COLLATE NOCASE,
    kind  TEXT NOT NULL,                   -- unsubscribed, bounced
    at    INTEGER NOT NULL,
    why   TEXT NOT NULL,
    PRIMARY KEY (email, kind)
) WITHOUT ROWID;

-- Funnels: who reached which step and what happened there, each once, with its sums kept beside it.
CREATE TABLE journey_steps (
    id      INTEGER PRIMARY KEY,
    journey TEXT NOT NULL,
    name    TEXT NOT NULL,
    UNIQUE (journey, name)
);

CREATE TABLE milestones (
    step        INTEGER NOT NULL REFERENCES journey_steps (id),
    kind        TEXT NOT NULL,             -- an event's word, or `reached`
    participant INTEGER NOT NULL,
    PRIMARY KEY (step, kind, participant)
) WITHOUT ROWID;

CREATE TABLE milestone_days (
    step INTEGER NOT NULL REFERENCES journey_steps (id),
    kind TEXT NOT NULL,
    day  INTEGER NOT NULL,                 -- days since 1970, UTC
    n    INTEGER NOT NULL,
    PRIMARY KEY (step, kind, day)
) WITHOUT ROWID;

-- The engagements of PX that a program shows, each with the external segment that is its audience. A cut one is never used again.
CREATE TABLE associations (
    id         INTEGER PRIMARY KEY,
    journey    TEXT NOT NULL,
    engagement TEXT NOT NULL,              -- as the script names it
    px_id      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    segment    TEXT NOT NULL,
    since      INTEGER NOT NULL,
    cut        INTEGER
);
CREATE UNIQUE INDEX associations_live ON associations (journey, engagement) WHERE cut IS NULL;
CREATE INDEX associations_of ON associations (journey);
