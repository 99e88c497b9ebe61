-- Schema 3: who wants to be told of what, and what there is to tell.

CREATE TABLE subscribers (
    row        INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    -- Id of the Subscription; `webhook:` and the name of a webhook.
    id         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    -- Grows with every change of the settings: a delivery that began before changes nothing after.
    generation INTEGER NOT NULL,
    -- Number of the newest event, and of the last that was delivered.
    events     INTEGER NOT NULL,
    delivered  INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    -- When something is to be done: handshake, notification, heartbeat, end; NULL when nothing is.
    due        INTEGER,
    error      TEXT,
    UNIQUE (tenant, id)
) STRICT;
CREATE INDEX subscribers_by_due ON subscribers (due) WHERE due IS NOT NULL;

-- Types of resources that somebody wants to be told of: of all others no change is written down.
CREATE TABLE watches (
    tenant     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    subscriber INTEGER NOT NULL REFERENCES subscribers (row),
    PRIMARY KEY (tenant, kind, subscriber)
) STRICT, WITHOUT ROWID;
CREATE INDEX watches_by_subscriber ON watches (subscriber);

-- Changes that nobody has been told of yet, written with the resource itself.
CREATE TABLE changes (
    row      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant   TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

-- Events of a subscriber, numbered from 1; those above `subscribers.delivered` are still to be told.
CREATE TABLE notices (
    subscriber INTEGER NOT NULL REFERENCES subscribers (row),
    number     INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (subscriber, number)
) STRICT, WITHOUT ROWID;
