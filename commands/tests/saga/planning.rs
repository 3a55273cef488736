//! Which transaction realises an intent, and what happens when two plans want the same funds.

use crate::house::Desk;
use crate::institution::{Institution, point};
use strongroom_chains::UnsignedTx;
use strongroom_chains::frost::GroupKey;
use strongroom_commands::CommandError;
use strongroom_commands::payment::{NoPlan, Plan, Purse, Till, from_balance, from_coins};
use strongroom_domain::key::Protocol;
use strongroom_domain::transfer::AttemptAuthorised;
use strongroom_domain::{
    Address, AddressPath, Amount, Branch, Command, Intent, KeyId, Network, Rule, Spends,
};
use strongroom_nodes::bitcoin_core::{FeeBasis, FeeRate};
use strongroom_nodes::ethereum::FeeSuggestion;

const LTC: Network = Network::LitecoinRegtest;
const ETH: Network = Network::EthereumDev;
const CHANGE: AddressPath = AddressPath { branch: Branch::Change, index: 0 };
const GWEI: u128 = 1_000_000_000;

fn rate(per_kvb: u64) -> FeeRate {
    FeeRate { per_kvb, floor_per_kvb: 1_000, basis: FeeBasis::Estimate }
}

fn gas(next_base_fee: u128, priority_fee: u128) -> FeeSuggestion {
    FeeSuggestion { next_base_fee, priority_fee }
}

fn group() -> GroupKey {
    GroupKey::from_bytes(&point(0)).unwrap()
}

fn purse(of: &Institution, desk: &Desk) -> Purse {
    of.house.bus.read(|state| {
        Purse::of(state.wallets[&desk.wallet].holding().unwrap().funds.coins().unwrap())
    })
}

fn till(of: &Institution, desk: &Desk) -> Till {
    of.house.bus.read(|state| {
        Till::of(state.wallets[&desk.wallet].holding().unwrap().funds.balance().unwrap())
    })
}

fn plan(of: &Institution, desk: &Desk, intent: &Intent, offered: u64) -> Result<Plan, NoPlan> {
    from_coins(intent, &purse(of, desk), group(), CHANGE, rate(offered))
}

/// What the planned bytes would really do.
fn realises(of: &Institution, desk: &Desk, intent: &Intent, plan: &Plan) -> Amount {
    let unsigned = UnsignedTx::parse(desk.network, &plan.unsigned).unwrap();
    let key = strongroom_commands::payment::child_key(group(), CHANGE).unwrap();
    let change = strongroom_chains::address_of(desk.network, &key);
    let owns = |address: &Address| {
        if change.as_ref() == Ok(address) {
            return Some(CHANGE);
        }
        of.house.bus.read(|state| {
            let holding = state.wallets[&desk.wallet].holding().unwrap();
            holding.addresses.get(address).map(|derived| derived.path)
        })
    };
    let effect = unsigned.effect(&owns).unwrap();
    assert_eq!(effect.realises(intent), Ok(()));
    assert_eq!(effect.fee, plan.fee);
    effect.fee
}

fn authorise(of: &Institution, intent: &Intent, plan: Plan, key: KeyId, by: Protocol) -> Command {
    let signers = of.holders(by);
    let Plan { unsigned, fee, spends } = plan;
    let attempt = AttemptAuthorised { attempt: 1, unsigned, fee, key, signers };
    Command::AuthoriseAttempt { transfer: intent.transfer, attempt, spends }
}

fn key_of(of: &Institution, desk: &Desk) -> KeyId {
    of.house.bus.read(|state| state.wallets[&desk.wallet].holding().unwrap().key)
}

#[tokio::test]
async fn a_plan_does_what_the_intent_says() {
    let of = Institution::found().await;
    let ltc = of.funded(LTC, &[1_000_000, 2_000_000]).await;
    let intent = of.house.intent(&ltc, 1_500_000, 100_000);
    let found = plan(&of, &ltc, &intent, 10_000).unwrap();
    assert!(realises(&of, &ltc, &intent, &found) > Amount::ZERO);

    let eth = of.funded(ETH, &[10 * GWEI * GWEI]).await;
    let intent = of.house.intent(&eth, GWEI, 1_000_000 * GWEI);
    let found = from_balance(&intent, till(&of, &eth), gas(GWEI, GWEI)).unwrap();
    assert_eq!(found.spends, Spends::AccountNonce(0));
    // Twice the base fee and the priority fee, for the gas of a plain payment.
    assert_eq!(realises(&of, &eth, &intent, &found), Amount::new(21_000 * 3 * GWEI));
}

#[tokio::test]
async fn the_fee_cap_bounds_what_is_offered_down_to_what_nodes_relay() {
    let of = Institution::found().await;
    let ltc = of.funded(LTC, &[10_000_000]).await;
    let cap = 10_000;
    let intent = of.house.intent(&ltc, 1_000_000, cap);
    let found = plan(&of, &ltc, &intent, 1_000_000).unwrap();
    let fee = realises(&of, &ltc, &intent, &found);
    assert!(fee <= Amount::new(cap) && fee > Amount::new(cap / 2), "{fee}");

    let intent = of.house.intent(&ltc, 1_000_000, 50);
    let none = plan(&of, &ltc, &intent, 1_000_000).unwrap_err();
    assert!(matches!(none, NoPlan::NotNow { .. }), "{none:?}");
}

#[tokio::test]
async fn gas_above_the_cap_is_capped_and_waited_for_below_the_base_fee() {
    let of = Institution::found().await;
    let eth = of.funded(ETH, &[10 * GWEI * GWEI]).await;
    let cap = 21_000 * 5 * GWEI;
    let intent = of.house.intent(&eth, GWEI, cap);
    let found = from_balance(&intent, till(&of, &eth), gas(4 * GWEI, 9 * GWEI)).unwrap();
    assert_eq!(realises(&of, &eth, &intent, &found), Amount::new(cap));
    let none = from_balance(&intent, till(&of, &eth), gas(6 * GWEI, GWEI)).unwrap_err();
    assert!(matches!(none, NoPlan::NotNow { .. }), "{none:?}");
    let none = from_balance(&intent, till(&of, &eth), gas(u128::MAX, u128::MAX)).unwrap_err();
    assert!(matches!(none, NoPlan::NotNow { .. }), "{none:?}");
}

#[tokio::test]
async fn what_others_have_set_aside_is_waited_for_and_what_is_not_there_is_not() {
    let of = Institution::found().await;
    let ltc = of.funded(LTC, &[1_000_000, 2_000_000]).await;
    let first = of.house.transfer(&ltc, 1_900_000, 10_000).await;
    let intent = of.house.intent(&ltc, 1_900_000, 10_000);
    let first = Intent { transfer: first, ..intent.clone() };
    let found = plan(&of, &ltc, &first, 10_000).unwrap();
    let key = key_of(&of, &ltc);
    let frost = Protocol::FrostSecp256k1Tr;
    of.house.run(authorise(&of, &first, found, key, frost)).await;

    let none = plan(&of, &ltc, &intent, 10_000).unwrap_err();
    assert!(matches!(none, NoPlan::NotNow { .. }), "{none:?}");
    let more = of.house.intent(&ltc, 3_000_000, 10_000);
    let none = plan(&of, &ltc, &more, 10_000).unwrap_err();
    assert!(matches!(none, NoPlan::Never { .. }), "{none:?}");
    let dust = of.house.intent(&ltc, 10, 10_000);
    let none = plan(&of, &ltc, &dust, 10_000).unwrap_err();
    assert!(matches!(none, NoPlan::Never { .. }), "{none:?}");
}

#[tokio::test]
async fn an_account_waits_for_what_is_held_and_not_for_what_it_never_had() {
    let of = Institution::found().await;
    let eth = of.funded(ETH, &[100 * GWEI * GWEI]).await;
    let intent = of.house.intent(&eth, 60 * GWEI * GWEI, GWEI * GWEI);
    let cheap = gas(GWEI, GWEI);
    let all = till(&of, &eth);
    let held = Till { free: Amount::new(50 * GWEI * GWEI), ..all };
    let none = from_balance(&intent, held, cheap).unwrap_err();
    assert!(matches!(none, NoPlan::NotNow { .. }), "{none:?}");
    let poor = Till { all: Amount::new(50 * GWEI * GWEI), ..held };
    let none = from_balance(&intent, poor, cheap).unwrap_err();
    assert!(matches!(none, NoPlan::Never { .. }), "{none:?}");
}

#[tokio::test]
async fn of_two_plans_for_the_same_coin_the_ledger_takes_one() {
    let of = Institution::found().await;
    let ltc = of.funded(LTC, &[5_000_000]).await;
    let intent = of.house.intent(&ltc, 1_000_000, 10_000);
    let frost = Protocol::FrostSecp256k1Tr;
    let key = key_of(&of, &ltc);
    let (one, two) = (
        of.house.transfer(&ltc, 1_000_000, 10_000).await,
        of.house.transfer(&ltc, 1_000_000, 10_000).await,
    );
    let (one, two) =
        (Intent { transfer: one, ..intent.clone() }, Intent { transfer: two, ..intent });
    let plans = (plan(&of, &ltc, &one, 10_000).unwrap(), plan(&of, &ltc, &two, 10_000).unwrap());
    assert_eq!(plans.0.spends, plans.1.spends);
    let again = authorise(&of, &one, plans.0.clone(), key, frost);
    of.house.run(authorise(&of, &one, plans.0, key, frost)).await;
    // The saga may repeat its step.
    assert!(of.house.run(again).await.events.is_empty());
    let refused = of.house.attempt(authorise(&of, &two, plans.1, key, frost)).await;
    let Err(CommandError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.rule, Rule::WalletReserved);
}

#[tokio::test]
async fn of_two_plans_for_the_same_account_nonce_the_ledger_takes_one() {
    let of = Institution::found().await;
    let eth = of.funded(ETH, &[100 * GWEI * GWEI]).await;
    let intent = of.house.intent(&eth, GWEI, GWEI * GWEI);
    let (token, key) = (Protocol::Pkcs11Secp256k1, key_of(&of, &eth));
    let (one, two) = (
        of.house.transfer(&eth, GWEI, GWEI * GWEI).await,
        of.house.transfer(&eth, GWEI, GWEI * GWEI).await,
    );
    let (one, two) =
        (Intent { transfer: one, ..intent.clone() }, Intent { transfer: two, ..intent });
    let cheap = gas(GWEI, GWEI);
    let plan = from_balance(&one, till(&of, &eth), cheap).unwrap();
    let late = from_balance(&two, till(&of, &eth), cheap).unwrap();
    of.house.run(authorise(&of, &one, plan, key, token)).await;
    let refused = of.house.attempt(authorise(&of, &two, late, key, token)).await;
    let Err(CommandError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.rule, Rule::WalletReserved);
    let again = from_balance(&two, till(&of, &eth), cheap).unwrap();
    assert_eq!(again.spends, Spends::AccountNonce(1));
    of.house.run(authorise(&of, &two, again, key, token)).await;
}
