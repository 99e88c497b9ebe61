-- Schema 3: what people work through.

-- How long answers to an interchange are waited for, from its sending on: JSON [["999", microseconds], …].
ALTER TABLE interchanges ADD COLUMN deadlines TEXT NOT NULL DEFAULT '[]';

-- Answers that are waited for; a row goes when its answer comes.
CREATE TABLE awaited (
    submission  INTEGER NOT NULL REFERENCES submissions (row),
    part        INTEGER NOT NULL,
    answer      TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    payer       TEXT    NOT NULL,
    interchange INTEGER NOT NULL REFERENCES interchanges (row),
    since       INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    -- When its journey was told that it is overdue.
    noticed     INTEGER,
    PRIMARY KEY (submission, part, answer)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_by_due ON awaited (due, payer);
CREATE INDEX awaited_unnoticed ON awaited (due) WHERE noticed IS NULL;

-- Reasons why claims were not paid; what a later answer takes back or says anew is gone.
CREATE TABLE denials (
    row        INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions (row),
    part       INTEGER NOT NULL,
    payer      TEXT    NOT NULL,
    date       TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    remark     TEXT    NOT NULL,
    line       TEXT,
    procedure  TEXT,
    -- Ten-thousandths.
    amount     INTEGER NOT NULL,
    by_status  INTEGER NOT NULL,
    -- The payer's own number of the claim.
    number     TEXT
) STRICT;
CREATE INDEX denials_by_submission ON denials (submission, part);
CREATE INDEX denials_by_date ON denials (tenant, date);
CREATE INDEX denials_by_reason ON denials (tenant, reason, remark);

-- Payments that were posted, by the hash of all that they say.
CREATE TABLE posted (
    tenant      TEXT    NOT NULL,
    payer       TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    inbound     INTEGER NOT NULL REFERENCES inbound (row),
    PRIMARY KEY (tenant, payer, fingerprint)
) STRICT, WITHOUT ROWID;

-- The journal: every line of every payment, in the order of its coming. Append-only but for whose claim it is.
CREATE TABLE journal (
    row        INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    payer      TEXT    NOT NULL,
    date       TEXT    NOT NULL,
    inbound    INTEGER NOT NULL REFERENCES inbound (row),
    position   INTEGER,
    submission INTEGER REFERENCES submissions (row),
    body       TEXT    NOT NULL
) STRICT;
CREATE INDEX journal_by_date ON journal (tenant, date, row);
CREATE INDEX journal_by_inbound ON journal (inbound, position);
CREATE INDEX journal_by_submission ON journal (submission) WHERE submission IS NOT NULL;
