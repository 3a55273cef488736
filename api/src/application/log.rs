//! The log itself, as it is stored. Never re-serialised: whoever wants to check it, can.

use futures::{Stream, stream};
use strongroom_domain::Head;
use strongroom_store::{Position, Record, Subscription};

use super::{Application, Caller, Failure, Presented, reads::Paging, views};

/// The longest that a reader may wait for an entry, in seconds: less than the time for an answer.
const LONGEST_WAIT_S: u64 = 20;

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method's path is not general enough in the view's lifetime"
)]
impl Application {
    /// Entries behind a position: those that there are. With `wait_s`, where there are none yet,
    /// those that come within so many seconds.
    pub async fn events(
        &self,
        paging: Paging,
        wait_s: Option<u64>,
    ) -> Result<views::EventPage, Failure> {
        let limit = paging.limit()?;
        let after = paging.after.unwrap_or(0);
        let from = behind(after)?;
        if let Some(seconds) = wait_s {
            self.wait_for_entry(after, seconds).await?;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let records = self.noted(self.bus().log().read_from(from, limit).await)?;
        let items: Vec<_> = records.iter().map(event).collect();
        let next = items.last().filter(|_| items.len() == limit).map(|last| last.position);
        let cursor = items.last().map_or(after, |last| last.position);
        Ok(views::EventPage { items, next, cursor })
    }

    /// Returns when there is an entry behind this one, or so many seconds are over.
    async fn wait_for_entry(&self, after: u64, seconds: u64) -> Result<(), Failure> {
        if seconds > LONGEST_WAIT_S {
            let because = format!("wait_s is 0 to {LONGEST_WAIT_S}, not {seconds}");
            return Err(Failure::Malformed(because));
        }
        let log = self.bus().log();
        if log.head().position.get() > after {
            return Ok(());
        }
        let mut coming = log.subscribe(behind(after)?);
        let within = std::time::Duration::from_secs(seconds);
        match tokio::time::timeout(within, coming.next_batch()).await {
            Ok(read) => self.noted(read.map(|_| ())),
            Err(_) => Ok(()),
        }
    }

    /// The last durable entry.
    pub fn log_head(&self) -> views::LogHead {
        let head = self.bus().log().head();
        views::LogHead { position: head.position.get(), leaf: head.leaf.to_string() }
    }

    /// Every entry behind a position, and then those to come, while the caller's token is good.
    pub fn follow(
        &self,
        presented: Presented,
        after: u64,
    ) -> Result<impl Stream<Item = Result<views::LogEvent, Failure>> + use<>, Failure> {
        let subscription = self.bus().log().subscribe(behind(after)?);
        let application = self.clone();
        let batches = stream::try_unfold(
            (application, subscription, presented),
            |(application, mut subscription, presented)| async move {
                let batch = next_batch(&application, &mut subscription, &presented).await?;
                Ok::<_, Failure>(
                    batch.map(|events| (events, (application, subscription, presented))),
                )
            },
        );
        Ok(futures::TryStreamExt::try_flatten(futures::TryStreamExt::map_ok(batches, |events| {
            stream::iter(events.into_iter().map(Ok))
        })))
    }

    /// Whether this server serves, and what is amiss all the same; the reason why not, otherwise.
    pub async fn ready(&self) -> Result<String, Failure> {
        if let Some(because) = self.fault().borrow().clone() {
            return Err(Failure::Unavailable(because));
        }
        let _: Head = self.read(|view| view.head()).await?;
        Ok(match self.checkpoints().health().trouble {
            None => "ready\n".to_owned(),
            Some(because) => format!("ready\nno checkpoint counts: {because}\n"),
        })
    }
}

async fn next_batch(
    application: &Application,
    subscription: &mut Subscription,
    presented: &Presented,
) -> Result<Option<Vec<views::LogEvent>>, Failure> {
    let batch = match subscription.next_batch().await {
        Ok(batch) => batch,
        Err(strongroom_store::ReadError::Closed) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // It may have been revoked since.
    let _still: Caller = application.caller(presented)?;
    Ok(Some(batch.iter().map(event).collect()))
}

fn behind(after: u64) -> Result<Position, Failure> {
    after
        .checked_add(1)
        .and_then(Position::new)
        .ok_or_else(|| Failure::Malformed(format!("{after} is no position of a log")))
}

fn event(record: &Record) -> views::LogEvent {
    let entry = &record.entry;
    views::LogEvent {
        position: entry.position.get(),
        time: entry.time.to_string(),
        stream: entry.stream.clone(),
        kind: entry.r#type.clone(),
        leaf: record.leaf().to_string(),
        // An entry and its payload are JSON: always text.
        entry: String::from_utf8_lossy(&record.bytes).into_owned(),
        payload: String::from_utf8_lossy(&record.payload).into_owned(),
    }
}
