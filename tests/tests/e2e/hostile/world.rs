//! Real signers that hold real keys, and the honest log that led there. It plays the server's part
//! by hand, one order after the other.

use std::path::Path;
use strongroom_api::data_directory::TlsIdentity;
use strongroom_chains::UnsignedTx;
use strongroom_chains::frost::{ByHolder, GroupPublic, KeyPath};
use strongroom_domain::charter::Enrolment;
use strongroom_domain::key::{CeremonyPlan, Custody as Kept, Protocol, RoundOnePublished};
use strongroom_domain::protocol::{Committed, Order, Reply, Sealed};
use strongroom_domain::wallet::{AddressDerived, Tier};
use strongroom_domain::{
    AccountId, AddressPath, Branch, Bytes, ClientId, Command, Family, KeyId, Network, ProposalId,
    SignerId, Timestamp, TransferId, WalletId,
};
use strongroom_tests::deployment::{Captives, SignerProcess};
use uuid::Uuid;

use super::forge::Forge;
use super::link::Link;
use super::transactions::{Asked, CHANGE, Custody, DEPOSIT};

/// The place of the signer with the HSM.
pub(super) const HSM: usize = 3;

pub(super) struct World {
    pub(super) signers: Vec<SignerProcess>,
    pub(super) identity: TlsIdentity,
    /// The honest log.
    pub(super) forge: Forge,
    /// Who pays after each case that is tried on another key.
    pub(super) payer: Option<Custody>,
}

/// A first round and what came of it, before the letters are delivered.
pub(super) struct Ceremony {
    pub(super) key: KeyId,
    /// By receiver, in the order of the plan.
    pub(super) letters: Vec<Vec<Sealed>>,
}

fn enrolment(signer: &SignerProcess) -> Enrolment {
    let text = std::fs::read(signer.enrolment()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let field = |name: &str| json[name].as_str().unwrap().to_owned();
    Enrolment {
        id: signer.id.parse().unwrap(),
        identity_key: field("identity_key").parse().unwrap(),
        sealing_key: field("sealing_key").parse().unwrap(),
        tls_certificate_sha256: field("tls_certificate_sha256").parse().unwrap(),
        witness_key: field("witness_key").parse().unwrap(),
    }
}

impl World {
    /// Founds a log that begins at `time` and starts every signer, pinned to it.
    pub(super) fn found(root: &Path, time: Timestamp) -> Self {
        let root = root.canonicalize().unwrap();
        let Captives { mut signers, identity } = Captives::init(&root);
        let forge = Forge::found(signers.iter().map(enrolment).collect(), time);
        let genesis = forge.genesis().to_string();
        for signer in &mut signers {
            signer.pin(&genesis);
            signer.start();
        }
        Self { signers, identity, forge, payer: None }
    }

    pub(super) fn link(&self, signer: usize) -> Link {
        Link::open(&self.signers[signer], Some(&self.identity))
    }

    pub(super) fn id(&self, signer: usize) -> SignerId {
        self.signers[signer].id.parse().unwrap()
    }

    pub(super) fn enrolments(&self) -> Vec<Enrolment> {
        self.signers.iter().map(enrolment).collect()
    }

    /// A link to a signer that has read all of the honest log, and knows that it is witnessed.
    pub(super) fn reader(&self, signer: usize) -> Link {
        let mut link = self.link(signer);
        let head = link.head();
        link.follow(self.forge.after(head.position));
        assert_eq!(link.head(), self.forge.head());
        link.cover(&self.forge);
        link
    }

    /// Ends it with SIGKILL and starts it again.
    pub(super) fn restart(&mut self, signer: usize) {
        self.signers[signer].kill();
        self.signers[signer].start();
    }

    /// Asks for a key of these signers, and has it approved or not.
    pub(super) fn request_key(
        &mut self,
        protocol: Protocol,
        holders: &[usize],
        approve: bool,
    ) -> KeyId {
        let key = KeyId(Uuid::now_v7());
        let proposal = ProposalId(Uuid::now_v7());
        let participants = holders.iter().map(|signer| self.id(*signer)).collect();
        let threshold = if holders.len() == 1 { 1 } else { 2 };
        let plan = CeremonyPlan { key, protocol, threshold, participants };
        let expires_at = self.forge.time.plus_seconds(86_400);
        let maker = self.forge.people.maker;
        self.forge.run(Command::RequestCeremony { proposal, plan, maker, expires_at });
        if approve {
            self.forge.agree(proposal);
        }
        key
    }

    /// A FROST ceremony up to the point where the server holds everyone's sealed letters.
    pub(super) fn two_rounds(&mut self, holders: &[usize]) -> Ceremony {
        let key = self.request_key(Protocol::FrostSecp256k1Tr, holders, true);
        for signer in holders {
            let Reply::RoundOne { package } = self.reader(*signer).begin(key) else {
                panic!("no first round");
            };
            let published = RoundOnePublished { signer: self.id(*signer), package };
            self.forge.run(Command::PublishRoundOne { key, published });
        }
        let mut all = Vec::new();
        for signer in holders {
            match self.reader(*signer).ask(&Order::ContinueCeremony { key }) {
                Reply::RoundTwo { sealed } => all.extend(sealed),
                other => panic!("{other:?}"),
            }
        }
        let to = |signer: &usize| {
            let id = self.id(*signer);
            all.iter().filter(|letter| letter.receiver == id).cloned().collect()
        };
        Ceremony { key, letters: holders.iter().map(to).collect() }
    }

    /// Delivers the letters; the key is active after it.
    pub(super) fn finish(&mut self, holders: &[usize], ceremony: Ceremony) -> KeyId {
        let Ceremony { key, letters } = ceremony;
        for (signer, sealed) in holders.iter().zip(letters) {
            match self.reader(*signer).ask(&Order::FinishCeremony { key, sealed }) {
                Reply::Confirmed { confirmed } => {
                    self.forge.run(Command::ConfirmKey { key, confirmed });
                }
                other => panic!("{other:?}"),
            }
        }
        key
    }

    fn make_key(&mut self, protocol: Protocol, holders: &[usize]) -> KeyId {
        match protocol.custody() {
            Kept::Cosigners => panic!("a multisig key names its cosigners"),
            Kept::Shares if protocol == Protocol::Dkls23Secp256k1 => self.make_in_rounds(holders),
            Kept::Shares => {
                let ceremony = self.two_rounds(holders);
                self.finish(holders, ceremony)
            }
            Kept::Whole => {
                let key = self.request_key(protocol, holders, true);
                match self.reader(holders[0]).begin(key) {
                    Reply::Confirmed { confirmed } => {
                        self.forge.run(Command::ConfirmKey { key, confirmed });
                    }
                    other => panic!("{other:?}"),
                }
                key
            }
        }
    }

    /// A key, a wallet, an account and a funded address.
    pub(super) fn custody(&mut self, network: Network) -> Custody {
        let (protocol, holders, signers) = match network.family() {
            Family::Bitcoin => (Protocol::FrostSecp256k1Tr, vec![0, 1, 2], vec![0, 1]),
            Family::Ethereum => (Protocol::Pkcs11Secp256k1, vec![HSM], vec![HSM]),
        };
        self.custody_of(network, protocol, (&holders, &signers))
    }

    /// As [`Self::custody`], with a key of this protocol.
    pub(super) fn custody_of(
        &mut self,
        network: Network,
        protocol: Protocol,
        (holders, signers): (&[usize], &[usize]),
    ) -> Custody {
        let key = self.make_key(protocol, holders);
        let signers = signers.iter().copied().map(|signer| self.id(signer)).collect();
        let (wallet, account) = (WalletId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
        let forge = &mut self.forge;
        let by = forge.people.maker;
        forge.run(Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by });
        let (client, asset) = (ClientId(Uuid::now_v7()), network.native_asset());
        forge.run(Command::OpenAccount { account, client, asset, by });
        let active = forge.state.keys[&key].active().unwrap();
        let mut custody = Custody {
            network,
            key,
            wallet,
            account,
            deposit: forge.people.destinations[&network].clone(),
            public_key: active.public_key.array().unwrap(),
            package: active.public_package.clone(),
            signers,
        };
        custody.deposit = custody.address(DEPOSIT);
        let mut derive = |path: AddressPath, account| {
            let derived = AddressDerived { address: custody.address(path), path, account };
            forge.run(Command::DeriveAddress { wallet, derived });
        };
        derive(DEPOSIT, Some(account));
        if matches!(CHANGE.branch, Branch::Change) && network.family() == Family::Bitcoin {
            derive(CHANGE, None);
        }
        custody.fund(&mut self.forge);
        custody
    }

    /// An honest payment by whoever pays here, if anybody does.
    #[track_caller]
    pub(super) fn goes_on(&mut self) {
        if let Some(payer) = self.payer.clone() {
            self.pays(&payer);
        }
    }

    /// An honest payment over the honest log, signed by all who must and verified.
    #[track_caller]
    pub(super) fn pays(&mut self, custody: &Custody) {
        let asked = custody.honest(&mut self.forge);
        let attempt = self.forge.state.transfers[&asked.intent.transfer].attempts().unwrap();
        let unsigned = UnsignedTx::parse(custody.network, &attempt.current.unsigned).unwrap();
        let signatures = match custody.network.family() {
            Family::Bitcoin => self.sign_together(custody, &asked, &unsigned),
            Family::Ethereum => match self.reader(HSM).sign_alone(asked.intent.transfer, 1) {
                Reply::Signatures { signatures } => {
                    signatures.iter().map(|bytes| bytes.array().unwrap()).collect()
                }
                other => panic!("{other:?}"),
            },
        };
        unsigned.assemble(&custody.public_key, &signatures).unwrap();
    }

    fn sign_together(
        &self,
        custody: &Custody,
        asked: &Asked,
        unsigned: &UnsignedTx,
    ) -> Vec<[u8; 64]> {
        let transfer = asked.intent.transfer;
        let owns = |address: &_| (custody.deposit == *address).then_some(DEPOSIT);
        let payload = unsigned.signing_payloads(&owns).unwrap()[0];
        let places = (0..self.signers.len()).filter(|of| custody.signers.contains(&self.id(*of)));
        let places: Vec<_> = places.collect();
        let mut links: Vec<_> = places.iter().map(|of| self.reader(*of)).collect();
        let ids: Vec<_> = places.iter().map(|of| self.id(*of)).collect();
        let (sessions, committed) = commit_all(&mut links, transfer, &ids);
        let mut shares = ByHolder::new();
        let mut commitments = ByHolder::new();
        for (place, link) in links.iter_mut().enumerate() {
            let holder = u16::try_from(places[place]).unwrap() + 1;
            let order = Order::Sign {
                transfer,
                attempt: 1,
                session: sessions[place].clone(),
                commitments: committed.clone(),
            };
            let reply = link.ask(&order);
            let Reply::Shares { shares: mine } = reply else { panic!("{reply:?}") };
            shares.insert(holder, mine[0].0.clone());
            commitments.insert(holder, committed[place].commitments[0].0.clone());
        }
        let public = GroupPublic::from_bytes(custody.package.as_slice()).unwrap();
        let path = KeyPath { change: DEPOSIT.branch.number(), index: DEPOSIT.index };
        vec![public.combine(path, &payload.digest, &commitments, &shares).unwrap()]
    }
}

/// Everyone's first round of signing.
pub(super) fn commit_all(
    links: &mut [Link],
    transfer: TransferId,
    ids: &[SignerId],
) -> (Vec<Bytes>, Vec<Committed>) {
    let mut sessions = Vec::new();
    let mut committed = Vec::new();
    for (link, signer) in links.iter_mut().zip(ids) {
        match link.commit(transfer, 1) {
            Reply::Committed { session, commitments } => {
                sessions.push(session);
                committed.push(Committed { signer: *signer, commitments });
            }
            other => panic!("{other:?}"),
        }
    }
    (sessions, committed)
}
