//! Multisig wallets without us: file keys, the programs that hold them, and a real litecoind that
//! watches, proposes and takes the payment. No server runs.

mod cosigner;
mod payments;

use bitcoin::{Amount as Sats, OutPoint as Spent, Transaction, consensus::encode};
use cosigner::{Cosigner, offline, run};
use serde_json::{Value, json};
use std::fs;
use strongroom_chains::bitcoin::{
    Chain, Plan,
    multisig::{Descriptor, build},
};
use strongroom_domain::{
    AddressPath, Amount, Branch, Bytes, Intent, Network,
    wallet::{Coin, OutPoint},
};
use strongroom_tests::{
    deployment::{Hsm, Programs},
    regtest::{BitcoinRegtest, Core},
};
use tempfile::TempDir;

const NETWORK: [&str; 2] = ["--network", "litecoin-regtest"];

struct House {
    folder: TempDir,
    programs: Programs,
    node: Core,
    cosigners: Vec<Cosigner>,
    descriptor: std::path::PathBuf,
}

impl House {
    fn new(shape: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let programs = Programs::built();
        let cosigners: Vec<_> =
            (0..3).map(|number| Cosigner::new(&programs, folder.path(), number)).collect();
        let node = Core::litecoind();
        node.mine(101);
        let descriptor = folder.path().join("descriptor");
        let house = Self { folder, programs, node, cosigners, descriptor };
        fs::write(&house.descriptor, house.print_descriptor(shape, house.keys(), &[])).unwrap();
        house
    }

    fn keys(&self) -> Vec<String> {
        self.cosigners.iter().map(|cosigner| cosigner.key(&self.programs)).collect()
    }

    fn print_descriptor(&self, shape: &str, keys: Vec<String>, more: &[&str]) -> String {
        let mut arguments = vec!["descriptor".to_owned()];
        arguments.extend(NETWORK.map(str::to_owned));
        arguments.extend(["--shape", shape, "--threshold", "2"].map(str::to_owned));
        arguments.extend(keys.into_iter().flat_map(|key| ["--key".to_owned(), key]));
        arguments.extend(more.iter().map(|more| (*more).to_owned()));
        offline(&self.programs, &arguments, "").unwrap()
    }

    fn descriptor_file(&self) -> &str {
        self.descriptor.to_str().unwrap()
    }

    fn address(&self, index: u32) -> String {
        let index = index.to_string();
        let own = ["address", "--descriptor", self.descriptor_file(), "--index", &index];
        offline(&self.programs, [own.as_slice(), &NETWORK].concat(), "").unwrap().trim().to_owned()
    }

    /// Two cosigners read it, type what leaves, and sign one after the other; then it is put together.
    fn sign(&self, psbt: &[u8], leaves: &str) -> String {
        let given = self.folder.path().join("psbt");
        fs::write(&given, psbt).unwrap();
        let (first, second) = (self.folder.path().join("one"), self.folder.path().join("two"));
        let refused = self.cosigners[0].sign(self, &given, &first, "yes\n").unwrap_err();
        assert!(refused.contains("nothing was signed"), "{refused}");
        assert!(!first.exists());
        let read = self.cosigners[0].sign(self, &given, &first, leaves).unwrap();
        assert!(read.contains("back to the wallet's own"), "{read}");
        assert!(read.contains("PAYS 0.50000000 LTC"), "{read}");
        let few = self.combine(&[&first]).unwrap_err();
        assert!(few.contains("1 cosigners signed: it takes 2"), "{few}");
        let read = self.cosigners[2].sign(self, &first, &second, leaves).unwrap();
        assert!(read.contains("already"), "{read}");
        self.combine(&[&second]).unwrap().trim().to_owned()
    }

    fn combine(&self, psbts: &[&std::path::Path]) -> Result<String, String> {
        let mut arguments = vec!["combine", "--descriptor", self.descriptor_file()];
        arguments.extend(NETWORK);
        for psbt in psbts {
            arguments.extend(["--psbt", psbt.to_str().unwrap()]);
        }
        offline(&self.programs, arguments, "")
    }

    /// litecoind serves one wallet at a time here.
    fn switch(&self, from: &str, to: &str) {
        self.node.must("unloadwallet", json!([from]));
        self.node.must("loadwallet", json!([to]));
    }

    /// Sends it, and sees it in a block with half a coin for `destination`.
    fn broadcast(&self, raw: &str, destination: &str) {
        let txid = self.node.must("sendrawtransaction", json!([raw]));
        let block = self.node.mine(1).pop().unwrap();
        let found = self.node.must("getrawtransaction", json!([txid, true, block]));
        let outputs = found["vout"].as_array().unwrap().iter();
        let paid =
            outputs.filter(|output| output["scriptPubKey"]["addresses"] == json!([destination]));
        let amounts: Vec<_> = paid.map(|output| output["value"].as_f64()).collect();
        assert_eq!(amounts, [Some(0.5)]);
    }
}

/// Recovery without us: litecoind's own wallet takes the exported descriptor, gives the same
/// addresses, sees the money and proposes the payment; two file keys sign it. Debian's litecoind is
/// built without SQLite, so its wallet is one of the older kind, which takes descriptors too.
#[test]
fn litecoinds_own_wallet_watches_and_spends_a_p2wsh_wallet() {
    let house = House::new("p2wsh");
    let branches = house.print_descriptor("p2wsh", house.keys(), &["--branches"]);
    let node = &house.node;
    let elsewhere = node.new_address();
    node.must("unloadwallet", json!(["purse"]));
    // Without private keys, and blank.
    node.must("createwallet", json!(["watch", true, true]));
    let requests: Vec<Value> = branches
        .lines()
        .zip([false, true])
        .map(|(text, internal)| {
            json!({ "desc": text, "internal": internal, "range": [0, 20], "timestamp": "now",
                    "watchonly": true })
        })
        .collect();
    let imported = node.must("importmulti", json!([requests]));
    assert!(imported.as_array().unwrap().iter().all(|one| one["success"] == true), "{imported}");
    let theirs = |text: &str| node.must("deriveaddresses", json!([text, [0, 1]]));
    let [deposit, change]: [&str; 2] = branches.lines().collect::<Vec<_>>().try_into().unwrap();
    let address = house.address(0);
    assert_eq!(theirs(deposit), json!([address, house.address(1)]));
    let change = theirs(change)[0].as_str().unwrap().to_owned();
    house.switch("watch", "purse");
    node.fund(&address, 100_000_000);
    node.mine(1);
    house.switch("purse", "watch");
    assert_eq!(node.must("getbalance", json!([])).as_f64(), Some(1.0));
    let options = json!({ "changeAddress": change, "includeWatching": true });
    let pay = json!([[], [{ elsewhere.as_str(): 0.5 }], 0, options]);
    let proposed = node.must("walletcreatefundedpsbt", pay);
    let psbt = proposed["psbt"].as_str().unwrap();
    let raw = house.sign(psbt.as_bytes(), "0.50000000 LTC\n");
    house.switch("watch", "purse");
    house.broadcast(&raw, &elsewhere);
}

/// litecoind 0.21 has no descriptors of tapscripts (Bitcoin Core has them from 24.0), but its consensus
/// does: the same keys spend from an address that is only known to us.
#[test]
fn a_real_node_takes_what_two_of_three_file_keys_signed_in_a_tapscript() {
    let house = House::new("p2tr");
    let node = &house.node;
    let elsewhere = node.new_address();
    let address = house.address(0);
    assert!(address.starts_with("rltc1p"), "{address}");
    let txid = node.fund(&address, 100_000_000);
    node.mine(1);
    let psbt = propose(&house, &txid, &elsewhere);
    let raw = house.sign(psbt.as_slice(), "0.50000000 LTC\n");
    house.broadcast(&raw, &elsewhere);
}

/// Keys of different kinds: one that never leaves its HSM and can't derive, and file keys.
#[test]
fn an_hsm_and_a_file_spend_together() {
    let mut house = House::new("p2wsh");
    let hsm = Hsm::init(house.folder.path());
    let in_token = || {
        let mut program = house.programs.signer();
        program.env("SOFTHSM2_CONF", &hsm.configuration).arg("offline");
        program
    };
    let token = ["--token", &hsm.label, "--module", hsm.module.to_str().unwrap()];
    let pin = ["--pin-file", hsm.pin_file.to_str().unwrap()];
    let made = run(in_token().arg("token-key").args(token).args(pin), "").unwrap();
    let (id, key) = made.trim().split_once(' ').unwrap();
    let again = run(in_token().arg("token-key").args(token).args(pin).args(["--key", id]), "");
    assert_eq!(again.unwrap(), made);
    let mut keys = house.keys();
    keys[1] = key.to_owned();
    let taproot = house.print_descriptor("p2tr", keys.clone(), &[]);
    let text = house.print_descriptor("p2wsh", keys, &[]);
    assert!(text.contains(key) && taproot.contains(key));
    let elsewhere = house.node.new_address();
    fs::write(&house.descriptor, text).unwrap();
    assert_ne!(house.address(0), house.address(1), "the others derive");
    let txid = house.node.fund(&house.address(0), 100_000_000);
    house.node.mine(1);
    let (given, first) = (house.folder.path().join("psbt"), house.folder.path().join("one"));
    fs::write(&given, propose(&house, &txid, &elsewhere).as_slice()).unwrap();
    let sign = |descriptor: &std::path::Path, out: &std::path::Path| {
        let mut program = in_token();
        program.arg("sign").args(token).args(pin).args(["--key", id]).args(NETWORK);
        program.arg("--descriptor").arg(descriptor).arg("--psbt").arg(&given);
        run(program.arg("--out").arg(out), "0.50000000 LTC\n")
    };
    let schnorr = house.folder.path().join("taproot");
    fs::write(&schnorr, taproot).unwrap();
    let refused = sign(&schnorr, &first).unwrap_err();
    assert!(refused.contains("BIP 340"), "{refused}");
    sign(&house.descriptor, &first).unwrap();
    let second = house.folder.path().join("two");
    house.cosigners[2].sign(&house, &first, &second, "0.50000000 LTC\n").unwrap();
    let raw = house.combine(&[&second]).unwrap().trim().to_owned();
    house.broadcast(&raw, &elsewhere);
    // The cosigner whose place the HSM took has no say.
    house.cosigners.swap(0, 1);
    let out = house.folder.path().join("three");
    let refused = house.cosigners[0].sign(&house, &given, &out, "0.50000000 LTC\n").unwrap_err();
    assert!(refused.contains("no cosigner"), "{refused}");
}

/// Half of a coin goes elsewhere, of the output that is worth a whole one.
fn propose(house: &House, txid: &str, elsewhere: &str) -> Bytes {
    let raw = house.node.must("gettransaction", json!([txid]))["hex"].as_str().unwrap().to_owned();
    let whole = Bytes(hex::decode(raw).unwrap());
    let text = fs::read_to_string(&house.descriptor).unwrap();
    let descriptor = Descriptor::import(&text).unwrap();
    let chain = Chain::of(Network::LitecoinRegtest).unwrap();
    let funding: Transaction = encode::deserialize(whole.as_slice()).unwrap();
    let coin = Sats::from_sat(100_000_000);
    let place = funding.output.iter().position(|output| output.value == coin).unwrap();
    let spent = Spent::new(txid.parse().unwrap(), place.try_into().unwrap());
    let outpoint = OutPoint { txid: spent.txid.to_string(), vout: spent.vout };
    let path = AddressPath { branch: Branch::Deposit, index: 0 };
    let amount = |units: u64| Amount::new(units.into());
    let coin = Coin { outpoint, amount: amount(100_000_000), path };
    let change = Some(amount(49_990_000));
    let plan = Plan { inputs: vec![coin], change, fee: amount(10_000) };
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let intent = Intent {
        transfer: id.parse().unwrap(),
        account: id.parse().unwrap(),
        wallet: id.parse().unwrap(),
        asset: Network::LitecoinRegtest.native_asset(),
        amount: amount(50_000_000),
        destination: elsewhere.parse().unwrap(),
        fee_cap: amount(10_000),
    };
    let change = AddressPath { branch: Branch::Change, index: 0 };
    let built = build(chain, &descriptor, &intent, &plan, change, |_| Some(whole.clone()));
    built.unwrap().to_bytes()
}
