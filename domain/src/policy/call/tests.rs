//! What call data says, from data as wallets make it.

use super::*;

const TOKEN: &str = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
const SPENDER: [u8; 20] = [0xab; 20];

fn word_of(number: u128) -> Vec<u8> {
    let mut word = vec![0; 16];
    word.extend(number.to_be_bytes());
    word
}

fn account(bytes: [u8; 20]) -> Vec<u8> {
    let mut word = vec![0; 12];
    word.extend(bytes);
    word
}

fn data(selector: u32, words: &[Vec<u8>]) -> Vec<u8> {
    let mut data = selector.to_be_bytes().to_vec();
    data.extend(words.concat());
    data
}

fn meaning(data: &[u8]) -> Meaning {
    Call::read(TOKEN.parse().expect("an address"), data).expect("a call").meaning
}

fn allowance(data: &[u8]) -> Allowance {
    let read = meaning(data);
    let Meaning::Approval { spender, amount } = read else { panic!("{read:?}") };
    assert_eq!(spender.0, SPENDER);
    amount
}

#[test]
fn no_data_is_no_call() {
    assert_eq!(Call::read(TOKEN.parse().expect("an address"), &[]), None);
}

#[test]
fn an_allowance_is_read_in_every_form() {
    let (to, other) = (account(SPENDER), account([1; 20]));
    let some = |units| Allowance::UpTo(Amount::new(units));
    for selector in [0x095e_a7b3, 0x3950_9351, 0xd73d_d623] {
        assert_eq!(allowance(&data(selector, &[to.clone(), word_of(500)])), some(500));
        assert_eq!(allowance(&data(selector, &[to.clone(), vec![255; 32]])), Allowance::Unlimited);
        let mut large = word_of(0);
        large[15] = 1;
        assert_eq!(allowance(&data(selector, &[to.clone(), large])), Allowance::Unlimited);
    }
    let all = |yes| data(0xa22c_b465, &[to.clone(), word_of(yes)]);
    assert_eq!(allowance(&all(1)), Allowance::Unlimited);
    assert_eq!(allowance(&all(0)), some(0));
    let rest = || vec![word_of(9), word_of(27), word_of(1), word_of(2)];
    let permit = [vec![other.clone(), to.clone(), word_of(7)], rest()].concat();
    assert_eq!(allowance(&data(0xd505_accf, &permit)), some(7));
    let dai = |yes| {
        let first = vec![other.clone(), to.clone(), word_of(0), word_of(0), word_of(yes)];
        data(0x8fcb_af0c, &[first, vec![word_of(27), word_of(1), word_of(2)]].concat())
    };
    assert_eq!(allowance(&dai(1)), Allowance::Unlimited);
    assert_eq!(allowance(&dai(0)), some(0));
}

#[test]
fn an_allowance_that_is_not_exactly_in_its_form_is_unreadable() {
    let approve = data(0x095e_a7b3, &[account(SPENDER), word_of(500)]);
    for wrong in [
        &approve[..approve.len() - 1],
        &[approve.clone(), vec![0]].concat(),
        &data(0x095e_a7b3, &[vec![1; 32], word_of(500)]),
        &approve[..4],
        &approve[..3],
    ] {
        assert_eq!(meaning(wrong), Meaning::Unreadable, "{wrong:?}");
    }
}

#[test]
fn functions_that_change_control_are_known_by_name() {
    for (selector, expected) in [
        (0xf2fd_e38b, "transferOwnership"),
        (0x2f2f_f15d, "grantRole"),
        (0x8f28_3970, "changeAdmin"),
    ] {
        let read = meaning(&data(selector, &[account(SPENDER)]));
        let Meaning::Admin { name, delegatecall: false, .. } = read else { panic!("{read:?}") };
        assert_eq!(name, expected);
    }
    for selector in [0x3659_cfe6, 0x4f1e_f286, 0xac96_50d8] {
        let read = meaning(&data(selector, &[account(SPENDER)]));
        assert!(matches!(read, Meaning::Admin { delegatecall: true, .. }), "{read:?}");
    }
}

/// The Bybit theft of February 2025: a Safe was made to run foreign code as itself.
#[test]
fn a_delegatecall_of_a_safe_is_told_apart() {
    let exec = |operation| {
        data(0x6a76_1202, &[account(SPENDER), word_of(0), word_of(320), word_of(operation)])
    };
    let foreign = |data: &[u8]| {
        let read = meaning(data);
        let Meaning::Admin { name: "execTransaction", delegatecall, .. } = read else {
            panic!("{read:?}")
        };
        delegatecall
    };
    assert!(!foreign(&exec(0)));
    assert!(foreign(&exec(1)));
    assert_eq!(meaning(&exec(1)[..100]), Meaning::Unreadable, "the operation is missing");
}

#[test]
fn any_other_function_is_only_a_function() {
    let transfer = data(0xa905_9cbb, &[account(SPENDER), word_of(5)]);
    assert_eq!(meaning(&transfer), Meaning::Function { selector: Selector([0xa9, 5, 0x9c, 0xbb]) });
}

#[test]
fn no_selector_is_listed_twice() {
    let approving = APPROVING.iter().map(|form| form.selector);
    let mut all: Vec<_> =
        ADMIN.iter().map(|(known, ..)| known.to_be_bytes()).chain(approving).collect();
    let many = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), many);
}

#[test]
fn a_selector_has_one_spelling() {
    assert_eq!("0xa9059cbb".parse(), Ok(Selector([0xa9, 5, 0x9c, 0xbb])));
    for wrong in ["a9059cbb", "0xA9059CBB", "0xa9059c", "0xa9059cbb00", "", "0xzz059cbb"] {
        assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
    }
}

#[test]
fn an_address_is_its_bytes_in_any_case() {
    let mixed: Address = "0xABababABabABababABABabababABABABababABaB".parse().expect("an address");
    assert!(is(&mixed, &Bytes(SPENDER.to_vec())));
    assert!(!is(&"rltc1qexchange".parse().expect("an address"), &Bytes(SPENDER.to_vec())));
}
