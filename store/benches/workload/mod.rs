//! What the benches of a log ask of it: one event after the other by each of many writers, and
//! long logs made quickly, through the log itself. Never looks inside a backend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use strongroom_store::{Append, AppendLog, EVENTS_LIMIT, Expected, NewEvent};
use uuid::Uuid;

/// A stream lives for about as many events as a transfer does.
const LIFE: u64 = 10;

/// An append of one event for each of `streams`, each at `sequence`.
pub(crate) fn append(streams: &[String], sequence: u64, payload: usize) -> Append {
    let event = |stream: &String| NewEvent {
        stream: stream.clone(),
        r#type: "transfer.requested".to_owned(),
        version: 1,
        payload: [br#"{"note":""#, vec![b'x'; payload - 11].as_slice(), br#""}"#].concat(),
    };
    let expected = |stream: &String| Expected { stream: stream.clone(), sequence };
    Append {
        expected: streams.iter().map(expected).collect(),
        events: streams.iter().map(event).collect(),
        actor: "person:01920000-0000-7000-8000-000000000001".to_owned(),
        command: Uuid::now_v7(),
        correlation: Uuid::from_u128(2 << 100),
        causation: Some(Uuid::from_u128(3 << 100)),
        idempotency: None,
    }
}

pub(crate) fn stream() -> String {
    format!("transfer-{}", Uuid::now_v7())
}

/// What many writers did.
#[derive(Default)]
pub(crate) struct Done {
    /// From the first request to the last answer.
    pub(crate) spent: Duration,
    /// How long each append took, from request to durable.
    pub(crate) taken: Vec<Duration>,
}

impl Done {
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a rate")]
    pub(crate) fn rate(&self) -> f64 {
        self.taken.len() as f64 / self.spent.as_secs_f64()
    }
}

/// `writers` append one event after the other, each when the one before is durable, until that
/// many are done (`0`: no such end) or the time has come.
pub(crate) async fn write(
    log: &Arc<dyn AppendLog>,
    writers: usize,
    appends: usize,
    length: Duration,
) -> Done {
    let start = Instant::now();
    let until = start + length;
    let each = if appends == 0 { usize::MAX } else { appends.div_ceil(writers) };
    let tasks = (0..writers).map(|_| tokio::spawn(writer(Arc::clone(log), each, until)));
    let mut taken = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        taken.extend(task.await.unwrap());
    }
    Done { spent: start.elapsed(), taken }
}

async fn writer(log: Arc<dyn AppendLog>, most: usize, until: Instant) -> Vec<Duration> {
    let mut taken = Vec::new();
    loop {
        let stream = [stream()];
        for sequence in 0..LIFE {
            let start = Instant::now();
            if start >= until || taken.len() == most {
                return taken;
            }
            log.append(append(&stream, sequence, 300)).await.unwrap();
            taken.push(start.elapsed());
        }
    }
}

/// Appends until the log holds `size` entries (in whole appends): many streams at a time, a
/// thousand events to an append, the next on its way while this one is stored.
pub(crate) async fn fill(log: &Arc<dyn AppendLog>, size: u64, payload: usize) {
    loop {
        let missing = size.saturating_sub(log.head().position.get());
        if missing == 0 {
            return;
        }
        let wide = usize::try_from(missing.div_ceil(LIFE)).unwrap().min(EVENTS_LIMIT);
        let streams: Vec<_> = (0..wide).map(|_| stream()).collect();
        // The log takes them in the order in which they were asked for.
        let asked: Vec<_> =
            (0..LIFE).map(|sequence| log.append(append(&streams, sequence, payload))).collect();
        for answer in asked {
            answer.await.unwrap();
        }
    }
}

/// Where `percent` of the sorted times lie below.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

/// Median, least and most.
pub(crate) fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}

/// The machine's load, as it says itself.
pub(crate) fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
