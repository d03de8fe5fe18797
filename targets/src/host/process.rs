//! The node as a process: it dies with its parent, and ends cleanly when it is asked to.

use super::HostError;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Makes the kernel kill this process when `parent` dies, however that dies. Fails if it is
/// dead already: then nobody would ever end this process.
///
/// The kernel watches the *thread* that started this process: it must live as long as the
/// parent does.
pub(super) fn die_with(parent: u32) -> Result<(), HostError> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .map_err(|errno| HostError::Process(errno.into()))?;
    // Asked after the arrangement, so that no death is missed between the two.
    if std::os::unix::process::parent_id() == parent {
        Ok(())
    } else {
        Err(HostError::Orphan { parent })
    }
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
    }
    Ok(())
}
