//! A randomized soak: clusters of 3 and 5 nodes under partitions of all kinds, loss, doubling
//! and reordering of messages, loss of power with what was not synced, and pauses. After every
//! event the invariants of the paper's figure 3 are checked, in the end the clients' history
//! against the committed log, and whether a healed cluster serves again. The correct node
//! survives; each seeded bug is caught.

mod clients;
mod faults;
mod judge;

use clients::Clients;
use faults::Faults;
use quorate_targets::bugs::Bug;
use quorate_targets::raft::RaftKv;
use quorate_targets::raft::invariants::Invariants;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{
    Delay, Detail, DiskBehaviour, Nanos, Observed, Setup, Sometimes, Survival, World,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

type Cluster = World<RaftKv, Invariants>;

/// How long faults are injected, in virtual time.
const TROUBLE: Nanos = Nanos::from_secs(6);
/// How long the healed cluster has to serve again.
const PEACE: Nanos = Nanos::from_secs(5);

/// How long the clients are silent in the end, so that all that was answered is settled.
const QUIET: Nanos = Nanos::from_millis(500);

/// What alarms are for.
#[derive(Clone, Copy, Debug)]
enum Alarm {
    Fault,
    Client(usize),
    Timeout(usize, quorate_targets::sim::Token),
}

/// One run. An error says what was found.
fn soak(seed: u64, bugs: &[Bug]) -> Result<Sometimes, String> {
    let seed = Seed(seed);
    let mut rng = seed.stream("soak");
    let sessions = [5, 4096][rng.random_range(0..2)];
    let setup = draw_setup(&mut rng, bugs).with_option("sessions", &sessions.to_string());
    let mut world =
        Cluster::observed(seed, setup, Invariants::default()).map_err(|why| why.to_string())?;
    let mut clients = Clients::new(seed, &mut rng);
    let mut faults = Faults::new(seed);
    let mut alarms: Vec<Alarm> = Vec::new();
    clients.begin(&mut world, &mut alarms);
    faults.plan(&mut world, &mut alarms);
    drive(&mut world, &mut clients, Some(&mut faults), &mut alarms, TROUBLE)?;
    Faults::heal(&mut world);
    clients.served = 0;
    drive(&mut world, &mut clients, None, &mut alarms, TROUBLE + PEACE)?;
    clients.stop();
    drive(&mut world, &mut clients, None, &mut alarms, TROUBLE + PEACE + QUIET)?;
    if clients.served == 0 {
        return Err("no progress after all was healed".to_owned());
    }
    judge::judge(&clients.operations, world.observer().committed(), sessions)?;
    Ok(world.observer().sometimes().clone())
}

fn draw_setup(rng: &mut ChaCha8Rng, bugs: &[Bug]) -> Setup {
    let mut setup = Setup::new(if rng.random_bool(0.5) { 3 } else { 5 });
    setup.detail = Detail::Digest;
    setup.disk = DiskBehaviour {
        survival: if rng.random_bool(0.5) { Survival::Nothing } else { Survival::Prefix },
        ..DiskBehaviour::healthy(Delay::Uniform {
            base: Nanos::from_micros(100),
            jitter: Nanos::from_millis(rng.random_range(1..10)),
        })
    };
    let every = ["4", "20", "100"][rng.random_range(0..3)];
    let setup = setup.with_option("snapshot-every", every);
    bugs.iter().fold(setup, |setup, bug| setup.with_bug(*bug))
}

fn drive(
    world: &mut Cluster,
    clients: &mut Clients,
    mut faults: Option<&mut Faults>,
    alarms: &mut Vec<Alarm>,
    until: Nanos,
) -> Result<(), String> {
    while let Some(observed) = world.poll(until).map_err(|stop| stop.to_string())? {
        match observed {
            Observed::Wake(number) => match (alarms[number as usize], &mut faults) {
                (Alarm::Fault, Some(faults)) => faults.strike(world, alarms),
                (Alarm::Fault, None) => {}
                (Alarm::Client(client), _) => clients.ask(client, world, alarms),
                (Alarm::Timeout(client, token), _) => clients.give_up(client, token, world, alarms),
            },
            Observed::Response { token, response, .. } => {
                clients.answered(token, &response, world, alarms);
            }
            Observed::Refused { token, .. } => clients.lost(token, true, world, alarms),
            Observed::Lost { token, .. } => clients.lost(token, false, world, alarms),
            Observed::Stopped { node, why } => return Err(format!("{node} stopped: {why}")),
        }
    }
    Ok(())
}

/// Sets an alarm so far from now.
fn alarm(world: &mut Cluster, alarms: &mut Vec<Alarm>, after: Duration, what: Alarm) {
    alarms.push(what);
    let at = world.now() + Nanos(after.as_nanos() as u64);
    world.wake_at(at, alarms.len() as u64 - 1);
}

/// How many seeds a test takes; `SOAK_SEEDS` in the environment asks for more or fewer.
fn seeds(default: u64) -> u64 {
    std::env::var("SOAK_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn the_correct_node_survives() {
    let mut seen = Sometimes::default();
    for seed in 0..seeds(300) {
        match soak(seed, &[]) {
            Ok(sometimes) => seen.merge(&sometimes),
            Err(why) => panic!("seed {seed}: {why}"),
        }
    }
    let never: Vec<&str> = seen.never().collect();
    assert!(never.is_empty(), "never seen: {never:?}");
    for (state, count) in seen.iter() {
        eprintln!("{count:>9} {state}");
    }
}

/// The bug is found within so many seeds.
fn caught(bug: Bug, within: u64) {
    let found = (0..seeds(within)).find_map(|seed| Some((seed, soak(seed, &[bug]).err()?)));
    match found {
        Some((seed, why)) => eprintln!("{bug:?}: seed {seed}: {why}"),
        None => panic!("{bug:?} was not caught"),
    }
}

#[test]
fn stale_read_is_caught() {
    caught(Bug::StaleRead, 50);
}

#[test]
fn follower_read_is_caught() {
    caught(Bug::FollowerRead, 50);
}

#[test]
fn ack_before_commit_is_caught() {
    caught(Bug::AckBeforeCommit, 50);
}

#[test]
fn ack_before_sync_is_caught() {
    caught(Bug::AckBeforeSync, 50);
}

#[test]
fn forget_vote_is_caught() {
    caught(Bug::ForgetVote, 1000);
}

#[test]
fn minority_quorum_is_caught() {
    caught(Bug::MinorityQuorum, 50);
}

#[test]
fn no_log_check_is_caught() {
    caught(Bug::NoLogCheck, 200);
}

#[test]
fn double_apply_is_caught() {
    caught(Bug::DoubleApply, 50);
}

#[test]
fn commit_prior_term_is_caught() {
    caught(Bug::CommitPriorTerm, 1000);
}

#[test]
fn lose_snapshot_tail_is_caught() {
    caught(Bug::LoseSnapshotTail, 50);
}

#[test]
fn keep_vote_is_caught() {
    caught(Bug::KeepVote, 50);
}
