//! SIGTERM and SIGINT. Nothing else is listened to.

use tokio::signal::unix::{SignalKind, signal};

use super::ServeError;

/// Ends at the first of them.
pub(super) fn stop() -> Result<impl Future<Output = ()> + Send, ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
