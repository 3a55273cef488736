//! Calls of contracts: refused unless a rule of their own allows them.

use super::*;
use crate::Bytes;

const TOKEN: &str = "0xToken";
const SPENDER: &str = "0xabababababababababababababababababababab";
const TRANSFER: Selector = Selector([0xa9, 0x05, 0x9c, 0xbb]);
const EXEC: Selector = Selector([0x6a, 0x76, 0x12, 0x02]);

fn calling(meaning: Meaning) -> World {
    let mut world = World::new();
    world.call = Some(Call { contract: address(TOKEN), meaning });
    world
}

fn approving(amount: Allowance) -> World {
    calling(Meaning::Approval { spender: Bytes(vec![0xab; 20]), amount })
}

fn exec(delegatecall: bool) -> World {
    calling(Meaning::Admin { selector: EXEC, name: "execTransaction", delegatecall })
}

#[test]
fn contract_call_of_an_unknown_function_is_refused() {
    let world = calling(Meaning::Function { selector: TRANSFER });
    world.is_refused(&policy([]), "contract-call");
    let allow = |contract: &str, selector| {
        let (contract, selectors) = (address(contract), BTreeSet::from([selector]));
        policy([rule("x-call", Demand::ContractCall { contract, selectors })])
    };
    world.passes(&allow(TOKEN, TRANSFER));
    world.is_refused(&allow("0xOther", TRANSFER), "contract-call");
    world.is_refused(&allow(TOKEN, EXEC), "contract-call");
    // A rule about functions is none about what changes control, or gives an allowance away.
    exec(false).is_refused(&allow(TOKEN, EXEC), "contract-call");
    let approve = Selector([0x09, 0x5e, 0xa7, 0xb3]);
    approving(Allowance::Unlimited).is_refused(&allow(TOKEN, approve), "contract-call");
}

#[test]
fn contract_call_data_that_cannot_be_read_is_refused_whatever_the_rules_say() {
    let (contract, selectors) = (address(TOKEN), BTreeSet::from([TRANSFER, EXEC]));
    let all = policy([
        rule("x-call", Demand::ContractCall { contract, selectors }),
        rule("y-admin", admin(true)),
        rule("z-approve", approval(Allowance::Unlimited)),
    ]);
    calling(Meaning::Unreadable).is_refused(&all, "contract-call");
}

fn approval(most: Allowance) -> Demand {
    Demand::TokenApproval { token: address(TOKEN), spender: address(SPENDER), most }
}

#[test]
fn token_approval_is_refused_unless_a_rule_names_token_spender_and_amount() {
    let up_to = |units| Allowance::UpTo(Amount::new(units));
    let allow = |most| policy([rule("x-approve", approval(most))]);
    approving(up_to(5)).is_refused(&policy([]), "contract-call");
    approving(up_to(5)).passes(&allow(up_to(5)));
    approving(up_to(6)).is_refused(&allow(up_to(5)), "x-approve");
    approving(Allowance::Unlimited).is_refused(&allow(up_to(u128::MAX)), "x-approve");
    approving(Allowance::Unlimited).passes(&allow(Allowance::Unlimited));
    let spender = address("0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
    let other = Demand::TokenApproval { token: address(TOKEN), spender, most: up_to(5) };
    approving(up_to(5)).is_refused(&policy([rule("x-approve", other)]), "contract-call");
}

fn admin(delegatecall: bool) -> Demand {
    let (contract, selectors) = (address(TOKEN), BTreeSet::from([EXEC]));
    Demand::ContractAdmin { contract, selectors, delegatecall }
}

#[test]
fn contract_admin_calls_are_refused_unless_named_and_delegatecalls_unless_written_out() {
    let allow = |delegatecall| policy([rule("x-admin", admin(delegatecall))]);
    exec(false).is_refused(&policy([]), "contract-call");
    exec(false).passes(&allow(false));
    exec(true).is_refused(&allow(false), "x-admin");
    exec(true).passes(&allow(true));
}

#[test]
fn a_payment_is_no_affair_of_rules_about_calls() {
    let (contract, selectors) = (address(TOKEN), BTreeSet::from([TRANSFER]));
    World::new().passes(&policy([
        rule("x-call", Demand::ContractCall { contract, selectors }),
        rule("y-admin", admin(false)),
        rule("z-approve", approval(Allowance::UpTo(Amount::ZERO))),
    ]));
}
