-- Schema 2: claims that correct one another, and submissions that wait.

-- CLM05-3, and the first submission of the claim that this one corrects.
ALTER TABLE submissions ADD COLUMN frequency TEXT NOT NULL DEFAULT '1';
ALTER TABLE submissions ADD COLUMN root INTEGER REFERENCES submissions (row);
CREATE INDEX submissions_by_root ON submissions (root) WHERE root IS NOT NULL;

-- What keeps a submission from going on; there while it is held.
CREATE TABLE held (
    submission INTEGER PRIMARY KEY REFERENCES submissions (row),
    tenant     TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    issues     TEXT    NOT NULL,
    -- Microseconds between the last thing that came and the next try.
    patience   INTEGER NOT NULL,
    -- When it is tried again; NULL until something comes.
    due        INTEGER
) STRICT;
CREATE INDEX held_by_due ON held (due) WHERE due IS NOT NULL;

-- What a held submission waits for: `Type/id`, `system|value`, `answer:<submission>`.
CREATE TABLE waits (
    tenant     TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions (row),
    PRIMARY KEY (tenant, key, submission)
) STRICT, WITHOUT ROWID;
CREATE INDEX waits_by_submission ON waits (submission);
