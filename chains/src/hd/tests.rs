//! Paths, purposes and addresses against what the standards publish. Origins:
//! `chains/tests/vectors/SOURCES.md`.

use super::*;
use crate::frost::{GroupKey, KeyPath};
use bitcoin::bip32::Xpub;
use proptest::prelude::*;
use std::str::FromStr;
use strongroom_domain::{AddressPath, Branch, KeyId, Network, key::Protocol};
use strongroom_secrets::{
    SecretText,
    hd::{Curve, Node, Words},
};

const ABANDON: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                       abandon abandon about";

fn place(branch: Branch, index: u32) -> AddressPath {
    AddressPath { branch, index }
}

fn key_at(words: &str, path: &Path) -> [u8; 33] {
    let words = Words::parse(&SecretText::new(words.to_owned())).unwrap();
    let seed = words.seed(&SecretText::new(String::new()));
    let node = Node::master(Curve::Secp256k1, &seed).unwrap();
    node.at(path.child_numbers()).unwrap().public().unwrap().try_into().unwrap()
}

fn address(words: &str, purpose: Purpose, network: Network, place: AddressPath) -> String {
    let path = Account { purpose, network, number: 0 }.address_path(place).unwrap();
    purpose.address(network, &key_at(words, &path)).unwrap().to_string()
}

#[test]
fn addresses_of_a_seed_are_those_that_the_standards_publish() {
    use Branch::{Change, Deposit};
    use Network::{Bitcoin, BitcoinRegtest};
    let rows = [
        (Purpose::Bip44, Bitcoin, Deposit, 0, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"),
        (Purpose::Bip49, BitcoinRegtest, Deposit, 0, "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"),
        (Purpose::Bip84, Bitcoin, Deposit, 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
        (Purpose::Bip84, Bitcoin, Deposit, 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
        (Purpose::Bip84, Bitcoin, Change, 0, "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
        (
            Purpose::Bip86,
            Bitcoin,
            Deposit,
            0,
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            Purpose::Bip86,
            Bitcoin,
            Change,
            0,
            "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
        ),
    ];
    for (purpose, network, branch, index, wanted) in rows {
        assert_eq!(address(ABANDON, purpose, network, place(branch, index)), wanted);
    }
    let junk = "test test test test test test test test test test test junk";
    for (index, wanted) in [
        (0, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        (1, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ] {
        let place = place(Branch::Deposit, index);
        assert_eq!(address(junk, Purpose::Bip44, Network::EthereumDev, place), wanted);
    }
}

#[test]
fn an_accounts_public_key_gives_the_addresses_that_its_seed_gives() {
    let account = Account { purpose: Purpose::Bip86, network: Network::Bitcoin, number: 0 };
    // BIP 86, "Account 0, root = m/86'/0'/0'".
    let key = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3\
               VCECoY49yfdDEHGCtMMj92pReUsQ";
    let key = AccountKey::parse(account, key).unwrap();
    let (found, path) = key.address(place(Branch::Deposit, 1)).unwrap();
    assert_eq!(path.to_string(), "m/86'/0'/0'/0/1");
    assert_eq!(found.as_str(), "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh");
    for index in 0..5 {
        let place = place(Branch::Change, index);
        let (found, _) = key.address(place).unwrap();
        assert_eq!(found.as_str(), address(ABANDON, Purpose::Bip86, Network::Bitcoin, place));
    }
    // The same key elsewhere is refused: its addresses would be somebody else's.
    let text = key_text();
    let wrong = |account| AccountKey::parse(account, &text).unwrap_err();
    assert!(matches!(wrong(Account { number: 1, ..account }), AccountError::Place { .. }));
    let elsewhere = Account { network: Network::BitcoinRegtest, ..account };
    assert_eq!(wrong(elsewhere), AccountError::Network("a main network"));
    assert_eq!(AccountKey::parse(account, "zpub1"), Err(AccountError::Malformed));
}

fn key_text() -> String {
    "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfd\
     DEHGCtMMj92pReUsQ"
        .to_owned()
}

#[test]
fn public_children_are_those_of_bip_32() {
    // Test vector 2, chain m to m/0; test vector 1, m/0' to m/0'/1.
    let rows = [
        (
            "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
            0,
            "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
        ),
        (
            "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
            1,
            "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ",
        ),
    ];
    for (parent, number, child) in rows {
        let parent = Xpub::from_str(parent).unwrap();
        let number = bitcoin::bip32::ChildNumber::from_normal_idx(number).unwrap();
        let found = parent.derive_pub(&*crate::frost::SECP, &[number]).unwrap();
        assert_eq!(found.to_string(), child);
    }
}

/// Any wallet that reads the extended key finds the addresses that our signers derive.
#[test]
fn a_threshold_keys_extended_key_leads_to_its_addresses() {
    let group = GroupKey::from_bytes(&key_at(ABANDON, &Path::ROOT)).unwrap();
    let root = Xpub::from_str(&group.extended(Network::Bitcoin)).unwrap();
    for (branch, index) in [(Branch::Deposit, 0), (Branch::Deposit, 7), (Branch::Change, 3)] {
        let place = place(branch, index);
        let steps = [branch.number(), index]
            .map(|n| bitcoin::bip32::ChildNumber::from_normal_idx(n).unwrap());
        let key = root.derive_pub(&*crate::frost::SECP, &steps).unwrap().public_key.serialize();
        let ours = group.child(KeyPath::from(place)).unwrap();
        for network in [Network::Bitcoin, Network::Litecoin] {
            let by_hand = Purpose::ours(network).address(network, &key).unwrap();
            assert_eq!(ours.address(network).unwrap(), by_hand);
        }
        let account = Purpose::Bip44.address(Network::Ethereum, &key).unwrap();
        assert_eq!(ours.address(Network::Ethereum).unwrap(), account);
    }
    assert!(group.extended(Network::LitecoinRegtest).starts_with("tpub"));
}

#[test]
fn ethereum_has_one_kind_of_address() {
    let key = key_at(ABANDON, &Path::ROOT);
    for purpose in [Purpose::Bip49, Purpose::Bip84, Purpose::Bip86] {
        let refusal = purpose.address(Network::Ethereum, &key).unwrap_err();
        assert!(matches!(refusal, NoSuchAddress::Purpose { .. }));
    }
    assert!(Purpose::Bip84.address(Network::Bitcoin, &[9; 33]).is_err());
}

#[test]
fn every_network_has_the_coin_type_of_slip_44() {
    let found = Network::ALL.map(coin_type);
    assert_eq!(found, [0, 1, 2, 1, 60, 60]);
}

#[test]
fn a_path_has_one_spelling_of_each_step() {
    let path: Path = "m/84h/0'/0'/0/5".parse().unwrap();
    assert_eq!(path.to_string(), "m/84'/0'/0'/0/5");
    assert!(!path.is_public());
    assert_eq!("m".parse::<Path>().unwrap(), Path::ROOT);
    for wrong in ["", "M/0", "0/1", "/0", "m/", "m//0", "m/00", "m/01'", "m/+1", "m/-1", "m/1''"] {
        assert!(wrong.parse::<Path>().is_err(), "{wrong}");
    }
    assert_eq!("m/2147483648".parse::<Path>(), Err(PathError::Number(1 << 31)));
    assert_eq!("m/4294967296'".parse::<Path>(), Err(PathError::Number(1 << 32)));
    let long = |steps| format!("m{}", "/0".repeat(steps)).parse::<Path>();
    assert_eq!(long(255).unwrap().steps().len(), DEEPEST);
    assert_eq!(long(256), Err(PathError::Depth(256)));
}

#[test]
fn an_address_is_shown_with_its_key() {
    let key = "00000000-0000-0000-0000-000000000007".parse::<KeyId>().unwrap();
    let path = place(Branch::Deposit, 7);
    let id = "00000000-0000-0000-0000-000000000007";
    assert_eq!(shown(key, Protocol::FrostSecp256k1Tr, path), format!("m/0/7 of key {id}"));
    assert_eq!(shown(key, Protocol::Pkcs11Secp256k1, path), format!("m of key {id}"));
    assert_eq!(shown(key, Protocol::Dkls23Secp256k1, path), format!("m of key {id}"));
    let multisig = shown(key, Protocol::MultisigP2wsh, path);
    assert_eq!(multisig, format!("0/7 below every cosigner of key {id}"));
}

#[test]
fn a_key_that_is_no_tree_has_one_address() {
    let key = key_at(ABANDON, &Path::ROOT);
    let first = place(Branch::Deposit, 0);
    for protocol in [Protocol::Pkcs11Secp256k1, Protocol::Dkls23Secp256k1] {
        assert_eq!(point_at(protocol, &key, first), Ok(key));
        let missing = point_at(protocol, &key, place(Branch::Deposit, 1));
        assert!(matches!(missing, Err(NoKey::Protocol { .. })));
    }
    assert_ne!(point_at(Protocol::FrostSecp256k1Tr, &key, first), Ok(key));
    assert!(point_at(Protocol::MultisigP2wsh, &[], first).is_err());
    assert!(point_at(Protocol::FrostSecp256k1Tr, &[2; 32], first).is_err());
}

proptest! {
    #[test]
    fn a_path_reads_what_it_writes(steps in proptest::collection::vec((0_u32..1 << 31, any::<bool>()), 0..12)) {
        let step = |(number, hardened)| {
            if hardened { Step::hardened(number) } else { Step::normal(number) }.unwrap()
        };
        let path = Path::ROOT.then(steps.into_iter().map(step)).unwrap();
        prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
    }

    #[test]
    fn whatever_reads_as_a_path_is_spelt_so_or_with_h(text in "m(/[0-9]{1,10}['h]?){0,4}") {
        if let Ok(path) = text.parse::<Path>() {
            prop_assert_eq!(path.to_string(), text.replace('h', "'"));
        }
    }
}
