//! Consistency models, which is stronger than which, and what each forbids.
//!
//! A model forbids what all weaker models forbid, and whatever implies that. So a set of
//! anomalies tells which models a history cannot satisfy: the weakest of these say most.
//!
//! The table is after Adya's thesis, Bailis et al. *Highly Available Transactions*, Cerone et al.
//! *A Framework for Transactional Consistency Models*, and Elle's collection of them.

use super::kind::{AnomalyKind, KindSet};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

struct Row {
    name: &'static str,
    synonyms: &'static [&'static str],
    /// The next weaker models.
    weaker: &'static [&'static str],
    /// What it forbids beyond these.
    forbids: &'static [&'static str],
    about: &'static str,
}

macro_rules! row {
    (
        $name:literal $([$($synonym:literal)*])?
        > [$($weaker:literal)*]
        ! [$($kind:literal)*]
        $about:literal
    ) => {
        Row {
            name: $name,
            synonyms: &[$($($synonym,)*)?],
            weaker: &[$($weaker,)*],
            forbids: &[$($kind,)*],
            about: $about,
        }
    };
}

const ROWS: &[Row] = &[
    row!("strict-serializable" ["strong-serializable" "PL-SS"]
        > ["serializable" "linearizable" "session-serializable" "strong-session-serializable" "strong-snapshot-isolation"]
        ! ["G1" "G1c-realtime" "G2-realtime" "PL-SS-cycle-exists"]
        "all transactions as if one after the other, in an order that agrees with real time"),
    row!("strong-session-serializable" > ["serializable" "strong-session-snapshot-isolation"]
        ! ["G1-process" "G2-process" "strong-session-serializable-cycle-exists"]
        "all transactions as if one after the other, those of a session in its order"),
    row!("serializable" ["conflict-serializable" "PL-3"]
        > ["repeatable-read" "update-serializable" "snapshot-isolation" "view-serializable"]
        ! ["G1" "G2" "PL-3-cycle-exists" "internal" "predicate-read-miss"]
        "all transactions as if one after the other, in some order"),
    row!("view-serializable" > [] ! []
        "the reads of some serial order, whatever the order of writes nobody read"),
    row!("session-serializable" > ["1SR"] ! []
        "serializable over replicas, with the order of each session"),
    row!("1SR" > [] ! [] "serializable as if there were one copy of the data"),
    row!("update-serializable" ["PL-3U"] > ["forward-consistent-view"] ! ["G-update" "G1"]
        "updates are serializable; each read-only transaction sees a serial order of its own"),
    row!("strong-snapshot-isolation" > ["strong-session-snapshot-isolation" "strong-read-committed"]
        ! ["G-nonadjacent-realtime" "G1-realtime" "internal" "strong-snapshot-isolation-cycle-exists"]
        "snapshots that hold all that was committed before they were taken"),
    row!("strong-session-snapshot-isolation" > ["snapshot-isolation" "strong-session-read-committed"]
        ! ["G-nonadjacent-process" "G1-process" "internal" "strong-session-snapshot-isolation-cycle-exists"]
        "snapshots that hold all that their own session has committed"),
    row!("snapshot-isolation" ["PL-SI"]
        > ["forward-consistent-view" "monotonic-snapshot-read" "monotonic-atomic-view" "parallel-snapshot-isolation" "prefix"]
        ! ["G-SI" "G-nonadjacent" "G1" "PL-SI-cycle-exists" "internal"]
        "reads come from one snapshot; of two that write one key at a time, one commits"),
    row!("repeatable-read" ["PL-2.99"] > ["cursor-stability" "monotonic-atomic-view"]
        ! ["G1" "G2-item" "PL-2.99-cycle-exists" "lost-update"]
        "serializable but for predicates"),
    row!("forward-consistent-view" ["PL-FCV"] > ["consistent-view"] ! ["G-SIb" "G1"]
        "consistent views that may look ahead of their start"),
    row!("consistent-view" ["PL-2+"] > ["monotonic-view" "cursor-stability"] ! ["G-single" "G1"]
        "each transaction sees a consistent state: no read skew"),
    row!("monotonic-view" ["PL-2L"] > ["read-committed"] ! ["G-monotonic" "G1"]
        "what a transaction sees of another it goes on to see"),
    row!("cursor-stability" ["PL-CS"] > ["read-committed"] ! ["G-cursor" "G1" "lost-update"]
        "nobody writes what a cursor stands on"),
    row!("monotonic-snapshot-read" ["PL-MSR"] > ["read-committed"] ! ["G-MSR" "G1"]
        "each statement reads a snapshot, later ones no older"),
    row!("parallel-snapshot-isolation" > ["causal-cerone" "update-atomic"] ! ["G1a" "internal"]
        "snapshot isolation whose snapshots may order unrelated commits differently"),
    row!("prefix" > ["causal-cerone"] ! ["G1a" "internal"]
        "each snapshot is a prefix of one order of commits"),
    row!("update-atomic" > ["read-atomic"] ! ["lost-update"] "atomic reads, and no lost update"),
    row!("causal-cerone" > ["read-atomic"] ! ["G1a" "internal"]
        "who sees a transaction sees all that it saw"),
    row!("read-atomic" > ["monotonic-atomic-view"] ! ["G1a" "future-read" "internal"]
        "who sees one write of a transaction sees them all"),
    row!("monotonic-atomic-view" > ["read-committed"] ! []
        "who has seen one effect of a transaction goes on to see them all"),
    row!("strong-read-committed" ["strong-PL-2"]
        > ["strong-read-uncommitted" "strong-session-read-committed"]
        ! ["G1c-realtime" "strong-PL-2-cycle-exists"]
        "read committed, with writes and reads of writes in real time"),
    row!("strong-session-read-committed" ["strong-session-PL-2"]
        > ["read-committed" "strong-session-read-uncommitted"]
        ! ["G1c-process" "strong-session-PL-2-cycle-exists"]
        "read committed, with the order of each session"),
    row!("read-committed" ["PL-2"] > ["read-uncommitted"] ! ["G1" "PL-2-cycle-exists"]
        "only what was committed is read, and information does not flow in circles"),
    row!("strong-read-uncommitted" ["strong-PL-1"] > ["strong-session-read-uncommitted"]
        ! ["G0-realtime" "strong-PL-1-cycle-exists"]
        "writes in an order that agrees with real time"),
    row!("strong-session-read-uncommitted" ["strong-session-PL-1"] > ["read-uncommitted"]
        ! ["G0-process" "strong-session-PL-1-cycle-exists"]
        "writes in an order that agrees with each session"),
    row!("read-uncommitted" ["PL-1"] > []
        ! ["G0" "PL-1-cycle-exists" "cyclic-versions" "duplicate-elements" "garbage-read"]
        "the writes of transactions are not interleaved"),
    row!("linearizable" > ["sequential"] ! []
        "each operation takes effect at one moment between invocation and completion"),
    row!("sequential" > ["causal"] ! []
        "one order of all operations that keeps the order of each process"),
    row!("causal" > ["writes-follow-reads" "PRAM"] ! []
        "operations in an order that keeps what caused what, for each process its own"),
    row!("PRAM" > ["monotonic-reads" "monotonic-writes" "read-your-writes"] ! []
        "all see the writes of each process in its order"),
    row!("writes-follow-reads" > [] ! [] "who sees a write sees what its writer had seen"),
    row!("monotonic-reads" > [] ! [] "a process never sees less than before"),
    row!("monotonic-writes" > [] ! [] "a process's writes are seen in its order"),
    row!("read-your-writes" > [] ! [] "a process sees its own writes"),
];

/// Models that hold exactly if none of the kinds that [`TxnModel::contradicted_by`] names is there,
/// all of which are looked for. Parallel snapshot isolation is the absence of cycles with at most
/// one read of what was overwritten (Cerone, Gotsman and Yang, *Transaction Chopping for Parallel
/// Snapshot Isolation*, DISC 2015). What is missing here is defined by visibility, or by phenomena
/// for which there is no name in a history of reads and writes.
const EXACT: [&str; 15] = [
    "strict-serializable",
    "strong-session-serializable",
    "serializable",
    "strong-snapshot-isolation",
    "strong-session-snapshot-isolation",
    "snapshot-isolation",
    "repeatable-read",
    "consistent-view",
    PARALLEL_SI,
    "strong-read-committed",
    "strong-session-read-committed",
    "read-committed",
    "strong-read-uncommitted",
    "strong-session-read-uncommitted",
    "read-uncommitted",
];

const PARALLEL_SI: &str = "parallel-snapshot-isolation";

/// A consistency model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxnModel(u8);

/// A name that no model has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no model `{0}`")]
pub struct NoSuchTxnModel(pub String);

/// A set of models.
type Set = u64;

struct Lattice {
    by_name: BTreeMap<&'static str, u8>,
    /// For each model itself and all weaker ones.
    implied: Vec<Set>,
    /// For each model the kinds that it forbids, those that only imply such a kind included.
    forbidden: Vec<KindSet>,
}

const _: () = assert!(ROWS.len() <= 64, "a model is a bit");

static LATTICE: LazyLock<Lattice> = LazyLock::new(|| {
    let mut by_name = BTreeMap::new();
    for (at, row) in ROWS.iter().enumerate() {
        for name in row.synonyms.iter().chain([&row.name]) {
            by_name.insert(*name, at as u8);
        }
    }
    let mut implied: Vec<Set> = (0..ROWS.len()).map(|at| 1 << at).collect();
    loop {
        let before = implied.clone();
        for (at, row) in ROWS.iter().enumerate() {
            for weaker in row.weaker.iter().filter_map(|name| by_name.get(name)) {
                implied[at] |= implied[*weaker as usize];
            }
        }
        if implied == before {
            break;
        }
    }
    let direct = |row: &Row| {
        let kinds = row.forbids.iter().filter_map(|name| AnomalyKind::from_name(name));
        kinds.fold(KindSet::EMPTY, |all, kind| all.or(kind.implied_by()))
    };
    let forbidden = implied
        .iter()
        .map(|set| bits(*set).fold(KindSet::EMPTY, |all, at| all.or(direct(&ROWS[at]))))
        .collect();
    Lattice { by_name, implied, forbidden }
});

fn bits(set: Set) -> impl Iterator<Item = usize> {
    (0..64).filter(move |at| set & 1 << at != 0)
}

/// What a set of anomalies says of all models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boundary {
    /// The weakest models that cannot hold.
    pub not: Vec<TxnModel>,
    /// The other ones that cannot hold: each is stronger than one of those.
    pub also_not: Vec<TxnModel>,
    /// The strongest models that may hold.
    pub strongest: Vec<TxnModel>,
}

impl TxnModel {
    /// All models, the strongest first.
    pub fn all() -> impl Iterator<Item = TxnModel> {
        (0..ROWS.len() as u8).map(TxnModel)
    }

    /// What is judged if nothing else is asked for.
    pub fn strict_serializable() -> TxnModel {
        TxnModel(0)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        ROWS[self.0 as usize].name
    }

    /// Its other names.
    pub fn synonyms(self) -> &'static [&'static str] {
        ROWS[self.0 as usize].synonyms
    }

    /// The next weaker models.
    pub fn weaker(self) -> impl Iterator<Item = TxnModel> {
        let names = ROWS[self.0 as usize].weaker.iter();
        names.filter_map(|name| LATTICE.by_name.get(name).copied().map(TxnModel))
    }

    /// What it is, in one line.
    pub fn about(self) -> &'static str {
        ROWS[self.0 as usize].about
    }

    /// The kinds of anomaly that a history of this model cannot have.
    pub fn forbids(self) -> KindSet {
        LATTICE.forbidden[self.0 as usize]
    }

    /// The kinds of anomaly that break it by its definition: those that it forbids, and for some
    /// models more than the lattice names.
    pub fn contradicted_by(self) -> KindSet {
        let parallel = LATTICE.by_name.get(PARALLEL_SI).copied().map(TxnModel);
        let more = [AnomalyKind::G1, AnomalyKind::GSingle];
        match parallel {
            Some(parallel) if self.implies(parallel) => {
                more.iter().fold(self.forbids(), |all, kind| all.or(kind.implied_by()))
            }
            _ => self.forbids(),
        }
    }

    /// Whether it holds where nothing contradicts it.
    pub fn is_exact(self) -> bool {
        EXACT.contains(&self.name())
    }

    /// Whether anomalies of transactions decide it; the models of single operations have
    /// checkers of their own.
    pub fn is_decided_by_anomalies(self) -> bool {
        !self.forbids().is_empty()
    }

    /// Whether each history of this model is one of `other` too.
    pub fn implies(self, other: TxnModel) -> bool {
        LATTICE.implied[self.0 as usize] & 1 << other.0 != 0
    }

    /// Which models a history with these anomalies can satisfy, and which it cannot.
    pub fn boundary(anomalies: KindSet) -> Boundary {
        let dead = |model: &TxnModel| !model.forbids().and(anomalies).is_empty();
        let impossible: Vec<TxnModel> = TxnModel::all().filter(dead).collect();
        let weakest = |model: &TxnModel| {
            !impossible.iter().any(|other| other != model && model.implies(*other))
        };
        let (not, also_not) = impossible.iter().partition(|model| weakest(model));
        let possible: Vec<TxnModel> = TxnModel::all()
            .filter(|model| model.is_decided_by_anomalies() && !dead(model))
            .collect();
        let strongest = |model: &&TxnModel| {
            !possible.iter().any(|other| other != *model && other.implies(**model))
        };
        let strongest = possible.iter().filter(strongest).copied().collect();
        Boundary { not, also_not, strongest }
    }
}

impl FromStr for TxnModel {
    type Err = NoSuchTxnModel;
    fn from_str(name: &str) -> Result<TxnModel, NoSuchTxnModel> {
        let found = LATTICE.by_name.get(name).copied().map(TxnModel);
        found.ok_or_else(|| NoSuchTxnModel(name.to_owned()))
    }
}

impl fmt::Display for TxnModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for TxnModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_only_what_exists() {
        for row in ROWS {
            for weaker in row.weaker {
                assert!(weaker.parse::<TxnModel>().is_ok(), "{weaker}");
            }
            for kind in row.forbids {
                assert!(AnomalyKind::from_name(kind).is_some(), "{kind}");
            }
            assert_eq!(row.name.parse::<TxnModel>().unwrap().name(), row.name);
        }
        assert_eq!("PL-SS".parse::<TxnModel>(), Ok(TxnModel::strict_serializable()));
        assert_eq!("strict".parse::<TxnModel>(), Err(NoSuchTxnModel("strict".into())));
    }

    fn names(models: &[TxnModel]) -> Vec<&'static str> {
        models.iter().map(|model| model.name()).collect()
    }

    #[test]
    fn write_skew_is_what_snapshot_isolation_lacks() {
        let boundary = TxnModel::boundary(KindSet::EMPTY.with(AnomalyKind::G2Item));
        assert_eq!(names(&boundary.not), ["repeatable-read"]);
        assert_eq!(
            names(&boundary.also_not),
            ["strict-serializable", "strong-session-serializable", "serializable"]
        );
        assert_eq!(
            names(&boundary.strongest),
            ["update-serializable", "strong-snapshot-isolation"]
        );
    }

    #[test]
    fn no_anomaly_leaves_the_strongest() {
        let boundary = TxnModel::boundary(KindSet::EMPTY);
        assert_eq!(names(&boundary.strongest), ["strict-serializable"]);
        assert!(boundary.not.is_empty() && boundary.also_not.is_empty());
    }

    #[test]
    fn stronger_models_forbid_more() {
        for strong in TxnModel::all() {
            for weak in TxnModel::all().filter(|weak| strong.implies(*weak)) {
                assert_eq!(strong.forbids().or(weak.forbids()), strong.forbids());
            }
        }
    }
}
