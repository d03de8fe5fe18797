//! From plain calls to a history, so that the special algorithms can decide what was never
//! recorded as one.

use super::call::Call;
use super::kind::ModelKind;
use super::options::Options;
use super::report::check;
use crate::history::{
    Builder, Event, EventType, History, HistoryError, Names, Nanos, OpIndex, Process,
};
use crate::value::Value;
use crate::verdict::CheckerReport;

/// What a call of [`check_calls`] asks: an operation by its name in [`ModelKind`], of one object
/// among several or of the only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The operation: `read`, `enqueue`, ...
    pub f: &'static str,
    /// Which object.
    pub key: Option<Value>,
    /// The argument; `null` where there is none.
    pub value: Value,
}

impl Ask {
    /// Asks the only object.
    pub fn of(f: &'static str, value: impl Into<Value>) -> Ask {
        Ask { f, key: None, value: value.into() }
    }

    /// Asks one object among several.
    pub fn on(key: impl Into<Value>, f: &'static str, value: impl Into<Value>) -> Ask {
        Ask { f, key: Some(key.into()), value: value.into() }
    }
}

/// Decides calls of a known object with its special algorithm, as [`check`] does for a recorded
/// history. Each process makes one call at a time, and begins the next later than it ended the
/// last; anything else is an error. The report's indices count the ends of calls in order.
///
/// ```
/// use quorate_checkers::linearizable::{check_calls, Ask, Call, ModelKind, Options};
/// use quorate_checkers::value::Value;
/// use quorate_checkers::verdict::Valid;
///
/// let calls = [
///     Call::new(0, Ask::of("enqueue", 1), 0, Value::Int(1), 10),
///     Call::new(0, Ask::of("enqueue", 2), 20, Value::Int(2), 30),
///     Call::new(1, Ask::of("dequeue", Value::Null), 40, Value::Int(2), 50),
///     Call::new(1, Ask::of("dequeue", Value::Null), 60, Value::Int(1), 70),
/// ];
/// let report = check_calls(ModelKind::Queue, &calls, &Options::default())?;
/// assert_eq!(report.valid, Valid::False);
/// assert_eq!(report.anomalies[0].kind, "reordered");
/// # Ok::<(), quorate_checkers::history::HistoryError>(())
/// ```
pub fn check_calls(
    kind: ModelKind,
    calls: &[Call<Ask, Value>],
    options: &Options<'_>,
) -> Result<CheckerReport, HistoryError> {
    Ok(check(&history_of(calls)?, kind, options))
}

/// The history that a recorder of these calls would have written; positions become times.
pub fn history_of(calls: &[Call<Ask, Value>]) -> Result<History, HistoryError> {
    let mut ends: Vec<(u64, bool, usize)> = Vec::with_capacity(calls.len() * 2);
    for (index, call) in calls.iter().enumerate() {
        ends.push((call.invoke, false, index));
        ends.extend(call.complete.map(|at| (at, true, index)));
    }
    ends.sort_unstable();
    let mut names = Names::default();
    let mut builder = Builder::default();
    for (at, (time, completes, index)) in ends.into_iter().enumerate() {
        let call = &calls[index];
        let (kind, value) = match (&call.output, completes) {
            (_, false) => (EventType::Invoke, call.input.value.clone()),
            (Some(output), true) => (EventType::Ok, output.clone()),
            (None, true) => (EventType::Info, call.input.value.clone()),
        };
        builder.push(Event {
            index: OpIndex(at as u32),
            time: Nanos(time),
            process: Process::Client(call.process),
            kind,
            f: names.get(call.input.f),
            key: call.input.key.clone(),
            value,
            error: None,
            node: None,
            extra: None,
        })?;
    }
    Ok(builder.finish())
}
