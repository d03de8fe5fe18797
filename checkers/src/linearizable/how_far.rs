//! How far the operations of a key can be put into an order, for a violation that an algorithm
//! without such evidence found: the search is asked for it, within a budget.
//!
//! The search ends at the shortest prefix that fails, wherever that lies. Where it does not get
//! there within its budget, it is asked again about few operations: those of the prefix that fail
//! without the others ([`minimize`]).

use super::key::{KeyContext, KeyReport};
use super::kind::ModelKind;
use super::meter::{Meter, Purse};
use super::options::Options;
use super::{append, counter, grow, minimize, objects, pool, register, set, texts, transactional};
use crate::history::{History, KeyGroup};
use crate::value::Value;
use serde_json::{Map, Value as Json, json};

/// What the search may hold: containers with many items have large states.
const BYTES_MAX: usize = 256 << 20;

/// How far the operations of a key can be put into an order, and why no further, as the search's
/// evidence has it: `linearized`, `alternatives`, `operation`. Where operations were left out that
/// the failure does not need, `left_out` counts them. Nothing if the search does not come to its
/// end within `steps`, or finds an order.
pub fn dead_end(
    history: &History,
    kind: ModelKind,
    key: Option<&Value>,
    steps: u64,
) -> Option<Map<String, Json>> {
    let partition = history.by_key();
    let group = partition.groups().find(|group| group.key == key)?;
    let options = Options { steps, bytes: BYTES_MAX, threads: 1, ..Options::default() };
    if let Some(evidence) = searched(history, group, kind, &options) {
        return Some(evidence);
    }
    let core = minimize::core(history, &group, kind)?;
    let mut evidence = searched(history, group.only(&core), kind, &options)?;
    evidence.insert("left_out".into(), json!(group.positions.len() - core.len()));
    Some(evidence)
}

/// The evidence of the search, if it comes to its end and finds no order.
fn searched(
    history: &History,
    group: KeyGroup<'_>,
    kind: ModelKind,
    options: &Options<'_>,
) -> Option<Map<String, Json>> {
    let purse = Purse::new(options);
    let meter = Meter::new(options, &purse, options.bytes);
    let mut context = KeyContext { history, group, meter, deadlines: None };
    let evidence = by_search(&mut context, kind).anomaly?.evidence;
    evidence.contains_key("linearized").then_some(evidence)
}

/// Decides a key by the search, whatever else could.
fn by_search(context: &mut KeyContext<'_, '_>, kind: ModelKind) -> KeyReport {
    match kind {
        ModelKind::Register => register::search(context),
        ModelKind::AppendList => append::search(context),
        ModelKind::AppendText => texts::check(context),
        ModelKind::MultiRegister => transactional::check(context),
        ModelKind::Set => set::check(context),
        ModelKind::GrowOnlySet => grow::search(context),
        ModelKind::Queue | ModelKind::Stack | ModelKind::PriorityQueue => {
            pool::search(context, kind)
        }
        ModelKind::Counter => counter::search(context),
        ModelKind::Semaphore => objects::semaphore(context),
        ModelKind::Mutex => objects::mutex(context),
        ModelKind::OwnedLock => objects::owned_lock(context),
    }
}
