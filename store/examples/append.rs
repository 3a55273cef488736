//! Appends events to a log, wherever it is: `append LOCATION STREAM COUNT`. Never more than an
//! example of the port, and the writer for tests that cannot link this crate (`benches-es`).

use strongroom_store::{Append, Expected, LogLocation, NewEvent, Options};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [location, stream, count] = arguments.as_slice() else {
        return Err("usage: append LOCATION STREAM COUNT".into());
    };
    let log = location.parse::<LogLocation>()?.open(&Options::default()).await?;
    let first = log.stream_sequence(stream).await?;
    let count: u64 = count.parse()?;
    for sequence in first..first.saturating_add(count) {
        let event = NewEvent {
            stream: stream.clone(),
            r#type: "transfer.requested".to_owned(),
            version: 1,
            payload: format!(r#"{{"after":"event {sequence}"}}"#).into_bytes(),
        };
        let append = Append {
            expected: vec![Expected { stream: stream.clone(), sequence }],
            events: vec![event],
            actor: "person:example".to_owned(),
            command: Uuid::now_v7(),
            correlation: Uuid::now_v7(),
            causation: None,
            idempotency: None,
        };
        log.append(append).await?;
    }
    Ok(())
}
