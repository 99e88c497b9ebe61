-- Schema 6: claims are found by a number that a payer has changed, and without any number.

-- The form of `billing::key::alike`. It takes the place of the index by the number as it is: what is alike is looked through.
DROP INDEX parts_by_patient_control_number;
CREATE INDEX parts_by_number_alike ON parts (
    ltrim(upper(replace(replace(replace(replace(replace(patient_control_number, '-', ''), ' ', ''), '.', ''), '_', ''),
                        '/', '')), '0'));

-- Member id and total charge; NULL of a claim that was accepted before schema 6, which is not found by them.
ALTER TABLE parts ADD COLUMN member_and_charge TEXT;
CREATE INDEX parts_by_member_and_charge ON parts (member_and_charge) WHERE member_and_charge IS NOT NULL;

-- Claims that an answer fits equally well: JSON array of submission ids.
ALTER TABLE unmatched ADD COLUMN candidates TEXT NOT NULL DEFAULT '[]';

-- The list is read from a place on, and tried again by payer.
DROP INDEX unmatched_open;
CREATE INDEX unmatched_open ON unmatched (row) WHERE assigned IS NULL;
CREATE INDEX unmatched_of_payer ON unmatched (payer, row) WHERE assigned IS NULL;
