//! Transactions: what a person asks of them, as options of their checker.
//!
//! They are judged where a workload of transactions is named or planned, where a model or an
//! anomaly of transactions is named, and else where the operations are transactions.

use super::Request;
use crate::isolation;
use crate::plan::Plan;
use crate::usage::{wrong, wrong_name};
use anyhow::Result;
use quorate_checkers::history::History;
use quorate_checkers::transactions::{
    self, AnomalyKind, CHECKER, KeyRules, KindSet, Open, Options, Table, TxnModel, Workload,
};
use quorate_checkers::verdict::CheckerReport;
use quorate_targets::names::UnknownName;
use quorate_workloads::registry;
use quorate_workloads::workload::Check;

/// The checker, for lists of what there is.
pub(super) const ABOUT: (&str, &str) =
    (CHECKER, "which isolation the dependencies between transactions allow");

/// What is asked of transactions.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Asked {
    /// Judge it by this consistency model, or as this object (`quorate list models`);
    /// repeatable for transactions [default for these: strict-serializable]
    #[arg(id = "model", short, long = "model", value_name = "M")]
    pub models: Vec<String>,
    /// Transactions: instead of a model, an anomaly that must not be there, or a group such as
    /// G1 or G2 (repeatable)
    #[arg(id = "anomaly", long = "anomaly", value_name = "A")]
    pub anomalies: Vec<String>,
    /// Registers: each session sees the versions of a key in one order
    #[arg(long)]
    pub sequential_keys: bool,
    /// Registers: the versions of a key follow real time
    #[arg(long)]
    pub linearizable_keys: bool,
    /// Registers: who reads a version and writes another wrote the later one
    #[arg(long)]
    pub wfr_keys: bool,
    /// Registers: the field of the events that end transactions which says in which order these
    /// wrote, by whole numbers
    #[arg(long, value_name = "FIELD")]
    pub transaction_order: Option<String>,
    /// What to say of registers whose order of versions the rules leave open.
    #[arg(skip)]
    pub open: Open,
}

impl Asked {
    /// What a target promises under its options: strict serializability where these name no level
    /// of isolation. Which versions of a register came first can be told from time only where a
    /// snapshot is never an old one, and from a reader that writes only where nothing is read that
    /// was not committed.
    pub(crate) fn of_plan(plan: &Plan) -> Asked {
        let level = plan.target_options.get("isolation").map(String::as_str);
        let (model, in_time, wfr_keys) = match level {
            None | Some("strict-serializable") => (None, true, true),
            Some("snapshot") => (Some("strong-snapshot-isolation"), true, true),
            Some("read-uncommitted") => (level, false, false),
            Some(_) => (level, false, true),
        };
        Asked {
            models: model.map(str::to_owned).into_iter().collect(),
            anomalies: Vec::new(),
            sequential_keys: in_time,
            linearizable_keys: in_time,
            wfr_keys,
            transaction_order: None,
            open: Open::Pass,
        }
    }

    /// Whether models are named and nothing else is.
    pub(super) fn is_models_alone(&self) -> bool {
        let rules = self.sequential_keys || self.linearizable_keys || self.wfr_keys;
        let rules = rules || self.transaction_order.is_some();
        !self.models.is_empty() && self.anomalies.is_empty() && !rules
    }

    fn names_anything(&self) -> bool {
        !self.models.is_empty() || !self.anomalies.is_empty()
    }

    /// The models, if all of them are of transactions.
    fn models(&self) -> Option<Vec<TxnModel>> {
        let model = |name: &String| {
            name.parse::<TxnModel>().ok().filter(|model| model.is_decided_by_anomalies())
        };
        self.models.iter().map(model).collect()
    }

    fn options(&self, workload: Option<Workload>) -> Result<Options> {
        let kind = |name: &String| {
            AnomalyKind::from_name(name).ok_or_else(|| {
                let known = AnomalyKind::ALL.iter().map(|kind| kind.name());
                wrong_name(UnknownName::new("anomaly", name, known))
            })
        };
        let anomalies: KindSet = self.anomalies.iter().map(kind).collect::<Result<_>>()?;
        let Some(models) = self.models() else {
            let known = TxnModel::all().filter(|model| model.is_decided_by_anomalies());
            let odd = self.models.iter().find(|name| name.parse::<TxnModel>().is_err());
            let odd = odd.or(self.models.first()).map_or("", String::as_str);
            return Err(wrong_name(UnknownName::new(
                "model of transactions",
                odd,
                known.map(TxnModel::name),
            )));
        };
        let keys = KeyRules {
            sequential: self.sequential_keys,
            linearizable: self.linearizable_keys,
            reads_before_writes: self.wfr_keys,
        };
        let transaction_order = self.transaction_order.clone();
        let open = self.open;
        let all = Options {
            workload,
            models,
            anomalies,
            keys,
            transaction_order,
            open,
            ..Options::default()
        };
        Ok(all)
    }
}

/// The models of transactions, with what each means.
pub(super) fn models() -> impl Iterator<Item = (&'static str, String)> {
    let decided = TxnModel::all().filter(|model| model.is_decided_by_anomalies());
    decided.map(|model| {
        let synonyms = model.synonyms();
        let also = if synonyms.is_empty() {
            String::new()
        } else {
            format!(" (also {})", synonyms.join(", "))
        };
        (model.name(), format!("transactions: {}{also}", model.about()))
    })
}

impl Request {
    /// A request about transactions, if this is one.
    pub(super) fn of_transactions(
        history: &History,
        plan: Option<&Plan>,
        workload: Option<&str>,
        asked: &Asked,
    ) -> Result<Option<Request>> {
        let named = workload.or(plan.map(|plan| plan.workload.as_str()));
        let kind = named.and_then(|name| registry::find(name).ok()).and_then(|entry| {
            entry.checks.iter().find_map(|check| match check {
                Check::Transactions { kind } => Some(*kind),
                _ => None,
            })
        });
        let (mut source, mut isolation, mut open) = (None, Vec::new(), Open::Pass);
        let kind = match (kind, workload) {
            (Some(_), Some(_)) if holds_none(history) => return Err(no_transactions()),
            (Some(kind), _) => kind,
            (None, Some(workload)) if asked.names_anything() => {
                return Err(wrong(format!(
                    "--workload {workload} says by what it is judged; leave out --model and \
                     --anomaly, or name a workload of transactions"
                )));
            }
            (None, Some(_)) => return Ok(None),
            (None, None) => {
                if plan.is_none() && !asked.names_anything() {
                    isolation = isolation::default_models(history);
                }
                let wanted = !asked.anomalies.is_empty()
                    || (!asked.models.is_empty() && asked.models().is_some())
                    || (asked.models.is_empty()
                        && plan.is_none()
                        && (!isolation.is_empty() || transactions::is_transactional(history)));
                if !wanted {
                    return Ok(None);
                }
                if !isolation.is_empty() && !history.has_real_time() {
                    return Ok(Some(isolation::of_sessions(isolation)));
                }
                let (kind, how) = guess(history)?;
                source = Some(how);
                // Nobody said that what the rules leave open is to pass.
                open = match (isolation.is_empty(), asked.models.is_empty()) {
                    (false, _) => Open::Leave,
                    (true, false) => Open::Search,
                    (true, true) => Open::Pass,
                };
                kind
            }
        };
        let planned = plan.map(Asked::of_plan).filter(|_| !asked.names_anything());
        let asked = match planned {
            Some(planned) => planned,
            None => Asked { open, ..asked.clone() },
        };
        asked.options(None)?;
        let mut request = Request::new(vec![Check::Transactions { kind }]);
        if let (Some(plan), None) = (plan, workload) {
            request.checks = registry::find(&plan.workload).map_err(wrong_name)?.checks.to_vec();
        }
        request.source = source;
        request.isolation = isolation;
        request.transactions = asked;
        Ok(Some(request))
    }
}

/// Whether there are operations, and none of them is a transaction.
fn holds_none(history: &History) -> bool {
    let all = history.operations().len();
    all > 0 && Table::others(history) == all
}

fn no_transactions() -> anyhow::Error {
    wrong("the history holds no transactions (operations `txn`), so it cannot be judged as such")
}

/// Lists, registers or rows, by the operations, and how that is told.
fn guess(history: &History) -> Result<(&'static str, String)> {
    if holds_none(history) {
        return Err(no_transactions());
    }
    let others = Table::others(history);
    let workload = Workload::guess(history).map_err(wrong_name)?;
    let kind = workload.name();
    let left_out = match others {
        0 => String::new(),
        others => format!("; {others} operations that are no transactions are left out"),
    };
    Ok((
        kind,
        format!(
            "judged as transactions of {kind}, by their operations; --workload names another{left_out}"
        ),
    ))
}

/// Judges the transactions of a history, until `stop`.
pub(super) fn run(
    history: &History,
    kind: &str,
    asked: &Asked,
    stop: &(dyn Fn() -> bool + Sync),
) -> (String, CheckerReport) {
    let workload = Workload::ALL.into_iter().find(|workload| workload.name() == kind);
    let report = match asked.options(workload) {
        Ok(options) => transactions::check_until(history, &options, stop),
        Err(error) => CheckerReport::unknown(error.to_string()),
    };
    (CHECKER.into(), report)
}
