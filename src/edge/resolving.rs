//! Who keeps the origin's addresses fresh? A name is resolved beside the requests, never for one of them.

use super::{
    snapshot::Current,
    ticket::{Alarm, Desk},
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Names change when containers do; the system's resolver caches what is still valid.
const REFRESH: Duration = Duration::from_secs(15);
/// After a failure: the name may be there in a moment, as when everything starts at once.
const RETRY: Duration = Duration::from_secs(2);

/// Keeps the addresses of the origin of the moment fresh, for ever.
pub(super) async fn keep_resolving(snapshot: Current, desk: Arc<Desk>) {
    loop {
        let known = snapshot.load().origin.is_known();
        sleep(if known { REFRESH } else { RETRY }).await;
        let origin = snapshot.load().origin.clone();
        if let Err(error) = origin.resolve().await {
            desk.observer.alarm(&Alarm::OriginName(error));
        }
    }
}
