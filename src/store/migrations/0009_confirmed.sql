-- Format 9: whether PX shows an engagement to the members of its segment; nothing tells it but that somebody has seen it.

ALTER TABLE associations ADD COLUMN confirmed INTEGER;
-- When somebody was last told that nobody has.
ALTER TABLE associations ADD COLUMN warned INTEGER;
