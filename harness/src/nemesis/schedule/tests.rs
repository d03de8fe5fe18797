//! Laws of schedules, over many seeds.

use super::*;
use proptest::prelude::*;

fn nodes(n: u16) -> Vec<NodeId> {
    (1..=n).map(NodeId).collect()
}

fn of_kind(kind: FaultKind, plan: &[Scheduled]) -> Vec<Scheduled> {
    let names = match kind {
        FaultKind::Partition => ["start-partition", "stop-partition"],
        FaultKind::Kill => ["kill", "start"],
        FaultKind::Pause => ["pause", "resume"],
        FaultKind::Packet => ["start-packet", "stop-packet"],
        FaultKind::Clock => ["start-clock", "stop-clock"],
    };
    plan.iter().filter(|s| names.contains(&s.action.f())).cloned().collect()
}

const INTERVAL: Duration = Duration::from_secs(4);
const RUN: Duration = Duration::from_secs(20);

proptest! {
    #[test]
    fn a_schedule_is_sorted_flips_and_flops_and_fits_the_run(
        seed: u64, n in 2u16..=25, interval_ms in 1u64..8000, duration_ms in 0u64..60_000,
    ) {
        let interval = Duration::from_millis(interval_ms);
        let duration = Duration::from_millis(duration_ms);
        let plan = schedule(&FaultKind::ALL, interval, duration, &nodes(n), Seed(seed));
        prop_assert!(plan.is_sorted_by_key(|s| s.at_ms));
        prop_assert!(plan.iter().all(|s| s.at_ms <= duration_ms));
        for kind in FaultKind::ALL {
            let mine = of_kind(kind, &plan);
            let count = (duration_ms / interval_ms).clamp(1, EVENTS_MAX);
            prop_assert_eq!(mine.len() as u64, count);
            for (i, scheduled) in mine.iter().enumerate() {
                let f = scheduled.action.f();
                let starts = f.starts_with("start-") || ["kill", "pause"].contains(&f);
                prop_assert_eq!(starts, i % 2 == 0);
            }
        }
    }

    #[test]
    fn a_seed_decides_and_kinds_do_not_disturb_each_other(seed: u64, n in 1u16..=9) {
        let nodes = nodes(n);
        let all = schedule(&FaultKind::ALL, INTERVAL, RUN, &nodes, Seed(seed));
        prop_assert_eq!(&all, &schedule(&FaultKind::ALL, INTERVAL, RUN, &nodes, Seed(seed)));
        for kind in FaultKind::ALL {
            let alone = schedule(&[kind], INTERVAL, RUN, &nodes, Seed(seed));
            prop_assert_eq!(alone, of_kind(kind, &all));
        }
    }
}

#[test]
fn a_short_run_has_several_faults_of_each_kind() {
    for seed in 0..200 {
        let plan = schedule(&FaultKind::ALL, INTERVAL, RUN, &nodes(5), Seed(seed));
        for kind in FaultKind::ALL {
            let starts = of_kind(kind, &plan).into_iter().step_by(2);
            assert_eq!(starts.count(), 3, "{kind} with seed {seed}");
        }
    }
}

#[test]
fn gaps_keep_their_mean_and_their_spread() {
    let mut rng = Seed(7).stream("gaps");
    let mut gaps = Vec::new();
    for _ in 0..500 {
        let times = times_ms(INTERVAL, RUN, &mut rng);
        gaps.extend(times.windows(2).map(|pair| pair[1] - pair[0]));
    }
    let mean = gaps.iter().sum::<u64>() / gaps.len() as u64;
    assert!((3000..3700).contains(&mean), "20 s over six gaps, not {mean} ms");
    assert!(gaps.iter().any(|gap| *gap < 500) && gaps.iter().any(|gap| *gap > 6500));
}

#[test]
fn every_shape_and_aim_is_used_before_one_is_used_again() {
    let long = INTERVAL * 18;
    let plan = schedule(&[FaultKind::Partition], INTERVAL, long, &nodes(7), Seed(3));
    let mut shapes: Vec<String> = plan
        .into_iter()
        .filter_map(|s| match s.action {
            Action::StartPartition { shape, .. } => Some(shape),
            _ => None,
        })
        .collect();
    assert_eq!(shapes.len(), Shape::ALL.len());
    shapes.sort();
    shapes.dedup();
    assert_eq!(shapes.len(), Shape::ALL.len());
}

#[test]
fn one_node_alone_can_be_killed_but_not_partitioned() {
    let plan = schedule(&FaultKind::ALL, INTERVAL, RUN, &nodes(1), Seed(1));
    assert!(of_kind(FaultKind::Partition, &plan).is_empty());
    assert_eq!(of_kind(FaultKind::Kill, &plan).len(), 5);
    assert!(schedule(&[], INTERVAL, RUN, &nodes(5), Seed(1)).is_empty());
}

#[test]
fn very_long_runs_have_longer_gaps_and_say_so() {
    let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
    assert_eq!(mean_gap(second, Duration::from_mins(1)), second);
    let gap = mean_gap(second, day);
    assert!(gap > second);
    let mut rng = Seed(7).stream("nemesis/kill");
    let times = times_ms(second, day, &mut rng);
    let mean = day.as_millis() as usize / times.len();
    assert!((mean as u128).abs_diff(gap.as_millis()) <= 1, "{mean} ms, {gap:?}");
}
