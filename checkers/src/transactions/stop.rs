//! When to stop, asked from outside.

use std::sync::atomic::{AtomicBool, Ordering};

/// Asks whether to stop, and keeps to it: what is half done stays half done.
pub(super) struct Stop<'a> {
    ask: &'a (dyn Fn() -> bool + Sync),
    stopped: AtomicBool,
}

impl<'a> Stop<'a> {
    pub(super) fn when(ask: &'a (dyn Fn() -> bool + Sync)) -> Stop<'a> {
        Stop { ask, stopped: AtomicBool::new(false) }
    }

    /// Whether to stop now.
    pub(super) fn now(&self) -> bool {
        if self.has() {
            return true;
        }
        let stop = (self.ask)();
        if stop {
            self.stopped.store(true, Ordering::Relaxed);
        }
        stop
    }

    /// Whether something was left undone.
    pub(super) fn has(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
