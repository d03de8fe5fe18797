//! What a run costs: user CPU, and memory at its peak.

use nix::sys::resource::{UsageWho, getrusage};
use peak_alloc::PeakAlloc;
use std::time::Duration;

/// Counts every byte that is allocated.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Batches of runs; the cheapest counts, since whatever else the machine does only adds.
const BATCHES: u32 = 3;
/// A batch repeats short runs until the clock can tell.
const BATCH: Duration = Duration::from_millis(200);

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User CPU of all threads.
    pub(crate) cpu: Duration,
    /// The most that was allocated at a time, besides what was there before.
    pub(crate) bytes: usize,
    /// What was still allocated at the end: the result.
    #[allow(dead_code, reason = "not every bench asks")]
    pub(crate) kept: usize,
}

/// Runs `work` again and again; what it gave, and what one run costs.
pub(crate) fn measure<T>(work: impl Fn() -> T) -> (T, Cost) {
    let (result, first) = once(&work);
    if first.cpu > 10 * BATCH {
        return (result, first);
    }
    let runs = (BATCH.as_micros() / first.cpu.as_micros().max(2)).max(1) as u32;
    let batch = || {
        let start = user();
        for _ in 0..runs {
            std::hint::black_box(work());
        }
        user().saturating_sub(start) / runs
    };
    let cpu = (0..BATCHES).map(|_| batch()).min().unwrap_or(first.cpu);
    (result, Cost { cpu, ..first })
}

/// Runs `work` once.
pub(crate) fn once<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let start = user();
    let result = work();
    let cpu = user().saturating_sub(start);
    let beyond = |bytes: usize| bytes.saturating_sub(before);
    let (bytes, kept) = (beyond(ALLOCATOR.peak_usage()), beyond(ALLOCATOR.current_usage()));
    (result, Cost { cpu, bytes, kept })
}

fn user() -> Duration {
    let used = getrusage(UsageWho::RUSAGE_SELF).expect("the system counts").user_time();
    Duration::new(used.tv_sec() as u64, used.tv_usec() as u32 * 1000)
}
