//! What accounts and wallets set aside and move, in words. Never adds anything up.

use super::Story;
use crate::quantity::ledger_account;
use strongroom_domain::{
    account::{AccountEvent, HoldPosted, JournalEntry},
    wallet::WalletEvent,
};

impl Story {
    pub(super) fn account(
        &self,
        stream: strongroom_domain::Stream,
        event: &AccountEvent,
    ) -> Vec<String> {
        match event {
            AccountEvent::HoldPlaced(it) => {
                vec![format!("{} were set aside in {stream}.", self.amount(it.amount))]
            }
            AccountEvent::HoldRaised(it) => {
                vec![format!("From now on {} are set aside in {stream}.", self.amount(it.amount))]
            }
            AccountEvent::HoldPosted(it) => self.posted(stream, it),
            AccountEvent::HoldVoided(_) => {
                vec![format!("What was set aside in {stream} is available again; nothing moved.")]
            }
            AccountEvent::Opened(_) | AccountEvent::Posted(_) => Vec::new(),
        }
    }

    fn posted(&self, stream: strongroom_domain::Stream, it: &HoldPosted) -> Vec<String> {
        let mut says = vec![format!("What was set aside in {stream} was posted:")];
        says.extend(it.entries.iter().map(|entry| self.entry(entry)));
        says
    }

    fn entry(&self, entry: &JournalEntry) -> String {
        let amount = self.amount(entry.amount);
        let (debit, credit) = (ledger_account(entry.debit), ledger_account(entry.credit));
        format!("- {amount}: debit {debit}, credit {credit} ({:?})", entry.purpose)
    }

    pub(super) fn wallet(
        &self,
        stream: strongroom_domain::Stream,
        event: &WalletEvent,
    ) -> Vec<String> {
        let says = match event {
            WalletEvent::CoinsReserved(it) => {
                let coins: Vec<_> = it.outpoints.iter().map(ToString::to_string).collect();
                format!("{stream} set coins aside: {}.", coins.join(", "))
            }
            WalletEvent::CoinsReleased(_) => format!("The coins of {stream} are free again."),
            WalletEvent::CoinsSpent(_) => format!("The coins of {stream} are spent."),
            WalletEvent::CoinAdded(it) => {
                format!("{} came back to {stream} as change.", self.amount(it.coin.amount))
            }
            WalletEvent::AccountNonceReserved(it) => format!(
                "{stream} set account nonce {} and {} aside.",
                it.account_nonce,
                self.amount(it.amount)
            ),
            WalletEvent::AccountNonceRaised(it) => {
                format!("{stream} sets {} aside from now on.", self.amount(it.amount))
            }
            WalletEvent::NonceGapFound(it) => format!(
                "Later transactions of {stream} wait for account nonce {}, which this transfer holds \
                 and will not use, says the server: it may be cancelled.",
                it.account_nonce
            ),
            WalletEvent::AccountNonceReleased(_) => {
                format!("The account nonce of {stream} is free again.")
            }
            WalletEvent::AccountNonceUsed(it) => {
                let spent = self.amount(it.spent);
                format!("{stream} has spent {spent}; its account nonce is used.")
            }
            WalletEvent::Swept(it) => {
                let mut says = vec![format!("What {stream} held, its successor holds:")];
                says.extend(it.entries.iter().map(|entry| self.entry(entry)));
                return says;
            }
            WalletEvent::Created(_)
            | WalletEvent::RotationApproved(_)
            | WalletEvent::AddressDerived(_)
            | WalletEvent::CoinRemoved(_)
            | WalletEvent::FundsReceived(_)
            | WalletEvent::FundsReversed(_) => return Vec::new(),
        };
        vec![says]
    }
}
