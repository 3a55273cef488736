//! The current attempt of a multisig wallet as a PSBT (BIP 174), out to cosigners who are no signers and
//! back. Never takes from what comes back anything but signatures of exactly the authorised transaction.

use super::{
    planning::active,
    signing::{read, written},
};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_chains::{
    DecodeError, UnsignedTx,
    bitcoin::multisig::{self, CombineError, Partial, Places, PlacesError},
};
use strongroom_domain::{
    Bytes, Network, Refusal, Rule, SignerId, State, TransferId, check_frozen,
    key::{Active, Custody},
    policy::Label,
    transfer::{AttemptAuthorised, PartiallySigned, Transfer},
};

/// An attempt that cosigners may sign, read.
#[derive(Debug)]
pub struct Unfinished {
    /// Which attempt.
    pub attempt: u32,
    places: Places,
    unsigned: multisig::UnsignedTx,
    given: BTreeMap<usize, Partial>,
}

/// Who a place is of, and whether it has signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CosignerPart {
    /// In the wallet's descriptor, counted from 1.
    pub place: usize,
    /// Of a cosigner that is no signer.
    pub name: Option<Label>,
    /// Of a signer.
    pub signer: Option<SignerId>,
    /// Whether the log has its signatures of the current attempt.
    pub signed: bool,
}

/// Why there is no PSBT, or nothing to take from one.
#[derive(Debug, thiserror::Error)]
pub enum PsbtError {
    /// Nothing is being signed, or not by cosigners.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another transaction, no signature, or bytes that are no PSBT.
    #[error(transparent)]
    Combine(#[from] CombineError),
    /// Every signature in it is in the log already.
    #[error("nothing new: the log has the signatures of all who signed this PSBT")]
    NothingNew,
    /// The log is damaged.
    #[error("the log's own signatures of place {place} are none")]
    Part {
        /// Whose, counted from 1.
        place: u16,
    },
    /// The log is damaged.
    #[error("the log's own attempt: {0}")]
    Decode(#[from] DecodeError),
    /// The log is damaged.
    #[error("the log's own key: {0}")]
    Places(#[from] PlacesError),
}

fn refuse<T>(rule: Rule, because: &str) -> Result<T, PsbtError> {
    Err(Refusal::new(rule, because).into())
}

/// What the log has of an attempt that cosigners may sign, before anything of it is read: that takes
/// arithmetic on curves, for which nobody else should wait.
#[derive(Debug)]
pub struct Stored {
    network: Network,
    active: Active,
    current: AttemptAuthorised,
    partials: BTreeMap<u16, Vec<Bytes>>,
}

impl Stored {
    /// The attempt of a transfer that is being signed.
    pub fn of(state: &State, transfer: TransferId) -> Result<Self, PsbtError> {
        let Some(known) = state.transfers.get(&transfer) else {
            return refuse(Rule::TransferState, "there is no such transfer");
        };
        let Transfer::Signing(attempts) = known else { return Ok(known.not_now()?) };
        let active = active(state, attempts.current.key)?.clone();
        match active.plan.protocol.custody() {
            Custody::Cosigners => Ok(Self {
                network: attempts.asked.intent.network(),
                active,
                current: attempts.current.clone(),
                partials: attempts.partials.clone(),
            }),
            Custody::Shares | Custody::Whole => {
                let because = "its wallet is no multisig wallet: nobody but signers signs for it";
                refuse(Rule::TransferState, because)
            }
        }
    }

    /// The same, to be handed out: not while it is frozen.
    pub fn to_hand_out(state: &State, transfer: TransferId) -> Result<Self, PsbtError> {
        if let Some(Transfer::Signing(attempts)) = state.transfers.get(&transfer) {
            check_frozen(state, &attempts.asked.intent)?;
        }
        Self::of(state, transfer)
    }

    /// Everybody who could sign, in the descriptor's order.
    pub fn parts(&self) -> Result<Vec<CosignerPart>, PsbtError> {
        let places = Places::of_key(&self.active)?;
        let signed = self.partials.keys().map(|place| usize::from(*place).saturating_sub(1));
        Ok(parts(&places, &signed.collect()))
    }

    /// Reads it.
    pub fn read(&self) -> Result<Unfinished, PsbtError> {
        let unsigned = UnsignedTx::parse(self.network, &self.current.unsigned)?;
        let UnsignedTx::Multisig(unsigned) = unsigned else {
            let because = "its transaction is no multisig wallet's";
            return refuse(Rule::TransferState, because);
        };
        let places = Places::of_key(&self.active)?;
        let given = self.partials.iter().map(|(place, signatures)| {
            let partial = read(*place, signatures).ok_or(PsbtError::Part { place: *place })?;
            Ok((partial.place, partial))
        });
        let given = given.collect::<Result<_, PsbtError>>()?;
        Ok(Unfinished { attempt: self.current.attempt, places, unsigned, given })
    }
}

fn parts(places: &Places, signed: &BTreeSet<usize>) -> Vec<CosignerPart> {
    let part = |place: usize| CosignerPart {
        place: place.saturating_add(1),
        name: places.name(place).cloned(),
        signer: places.signer(place),
        signed: signed.contains(&place),
    };
    (0..places.descriptor.keys().len()).map(part).collect()
}

impl Unfinished {
    /// It, with every part that the log has.
    pub fn psbt(&self) -> Result<Bytes, PsbtError> {
        let given: Vec<_> = self.given.values().cloned().collect();
        Ok(self.unsigned.psbt_with(&given)?)
    }

    /// How many must sign.
    pub fn threshold(&self) -> usize {
        self.places.descriptor.threshold()
    }

    /// Everybody who could, in the descriptor's order.
    pub fn parts(&self) -> Vec<CosignerPart> {
        parts(&self.places, &self.given.keys().copied().collect())
    }

    /// Every part in what a cosigner sends back that the log has not, verified. One that is not valid
    /// makes it refuse the whole.
    pub fn taken(&self, psbt: &[u8]) -> Result<Vec<PartiallySigned>, PsbtError> {
        let found = self.unsigned.partials(psbt)?;
        let mut new = Vec::new();
        for partial in found.into_iter().filter(|of| !self.given.contains_key(&of.place)) {
            self.unsigned.check_partial(&partial)?;
            new.extend(written(self.attempt, &partial));
        }
        if new.is_empty() { Err(PsbtError::NothingNew) } else { Ok(new) }
    }
}
