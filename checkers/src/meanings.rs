//! What the names of anomalies mean, each in one line.

use crate::transactions::{self, AnomalyKind};

/// What an anomaly of this name is that a checker reports, if the name is known. Names of the
/// transactional checkers mean what [`AnomalyKind::about`] says; some of them mean something
/// else for single objects.
pub fn meaning(checker: &str, kind: &str) -> Option<&'static str> {
    let of_transactions = || AnomalyKind::from_name(kind).map(AnomalyKind::about);
    let of_objects = || {
        let known = MEANINGS.binary_search_by_key(&kind, |(name, _)| name).ok()?;
        Some(MEANINGS[known].1)
    };
    if [transactions::CHECKER, transactions::isolation::CHECKER].contains(&checker) {
        of_transactions().or_else(of_objects)
    } else {
        of_objects().or_else(of_transactions)
    }
}

/// Sorted by name.
const MEANINGS: &[(&str, &str)] = &[
    ("aborted-read", "a read returned what only a failed write would have written"),
    ("below-zero", "more was taken of a balance or a stock than there was"),
    ("causal-reverse", "a read saw a later write without the one before it"),
    ("causal-violation", "a transaction saw an effect without what had led to it"),
    ("changed-after-end", "an order that had come to its end was shown with another one later"),
    ("circular-cas", "compare-and-sets need each other's values before they come about"),
    ("contradictory-cas", "a compare-and-set was refused although it found what it asked for"),
    ("counter-out-of-bounds", "a counter shows what no order of the additions gives"),
    ("counter-wrong", "a counter shows a sum that the additions do not give"),
    (
        "dirty-read",
        "a read showed what an order had taken and gave back later, though locks were to hide it",
    ),
    ("diverged", "replicas disagree though nothing was written any more and all were healed"),
    ("duplicate-effect", "one step of an order took effect twice, or was undone and never done"),
    ("duplicate-increment", "two increments returned the same number"),
    ("duplicated", "what was added once was taken, or is there, twice"),
    ("duplicated-element", "a read shows an element more than once"),
    ("false-empty", "a container was found empty while something was in it all the time"),
    ("fractured-read", "a transaction saw one part of another's writes and not the other"),
    ("future-read", "a value was seen before the only write of it began"),
    ("incompatible-order", "two reads disagree on the order of the elements"),
    ("leftover-effect", "an order did not get through, and something done for it was never undone"),
    ("long-fork", "two reads saw two writes in opposite orders"),
    ("lost", "what was confirmed is gone: somebody must have seen it and did not"),
    ("lost-order", "an order that was acknowledged is not there any more"),
    ("lost-update", "an update is gone: another one went by as if it had never happened"),
    ("missing-effect", "an order is confirmed, and not all that belongs to it was done"),
    ("negative-value", "an account fell below zero"),
    ("nil-balance", "an account has no balance"),
    ("no-order", "no order of the transactions explains what they read"),
    ("node-died", "a node ended by itself although nobody had killed it"),
    ("non-monotonic", "a client saw a number smaller than one it had seen before"),
    ("non-monotonic-read", "a transaction saw newer state first and older state later"),
    ("non-repeatable-read", "a transaction read a key twice and saw two values"),
    (
        "nonlinearizable",
        "no order of the operations, each at one moment between its beginning and its end, \
         explains all answers",
    ),
    ("not-conserved", "money or goods do not add up to what was there at first"),
    ("orphan-effect", "something was done for an order that no book has"),
    ("phantom", "something was seen that nobody had added by then"),
    ("phantom-order", "an order was shown before anybody had placed it"),
    ("reordered", "things came out in another order than they must have gone in"),
    ("stale-read", "a read returned what had been replaced before the read began"),
    ("stale-snapshot", "a transaction began after another had ended and did not see it"),
    ("stale-snapshot-read", "a read returned something else than the transaction's snapshot holds"),
    ("stuck-saga", "an order did not come to its end although every fault was healed"),
    ("thin-air-read", "a read returned what nobody ever wrote"),
    ("time-goes-back", "a transaction's own timestamps contradict each other"),
    (
        "unavailable-after-heal",
        "after every fault was healed, some nodes did not serve again within the limit",
    ),
    ("unexpected-key", "a read shows an account that does not exist"),
    ("went-back", "a read showed an order less far than an earlier one had shown it"),
    ("write-conflict", "two transactions wrote one key at the same time and both committed"),
    ("wrong-total", "the balances do not add up to what was there at first"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_is_found() {
        for (name, meant) in MEANINGS {
            assert_eq!(meaning("linearizable", name), Some(*meant));
        }
        assert_eq!(meaning("linearizable", "no-such-anomaly"), None);
    }

    #[test]
    fn names_mean_what_their_checker_means() {
        let about = AnomalyKind::LostUpdate.about();
        assert_eq!(meaning(transactions::CHECKER, "lost-update"), Some(about));
        assert_ne!(meaning("linearizable", "lost-update"), Some(about));
        assert!(meaning("g2", "G2").is_some_and(|meant| meant.contains("overwrote")));
    }
}
