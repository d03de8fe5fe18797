//! Keys decided by the search over a model, for objects without an algorithm of their own.

use super::Outcome;
use super::call::Call;
use super::dead_end;
use super::key::{Algorithm, KeyContext, KeyReport};
use super::options::Unknown;
use super::search::{Found, search, search_until};
use crate::history::{EventType, OpView, Process};
use crate::model::Model;
use serde_json::Value as Json;

/// What an operation asked and was told, in a model's terms.
pub(crate) type Said<M> = (<M as Model>::Input, Option<<M as Model>::Output>);

/// Calls of a model, with the place of each among the key's operations.
pub(crate) struct ModelCalls<M: Model> {
    pub(crate) calls: Vec<Call<M::Input, M::Output>>,
    pub(crate) ops: Vec<u32>,
}

impl<M: Model> ModelCalls<M>
where
    M::Input: Clone,
    M::Output: Clone,
{
    /// Reads the operations of a key; `read` gives nothing for one that cannot matter.
    pub(crate) fn of(
        context: &KeyContext<'_, '_>,
        mut read: impl FnMut(&OpView<'_>) -> Result<Option<Said<M>>, Unknown>,
    ) -> Result<Self, Unknown> {
        let mut this = ModelCalls { calls: Vec::new(), ops: Vec::new() };
        for (at, op) in context.group.ops().enumerate() {
            let Some((input, output)) = read(&op)? else { continue };
            let complete = match (op.outcome, op.complete) {
                (EventType::Info, _) | (_, None) => None,
                (_, Some(event)) => Some(u64::from(event.index.0)),
            };
            let process = match op.process() {
                Process::Client(number) => number,
                Process::Nemesis => u64::MAX,
            };
            let invoke = u64::from(op.invoke.index.0);
            this.calls.push(Call { process, input, output, invoke, complete });
            this.ops.push(at as u32);
        }
        Ok(this)
    }

    /// Decides by the search.
    pub(crate) fn search(
        &self,
        context: &mut KeyContext<'_, '_>,
        model: &M,
        state: impl Fn(&M::State) -> Json,
    ) -> KeyReport {
        let report = |outcome| KeyReport { outcome, algorithm: Algorithm::Search, anomaly: None };
        let found = if context.deadlines.is_some() {
            let (calls, deadlines) = self.with_deadlines(context);
            search_until(model, &calls, &deadlines, &mut context.meter, true)
        } else {
            search(model, &self.calls, &mut context.meter, true)
        };
        match found {
            Found::Linearizable => report(Outcome::Linearizable),
            Found::Unknown(unknown) => report(Outcome::Unknown(unknown)),
            Found::Violation(failure) => {
                let anomaly = failure.map(|failure| {
                    let op = |call: usize| context.op(self.ops[call] as usize);
                    dead_end::anomaly(&context.group, &failure, op, state)
                });
                KeyReport { anomaly, ..report(Outcome::Violation) }
            }
        }
    }
}

/// Calls with events for positions, and the deadline of each.
type WithDeadlines<M> = (Vec<Call<<M as Model>::Input, <M as Model>::Output>>, Vec<Option<u64>>);

impl<M: Model> ModelCalls<M>
where
    M::Input: Clone,
    M::Output: Clone,
{
    /// The calls with the indices of their events for positions, whatever those were, and until
    /// when those that crashed may take effect.
    fn with_deadlines(&self, context: &KeyContext<'_, '_>) -> WithDeadlines<M> {
        let place = |(call, at): (&Call<M::Input, M::Output>, &u32)| {
            let op = context.op(*at as usize);
            let complete = call.complete.and(op.complete).map(|event| u64::from(event.index.0));
            let invoke = u64::from(op.invoke.index.0);
            let deadline = context.deadline(*at as usize).filter(|_| complete.is_none());
            (Call { invoke, complete, ..call.clone() }, deadline.map(u64::from))
        };
        self.calls.iter().zip(&self.ops).map(place).unzip()
    }
}

/// What to say of an operation that a model has no meaning for.
pub(crate) fn meaningless(op: &OpView<'_>, object: &str) -> Unknown {
    Unknown::Input(format!(
        "operation {} of {} (index {}) means nothing to {object}",
        op.f(),
        op.input(),
        op.invoke.index
    ))
}

/// What to say of an argument that is not what an operation takes.
pub(crate) fn malformed_input(op: &OpView<'_>, expected: &str) -> Unknown {
    let (f, index) = (op.f(), op.invoke.index);
    Unknown::Input(format!("the {f} at index {index} has the value {}, not {expected}", op.input()))
}

/// What to say of a result that is not what an operation returns.
pub(crate) fn malformed_output(op: &OpView<'_>, expected: &str) -> Unknown {
    let (f, end) = (op.f(), op.complete.unwrap_or(op.invoke));
    Unknown::Input(format!(
        "the {f} at index {} was answered at index {} with {}, not with {expected}",
        op.invoke.index, end.index, end.value
    ))
}

#[cfg(test)]
mod tests {
    use crate::history::{Event, EventType, History, Nanos, OpIndex, Process};
    use crate::linearizable::{ModelKind, Options, check};
    use crate::value::Value;
    use crate::verdict::Valid;

    #[test]
    fn a_mutex_held_twice() {
        let event = |index: u32, process: u64, kind| Event {
            index: OpIndex(index),
            time: Nanos(u64::from(index)),
            process: Process::Client(process),
            kind,
            f: "acquire".into(),
            key: None,
            value: Value::Null,
            error: None,
            node: None,
            extra: None,
        };
        let (invoke, ok) = (EventType::Invoke, EventType::Ok);
        let events =
            vec![event(0, 0, invoke), event(1, 0, ok), event(2, 1, invoke), event(3, 1, ok)];
        let check = |events: Vec<Event>| {
            let history = History::from_events(events).unwrap();
            check(&history, ModelKind::Mutex, &Options::default()).valid
        };
        assert_eq!(check(events[..2].to_vec()), Valid::True);
        assert_eq!(check(events), Valid::False);
    }
}
