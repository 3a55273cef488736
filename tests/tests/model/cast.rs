//! Who plays: people, signers, and a founded and funded log in which nothing was asked for yet.
//! Their keys are real and fixed, so that every run sees the same signatures.

use ed25519_dalek::{Signer as _, SigningKey};
use std::collections::BTreeSet;
use strongroom_domain::approval_key::{ApprovalKey, Evidence};
use strongroom_domain::charter::{
    CharterText, Enrolment, Founded, FoundingSignature, Governance, Person, Role, Witnessing,
};
use strongroom_domain::deposit::{BlockRef, Seen};
use strongroom_domain::key::{CeremonyPlan, Confirmed, Protocol, RoundOnePublished};
use strongroom_domain::policy::{
    Demand, Destination, Label, Policy, PolicyRule, Requirement, Scope,
};
use strongroom_domain::statement::{self, Answer};
use strongroom_domain::wallet::{AddressDerived, OutPoint, Tier};
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Branch, Bytes, ClientId, Command, DepositId, Digest,
    FreezeId, Intent, KeyId, LogId, Network, PersonId, ProposalId, SignerId, State, Timestamp,
    TransferId, WalletId, place,
};
use uuid::Uuid;

pub(crate) const NETWORK: Network = Network::LitecoinRegtest;
/// Transfers that anybody can ask for.
pub(crate) const TRANSFERS: u8 = 2;
/// Holders of the key, two of whom sign.
pub(crate) const SIGNERS: u8 = 3;
pub(crate) const THRESHOLD: u32 = 2;
/// Members of the group, two of whom must agree.
pub(crate) const APPROVERS: u8 = 3;
/// Moments: the first, one at which nothing is over yet, and one at which every approval is.
pub(crate) const TICKS: u8 = 3;
/// Ticks after which an approval that was just asked for is over.
const LIFETIME: u8 = 2;
/// Ticks that a time lock lasts, where there is one.
const LOCK: u8 = 1;
/// Base units: what a transfer pays, the most that it may cost, and what each coin is worth.
pub(crate) const AMOUNT: u128 = 100;
pub(crate) const FEE_CAP: u128 = 10;
pub(crate) const COIN: u128 = 1_000;
const COINS: u8 = 2;
const HOUR_S: u64 = 3_600;
const BASE_MICROS: u64 = 1_767_225_600_000_000;

pub(crate) const LOG: LogId = LogId(Uuid::from_u128(1));
pub(crate) const ACCOUNT: AccountId = AccountId(Uuid::from_u128(2));
pub(crate) const WALLET: WalletId = WalletId(Uuid::from_u128(3));
pub(crate) const KEY: KeyId = KeyId(Uuid::from_u128(4));
/// Stops things.
pub(crate) const OFFICER: PersonId = PersonId(Uuid::from_u128(8));
pub(crate) const FREEZE: FreezeId = FreezeId(Uuid::from_u128(9));
const ADMINISTRATOR: PersonId = PersonId(Uuid::from_u128(10));
/// Asks for the first transfer, and is of no group.
const CLERK: PersonId = PersonId(Uuid::from_u128(5));
const CEREMONY: ProposalId = ProposalId(Uuid::from_u128(6));
const CLIENT: ClientId = ClientId(Uuid::from_u128(7));
const DEPOSIT: AddressPath = AddressPath { branch: Branch::Deposit, index: 0 };

pub(crate) fn transfer(number: u8) -> TransferId {
    TransferId(Uuid::from_u128(0x100 + u128::from(number)))
}

pub(crate) fn proposal(number: u8) -> ProposalId {
    ProposalId(Uuid::from_u128(0x200 + u128::from(number)))
}

pub(crate) fn signer(number: u8) -> SignerId {
    SignerId(Uuid::from_u128(0x300 + u128::from(number)))
}

pub(crate) fn approver(number: u8) -> PersonId {
    PersonId(Uuid::from_u128(0x400 + u128::from(number)))
}

/// The second transfer is asked for by a member of the group.
pub(crate) fn maker(question: u8) -> PersonId {
    if question == 1 { approver(APPROVERS - 1) } else { CLERK }
}

/// Whether this person is ready to put their name to this transfer. The second one never has a
/// quorum: one of the two who would sign it is the one who asks.
pub(crate) const fn is_willing(question: u8, approver: u8) -> bool {
    question != 1 || approver != 1
}

/// The clocks' time at a tick.
pub(crate) fn time(tick: u8) -> Timestamp {
    Timestamp::from_micros(BASE_MICROS).plus_seconds(HOUR_S * u64::from(tick))
}

/// The last tick that is not after `time`.
pub(crate) fn tick(time: Timestamp) -> u8 {
    let hours = time.micros().saturating_sub(BASE_MICROS) / (HOUR_S * 1_000_000);
    u8::try_from(hours).unwrap()
}

/// How many whole ticks these seconds are.
pub(crate) fn ticks(seconds: u64) -> u8 {
    u8::try_from(seconds / HOUR_S).unwrap()
}

pub(crate) fn destination() -> Address {
    "known".parse().unwrap()
}

pub(crate) fn outpoint(coin: u8) -> OutPoint {
    OutPoint { txid: format!("{:064x}", 0xc0 + u32::from(coin)), vout: 0 }
}

pub(crate) fn intent(number: u8) -> Intent {
    Intent {
        transfer: transfer(number),
        account: ACCOUNT,
        wallet: WALLET,
        asset: NETWORK.native_asset(),
        amount: Amount::new(AMOUNT),
        destination: destination(),
        fee_cap: Amount::new(FEE_CAP),
    }
}

fn secret(kind: u8, number: u8) -> SigningKey {
    let mut bytes = [kind; 32];
    bytes[0] = number + 1;
    SigningKey::from_bytes(&bytes)
}

fn public(key: &SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_bytes().to_vec())
}

fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

fn approval_key(number: u8) -> SigningKey {
    secret(1, number)
}

fn identity_key(number: u8) -> SigningKey {
    secret(2, number)
}

/// The question whether the first transfer should be abandoned.
pub(crate) const ABANDON: u8 = 8;
/// The question whether the freeze should be lifted.
pub(crate) const LIFT: u8 = 9;

/// This person's answer to the question of `asked`, put under `shown`: the same, unless somebody
/// passes a signature on. `None` where nobody was asked yet.
pub(crate) fn answer(
    state: &State,
    (asked, shown): (u8, u8),
    number: u8,
    answer: Answer,
) -> Option<Command> {
    let key = approval_key(number);
    let place = place(state, proposal(asked)).ok()?;
    let answers = state.proposals.get(&proposal(asked))?.answers()?;
    let text = statement::approval(state, &place, answers, answer, approver(number));
    Some(Command::AnswerProposal {
        proposal: proposal(shown),
        answer,
        approver: approver(number),
        key: public(&key),
        evidence: Evidence::Signature { signature: sign(&key, &text) },
    })
}

/// A signer's word that it has no part in a transfer.
pub(crate) fn abstention(number: u8, of: u8) -> Bytes {
    sign(&identity_key(number), &statement::abstention(LOG, transfer(of), signer(number)))
}

fn label(name: &str) -> Label {
    name.to_owned().try_into().unwrap()
}

fn quorum() -> Vec<Requirement> {
    vec![Requirement { approvals: 2, group: label("group") }]
}

/// Under a time lock an approval is given in the first tick, and holds for as long as any other.
fn policy(locked: bool) -> Policy {
    let asset = NETWORK.native_asset();
    let rule = |id: &str, demand| PolicyRule { id: label(id), scope: Scope::default(), demand };
    let mut rules = vec![
        rule("every-asset", Demand::Permit),
        rule("known", Demand::Allowlist { cooling_off_s: 0 }),
        rule("two-agree", Demand::Approvals { require: quorum() }),
        rule("fees", Demand::FeeCap { asset, most: Amount::new(FEE_CAP) }),
    ];
    let mut lifetime = LIFETIME;
    if locked {
        rules.push(rule("wait", Demand::Delay { seconds: HOUR_S * u64::from(LOCK) }));
        lifetime -= LOCK;
    }
    Policy {
        version: 1,
        destinations: vec![Destination {
            network: NETWORK,
            address: destination(),
            label: label("known"),
        }],
        rules,
        confirmations: [(NETWORK, 1)].into(),
        proposal_lifetime_s: HOUR_S * u64::from(lifetime),
        prices: None,
    }
}

fn people() -> Vec<Person> {
    let nobody = |id: PersonId, role: Role| Person {
        id,
        roles: [role].into(),
        groups: BTreeSet::new(),
        approval_keys: Vec::new(),
        invitation: None,
    };
    let approver = |number: u8| Person {
        id: approver(number),
        roles: if approver(number) == maker(1) {
            [Role::Approver, Role::Initiator].into()
        } else {
            [Role::Approver].into()
        },
        groups: [label("group")].into(),
        approval_keys: vec![ApprovalKey::Ed25519 { key: public(&approval_key(number)) }],
        invitation: None,
    };
    let others = [
        nobody(CLERK, Role::Initiator),
        nobody(OFFICER, Role::Officer),
        nobody(ADMINISTRATOR, Role::Administrator),
    ];
    (0..APPROVERS).map(approver).chain(others).collect()
}

fn enrolment(number: u8) -> Enrolment {
    Enrolment {
        id: signer(number),
        identity_key: public(&identity_key(number)),
        sealing_key: Bytes(vec![number + 1; 32]),
        tls_certificate_sha256: Digest([number + 1; 32]),
        witness_key: public(&secret(3, number)),
    }
}

fn found(locked: bool) -> Command {
    let charter = CharterText {
        log: LOG,
        name: label("model"),
        log_key: public(&secret(4, 0)),
        log_key_ml_dsa_44: Bytes(vec![7; 1_312]),
        people: people(),
        signers: (0..SIGNERS).map(enrolment).collect(),
        witnessing: Witnessing { threshold: 2, outside: Vec::new() },
        governance: Governance {
            policy: quorum(),
            people: quorum(),
            keys: quorum(),
            release: quorum(),
            policy_delay_s: 0,
        },
        policy: policy(locked),
    };
    let text = statement::founding(&charter);
    let signature = |number: u8| FoundingSignature {
        person: approver(number),
        key: public(&approval_key(number)),
        signature: sign(&approval_key(number), &text),
    };
    let signatures = (0..APPROVERS).map(signature).collect();
    Command::Found(Founded { charter, signatures })
}

/// The ceremony of the key, after its quorum was asked.
fn ceremony() -> Vec<Command> {
    let (public_key, public_package) = (Bytes(vec![2; 33]), Bytes(vec![9; 8]));
    let publish = |number: u8| Command::PublishRoundOne {
        key: KEY,
        published: RoundOnePublished { signer: signer(number), package: Bytes(vec![number]) },
    };
    let confirm = |number: u8| {
        let text = statement::confirmation(LOG, KEY, signer(number), &public_key, &public_package);
        Command::ConfirmKey {
            key: KEY,
            confirmed: Confirmed {
                signer: signer(number),
                public_key: public_key.clone(),
                public_package: public_package.clone(),
                signature: sign(&identity_key(number), &text),
            },
        }
    };
    (0..SIGNERS).map(publish).chain((0..SIGNERS).map(confirm)).collect()
}

fn funding() -> Vec<Command> {
    let address: Address = "ours".parse().unwrap();
    let asset = NETWORK.native_asset();
    let derived =
        AddressDerived { address: address.clone(), path: DEPOSIT, account: Some(ACCOUNT) };
    let mut commands = vec![
        Command::CreateWallet {
            wallet: WALLET,
            network: NETWORK,
            key: KEY,
            tier: Tier::Hot,
            by: CLERK,
        },
        Command::OpenAccount { account: ACCOUNT, client: CLIENT, asset, by: CLERK },
        Command::DeriveAddress { wallet: WALLET, derived },
    ];
    for coin in 0..COINS {
        let deposit = DepositId::of(NETWORK, &outpoint(coin).to_string());
        let seen = Seen {
            wallet: WALLET,
            address: address.clone(),
            account: ACCOUNT,
            amount: Amount::new(COIN),
            place: outpoint(coin).to_string(),
            block: BlockRef { height: 1, hash: "00".repeat(32) },
        };
        commands.push(Command::SeeDeposit { deposit, seen });
        commands.push(Command::CreditDeposit { deposit, confirmations: 1 });
    }
    commands
}

/// A further command of the founding, which may need what stands by then.
pub(crate) type Next = Box<dyn Fn(&State) -> Command>;

/// All that leads to a funded wallet, in order.
pub(crate) fn prelude(locked: bool) -> Vec<Next> {
    let plan = CeremonyPlan {
        key: KEY,
        protocol: Protocol::FrostSecp256k1Tr,
        threshold: u16::try_from(THRESHOLD).unwrap(),
        participants: (0..SIGNERS).map(signer).collect(),
    };
    let request =
        Command::RequestCeremony { proposal: CEREMONY, plan, maker: CLERK, expires_at: time(1) };
    let fixed = |command: Command| -> Next { Box::new(move |_| command.clone()) };
    let mut all = vec![fixed(found(locked)), fixed(request)];
    for number in 0..2 {
        all.push(Box::new(move |state| agree(state, number)));
    }
    all.extend(ceremony().into_iter().chain(funding()).map(fixed));
    all
}

fn agree(state: &State, number: u8) -> Command {
    let place = place(state, CEREMONY).unwrap();
    let answers = state.proposals[&CEREMONY].answers().unwrap();
    let text = statement::approval(state, &place, answers, Answer::Approve, approver(number));
    Command::AnswerProposal {
        proposal: CEREMONY,
        answer: Answer::Approve,
        approver: approver(number),
        key: public(&approval_key(number)),
        evidence: Evidence::Signature { signature: sign(&approval_key(number), &text) },
    }
}
