//! What can be set with `--target-opt`.

use crate::options::Reader;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a saga is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// One service tells the others what to do.
    Orchestration,
    /// Services react to each other's events.
    Choreography,
}

/// What can be set with `--target-opt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `style` (orchestration): or `choreography`.
    pub style: Style,
    /// `isolation` (none): or `semantic-lock`, by which charges and reservations are held until
    /// the order is confirmed, and are not read before.
    pub locks: bool,
    /// `initial-balance` (100): what each customer begins with.
    pub balance: i64,
    /// `initial-stock` (30): what each item begins with.
    pub stock: i64,
    /// `lease-ms` (500): how long a lease lasts.
    pub lease: Duration,
    /// `retry-ms` (100): the rest before a step is sent again; it doubles each time.
    pub retry: Duration,
    /// `patience-ms` (100): how long a client waits for the end of an order before it is told
    /// how far the order is.
    pub patience: Duration,
}

impl Options {
    /// Reads the options as given.
    pub fn read(given: &BTreeMap<String, String>) -> Result<Options, String> {
        let mut reader = Reader::new(given);
        let style = match reader.choice("style", &["orchestration", "choreography"]) {
            "choreography" => Style::Choreography,
            _ => Style::Orchestration,
        };
        let millis = Duration::from_millis;
        let options = Options {
            style,
            locks: reader.choice("isolation", &["none", "semantic-lock"]) == "semantic-lock",
            balance: reader.positive("initial-balance", 100) as i64,
            stock: reader.positive("initial-stock", 30) as i64,
            lease: millis(reader.positive("lease-ms", 500)),
            retry: millis(reader.positive("retry-ms", 100)),
            patience: millis(reader.positive("patience-ms", 100)),
        };
        reader.finish()?;
        if options.locks && style == Style::Choreography {
            return Err("option `isolation=semantic-lock` needs `style=orchestration`".to_owned());
        }
        Ok(options)
    }
}
