//! What a rotated wallet asks for next: a pure function of what the log says. Nothing here waits,
//! asks or appends.

use strongroom_chains::key_address;
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Branch, Command, Family, Intent, Refusal, Rule, State,
    TransferId, WalletId,
    key::Protocol,
    left_to_sweep,
    transfer::{SweepRequested, Transfer},
    wallet::{AddressDerived, Coin, Funds, Holding, Rotation, RotationApproved},
};

/// The most coins of one sweep: nodes relay transactions of up to 100 000 virtual bytes (BIP 141),
/// and an input with its signature has 58 of them.
pub const MOST_COINS: usize = 500;

/// Of cosigners' coins on P2TR, whose inputs carry every key: as many as the log holds of ten.
const MOST_TAPROOT_COINS: usize = 250;

/// Of cosigners' coins on P2WSH: each comes with the transaction that made it, which may have 100 000
/// bytes, and the log holds 515 000 of one transaction.
const MOST_PROVEN_COINS: usize = 5;

/// How many coins a sweep may move with a key of this protocol.
const fn most_coins(protocol: Protocol) -> usize {
    match protocol {
        Protocol::MultisigP2wsh => MOST_PROVEN_COINS,
        Protocol::MultisigP2tr => MOST_TAPROOT_COINS,
        Protocol::FrostSecp256k1Tr
        | Protocol::FrostEd25519
        | Protocol::Dkls23Secp256k1
        | Protocol::Pkcs11Secp256k1
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519 => MOST_COINS,
    }
}

/// Where coins arrive: on a branch whose addresses are nobody's, so that a sweep is nobody's deposit.
const COINS: AddressPath = AddressPath { branch: Branch::Change, index: 0 };
/// The one address of an account.
const ACCOUNT: AddressPath = AddressPath { branch: Branch::Deposit, index: 0 };

/// What a rotated wallet asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing, until something comes late.
    Done,
    /// Something else comes first.
    Wait(String),
    /// This command.
    Take(Box<Command>),
}

fn holding(state: &State, id: WalletId) -> Result<&Holding, Refusal> {
    let unknown = || Refusal::new(Rule::WalletState, "there is no such wallet");
    state.wallets.get(&id).ok_or_else(unknown)?.holding()
}

/// What the wallet asks for. `transfer` names the sweep, if it is one.
pub fn step(state: &State, wallet: WalletId, transfer: TransferId) -> Result<Step, Refusal> {
    let from = holding(state, wallet)?;
    let approved = from.rotation()?;
    let Rotation { successor, fee_cap, .. } = approved.rotation;
    let pending = pending(state, wallet);
    if pending.sweep {
        return Ok(Step::Wait("a sweep is under way".to_owned()));
    }
    if left_to_sweep(from) <= fee_cap {
        return Ok(emptied(state, (wallet, from), &pending));
    }
    if pending.approved {
        return Ok(Step::Wait("payments that were approved before come first".to_owned()));
    }
    let to = holding(state, successor)?;
    let path = if to.network.family() == Family::Bitcoin { COINS } else { ACCOUNT };
    let known = to.addresses.iter().find(|(_, derived)| derived.path == path);
    let Some((destination, _)) = known else {
        return derive(state, from, (successor, to), path);
    };
    let protocol =
        state.keys.get(&from.key).and_then(|key| Some(key.existing().ok()?.plan.protocol));
    let most = protocol.map_or(MOST_PROVEN_COINS, most_coins);
    Ok(sweep((wallet, from, most), approved, destination, transfer))
}

/// What is on its way out of a wallet.
struct Pending {
    sweep: bool,
    /// Approved, with nothing set aside yet.
    approved: bool,
    any: bool,
}

fn pending(state: &State, wallet: WalletId) -> Pending {
    let mut pending = Pending { sweep: false, approved: false, any: false };
    for transfer in state.transfers.values() {
        let Some(asked) = transfer.asked().filter(|asked| asked.intent.wallet == wallet) else {
            continue;
        };
        pending.any = true;
        pending.sweep |= asked.sweep.is_some();
        pending.approved |= matches!(transfer, Transfer::Approved(_)) && asked.sweep.is_none();
    }
    pending
}

fn emptied(state: &State, (wallet, from): (WalletId, &Holding), pending: &Pending) -> Step {
    let key = state.keys.get(&from.key).and_then(|key| key.active().ok());
    match key {
        None => Step::Wait("its key is quarantined: a quorum must release it".to_owned()),
        Some(key) if key.retired => Step::Done,
        Some(_) if pending.any || from.funds.sets_aside() => {
            Step::Wait("a transfer out of it is not over".to_owned())
        }
        Some(_) => Step::Take(Box::new(Command::RetireKey { wallet })),
    }
}

/// The successor's address for sweeps. An account has one address, and it is somebody's: whose the
/// old one was.
fn derive(
    state: &State,
    from: &Holding,
    (successor, to): (WalletId, &Holding),
    path: AddressPath,
) -> Result<Step, Refusal> {
    let unusable = |because: String| Refusal::new(Rule::KeyState, because);
    let key = state.keys.get(&to.key);
    let key = key.ok_or_else(|| unusable("there is no such key".to_owned()))?.existing()?;
    let address =
        key_address(key, to.network, path).map_err(|error| unusable(error.to_string()))?;
    let account: Option<AccountId> = match path.branch {
        Branch::Change => None,
        Branch::Deposit => from.addresses.values().find_map(|derived| derived.account),
    };
    let derived = AddressDerived { address, path, account };
    Ok(Step::Take(Box::new(Command::DeriveAddress { wallet: successor, derived })))
}

fn sweep(
    (wallet, from, most): (WalletId, &Holding, usize),
    approved: &RotationApproved,
    destination: &Address,
    transfer: TransferId,
) -> Step {
    let RotationApproved { rotation, proposal, maker } = approved;
    let (coins, amount) = match &from.funds {
        Funds::Coins(coins) => {
            let mut free: Vec<&Coin> = coins.free.values().collect();
            // The largest first: what is worth most is safe first.
            free.sort_by(|a, b| b.amount.cmp(&a.amount).then(a.outpoint.cmp(&b.outpoint)));
            free.truncate(most);
            let sum = free.iter().try_fold(Amount::ZERO, |sum, of| sum.checked_add(of.amount));
            let outpoints = free.into_iter().map(|coin| coin.outpoint.clone()).collect();
            (outpoints, sum.unwrap_or_default())
        }
        Funds::Balance(balance) => (Vec::new(), balance.free()),
    };
    let intent = Intent {
        transfer,
        account: rotation.fees_from,
        wallet,
        asset: from.network.native_asset(),
        amount,
        destination: destination.clone(),
        fee_cap: rotation.fee_cap,
    };
    Step::Take(Box::new(Command::RequestSweep(SweepRequested {
        intent,
        coins,
        successor: rotation.successor,
        rotation: *proposal,
        maker: *maker,
    })))
}
