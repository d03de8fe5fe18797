//! The search's failure as an anomaly for people.

use super::search::{Alternative, Failure};
use super::words::{CHECKER, as_json, describe, events, of_key};
use crate::history::{KeyGroup, OpView};
use crate::verdict::Anomaly;
use serde_json::{Map, Value as Json, json};

/// How many operations of the longest linearizable prefix are shown, its last ones.
const SHOWN_MAX: usize = 200;

/// Makes the anomaly. `op` gives the operation behind a call's index, `state` shows a state.
pub(crate) fn anomaly<'a, S>(
    group: &KeyGroup<'a>,
    failure: &Failure<S>,
    op: impl Fn(usize) -> OpView<'a>,
    state: impl Fn(&S) -> Json,
) -> Anomaly {
    let culprit = op(failure.call);
    let states: Vec<Json> = failure.alternatives.iter().map(|one| state(&one.state)).collect();
    let alternatives: Vec<Json> =
        failure.alternatives.iter().map(|one| alternative(one, &culprit, &op, &state)).collect();
    let skipped = failure.order.len().saturating_sub(SHOWN_MAX);
    let order: Vec<Json> = failure.order[skipped..]
        .iter()
        .map(|placed| {
            let mut shown = as_json(&op(placed.call));
            shown["state"] = state(&placed.state);
            shown
        })
        .collect();
    let mut evidence = Map::new();
    if let Some(key) = group.key {
        evidence.insert("key".into(), key.into());
    }
    evidence.insert("operation".into(), as_json(&culprit));
    evidence.insert("prefix_end".into(), json!(culprit.complete.map(|event| event.index.0)));
    evidence.insert("states_before".into(), json!(states));
    evidence.insert("alternatives".into(), json!(alternatives));
    evidence.insert("configurations".into(), json!(failure.configurations));
    evidence.insert("linearized".into(), json!(order));
    evidence.insert("linearized_earlier".into(), json!(skipped));
    Anomaly {
        kind: pattern(group, failure, &culprit, &op).into(),
        checker: CHECKER.into(),
        explanation: sentence(group, &culprit, &states, failure.order.len()),
        ops: events([culprit]),
        evidence,
    }
}

/// The name of what went wrong, as far as the operation that could not be placed tells.
fn pattern<'a, S>(
    group: &KeyGroup<'a>,
    failure: &Failure<S>,
    culprit: &OpView<'a>,
    op: &impl Fn(usize) -> OpView<'a>,
) -> &'static str {
    let takes = |op: &OpView<'_>| {
        matches!(op.f().as_str(), "dequeue" | "deq" | "pop" | "poll" | "take" | "peek")
    };
    let mut placed = failure.order.iter().map(|placed| op(placed.call));
    let seen = culprit.output().filter(|seen| !seen.is_null());
    match (culprit.f().as_str(), seen) {
        (_, None) if takes(culprit) => "false-empty",
        (_, seen) if takes(culprit) => {
            let added = |op: OpView<'a>| !takes(&op) && Some(op.input()) == seen;
            let again =
                |op: OpView<'a>| op.f().as_str() != "peek" && takes(&op) && op.output() == seen;
            if !group.ops().any(added) {
                "phantom"
            } else if placed.any(again) && group.ops().filter(|op| added(*op)).count() == 1 {
                "duplicated"
            } else {
                "reordered"
            }
        }
        ("read", seen) => {
            let brings = |op: OpView<'a>| match op.f().as_str() {
                "write" => Some(op.input()) == seen,
                "cas" => op.input().as_list().and_then(|pair| pair.get(1)) == seen,
                _ => false,
            };
            if placed.any(brings) { "stale-read" } else { "nonlinearizable" }
        }
        _ => "nonlinearizable",
    }
}

fn sentence(group: &KeyGroup<'_>, culprit: &OpView<'_>, states: &[Json], placed: usize) -> String {
    let mut possible: Vec<String> = states.iter().take(5).map(Json::to_string).collect();
    if states.len() > possible.len() {
        possible.push(format!("{} others", states.len() - possible.len()));
    }
    let state = match possible.as_slice() {
        [one] => format!("the state can only have been {one}"),
        many => format!("the state can have been {}", many.join(" or ")),
    };
    let after = match placed {
        0 => "at the start".to_owned(),
        1 => "after the one operation that can be ordered".to_owned(),
        many => format!("after the {many} operations that can be ordered"),
    };
    format!(
        "No order of the operations{} explains {}: {after}, {state}, and neither there nor after \
         any operation still open is this answer possible.",
        of_key(group.key),
        describe(culprit),
    )
}

fn alternative<'a, S>(
    alternative: &Alternative<S>,
    culprit: &OpView<'a>,
    op: &impl Fn(usize) -> OpView<'a>,
    state: &impl Fn(&S) -> Json,
) -> Json {
    let list =
        |calls: &[usize]| -> Vec<Json> { calls.iter().map(|call| as_json(&op(*call))).collect() };
    let shown = state(&alternative.state);
    let open: Vec<String> =
        alternative.possible.iter().take(5).map(|call| describe(&op(*call))).collect();
    let why = if open.is_empty() {
        format!(
            "in state {shown}, {} is impossible, and no open operation can go first",
            culprit.f()
        )
    } else {
        format!(
            "in state {shown}, {} is impossible, and stays so after {}",
            culprit.f(),
            open.join(" or "),
        )
    };
    json!({
        "state": shown,
        "why": why,
        "possible": list(&alternative.possible),
        "impossible": list(&alternative.impossible),
    })
}
