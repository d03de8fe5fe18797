//! The delay line in virtual time.

use super::*;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{self, Delay};

const MS: u64 = 1_000_000;

fn line() -> DelayLine {
    DelayLine::new(Seed(1).stream("test"))
}

/// A number between a length and 94 bytes more.
fn frame(number: u16) -> Bytes {
    let mut frame = vec![0, 0, 0, 96];
    frame.extend(number.to_be_bytes());
    frame.resize(100, 0);
    frame.into()
}

fn number(frame: &Bytes) -> u16 {
    u16::from_be_bytes([frame[4], frame[5]])
}

/// Admits numbered frames, one a millisecond, and tells which came out when (in milliseconds).
fn run(shaping: &Shaping, count: u16) -> Vec<(u64, u16)> {
    let mut line = line();
    let mut out = Vec::new();
    for at_ms in 0..u64::from(count) + 1000 {
        let now = Nanos(at_ms * MS);
        if at_ms < u64::from(count) {
            let _ = line.admit(&frame(at_ms as u16), now, shaping);
        }
        while let Some(waiting) = line.pop_due(now) {
            out.push((at_ms, number(&waiting.frame)));
        }
    }
    assert!(line.is_empty());
    out
}

fn numbers(out: &[(u64, u16)]) -> Vec<u16> {
    out.iter().map(|(_, number)| *number).collect()
}

#[test]
fn delays_keep_the_order_and_their_distribution() {
    let millis = sim::Nanos::from_millis;
    let (base, jitter) = (millis(50), millis(10));
    let out = run(&Shaping { delay: Delay::Uniform { base, jitter }, ..Shaping::default() }, 500);
    assert_eq!(numbers(&out), (0..500).collect::<Vec<_>>());
    let waits: Vec<u64> = out.iter().map(|(at, number)| at - u64::from(*number)).collect();
    assert!(waits.iter().all(|wait| (50..=61).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait >= 58), "jitter is drawn");

    let delay = Delay::Normal { mean: base, deviation: jitter };
    let out = run(&Shaping { delay, ..Shaping::default() }, 2000);
    assert_eq!(numbers(&out), (0..2000).collect::<Vec<_>>());
    // What is late makes wait what is behind it, so that few come early.
    let waits: Vec<u64> = out.iter().map(|(at, number)| at - u64::from(*number)).collect();
    let late = waits.iter().filter(|wait| **wait > 70).count();
    assert!((100..1000).contains(&late), "some wait for two deviations: {late}");
    assert!(waits.iter().all(|wait| *wait < 110), "none for six: {waits:?}");
}

#[test]
fn correlated_delays_repeat() {
    let (base, jitter) = (sim::Nanos::ZERO, sim::Nanos::from_secs(1));
    let repeats = |delay_correlation| {
        let delay = Delay::Uniform { base, jitter };
        let shaping = Shaping { delay, delay_correlation, ..Shaping::default() };
        let mut line = line();
        // So far apart that none waits for the one before.
        let waits = (0..2000).map(|at| at * 2_000 * MS).map(|now| {
            line.admit(&frame(0), Nanos(now), &shaping).unwrap();
            let due = line.next_due().unwrap();
            line.pop_due(due);
            due.0 - now
        });
        waits.collect::<Vec<u64>>().windows(2).filter(|pair| pair[0] == pair[1]).count()
    };
    assert_eq!(repeats(0.0), 0);
    assert!((420..580).contains(&repeats(0.25)), "{}", repeats(0.25));
}

#[test]
fn damaged_frames_differ_in_one_bit_of_their_bodies() {
    let shaping = Shaping { corrupt: 0.2, ..Shaping::default() };
    let mut line = line();
    let mut damaged = 0;
    for at in 0..2000 {
        let sent = frame(at);
        line.admit(&sent, Nanos(0), &shaping).unwrap();
        let waiting = line.pop_due(Nanos(u64::MAX)).unwrap();
        let bits = sent.iter().zip(&waiting.frame).map(|(a, b)| (a ^ b).count_ones());
        assert_eq!(bits.sum::<u32>(), u32::from(waiting.corrupted));
        assert_eq!(sent[..HEAD], waiting.frame[..HEAD], "its length is left alone");
        damaged += u32::from(waiting.corrupted);
    }
    assert!((330..470).contains(&damaged), "{damaged}");
    let always = Shaping { corrupt: 1.0, ..Shaping::default() };
    line.admit(&Bytes::from_static(&[0; HEAD]), Nanos(0), &always).unwrap();
    assert!(!line.pop_due(Nanos(u64::MAX)).unwrap().corrupted, "an empty frame has no bits");
}

#[test]
fn loss_duplication_and_reordering_have_their_rates() {
    let lossy = run(&Shaping { loss: 0.2, ..Shaping::default() }, 2000);
    assert!((1520..1680).contains(&lossy.len()), "{}", lossy.len());

    let twice = run(&Shaping { duplicate: 0.2, ..Shaping::default() }, 2000);
    assert!((2320..2480).contains(&twice.len()), "{}", twice.len());
    let mut each = numbers(&twice);
    each.dedup();
    assert_eq!(each.len(), 2000, "none is lost, copies follow at once");

    let mixed = numbers(&run(&Shaping { reorder: 0.2, ..Shaping::default() }, 2000));
    let overtaken = mixed.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((200..450).contains(&overtaken), "{overtaken}");
    let mut sorted = mixed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..2000).collect::<Vec<_>>(), "none is lost or doubled");
}

#[test]
fn a_limited_link_sends_as_fast_as_it_may() {
    let out = run(&Shaping { bytes_per_s: Some(50_000), ..Shaping::default() }, 100);
    let (last, number) = out[99];
    assert_eq!((last, number), (200, 99), "10,000 bytes at 50 bytes a millisecond");
}

#[test]
fn held_frames_come_out_in_order_and_the_line_is_bounded() {
    let mut line = line();
    for number in 0..10 {
        line.hold(frame(number), Nanos(u64::from(number))).unwrap();
    }
    assert_eq!(line.next_due(), None);
    assert!(line.pop_due(Nanos(1 << 60)).is_none());
    line.release(Nanos(77));
    assert_eq!(line.next_due(), Some(Nanos(77)));
    let out: Vec<_> = std::iter::from_fn(|| line.pop_due(Nanos(77))).map(|w| w.arrived.0).collect();
    assert_eq!(out, (0..10).collect::<Vec<_>>());

    let huge = Bytes::from(vec![0; BYTES_MAX / 2 + 1]);
    assert_eq!(line.hold(huge.clone(), Nanos(0)), Ok(()));
    assert_eq!(line.hold(huge.clone(), Nanos(0)), Err(Fate::Overflow));
    assert_eq!(line.drain().count(), 1);
    assert_eq!(line.hold(huge, Nanos(0)), Ok(()), "what was drained no longer counts");
}

#[test]
fn the_stream_decides_what_is_lost() {
    let shaping = Shaping { loss: 0.5, reorder: 0.5, duplicate: 0.1, ..Shaping::default() };
    assert_eq!(run(&shaping, 200), run(&shaping, 200));
}
