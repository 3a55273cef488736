//! Letters between signers in rounds of protocols. A letter opens for its receiver alone, in the
//! round, session and work that it was sealed for; nothing here keeps one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use strongroom_domain::{
    Bytes, Rule, SignerId,
    key::Protocol,
    protocol::{Sealed, Work},
};
use strongroom_secrets::Secret;
use uuid::Uuid;

use super::{Signer, Trouble, refuse};
use crate::{sealing::Letterhead, threshold::ByHolder};

const DOMAIN: &[u8] = b"strongroom/work-session/v1\0";

/// What letters are about, and who writes them: the holders by their numbers.
pub(super) struct Post<'a> {
    pub(super) work: Work,
    pub(super) session: &'a Bytes,
    pub(super) protocol: Protocol,
    pub(super) holders: &'a BTreeMap<u16, SignerId>,
}

/// One name for a session of a work: no two have the same.
pub(super) fn session_of(work: Work, session: &Bytes) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(DOMAIN);
    match work {
        Work::Ceremony { key } => {
            hash.update([1]);
            hash.update(key.0.as_bytes());
        }
        Work::Change { key, epoch } => {
            hash.update([2]);
            hash.update(key.0.as_bytes());
            hash.update(epoch.to_be_bytes());
        }
        Work::Proof { key, epoch } => {
            hash.update([3]);
            hash.update(key.0.as_bytes());
            hash.update(epoch.to_be_bytes());
        }
        Work::Attempt { transfer, attempt } => {
            hash.update([4]);
            hash.update(transfer.0.as_bytes());
            hash.update(attempt.to_be_bytes());
        }
    }
    hash.update(session.as_slice());
    hash.finalize().into()
}

impl Post<'_> {
    /// A signer's number among the holders.
    pub(super) fn number(&self, signer: SignerId) -> Option<u16> {
        self.holders.iter().find(|(_, holder)| **holder == signer).map(|(number, _)| *number)
    }

    /// Who is proven to have cheated.
    pub(super) fn signer(&self, number: u16) -> Option<SignerId> {
        self.holders.get(&number).copied()
    }

    fn subject(&self) -> String {
        let work = match self.work {
            Work::Ceremony { .. } => "ceremony",
            Work::Change { .. } => "change",
            Work::Proof { .. } => "proof",
            Work::Attempt { .. } => "sign",
        };
        format!("{work}/{}", self.protocol.name())
    }

    fn session(&self) -> Uuid {
        let whole = session_of(self.work, self.session);
        Uuid::new_v8(std::array::from_fn(|place| whole.get(place).copied().unwrap_or_default()))
    }
}

impl Signer {
    /// Seals what this signer writes in a round.
    pub(super) fn seal_letters(
        &self,
        post: &Post<'_>,
        round: u16,
        letters: &ByHolder<Secret>,
    ) -> Result<Vec<Sealed>, Trouble> {
        let subject = post.subject();
        let mut sealed = Vec::with_capacity(letters.len());
        for (number, letter) in letters {
            let Some(receiver) = post.signer(*number) else {
                return refuse(Rule::SignerProtocol, "a letter for nobody");
            };
            let head = Letterhead {
                protocol: &subject,
                session: post.session(),
                round,
                sender: self.id.0,
                receiver: receiver.0,
            };
            let public = self.sealing_key(receiver)?;
            let bytes = self.identity.sealing().seal(&public, &head, letter);
            let bytes = bytes.map_err(|error| Trouble::Unavailable(error.to_string()))?;
            sealed.push(Sealed { sender: self.id, receiver, sealed: Bytes(bytes) });
        }
        Ok(sealed)
    }

    /// Opens what was written to this signer in a round: at most one letter of each holder.
    pub(super) fn open_letters(
        &self,
        post: &Post<'_>,
        round: u16,
        letters: &[Sealed],
    ) -> Result<ByHolder<Secret>, Trouble> {
        let subject = post.subject();
        let mut opened = ByHolder::new();
        for letter in letters {
            let Some(number) = post.number(letter.sender).filter(|_| letter.receiver == self.id)
            else {
                return refuse(Rule::SignerProtocol, "a letter from a stranger or for another");
            };
            let head = Letterhead {
                protocol: &subject,
                session: post.session(),
                round,
                sender: letter.sender.0,
                receiver: self.id.0,
            };
            let public = self.sealing_key(letter.sender)?;
            let message = self.identity.sealing().open(&public, &head, letter.sealed.as_slice());
            let message = match message {
                Ok(message) => message,
                Err(error) => return refuse(Rule::SignerProtocol, error.to_string()),
            };
            if opened.insert(number, message).is_some() {
                return refuse(Rule::SignerProtocol, "two letters from one signer");
            }
        }
        Ok(opened)
    }
}
