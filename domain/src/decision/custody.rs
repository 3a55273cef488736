//! What custody holds: accounts, wallets, addresses, deposits, and the signers' whereabouts.
//! Nothing here pays anybody.

use super::{Decision, rotation};
use crate::{
    AccountId, Aggregate as _, Asset, ClientId, DepositId, Family, KeyId, Network, PersonId,
    Refusal, Rule, SignerId, State, Stream, WalletId,
    account::{self, Account},
    aggregate::so_far,
    charter::Role,
    deposit::{self, Deposit, DepositEvent, Seen},
    key::{self, Protocol},
    signer,
    wallet::{self, AddressDerived, Coin, Created, FundsReceived, FundsReversed, Tier, Wallet},
};

pub(super) fn account(state: &State, id: AccountId) -> Result<&Account, Refusal> {
    state
        .accounts
        .get(&id)
        .ok_or_else(|| Refusal::new(Rule::AccountState, "there is no such account"))
}

pub(super) fn wallet(state: &State, id: WalletId) -> Result<&Wallet, Refusal> {
    state.wallets.get(&id).ok_or_else(|| Refusal::new(Rule::WalletState, "there is no such wallet"))
}

pub(super) fn open_account(
    state: &State,
    id: AccountId,
    (client, asset): (ClientId, Asset),
    by: PersonId,
) -> Result<Decision, Refusal> {
    state.charter.standing()?.may(by, &[Role::Initiator])?;
    opened_account(state, id, (client, asset))
}

/// Whoever asked.
pub(crate) fn opened_account(
    state: &State,
    id: AccountId,
    (client, asset): (ClientId, Asset),
) -> Result<Decision, Refusal> {
    let account = so_far(&state.accounts, &id);
    let events = account.decide(account::Command::Open { client, asset })?;
    Ok(Decision::weighing([Stream::Charter]).with(Stream::Account(id), events))
}

/// What can sign for a family, so far.
const fn signs_for(protocol: Protocol) -> Option<Family> {
    match protocol {
        Protocol::FrostSecp256k1Tr | Protocol::MultisigP2wsh | Protocol::MultisigP2tr => {
            Some(Family::Bitcoin)
        }
        Protocol::Pkcs11Secp256k1 | Protocol::Dkls23Secp256k1 => Some(Family::Ethereum),
        Protocol::FrostEd25519
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => None,
    }
}

pub(super) fn create_wallet(
    state: &State,
    id: WalletId,
    (network, key_id, tier): (Network, KeyId, Tier),
    by: PersonId,
) -> Result<Decision, Refusal> {
    state.charter.standing()?.may(by, &[Role::Initiator])?;
    created_wallet(state, id, Created { network, key: key_id, tier })
}

/// Whoever asked.
pub(crate) fn created_wallet(
    state: &State,
    id: WalletId,
    created: Created,
) -> Result<Decision, Refusal> {
    let (network, key_id) = (created.network, created.key);
    let key = state
        .keys
        .get(&key_id)
        .ok_or_else(|| Refusal::new(Rule::KeyState, "there is no such key"))?;
    let protocol = key.active()?.plan.protocol;
    if signs_for(protocol) != Some(network.family()) {
        let because = format!("a {} key can't sign for {network}", protocol.name());
        return Err(Refusal::new(Rule::WalletState, because));
    }
    let wallet = so_far(&state.wallets, &id);
    let events = wallet.decide(wallet::Command::Create(created))?;
    let assigned = key.decide(key::Command::Assign(key::Assigned { wallet: id }))?;
    Ok(Decision::weighing([Stream::Charter])
        .with(Stream::Wallet(id), events)
        .with(Stream::Key(key_id), assigned))
}

pub(super) fn derive_address(
    state: &State,
    id: WalletId,
    derived: AddressDerived,
) -> Result<Decision, Refusal> {
    let wallet = wallet(state, id)?;
    let holding = wallet.holding()?;
    let mut decision = Decision::default();
    if let Some(owner) = derived.account {
        let claim = account(state, owner)?.claim()?;
        if claim.asset != holding.network.native_asset() {
            let because =
                format!("the account is in {}, the wallet on {}", claim.asset, holding.network);
            return Err(Refusal::new(Rule::AccountState, because));
        }
        decision.weighed.insert(Stream::Account(owner));
    }
    let many = matches!(holding.network.family(), Family::Bitcoin);
    let events = wallet.decide(wallet::Command::Derive { derived, many })?;
    Ok(decision.with(Stream::Wallet(id), events))
}

pub(super) fn reach(state: &State, id: SignerId) -> Result<Decision, Refusal> {
    let signer = so_far(&state.signers, &id);
    Ok(Decision::default().with(Stream::Signer(id), signer.decide(signer::Command::Reach)?))
}

pub(super) fn lose(state: &State, id: SignerId, because: String) -> Result<Decision, Refusal> {
    let signer = so_far(&state.signers, &id);
    let events = signer.decide(signer::Command::Lose { because })?;
    Ok(Decision::default().with(Stream::Signer(id), events))
}

pub(super) fn see(state: &State, id: DepositId, seen: Seen) -> Result<Decision, Refusal> {
    let holding = wallet(state, seen.wallet)?.holding()?;
    if id != DepositId::of(holding.network, &seen.place) {
        let because = "a deposit's id is derived from its network and place";
        return Err(Refusal::new(Rule::DepositState, because));
    }
    let known = holding.addresses.get(&seen.address);
    if known.and_then(|derived| derived.account) != Some(seen.account) {
        let because = format!("{} is no deposit address of account {}", seen.address, seen.account);
        return Err(Refusal::new(Rule::AddressState, because));
    }
    if seen.amount.is_zero() {
        return Err(Refusal::new(Rule::AmountInvalid, "a deposit of nothing is no deposit"));
    }
    if rotation::is_sweep(state, holding.network, &seen.place) {
        let because = "it is a sweep of ours, and nobody's deposit";
        return Err(Refusal::new(Rule::Sweep, because));
    }
    let stream = Stream::Wallet(seen.wallet);
    let deposit = so_far(&state.deposits, &id);
    let events = deposit.decide(deposit::Command::See(seen))?;
    Ok(Decision::weighing([stream]).with(Stream::Deposit(id), events))
}

fn find(state: &State, id: DepositId) -> Result<(&Deposit, &Seen), Refusal> {
    let deposit = state.deposits.get(&id);
    deposit
        .and_then(|deposit| Some((deposit, deposit.seen()?)))
        .ok_or_else(|| Refusal::new(Rule::DepositState, "there is no such deposit"))
}

pub(super) fn credit(
    state: &State,
    id: DepositId,
    confirmations: u32,
) -> Result<Decision, Refusal> {
    let (deposit, seen) = find(state, id)?;
    let wallet = wallet(state, seen.wallet)?;
    let holding = wallet.holding()?;
    let policy = &state.charter.standing()?.policy;
    let required = policy.confirmations(holding.network).ok_or_else(|| {
        let because = format!("the policy names no confirmations for {}", holding.network);
        Refusal::new(Rule::PolicyInvalid, because)
    })?;
    let credited = deposit.decide(deposit::Command::Credit { confirmations, required })?;
    let (account_id, amount) = (seen.account, seen.amount);
    let credit =
        account::Command::Credit { account: account_id, deposit: id, wallet: seen.wallet, amount };
    let posted = account(state, account_id)?.decide(credit)?;
    let funds = match holding.network.family() {
        Family::Bitcoin => wallet::Command::AddCoin(coin(holding, seen)?),
        Family::Ethereum => wallet::Command::Receive(FundsReceived { deposit: id, amount }),
    };
    Ok(Decision::weighing([Stream::Charter])
        .with(Stream::Deposit(id), credited)
        .with(Stream::Account(account_id), posted)
        .with(Stream::Wallet(seen.wallet), wallet.decide(funds)?))
}

fn coin(holding: &wallet::Holding, seen: &Seen) -> Result<Coin, Refusal> {
    let unknown = || Refusal::new(Rule::AddressState, "the deposit's address is not the wallet's");
    let path = holding.addresses.get(&seen.address).ok_or_else(unknown)?.path;
    let outpoint = seen.place.parse().map_err(|error: wallet::OutPointError| {
        Refusal::new(Rule::DepositState, error.to_string())
    })?;
    Ok(Coin { outpoint, amount: seen.amount, path })
}

/// Never refused for what it does to the account: the chain has spoken.
pub(super) fn reorganise(state: &State, id: DepositId) -> Result<Decision, Refusal> {
    let (deposit, seen) = find(state, id)?;
    let events: Vec<DepositEvent> = deposit.decide(deposit::Command::Reorganise)?;
    let mut decision = Decision::default().with(Stream::Deposit(id), events);
    if matches!(deposit, Deposit::Credited(_)) {
        let wallet = wallet(state, seen.wallet)?;
        let holding = wallet.holding()?;
        let (account_id, amount) = (seen.account, seen.amount);
        let reverse = account::Command::Reverse {
            account: account_id,
            deposit: id,
            wallet: seen.wallet,
            amount,
        };
        let funds = match holding.network.family() {
            Family::Bitcoin => wallet::Command::RemoveCoin(coin(holding, seen)?.outpoint),
            Family::Ethereum => wallet::Command::Reverse(FundsReversed { deposit: id, amount }),
        };
        decision.add(Stream::Account(account_id), account(state, account_id)?.decide(reverse)?);
        decision.add(Stream::Wallet(seen.wallet), wallet.decide(funds)?);
    }
    Ok(decision)
}
