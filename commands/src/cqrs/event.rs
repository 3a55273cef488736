//! The domain's events as cqrs-es wants them. Never how they are stored: the log keeps the domain's
//! own bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::fmt::Debug;
use strongroom_domain::{
    Event, account::AccountEvent, charter::CharterEvent, deposit::DepositEvent,
    freeze::FreezeEvent, key::KeyEvent, price::PriceEvent, proposal::ProposalEvent,
    reconciliation::ReconciliationEvent, screening::ScreeningEvent, signer::SignerEvent,
    transfer::TransferEvent, wallet::WalletEvent,
};

/// The events of one kind of aggregate.
pub trait StoredEvent: Into<Event> + Clone + PartialEq + Debug + Send + Sync {
    /// The event, if it is of this kind.
    fn own(event: Event) -> Option<Self>;
}

macro_rules! stored {
    ($($variant:ident($event:ty)),* $(,)?) => {$(
        impl StoredEvent for $event {
            fn own(event: Event) -> Option<Self> {
                if let Event::$variant(event) = event { Some(event) } else { None }
            }
        }
    )*};
}

stored! {
    Charter(CharterEvent),
    Proposal(ProposalEvent),
    Account(AccountEvent),
    Wallet(WalletEvent),
    Transfer(TransferEvent),
    Deposit(DepositEvent),
    Key(KeyEvent),
    Signer(SignerEvent),
    Person(strongroom_domain::person::PersonEvent),
    Freeze(FreezeEvent),
    Price(PriceEvent),
    Screening(ScreeningEvent),
    Reconciliation(ReconciliationEvent),
}

/// An event of the domain, told to cqrs-es.
#[derive(Clone, PartialEq, Debug)]
pub struct Told<E>(pub E);

/// Type, version and the payload's stored text: all of an event, in any format.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    r#type: String,
    version: u16,
    payload: String,
}

impl<E: StoredEvent> Serialize for Told<E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let event: Event = self.0.clone().into();
        let (kind, version) = event.kind();
        let payload = event.encode().map_err(ser::Error::custom)?;
        let payload = String::from_utf8(payload).map_err(ser::Error::custom)?;
        Parts { r#type: kind.to_owned(), version, payload }.serialize(to)
    }
}

impl<'de, E: StoredEvent> Deserialize<'de> for Told<E> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(from)?;
        let event = Event::decode(&parts.r#type, parts.version, parts.payload.as_bytes())
            .map_err(de::Error::custom)?;
        E::own(event).map(Self).ok_or_else(|| {
            de::Error::custom(format!("{} is an event of another aggregate", parts.r#type))
        })
    }
}

impl<E: StoredEvent> cqrs_es::DomainEvent for Told<E> {
    fn event_type(&self) -> String {
        let event: Event = self.0.clone().into();
        event.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        let event: Event = self.0.clone().into();
        event.kind().1.to_string()
    }
}
