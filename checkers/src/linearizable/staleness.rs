//! How stale the reads of a history are, key by key.

use super::register::{Stale, staleness as of_key};
use super::words::Millis;
use crate::history::{History, Nanos};
use crate::value::Value;
use serde_json::{Value as Json, json};
use std::fmt;

/// The staleness of every register of a history: for each the smallest Δ such that it is
/// linearizable once every read may have begun Δ earlier (Δ-atomicity: Golab, Li and Shah,
/// "Analyzing consistency properties for fun and profit", 2011).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// The keys with stale reads, stalest first, with their Δ.
    pub stale: Vec<(Option<Value>, Nanos)>,
    /// How many keys are linearizable as they are.
    pub fresh: usize,
    /// How many keys are wrong for every Δ: something else than staleness.
    pub otherwise: usize,
    /// How many keys this does not decide, since their values repeat.
    pub undecided: usize,
}

/// Measures how stale reads are; about forty times the cost of deciding by zones.
pub fn staleness(history: &History) -> Staleness {
    let mut found = Staleness { stale: Vec::new(), fresh: 0, otherwise: 0, undecided: 0 };
    for group in history.by_key().groups() {
        match of_key(history, &group) {
            Stale::By(Nanos(0)) => found.fresh += 1,
            Stale::By(delta) => found.stale.push((group.key.cloned(), delta)),
            Stale::Otherwise => found.otherwise += 1,
            Stale::Undecided => found.undecided += 1,
        }
    }
    found.stale.sort_by_key(|(_, delta)| std::cmp::Reverse(*delta));
    found
}

impl Staleness {
    /// For reports; times in nanoseconds.
    pub fn to_json(&self) -> Json {
        let key = |key: &Option<Value>| key.as_ref().map_or(Json::Null, Json::from);
        let stale = self.stale.iter().map(|(name, delta)| json!([key(name), delta.0]));
        json!({
            "delta_ns_max": self.stale.first().map_or(0, |(_, delta)| delta.0),
            "fresh_keys": self.fresh,
            "stale_keys": stale.collect::<Vec<_>>(),
            "otherwise_wrong_keys": self.otherwise,
            "undecided_keys": self.undecided,
            "why": self.to_string(),
        })
    }
}

fn keys(count: usize) -> String {
    if count == 1 { "1 key".to_owned() } else { format!("{count} keys") }
}

impl fmt::Display for Staleness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stale.first() {
            None => write!(f, "no stale read")?,
            Some((_, delta)) => write!(
                f,
                "reads are up to {} stale, on {} of {}",
                Millis(*delta),
                self.stale.len(),
                keys(self.stale.len() + self.fresh + self.otherwise + self.undecided),
            )?,
        }
        if self.otherwise > 0 {
            let are = if self.otherwise == 1 { "is" } else { "are" };
            write!(f, "; {} {are} wrong for another reason", keys(self.otherwise))?;
        }
        if self.undecided > 0 {
            let (have, are) = if self.undecided == 1 { ("has", "is") } else { ("have", "are") };
            let keys = keys(self.undecided);
            write!(f, "; {keys} {have} values that repeat and {are} not measured")?;
        }
        Ok(())
    }
}
