//! What the names of anomalies mean, each in one line.

/// The definition of a kind of anomaly, if it is a known one.
pub(super) fn of(kind: &str) -> Option<&'static str> {
    let known = DEFINITIONS.binary_search_by_key(&kind, |(name, _)| name).ok()?;
    Some(DEFINITIONS[known].1)
}

/// Sorted by name.
const DEFINITIONS: &[(&str, &str)] = &[
    (
        "G-single",
        "A cycle of dependencies with exactly one anti-dependency: a transaction saw some, not all, of another's effects (read skew).",
    ),
    (
        "G0",
        "A cycle of write dependencies: transactions overwrote each other in opposite orders (dirty write).",
    ),
    ("G1a", "A transaction read a value that an aborted transaction wrote (aborted read)."),
    (
        "G1b",
        "A transaction read a value that its writer overwrote before it committed (intermediate read).",
    ),
    (
        "G1c",
        "A cycle of write and read dependencies: transactions each observed the other's effects (circular information flow).",
    ),
    (
        "G2",
        "A cycle of dependencies with an anti-dependency: no serial order explains what was read.",
    ),
    (
        "G2-item",
        "A cycle of dependencies with at least two anti-dependencies on items: no serial order explains what was read (write skew).",
    ),
    ("below-zero", "More was taken of a balance or a stock than there was."),
    ("changed-after-end", "An order that had come to its end was shown with another one later."),
    (
        "dirty-read",
        "A read showed what an order had taken that was undone later, though locks were to hide it.",
    ),
    ("duplicate", "One request took effect more than once."),
    ("duplicate-apply", "One request took effect more than once."),
    (
        "duplicate-effect",
        "One step of an order took effect more than once, or was undone without having been done.",
    ),
    (
        "incompatible-order",
        "Reads of one object show two orders of its elements of which neither begins with the other.",
    ),
    ("internal", "A transaction read something that contradicts its own earlier operations."),
    (
        "leftover-effect",
        "An order did not get through, and something that was done for it was never undone.",
    ),
    ("lost", "A confirmed write is gone: a later read that must see it does not."),
    ("lost-order", "An order that was acknowledged is not there any more."),
    (
        "lost-update",
        "Two transactions read the same version and both wrote: one update was overwritten unseen.",
    ),
    ("lost-write", "A confirmed write is gone: a later read that must see it does not."),
    ("missing-effect", "An order is confirmed, and not everything that belongs to it was done."),
    (
        "node-died",
        "A node ended by itself although nobody had killed it; the database or the machine may be at fault.",
    ),
    (
        "nonlinearizable",
        "No order of the operations, each taking effect at one moment between its beginning and its end, explains all answers.",
    ),
    (
        "not-conserved",
        "Money or goods do not add up: what there was at first is not what is left and what was taken.",
    ),
    (
        "not-linearizable",
        "No order of the operations, each taking effect at one moment between its beginning and its end, explains all answers.",
    ),
    ("orphan-effect", "Something was done for an order that no book has."),
    ("phantom-order", "An order was shown before anybody had placed it."),
    ("phantom-read", "A read returned a value that nobody had written by then."),
    ("phantom-value", "A read returned a value that nobody had written by then."),
    ("split-brain", "Two nodes acted as leader at once, and each confirmed operations."),
    ("stale-read", "A read returned a value that had been replaced before the read began."),
    ("stuck-saga", "An order did not come to an end although every fault was healed."),
    (
        "unavailable-after-heal",
        "After every fault was healed, some nodes did not answer again within the limit.",
    ),
    ("went-back", "A read showed an order less far than an earlier one had shown it."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_found() {
        for (name, definition) in DEFINITIONS {
            assert_eq!(of(name), Some(*definition));
        }
        assert_eq!(of("no-such-anomaly"), None);
    }
}
