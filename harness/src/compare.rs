//! Which models histories keep, side by side: one row a model, one column a history.
//!
//! A column is judged by the models of what it holds: single operations on registers by those of
//! [`quorate_checkers::consistency`], transactions by the lattice of transactions, other objects
//! by linearizability alone. Columns of runs of targets also say how much of the service was left
//! while faults were in force ([`service`]).

pub mod column;
pub mod lattice;
pub mod page;
pub mod service;
pub mod text;
mod transactions;

use column::{Cell, Column};
use lattice::{Family, Row};
use serde_json::{Map, Value, json};

/// Columns and the rows that they need.
#[derive(Debug)]
pub struct Comparison {
    /// Models, stronger ones above weaker ones.
    pub rows: Vec<Row>,
    /// Histories, in the order in which they were named.
    pub columns: Vec<Column>,
}

impl Comparison {
    /// Puts columns together. Two of one name are told apart by a number.
    pub fn of(mut columns: Vec<Column>) -> Comparison {
        for at in 1..columns.len() {
            let (before, rest) = columns.split_at_mut(at);
            let same = before.iter().filter(|column| column.name == rest[0].name).count();
            if same > 0 {
                rest[0].name = format!("{} ({})", rest[0].name, same + 1);
            }
        }
        let families: Vec<Family> = columns.iter().map(|column| column.family).collect();
        Comparison { rows: lattice::rows(&families), columns }
    }

    /// The cell of a model and a column; none where the model means nothing for the column.
    pub fn cell<'a>(&self, row: &Row, column: &'a Column) -> Option<&'a Cell> {
        (row.family == column.family || row.families_share(column.family))
            .then(|| column.cells.get(row.name))
            .flatten()
    }

    /// The same as the table says, for programs.
    pub fn to_json(&self) -> Value {
        let models: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let cells: Map<String, Value> = self
                    .columns
                    .iter()
                    .filter_map(|column| {
                        Some((column.name.clone(), self.cell(row, column)?.to_json()))
                    })
                    .collect();
                let weaker = &row.weaker;
                json!({"model": row.name, "about": row.about, "weaker": weaker, "columns": cells})
            })
            .collect();
        let columns: Vec<Value> = self.columns.iter().map(Column::to_json).collect();
        json!({"models": models, "columns": columns})
    }
}
