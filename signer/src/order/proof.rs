//! Spend proofs: this signer's part in showing that a key can sign. What is signed is made here from
//! this signer's own log; no order brings a text, a digest or a path. Never for a key that is
//! quarantined or retired, and never for shares that have proven themselves.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, MutexGuard, PoisonError},
};

use strongroom_chains::{
    frost::ByHolder,
    spend_proof::{digest, path, verify_proof},
};
use strongroom_domain::{
    Bytes, KeyId, Rule, SignerId,
    key::{Active, Key, Proof, Protocol},
    protocol::{Reply, Sealed, Spoken},
    statement,
};

use super::{
    Signer, Trouble, demand_witnesses, refuse, restoring::demand_not_restoring, signing::aborted,
    threshold::Went,
};
use crate::{
    frost::{KeyShare, SigningNonces},
    grounds::Grounds,
    threshold::Message,
};

/// Random bytes that name a session.
const SESSION: usize = 16;

/// Sessions of a key that are remembered, so that none is begun twice. Each draws nonces of its own:
/// what is forgotten costs nothing but a round.
const REMEMBERED: usize = 256;

/// Proofs under way, by key: the latest session of each. In memory only: a restart loses the nonces,
/// never reuses one.
#[derive(Default)]
pub(super) struct Proofs(BTreeMap<KeyId, Known>);

#[derive(Default)]
struct Known {
    begun: VecDeque<Bytes>,
    waiting: Option<Waiting>,
}

struct Waiting {
    epoch: u32,
    session: Bytes,
    signers: BTreeSet<SignerId>,
    share: Arc<KeyShare>,
    nonce: SigningNonces,
    commitment: Bytes,
}

/// A key that has to prove itself, as this signer's log has it.
struct Asked {
    active: Active,
    statement: String,
}

impl Signer {
    fn proofs(&self) -> MutexGuard<'_, Proofs> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key, if the log shows that it has to prove itself with these shares.
    fn to_prove(&self, key: KeyId, epoch: u32) -> Result<Asked, Trouble> {
        let mut follower = self.follower_mut();
        // What is acted upon is on disk first: it can't be another log after a crash.
        follower.commit()?;
        let state = follower.audited()?.state();
        let active = match state.keys.get(&key) {
            None => return refuse(Rule::SignerLogBehind, "this signer has not read of that key"),
            Some(Key::Active(active)) => active.clone(),
            Some(other) => {
                return refuse(Rule::SignerKey, format!("the key is {}", other.name()));
            }
        };
        if active.epoch != epoch {
            let because = format!("the key's shares are those of epoch {}", active.epoch);
            return refuse(Rule::SignerKey, because);
        }
        match active.proof {
            Proof::NotAsked => {
                return refuse(Rule::SignerKey, "no proof is asked of a key of the first form");
            }
            Proof::Given { epoch: given } if given == epoch => {
                return refuse(Rule::SignerKey, "these shares have proven themselves");
            }
            Proof::Awaited | Proof::Given { .. } => {}
        }
        let log = demand_witnesses(state)?.log;
        follower.demand_covered(Grounds::of_proof(follower.grounds(), key))?;
        if active.index_of(self.id).is_none() {
            return refuse(Rule::SignerNotInSet, "this signer has no part in that key");
        }
        demand_not_restoring(&active, self.id)?;
        let statement = statement::spend_proof(log, key, epoch, active.proven_as());
        Ok(Asked { active, statement })
    }

    /// A round of a proof.
    pub(super) fn prove(
        &self,
        (key, epoch): (KeyId, u32),
        session: &Bytes,
        round: u16,
        (spoken, letters): (&[Spoken], &[Sealed]),
    ) -> Result<Reply, Trouble> {
        if session.as_slice().len() != SESSION {
            return refuse(Rule::SignerProtocol, "a session has 16 bytes");
        }
        let asked = self.to_prove(key, epoch)?;
        match (asked.active.plan.protocol, round) {
            (
                Protocol::Pkcs11Secp256k1
                | Protocol::Pkcs11P256
                | Protocol::Pkcs11Ed25519
                | Protocol::Pkcs11Rsa2048,
                1,
            ) => self.prove_alone(key, &asked),
            (Protocol::VaultEd25519, 1) => {
                let digest = digest(&asked.statement);
                let signature = self.sign_in_vault(key, &asked.active, &digest)?;
                complete(&asked, signature)
            }
            (Protocol::MultisigP2wsh | Protocol::MultisigP2tr, 1) => {
                let digest = digest(&asked.statement);
                self.prove_as_cosigner(&asked.active, &asked.statement, digest)
            }
            (Protocol::FrostSecp256k1Tr, 1) => self.begin_proof(&asked, session, spoken),
            (Protocol::FrostSecp256k1Tr, 2) => self.finish_proof(&asked, session, spoken),
            (protocol @ (Protocol::Dkls23Secp256k1 | Protocol::FrostEd25519), _) => {
                // A plain Ed25519 key has no children: the key itself signs, and what it signs can't be
                // a transaction (docs/decisions/0037-ed25519-in-shares.md).
                let path = (protocol == Protocol::Dkls23Secp256k1).then(|| path(epoch));
                let message = Message { digest: digest(&asked.statement), path };
                let said = (spoken, letters);
                match self.prove_in_rounds(&asked.active, session, round, message, said)? {
                    Went::On(reply) => Ok(reply),
                    Went::Signed(signed) => match signed.as_slice() {
                        [signature] => complete(&asked, Bytes(signature.to_vec())),
                        _ => refuse(Rule::SignerProtocol, "a proof has one signature"),
                    },
                }
            }
            (protocol, round) => refuse(
                Rule::SignerProtocol,
                format!("the proof of a {} key has no round {round}", protocol.name()),
            ),
        }
    }

    fn prove_alone(&self, key: KeyId, asked: &Asked) -> Result<Reply, Trouble> {
        let digests = vec![digest(&asked.statement)];
        let signed = self.sign_in_token(key, &asked.active, digests)?;
        match signed.into_iter().next() {
            Some(signature) => complete(asked, signature),
            None => Err(Trouble::Unavailable("the token gave no signature".to_owned())),
        }
    }

    fn begin_proof(
        &self,
        asked: &Asked,
        session: &Bytes,
        named: &[Spoken],
    ) -> Result<Reply, Trouble> {
        let active = &asked.active;
        let signers: BTreeSet<_> = named.iter().map(|of| of.signer).collect();
        let holders = signers.iter().all(|id| active.index_of(*id).is_some());
        let enough = signers.len() == usize::from(active.plan.threshold);
        if signers.len() != named.len() || !holders || !enough || !signers.contains(&self.id) {
            let because = format!(
                "a proof is made by {} holders of the key, this signer among them",
                active.plan.threshold
            );
            return refuse(Rule::SignerProtocol, because);
        }
        let key = active.plan.key;
        let share = self.share(key, active)?;
        let mut proofs = self.proofs();
        let known = proofs.0.entry(key).or_default();
        if known.begun.contains(session) {
            return refuse(Rule::SignerProtocol, "this session was begun before");
        }
        let drawn = share.commit(1).map_err(|error| aborted(&error))?;
        let Some((nonce, commitment)) = drawn.into_iter().next() else {
            return refuse(Rule::SignerProtocol, "no nonce was drawn");
        };
        if known.begun.len() >= REMEMBERED {
            known.begun.pop_front();
        }
        known.begun.push_back(session.clone());
        let message = Bytes(commitment);
        known.waiting = Some(Waiting {
            epoch: active.epoch,
            session: session.clone(),
            signers,
            share,
            nonce,
            commitment: message.clone(),
        });
        Ok(Reply::Spoke { message, letters: Vec::new() })
    }

    fn finish_proof(
        &self,
        asked: &Asked,
        session: &Bytes,
        spoken: &[Spoken],
    ) -> Result<Reply, Trouble> {
        let active = &asked.active;
        // By value: whoever takes it has the nonce, and nobody else ever will.
        let waiting = self.proofs().0.get_mut(&active.plan.key).and_then(|known| {
            known.waiting.take_if(|of| of.session == *session && of.epoch == active.epoch)
        });
        let Some(Waiting { signers, share, nonce, commitment, .. }) = waiting else {
            return refuse(Rule::SignerProtocol, "no such session: begin again");
        };
        let named: BTreeSet<_> = spoken.iter().map(|of| of.signer).collect();
        let mine = spoken.iter().find(|of| of.signer == self.id);
        if named != signers
            || named.len() != spoken.len()
            || mine.is_none_or(|of| of.message != commitment)
        {
            return refuse(
                Rule::SignerProtocol,
                "commitments come from the session's signers, this one's unchanged",
            );
        }
        let mut commitments = ByHolder::new();
        for of in spoken {
            let Some(holder) = active.index_of(of.signer) else {
                return refuse(Rule::SignerProtocol, "a stranger's commitment");
            };
            commitments.insert(holder, of.message.0.clone());
        }
        let part = share
            .sign(nonce, &commitments, &digest(&asked.statement), path(active.epoch))
            .map_err(|error| aborted(&error))?;
        Ok(Reply::Spoke { message: Bytes(part), letters: Vec::new() })
    }
}

/// Its own result is verified before it leaves.
fn complete(asked: &Asked, signature: Bytes) -> Result<Reply, Trouble> {
    let signatures = vec![signature];
    match verify_proof(&asked.active, asked.active.epoch, &asked.statement, &signatures) {
        Ok(()) => Ok(Reply::Signatures { signatures }),
        Err(error) => Err(Trouble::Corrupt(format!("own proof: {error}"), None)),
    }
}
