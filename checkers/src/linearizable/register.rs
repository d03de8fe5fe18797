//! Registers: reads, writes and compare-and-set.

mod calls;

use super::Outcome;
use super::dead_end;
use super::key::{Algorithm, KeyContext, KeyReport};
use super::search::{Found, search};
use crate::model::Register;
use calls::{INITIAL, RegisterCalls};

/// Decides one key.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let report = |outcome| KeyReport { outcome, algorithm: Algorithm::Search, anomaly: None };
    let register = match RegisterCalls::of(&context.group) {
        Ok(register) => register,
        Err(unknown) => return report(Outcome::Unknown(unknown)),
    };
    let calls = register.for_model();
    match search(&Register { initial: INITIAL }, &calls, &mut context.meter, true) {
        Found::Linearizable => report(Outcome::Linearizable),
        Found::Unknown(unknown) => report(Outcome::Unknown(unknown)),
        Found::Violation(failure) => {
            let anomaly = failure.map(|failure| {
                let op = |call: usize| context.op(register.calls[call].op as usize);
                let state = |value: &u32| register.values[*value as usize].into();
                dead_end::anomaly(&context.group, &failure, op, state)
            });
            KeyReport { anomaly, ..report(Outcome::Violation) }
        }
    }
}
