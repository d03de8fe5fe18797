//! Sets, element by element: their elements do not affect each other.
//!
//! Mostly an element is added once and removed at most once, by calls that tell what they
//! changed. Then two moments tell all: `a` when it was added and `r` when it was removed. They
//! lie in intervals that the element's calls shrink; a call that found it absent must have a
//! moment before `a` or after `r`. With `a` as late and `r` as early as possible either the
//! interval between them is as short as can be, or they meet, and then every call has a moment
//! beside it. Any other element is decided by the search over its few calls.

use super::Outcome;
use super::by_model::{ModelCalls, Said};
use super::call::Call;
use super::key::{Algorithm, KeyContext, KeyReport, undecided};
use super::objects::{membership, set_operation};
use super::options::Unknown;
use crate::history::EventType;
use crate::model::{Membership, MembershipInput, MembershipOutput};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Decides one set.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let elements = match elements(context) {
        Ok(elements) => elements,
        Err(unknown) => return undecided(unknown),
    };
    let mut algorithm = Algorithm::Intervals;
    let mut open = None;
    for calls in elements {
        if used_once(&calls.calls) == Some(true) {
            continue;
        }
        // The search also finds the evidence where the element was decided already.
        let report = calls.search(context, &Membership, |present| membership(*present));
        match report.outcome {
            Outcome::Linearizable => algorithm = Algorithm::Search,
            Outcome::Violation => return report,
            Outcome::Unknown(_) => open = Some(report),
        }
    }
    open.unwrap_or(KeyReport { outcome: Outcome::Linearizable, algorithm, anomaly: None })
}

/// The calls of each element.
fn elements(context: &KeyContext<'_, '_>) -> Result<Vec<ModelCalls<Membership>>, Unknown> {
    let mut numbers: HashMap<&Value, usize, FxBuildHasher> = HashMap::default();
    let mut elements: Vec<ModelCalls<Membership>> = Vec::new();
    for (at, op) in context.group.ops().enumerate() {
        let Some((element, (input, output))) = set_operation(&op)? else { continue };
        let number = *numbers.entry(element).or_insert_with(|| {
            elements.push(ModelCalls { calls: Vec::new(), ops: Vec::new() });
            elements.len() - 1
        });
        let operation = context.group.operation(at);
        let complete = match (op.outcome, operation.complete) {
            (EventType::Info, _) | (_, None) => None,
            (_, Some(index)) => Some(u64::from(index.0)),
        };
        let invoke = u64::from(operation.invoke.0);
        elements[number].calls.push(Call { process: 0, input, output, invoke, complete });
        elements[number].ops.push(at as u32);
    }
    Ok(elements)
}

type ElementCall = Call<MembershipInput, MembershipOutput>;

/// Decides an element with at most one adding and one removal; nothing if that is not what it
/// has, or if a call crashed or does not tell what it changed.
fn used_once(calls: &[ElementCall]) -> Option<bool> {
    use MembershipInput::{Add, Remove};
    use MembershipOutput::{Absent, Done, Present};
    let (mut add, mut remove): (Option<&ElementCall>, Option<&ElementCall>) = (None, None);
    // `added` is before the first and after the second, `removed` likewise.
    let (mut added, mut removed) = ((0, u64::MAX), (0, u64::MAX));
    for call in calls {
        let said: Said<Membership> = (call.input, call.output);
        match said {
            (Add, Some(Absent | Done)) if add.is_none() => add = Some(call),
            (Remove, Some(Present)) if remove.is_none() => remove = Some(call),
            (_, None) | (Add, Some(Absent | Done)) | (Remove, Some(Present | Done)) => return None,
            (_, Some(Present)) => {
                added.1 = added.1.min(call.complete?);
                removed.0 = removed.0.max(call.invoke);
            }
            (_, Some(_)) => {}
        }
    }
    let seen = added.1 != u64::MAX;
    let Some(add) = add else { return Some(remove.is_none() && !seen) };
    added = (add.invoke, added.1.min(add.complete?));
    if let Some(remove) = remove {
        let end = remove.complete?;
        removed = (removed.0.max(remove.invoke).max(add.invoke), end);
        added.1 = added.1.min(end);
    } else {
        removed = (u64::MAX, u64::MAX);
    }
    let fits = added.0 < added.1 && (remove.is_none() || removed.0 < removed.1);
    if !fits || added.1 >= removed.0 {
        return Some(fits);
    }
    let found_absent = |call: &&ElementCall| call.output == Some(Absent) && call.input != Add;
    let absent = calls.iter().filter(found_absent);
    let mut fine = true;
    for call in absent {
        fine &= call.invoke < added.1 || call.complete? > removed.0;
    }
    Some(fine)
}
