//! Scenes of the eventually consistent store as golden scripts: what is done, and under it what
//! then happens. `UPDATE_GOLDENFILES=1` writes the outputs anew. Those called `bug_*` play beside
//! a second cluster with a seeded bug, and where the two differ, both are shown.

mod stage;
mod words;

use stage::Theatre;

macro_rules! scenes {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            let path = concat!("tests/scenes/eventual_", stringify!($name));
            goldenscript::run(&mut Theatre::default(), path).expect("the scene plays as written");
        })*

        const SCENES: &[&str] = &[$(stringify!($name)),*];
    };
}

scenes! {
    read_repair,
    siblings,
    retry_after_restart,
    bug_drop_hints,
    bug_no_read_repair_no_anti_entropy,
    bug_lww_drops_concurrent,
    bug_resurrect_deleted,
    bug_counter_double_merge,
    bug_non_monotonic_session,
    bug_clock_skew_lww,
}

#[test]
fn each_bug_has_its_scene() {
    for bug in quorate_targets::bugs::of("eventual") {
        let scene = format!("bug_{}", bug.name.replace('-', "_"));
        assert!(SCENES.contains(&scene.as_str()), "there is no {scene}");
    }
}
