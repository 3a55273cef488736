//! Changing shares while a holder is killed: what was lost is begun again under another epoch, the
//! public key stays, and a payment is signed with the shares that are in use, whichever they are.

use strongroom_domain::key::{Joining, KeyChange, Protocol, RoundPublished};
use strongroom_domain::protocol::{Order, Reply, Work};
use strongroom_domain::{Bytes, Command, KeyId, Network, ProposalId, SignerId};
use uuid::Uuid;

use super::super::forge::clock;
use super::super::rounds::Said;
use super::super::transactions::Custody;
use super::super::world::World;
use super::{Strike, Tally, strikes};

const HOLDERS: [usize; 3] = [0, 1, 2];

impl World {
    /// Has a quorum agree to a change.
    pub(super) fn agree_to(&mut self, change: KeyChange) -> u32 {
        let (key, proposal) = (change.key, ProposalId(Uuid::now_v7()));
        let (maker, expires_at) = (self.forge.people.maker, self.forge.time.plus_seconds(86_400));
        self.forge.run(Command::RequestKeyChange { proposal, change, maker, expires_at });
        self.forge.agree(proposal);
        self.epoch_of(key)
    }

    fn epoch_of(&self, key: KeyId) -> u32 {
        let active = self.forge.state.keys[&key].existing().unwrap();
        active.change.as_ref().unwrap().epoch
    }

    fn again(&mut self, key: KeyId, helpers: Vec<SignerId>) -> u32 {
        let because = "a holder was restarted".to_owned();
        self.forge.run(Command::RetryKeyChange { key, helpers, because });
        self.epoch_of(key)
    }

    /// All rounds of a change.
    pub(super) fn changes(
        &mut self,
        (key, epoch): (KeyId, u32),
        rounds: u16,
        strike: Option<Strike>,
    ) -> Result<(), Reply> {
        let (work, none) = (Work::Change { key, epoch }, Bytes::default());
        let mut before = Said::default();
        for round in 1..=rounds {
            let ended = self.struck_round(&HOLDERS, (work, &none), (round, &before), strike);
            let (said, others) = ended?;
            for spoken in said.spoken.clone() {
                let (signer, package) = (spoken.signer, spoken.message);
                let published = RoundPublished { signer, epoch, round, package };
                self.forge.run(Command::PublishRound { key, published });
            }
            for (_, reply) in others {
                let Reply::EpochConfirmed { confirmed } = reply else { panic!("{reply:?}") };
                self.forge.run(Command::ConfirmEpoch { key, confirmed });
            }
            before = said;
        }
        let active = self.forge.state.keys[&key].existing().unwrap();
        assert_eq!((active.epoch, active.change.is_none()), (epoch, true));
        Ok(())
    }

    /// The same key, and the package of its shares now.
    pub(super) fn renewed(&self, custody: &Custody) -> Custody {
        let active = self.forge.state.keys[&custody.key].existing().unwrap();
        assert_eq!(active.public_key.as_slice(), custody.public_key);
        Custody { package: active.public_package.clone(), ..custody.clone() }
    }

    /// A change for each strike; the tries that were struck are tried again.
    fn change_by_change(
        &mut self,
        custody: &Custody,
        rounds: u16,
        change: impl Fn(&Self) -> KeyChange,
    ) -> Tally {
        let mut tally = Tally::default();
        for strike in strikes(rounds, 3) {
            let asked = change(self);
            let helpers = asked.helpers.clone();
            let epoch = self.agree_to(asked);
            let ended = self.changes((custody.key, epoch), rounds, Some(strike));
            if tally.count(strike, ended).is_none() {
                // The shares in use are those of before, until the log says otherwise.
                if custody.network == Network::LitecoinRegtest && strike.round == rounds {
                    let now = self.renewed(custody);
                    self.pays(&now);
                }
                let epoch = self.again(custody.key, helpers);
                self.changes((custody.key, epoch), rounds, None).unwrap();
            }
        }
        tally
    }
}

/// All shares of a key anew; nobody comes and nobody goes.
pub(super) fn refresh(world: &World, key: KeyId) -> KeyChange {
    let helpers = vec![world.id(0), world.id(1)];
    KeyChange { key, dropped: [].into(), joining: None, helpers }
}

#[test]
fn a_holder_is_killed_at_9_moments_of_frost_refreshes_and_all_end_in_one_epoch() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let tally = world.change_by_change(&custody, 3, |world| refresh(world, custody.key));
    assert_eq!(tally.all(), 9);
    let now = world.renewed(&custody);
    world.pays(&now);
}

/// Signer 2 lost its share: both others help.
#[test]
fn a_holder_is_killed_at_9_moments_of_frost_repairs_and_all_end_in_one_epoch() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let tally = world.change_by_change(&custody, 3, |world| {
        let lost = world.id(2);
        KeyChange {
            key: custody.key,
            dropped: [lost].into(),
            joining: Some(Joining { signer: lost, index: 3 }),
            helpers: vec![world.id(0), world.id(1)],
        }
    });
    assert_eq!(tally.all(), 9);
    let mut now = world.renewed(&custody);
    world.pays(&now);
    now.signers = vec![world.id(1), world.id(2)];
    world.pays(&now);
}

#[test]
fn a_holder_is_killed_at_12_moments_of_ecdsa_refreshes_and_all_end_in_one_epoch() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let parts: (&[usize], &[usize]) = (&HOLDERS, &[0, 1]);
    let network = Network::EthereumDev;
    let custody = world.custody_of(network, Protocol::Dkls23Secp256k1, parts);
    let tally = world.change_by_change(&custody, 4, |world| refresh(world, custody.key));
    assert_eq!(tally.all(), 12);
    let now = world.renewed(&custody);
    let transfer = now.honest(&mut world.forge).intent.transfer;
    let order = Order::Step {
        work: Work::Attempt { transfer, attempt: 1 },
        session: Bytes(vec![7; 16]),
        round: 1,
        spoken: Vec::new(),
        letters: Vec::new(),
    };
    let reply = world.reader(0).ask(&order);
    assert!(matches!(reply, Reply::Spoke { .. }), "{reply:?}");
}
