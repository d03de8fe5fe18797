//! What worlds with real threads share: a task for each client thread, and one queue of
//! happenings that the interpreter waits at.
//!
//! The interpreter is an ordinary thread; the clients are tasks of a small tokio runtime.
//! Requests go over one channel a thread, happenings come back over one for all. Waiting is a
//! timed wait of the operating system: no spinning, and late by about its timer slack (50 µs).

use crate::world::Happening;
use quorate_checkers::history::Nanos;
use quorate_targets::api::{Outcome, Request};
use quorate_targets::node::NodeId;
use std::fmt;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc as tasks;

/// The threads of the runtime; proxies, clients and fault injection share them.
const WORKERS: usize = 2;

/// Carries out the operations of one client thread.
pub(super) trait Caller: Send + 'static {
    /// Asks `node`; ends when the outcome is known, as far as it ever will be.
    fn call(&mut self, node: NodeId, request: Request) -> impl Future<Output = Outcome> + Send;
}

/// What to do when the person at the keyboard interrupts for the second time.
pub type SecondInterrupt = Box<dyn FnOnce() + Send>;

/// The runtime of a world.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("quorate-world")
        .enable_all()
        .build()
}

/// Client threads and the queue of happenings.
pub(super) struct Lanes {
    epoch: Instant,
    /// For each client thread, where its operations go.
    jobs: Vec<tasks::UnboundedSender<(NodeId, Request)>>,
    happenings: Receiver<Happening>,
    /// The other end, for whoever else has something to tell.
    tell: Sender<Happening>,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("threads", &self.jobs.len()).finish_non_exhaustive()
    }
}

impl Lanes {
    /// No threads yet. Time counts from `epoch`.
    pub(super) fn new(epoch: Instant) -> Self {
        let (tell, happenings) = mpsc::channel();
        Lanes { epoch, jobs: Vec::new(), happenings, tell }
    }

    /// Starts one more client thread in `runtime`.
    pub(super) fn add(&mut self, runtime: &Runtime, mut caller: impl Caller) {
        let (to, mut jobs) = tasks::unbounded_channel();
        let thread = self.jobs.len();
        let tell = self.tell.clone();
        self.jobs.push(to);
        runtime.spawn(async move {
            while let Some((node, request)) = jobs.recv().await {
                let outcome = caller.call(node, request).await;
                if tell.send(Happening::Completed { thread, outcome }).is_err() {
                    return;
                }
            }
        });
    }

    /// Listens for Ctrl-C and SIGTERM: the first becomes [`Happening::Interrupted`], the second
    /// calls `second`.
    pub(super) fn listen(&self, runtime: &Runtime, second: SecondInterrupt) -> io::Result<()> {
        let _inside = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let tell = self.tell.clone();
        runtime.spawn(async move {
            for _ in 0..2 {
                tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
                // The run may be over: then the second one still counts.
                let _ = tell.send(Happening::Interrupted);
            }
            second();
        });
        Ok(())
    }

    /// Where anyone may tell of happenings.
    pub(super) fn tell(&self) -> Sender<Happening> {
        self.tell.clone()
    }

    pub(super) fn now(&self) -> Nanos {
        Nanos(self.epoch.elapsed().as_nanos() as u64)
    }

    /// Hands an operation to a thread. One that is not there answers that it is not.
    pub(super) fn invoke(&self, thread: usize, node: NodeId, request: Request) {
        let taken = self.jobs.get(thread).is_some_and(|jobs| jobs.send((node, request)).is_ok());
        if !taken {
            let outcome = Outcome::Refused(format!("there is no client thread {thread}"));
            // The receiver lives as long as we do.
            let _ = self.tell.send(Happening::Completed { thread, outcome });
        }
    }

    /// The next happening, until that time at the latest.
    pub(super) fn poll(&self, until: Nanos) -> Option<Happening> {
        let wait = until.0.saturating_sub(self.now().0);
        if wait == 0 {
            return self.happenings.try_recv().ok();
        }
        self.happenings.recv_timeout(Duration::from_nanos(wait)).ok()
    }
}
