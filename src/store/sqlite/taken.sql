-- Schema 5: several workers on one file tell a subscriber one after the other.

-- Until when a worker has the subscriber; NULL when none has.
ALTER TABLE subscribers ADD COLUMN taken INTEGER;
