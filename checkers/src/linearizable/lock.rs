//! Locks that only their holder may release, in O(n log n).
//!
//! A client's acquire with its next release is a *hold*, and nothing else may come between the
//! two. So a hold is like a unique value of a register: the acquire writes it, the release reads
//! it, and the zones of registers decide. A hold that is never released is read at the end of
//! time; an acquire that crashed and was never followed by a release may not have happened.

use super::key::{KeyContext, KeyReport, undecided};
use super::objects::{lock_client, lock_input, owned_lock};
use super::options::Unknown;
use super::register::{self, Action, OPEN, RegisterCall, RegisterCalls};
use crate::history::EventType;
use crate::model::MutexInput;
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Decides one lock.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let register = match holds(context) {
        Ok(Some(register)) => register,
        Ok(None) => return owned_lock(context),
        Err(unknown) => return undecided(unknown),
    };
    let Some(report) = register::unique(context, &register) else { return owned_lock(context) };
    if report.anomaly.is_none() {
        return report;
    }
    // The search's evidence speaks of holders; that of zones would speak of values.
    let told = owned_lock(context);
    KeyReport { anomaly: told.anomaly.or(report.anomaly), ..report }
}

/// A client's latest call, while more of its hold is to come.
struct Client {
    hold: u32,
    acquire: usize,
    /// When its latest call ended.
    until: u32,
    held: bool,
}

/// The register that has a value for each hold; none if a client's calls do not simply
/// alternate.
fn holds<'a>(context: &KeyContext<'a, '_>) -> Result<Option<RegisterCalls<'a>>, Unknown> {
    const NULL: &Value = &Value::Null;
    let mut clients: HashMap<u64, Client, FxBuildHasher> = HashMap::default();
    let (mut calls, mut values) = (Vec::new(), vec![NULL]);
    for (at, op) in context.group.ops().enumerate() {
        let (Some(input), Some(client)) = (lock_input(&op)?, lock_client(&op)?) else { continue };
        let complete = match (op.outcome, op.complete) {
            (EventType::Ok, Some(event)) => event.index.0 + 1,
            _ => OPEN,
        };
        let invoke = op.invoke.index.0 + 1;
        let known = clients.get_mut(&client);
        if known.as_ref().is_some_and(|known| known.until > invoke) {
            return Ok(None); // Two calls of one client at once.
        }
        let action = match (input, known) {
            (MutexInput::Release, Some(known)) if known.held => {
                (known.held, known.until) = (false, complete);
                Action::Read(known.hold)
            }
            (MutexInput::Release, _) => return Ok(None),
            (MutexInput::Acquire, Some(known)) if known.held => return Ok(None),
            (MutexInput::Acquire, _) => {
                let hold = values.len() as u32;
                values.push(op.input());
                let acquire = calls.len();
                clients.insert(client, Client { hold, acquire, until: complete, held: true });
                Action::Write(hold)
            }
        };
        calls.push(RegisterCall { op: at as u32, invoke, complete, action });
    }
    let mut held: Vec<&Client> = clients.values().filter(|client| client.held).collect();
    held.sort_by_key(|client| client.hold);
    let mut end = OPEN - 1 - held.len() as u32;
    for client in held {
        let RegisterCall { op, complete, .. } = calls[client.acquire];
        if complete != OPEN {
            end += 1;
            let action = Action::Read(client.hold);
            calls.push(RegisterCall { op, invoke: end, complete: OPEN, action });
        }
    }
    Ok(Some(RegisterCalls { calls, values }))
}
