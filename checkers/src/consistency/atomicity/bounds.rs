//! Bounds of k, from below and from above, in O(n log n).

use super::{NEVER, Touch};

/// A write with the time in which it must take effect: not before it began, and not after it or
/// the first read of it ended.
#[derive(Clone, Copy, Debug)]
struct Written {
    begin: u32,
    latest: u32,
    /// What it saw, where it is a compare-and-set.
    read: Option<u32>,
}

/// The operations of a key on one line of time.
#[derive(Debug)]
pub(super) struct Line<'a> {
    touches: &'a [Touch],
    /// By number; the initial one took effect before everything.
    writes: Vec<Written>,
}

/// So often chains of compare-and-sets are gone through to put each behind what it saw.
const ROUNDS_MAX: u32 = 8;

impl<'a> Line<'a> {
    /// `None` if a read ended before the write that it saw began.
    pub(super) fn of(touches: &'a [Touch], versions: usize) -> Option<Line<'a>> {
        let initial = Written { begin: 0, latest: 0, read: None };
        let mut writes = vec![initial; versions];
        for touch in touches {
            if let Some(number) = touch.write {
                let Touch { begin, end, read, .. } = *touch;
                writes[number as usize] = Written { begin, latest: end, read };
            }
        }
        for touch in touches {
            let Some(seen) = touch.read else { continue };
            let seen = &mut writes[seen as usize];
            if seen.begin > touch.end {
                return None;
            }
            seen.latest = seen.latest.min(touch.end);
        }
        Some(Line { touches, writes })
    }

    /// No fewer versions explain the history: writes whose whole time lies between the latest
    /// moment of a write and the beginning of a read that sees it come between the two.
    pub(super) fn below(&self) -> u32 {
        let mut inner: Vec<(u32, u32)> = self.writes[1..]
            .iter()
            .filter(|write| write.latest != NEVER)
            .map(|write| (write.latest, write.begin))
            .collect();
        inner.sort_unstable();
        let mut begins: Vec<u32> = inner.iter().map(|(_, begin)| *begin).collect();
        begins.sort_unstable();
        let mut reads: Vec<(u32, u32)> = self
            .touches
            .iter()
            .filter_map(|touch| Some((touch.begin, self.writes[touch.read? as usize].latest)))
            .collect();
        reads.sort_unstable();
        let mut counts = Counts::new(begins.len());
        let mut ended = inner.into_iter().peekable();
        let mut most = 0;
        for (begin, latest) in reads {
            while let Some((_, began)) = ended.next_if(|(end, _)| *end < begin) {
                counts.add(begins.partition_point(|other| *other < began));
            }
            most = most.max(counts.from(begins.partition_point(|other| *other <= latest)));
        }
        most + 1
    }

    /// So many versions suffice, by some orders; `None` if none of these is right.
    pub(super) fn above(&self) -> Option<u32> {
        let earliest = |write: &Written| write.begin;
        let latest = |write: &Written| write.latest;
        let middle = |write: &Written| match write.latest {
            NEVER => write.begin,
            latest => u32::midpoint(write.begin, latest),
        };
        let tries = [self.by(earliest), self.by(latest), self.by(middle)];
        tries.into_iter().flatten().min()
    }

    /// How many versions suffice if each write takes effect at this time; `None` if some
    /// compare-and-set then comes before what it saw.
    fn by(&self, moment: impl Fn(&Written) -> u32) -> Option<u32> {
        // The lower half orders what happens at one event: what was seen first.
        let mut moments: Vec<u64> =
            self.writes.iter().map(|write| u64::from(moment(write)) << 32).collect();
        moments[0] = 0;
        let mut rounds = 0;
        loop {
            let mut moved = false;
            for number in 1..self.writes.len() {
                let Some(seen) = self.writes[number].read else { continue };
                let behind = moments[seen as usize] + 1;
                if moments[number] < behind {
                    moments[number] = behind;
                    moved = true;
                }
            }
            if !moved {
                break;
            }
            rounds += 1;
            if rounds == ROUNDS_MAX {
                return None;
            }
        }
        let late = |(write, moment): (&Written, &u64)| (*moment >> 32) as u32 > write.latest;
        if self.writes.iter().zip(&moments).any(late) {
            return None;
        }
        let mut order: Vec<(u64, usize)> = moments.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let mut place = vec![0; order.len()];
        for (at, (_, number)) in order.iter().enumerate() {
            place[*number] = at;
        }
        let most = self.touches.iter().filter_map(|touch| {
            let seen = touch.read? as usize;
            let begin = u64::from(touch.begin) << 32;
            let last = match touch.write {
                // Its own write comes right behind it.
                Some(own) => place[own as usize] - 1,
                None if begin <= moments[seen] => place[seen],
                None => order.partition_point(|(moment, _)| *moment <= begin) - 1,
            };
            Some((last - place[seen]) as u32)
        });
        Some(most.max().unwrap_or(0) + 1)
    }
}

/// How many of some places were added, from a place on (Fenwick, 1994).
struct Counts(Vec<u32>);

impl Counts {
    fn new(places: usize) -> Counts {
        Counts(vec![0; places + 1])
    }

    fn add(&mut self, place: usize) {
        // Mirrored, so that prefixes of the tree are suffixes of the places.
        let mut at = self.0.len() - 1 - place;
        while at < self.0.len() {
            self.0[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    fn from(&self, place: usize) -> u32 {
        let mut at = self.0.len() - 1 - place.min(self.0.len() - 1);
        let mut sum = 0;
        while at > 0 {
            sum += self.0[at];
            at -= at & at.wrapping_neg();
        }
        sum
    }
}
