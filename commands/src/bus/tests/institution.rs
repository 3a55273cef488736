//! An institution made by the commands that make a real one, with people and signers that sign with
//! real keys. Never a shortcut into the fold.

use super::limit;
use crate::{Bus, CommandError, IdempotencyKey, Outcome, Request};
use ed25519_dalek::{Signer as _, SigningKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use strongroom_domain::{
    AccountId, Actor, AddressPath, Amount, Asset, Branch, Bytes, ClientId, Command, DepositId,
    Digest, Intent, KeyId, LogId, Network, PersonId, ProposalId, SignerId, Timestamp, TransferId,
    WalletId,
    charter::{
        CharterTextV2, Enrolment, FoundedV2, FoundingSignature, ML_DSA_44_KEY, PersonV1, Role,
        Witnessing,
    },
    deposit::{BlockRef, Seen},
    key::{CeremonyPlan, Confirmed, Protocol},
    policy::{Destination, PolicyV1, Quorum, TierV1 as AmountTier},
    statement::{self, Answer},
    wallet::{AddressDerived, Tier},
};
use strongroom_store::AppendLog;
use uuid::Uuid;

pub(super) const NETWORK: Network = Network::LitecoinRegtest;
pub(super) const ALLOWED: &str = "rltc1qallowed";
const DEPOSITS: &str = "rltc1qdeposits";
/// What the fee cap of every transfer here is.
pub(super) const FEE_CAP: u128 = 100;

pub(super) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap())
}

pub(super) fn new_key() -> (SigningKey, Bytes) {
    let key = SigningKey::generate(&mut rand::rngs::OsRng);
    let public = Bytes(key.verifying_key().to_bytes().to_vec());
    (key, public)
}

pub(super) fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

pub(super) struct Institution {
    pub(super) bus: Bus,
    pub(super) log: Arc<dyn AppendLog>,
    pub(super) log_id: LogId,
    pub(super) maker: PersonId,
    pub(super) approvers: Vec<(PersonId, SigningKey, Bytes)>,
    pub(super) signers: Vec<(SignerId, SigningKey, Bytes)>,
    wallet: WalletId,
    pub(super) account: AccountId,
}

impl Institution {
    /// With one wallet and one account, which has `funds`.
    pub(super) async fn with_funds(log: Arc<dyn AppendLog>, funds: u128) -> Self {
        Self::with(log, funds, None).await
    }

    /// As [`Self::with_funds`], under a policy made of rules if there is a most for a day.
    pub(super) async fn with(log: Arc<dyn AppendLog>, funds: u128, a_day: Option<u128>) -> Self {
        let bus = Bus::open(Arc::clone(&log), clock).await.unwrap();
        let person = |(key, public)| (PersonId(Uuid::now_v7()), key, public);
        let signer = |(key, public)| (SignerId(Uuid::now_v7()), key, public);
        let institution = Self {
            bus,
            log,
            log_id: LogId(Uuid::now_v7()),
            maker: PersonId(Uuid::now_v7()),
            approvers: (0..3).map(|_| person(new_key())).collect(),
            signers: (0..2).map(|_| signer(new_key())).collect(),
            wallet: WalletId(Uuid::now_v7()),
            account: AccountId(Uuid::now_v7()),
        };
        match a_day {
            Some(most) => institution.run(limit::founded(&institution, most)).await,
            None => institution.found().await,
        };
        institution.open().await;
        institution.deposit(funds).await;
        institution
    }

    pub(super) async fn run(&self, command: Command) -> Outcome {
        self.bus.execute(Request::new(command, Actor::Founders)).await.unwrap()
    }

    pub(super) async fn reopened(&self) -> Bus {
        Bus::open(Arc::clone(&self.log), clock).await.unwrap()
    }

    async fn found(&self) -> Outcome {
        let group: BTreeSet<_> = self.approvers.iter().map(|one| one.0).collect();
        let quorum = Quorum { approvals: 2, group };
        let approver = |(id, _, public): &(PersonId, SigningKey, Bytes)| PersonV1 {
            id: *id,
            roles: BTreeSet::from([Role::Approver]),
            approval_keys: vec![public.clone()],
        };
        let mut people: Vec<_> = self.approvers.iter().map(approver).collect();
        let roles = BTreeSet::from([Role::Initiator]);
        people.push(PersonV1 { id: self.maker, roles, approval_keys: Vec::new() });
        let enrolment = |(id, _, public): &(SignerId, SigningKey, Bytes)| Enrolment {
            id: *id,
            identity_key: public.clone(),
            sealing_key: Bytes(vec![7; 32]),
            tls_certificate_sha256: Digest::default(),
            witness_key: new_key().1,
        };
        let charter = CharterTextV2 {
            log: self.log_id,
            name: "bus".to_owned().try_into().unwrap(),
            log_key: new_key().1,
            log_key_ml_dsa_44: Bytes(vec![7; ML_DSA_44_KEY]),
            people,
            signers: self.signers.iter().map(enrolment).collect(),
            witnessing: majority(self.signers.len()),
            governance: quorum.clone(),
            policy: policy(quorum),
        };
        let text = statement::founding_v2(&charter);
        let signed = |(person, key, public): &(PersonId, SigningKey, Bytes)| FoundingSignature {
            person: *person,
            key: public.clone(),
            signature: sign(key, &text),
        };
        let signatures = self.approvers.iter().map(signed).collect();
        self.run(Command::FoundCharter(FoundedV2 { charter, signatures })).await
    }

    async fn open(&self) {
        let (key, proposal, by) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()), self.maker);
        let participants = self.signers.iter().map(|one| one.0).collect();
        let protocol = Protocol::FrostSecp256k1Tr;
        let plan = CeremonyPlan { key, protocol, threshold: 2, participants };
        let expires_at = self.bus.now().plus_seconds(600);
        self.run(Command::RequestCeremony { proposal, plan, maker: by, expires_at }).await;
        for approver in 0..2 {
            self.bus.execute(self.answer(proposal, approver)).await.unwrap();
        }
        let (public_key, public_package) = (Bytes(vec![2; 33]), Bytes::default());
        for (signer, identity, _) in &self.signers {
            let signer = *signer;
            let (public_key, public_package) = (public_key.clone(), public_package.clone());
            let text =
                statement::confirmation(self.log_id, key, signer, &public_key, &public_package);
            let signature = sign(identity, &text);
            let confirmed = Confirmed { signer, public_key, public_package, signature };
            self.run(Command::ConfirmKey { key, confirmed }).await;
        }
        let (wallet, account, client) = (self.wallet, self.account, ClientId(Uuid::now_v7()));
        self.run(Command::CreateWallet { wallet, network: NETWORK, key, tier: Tier::Hot, by })
            .await;
        let asset = NETWORK.native_asset();
        self.run(Command::OpenAccount { account, client, asset, by }).await;
        let path = AddressPath { branch: Branch::Deposit, index: 0 };
        let address = DEPOSITS.parse().unwrap();
        let derived = AddressDerived { address, path, account: Some(account) };
        self.run(Command::DeriveAddress { wallet, derived }).await;
    }

    fn seen(&self, units: u128, place: String) -> (DepositId, Seen) {
        let deposit = DepositId::of(NETWORK, &place);
        let seen = Seen {
            wallet: self.wallet,
            address: DEPOSITS.parse().unwrap(),
            account: self.account,
            amount: Amount::new(units),
            place,
            block: BlockRef { height: 1, hash: "cd".repeat(32) },
        };
        (deposit, seen)
    }

    /// What a node says that it saw at a place with this name.
    pub(super) async fn see(&self, place: String) -> Result<Outcome, CommandError> {
        let (deposit, seen) = self.seen(7, place);
        let command = Command::SeeDeposit { deposit, seen };
        self.bus.execute(Request::new(command, Actor::Founders)).await
    }

    async fn deposit(&self, units: u128) {
        let (deposit, seen) = self.seen(units, format!("{}:0", "ab".repeat(32)));
        self.run(Command::SeeDeposit { deposit, seen }).await;
        self.run(Command::CreditDeposit { deposit, confirmations: 1 }).await;
    }

    /// A request for a payment of this amount, with ids of its own.
    pub(super) fn transfer(&self, units: u128) -> Request {
        let (transfer, proposal) = (TransferId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let intent = Intent {
            transfer,
            account: self.account,
            wallet: self.wallet,
            asset: NETWORK.native_asset(),
            amount: Amount::new(units),
            destination: ALLOWED.parse().unwrap(),
            fee_cap: Amount::new(FEE_CAP),
        };
        let (maker, expires_at) = (self.maker, self.bus.now().plus_seconds(600));
        let command = Command::RequestTransfer { intent, proposal, maker, expires_at };
        let subject = serde_json::json!({ "transfer": transfer, "proposal": proposal });
        Request { subject, ..Request::new(command, Actor::Person(maker)) }
    }

    /// [`Self::transfer`] under an idempotency key. `body` stands for the request's body.
    pub(super) fn keyed(&self, units: u128, key: &str, body: &str) -> Request {
        let idempotency = Some(IdempotencyKey {
            caller: "tester".to_owned(),
            key: key.to_owned(),
            request_sha256: Digest::of(body.as_bytes()),
        });
        Request { idempotency, ..self.transfer(units) }
    }

    /// An approver's yes, signed over the statement that the bus shows.
    pub(super) fn answer(&self, proposal: ProposalId, approver: usize) -> Request {
        let (approver, signing, key) = &self.approvers[approver];
        let answer = Answer::Approve;
        let text = self.bus.read(|state| crate::bus::statement(state, proposal, answer, *approver));
        let (approver, key, signature) = (*approver, key.clone(), sign(signing, &text.unwrap()));
        let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
        let command = Command::AnswerProposal { proposal, answer, approver, key, evidence };
        Request::new(command, Actor::Person(approver))
    }

    /// What the account can still set aside.
    pub(super) fn available(&self, bus: &Bus) -> u128 {
        bus.read(|state| state.accounts[&self.account].claim().unwrap().available().units())
    }
}

fn policy(quorum: Quorum) -> PolicyV1 {
    let asset: Asset = NETWORK.native_asset();
    let (address, label) = (ALLOWED.parse().unwrap(), "exchange".to_owned().try_into().unwrap());
    PolicyV1 {
        version: 1,
        destinations: vec![Destination { network: NETWORK, address, label }],
        tiers: vec![AmountTier { asset, up_to: Amount::new(1_000_000), quorum }],
        fee_caps: BTreeMap::from([(asset, Amount::new(FEE_CAP))]),
        confirmations: BTreeMap::from([(NETWORK, 1)]),
        proposal_lifetime_s: 3600,
    }
}

/// The proposal that a transfer's request names.
pub(super) fn proposal_of(request: &Request) -> ProposalId {
    let Command::RequestTransfer { proposal, .. } = &request.command else {
        panic!("a request for a transfer, not {:?}", request.command);
    };
    *proposal
}

pub(super) fn refused_by(error: &CommandError) -> &'static str {
    let CommandError::Refused(refusal) = error else { panic!("a refusal, not: {error}") };
    refusal.rule.id()
}

/// The signers witness, and nobody else.
pub(super) fn majority(signers: usize) -> Witnessing {
    Witnessing { threshold: u8::try_from(signers / 2 + 1).unwrap(), outside: Vec::new() }
}
