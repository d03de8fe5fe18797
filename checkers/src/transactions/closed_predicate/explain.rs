//! Why one transaction comes before another, in words.

use super::links::Link;
use super::versions::{State, Version};
use super::{Universe, is_write, predicate_of};
use crate::transactions::graph::Why;
use crate::transactions::step::Step;
use crate::transactions::table::{Action, KeyId, Table, TxnId};
use crate::transactions::words;
use serde_json::{Value as Json, json};

/// The evidence for an edge of data between `a` and `b`.
pub(in crate::transactions) fn explain(
    table: &Table,
    universe: &Universe,
    a: u32,
    b: u32,
    why: Why,
) -> Option<Step> {
    let mut found: Option<Link> = None;
    let mut take = |link: Link| {
        if (link.source, link.target, link.why) == (a, b, why) && found.is_none() {
            found = Some(link);
        }
    };
    match why {
        Why::Ww => {
            let ops = table.ops(TxnId(b)).iter().filter(|op| is_write(op.action));
            ops.for_each(|op| universe.writes_of(op.key, &mut take));
        }
        Why::Wr | Why::Wrp => universe.reads_of(table, b, &mut take),
        _ => universe.reads_of(table, a, &mut take),
    }
    let link = found?;
    let tale = Tale { table, universe, link };
    let step = Step::of(why, link.key, tale.text()?);
    let step = step.values(link.before.map(|at| tale.json(at)), link.after.map(|at| tale.json(at)));
    let writer = |version: Option<usize>| Some(tale.version(version?)?.writer?.1);
    Some(match why {
        Why::Wr | Why::Wrp => match writer(link.before) {
            Some(from) => step.at(from, link.op),
            None => step,
        },
        Why::Ww => step.at(writer(link.before)?, link.op),
        _ => step.at(link.op, writer(link.after)?),
    })
}

struct Tale<'a> {
    table: &'a Table,
    universe: &'a Universe,
    link: Link,
}

impl Tale<'_> {
    fn version(&self, at: usize) -> Option<Version> {
        self.universe.key(self.link.key).map(|key| key.versions[at])
    }

    fn json(&self, at: usize) -> Json {
        match self.version(at) {
            Some(Version { state: State::Row(value), .. }) => self.table.value_json(value),
            Some(Version { writer: Some(_), .. }) => json!("dead"),
            _ => json!("unborn"),
        }
    }

    /// `{who}'s insert of x = 4`.
    fn deed(&self, who: &str, at: usize) -> Option<String> {
        let (txn, op) = self.version(at)?.writer?;
        let key = self.table.key_words(self.link.key);
        Some(match self.table.ops(TxnId(txn))[op].action {
            Action::Insert(value) => {
                format!("{who}'s insert of {key} = {}", self.table.value_words(value))
            }
            Action::Write(value) => {
                format!("{who}'s write of {key} = {}", self.table.value_words(value))
            }
            Action::Init(value) => {
                format!("{who}'s initial row {key} = {}", self.table.value_words(value))
            }
            _ => format!("{who}'s delete of {key}"),
        })
    }

    fn predicate(&self, reader: u32) -> String {
        let op = self.table.ops(TxnId(reader))[self.link.op];
        words::value(predicate_of(self.table.key(op.key)))
    }

    fn text(&self) -> Option<String> {
        let Link { source, target, why, key, before, after, op } = self.link;
        let name = self.table.key_words(key);
        Some(match why {
            Why::Ww => {
                format!("{} came after {}", self.deed("{b}", after?)?, self.deed("{a}", before?)?)
            }
            Why::Wrp => format!(
                "{{b}} read by predicate {} and did not find {name}, which {} explains",
                self.predicate(target),
                self.deed("{a}", before?)?
            ),
            Why::Rwp => format!(
                "{{a}} read by predicate {} and did not see {}",
                self.predicate(source),
                self.deed("{b}", after?)?
            ),
            Why::Wr => match before.map(|at| self.version(at)) {
                Some(Some(Version { state: State::Absent, .. })) => {
                    format!("{{b}} found no {name} after {}", self.deed("{a}", before?)?)
                }
                Some(_) => format!("{{b}} read {}", self.deed("{a}", before?)?),
                None => format!("{{b}} read {}, which {{a}} wrote", self.read(target, op, key)?),
            },
            _ => match before.map(|at| self.version(at)) {
                Some(Some(Version { state: State::Row(value), .. })) => format!(
                    "{{a}} read {name} = {} and did not see {}",
                    self.table.value_words(value),
                    self.deed("{b}", after?)?
                ),
                _ => format!("{{a}} found no {name} and did not see {}", self.deed("{b}", after?)?),
            },
        })
    }

    /// `x = 4`, as a transaction read it.
    fn read(&self, txn: u32, op: usize, key: KeyId) -> Option<String> {
        let value = match self.table.ops(TxnId(txn))[op].action {
            Action::Read(value) => value,
            Action::ReadWhere(rows) => {
                self.table.rows(rows).iter().find(|row| row.0 == key).map(|row| row.1)?
            }
            _ => return None,
        };
        Some(format!("{} = {}", self.table.key_words(key), self.table.value_words(value)))
    }
}
