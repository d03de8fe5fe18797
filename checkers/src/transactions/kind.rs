//! The anomalies by name, and which of them are special cases of others.
//!
//! A cycle of dependencies is named after its edges. `G0` has only write-write edges, `G1c` also
//! write-read; `G-single` has exactly one read-write edge, `G-nonadjacent` several of which no
//! two follow each other, `G2` several anyhow; `-item` says that no predicate was involved.
//! A suffix `-process` or `-realtime` says that the cycle needs the order of a session, or that
//! of real time. (Adya, *Weak Consistency*, 1999; Kingsbury and Alvaro, *Elle*, VLDB 2020.)

use crate::verdict::Anomaly;
use std::fmt;
use std::sync::LazyLock;

macro_rules! kinds {
    ($($variant:ident $name:literal $about:literal $([$($implied:ident)+])?;)*) => {
        /// A kind of anomaly.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum AnomalyKind {
            $(#[doc = $about] $variant,)*
        }

        impl AnomalyKind {
            /// All of them, the plainest first.
            pub const ALL: &[AnomalyKind] = &[$(AnomalyKind::$variant,)*];

            /// Its name in the field.
            pub fn name(self) -> &'static str {
                match self { $(AnomalyKind::$variant => $name,)* }
            }

            /// What it is, in one line.
            pub fn about(self) -> &'static str {
                match self { $(AnomalyKind::$variant => $about,)* }
            }

            /// What each history with this anomaly has too, one step further.
            fn implied(self) -> &'static [AnomalyKind] {
                match self { $(AnomalyKind::$variant => &[$($(AnomalyKind::$implied,)+)?],)* }
            }
        }
    };
}

kinds! {
    GarbageRead "garbage-read" "a read returned what nobody ever wrote";
    DuplicateElements "duplicate-elements" "a read returned a list with one element twice";
    CyclicVersions "cyclic-versions" "the versions of a key come before each other";
    IncompatibleOrder "incompatible-order" "two reads of a key disagree on the order of its elements" [G1a];
    DirtyUpdate "dirty-update" "a committed write stands on top of an aborted one" [G1a];
    G1a "G1a" "aborted read: a read returned what an aborted transaction wrote" [G1];
    G1b "G1b" "intermediate read: a read returned what its writer had yet to overwrite" [G1];
    Internal "internal" "a transaction disagrees with its own earlier reads and writes";
    FutureRead "future-read" "a transaction read what it wrote only later" [G1c];
    LostUpdate "lost-update" "two transactions read one version of a key and both replaced it" [G2Item WriteSkew];
    WriteSkew "write-skew" "two transactions each wrote what the other had read" [G2];
    PredicateReadMiss "predicate-read-miss" "a read by predicate did not find what it must have found, or found what does not match";
    GCursor "G-cursor" "an update of a key was lost between reading and writing it";
    GMonotonic "G-monotonic" "a transaction saw another's effects, and then did not";
    GUpdate "G-update" "updates alone are not serializable";
    GMsr "G-MSR" "reads by predicate do not come from a monotonic snapshot";
    GSIa "G-SIa" "a dependency without the order of start and commit that it needs" [GSI];
    GSIb "G-SIb" "missed effects: a cycle with one read-write edge, start order included" [GSI];
    GSI "G-SI" "snapshot isolation's own phenomena";
    G1 "G1" "a read of what never was committed, or circular information flow" [G1Process];
    G0 "G0" "dirty write: a cycle of writes over writes" [G1c G0Process];
    G1c "G1c" "circular information flow: a cycle of writes over and reads of each other's writes" [G1 G1cProcess];
    GSingleItem "G-single-item" "read skew: a cycle with exactly one read of what another overwrote" [GNonadjacentItem GSingle GSingleItemProcess];
    GSingle "G-single" "read skew: a cycle with exactly one read of what another overwrote, predicates included" [GNonadjacent GSIb GSingleProcess];
    GNonadjacentItem "G-nonadjacent-item" "a cycle with reads of what others overwrote, none next to another" [GNonadjacent G2Item GNonadjacentItemProcess];
    GNonadjacent "G-nonadjacent" "a cycle with reads of what others overwrote, none next to another, predicates included" [G2 GNonadjacentProcess];
    G2Item "G2-item" "a cycle with two or more reads of what others overwrote; write skew is the smallest" [G2 G2ItemProcess];
    G2 "G2" "a cycle with reads of what others overwrote, predicates included" [G2Process];
    G0Process "G0-process" "a cycle of writes over writes and the order of a session" [G1cProcess G0Realtime];
    G1Process "G1-process" "a phenomenon G1 with the order of a session" [G1Realtime];
    G1cProcess "G1c-process" "circular information flow with the order of a session" [G1Process G1cRealtime];
    GSingleItemProcess "G-single-item-process" "read skew with the order of a session" [GNonadjacentItemProcess GSingleProcess GSingleItemRealtime];
    GSingleProcess "G-single-process" "read skew with the order of a session, predicates included" [GNonadjacentProcess GSingleRealtime];
    GNonadjacentItemProcess "G-nonadjacent-item-process" "non-adjacent reads of what others overwrote, with the order of a session" [GNonadjacentProcess G2ItemProcess GNonadjacentItemRealtime];
    GNonadjacentProcess "G-nonadjacent-process" "non-adjacent reads of what others overwrote, with the order of a session, predicates included" [G2Process GNonadjacentRealtime];
    G2ItemProcess "G2-item-process" "reads of what others overwrote, with the order of a session" [G2Process G2ItemRealtime];
    G2Process "G2-process" "reads of what others overwrote, with the order of a session, predicates included" [G2Realtime];
    G0Realtime "G0-realtime" "a cycle of writes over writes and real time" [G1cRealtime];
    G1Realtime "G1-realtime" "a phenomenon G1 with real time";
    G1cRealtime "G1c-realtime" "circular information flow with real time" [G1Realtime];
    GSingleItemRealtime "G-single-item-realtime" "read skew with real time: a stale read is the smallest" [GNonadjacentItemRealtime GSingleRealtime];
    GSingleRealtime "G-single-realtime" "read skew with real time, predicates included" [GNonadjacentRealtime];
    GNonadjacentItemRealtime "G-nonadjacent-item-realtime" "non-adjacent reads of what others overwrote, with real time" [GNonadjacentRealtime G2ItemRealtime];
    GNonadjacentRealtime "G-nonadjacent-realtime" "non-adjacent reads of what others overwrote, with real time, predicates included" [G2Realtime];
    G2ItemRealtime "G2-item-realtime" "reads of what others overwrote, with real time" [G2Realtime];
    G2Realtime "G2-realtime" "reads of what others overwrote, with real time, predicates included";
    CycleRu "PL-1-cycle-exists" "a cycle that read uncommitted forbids, not shown within the budget";
    CycleRc "PL-2-cycle-exists" "a cycle that read committed forbids, not shown within the budget";
    CycleSi "PL-SI-cycle-exists" "a cycle that snapshot isolation forbids, not shown within the budget";
    CycleRr "PL-2.99-cycle-exists" "a cycle that repeatable read forbids, not shown within the budget";
    CycleSer "PL-3-cycle-exists" "a cycle that serializability forbids, not shown within the budget";
    CycleRuProcess "strong-session-PL-1-cycle-exists" "a cycle that strong session read uncommitted forbids, not shown within the budget";
    CycleRcProcess "strong-session-PL-2-cycle-exists" "a cycle that strong session read committed forbids, not shown within the budget";
    CycleSiProcess "strong-session-snapshot-isolation-cycle-exists" "a cycle that strong session snapshot isolation forbids, not shown within the budget";
    CycleSerProcess "strong-session-serializable-cycle-exists" "a cycle that strong session serializability forbids, not shown within the budget";
    CycleRuRealtime "strong-PL-1-cycle-exists" "a cycle that strong read uncommitted forbids, not shown within the budget";
    CycleRcRealtime "strong-PL-2-cycle-exists" "a cycle that strong read committed forbids, not shown within the budget";
    CycleSiRealtime "strong-snapshot-isolation-cycle-exists" "a cycle that strong snapshot isolation forbids, not shown within the budget";
    CycleSerRealtime "PL-SS-cycle-exists" "a cycle that strict serializability forbids, not shown within the budget";
}

/// Closures over implication, one set for each kind.
static IMPLIED: LazyLock<Vec<KindSet>> = LazyLock::new(|| {
    let mut closed: Vec<KindSet> =
        AnomalyKind::ALL.iter().map(|kind| KindSet::EMPTY.with(*kind)).collect();
    loop {
        let before = closed.clone();
        for kind in AnomalyKind::ALL {
            for next in kind.implied() {
                let more = closed[*next as usize];
                closed[*kind as usize] = closed[*kind as usize].or(more);
            }
        }
        if closed == before {
            return closed;
        }
    }
});

impl AnomalyKind {
    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<AnomalyKind> {
        let old = match name {
            "GSI" => "G-SI",
            "GSIa" => "G-SIa",
            "GSIb" => "G-SIb",
            name => name,
        };
        AnomalyKind::ALL.iter().copied().find(|kind| kind.name() == old)
    }

    /// The kind of a reported anomaly.
    pub fn of(anomaly: &Anomaly) -> Option<AnomalyKind> {
        AnomalyKind::from_name(&anomaly.kind)
    }

    /// All kinds that each history with this anomaly has, itself included.
    pub fn implies(self) -> KindSet {
        IMPLIED[self as usize]
    }

    /// All kinds with which a history has this one, itself included: what a group name such as
    /// `G1` or `G2` stands for.
    pub fn implied_by(self) -> KindSet {
        let those = AnomalyKind::ALL.iter().filter(|kind| kind.implies().contains(self));
        those.copied().collect()
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(u64);

const _: () = assert!(AnomalyKind::ALL.len() <= 64, "a kind is a bit");

impl KindSet {
    /// No kind at all.
    pub const EMPTY: KindSet = KindSet(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, kind: AnomalyKind) -> KindSet {
        KindSet(self.0 | 1 << kind as u8)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: KindSet) -> KindSet {
        KindSet(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: KindSet) -> KindSet {
        KindSet(self.0 & other.0)
    }

    /// Whether `kind` is in it.
    pub const fn contains(self, kind: AnomalyKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Whether nothing is.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its kinds, in the order of [`AnomalyKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = AnomalyKind> {
        AnomalyKind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }

    /// With all that its kinds imply.
    #[must_use]
    pub fn closed(self) -> KindSet {
        self.iter().fold(KindSet::EMPTY, |all, kind| all.or(kind.implies()))
    }
}

impl FromIterator<AnomalyKind> for KindSet {
    fn from_iter<I: IntoIterator<Item = AnomalyKind>>(kinds: I) -> KindSet {
        kinds.into_iter().fold(KindSet::EMPTY, KindSet::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for kind in AnomalyKind::ALL {
            assert_eq!(AnomalyKind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(AnomalyKind::from_name("G7"), None);
    }

    #[test]
    fn groups_hold_their_special_cases() {
        let names = |kind: AnomalyKind| -> Vec<_> {
            kind.implied_by().iter().map(AnomalyKind::name).collect()
        };
        assert_eq!(names(AnomalyKind::G0), ["G0"]);
        assert_eq!(
            names(AnomalyKind::G1),
            ["incompatible-order", "dirty-update", "G1a", "G1b", "future-read", "G1", "G0", "G1c"]
        );
        assert_eq!(names(AnomalyKind::GSingle), ["G-single-item", "G-single"]);
        assert!(AnomalyKind::G0.implies().contains(AnomalyKind::G1cRealtime));
        assert!(!AnomalyKind::G2Item.implies().contains(AnomalyKind::GSingleItem));
    }
}
