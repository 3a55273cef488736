//! An institution with a charter, keys, wallets and accounts, made by the commands that make a real
//! one. Its people and signers sign with real keys; only the wallets' keys are held by nobody.

use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_commands::{Bus, Request, bus};
use strongroom_domain::charter::{
    CharterTextV2, Enrolment, FoundedV2, FoundingSignature, ML_DSA_44_KEY, PersonV1, Role,
    Witnessing,
};
use strongroom_domain::key::{CeremonyPlan, Confirmed, Custody, Protocol};
use strongroom_domain::policy::{PolicyV1, Quorum};
use strongroom_domain::statement::{self, Answer};
use strongroom_domain::wallet::{AddressDerived, Tier};
use strongroom_domain::{
    AccountId, Actor, Address, AddressPath, Branch, Bytes, ClientId, Command, Digest, Family,
    KeyId, LogId, Network, PersonId, ProposalId, SignerId, Timestamp, WalletId,
};
use uuid::Uuid;

/// The clock of this machine.
pub(super) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    Timestamp::from_micros(u64::try_from(since.as_micros()).expect("a time before the year 9999"))
}

fn key() -> (SigningKey, Bytes) {
    let key = SigningKey::generate(&mut rand::rngs::OsRng);
    let public = Bytes(key.verifying_key().to_bytes().to_vec());
    (key, public)
}

/// A compressed secp256k1 point whose secret nobody keeps.
fn point() -> [u8; 33] {
    let key = k256::ecdsa::SigningKey::random(&mut rand::rngs::OsRng);
    let point = key.verifying_key().to_encoded_point(true);
    point.as_bytes().try_into().expect("33 bytes")
}

pub(super) struct Institution {
    pub(super) bus: Bus,
    log: LogId,
    maker: PersonId,
    approvers: Vec<(PersonId, SigningKey, Bytes)>,
    signers: Vec<(SignerId, SigningKey)>,
}

impl Institution {
    /// Founds it on an empty log. `confirmations` are the same on every network.
    pub(super) async fn found(bus: Bus, confirmations: u32) -> Self {
        let log = LogId(Uuid::now_v7());
        let maker = PersonId(Uuid::now_v7());
        let approvers: Vec<_> = (0..2).map(|_| (PersonId(Uuid::now_v7()), key())).collect();
        let approvers: Vec<_> =
            approvers.into_iter().map(|(id, (key, public))| (id, key, public)).collect();
        let signers: Vec<_> = (0..2).map(|_| (SignerId(Uuid::now_v7()), key())).collect();
        let quorum = Quorum { approvals: 2, group: approvers.iter().map(|one| one.0).collect() };
        let mut people: Vec<_> = approvers
            .iter()
            .map(|(id, _, public)| PersonV1 {
                id: *id,
                roles: BTreeSet::from([Role::Approver]),
                approval_keys: vec![public.clone()],
            })
            .collect();
        let roles = BTreeSet::from([Role::Initiator]);
        people.push(PersonV1 { id: maker, roles, approval_keys: Vec::new() });
        let charter = CharterTextV2 {
            log,
            name: "deposits".to_owned().try_into().unwrap(),
            log_key: key().1,
            log_key_ml_dsa_44: Bytes(vec![7; ML_DSA_44_KEY]),
            people,
            signers: signers.iter().map(|(id, (_, public))| enrolment(*id, public)).collect(),
            witnessing: Witnessing { threshold: 2, outside: Vec::new() },
            governance: quorum,
            policy: PolicyV1 {
                version: 1,
                destinations: Vec::new(),
                tiers: Vec::new(),
                fee_caps: BTreeMap::new(),
                confirmations: Network::ALL.map(|network| (network, confirmations)).into(),
                proposal_lifetime_s: 3600,
            },
        };
        let text = statement::founding_v2(&charter);
        let signed = |(person, key, public): &(PersonId, SigningKey, Bytes)| FoundingSignature {
            person: *person,
            key: public.clone(),
            signature: sign(key, &text),
        };
        let signatures = approvers.iter().map(signed).collect();
        let signers = signers.into_iter().map(|(id, (key, _))| (id, key)).collect();
        let institution = Self { bus, log, maker, approvers, signers };
        institution.run(Command::FoundCharter(FoundedV2 { charter, signatures })).await;
        institution
    }

    async fn run(&self, command: Command) {
        self.bus.execute(Request::new(command, Actor::Founders)).await.unwrap();
    }

    /// A key that its signers confirmed, after a quorum agreed.
    async fn key(&self, protocol: Protocol) -> KeyId {
        let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let holders = match protocol.custody() {
            Custody::Shares => 2,
            Custody::Whole => 1,
            Custody::Cosigners => panic!("a multisig key names its cosigners"),
        };
        let holders = &self.signers[..holders];
        let participants = holders.iter().map(|(id, _)| *id).collect();
        let threshold = u16::try_from(holders.len()).unwrap();
        let plan = CeremonyPlan { key, protocol, threshold, participants };
        let expires_at = self.bus.now().plus_seconds(600);
        let maker = self.maker;
        self.run(Command::RequestCeremony { proposal, plan, maker, expires_at }).await;
        for (approver, signing, public) in &self.approvers {
            let answer = Answer::Approve;
            let text = self.bus.read(|state| bus::statement(state, proposal, answer, *approver));
            let signature = sign(signing, &text.unwrap());
            let (approver, key) = (*approver, public.clone());
            let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
            self.run(Command::AnswerProposal { proposal, answer, approver, key, evidence }).await;
        }
        let (public_key, public_package) = (Bytes(point().to_vec()), Bytes::default());
        for (signer, identity) in holders {
            let signer = *signer;
            let text = statement::confirmation(self.log, key, signer, &public_key, &public_package);
            let signature = sign(identity, &text);
            let (public_key, public_package) = (public_key.clone(), public_package.clone());
            let confirmed = Confirmed { signer, public_key, public_package, signature };
            self.run(Command::ConfirmKey { key, confirmed }).await;
        }
        key
    }

    /// A wallet with a key of its own.
    pub(super) async fn wallet(&self, network: Network) -> WalletId {
        let key = match network.family() {
            Family::Bitcoin => self.key(Protocol::FrostSecp256k1Tr).await,
            Family::Ethereum => self.key(Protocol::Pkcs11Secp256k1).await,
        };
        let (wallet, by) = (WalletId(Uuid::now_v7()), self.maker);
        self.run(Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by }).await;
        wallet
    }

    /// An account in the network's native asset.
    pub(super) async fn account(&self, network: Network) -> AccountId {
        let (account, client) = (AccountId(Uuid::now_v7()), ClientId(Uuid::now_v7()));
        let (asset, by) = (network.native_asset(), self.maker);
        self.run(Command::OpenAccount { account, client, asset, by }).await;
        account
    }

    /// The wallet's next address, for an account's deposits or (without one) for change.
    pub(super) async fn address(&self, wallet: WalletId, account: Option<AccountId>) -> Address {
        let branch = if account.is_some() { Branch::Deposit } else { Branch::Change };
        let (network, index) = self.bus.read(|state| {
            let holding = state.wallets[&wallet].holding().unwrap();
            (holding.network, holding.next_index(branch))
        });
        let address = strongroom_chains::address_of(network, &point()).unwrap();
        let path = AddressPath { branch, index };
        let derived = AddressDerived { address: address.clone(), path, account };
        self.run(Command::DeriveAddress { wallet, derived }).await;
        address
    }
}

fn enrolment(id: SignerId, identity: &Bytes) -> Enrolment {
    Enrolment {
        id,
        identity_key: identity.clone(),
        sealing_key: Bytes(vec![7; 32]),
        tls_certificate_sha256: Digest::default(),
        witness_key: key().1,
    }
}

fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}
