-- Format 10: what declarations lay claim to (their names, and what they write), and which of them was there first.

CREATE TABLE claims (
    what  TEXT NOT NULL,
    name  TEXT NOT NULL,
    file  TEXT NOT NULL,
    since INTEGER NOT NULL, -- a number, not a time: lower ones were there first
    live  INTEGER NOT NULL, -- 0 while it waits for another one to go
    PRIMARY KEY (what, name, file)
) WITHOUT ROWID;
