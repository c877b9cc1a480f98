-- Format 6: what a participant's source last said, and what users of PX did with engagements.

-- A hash of the fields as they were read; none for those who came in before it was kept.
ALTER TABLE participants ADD COLUMN source_hash INTEGER;

-- What each user did with an engagement, in whichever journey or none: the first time of each kind.
CREATE TABLE doings (
    px_id      TEXT NOT NULL,
    engagement TEXT NOT NULL,              -- PX's own id
    kind       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (px_id, engagement, kind)
) WITHOUT ROWID;

-- Engagements whose history in PX has been read.
CREATE TABLE histories (
    engagement TEXT PRIMARY KEY,
    at         INTEGER NOT NULL
) WITHOUT ROWID;
