//! One attempt, from its orders to complete signatures. Sees public messages only: shares and
//! commitments. Never sends two different orders under one attempt.

mod cosigners;
mod rounds;

pub(super) use cosigners::{Parts, read, written};

use super::{
    planning::{active, holding},
    saga::Saga,
    step::{Trouble, trouble},
};
use crate::signers::OrderError;
use futures::future::join_all;
use std::collections::BTreeMap;
use strongroom_chains::{
    SignedTx, SigningPayload, UnsignedTx,
    frost::{ByHolder, FrostError, GroupPublic, KeyPath},
};
use strongroom_domain::{
    Bytes, Refusal, SignerId, TransferId,
    key::{Active, Protocol},
    protocol::{Committed, Order, Reply},
    transfer::Attempts,
};

/// What each troubled signer of an attempt said.
pub(super) type Troubles = BTreeMap<SignerId, Trouble>;

/// Why there is no signed transaction.
pub(super) enum Unsigned {
    /// Signers that did not do their part.
    Troubles(Troubles),
    /// All have given their part, and nobody has put it together yet.
    Unfinished(Troubles),
    /// All have given their part, and it is no signature: nobody uses the key until a quorum
    /// decides.
    Abort { because: String, culprit: Option<SignerId> },
    /// No checkpoint covers the attempt: no signer would sign, and none was asked.
    Uncovered(String),
    /// Our own log does not let it be asked for: a person must look.
    Halted(String),
}

/// What signing an attempt takes.
pub(super) struct Task {
    transfer: TransferId,
    attempt: u32,
    at_least: u64,
    signers: Vec<SignerId>,
    /// Of a multisig wallet: what cosigners signed, by place.
    partials: BTreeMap<u16, Vec<Bytes>>,
    active: Active,
    unsigned: UnsignedTx,
    payloads: Vec<SigningPayload>,
}

impl Task {
    /// Looks the attempt up. `at_least` is a position at which the log shows it.
    pub(super) fn of(
        saga: &Saga,
        transfer: TransferId,
        attempts: &Attempts,
        at_least: u64,
    ) -> Result<Self, Refusal> {
        let (intent, current) = (&attempts.asked.intent, &attempts.current);
        let unreadable = |error: strongroom_chains::DecodeError| {
            Refusal::new(strongroom_domain::Rule::AttemptState, error.to_string())
        };
        let unsigned =
            UnsignedTx::parse(intent.network(), &current.unsigned).map_err(unreadable)?;
        saga.bus.read(|state| {
            let holding = holding(state, intent.wallet)?;
            let owns = |address: &_| holding.addresses.get(address).map(|derived| derived.path);
            let payloads = unsigned.signing_payloads(&owns).map_err(unreadable)?;
            Ok(Self {
                transfer,
                attempt: current.attempt,
                at_least,
                signers: current.signers.clone(),
                partials: attempts.partials.clone(),
                active: active(state, current.key)?.clone(),
                payloads,
                unsigned: unsigned.clone(),
            })
        })
    }

    /// Whether cosigners sign it, each with a key of its own.
    pub(super) const fn is_cosigned(&self) -> bool {
        matches!(self.unsigned, UnsignedTx::Multisig(_))
    }

    /// Gets the attempt signed, once a checkpoint covers it. One that [`Self::is_cosigned`] is signed by
    /// [`Self::by_cosigners`].
    pub(super) async fn sign(self, saga: &Saga) -> Result<SignedTx, Unsigned> {
        let covered = saga.checkpoints.cover(self.at_least).await;
        covered.map_err(|error| Unsigned::Uncovered(error.to_string()))?;
        match self.active.plan.protocol {
            Protocol::Pkcs11Secp256k1 => self.alone(saga).await,
            Protocol::FrostSecp256k1Tr => self.together(saga).await,
            Protocol::Dkls23Secp256k1 => self.in_rounds(saga).await,
            Protocol::FrostEd25519
            | Protocol::Pkcs11P256
            | Protocol::Pkcs11Ed25519
            | Protocol::Pkcs11Rsa2048
            | Protocol::VaultEd25519
            | Protocol::MultisigP2wsh
            | Protocol::MultisigP2tr => Err(Unsigned::Halted(format!(
                "no transaction is signed with a {} key",
                self.active.plan.protocol.name()
            ))),
        }
    }

    async fn ask(&self, saga: &Saga, signer: SignerId, order: Order) -> Result<Reply, Trouble> {
        // An answer that was lost or can't be read proves nothing: the signer is asked again.
        let away = |error: OrderError| Trouble::Away(error.to_string());
        saga.signers.order(signer, &order, self.at_least).await.map_err(away)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    async fn alone(&self, saga: &Saga) -> Result<SignedTx, Unsigned> {
        let Some(signer) = self.signers.first().copied() else {
            return Err(Unsigned::Halted("the attempt names no signer".to_owned()));
        };
        let Self { transfer, attempt, .. } = *self;
        let told = self.ask(saga, signer, Order::SignAlone { transfer, attempt }).await;
        let given = told.and_then(|reply| match reply {
            Reply::Signatures { signatures } => Ok(signatures),
            other => Err(trouble(signer, other)),
        });
        let given = given.map_err(|trouble| Unsigned::Troubles([(signer, trouble)].into()))?;
        let signatures: Option<Vec<[u8; 64]>> = given.iter().map(Bytes::array).collect();
        let wrong = |because: String| Unsigned::Abort { because, culprit: Some(signer) };
        let signatures = signatures.ok_or_else(|| wrong("a signature has 64 bytes".to_owned()))?;
        self.assemble(&signatures).map_err(wrong)
    }

    fn assemble(&self, signatures: &[[u8; 64]]) -> Result<SignedTx, String> {
        let key = self.active.public_key.array::<33>();
        let key = key.ok_or_else(|| "the wallet's key is not a compressed point".to_owned())?;
        self.unsigned.assemble(&key, signatures).map_err(|error| error.to_string())
    }

    async fn together(self, saga: &Saga) -> Result<SignedTx, Unsigned> {
        let group = saga.group(self.active_key(), &self.active.public_package);
        let group = group.map_err(|error| Unsigned::Halted(error.to_string()))?;
        let committed = self.commit(saga).await.map_err(Unsigned::Troubles)?;
        let shares = self.shares(saga, &committed).await.map_err(Unsigned::Troubles)?;
        // The pivot is behind us: all that a signature takes is here.
        let combining = tokio::task::spawn_blocking(move || {
            let signatures = self.combine(&group, &committed, &shares)?;
            self.assemble(&signatures).map_err(|because| Unsigned::Abort { because, culprit: None })
        });
        let died = |_| Unsigned::Halted("the task that combines shares died".to_owned());
        combining.await.map_err(died)?
    }

    const fn active_key(&self) -> strongroom_domain::KeyId {
        self.active.plan.key
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    /// Round one: everyone's session and commitments.
    async fn commit(
        &self,
        saga: &Saga,
    ) -> Result<BTreeMap<SignerId, (Bytes, Vec<Bytes>)>, Troubles> {
        let Self { transfer, attempt, .. } = *self;
        self.each(|signer| async move {
            match self.ask(saga, signer, Order::Commit { transfer, attempt }).await? {
                Reply::Committed { session, commitments } => {
                    self.one_each(signer, commitments.len())?;
                    Ok((session, commitments))
                }
                other => Err(trouble(signer, other)),
            }
        })
        .await
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`trouble` judges every other answer")]
    /// Round two: everyone's shares.
    async fn shares(
        &self,
        saga: &Saga,
        committed: &BTreeMap<SignerId, (Bytes, Vec<Bytes>)>,
    ) -> Result<BTreeMap<SignerId, Vec<Bytes>>, Troubles> {
        let commitments: Vec<_> = committed
            .iter()
            .map(|(signer, (_, commitments))| Committed {
                signer: *signer,
                commitments: commitments.clone(),
            })
            .collect();
        let Self { transfer, attempt, .. } = *self;
        self.each(|signer| {
            let commitments = commitments.clone();
            let session = committed.get(&signer).map(|(session, _)| session.clone());
            async move {
                let session = session.unwrap_or_default();
                let order = Order::Sign { transfer, attempt, session, commitments };
                match self.ask(saga, signer, order).await? {
                    Reply::Shares { shares } => {
                        self.one_each(signer, shares.len())?;
                        Ok(shares)
                    }
                    other => Err(trouble(signer, other)),
                }
            }
        })
        .await
    }

    fn one_each(&self, signer: SignerId, found: usize) -> Result<(), Trouble> {
        if found == self.payloads.len() {
            return Ok(());
        }
        let inputs = self.payloads.len();
        Err(Trouble::Away(format!("signer {signer} gave {found} answers for {inputs} inputs")))
    }

    /// Asks all signers of the attempt at once; all answer, or the troubles of those that did not.
    async fn each<T, F>(
        &self,
        ask: impl Fn(SignerId) -> F,
    ) -> Result<BTreeMap<SignerId, T>, Troubles>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let asked = self.signers.iter().map(|signer| {
            let asked = ask(*signer);
            async move { (*signer, asked.await) }
        });
        let (mut given, mut troubles) = (BTreeMap::new(), Troubles::new());
        for (signer, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => drop(given.insert(signer, answer)),
                Err(trouble) => drop(troubles.insert(signer, trouble)),
            }
        }
        if troubles.is_empty() { Ok(given) } else { Err(troubles) }
    }

    fn combine(
        &self,
        group: &GroupPublic,
        committed: &BTreeMap<SignerId, (Bytes, Vec<Bytes>)>,
        shares: &BTreeMap<SignerId, Vec<Bytes>>,
    ) -> Result<Vec<[u8; 64]>, Unsigned> {
        let mut signatures = Vec::with_capacity(self.payloads.len());
        for (input, payload) in self.payloads.iter().enumerate() {
            let of = |bytes: &[Bytes], signer: &SignerId| {
                Some((self.active.index_of(*signer)?, bytes.get(input)?.0.clone()))
            };
            let commitments: ByHolder =
                committed.iter().filter_map(|(signer, (_, all))| of(all, signer)).collect();
            let shares: ByHolder =
                shares.iter().filter_map(|(signer, all)| of(all, signer)).collect();
            let path = payload.path.ok_or_else(|| {
                Unsigned::Halted("a threshold key signs for derived addresses".to_owned())
            })?;
            let path = KeyPath { change: path.branch.number(), index: path.index };
            let signature = group.combine(path, &payload.digest, &commitments, &shares);
            signatures.push(signature.map_err(|error| self.explain(&error))?);
        }
        Ok(signatures)
    }

    /// Whom a failed combination proves wrong.
    fn explain(&self, error: &FrostError) -> Unsigned {
        let holder = match error {
            FrostError::Commitment(holder) | FrostError::Share(holder) => Some(*holder),
            FrostError::Culprits(holders) => holders.first().copied(),
            FrostError::Unverified | FrostError::Commitments(_) => None,
            FrostError::GroupKey
            | FrostError::Path { .. }
            | FrostError::NoChild { .. }
            | FrostError::PublicPackage
            | FrostError::NoHolder
            | FrostError::Holders { .. }
            | FrostError::TooFew { .. }
            | FrostError::Stranger(_) => return Unsigned::Halted(error.to_string()),
        };
        let culprit = holder.and_then(|holder| self.active.holders.get(&holder).copied());
        Unsigned::Abort { because: error.to_string(), culprit }
    }
}
