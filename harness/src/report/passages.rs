//! Time on paper with the dull parts left out: stretches in which something happens are drawn to
//! one scale, and what lies between two of them is a marked break.

/// Room of a break.
pub(super) const BREAK: f64 = 46.0;
/// A stretch is never narrower.
const STRETCH_MIN: f64 = 18.0;
/// How long the middle one of the spans is to be.
const SPAN_WIDTH: f64 = 58.0;
/// A gap that would be wider than this is a break.
const GAP_MAX: f64 = 110.0;

/// A span so many times as long as the middle one is long.
const LONG: u64 = 10;

/// A stretch of time that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) begin: u64,
    pub(super) end: u64,
    /// Its left and right edges.
    pub(super) x: f64,
    pub(super) to: f64,
}

/// Where moments lie.
#[derive(Clone, Debug)]
pub(super) struct Passages {
    stretches: Vec<Stretch>,
}

impl Passages {
    /// So that all of the spans are seen, from `left` on and at most `width` wide, if the breaks
    /// alone are not wider.
    pub(super) fn new(spans: &[(u64, u64)], left: f64, width: f64) -> Passages {
        let spans = &ends_of_long_ones(spans);
        let mut lengths: Vec<u64> =
            spans.iter().map(|(begin, end)| end - begin).filter(|length| *length > 0).collect();
        lengths.sort_unstable();
        let median = lengths.get(lengths.len() / 2).copied().unwrap_or(1);
        let mut scale = SPAN_WIDTH / median as f64;
        loop {
            let passages = Passages::at_scale(spans, left, scale);
            let breaks = BREAK * passages.stretches.len() as f64;
            let least = STRETCH_MIN * passages.stretches.len() as f64;
            if passages.right() - left <= width.max(breaks + least) || scale < 1e-12 {
                return passages;
            }
            scale *= 0.8;
        }
    }

    /// As wide as `scale` says, in units a nanosecond.
    fn at_scale(spans: &[(u64, u64)], left: f64, scale: f64) -> Passages {
        let mut spans = spans.to_vec();
        spans.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (begin, end) in spans {
            match merged.last_mut() {
                Some(last) if begin.saturating_sub(last.1) as f64 * scale <= GAP_MAX => {
                    last.1 = last.1.max(end);
                }
                _ => merged.push((begin, end)),
            }
        }
        let mut x = left;
        let stretch = |(begin, end): (u64, u64)| {
            let to = x + ((end - begin) as f64 * scale).max(STRETCH_MIN);
            let stretch = Stretch { begin, end, x, to };
            x = to + BREAK;
            stretch
        };
        Passages { stretches: merged.into_iter().map(stretch).collect() }
    }

    /// The stretches, from left to right.
    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// The right edge.
    pub(super) fn right(&self) -> f64 {
        self.stretches.last().map_or(0.0, |last| last.to)
    }

    /// The first and the last moment.
    pub(super) fn extent(&self) -> (u64, u64) {
        let first = self.stretches.first().map_or(0, |first| first.begin);
        (first, self.stretches.last().map_or(0, |last| last.end))
    }

    /// Where a moment lies; within a break, moments keep their order.
    pub(super) fn x(&self, ns: u64) -> f64 {
        let place = self.stretches.partition_point(|stretch| stretch.end < ns);
        let Some(stretch) = self.stretches.get(place) else { return self.right() };
        let share = |begin: u64, end: u64| {
            ns.saturating_sub(begin) as f64 / end.saturating_sub(begin).max(1) as f64
        };
        if ns >= stretch.begin {
            return stretch.x + share(stretch.begin, stretch.end) * (stretch.to - stretch.x);
        }
        match place.checked_sub(1).and_then(|before| self.stretches.get(before)) {
            Some(before) => before.to + share(before.end, stretch.begin) * BREAK,
            None => stretch.x,
        }
    }
}

/// Spans that are much longer than most need not be drawn whole: their two ends will do.
fn ends_of_long_ones(spans: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut lengths: Vec<u64> = spans.iter().map(|(begin, end)| end - begin).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    let long = |(begin, end): &(u64, u64)| end - begin > median.saturating_mul(LONG).max(1);
    spans
        .iter()
        .flat_map(|span| if long(span) { [(span.0, span.0), (span.1, span.1)] } else { [*span; 2] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_apart_is_broken_and_all_has_one_scale() {
        let spans = [(0, 1_000), (1_500, 2_500), (1_000_000, 1_002_000)];
        let passages = Passages::new(&spans, 10.0, 4_000.0);
        let [one, two] = passages.stretches() else { panic!("{passages:?}") };
        assert_eq!((one.begin, one.end, two.begin, two.end), (0, 2_500, 1_000_000, 1_002_000));
        let scale =
            |stretch: &Stretch| (stretch.to - stretch.x) / (stretch.end - stretch.begin) as f64;
        assert!((scale(one) - scale(two)).abs() < 1e-9);
        let moments = [0, 700, 2_500, 400_000, 999_999, 1_001_000, 1_002_000, u64::MAX];
        let places: Vec<f64> = moments.iter().map(|at| passages.x(*at)).collect();
        assert!(places.is_sorted() && places[0] >= 10.0, "{places:?}");
    }

    #[test]
    fn it_is_as_wide_as_it_may_be() {
        let spans: Vec<(u64, u64)> = (0..200).map(|i| (i * 1_300, i * 1_300 + 1_000)).collect();
        assert!(Passages::new(&spans, 0.0, 2_000.0).right() <= 2_000.0);
        assert_eq!(Passages::new(&[], 0.0, 100.0).stretches(), []);
        assert_eq!(Passages::new(&[(5, 5)], 0.0, 100.0).extent(), (5, 5));
    }
}
