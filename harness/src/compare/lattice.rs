//! The rows of a comparison: models, and which is stronger than which.

use quorate_checkers::consistency::Model;
use quorate_checkers::session;
use quorate_checkers::transactions::TxnModel;

/// What a history holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Single reads, writes and compare-and-sets of registers.
    Registers,
    /// Transactions.
    Transactions,
    /// Any other object: linearizability alone.
    Object,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// The next weaker models, by name.
    pub weaker: Vec<&'static str>,
    /// Whose model it is.
    pub family: Family,
}

impl Row {
    /// Whether a model of one family is one of another too: linearizability.
    pub fn families_share(&self, other: Family) -> bool {
        self.name == Model::Linearizable.name() && other != Family::Transactions
    }
}

/// All models of these families, stronger ones before weaker ones.
pub fn rows(families: &[Family]) -> Vec<Row> {
    let mut rows = Vec::new();
    if families.contains(&Family::Transactions) {
        rows.extend(transactions());
    }
    if families.contains(&Family::Registers) {
        rows.extend(registers());
    } else if families.contains(&Family::Object) {
        rows.extend(registers().into_iter().take(1).map(|row| Row { weaker: Vec::new(), ..row }));
    }
    rows
}

/// The models of one family.
pub fn of(family: Family) -> Vec<Row> {
    rows(&[family])
}

/// The session guarantees ask for one order of the writes of each key for all, as causal
/// convergence does and neither causal memory nor PRAM do.
fn registers() -> Vec<Row> {
    let family = Family::Registers;
    let models = Model::ALL.into_iter().map(|model| {
        let mut weaker: Vec<&str> = model.weaker().iter().map(|weaker| weaker.name()).collect();
        if model == Model::CausalConvergence {
            weaker.push(session::ALL_FOUR);
        }
        Row { name: model.name(), about: model.about(), weaker, family }
    });
    let guarantees = session::MODELS.map(|(name, about)| {
        let four = name == session::ALL_FOUR;
        let each = session::MODELS.into_iter().map(|(each, _)| each);
        let weaker = each.filter(|each| four && *each != name).collect();
        Row { name, about, weaker, family }
    });
    models.chain(guarantees).collect()
}

fn transactions() -> Vec<Row> {
    let decided = TxnModel::all().filter(|model| model.is_decided_by_anomalies());
    decided
        .map(|model| Row {
            name: model.name(),
            about: model.about(),
            weaker: model
                .weaker()
                .filter(|weaker| weaker.is_decided_by_anomalies())
                .map(TxnModel::name)
                .collect(),
            family: Family::Transactions,
        })
        .collect()
}

/// How far below the strongest models each row stands: below all that are stronger.
pub fn depths(rows: &[Row]) -> Vec<usize> {
    let mut depths = vec![0; rows.len()];
    for _ in rows {
        for at in 0..rows.len() {
            for weaker in rows.iter().enumerate().filter(|(_, row)| stands_below(&rows[at], row)) {
                depths[weaker.0] = depths[weaker.0].max(depths[at] + 1);
            }
        }
    }
    depths
}

/// Whether `below` is the next weaker model of `above`.
pub fn stands_below(above: &Row, below: &Row) -> bool {
    above.family == below.family && above.weaker.contains(&below.name)
}

/// Whether one model is weaker than another, however many lie between.
pub fn is_weaker(rows: &[Row], strong: &Row, weak: &Row) -> bool {
    rows.iter().any(|row| {
        stands_below(strong, row) && (row.name == weak.name || is_weaker(rows, row, weak))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stronger_models_stand_above_weaker_ones() {
        let rows = rows(&[Family::Registers, Family::Transactions]);
        let depths = depths(&rows);
        for (at, strong) in rows.iter().enumerate() {
            for (below, weak) in rows.iter().enumerate() {
                if stands_below(strong, weak) {
                    assert!(at < below && depths[at] < depths[below], "{strong:?} {weak:?}");
                }
            }
        }
    }
}
