//! Violations in a sentence.

use super::super::register::OPEN;
use super::super::words::{CHECKER, of_key};
use super::zones::Flaw;
use crate::history::{Event, OpIndex};
use crate::value::Value;
use crate::verdict::Anomaly;
use serde_json::Map;

/// Where a violation was found: the operation whose completion completed it.
pub(super) struct Where<'a> {
    pub(super) key: Option<&'a Value>,
    /// The index of its invocation, plus one.
    pub(super) begin: u32,
    pub(super) event: &'a Event,
}

impl Where<'_> {
    /// The anomaly, with the events that show it.
    pub(super) fn tell(&self, flaw: &Flaw) -> Anomaly {
        let begin = self.begin - 1;
        let (what, others) = match flaw {
            Flaw::Gone(value) => (
                format!(
                    "observed {value}, which nobody can have written, or which had certainly been \
                     overwritten before it began"
                ),
                vec![],
            ),
            Flaw::Failed(value) => {
                (format!("did not take effect, yet its value {value} had been observed"), vec![])
            }
            Flaw::Twice(value) => {
                (format!("needs {value} to be replaced by two compare-and-sets"), vec![])
            }
            Flaw::Circle(value) => (
                format!("needs {value}, which compare-and-sets made of each other's values"),
                vec![],
            ),
            Flaw::Inside(value, over_at) => (
                format!(
                    "observed {value}, but an operation that ended (index {}) before it began \
                     had seen what replaced that value",
                    over_at - 1
                ),
                vec![*over_at],
            ),
            Flaw::Between(value, rival) => (
                format!(
                    "has to do with {value}, which must come before another value, since that one \
                     was used by an operation that began late (index {}), and after it, since that \
                     one was used by an operation that ended early (index {})",
                    rival.last_begin - 1,
                    rival.first_end.saturating_sub(1)
                ),
                vec![rival.first_end, rival.last_begin],
            ),
            Flaw::Contradiction(value) => {
                (format!("was refused although it found the {value} that it asked for"), vec![])
            }
        };
        let times = others.into_iter().chain([self.begin, self.event.index.0 + 1]);
        let mut ops: Vec<OpIndex> =
            times.filter(|time| (1..OPEN).contains(time)).map(|time| OpIndex(time - 1)).collect();
        ops.sort_unstable();
        ops.dedup();
        let (f, end, key) = (&self.event.f, self.event.index, of_key(self.key));
        Anomaly {
            kind: "nonlinearizable".into(),
            checker: CHECKER.into(),
            explanation: format!("The {f}{key} (index {begin} to {end}) {what}."),
            ops,
            evidence: Map::new(),
        }
    }
}
