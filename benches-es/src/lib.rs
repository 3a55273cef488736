//! The aggregate that the comparisons with cqrs-es's stores use. Never linked by the product: those
//! stores sit on an older sqlx and SQLite.

use std::convert::Infallible;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

/// Bytes of an event's payload, as in `store/benches/append.rs`.
pub const PAYLOAD: usize = 300;

/// Counts its events.
#[derive(Default, Serialize, Deserialize)]
pub struct Transfer {
    pub events: u64,
}

/// What a log of Strongroom has as `transfer.requested`, as far as the comparison goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    pub after: String,
}

impl DomainEvent for Requested {
    fn event_type(&self) -> String {
        "transfer.requested".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Transfer {
    const TYPE: &'static str = "transfer";
    type Command = ();
    type Event = Requested;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Infallible> {
        // `{"after":"…"}` is 12 bytes without what is in it.
        let after = format!("{:0width$}", self.events, width = PAYLOAD - 12);
        sink.write(Requested { after }, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Requested) {
        self.events += 1;
    }
}
