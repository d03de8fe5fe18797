//! Ctrl-C for what has no event loop of its own: simulations look at a flag now and then.

use anyhow::{Context, Result};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a run that was interrupted twice (128 + SIGINT).
pub const EXIT_INTERRUPTED: i32 = 130;

/// Whether the person at the keyboard wants the end.
static WANTED: AtomicBool = AtomicBool::new(false);
/// The listener is started once.
static STARTED: OnceLock<()> = OnceLock::new();

/// Listens for Ctrl-C and SIGTERM from now on: the first one raises the flag, the second one
/// ends the process.
pub fn listen() -> Result<&'static AtomicBool> {
    if STARTED.set(()).is_ok() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .context("cannot listen for signals")?;
        let (mut interrupt, mut terminate) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        std::thread::Builder::new()
            .name("quorate-signals".into())
            .spawn(move || {
                runtime.block_on(async move {
                    loop {
                        tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} }
                        if WANTED.swap(true, Ordering::Relaxed) {
                            std::process::exit(EXIT_INTERRUPTED);
                        }
                    }
                });
            })
            .context("cannot listen for signals")?;
    }
    Ok(&WANTED)
}
