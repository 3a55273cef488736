//! When a round begins: on demand at once, else when enough entries wait or enough time has passed.
//! Rounds follow one another, like appends that share an fsync: who comes while one runs shares the
//! next. Never stops anything else when a round does not count.

use super::{Counting, Shared, policy::Policy, round};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// Looks at the log in each interval of time: how late the size's trigger can be.
const LOOKS: u32 = 8;

/// Never returns.
pub(super) async fn publish(shared: Arc<Shared>, mut changes: watch::Receiver<u64>) {
    let settings = shared.settings;
    let mut wanted = shared.wanted.subscribe();
    let mut last = Instant::now();
    let mut pause = settings.shortest_pause;
    loop {
        let policy = due(&shared, &mut wanted, last).await;
        last = Instant::now();
        match round::run(&shared, policy).await {
            Ok(size) => {
                pause = settings.shortest_pause;
                shared.health.counted(size);
            }
            Err(because) => {
                shared.health.failed(&because);
                // A witness that comes back is reason enough to try at once.
                let _ = timeout(pause, back(&mut changes)).await;
                pause = pause.saturating_mul(2).min(settings.longest_pause);
            }
        }
    }
}

/// Waits for a witness that was away; for ever, where nobody tells of them.
async fn back(changes: &mut watch::Receiver<u64>) {
    if changes.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until a checkpoint is due: the policy to hold it against.
async fn due(shared: &Shared, wanted: &mut watch::Receiver<u64>, last: Instant) -> Arc<Policy> {
    let settings = shared.settings;
    let look = (settings.every / LOOKS).max(Duration::from_millis(1));
    loop {
        let end = shared.bus.log().head().position.get();
        let covered = shared.covered();
        let waiting = end.saturating_sub(covered);
        let demanded = (*wanted.borrow_and_update()).min(end) > covered;
        let enough = waiting >= settings.entries || last.elapsed() >= settings.every;
        if demanded || (waiting > 0 && enough) {
            match shared.policy() {
                Ok(policy) => return policy,
                Err(because) => shared.health.troubled(&because),
            }
        }
        tokio::select! {
            _ = wanted.changed() => {}
            () = sleep(look) => {}
        }
    }
}

/// Keeps what the board shows; what comes while it is written is passed over, but for the newest. A
/// crash leaves an older one, and nobody outside was told of a newer one.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut news = shared.board.news();
    let mut pause = shared.settings.shortest_pause;
    loop {
        let shown = news.borrow_and_update().clone();
        if let Some(shown) = shown {
            if let Err(because) = kept(&shared, &shown).await {
                tracing::error!(because, "the checkpoint can't be kept");
                shared.health.troubled(&format!("it can't be kept: {because}"));
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(shared.settings.longest_pause);
                news.mark_changed();
            } else {
                pause = shared.settings.shortest_pause;
            }
        }
        if news.changed().await.is_err() {
            return;
        }
    }
}

async fn kept(shared: &Shared, shown: &Arc<Counting>) -> Result<(), String> {
    // Further cosignatures under the head that is kept already: no news for a restart.
    let known = shared.kept.borrow().as_ref().is_some_and(|kept| kept.is_of(shown));
    if !known {
        let (keeper, kept) = (Arc::clone(&shared.keeper), Arc::clone(shown));
        let keeping = tokio::task::spawn_blocking(move || keeper.keep(&kept.text)).await;
        keeping.map_err(|_died| "the task that keeps it died".to_owned())??;
    }
    shared.kept.send_replace(Some(Arc::clone(shown)));
    Ok(())
}
