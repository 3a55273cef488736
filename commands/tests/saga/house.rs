//! An institution on a log in memory, made by the commands that make a real one. Its people sign
//! with real keys; who its signers are is the test's affair.

use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_commands::{Bus, CommandError, Outcome, Request, bus};
use strongroom_domain::charter::{
    CharterTextV2, Enrolment, FoundedV2, FoundingSignature, ML_DSA_44_KEY, PersonV1, Role,
    Witnessing,
};
use strongroom_domain::deposit::{BlockRef, Seen};
use strongroom_domain::key::{CeremonyPlan, Protocol};
use strongroom_domain::policy::{Destination, PolicyV1, Quorum, TierV1 as AmountTier};
use strongroom_domain::statement::{self, Answer};
use strongroom_domain::transfer::Transfer;
use strongroom_domain::wallet::{AddressDerived, Tier};
use strongroom_domain::{
    AccountId, Actor, Address, AddressPath, Amount, Branch, Bytes, ClientId, Command, DepositId,
    Family, Intent, KeyId, LogId, Network, PersonId, ProposalId, SignerId, Timestamp, TransferId,
    WalletId,
};
use uuid::Uuid;

/// The clock of this machine.
pub(crate) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap())
}

pub(crate) fn signing_key() -> (SigningKey, Bytes) {
    let key = SigningKey::generate(&mut rand::rngs::OsRng);
    let public = Bytes(key.verifying_key().to_bytes().to_vec());
    (key, public)
}

pub(crate) fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

struct Approver {
    id: PersonId,
    key: SigningKey,
    public: Bytes,
}

/// A wallet with an account and an address of its own.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) network: Network,
    pub(crate) wallet: WalletId,
    pub(crate) account: AccountId,
    pub(crate) address: Address,
}

pub(crate) struct House {
    pub(crate) bus: Bus,
    pub(crate) log: LogId,
    pub(crate) maker: PersonId,
    approvers: Vec<Approver>,
    /// Where transfers of a network go.
    pub(crate) payees: BTreeMap<Network, Address>,
}

impl House {
    /// Founds it on an empty log: everything final after one block, one payee on each network.
    pub(crate) async fn found(
        bus: Bus,
        signers: Vec<Enrolment>,
        payees: BTreeMap<Network, Address>,
    ) -> Self {
        let (log, maker) = (LogId(Uuid::now_v7()), PersonId(Uuid::now_v7()));
        let approver = |_| {
            let (key, public) = signing_key();
            Approver { id: PersonId(Uuid::now_v7()), key, public }
        };
        let approvers: Vec<_> = (0..2).map(approver).collect();
        let group = approvers.iter().map(|one| one.id).collect();
        let quorum = Quorum { approvals: 2, group };
        let mut people: Vec<_> = approvers
            .iter()
            .map(|one| PersonV1 {
                id: one.id,
                roles: BTreeSet::from([Role::Approver]),
                approval_keys: vec![one.public.clone()],
            })
            .collect();
        let roles = BTreeSet::from([Role::Initiator]);
        people.push(PersonV1 { id: maker, roles, approval_keys: Vec::new() });
        let charter = CharterTextV2 {
            log,
            name: "saga".to_owned().try_into().unwrap(),
            log_key: signing_key().1,
            log_key_ml_dsa_44: Bytes(vec![7; ML_DSA_44_KEY]),
            people,
            witnessing: Witnessing {
                threshold: u8::try_from(signers.len() / 2 + 1).unwrap(),
                outside: Vec::new(),
            },
            signers,
            governance: quorum.clone(),
            policy: policy(&quorum, &payees),
        };
        let text = statement::founding_v2(&charter);
        let signed = |one: &Approver| FoundingSignature {
            person: one.id,
            key: one.public.clone(),
            signature: sign(&one.key, &text),
        };
        let signatures = approvers.iter().map(signed).collect();
        let house = Self { bus, log, maker, approvers, payees };
        house.run(Command::FoundCharter(FoundedV2 { charter, signatures })).await;
        house
    }

    pub(crate) async fn attempt(&self, command: Command) -> Result<Outcome, CommandError> {
        self.bus.execute(Request::new(command, Actor::Saga)).await
    }

    pub(crate) async fn run(&self, command: Command) -> Outcome {
        self.attempt(command).await.unwrap()
    }

    pub(crate) async fn approve(&self, proposal: ProposalId) {
        for one in &self.approvers {
            let (answer, approver) = (Answer::Approve, one.id);
            let text = self.bus.read(|state| bus::statement(state, proposal, answer, approver));
            let signature = sign(&one.key, &text.unwrap());
            let key = one.public.clone();
            let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
            self.run(Command::AnswerProposal { proposal, answer, approver, key, evidence }).await;
        }
    }

    /// A key ceremony that the quorum has approved; making the key is left to others.
    pub(crate) async fn ceremony(
        &self,
        protocol: Protocol,
        threshold: u16,
        participants: Vec<SignerId>,
    ) -> KeyId {
        let (key, proposal) = (KeyId(Uuid::now_v7()), ProposalId(Uuid::now_v7()));
        let plan = CeremonyPlan { key, protocol, threshold, participants };
        let (maker, expires_at) = (self.maker, self.bus.now().plus_seconds(600));
        self.run(Command::RequestCeremony { proposal, plan, maker, expires_at }).await;
        self.approve(proposal).await;
        key
    }

    /// A wallet on an active key, an account, and an address for its deposits.
    pub(crate) async fn desk(&self, network: Network, key: KeyId, point: [u8; 33]) -> Desk {
        let (wallet, account) = (WalletId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
        let (by, tier) = (self.maker, Tier::Hot);
        self.run(Command::CreateWallet { wallet, network, key, tier, by }).await;
        let (client, asset) = (ClientId(Uuid::now_v7()), network.native_asset());
        self.run(Command::OpenAccount { account, client, asset, by }).await;
        let path = AddressPath { branch: Branch::Deposit, index: 0 };
        let child = match network.family() {
            Family::Bitcoin => {
                let group = strongroom_chains::frost::GroupKey::from_bytes(&point).unwrap();
                strongroom_commands::payment::child_key(group, path).unwrap()
            }
            Family::Ethereum => point,
        };
        let address = strongroom_chains::address_of(network, &child).unwrap();
        let derived = AddressDerived { address: address.clone(), path, account: Some(account) };
        self.run(Command::DeriveAddress { wallet, derived }).await;
        Desk { network, wallet, account, address }
    }

    /// A deposit, seen and credited. `place` is what the chain calls it.
    pub(crate) async fn deposit(&self, desk: &Desk, place: String, amount: u128) {
        let deposit = DepositId::of(desk.network, &place);
        let seen = Seen {
            wallet: desk.wallet,
            address: desk.address.clone(),
            account: desk.account,
            amount: Amount::new(amount),
            place,
            block: BlockRef { height: 1, hash: "00".repeat(32) },
        };
        self.run(Command::SeeDeposit { deposit, seen }).await;
        self.run(Command::CreditDeposit { deposit, confirmations: 1 }).await;
    }

    pub(crate) fn intent(&self, desk: &Desk, amount: u128, fee_cap: u128) -> Intent {
        Intent {
            transfer: TransferId(Uuid::now_v7()),
            account: desk.account,
            wallet: desk.wallet,
            asset: desk.network.native_asset(),
            amount: Amount::new(amount),
            destination: self.payees[&desk.network].clone(),
            fee_cap: Amount::new(fee_cap),
        }
    }

    /// Asks for a transfer; not approved yet.
    pub(crate) async fn request(&self, intent: Intent, expires_at: Timestamp) -> ProposalId {
        let (proposal, maker) = (ProposalId(Uuid::now_v7()), self.maker);
        self.run(Command::RequestTransfer { intent, proposal, maker, expires_at }).await;
        proposal
    }

    /// A transfer that the quorum has approved.
    pub(crate) async fn transfer(&self, desk: &Desk, amount: u128, fee_cap: u128) -> TransferId {
        let intent = self.intent(desk, amount, fee_cap);
        let transfer = intent.transfer;
        let proposal = self.request(intent, self.bus.now().plus_seconds(600)).await;
        self.approve(proposal).await;
        transfer
    }

    /// What a transfer is, in a word.
    pub(crate) fn state_of(&self, transfer: TransferId) -> &'static str {
        self.bus.read(|state| state.transfers.get(&transfer).map_or("unknown", Transfer::name))
    }
}

fn policy(quorum: &Quorum, payees: &BTreeMap<Network, Address>) -> PolicyV1 {
    let destination = |(network, address): (&Network, &Address)| Destination {
        network: *network,
        address: address.clone(),
        label: "payee".to_owned().try_into().unwrap(),
    };
    let most = Amount::new(u128::MAX);
    let tier = |network: &Network| AmountTier {
        asset: network.native_asset(),
        up_to: most,
        quorum: quorum.clone(),
    };
    PolicyV1 {
        version: 1,
        destinations: payees.iter().map(destination).collect(),
        tiers: payees.keys().map(tier).collect(),
        fee_caps: payees.keys().map(|network| (network.native_asset(), most)).collect(),
        confirmations: payees.keys().map(|network| (*network, 1)).collect(),
        proposal_lifetime_s: 3600,
    }
}
