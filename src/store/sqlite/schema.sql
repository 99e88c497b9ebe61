-- Schema 1. Times are microseconds since 1970 in UTC; bodies are TEXT, so that they come back as they were written.
-- `row` is SQLite's own key: narrow, and growing with time, so that "newest first" is "highest row first".

-- Newest version of each FHIR resource.
CREATE TABLE resources (
    row     INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    -- What resource_index holds of it, as JSON [[name, value], …]: a later version takes exactly these away.
    entries TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    UNIQUE (tenant, kind, id)
) STRICT;

-- Versions before the newest.
CREATE TABLE resource_history (
    tenant   TEXT    NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (row),
    version  INTEGER NOT NULL,
    updated  INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (resource, version)
) STRICT;

-- What the newest version of a resource is found by. `path` is a hash of tenant, kind and name of the search parameter:
-- this is the tree that grows most with every claim, and its keys must be short.
CREATE TABLE resource_index (
    path     INTEGER NOT NULL,
    value    TEXT    NOT NULL,
    resource INTEGER NOT NULL REFERENCES resources (row),
    PRIMARY KEY (path, value, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
    row             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE,
    tenant          TEXT    NOT NULL,
    focal           TEXT    NOT NULL,
    payer           TEXT    NOT NULL,
    guide           TEXT    NOT NULL,
    mapping_version TEXT    NOT NULL,
    response        TEXT    NOT NULL,
    -- The fold of its events, and when it last changed.
    state           TEXT    NOT NULL,
    since           INTEGER NOT NULL,
    last_event      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    received        INTEGER NOT NULL,
    interchange     INTEGER REFERENCES interchanges (row),
    superseded      INTEGER REFERENCES submissions (row)
) STRICT;
CREATE INDEX submissions_by_state ON submissions (state, since);

-- Focal resource and every ClaimResponse that a submission ever had.
CREATE TABLE submission_references (
    tenant     TEXT    NOT NULL,
    reference  TEXT    NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions (row),
    PRIMARY KEY (tenant, reference, submission)
) STRICT, WITHOUT ROWID;

-- How many submissions stand in each state, kept with every move: counting a million rows would hold up a scrape.
CREATE TABLE state_counts (
    tenant      TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    submissions INTEGER NOT NULL,
    PRIMARY KEY (tenant, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE parts (
    row                        INTEGER PRIMARY KEY,
    tenant                     TEXT    NOT NULL,
    submission                 INTEGER NOT NULL REFERENCES submissions (row),
    number                     INTEGER NOT NULL,
    patient_control_number     TEXT    NOT NULL,
    trace_number               TEXT    NOT NULL,
    payer_claim_control_number TEXT,
    body                       TEXT    NOT NULL,
    record                     TEXT    NOT NULL,
    UNIQUE (submission, number)
) STRICT;
CREATE INDEX parts_by_patient_control_number ON parts (patient_control_number);
CREATE INDEX parts_by_trace_number ON parts (trace_number);
CREATE INDEX parts_by_payer_claim_control_number ON parts (payer_claim_control_number)
    WHERE payer_claim_control_number IS NOT NULL;

-- Append-only.
CREATE TABLE events (
    tenant     TEXT    NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions (row),
    sequence   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    part       INTEGER,
    at         INTEGER NOT NULL,
    detail     TEXT    NOT NULL,
    PRIMARY KEY (submission, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are append-only'); END;

CREATE TABLE keys (
    tenant     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions (row),
    content    TEXT    NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;

-- Submissions that are due: queued and in no interchange.
CREATE TABLE outbox (
    submission INTEGER PRIMARY KEY REFERENCES submissions (row),
    tenant     TEXT    NOT NULL,
    payer      TEXT    NOT NULL,
    -- NULL until the queue has confirmed it.
    published  INTEGER
) STRICT;
CREATE INDEX outbox_by_published ON outbox (published);
CREATE INDEX outbox_by_payer ON outbox (payer, submission);

-- Next numbers of a trading partner. One row for all tenants: the partner sees one sender.
CREATE TABLE control_numbers (
    partner      TEXT    PRIMARY KEY,
    interchange  INTEGER NOT NULL,
    group_number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE interchanges (
    row                        INTEGER PRIMARY KEY,
    id                         TEXT    NOT NULL UNIQUE,
    tenant                     TEXT    NOT NULL,
    payer                      TEXT    NOT NULL,
    partner                    TEXT    NOT NULL,
    interchange_control_number INTEGER NOT NULL,
    group_control_number       INTEGER NOT NULL,
    name                       TEXT    NOT NULL,
    sealed                     INTEGER NOT NULL,
    -- Begin of the last attempt; before the first, the sealing.
    touched                    INTEGER NOT NULL,
    attempts                   INTEGER NOT NULL DEFAULT 0,
    sent                       INTEGER,
    given_up                   INTEGER,
    bytes                      BLOB    NOT NULL
) STRICT;
CREATE INDEX interchanges_by_control_number ON interchanges (interchange_control_number);
CREATE INDEX interchanges_by_group ON interchanges (group_control_number);
CREATE INDEX interchanges_unsent ON interchanges (touched) WHERE sent IS NULL AND given_up IS NULL;

-- Where each claim stands in its interchange.
CREATE TABLE sealed_claims (
    tenant          TEXT    NOT NULL,
    interchange     INTEGER NOT NULL REFERENCES interchanges (row),
    submission      INTEGER NOT NULL REFERENCES submissions (row),
    part            INTEGER NOT NULL,
    transaction_set TEXT    NOT NULL,
    batch_number    TEXT    NOT NULL,
    first_segment   INTEGER NOT NULL,
    last_segment    INTEGER NOT NULL,
    PRIMARY KEY (interchange, submission, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX sealed_claims_by_submission ON sealed_claims (submission, part);
CREATE INDEX sealed_claims_by_batch_number ON sealed_claims (batch_number);

-- Files that came from payers.
CREATE TABLE inbound (
    row      INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    tenant   TEXT    NOT NULL,
    payer    TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    received INTEGER NOT NULL,
    -- NULL until everything that it changes is written.
    applied  INTEGER,
    bytes    BLOB    NOT NULL,
    UNIQUE (tenant, payer, hash)
) STRICT;

-- Answers that belong to nobody; `assigned` when they have found their submission.
CREATE TABLE unmatched (
    row      INTEGER PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    inbound  INTEGER NOT NULL REFERENCES inbound (row),
    position INTEGER NOT NULL,
    payer    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    assigned INTEGER REFERENCES submissions (row),
    UNIQUE (inbound, position)
) STRICT;
CREATE INDEX unmatched_open ON unmatched (assigned) WHERE assigned IS NULL;

-- What payers said of a submission, statement by statement.
CREATE TABLE answers (
    row        INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions (row),
    part       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    body       TEXT    NOT NULL
) STRICT;
CREATE INDEX answers_by_submission ON answers (submission);
