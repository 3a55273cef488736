//! From an empty folder to a founded log, by the command line.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use clap::Parser as _;
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use strongroom_api::cli::{Arguments, CliError, Say};
use strongroom_domain::{
    AccountId, Address, Bytes, KeyId, Network, PersonId, SignerId, WalletId,
    charter::{CharterTextV2, FoundingSignature},
    statement,
};
use tempfile::TempDir;

use super::{ledger, seeded, witnesses};

/// Who there is: id and roles.
pub(crate) const PEOPLE: [(&str, &str, &[&str]); 5] = [
    ("ada", "00000000-0000-4000-8000-000000000001", &["approver"]),
    ("bob", "00000000-0000-4000-8000-000000000002", &["approver"]),
    ("cyd", "00000000-0000-4000-8000-000000000003", &["approver", "initiator"]),
    ("ian", "00000000-0000-4000-8000-000000000004", &["initiator"]),
    ("eve", "00000000-0000-4000-8000-000000000005", &["auditor"]),
];

/// Two signers that never run.
pub(crate) const SIGNERS: [&str; 2] =
    ["00000000-0000-7000-8000-0000000000a1", "00000000-0000-7000-8000-0000000000a2"];

/// The founded institution.
pub(crate) struct Template {
    pub(crate) folder: TempDir,
    /// What `charter found` printed.
    pub(crate) genesis: String,
    /// A FROST key with the Litecoin wallet `wallet`.
    pub(crate) wallet: WalletId,
    /// An account in LTC with [`ledger::FUNDS`].
    pub(crate) account: AccountId,
    /// A FROST key without a wallet.
    pub(crate) free_key: KeyId,
    /// A token's key without a wallet.
    pub(crate) hsm_key: KeyId,
    /// On the allowlist.
    pub(crate) allowed: Address,
    /// A good address that is not.
    pub(crate) stranger: Address,
}

/// Runs `strongroom`; what it printed, as JSON.
pub(crate) fn say(arguments: &[&str]) -> Result<Value, CliError> {
    let mut out = Vec::new();
    let arguments = ["strongroom"].iter().chain(arguments);
    let arguments = Arguments::try_parse_from(arguments).unwrap();
    // As in a process of its own: some commands make a runtime, and tests have theirs.
    let run = || arguments.run(&mut Say::to(&mut out));
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())?;
    let text = String::from_utf8(out).unwrap();
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A file that only its owner may read.
pub(crate) fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn person(name: &str) -> PersonId {
    PEOPLE.iter().find(|(known, _, _)| *known == name).unwrap().1.parse().unwrap()
}

pub(crate) fn signer(number: usize) -> SignerId {
    SIGNERS[number].parse().unwrap()
}

/// Bob's and Cyd's approval keys; Ada's was made by the command line.
pub(crate) fn approval_key(name: &str) -> ed25519_dalek::SigningKey {
    seeded(if name == "bob" { 2 } else { 3 })
}

/// The address of a key that is nobody's here.
fn address(number: u8) -> Address {
    let group = strongroom_chains::frost::GroupKey::from_bytes(&ledger::POINT).unwrap();
    let path = strongroom_chains::frost::KeyPath { change: 7, index: number.into() };
    let child = group.child(path).unwrap().to_bytes();
    strongroom_chains::address_of(Network::LitecoinRegtest, &child).unwrap()
}

impl Template {
    /// Three slow key derivations: the server's directory, Ada's key, Ada's signature.
    pub(crate) fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (allowed, stranger) = (address(1), address(2));
        write_private(Path::new(&path("passphrase")), "the server's passphrase\n");
        write_private(Path::new(&path("ada.passphrase")), "ada's passphrase\n");
        say(&["init", "--data", &path("data"), "--passphrase-file", &path("passphrase")]).unwrap();
        let ada = (path("ada.key"), path("ada.passphrase"));
        say(&["key", "new", "--out", &ada.0, "--passphrase-file", &ada.1]).unwrap();
        for (number, id) in SIGNERS.iter().enumerate() {
            fs::write(path(&format!("signer-{number}.json")), enrolment(number, id)).unwrap();
        }
        fs::write(path("charter.toml"), specification(&allowed)).unwrap();
        let (spec, data, draft) = (path("charter.toml"), path("data"), path("draft.json"));
        say(&["charter", "draft", "--spec", &spec, "--data", &data, "--out", &draft]).unwrap();
        let out = path("ada.signature");
        let (id, (key, passphrase)) = (person("ada").to_string(), ada);
        say(&[
            "charter",
            "sign",
            "--draft",
            &draft,
            "--person",
            &id,
            "--key",
            &key,
            "--passphrase-file",
            &passphrase,
            "--out",
            &out,
        ])
        .unwrap();
        let signatures = ["bob", "cyd"].map(|name| sign(Path::new(&draft), name));
        let [bob, cyd] = signatures.map(|path| path.to_str().unwrap().to_owned());
        let found = ["charter", "found", "--data", &data, "--draft", &draft, "--signature"];
        let found = say(&[&found[..], &[&out, &bob, &cyd]].concat()).unwrap();
        for (name, id, roles) in PEOPLE {
            let out = path(&format!("{name}.token"));
            let issue = ["token", "issue", "--data", &data, "--person", id, "--out", &out];
            say(&[&issue[..], &["--role"], roles].concat()).unwrap();
        }
        let stock = ledger::stock(Path::new(&data));
        Self {
            genesis: found["genesis"].as_str().unwrap().to_owned(),
            wallet: stock.wallet,
            account: stock.account,
            free_key: stock.free_key,
            hsm_key: stock.hsm_key,
            folder,
            allowed,
            stranger,
        }
    }
}

/// What `strongroom-signer init` would have written.
fn enrolment(number: usize, id: &str) -> String {
    let seed = 100 + u8::try_from(number).unwrap();
    json!({
        "signer": id,
        "name": format!("signer-{number}"),
        "identity_key": hex::encode(seeded(seed).verifying_key().to_bytes()),
        "sealing_key": "11".repeat(32),
        "tls_certificate": "not read here",
        "tls_certificate_sha256": "22".repeat(32),
        "witness_key": hex::encode(seeded(seed + 50).verifying_key().to_bytes()),
    })
    .to_string()
}

fn specification(allowed: &Address) -> String {
    let key = |name| hex::encode(approval_key(name).verifying_key().to_bytes());
    let mut text = "name = \"test-house\"\nsigners = [\"signer-0.json\", \"signer-1.json\"]\n\
                    [governance]\napprovals = 2\ngroup = [\"ada\", \"bob\", \"cyd\"]\n"
        .to_owned();
    for (name, id, roles) in PEOPLE {
        let keys = match name {
            "ada" => "approval_key_files = [\"ada.key\"]".to_owned(),
            "bob" | "cyd" => format!("approval_keys = [\"{}\"]", key(name)),
            _ => String::new(),
        };
        let _ = write!(
            text,
            "[[people]]\nname = \"{name}\"\nid = \"{id}\"\nroles = {roles:?}\n{keys}\n"
        );
    }
    let _ = write!(
        text,
        "[policy]\nproposal_lifetime_s = 3600\n\
         [policy.fee_caps]\n\"litecoin-regtest/ltc\" = \"100000\"\n\
         [policy.confirmations]\nlitecoin-regtest = 6\n\
         [[policy.destinations]]\nnetwork = \"litecoin-regtest\"\naddress = \"{allowed}\"\n\
         label = \"exchange\"\n\
         [[policy.tiers]]\nasset = \"litecoin-regtest/ltc\"\nup_to = \"50000000\"\n\
         approvals = 2\ngroup = [\"ada\", \"bob\", \"cyd\"]\n"
    );
    text.push_str(&witnesses::specification());
    text
}

/// Another approver's signature of the draft, as their own `charter sign` would have written it.
fn sign(draft: &Path, name: &str) -> PathBuf {
    let charter: CharterTextV2 = serde_json::from_slice(&fs::read(draft).unwrap()).unwrap();
    let key = approval_key(name);
    let signature = key.sign(statement::founding_v2(&charter).as_bytes());
    let signed = FoundingSignature {
        person: person(name),
        key: Bytes(key.verifying_key().to_bytes().to_vec()),
        signature: Bytes(signature.to_bytes().to_vec()),
    };
    let path = draft.with_file_name(format!("{name}.signature"));
    fs::write(&path, serde_json::to_vec(&signed).unwrap()).unwrap();
    path
}
