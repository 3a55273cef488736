//! Payments of multisig wallets through the server: signer processes give their parts, cosigners without a
//! network get a PSBT and send it back, a real litecoind takes what comes out.

use super::cosigner::{Cosigner, offline};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use strongroom_domain::Network;
use strongroom_tests::{
    deployment::{Deployment, Networks},
    journey::{Custody, FINAL, PATIENCE, Payment, amounts, fresh_key, text},
    regtest::BitcoinRegtest as _,
};
use tempfile::TempDir;

const NETWORK: Network = Network::LitecoinRegtest;

/// What a cosigner types to agree to a payment of [`amounts`].
const TWO: &str = "2.00000000 LTC\n";

/// A proven key of these signers (by place among the deployment's) and cosigners, of whom so many sign.
fn key(
    house: &Deployment,
    (shape, threshold): (&str, usize),
    signers: &[usize],
    cosigners: &[(&str, &Cosigner)],
) -> String {
    let desk = &house.desk;
    let client = desk.initiator();
    let holders: Vec<_> = signers.iter().map(|at| desk.signers[*at].as_str()).collect();
    let named: Vec<Value> = cosigners
        .iter()
        .map(|(name, of)| json!({ "name": name, "key": of.key(&desk.programs) }))
        .collect();
    let asked = json!({ "protocol": format!("multisig-{shape}/1"), "threshold": threshold,
        "participants": holders, "cosigners": named });
    let answer = client.post("/keys", &asked).ok();
    desk.approve(&text(&answer, "proposal"));
    let key = text(&answer, "key");
    let path = format!("/keys/{key}");
    client.wait(&path, PATIENCE, |key| {
        assert!(key["state"] != "failed", "the ceremony failed: {key}");
        key["state"] == "unproven" || key["state"] == "active"
    });
    for (_, cosigner) in cosigners {
        prove(house, &key, cosigner);
    }
    client.wait(&path, PATIENCE, |key| key["state"] == "active");
    key
}

/// By hand: what is asked, to the cosigner's machine and back.
fn prove(house: &Deployment, key: &str, cosigner: &Cosigner) {
    let client = house.desk.initiator();
    let asked = client.get(&format!("/keys/{key}/proof")).ok();
    let folder = TempDir::new().unwrap();
    let statement = folder.path().join("statement");
    fs::write(&statement, text(&asked, "statement")).unwrap();
    let shown = cosigner.prove(&house.desk.programs, &statement);
    let part: Value = serde_json::from_str(&shown).unwrap();
    client.post(&format!("/keys/{key}/proof"), &part).ok();
}

fn custody(house: &Deployment, key: String) -> Custody {
    let client = house.desk.initiator();
    let asset = NETWORK.native_asset().to_string();
    let account = text(&client.post("/accounts", &json!({ "asset": asset })).ok(), "account");
    let asked = json!({ "network": NETWORK.name(), "key": key });
    let wallet = text(&client.post("/wallets", &asked).ok(), "wallet");
    let path = format!("/wallets/{wallet}/addresses");
    let address = text(&client.post(&path, &json!({ "account": account })).ok(), "address");
    Custody { network: NETWORK, key, wallet, account, address }
}

fn payment(house: &Deployment, custody: &Custody, amount: u128) -> Payment {
    let (_, _, fee_cap) = amounts(NETWORK);
    let destination = house.outside_address(NETWORK);
    house.desk.allow(&[(NETWORK, destination.clone())]);
    Payment { custody: custody.clone(), destination, amount, fee_cap }
}

fn verified(house: &Deployment) {
    let log = house.log_file().display().to_string();
    let (code, said) = house.desk.replay(&["verify", &log]);
    assert_eq!(code, 0, "{said}");
}

/// `strongroom psbt …` as the initiator.
fn psbt(house: &Deployment, arguments: &[&str]) -> Result<Value, String> {
    command(house, &[&["psbt"], arguments].concat())
}

fn command(house: &Deployment, arguments: &[&str]) -> Result<Value, String> {
    let mut command = house.desk.programs.server();
    command.args(arguments).args(["--server", &house.desk.url]);
    command.arg("--token-file").arg(&house.desk.institution.initiator.token_file);
    let done = command.stdin(Stdio::null()).output().unwrap();
    if done.status.success() {
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

fn count(house: &Deployment, transfer: &str, kind: &str) -> usize {
    let story = house.desk.initiator().get(&format!("/transactions/{transfer}")).ok();
    kinds(&story).filter(|of| *of == kind).count()
}

/// One key in an HSM, two in files: any two sign, and the third is not asked.
#[test]
fn signers_alone_pay_from_a_p2wsh_wallet_and_spend_the_change() {
    let folder = TempDir::new().unwrap();
    let mut house = Deployment::found(folder.path(), Networks::start());
    let key = key(&house, ("p2wsh", 2), &[0, 1, 3], &[]);
    let custody = custody(&house, key);
    let (deposit, amount, _) = amounts(NETWORK);
    house.deposit(&custody, deposit);
    let first = payment(&house, &custody, amount);
    let (transfer, proposal) = house.desk.ask(&first);
    house.desk.approve(&proposal);
    // Wherever it is by then, it goes on from the log.
    house.server.kill();
    house.server.start();
    house.settle(NETWORK, &transfer);
    assert_eq!(count(&house, &transfer, "transfer.partially-signed"), 2);
    // What came back to the wallet pays the next, without one of those who could sign.
    house.signers[0].kill();
    let second = house.withdraw(&payment(&house, &custody, amount));
    let transfer = text(&second["transaction"], "transaction");
    assert_eq!(count(&house, &transfer, "transfer.partially-signed"), 2);
    verified(&house);
    house.stop();
}

/// A funded wallet of one signer and of two people with machines of their own, `zurich` and `oslo`; two
/// sign. The machine of the first.
fn with_two_cosigners(folder: &Path) -> (Deployment, Custody, Cosigner) {
    let house = Deployment::found(&folder.join("house"), Networks::start());
    let programs = house.desk.programs.clone();
    let [zurich, oslo] = [0, 1].map(|n| Cosigner::new(&programs, folder, n));
    let key = key(&house, ("p2tr", 2), &[0], &[("zurich", &zurich), ("oslo", &oslo)]);
    let custody = custody(&house, key);
    let (deposit, _, _) = amounts(NETWORK);
    house.deposit(&custody, deposit);
    (house, custody, zurich)
}

/// One signer and two people with machines of their own: without one of them nothing leaves.
#[test]
fn a_cosigner_without_a_network_completes_a_p2tr_payment() {
    let folder = TempDir::new().unwrap();
    let (mut house, custody, zurich) = with_two_cosigners(folder.path());
    let (_, amount, _) = amounts(NETWORK);
    let (transfer, proposal) = house.desk.ask(&payment(&house, &custody, amount));
    let early = psbt(&house, &["export", &transfer]).unwrap_err();
    assert!(early.contains("transfer-state"), "{early}");
    house.desk.approve(&proposal);
    let path = format!("/transactions/{transfer}");
    let client = house.desk.initiator();
    let story = client.wait(&path, PATIENCE, |story| {
        story["waiting"].as_str().is_some_and(|why| why.contains("oslo, zurich"))
    });
    let signed = |story: &Value| {
        let all = story["cosigners"].as_array().unwrap().iter();
        all.filter(|of| of["signed"] == true).count()
    };
    assert_eq!(signed(&story), 1, "{story}");
    house.server.kill();
    house.server.start();
    let (out, back) = (folder.path().join("out"), folder.path().join("back"));
    psbt(&house, &["export", &transfer, out.to_str().unwrap()]).unwrap();
    let nothing = psbt(&house, &["import", &transfer, out.to_str().unwrap()]).unwrap_err();
    assert!(nothing.contains("nothing new"), "{nothing}");
    let shown = sign(&house, &custody, &zurich, (&out, &back), TWO);
    named_in_log(&house, &transfer, &shown);
    // The answer was lost: the same request again gets the same one, also when the payment is over.
    let (brought, once) =
        (json!({ "psbt": STANDARD.encode(fs::read(&back).unwrap()) }), fresh_key());
    let again = house.desk.initiator();
    let bring = || again.post_as(&format!("{path}/psbt"), &brought, &once).ok();
    let imported = bring();
    assert_eq!(imported["places"].as_array().map(Vec::len), Some(1), "{imported}");
    house.settle(NETWORK, &transfer);
    assert_eq!(bring(), imported);
    assert_eq!(count(&house, &transfer, "transfer.partially-signed"), 2);
    // The signatures of one payment are nobody's word about another.
    let (next, proposal) = house.desk.ask(&payment(&house, &custody, amount / 4));
    house.desk.approve(&proposal);
    client.wait(&format!("/transactions/{next}"), PATIENCE, |story| {
        story["waiting"].as_str().is_some_and(|why| why.contains("1 of 2 cosigners"))
    });
    let foreign = psbt(&house, &["import", &next, back.to_str().unwrap()]).unwrap_err();
    assert!(foreign.contains("another transaction"), "{foreign}");
    verified(&house);
    house.stop();
}

/// An HSM, two signers' files and seven machines without a network: seven of them sign, one after the
/// other.
#[test]
fn seven_of_ten_keys_of_three_kinds_pay_from_a_p2wsh_wallet() {
    let folder = TempDir::new().unwrap();
    let mut house = Deployment::found(&folder.path().join("house"), Networks::start());
    let programs = house.desk.programs.clone();
    let machines: Vec<_> = (0..7).map(|n| Cosigner::new(&programs, folder.path(), n)).collect();
    let towns = ["bern", "cork", "graz", "kyiv", "lima", "oslo", "rome"];
    let named: Vec<_> = towns.into_iter().zip(&machines).collect();
    let key = key(&house, ("p2wsh", 7), &[0, 1, 3], &named);
    let custody = custody(&house, key);
    let (deposit, amount, _) = amounts(NETWORK);
    house.deposit(&custody, deposit);
    let (transfer, proposal) = house.desk.ask(&payment(&house, &custody, amount));
    house.desk.approve(&proposal);
    house.desk.initiator().wait(&format!("/transactions/{transfer}"), PATIENCE, |story| {
        story["waiting"].as_str().is_some_and(|why| why.contains("3 of 7 cosigners"))
    });
    let mut psbt_file = folder.path().join("out");
    psbt(&house, &["export", &transfer, psbt_file.to_str().unwrap()]).unwrap();
    for (number, machine) in machines.iter().take(4).enumerate() {
        let signed = folder.path().join(format!("signed-{number}"));
        sign(&house, &custody, machine, (&psbt_file, &signed), TWO);
        psbt_file = signed;
    }
    let imported = psbt(&house, &["import", &transfer, psbt_file.to_str().unwrap()]).unwrap();
    assert_eq!(imported["places"].as_array().map(Vec::len), Some(4), "{imported}");
    house.settle(NETWORK, &transfer);
    assert_eq!(count(&house, &transfer, "transfer.partially-signed"), 7);
    verified(&house);
    house.stop();
}

/// Cosigners complete a payment with their own tools and send it themselves: in place of bringing it back,
/// after its quorum abandoned it, and when its cancellation was with the node already. Nobody sends the last.
#[test]
fn a_payment_that_cosigners_send_themselves_is_found_at_the_node() {
    let folder = TempDir::new().unwrap();
    let (mut house, custody, zurich) = with_two_cosigners(folder.path());
    let amount = amounts(NETWORK).1 / 4;
    let bench =
        Bench { house: &house, custody: &custody, cosigner: &zurich, folder: folder.path() };
    let node = &house.networks.litecoin;

    let first = bench.completed("first", amount);
    node.must("sendrawtransaction", json!([first.raw]));
    house.settle(NETWORK, &first.transfer);
    assert_eq!(count(&house, &first.transfer, "transfer.partially-signed"), 1, "none came back");

    let second = bench.completed("second", amount);
    abandon(&house, &second.transfer);
    node.must("sendrawtransaction", json!([second.raw]));
    house.desk.initiator().wait(&format!("/transactions/{}", second.transfer), PATIENCE, |story| {
        kinds(story).any(|kind| kind == "transfer.attempt-found")
    });
    house.networks.mine(NETWORK, FINAL);
    house.desk.wait_for(&second.transfer, &["confirmed"]);

    let third = bench.completed("third", amount);
    abandon(&house, &third.transfer);
    bench.cancel("cancelled", &third.transfer);
    node.must("generateblock", json!([node.new_address(), [third.raw]]));
    house.networks.mine(NETWORK, FINAL);
    house.desk.wait_for(&third.transfer, &["confirmed"]);

    let fourth = bench.completed("fourth", amount);
    abandon(&house, &fourth.transfer);
    bench.cancel("gone", &fourth.transfer);
    house.networks.mine(NETWORK, FINAL);
    house.desk.wait_for(&fourth.transfer, &["abandoned"]);

    let (log, genesis) = (house.log_file().display().to_string(), &house.desk.institution.genesis);
    let (code, told) = house.desk.replay(&["explain", &third.transfer, &log, "--genesis", genesis]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("Cosigners completed attempt 1 besides the server"), "{told}");
    verified(&house);
    house.stop();
}

/// From P2WSH to P2TR, keys in an HSM and in files; the server is killed at each step of a sweep.
#[test]
fn a_multisig_wallet_moves_to_its_successor_whatever_dies_on_the_way() {
    let folder = TempDir::new().unwrap();
    let mut house = Deployment::found(folder.path(), Networks::start());
    let old = custody(&house, key(&house, ("p2wsh", 2), &[0, 1, 3], &[]));
    let new = key(&house, ("p2tr", 2), &[0, 1, 2], &[]);
    let asked = json!({ "network": NETWORK.name(), "key": new });
    let wallet = text(&house.desk.initiator().post("/wallets", &asked).ok(), "wallet");
    crate::rotation::rotate_to(&mut house, &old, (wallet, new));
    verified(&house);
    house.stop();
}

/// Where cosigners complete payments by themselves.
struct Bench<'a> {
    house: &'a Deployment,
    custody: &'a Custody,
    cosigner: &'a Cosigner,
    folder: &'a Path,
}

/// A payment that cosigners completed, and nobody has sent or brought back.
struct Completed {
    transfer: String,
    raw: String,
}

impl Bench<'_> {
    fn files(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{name}-out")), self.folder.join(format!("{name}-back")))
    }

    /// A signer has given its part, the cosigner adds the last one and puts the transaction together.
    fn completed(&self, name: &str, amount: u128) -> Completed {
        let Self { house, custody, cosigner, .. } = *self;
        let (transfer, proposal) = house.desk.ask(&payment(house, custody, amount));
        house.desk.approve(&proposal);
        house.desk.initiator().wait(&format!("/transactions/{transfer}"), PATIENCE, |story| {
            story["waiting"].as_str().is_some_and(|why| why.contains("1 of 2 cosigners"))
        });
        let (out, back) = self.files(name);
        psbt(house, &["export", &transfer, out.to_str().unwrap()]).unwrap();
        sign(house, custody, cosigner, (&out, &back), "0.50000000 LTC\n");
        let descriptor = out.with_extension("descriptor");
        let network = ["combine", "--network", NETWORK.name(), "--descriptor"];
        let files = [descriptor.to_str().unwrap(), "--psbt", back.to_str().unwrap()];
        let arguments = [network.as_slice(), &files].concat();
        let raw = offline(&house.desk.programs, arguments, "").unwrap().trim().to_owned();
        Completed { transfer, raw }
    }

    /// A signer has given its part of the cancellation, the cosigner gives the other, and the node has it.
    fn cancel(&self, name: &str, transfer: &str) {
        let (out, back) = self.files(name);
        psbt(self.house, &["export", transfer, out.to_str().unwrap()]).unwrap();
        sign(self.house, self.custody, self.cosigner, (&out, &back), "yes\n");
        psbt(self.house, &["import", transfer, back.to_str().unwrap()]).unwrap();
        self.house.desk.wait_for(transfer, &["broadcast"]);
    }
}

/// Its quorum wants it cancelled, and the cancellation is there to be signed.
fn abandon(house: &Deployment, transfer: &str) {
    let client = house.desk.initiator();
    let path = format!("/transactions/{transfer}");
    let asked = json!({ "remedy": { "abandon": {} } });
    let answer = client.post(&format!("{path}/remedies"), &asked).ok();
    house.desk.approve(&text(&answer, "proposal"));
    client.wait(&path, PATIENCE, |story| {
        kinds(story).any(|kind| kind == "transfer.return-authorised")
            && story["waiting"].as_str().is_some_and(|why| why.contains("1 of 2 cosigners"))
    });
}

fn kinds(story: &Value) -> impl Iterator<Item = &str> {
    story["entries"].as_array().unwrap().iter().filter_map(|entry| entry["kind"].as_str())
}

/// The transaction that the cosigner's machine shows is the one that the log's copy tells of.
fn named_in_log(house: &Deployment, transfer: &str, shown: &str) {
    let (log, genesis) = (house.log_file().display().to_string(), &house.desk.institution.genesis);
    let (code, told) = house.desk.replay(&["explain", transfer, &log, "--genesis", genesis]);
    assert_eq!(code, 0, "{told}");
    let line = shown.lines().find_map(|line| line.trim().strip_prefix("Transaction "));
    let id = line.unwrap().split(' ').next().unwrap();
    assert!(told.contains(&format!("transaction {id}")), "{told}");
}

/// The cosigner reads what it does, types that, and signs.
fn sign(
    house: &Deployment,
    custody: &Custody,
    cosigner: &Cosigner,
    (psbt, out): (&Path, &Path),
    typed: &str,
) -> String {
    let descriptor = psbt.with_extension("descriptor");
    let told = house.desk.initiator().get(&format!("/wallets/{}/descriptor", custody.wallet)).ok();
    fs::write(&descriptor, text(&told, "descriptor")).unwrap();
    let mut arguments = vec!["sign".to_owned()];
    arguments.extend(cosigner.file().map(|part| part.to_str().unwrap().to_owned()));
    arguments.extend(["--network", NETWORK.name()].map(str::to_owned));
    for (name, path) in [("--descriptor", &*descriptor), ("--psbt", psbt), ("--out", out)] {
        arguments.extend([name.to_owned(), path.display().to_string()]);
    }
    offline(&house.desk.programs, &arguments, typed).unwrap()
}
