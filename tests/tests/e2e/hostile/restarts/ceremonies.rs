//! Making keys while a holder is killed: a ceremony that lost something in memory is refused and
//! another one makes a key; one that lost nothing goes on. Never do two holders end with shares of
//! different keys.

use strongroom_domain::key::{Protocol, RoundOnePublished};
use strongroom_domain::protocol::{Order, Reply, Sealed, Work};
use strongroom_domain::{Bytes, Command, KeyId, Network};

use super::super::forge::clock;
use super::super::rounds::Said;
use super::super::world::World;
use super::{Drawn, Strike, Tally, strikes};

const HOLDERS: [usize; 3] = [0, 1, 2];

impl World {
    fn give_up(&mut self, key: KeyId) {
        let because = "a holder was restarted".to_owned();
        self.forge.run(Command::FailCeremony { key, because });
    }

    fn confirm(&mut self, key: KeyId, replies: Vec<Reply>) {
        for reply in replies {
            let Reply::Confirmed { confirmed } = reply else { panic!("{reply:?}") };
            self.forge.run(Command::ConfirmKey { key, confirmed });
        }
        assert!(self.forge.state.keys[&key].active().is_ok(), "all confirmed the same key");
    }

    /// A ceremony of FROST: three orders to each holder.
    fn frost_ceremony(
        &mut self,
        drawn: &mut Drawn,
        strike: Option<Strike>,
    ) -> Result<KeyId, (KeyId, Reply)> {
        let key = self.request_key(Protocol::FrostSecp256k1Tr, &HOLDERS, true);
        let mut letters: Vec<Sealed> = Vec::new();
        let mut confirmed = Vec::new();
        for round in 1..=3 {
            let mut next = Vec::new();
            for signer in HOLDERS {
                let id = self.id(signer);
                let of = |letter: &&Sealed| letter.receiver == id;
                let sealed = letters.iter().filter(of).cloned().collect();
                let order = match round {
                    1 => Order::BeginCeremony { key },
                    2 => Order::ContinueCeremony { key },
                    _ => Order::FinishCeremony { key, sealed },
                };
                let here = strike.filter(|of| of.victim == signer && of.round == round);
                match self.ask_struck(signer, &order, here.map(|of| of.moment)) {
                    Reply::RoundOne { package } => {
                        drawn.once(&package);
                        let published = RoundOnePublished { signer: id, package };
                        self.forge.run(Command::PublishRoundOne { key, published });
                    }
                    Reply::RoundTwo { sealed } => next.extend(sealed),
                    reply @ Reply::Confirmed { .. } => confirmed.push(reply),
                    reply => return Err((key, reply)),
                }
            }
            letters = next;
        }
        self.confirm(key, confirmed);
        Ok(key)
    }

    /// A ceremony of threshold ECDSA: four rounds.
    fn ecdsa_ceremony(
        &mut self,
        drawn: &mut Drawn,
        strike: Option<Strike>,
    ) -> Result<KeyId, (KeyId, Reply)> {
        let key = self.request_key(Protocol::Dkls23Secp256k1, &HOLDERS, true);
        let (work, none) = (Work::Ceremony { key }, Bytes::default());
        let mut before = Said::default();
        for round in 1..=4 {
            let ended = self.struck_round(&HOLDERS, (work, &none), (round, &before), strike);
            let (said, others) = ended.map_err(|reply| (key, reply))?;
            for spoken in &said.spoken {
                drawn.once(&spoken.message);
            }
            self.publish(key, round, &said);
            before = said;
            if round == 4 {
                self.confirm(key, others.into_iter().map(|(_, reply)| reply).collect());
            }
        }
        Ok(key)
    }
}

#[test]
fn a_holder_is_killed_at_9_moments_of_frost_ceremonies_and_every_key_is_made_once() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let (mut tally, mut drawn) = (Tally::default(), Drawn::default());
    for strike in strikes(3, 3) {
        let ended = world.frost_ceremony(&mut drawn, Some(strike));
        let ended = ended.map_err(|(key, reply)| {
            world.give_up(key);
            reply
        });
        if tally.count(strike, ended).is_none() {
            // What it kept of the first one does not stand in the way of the second.
            world.frost_ceremony(&mut drawn, None).unwrap();
        }
    }
    assert_eq!(tally.all(), 9);
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}

#[test]
fn a_holder_is_killed_at_12_moments_of_ecdsa_ceremonies_and_every_key_is_made_once() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let (mut tally, mut drawn) = (Tally::default(), Drawn::default());
    let mut again = 0;
    for strike in strikes(4, 3) {
        let ended = world.ecdsa_ceremony(&mut drawn, Some(strike));
        let ended = ended.map_err(|(key, reply)| {
            world.give_up(key);
            reply
        });
        // Each of them takes a second or two: the last ones stand for all.
        if tally.count(strike, ended).is_none() && strike.round == 4 {
            world.ecdsa_ceremony(&mut drawn, None).unwrap();
            again += 1;
        }
    }
    assert_eq!(tally.all(), 12);
    assert!(again > 0 || tally.began_again == 0, "{tally:?}");
    let custody = world.custody(Network::LitecoinRegtest);
    world.pays(&custody);
}
