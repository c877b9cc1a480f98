-- Format 4: edits, long pauses, engagements that stop, and answers found without reading everything.

-- How far the timers of a program that is being resumed have grown, and by which instant.
ALTER TABLE programs ADD COLUMN resume_at INTEGER;
ALTER TABLE programs ADD COLUMN resumed_to INTEGER NOT NULL DEFAULT 0;
-- When the engagements were last looked at.
ALTER TABLE programs ADD COLUMN checked_at INTEGER;

-- Why PX does not show it at the moment (B2).
ALTER TABLE associations ADD COLUMN trouble TEXT;
CREATE INDEX associations_of_engagement ON associations (px_id) WHERE cut IS NULL;

CREATE INDEX events_responded ON events (journey, at) WHERE kind = 'responded';
