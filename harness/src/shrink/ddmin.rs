//! Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
//! IEEE TSE 2002), the part that takes away: chunks of a list are left out, first large ones,
//! then smaller ones, as long as the rest still fails. O(n log n) attempts for a list of n of
//! which a few matter, O(n²) at worst.

/// Reduces `items`; `attempt` says whether a list still fails, and keeps the best one itself.
pub(super) fn ddmin<S, T: Clone, E>(
    state: &mut S,
    mut items: Vec<T>,
    attempt: &mut impl FnMut(&mut S, &[T]) -> Result<bool, E>,
) -> Result<(), E> {
    if items.is_empty() || attempt(state, &[])? {
        return Ok(());
    }
    let mut size = items.len().div_ceil(2);
    loop {
        let mut reduced = false;
        let mut at = 0;
        while at < items.len() && items.len() > 1 {
            let end = (at + size).min(items.len());
            let rest: Vec<T> = [&items[..at], &items[end..]].concat();
            if attempt(state, &rest)? {
                items = rest;
                reduced = true;
            } else {
                at = end;
            }
        }
        if size == 1 && !reduced {
            return Ok(());
        }
        size = if reduced { size.min(items.len()) } else { size.div_ceil(2) }.max(1);
        if size == 1 && items.len() <= 1 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of 0..n if the run fails whenever all of `needed` are there, and the number
    /// of attempts.
    fn left(n: u32, needed: &[u32]) -> (Vec<u32>, usize) {
        let mut best: (Vec<u32>, usize) = ((0..n).collect(), 0);
        let mut attempt = |best: &mut (Vec<u32>, usize), list: &[u32]| -> Result<bool, ()> {
            best.1 += 1;
            let fails = needed.iter().all(|one| list.contains(one));
            if fails {
                best.0 = list.to_vec();
            }
            Ok(fails)
        };
        ddmin(&mut best, (0..n).collect(), &mut attempt).unwrap();
        best
    }

    #[test]
    fn only_what_is_needed_is_left() {
        for needed in [&[][..], &[0], &[9], &[3, 4], &[0, 5, 9], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            assert_eq!(left(10, needed).0, needed);
        }
        assert_eq!(left(0, &[]).0, [0; 0]);
        assert_eq!(left(1, &[0]).0, [0]);
    }

    #[test]
    fn few_of_many_are_found_fast() {
        let (left, attempts) = left(1_000, &[17, 500, 981]);
        assert_eq!(left, [17, 500, 981]);
        assert!(attempts < 150, "{attempts}");
    }
}
