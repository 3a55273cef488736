//! What a command is answered with: kept with its idempotency key, and the same each time.

use serde::{Deserialize, Serialize};

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, Serialize, Deserialize, utoipa::ToSchema, async_graphql::SimpleObject,
        )]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
            /// The last entry that this is.
            pub position: Option<u64>,
        }
    )*};
}

answers! {
    /// An account was opened.
    AccountOpened {
        /// Its id.
        account: String,
        /// Whose.
        client: String,
        /// In what.
        asset: String,
    }
    /// A quorum is asked for a key.
    KeyRequested {
        /// The key that will be.
        key: String,
        /// The question.
        proposal: String,
        /// From then on no answer counts.
        expires_at: String,
    }
    /// A wallet was created.
    WalletCreated {
        /// Its id.
        wallet: String,
        /// Where.
        network: String,
        /// Who signs.
        key: String,
    }
    /// An address was derived.
    AddressGiven {
        /// The address.
        address: String,
        /// Of which wallet.
        wallet: String,
        /// How it is derived: `branch/index`.
        path: String,
        /// The same with the key that it lies below, such as `m/0/7 of key …`.
        full_path: Option<String>,
        /// Whether the 20 deposit addresses before it are unused: a wallet that only knows the key
        /// looks no further (BIP 44), so tell it how far to look.
        beyond_gap: Option<bool>,
        /// Whose deposits arrive there.
        account: String,
    }
    /// A quorum is asked for a payment.
    TransactionRequested {
        /// The payment.
        transaction: String,
        /// The question.
        proposal: String,
        /// From then on no answer counts, and nobody signs.
        expires_at: String,
    }
    /// A payment was taken back.
    TransactionCancelled {
        /// The payment.
        transaction: String,
        /// The question that nobody needs to answer any more.
        proposal: String,
    }
    /// An answer is in the log.
    Answered {
        /// To which question.
        proposal: String,
        /// Whose.
        approver: String,
        /// `approve` or `decline`.
        answer: String,
        /// Whether this answer completed the quorum.
        quorum_reached: bool,
        /// Whether this answer made the quorum impossible.
        rejected: bool,
    }
    /// A quorum is asked for another policy.
    PolicyProposed {
        /// The question.
        proposal: String,
        /// From then on no answer counts.
        expires_at: String,
    }
    /// A policy that was approved will not be in force.
    ProposalVetoed {
        /// The question.
        proposal: String,
    }
    /// A question was taken back.
    ProposalCancelled {
        /// The question.
        proposal: String,
    }
    /// A tighter policy is in force.
    PolicyTightened {
        /// Its version.
        version: u32,
    }
    /// A reference price is in the log.
    PriceQuoted {
        /// Of which asset.
        asset: String,
    }
    /// Payments were stopped.
    FreezeSet {
        /// The freeze's id.
        freeze: String,
        /// What it covers.
        covers: String,
    }
    /// A quorum is asked to let something go on.
    ReleaseProposed {
        /// The question.
        proposal: String,
        /// From then on no answer counts.
        expires_at: String,
    }
    /// A quorum is asked whether the shares of a key may change hands.
    KeyChangeRequested {
        /// The key.
        key: String,
        /// The question.
        proposal: String,
        /// From then on no answer counts.
        expires_at: String,
        /// Who joins, in the place of whom, and who helps.
        #[schema(value_type = Object)]
        change: super::Json,
    }
    /// A signer is trusted no more: no other works with it.
    SignerQuarantined {
        /// The signer.
        signer: String,
    }
    /// A payment was stopped.
    TransactionStopped {
        /// The payment.
        transaction: String,
    }
    /// A key was taken out of use.
    KeyQuarantined {
        /// The key.
        key: String,
    }
    /// A signer's word about a backup of its share is in the log.
    WordRecorded {
        /// Of which key.
        key: String,
        /// Whose word.
        signer: String,
    }
    /// A cosigner's part of its key's proof is in the log.
    CosignerRecorded {
        /// Of which key.
        key: String,
        /// Its place in the key's descriptor, counted from 1.
        place: String,
    }
    /// What compliance found is in the log.
    ScreeningRecorded {
        /// The destination.
        address: String,
        /// `clear` or `flagged`.
        verdict: String,
    }
    /// A person explained a difference.
    DifferenceResolved {
        /// The difference.
        difference: String,
    }
}
