//! Descriptors: what another implementation reads in ours, and what we refuse to read.

use super::{SHAPES, Shape, TestWallet, extended, fixed};
use crate::bitcoin::{
    Chain,
    multisig::{Descriptor, DescriptorError, KeyExpression},
    tests::deposit,
};
use bitcoin::NetworkKind;
use miniscript::{DefiniteDescriptorKey, DescriptorPublicKey, ForEachKey};
use std::str::FromStr;
use strongroom_domain::{AddressPath, Branch, Network};

type Theirs = miniscript::Descriptor<DescriptorPublicKey>;

#[test]
fn miniscript_derives_the_same_scripts_from_the_text() {
    for shape in SHAPES {
        for (threshold, cosigners) in [(2, 3), (4, 6), (7, 10)] {
            let wallet = TestWallet::new(Network::Bitcoin, shape, threshold, cosigners);
            let text = wallet.descriptor.export(NetworkKind::Test);
            let both = Theirs::from_str(&text).unwrap().into_single_descriptors().unwrap();
            let branches = wallet.descriptor.export_branches(NetworkKind::Test);
            for (theirs, branch) in both.iter().zip([Branch::Deposit, Branch::Change]) {
                let single = &branches[usize::from(branch == Branch::Change)];
                assert_eq!(Theirs::from_str(single).unwrap(), *theirs);
                for index in [0, 1, 2, 19, 77_777] {
                    let ours = wallet.descriptor.scripts(AddressPath { branch, index }).unwrap();
                    let definite = theirs.at_derivation_index(index).unwrap();
                    assert_eq!(definite.script_pubkey(), ours.output);
                    assert_eq!(leaf(&definite), ours.script);
                }
            }
            let reckoned = wallet.descriptor.input_weight().0;
            let definite = both[0].at_derivation_index(0).unwrap();
            let theirs = definite.max_weight_to_satisfy().unwrap().to_wu();
            // It leaves out the count of the witness's items, which any witness has, and keeps room for
            // a sighash byte behind each BIP 340 signature, which the default has not.
            let room = if shape == Shape::P2tr { u64::try_from(threshold).unwrap() } else { 0 };
            assert_eq!(reckoned + room, 4 * 41 + theirs + 1, "{shape:?}");
        }
    }
}

fn leaf(descriptor: &miniscript::Descriptor<DefiniteDescriptorKey>) -> bitcoin::ScriptBuf {
    if let miniscript::Descriptor::Tr(tr) = descriptor {
        return tr.iter_scripts().next().unwrap().1.encode();
    }
    descriptor.explicit_script().unwrap()
}

#[test]
fn a_descriptor_reads_back_as_itself() {
    for shape in SHAPES {
        let wallet = TestWallet::new(Network::Litecoin, shape, 2, 3);
        let descriptor = &wallet.descriptor;
        assert_eq!(descriptor.to_string().parse::<Descriptor>().unwrap(), *descriptor);
        for kind in [NetworkKind::Main, NetworkKind::Test] {
            let text = descriptor.export(kind);
            assert_eq!(Descriptor::import(&text).unwrap(), *descriptor);
            // Other software writes hardened steps its own way; its checksum is then another.
            let other = Theirs::from_str(&text).unwrap().to_string();
            assert!(other.contains('\''));
            assert_eq!(Descriptor::import(&other).unwrap(), *descriptor);
            let (body, sum) = text.split_once('#').unwrap();
            assert_eq!(Descriptor::import(body), Err(DescriptorError::Checksum));
            let flipped = text.replacen("48h", "49h", 1);
            assert_eq!(Descriptor::import(&flipped), Err(DescriptorError::Checksum));
            assert!(sum.len() == 8 && Theirs::from_str(body).unwrap().for_any_key(|_| true));
        }
    }
}

#[test]
fn each_network_spells_the_same_output_its_own_way() {
    for (shape, begins) in [(Shape::P2wsh, "1q"), (Shape::P2tr, "1p")] {
        let wallet = TestWallet::new(Network::Bitcoin, shape, 2, 3);
        for chain in Chain::ALL {
            let address = wallet.descriptor.address(chain, deposit(0)).unwrap();
            assert!(address.as_str().starts_with(&format!("{}{begins}", chain.hrp)));
        }
        assert_eq!(wallet.descriptor.address(Chain::ALL[0], deposit(u32::MAX)), None);
    }
}

#[test]
fn the_order_in_which_cosigners_are_named_makes_no_other_wallet() {
    for shape in SHAPES {
        let (a, b, c) = (extended(1), extended(2), fixed(3));
        let one = Descriptor::new(shape, 2, vec![a.clone(), b.clone(), c.clone()]).unwrap();
        assert_eq!(one, Descriptor::new(shape, 2, vec![c, b, a]).unwrap());
        let keys: Vec<_> = one.keys().iter().map(ToString::to_string).collect();
        assert!(keys.is_sorted());
    }
}

#[test]
fn wallets_that_lose_money_or_count_twice_are_refused() {
    let keys = |count: usize| (0..count).map(extended).collect::<Vec<_>>();
    for shape in SHAPES {
        for (threshold, cosigners) in [(1, 3), (0, 3), (3, 3), (4, 3), (2, 2), (2, 11), (999, 10)] {
            let found = Descriptor::new(shape, threshold, keys(cosigners));
            assert_eq!(found, Err(DescriptorError::Count { threshold, cosigners }));
        }
        let same = vec![extended(1), extended(2), extended(1)];
        assert_eq!(Descriptor::new(shape, 2, same), Err(DescriptorError::SameKey));
        let flat = vec![fixed(1), fixed(2), fixed(3)];
        assert_eq!(Descriptor::new(shape, 2, flat), Err(DescriptorError::OneAddress));
        // The same key with the other sign: to BIP 340 it is one.
        let KeyExpression::Fixed(key) = fixed(1) else { unreachable!() };
        let negated = KeyExpression::Fixed(key.negate(&super::SIGNING));
        let signs = vec![fixed(1), negated, extended(2)];
        assert_eq!(Descriptor::new(shape, 2, signs), Err(DescriptorError::SameKey));
    }
}

#[test]
fn anything_but_our_two_shapes_is_refused() {
    let [a, b, c] = [1, 2, 3].map(|number| format!("{}/<0;1>/*", extended(number)));
    let raw = fixed(4);
    let nums = super::super::script::NUMS;
    let mut sorted = [a.clone(), b.clone(), c.clone()];
    sorted.sort();
    let [first, second, third] = sorted;
    let right = format!("tr({nums},multi_a(2,{first},{second},{third}))");
    assert!(right.parse::<Descriptor>().is_ok());
    for (text, says) in [
        (format!("wsh(multi(2,{a},{b},{c}))"), "another kind"),
        (format!("sh(wsh(sortedmulti(2,{a},{b},{c})))"), "another kind"),
        (format!("tr({raw},multi_a(2,{a},{b},{c}))"), "by key"),
        (format!("tr({a},multi_a(2,{a},{b},{c}))"), "by key"),
        (format!("tr({nums},sortedmulti_a(2,{a},{b},{c}))"), "not multi_a"),
        (format!("tr({nums},{{pk({a}),multi_a(2,{a},{b},{c})}})"), "not multi_a"),
        (format!("tr({nums},multi_a(2,{second},{first},{third}))"), "order"),
        (format!("wsh(sortedmulti(02,{a},{b},{c}))"), "threshold"),
        (format!("wsh(sortedmulti(+2,{a},{b},{c}))"), "threshold"),
        (format!("wsh(sortedmulti(2,{a},{b},{c})) "), "follows"),
        (format!("wsh(sortedmulti(2,{a},{b},{c}),older(9))"), "neither ends"),
        (format!("wsh(sortedmulti(2,{a},{b},{}))", extended(3)), "key 3"),
        (format!("wsh(sortedmulti(2,{a},{b},{}/0/*))", extended(3)), "key 3"),
        (format!("wsh(sortedmulti(2,{a},{b},{}/<1;0>/*))", extended(3)), "key 3"),
        (format!("wsh(sortedmulti(2,{a},{b},{}/<0;1>/*h))", extended(3)), "key 3"),
        (format!("wsh(sortedmulti(2,{a},{b},{raw}/<0;1>/*))"), "can't derive"),
        (format!("wsh(sortedmulti(2,{a},{b},))"), "key 3"),
        (String::new(), "another kind"),
    ] {
        let error = text.parse::<Descriptor>().unwrap_err().to_string();
        let found =
            error.contains(says) || (says == "neither ends" && error.contains("ends neither"));
        assert!(found, "{text}: {error}");
    }
}

#[test]
fn a_key_says_where_it_comes_from_and_is_no_private_one() {
    let good = extended(1).to_string();
    let (_, xpub) = good.split_once(']').unwrap();
    let private = super::master(1).to_string();
    for (text, says) in [
        (private.as_str(), "private key"),
        (&format!("[01234567]{private}"), "private key"),
        (xpub, "needs its origin"),
        (&format!("[01234567/48h/2h/0h]{xpub}"), "depth"),
        (&format!("[01234567/48h/2h/0h/3h]{xpub}"), "depth"),
        (&format!("[01234567/48h/2h/0h/2h/]{xpub}"), "none"),
        (&format!("[0123456/48h/2h/0h/2h]{xpub}"), "8 lower-case"),
        (&format!("[0123456g/48h/2h/0h/2h]{xpub}"), "8 lower-case"),
        (&format!("[01234567/48h/2h/0h/2h{xpub}"), "not closed"),
        (&format!("[01234567/48h/2h/0h/2h]{}", &xpub[..100]), "no extended"),
        ("03", "66 hex"),
        ("", "66 hex"),
    ] {
        let error = text.parse::<KeyExpression>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
        assert!(!error.contains("xprv"), "no error repeats a secret");
    }
    // Letters in the middle of a public key, as one in two thousand has them.
    let mut keys = (2..).map(|number| extended(number).to_string());
    let chance = keys.find(|text| text.contains("prv")).unwrap();
    assert_eq!(chance.parse::<KeyExpression>().unwrap().to_string(), chance);
    let upper = fixed(1).to_string().to_uppercase();
    assert!(upper.parse::<KeyExpression>().is_err());
    let (source, key) = good.split_once(']').unwrap();
    for other in ['H', '\''] {
        let spelt = format!("{}]{key}", source.replace('h', &other.to_string()));
        assert_eq!(spelt.parse::<KeyExpression>().unwrap(), extended(1));
    }
}
