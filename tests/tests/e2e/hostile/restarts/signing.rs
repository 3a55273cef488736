//! Signing and proving while a signer is killed: its nonces are gone with it, so another session makes
//! the signature, or this one goes on where nothing was lost. Never does a session that was lost
//! answer, and never is the same drawn twice.

use strongroom_chains::UnsignedTx;
use strongroom_chains::frost::{ByHolder, GroupPublic, KeyPath};
use strongroom_domain::key::Protocol;
use strongroom_domain::protocol::{Committed, Order, Reply, Spoken, Work};
use strongroom_domain::{Bytes, Network, TransferId};

use super::super::forge::clock;
use super::super::proofs::{proves, unproven};
use super::super::rounds::Said;
use super::super::transactions::{Custody, DEPOSIT};
use super::super::world::World;
use super::{Drawn, Moment, Strike, Tally, strikes};

const SIGNERS: [usize; 2] = [0, 1];

/// A name that no session had before.
fn session() -> Bytes {
    Bytes(rand::random::<[u8; 16]>().to_vec())
}

impl World {
    /// FROST: a commitment and a share of each.
    fn frost_signs(
        &mut self,
        (custody, transfer): (&Custody, TransferId),
        drawn: &mut Drawn,
        strike: Option<Strike>,
    ) -> Result<(), Reply> {
        let here = |place: usize, round: u16| {
            let of = strike.filter(|of| of.victim == place && of.round == round);
            of.map(|of| of.moment)
        };
        let (mut sessions, mut all) = (Vec::new(), Vec::new());
        for signer in SIGNERS {
            let order = Order::Commit { transfer, attempt: 1 };
            match self.ask_struck(signer, &order, here(signer, 1)) {
                Reply::Committed { session, commitments } => {
                    drawn.once(&commitments[0]);
                    sessions.push(session);
                    all.push(Committed { signer: self.id(signer), commitments });
                }
                reply => return Err(reply),
            }
        }
        let (mut shares, mut commitments) = (ByHolder::new(), ByHolder::new());
        for signer in SIGNERS {
            let order = Order::Sign {
                transfer,
                attempt: 1,
                session: sessions[signer].clone(),
                commitments: all.clone(),
            };
            let holder = u16::try_from(signer).unwrap() + 1;
            let moment = here(signer, 2);
            match self.ask_struck(signer, &order, moment) {
                Reply::Shares { shares: mine } => {
                    shares.insert(holder, mine[0].0.clone());
                    commitments.insert(holder, all[signer].commitments[0].0.clone());
                }
                reply => return Err(reply),
            }
            // One share of a nonce: whoever asks again, in this life of it or the next, gets none.
            let again = self.reader(signer).ask(&order);
            assert!(matches!(again, Reply::Refused(_)), "{moment:?}: {again:?}");
        }
        let attempt = self.forge.state.transfers[&transfer].attempts().unwrap().current.clone();
        let unsigned = UnsignedTx::parse(custody.network, &attempt.unsigned).unwrap();
        let owns = |address: &_| (custody.deposit == *address).then_some(DEPOSIT);
        let payload = unsigned.signing_payloads(&owns).unwrap()[0];
        let public = GroupPublic::from_bytes(custody.package.as_slice()).unwrap();
        let path = KeyPath { change: DEPOSIT.branch.number(), index: DEPOSIT.index };
        let signature = public.combine(path, &payload.digest, &commitments, &shares).unwrap();
        unsigned.assemble(&custody.public_key, &[signature]).unwrap();
        Ok(())
    }

    /// Threshold ECDSA: four rounds, of an attempt or of a proof.
    fn ecdsa_signs(
        &mut self,
        work: Work,
        first: &Said,
        strike: Option<Strike>,
    ) -> Result<Vec<[u8; 64]>, Reply> {
        let session = session();
        let mut before = first.clone();
        for round in 1..=3 {
            let (said, others) =
                self.struck_round(&SIGNERS, (work, &session), (round, &before), strike)?;
            assert!(others.is_empty(), "round {round}: {others:?}");
            before = said;
        }
        let (_, ended) = self.struck_round(&SIGNERS, (work, &session), (4, &before), strike)?;
        let mut found: Vec<Vec<Bytes>> = Vec::new();
        for (_, reply) in ended {
            let Reply::Signatures { signatures } = reply else { panic!("{reply:?}") };
            found.push(signatures);
        }
        assert_eq!(found[0], found[1]);
        Ok(found[0].iter().map(|bytes| bytes.array().unwrap()).collect())
    }

    fn named(&self) -> Said {
        let empty = |of: usize| Spoken { signer: self.id(of), message: Bytes::default() };
        Said { spoken: SIGNERS.map(empty).to_vec(), letters: Vec::new() }
    }
}

#[test]
fn a_signer_is_killed_at_6_moments_of_frost_signing_and_no_nonce_makes_two_shares() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let (mut tally, mut drawn) = (Tally::default(), Drawn::default());
    for strike in strikes(2, 2) {
        let transfer = custody.honest(&mut world.forge).intent.transfer;
        let ended = world.frost_signs((&custody, transfer), &mut drawn, Some(strike));
        if tally.count(strike, ended).is_none() {
            world.frost_signs((&custody, transfer), &mut drawn, None).unwrap();
        }
    }
    assert_eq!(tally.all(), 6);
    // Killed between both rounds, its session is gone.
    assert!(tally.began_again >= 2, "{tally:?}");
    world.pays(&custody);
}

#[test]
fn a_signer_is_killed_at_12_moments_of_ecdsa_signing_and_the_payment_is_signed() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let network = Network::EthereumDev;
    let parts: (&[usize], &[usize]) = (&[0, 1, 2], &SIGNERS);
    let custody = world.custody_of(network, Protocol::Dkls23Secp256k1, parts);
    let mut tally = Tally::default();
    for strike in strikes(4, 2) {
        let transfer = custody.honest(&mut world.forge).intent.transfer;
        let work = Work::Attempt { transfer, attempt: 1 };
        let ended = world.ecdsa_signs(work, &Said::default(), Some(strike));
        let signatures = match tally.count(strike, ended) {
            Some(signatures) => signatures,
            None => world.ecdsa_signs(work, &Said::default(), None).unwrap(),
        };
        let attempt = world.forge.state.transfers[&transfer].attempts().unwrap().current.clone();
        let unsigned = UnsignedTx::parse(network, &attempt.unsigned).unwrap();
        unsigned.assemble(&custody.public_key, &signatures).unwrap();
    }
    assert_eq!(tally.all(), 12);
    assert!(tally.began_again >= 6, "{tally:?}");
    let plain = world.custody(Network::LitecoinRegtest);
    world.pays(&plain);
}

#[test]
fn a_signer_is_killed_at_6_moments_of_frost_proofs_and_the_key_proves_itself() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let key = unproven(&mut world);
    let (mut tally, mut drawn) = (Tally::default(), Drawn::default());
    let work = Work::Proof { key, epoch: 1 };
    for strike in strikes(2, 2) {
        let session = session();
        let named = world.named();
        let mut both = || {
            let of = (work, &session);
            let (said, _) = world.struck_round(&SIGNERS, of, (1, &named), Some(strike))?;
            for spoken in &said.spoken {
                drawn.once(&spoken.message);
            }
            let (shares, _) = world.struck_round(&SIGNERS, of, (2, &said), Some(strike))?;
            assert_eq!(shares.spoken.len(), 2);
            Ok(said)
        };
        let ended: Result<Said, Reply> = both();
        if let Some(said) = tally.count(strike, ended) {
            // It is over: neither gives a second part.
            for signer in SIGNERS {
                let Said { spoken, letters } = said.clone();
                let order =
                    Order::Step { work, session: session.clone(), round: 2, spoken, letters };
                assert!(matches!(world.reader(signer).ask(&order), Reply::Refused(_)));
            }
        } else {
            assert!(strike.round == 2 || strike.moment != Moment::Before);
        }
    }
    assert_eq!(tally.all(), 6);
    let (session, named) = (session(), world.named());
    let (said, _) = world.struck_round(&SIGNERS, (work, &session), (1, &named), None).unwrap();
    proves(&mut world, key, &session, &said.spoken);
}
