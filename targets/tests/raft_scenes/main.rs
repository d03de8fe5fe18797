//! Scenes of the Raft protocol as golden scripts: what is done, and under it what then happens.
//! `UPDATE_GOLDENFILES=1` writes the outputs anew. Each scene is a file in `tests/scenes`; those
//! called `bug_*` play beside a second cluster with a seeded bug, and where the two differ, both
//! are shown.

mod stage;
mod words;

use stage::Theatre;

macro_rules! scenes {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            let path = concat!("tests/scenes/raft_", stringify!($name));
            goldenscript::run(&mut Theatre::default(), path).expect("the scene plays as written");
        })*

        const SCENES: &[&str] = &[$(stringify!($name)),*];
    };
}

scenes! {
    election,
    split_vote,
    pre_vote,
    resignation,
    log_repair,
    leader_change,
    snapshot_catch_up,
    restart,
    read_index,
    late_reply,
    session_retry,
    txn_whole,
    txn_snapshot,
    txn_levels,
    txn_abandoned,
    txn_leader_change,
    bug_stale_read,
    bug_follower_read,
    bug_ack_before_commit,
    bug_ack_before_sync,
    bug_forget_vote,
    bug_minority_quorum,
    bug_no_log_check,
    bug_double_apply,
    bug_commit_prior_term,
    bug_lose_snapshot_tail,
    bug_keep_vote,
    bug_dirty_read,
    bug_dirty_write,
    bug_read_skew,
    bug_write_skew_under_serializable,
    bug_lost_update,
    bug_fractured_read,
    bug_stale_snapshot,
    bug_long_fork,
    bug_internal_inconsistency,
    bug_non_repeatable_read,
}

#[test]
fn each_bug_has_its_scene() {
    for bug in quorate_targets::bugs::of("raft-kv") {
        let scene = format!("bug_{}", bug.name.replace('-', "_"));
        assert!(SCENES.contains(&scene.as_str()), "there is no {scene}");
    }
}
