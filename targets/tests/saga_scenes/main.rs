//! Scenes of the order service as golden scripts: what is done, and under it what then happens.
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
            let path = concat!("tests/scenes/saga_", stringify!($name));
            goldenscript::run(&mut Theatre::default(), path).expect("the scene plays as written");
        })*

        const SCENES: &[&str] = &[$(stringify!($name)),*];
    };
}

scenes! {
    confirmed,
    compensated,
    cancelled,
    replica,
    takeover,
    choreography,
    semantic_lock,
    bug_no_idempotency,
    bug_lost_compensation,
    bug_compensate_unknown,
    bug_ack_before_journal,
    bug_no_fencing,
    bug_outbox_not_atomic,
    bug_oversell,
    bug_stuck_saga,
    bug_out_of_order_compensation,
}

#[test]
fn each_bug_has_its_scene() {
    for bug in quorate_targets::bugs::of("saga-orders") {
        let scene = format!("bug_{}", bug.name.replace('-', "_"));
        assert!(SCENES.contains(&scene.as_str()), "there is no {scene}");
        let path = format!("{}/tests/scenes/saga_{scene}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("the scene is a file");
        let shown = text.contains(&format!("beside={}", bug.name)) && text.contains("[correct]");
        assert!(shown, "{scene} does not show what {} changes", bug.name);
    }
}
