//! Signing with a share: three rounds of messages, then the signature. What a session drew lives in
//! memory only, is moved from round to round, and is never copied, written or used again.

use std::collections::{BTreeMap, BTreeSet};

use dkls23_secp256k1::{
    Party,
    protocols::{
        PartiesMessage, PartyIndex,
        signing::{
            Broadcast3to4, KeepPhase1to2, KeepPhase2to3, SignData, TransmitPhase1to2,
            TransmitPhase2to3, UniqueKeep1to2, UniqueKeep2to3,
        },
    },
};
use k256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
use k256_of_dkls23::Secp256k1;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    DklsShare,
    abort::explain,
    public::{compressed, index},
    wire::{decode, encode, encode_secret},
};
use crate::threshold::{
    Awaited, ByHolder, Heard, MOST_MESSAGES, Machine, Message, RoundError, Said, Session, Step,
};

const DOMAIN: &[u8] = b"strongroom/dkls23-sign/v1\0";

/// A session under way.
pub struct Signing {
    me: u16,
    signers: BTreeSet<u16>,
    inputs: Vec<Input>,
    stage: Stage,
    said: Vec<u8>,
}

/// One message, with the party whose key it is signed under.
struct Input {
    party: Party,
    data: SignData,
}

type First = (UniqueKeep1to2<Secp256k1>, BTreeMap<PartyIndex, KeepPhase1to2<Secp256k1>>);
type Second = (UniqueKeep2to3<Secp256k1>, BTreeMap<PartyIndex, KeepPhase2to3<Secp256k1>>);

enum Stage {
    First(Vec<First>),
    Second(Vec<Second>),
    /// The X coordinates of the nonces' points: the halves of the signatures that all know by now.
    Third(Vec<String>),
}

/// A letter holds one of each message that is signed, in order.
type Letters<T> = ByHolder<Vec<T>>;

impl Signing {
    pub(super) fn begin(share: &DklsShare, session: Session) -> Result<(Self, Said), RoundError> {
        let Session { id, signers, messages } = session;
        let (me, public) = (share.holder(), share.public());
        let sound = signers.len() == usize::from(public.threshold())
            && signers.contains(&me)
            && signers.iter().all(|of| (1..=public.holders()).contains(of))
            && (1..=MOST_MESSAGES).contains(&messages.len());
        if !sound {
            let (threshold, messages) = (public.threshold(), messages.len());
            return Err(RoundError::Session { signers, threshold, messages });
        }
        let counterparties: Result<Vec<_>, _> =
            signers.iter().filter(|of| **of != me).map(|of| index(*of)).collect();
        let counterparties = counterparties?;
        let mut inputs = Vec::with_capacity(messages.len());
        for (number, Message { digest, path }) in messages.into_iter().enumerate() {
            let party = share.party_at(path)?;
            let number = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
            let sign_id = Sha256::new_with_prefix(DOMAIN)
                .chain_update(id)
                .chain_update(number)
                .finalize()
                .to_vec();
            let counterparties = counterparties.clone();
            let data = SignData { sign_id, counterparties, message_hash: digest };
            inputs.push(Input { party, data });
        }
        let (mut first, mut letters) = (Vec::with_capacity(inputs.len()), Letters::new());
        for Input { party, data } in &inputs {
            let (unique, kept, transmit) =
                party.sign_phase1(data).map_err(|abort| explain(me, &abort))?;
            first.push((unique, kept));
            sort(transmit, |message| &message.parties, &mut letters);
        }
        let said = Said { spoken: Vec::new(), letters: seal(&letters)? };
        Ok((Self { me, signers, inputs, stage: Stage::First(first), said: Vec::new() }, said))
    }

    fn others(&self) -> BTreeSet<u16> {
        self.signers.iter().copied().filter(|of| *of != self.me).collect()
    }

    /// Each sender's letter, one message of each input; and those of one input together.
    fn letters<T: Serialize + DeserializeOwned>(
        &self,
        heard: &Heard<'_>,
        parties: impl Fn(&T) -> &PartiesMessage,
    ) -> Result<Vec<Vec<T>>, RoundError> {
        let mut by_input: Vec<Vec<T>> = self.inputs.iter().map(|_| Vec::new()).collect();
        for (sender, letter) in heard.letters {
            let messages: Vec<T> = decode(letter.expose(), *sender)?;
            let (from, to) = (index(*sender)?, index(self.me)?);
            let addressed = |message: &T| {
                let parties = parties(message);
                parties.sender == from && parties.receiver == to
            };
            if messages.len() != by_input.len() || !messages.iter().all(addressed) {
                return Err(RoundError::Malformed(*sender));
            }
            for (input, message) in by_input.iter_mut().zip(messages) {
                input.push(message);
            }
        }
        Ok(by_input)
    }

    /// Round 2.
    fn multiply(self, first: Vec<First>, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let received = self.letters(heard, |of: &TransmitPhase1to2| &of.parties)?;
        let (mut second, mut letters) = (Vec::with_capacity(first.len()), Letters::new());
        for ((input, (unique, kept)), received) in self.inputs.iter().zip(first).zip(&received) {
            let Input { party, data } = input;
            let (unique, kept, transmit) = party
                .sign_phase2(data, unique, kept, received)
                .map_err(|abort| explain(self.me, &abort))?;
            second.push((unique, kept));
            sort(transmit, |message| &message.parties, &mut letters);
        }
        let said = Said { spoken: Vec::new(), letters: seal(&letters)? };
        Ok(Step::Said(Self { stage: Stage::Second(second), ..self }, said))
    }

    /// Round 3: from here on all that a signature takes has been said.
    fn sum(self, second: Vec<Second>, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        let received = self.letters(heard, |of: &TransmitPhase2to3<Secp256k1>| &of.parties)?;
        let (mut third, mut sums) = (Vec::with_capacity(second.len()), Vec::new());
        for ((input, (unique, kept)), received) in self.inputs.iter().zip(second).zip(&received) {
            let Input { party, data } = input;
            let (x, sum) = party
                .sign_phase3(data, unique, kept, received)
                .map_err(|abort| explain(self.me, &abort))?;
            third.push(x);
            sums.push(sum);
        }
        let spoken = encode(&sums)?;
        let said = Said { spoken: spoken.clone(), letters: ByHolder::new() };
        Ok(Step::Said(Self { stage: Stage::Third(third), said: spoken, ..self }, said))
    }

    /// Round 4. A sum that was changed on the way makes no signature, and names nobody.
    fn combine(&self, third: &[String], heard: &Heard<'_>) -> Result<Vec<[u8; 64]>, RoundError> {
        if heard.spoken.get(&self.me) != Some(&self.said) {
            return Err(RoundError::NotMine);
        }
        let mut by_input: Vec<Vec<Broadcast3to4<Secp256k1>>> =
            self.inputs.iter().map(|_| Vec::new()).collect();
        for (sender, bytes) in heard.spoken {
            // Only the carrier vouches for what is spoken in a session: nobody is to blame for it.
            let unfit = |_| RoundError::Failed(format!("what holder {sender} said can't be read"));
            let sums: Vec<Broadcast3to4<Secp256k1>> = decode(bytes, *sender).map_err(unfit)?;
            if sums.len() != by_input.len() {
                return Err(unfit(RoundError::NotMine));
            }
            for (input, sum) in by_input.iter_mut().zip(sums) {
                input.push(sum);
            }
        }
        let mut signatures = Vec::with_capacity(self.inputs.len());
        for ((Input { party, data }, x), sums) in self.inputs.iter().zip(third).zip(&by_input) {
            let (s, _) =
                party.sign_phase4(data, x, sums, true).map_err(|abort| explain(self.me, &abort))?;
            let mut signature = [0; 64];
            let (left, right) = signature.split_at_mut(32);
            hex::decode_to_slice(x, left)
                .and_then(|()| hex::decode_to_slice(s, right))
                .map_err(|error| RoundError::Own(error.to_string()))?;
            verify(&compressed(&party.pk), &data.message_hash, &signature)?;
            signatures.push(signature);
        }
        Ok(signatures)
    }
}

impl Machine for Signing {
    type Output = Vec<[u8; 64]>;

    fn awaits(&self) -> Awaited {
        match self.stage {
            Stage::First(_) | Stage::Second(_) => {
                Awaited { spoken: BTreeSet::new(), letters: self.others() }
            }
            Stage::Third(_) => Awaited { spoken: self.signers.clone(), letters: BTreeSet::new() },
        }
    }

    fn step(mut self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        match std::mem::replace(&mut self.stage, Stage::Third(Vec::new())) {
            Stage::First(first) => self.multiply(first, heard),
            Stage::Second(second) => self.sum(second, heard),
            Stage::Third(third) => self.combine(&third, heard).map(Step::Done),
        }
    }
}

/// One input's messages go to the end of their receivers' letters.
fn sort<T>(messages: Vec<T>, parties: impl Fn(&T) -> &PartiesMessage, letters: &mut Letters<T>) {
    for message in messages {
        let receiver = parties(&message).receiver.as_u8().into();
        letters.entry(receiver).or_default().push(message);
    }
}

fn seal<T: Serialize>(
    letters: &Letters<T>,
) -> Result<ByHolder<strongroom_secrets::Secret>, RoundError> {
    letters.iter().map(|(receiver, letter)| Ok((*receiver, encode_secret(letter)?))).collect()
}

/// A second implementation says whether it is one, in its low form.
fn verify(key: &[u8; 33], digest: &[u8; 32], signature: &[u8; 64]) -> Result<(), RoundError> {
    let wrong = |what: &str| RoundError::Own(format!("own signature: {what}"));
    let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| wrong("its key is no point"))?;
    let read = Signature::from_slice(signature).map_err(|_| wrong("it is none"))?;
    if read.normalize_s().is_some() {
        return Err(wrong("its s is high"));
    }
    key.verify_prehash(digest, &read).map_err(|_| wrong("it does not verify"))
}
