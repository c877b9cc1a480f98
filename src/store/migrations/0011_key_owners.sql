-- Format 11: which record of its source a declaration's incremental runs write to each record of its target, so that two that are one record
-- there do not take turns.

CREATE TABLE key_owners (
    name    TEXT NOT NULL,
    target  TEXT NOT NULL, -- the key in the form in which keys are compared
    shape   TEXT NOT NULL, -- the hash of what the declaration read and wrote then
    source  TEXT NOT NULL, -- the source's own id
    spelled TEXT NOT NULL, -- the key as this source record gives it, in the form in which keys are compared
    shown   TEXT NOT NULL, -- the same as people read it
    PRIMARY KEY (name, target)
) WITHOUT ROWID;
