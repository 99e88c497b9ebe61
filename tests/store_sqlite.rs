//! The SQLite store keeps the contract of every store, and what is SQLite's own.

use crate::support::store_contract as contract;
use crate::support::waiting_contract as waiting;
use crate::support::worklists_contract as worklists;
use claimgate::clock::Clock;
use claimgate::store::Store;
use claimgate::store::sqlite::SqliteStore;

/// A fresh store in a folder that goes with it.
fn fresh() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("claimgate.sqlite"), Clock::fixed(contract::at(0))).unwrap();
    (folder, store)
}

macro_rules! keeps {
    ($contract:ident: $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_folder, store) = fresh();
                $contract::$name(&store).await;
            }
        )*
    };
}

keeps! {
    waiting:
    what_is_held_wakes_when_what_it_waits_for_comes
    what_comes_while_it_is_tried_is_not_missed
    a_held_submission_goes_on_once
    corrections_are_one_chain_and_an_answer_wakes_them
}

keeps! {
    worklists:
    what_is_overdue_is_said_once
    denials_are_replaced_by_what_corrects_them
    the_journal_holds_every_payment_once
}

keeps! {
    contract:
    what_is_accepted_is_there
    a_repetition_is_recognised
    of_two_equal_posts_at_once_one_is_new
    other_content_under_a_key_is_refused
    a_mended_claim_takes_the_place_of_one_that_stands_still
    a_submission_without_a_state_is_refused_whole
    resources_have_versions
    a_search_finds_by_the_newest_version
    a_search_has_limits
    a_search_finds_by_time
    tenants_see_only_their_own
    the_state_is_the_fold_of_the_events
    the_outbox_holds_what_is_due
    a_hold_takes_a_claim_off_the_outbox
    numbers_have_no_gaps
    numbers_wrap
    sealing_twice_makes_one_interchange
    sealing_leaves_out_what_is_not_queued
    an_interchange_must_name_what_it_was_given
    attempts_are_counted
    what_is_given_up_is_due_no_more
    a_rejected_claim_can_be_queued_again
    a_file_is_taken_once
    a_file_that_was_not_applied_is_taken_again
    answers_change_submissions
    a_bad_answer_spoils_the_whole_file
    answers_that_belong_to_nobody_are_kept
    claims_are_found_by_every_key
    lists_and_figures
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let (folder, store) = fresh();
    let new = contract::submission(1);
    store.accept(new.clone()).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&folder.path().join("claimgate.sqlite"), Clock::System).unwrap();
    let found = store.submission(&new.id).await.unwrap().unwrap();
    assert_eq!(found.parts, new.parts);
    assert_eq!(store.figures().await.unwrap().outbox, 1);
}
