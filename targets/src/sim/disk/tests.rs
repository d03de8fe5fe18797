//! What a crash leaves of a journal.

use super::*;
use crate::seed::Seed;

fn disk(survival: Survival) -> Disk<u32> {
    let behaviour = DiskBehaviour { survival, ..DiskBehaviour::healthy(Delay::NONE) };
    let mut disk = Disk::new(behaviour, Seed(7).stream("disk/n1"));
    for record in 0..4 {
        disk.append(record).unwrap();
    }
    disk.begin_sync();
    for record in 4..8 {
        disk.append(record).unwrap();
    }
    disk
}

#[test]
fn a_sync_covers_what_was_written_when_it_began() {
    let mut disk = disk(Survival::Nothing);
    assert!(disk.end_sync().unwrap());
    assert_eq!(disk.power_goes(), 4);
    assert_eq!(disk.boot().unwrap(), [0, 1, 2, 3]);
}

#[test]
fn a_sync_that_has_not_ended_covers_nothing() {
    let mut disk = disk(Survival::Nothing);
    assert_eq!(disk.power_goes(), 8);
    assert_eq!(disk.boot().unwrap(), [0u32; 0]);
}

#[test]
fn survivors_are_a_prefix_and_any_prefix_can_survive() {
    let (mut lengths, mut torn) = (BTreeSet::new(), 0);
    for seed in 0..200 {
        let mut disk = disk(Survival::Prefix);
        disk.rng = Seed(seed).stream("disk/n1");
        disk.power_goes();
        torn += disk.damaged.len();
        let found = disk.boot().unwrap();
        assert!(found.iter().copied().eq(0..found.len() as u32));
        lengths.insert(found.len());
    }
    assert_eq!(lengths, (0..=8).collect());
    assert!((50..150).contains(&torn), "{torn} writes were torn, and cut off");
}

#[test]
fn a_rewrite_happens_or_does_not() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..100 {
        for power in [false, true] {
            let mut disk = disk(Survival::Prefix);
            disk.rng = Seed(seed).stream("disk/n1");
            disk.end_sync().unwrap();
            disk.replace(vec![100, 101]).unwrap();
            disk.append(102).unwrap();
            let _ = if power { disk.power_goes() } else { disk.process_dies() };
            outcomes.insert((power, disk.boot().unwrap()));
        }
    }
    let after = |power, records: &[u32]| outcomes.contains(&(power, records.to_vec()));
    assert!(after(true, &[100, 101]) && after(true, &[100, 101, 102]));
    assert!(after(false, &[0, 1, 2, 3, 4, 5, 6, 7]) && after(false, &[100, 101, 102]));
    let whole = |found: &[u32]| {
        found.iter().copied().eq(0..found.len() as u32)
            || found == [100, 101]
            || found == [100, 101, 102]
    };
    assert!(outcomes.iter().all(|(_, found)| whole(found)), "{outcomes:?}");
}

#[test]
fn the_death_of_a_process_loses_no_write() {
    let mut disk = disk(Survival::Nothing);
    assert_eq!(disk.process_dies(), 0);
    assert_eq!(disk.boot().unwrap().len(), 8);
}

#[test]
fn a_full_disk_takes_no_write_and_a_rewrite_makes_room() {
    let mut disk = disk(Survival::Nothing);
    disk.behaviour.room = Some(8);
    assert_eq!(disk.append(9), Err(DiskError::Full));
    disk.replace(vec![1]).unwrap();
    assert_eq!(disk.append(9), Ok(()));
}

#[test]
fn damage_in_the_middle_stops_the_boot_and_at_the_end_is_cut_off() {
    let mut disk = disk(Survival::Everything);
    disk.power_goes();
    assert_eq!(disk.flip(Some(3)), Some(5));
    assert_eq!(disk.boot(), Err(DiskError::Corrupt { record: 5, records: 8 }));
    disk.repair();
    assert_eq!(disk.flip(Some(0)), Some(8));
    assert_eq!(disk.boot().unwrap().len(), 7);
    assert_eq!(disk.flip(Some(7)), None);
}

#[test]
fn a_failed_sync_and_a_stuck_one() {
    let mut disk = disk(Survival::Nothing);
    disk.behaviour.stuck = true;
    assert_eq!(disk.end_sync(), Ok(false));
    assert!(disk.is_syncing());
    disk.behaviour = DiskBehaviour { stuck: false, fail: Ppm::ALWAYS, ..disk.behaviour };
    assert_eq!(disk.end_sync(), Err(DiskError::SyncFailed));
    disk.sync_failed();
    assert!(disk.boot().unwrap().len() <= 8);
}
