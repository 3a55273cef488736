//! Holders that were caught cheating in a session with this signer. What the shares of threshold ECDSA have in
//! common with such a one must not be used with it again: each further try would tell it more of this
//! signer's share. Never waits for the log to say so: it is the server's to write, or not.

use serde::{Deserialize, Serialize};
use strongroom_domain::{KeyId, Refusal, Rule, SignerId};

use super::{Consumptions, Record};
use crate::journal::JournalError;

/// A holder that this signer signs with no more, as long as the shares of the key are the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Banned {
    /// Of which key.
    pub key: KeyId,
    /// Which of its shares: a refresh makes all that holders have in common anew.
    pub epoch: u32,
    /// Who was caught.
    pub holder: SignerId,
}

impl Consumptions {
    /// Remembers it: for every other order at once, and durably before it returns. A crash before that leaves
    /// a ban or none, and no answer outside.
    pub fn ban(&self, banned: Banned) -> Result<(), JournalError> {
        self.lock().banned.insert(banned);
        self.journal.append_durable(&[Record::Banned(banned)])
    }

    /// Whether the journal still writes: without it nothing new is signed.
    pub fn demand_running(&self) -> Result<(), JournalError> {
        self.journal.running()
    }

    /// Whether none of them was caught with these shares.
    pub fn demand_unbanned<'a>(
        &self,
        (key, epoch): (KeyId, u32),
        holders: impl IntoIterator<Item = &'a SignerId>,
    ) -> Result<(), Refusal> {
        let open = self.lock();
        let is_banned =
            |holder: &&SignerId| open.banned.contains(&Banned { key, epoch, holder: **holder });
        match holders.into_iter().find(is_banned) {
            None => Ok(()),
            Some(holder) => {
                let because = format!(
                    "this signer caught holder {holder} cheating with shares {epoch} of key {key}, \
                     and signs with it only with new ones"
                );
                Err(Refusal::new(Rule::SignerQuarantined, because))
            }
        }
    }
}
