//! When does everything that waits stop waiting?

use pingora_core::server::ShutdownWatch;

/// Waits on a clone: a watch that is marked as seen never wakes Pingora's h2 loop, which waits for `changed()`.
pub(super) async fn stopped(shutdown: &ShutdownWatch) {
    let _ = shutdown.clone().wait_for(|stop| *stop).await;
}
