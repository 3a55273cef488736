//! What callers are told, in REST and GraphQL alike: ids, amounts (base units) and times are text.
//! Never a field that is not in the log or follows from it.

mod answers;
mod cosigners;
mod custody;
mod log;
mod money;
mod officers;
mod payments;
mod people;
mod webhooks;

pub use answers::{
    AccountOpened, AddressGiven, Answered, CosignerRecorded, DifferenceResolved, FreezeSet,
    KeyChangeRequested, KeyQuarantined, KeyRequested, PolicyProposed, PolicyTightened, PriceQuoted,
    ProposalCancelled, ProposalVetoed, ReleaseProposed, ScreeningRecorded, SignerQuarantined,
    TransactionCancelled, TransactionRequested, TransactionStopped, WalletCreated, WordRecorded,
};
pub use cosigners::{KeyCosigner, KeyProof, WalletDescriptor};
pub use custody::{
    Address, Charter, Deposit, DepositPage, Key, KeyBackup, KeyPage, KeyStep, PolicyInForce,
    Signer, SignerPage, UnusableKey, Wallet, WalletDetail, WalletPage,
};
pub use log::{Checkpoint, EventPage, LogEvent, LogHead, Me, SilentWitness};
pub use money::{Account, AccountDetail, AccountPage, Hold, Sides, TrialBalance};
pub use officers::{
    Difference, DifferencePage, Freeze, FreezePage, Price, PricePage, ReconciliationStatus,
    Screening, ScreeningPage,
};
pub use payments::{
    Approval, Attempt, Cosigning, Proposal, ProposalAnswer, ProposalPage, PsbtImported,
    SignerRefusal, Signing, StoryEntry, Transaction, TransactionPage, TransactionStory,
    UnfinishedPsbt,
};
pub use people::{MachineView, People, PersonView};
pub use webhooks::{Webhook, WebhookMessage, WebhookMessagePage};

use serde::Serialize;

/// Parts that have a form of their own in the log, as it has them.
pub type Json = async_graphql::Json<serde_json::Value>;

/// Declares views: the fields with their sources, and where they come from.
macro_rules! views {
    (@one $(#[$doc:meta])* $name:ident [] {
        $($(#[$field_doc:meta])* $field:ident: $kind:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema, async_graphql::SimpleObject)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind,)* }
    };
    (@one $(#[$doc:meta])* $name:ident [$row:ty, $source:ident] {
        $($(#[$field_doc:meta])* $field:ident: $kind:ty = $value:expr,)*
    }) => {
        views! { @one $(#[$doc])* $name [] { $($(#[$field_doc])* $field: $kind,)* } }

        impl From<$row> for $name {
            fn from($source: $row) -> Self {
                Self { $($field: $value,)* }
            }
        }
    };
    ($($(#[$doc:meta])* $name:ident $(from $row:ty as $source:ident)? { $($body:tt)* })*) => {$(
        views! { @one $(#[$doc])* $name [$($row, $source)?] { $($body)* } }
    )*};
}
use views;

/// What always has a JSON form, in it.
fn json(value: &impl Serialize) -> Json {
    async_graphql::Json(serde_json::to_value(value).unwrap_or_default())
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn maybe<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn all<T, V: From<T>>(values: Vec<T>) -> Vec<V> {
    values.into_iter().map(Into::into).collect()
}
