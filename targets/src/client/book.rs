//! Where nodes serve clients now.

use crate::node::NodeId;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// The current address of each node that is up. Copies share their entries; a node that is
/// restarted comes back on another port.
#[derive(Clone, Debug, Default)]
pub struct AddressBook {
    entries: Arc<RwLock<BTreeMap<NodeId, SocketAddr>>>,
}

impl AddressBook {
    /// Where `node` serves; nothing while it is down.
    pub fn get(&self, node: NodeId) -> Option<SocketAddr> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(&node).copied()
    }

    /// Enters that `node` serves at `addr`, or with `None` that it is down.
    pub fn set(&self, node: NodeId, addr: Option<SocketAddr>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        match addr {
            Some(addr) => entries.insert(node, addr),
            None => entries.remove(&node),
        };
    }
}
