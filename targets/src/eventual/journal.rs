//! What is on disk, and how a node starts from it.
//!
//! The journal is a list of what was merged, kept for others, and issued; a start merges it all
//! again, and merging is idempotent. Every `compact-every` records it is rewritten as the state
//! that it amounts to.

use super::cell::Cell;
use super::message::{Key, Record};
use super::{Eventual, Options, Resolve, Ring, gossip, store::Store};
use crate::api::kv::Session;
use crate::bugs::Bug;
use crate::node::{Config, Cx};
use std::collections::{BTreeMap, VecDeque};

/// What a coordinator has issued.
#[derive(Clone, Debug, Default)]
pub(super) struct Issued {
    /// Its own part of each key, for the types of cell that need it: its sums of a counter, its
    /// writes of a register with siblings.
    pub(super) own: BTreeMap<Key, Cell>,
    /// The last update of each client: the number of its operation, and what a retry repeats.
    sessions: BTreeMap<u64, (u64, Key, Cell)>,
    /// Clients up to this number were forgotten.
    forgotten: u64,
}

/// What is known of a session's operation.
#[derive(Debug)]
pub(super) enum Known {
    /// It is new.
    New,
    /// It was issued: this is to be repeated.
    Issued(Cell),
    /// It is older than what is remembered.
    Forgotten,
}

impl Issued {
    pub(super) fn find(&self, session: Session) -> Known {
        match self.sessions.get(&session.client) {
            Some((seq, _, cell)) if *seq == session.seq => Known::Issued(cell.clone()),
            Some((seq, ..)) if *seq > session.seq => Known::Forgotten,
            None if session.client <= self.forgotten => Known::Forgotten,
            _ => Known::New,
        }
    }

    fn add(&mut self, session: Option<Session>, key: &Key, cell: &Cell, sessions: usize) {
        if matches!(cell, Cell::Counter(_) | Cell::Siblings(_)) {
            match self.own.get_mut(key) {
                Some(own) => own.merge(cell),
                None => {
                    self.own.insert(key.clone(), cell.clone());
                }
            }
        }
        let Some(Session { client, seq }) = session else { return };
        self.sessions.insert(client, (seq, key.clone(), cell.clone()));
        // Clients' numbers go upwards, so the lowest is the oldest.
        while self.sessions.len() > sessions {
            let Some((client, _)) = self.sessions.pop_first() else { break };
            self.forgotten = self.forgotten.max(client);
        }
    }

    fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let own = self.own.iter().map(|(key, cell)| (None, key, cell));
        let sessions = self.sessions.iter().map(|(client, (seq, key, cell))| {
            (Some(Session { client: *client, seq: *seq }), key, cell)
        });
        own.chain(sessions).map(|(session, key, cell)| Record::Issued {
            session,
            key: key.clone(),
            cell: cell.clone(),
        })
    }
}

/// Starts a node from its journal.
pub(super) fn boot(config: Config, journal: Vec<Record>) -> Result<Eventual, String> {
    if !config.members.contains(&config.id) {
        return Err(format!("{} is not among the members", config.id));
    }
    let mut options = Options::read(&config.options, config.members.len())?;
    if config.has(Bug::LwwDropsConcurrent) {
        options.resolve = Resolve::Lww;
    }
    let mut node = Eventual {
        ring: Ring::new(&config.members, options.virtual_nodes),
        detector: gossip::Detector::new(&config, options.suspect_after),
        config,
        options,
        boots: 0,
        clock: super::Hybrid::default(),
        store: Store::default(),
        hints: BTreeMap::new(),
        issued: Issued::default(),
        operations: BTreeMap::new(),
        number: 0,
        offered: BTreeMap::new(),
        collecting: BTreeMap::new(),
        own: VecDeque::new(),
        unsynced: false,
        records: journal.len() as u64,
        seen: Vec::new(),
        acknowledged: Vec::new(),
    };
    for record in journal {
        node.replay(record);
    }
    node.boots += 1;
    node.detector.born(node.boots);
    Ok(node)
}

impl Eventual {
    fn replay(&mut self, record: Record) {
        match record {
            Record::Boot(boots) => self.boots = boots,
            Record::Put { key, cell } => {
                self.clock.hear(cell.latest());
                let homes = self.homes(&key);
                self.store.merge(&key, &cell, || homes);
            }
            Record::Hint { home, key, cell } => {
                self.clock.hear(cell.latest());
                let hints = self.hints.entry(home).or_default();
                match hints.get_mut(&key) {
                    Some(known) => known.merge(&cell),
                    None => {
                        hints.insert(key, cell);
                    }
                }
            }
            Record::Delivered { home, key } => self.forget_hint(home, &key),
            Record::Issued { session, key, cell } => {
                self.clock.hear(cell.latest());
                self.issued.add(session, &key, &cell, self.options.sessions);
            }
            Record::Purged { key, before } => self.store.purge(&key, before),
        }
    }

    pub(super) fn forget_hint(&mut self, home: crate::node::NodeId, key: &Key) {
        if let Some(hints) = self.hints.get_mut(&home) {
            hints.remove(key);
            if hints.is_empty() {
                self.hints.remove(&home);
            }
        }
    }

    /// Notes an update that this node coordinates, before anybody hears of it.
    pub(super) fn issue(
        &mut self,
        session: Option<Session>,
        key: &Key,
        cell: &Cell,
        cx: &mut Cx<'_, Eventual>,
    ) {
        self.issued.add(session, key, cell, self.options.sessions);
        self.persist(Record::Issued { session, key: key.clone(), cell: cell.clone() }, cx);
    }

    pub(super) fn persist(&mut self, record: Record, cx: &mut Cx<'_, Eventual>) {
        cx.append(record);
        self.unsynced = true;
        self.records += 1;
    }

    /// Has everything on disk before what comes after.
    pub(super) fn sync(&mut self, cx: &mut Cx<'_, Eventual>) {
        if self.unsynced {
            self.unsynced = false;
            cx.sync();
        }
    }

    /// Rewrites the journal as the state that it amounts to, if it has grown enough.
    pub(super) fn compact_if_due(&mut self, cx: &mut Cx<'_, Eventual>) {
        if self.records < self.options.compact_every {
            return;
        }
        let mut records = vec![Record::Boot(self.boots)];
        let put = |(key, cell): (&Key, &Cell)| Record::Put { key: key.clone(), cell: cell.clone() };
        records.extend(self.store.iter().map(put));
        for (home, hints) in &self.hints {
            records.extend(hints.iter().map(|(key, cell)| Record::Hint {
                home: *home,
                key: key.clone(),
                cell: cell.clone(),
            }));
        }
        records.extend(self.issued.records());
        // A state that is itself large is not rewritten at every step.
        self.records = 0;
        cx.rewrite(records);
        self.unsynced = false;
        self.saw("a journal was rewritten");
    }
}
