//! The main job on every chain of this machine, with its refusals, and what must not be found
//! afterwards: secrets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use k256::elliptic_curve::sec1::ToEncodedPoint as _;
use serde_json::{Value, json};
use strongroom_secrets::{Sealer, read_secret};
use strongroom_tests::deployment::{Deployment, Networks, SignerProcess};
use strongroom_tests::journey::{Payment, amounts, fresh_key, text};

/// A secret: where it is kept, and its bytes.
type Canary = (String, Vec<u8>);

/// Everything that a secret was made of in this deployment.
fn canaries(strongroom: &Deployment) -> Vec<Canary> {
    let mut files = vec![strongroom.server.folder.join("passphrase")];
    for signer in &strongroom.signers {
        files.push(signer.folder.join("passphrase"));
        files.extend(signer.hsm.as_ref().map(|hsm| hsm.pin_file.clone()));
    }
    let institution = &strongroom.desk.institution;
    let people = [&institution.initiator, &institution.auditor];
    for person in people.into_iter().chain(&institution.approvers) {
        files.push(person.token_file.clone());
        files.extend(person.key.as_ref().map(|(_, passphrase)| passphrase.clone()));
    }
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap().trim().to_owned();
        // Of a token the id is public, the secret is what follows it.
        let secret = text.rsplit('_').next().unwrap().to_owned();
        assert!(secret.len() >= 16, "{}", path.display());
        (path.display().to_string(), secret.into_bytes())
    };
    let mut all: Vec<_> = files.iter().map(read).collect();
    for Opened { file, share, .. } in strongroom.signers.iter().flat_map(shares) {
        let file = file.display().to_string();
        all.push((format!("{file} as hex"), hex::encode(&share).into_bytes()));
        all.push((file, share));
    }
    all
}

/// What lies in a share's file.
pub(crate) struct Opened {
    pub(crate) file: PathBuf,
    pub(crate) holder: u16,
    pub(crate) share: Vec<u8>,
}

/// The signing shares that a signer has sealed.
pub(crate) fn shares(signer: &SignerProcess) -> Vec<Opened> {
    let passphrase = read_secret(&signer.folder.join("passphrase")).unwrap();
    let sealer = Sealer::open(&signer.data, &passphrase).unwrap();
    let mut files = Vec::new();
    files_below(&signer.data, &mut files);
    let mut shares = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = name.strip_prefix("share-").and_then(|name| name.strip_suffix(".sealed"));
        let Some((key, epoch)) = name.and_then(|name| name.rsplit_once('-')) else { continue };
        let context =
            format!("strongroom/frost-share/v1 key:{key} signer:{} epoch:{epoch}", signer.id);
        let opened = sealer.open_file(&path, &context).unwrap();
        // FROST's package: the holder's number as a scalar, its share, the share's public key.
        let bytes = opened.expose();
        let mut holder = [0; 32];
        holder[30..].copy_from_slice(&bytes[..2]);
        let at = bytes.windows(32).position(|window| window == holder).unwrap() + 32;
        let share = &bytes[at..at + 32];
        let secret = k256::SecretKey::from_slice(share).unwrap();
        let public = secret.public_key().to_encoded_point(true);
        assert_eq!(bytes[at + 32..at + 65], *public.as_bytes(), "the share is somewhere else");
        let number = u16::from_be_bytes([bytes[0], bytes[1]]);
        shares.push(Opened { file: path, holder: number, share: share.to_vec() });
    }
    shares
}

/// Reads the process list every few milliseconds, until it is dropped.
struct ProcessList {
    over: Arc<AtomicBool>,
    reader: JoinHandle<BTreeSet<Vec<u8>>>,
}

impl ProcessList {
    fn watch() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let reader = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                for process in Path::new("/proc").read_dir().unwrap().flatten() {
                    // What is no process, or ended at this moment, has none.
                    seen.extend(std::fs::read(process.path().join("cmdline")));
                }
                std::thread::sleep(Duration::from_millis(3));
            }
            seen
        });
        Self { over, reader }
    }

    /// All distinct command lines so far.
    fn end(self) -> BTreeSet<Vec<u8>> {
        self.over.store(true, Ordering::Relaxed);
        self.reader.join().unwrap()
    }
}

/// Every file below a folder that is no place for secrets by design.
fn files_below(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in folder.read_dir().unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, all);
        } else {
            all.push(path);
        }
    }
}

fn holds(bytes: &[u8], canary: &[u8]) -> bool {
    bytes.windows(canary.len()).any(|window| window[0] == canary[0] && window == canary)
}

fn assert_no_canary(strongroom: &Deployment, canaries: &[Canary]) {
    let export = strongroom.root.join(format!("export-{}", fresh_key())).display().to_string();
    let log = strongroom.log_file();
    let (code, said) = strongroom.desk.replay(&["export", &log.display().to_string(), &export]);
    assert_eq!(code, 0, "{said}");
    let mut files = Vec::new();
    files_below(&strongroom.root, &mut files);
    let server = &strongroom.server;
    let named = ["log.db", "read.db", "access.db"].map(|name| server.data.join(name));
    let logs = strongroom.signers.iter().map(SignerProcess::log).chain([server.log()]);
    for path in named.into_iter().chain(logs).chain([PathBuf::from(export)]) {
        assert!(files.contains(&path), "{} was to be searched", path.display());
    }
    for path in files {
        let holds_secrets =
            canaries.iter().any(|(source, _)| *source == path.display().to_string());
        if holds_secrets && path.extension().is_none_or(|extension| extension != "sealed") {
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // SQLite removes its own while the server works.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        for (source, canary) in canaries {
            assert!(!holds(&bytes, canary), "the secret of {source} is in {}", path.display());
        }
    }
}

fn assert_no_canary_was_shown(seen: &BTreeSet<Vec<u8>>, heard: &[String], canaries: &[Canary]) {
    let program = |line: &[u8]| {
        let path = line.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(path).rsplit('/').next().unwrap_or_default().to_owned()
    };
    let programs: BTreeSet<_> = seen.iter().map(|line| program(line)).collect();
    for wanted in ["strongroom", "strongroom-signer", "strongroom-replay"] {
        assert!(programs.contains(wanted), "{wanted} was to be seen among {programs:?}");
    }
    for (source, canary) in canaries {
        for line in seen {
            let found = holds(line, canary);
            // The test's own tool, which initialises tokens and takes PINs only as arguments. The
            // second is what starts it, for the moment before it becomes that program.
            let line = String::from_utf8_lossy(line);
            let is_tool = program(line.as_bytes()) == "softhsm2-util"
                || line.starts_with("setpriv\0--pdeathsig\0KILL\0--\0softhsm2-util\0");
            assert!(!found || is_tool, "the secret of {source} is in the process list: {line}");
        }
        for body in heard {
            assert!(!holds(body.as_bytes(), canary), "the secret of {source} is in: {body}");
        }
    }
}

#[test]
fn one_withdrawal_on_each_chain_from_request_to_proof() {
    let root = tempfile::tempdir().unwrap();
    let (processes, mut heard) = (ProcessList::watch(), Vec::new());
    let mut strongroom = Deployment::found(root.path(), Networks::start());
    let networks = strongroom.networks.all();
    let outside: Vec<_> =
        networks.iter().map(|network| (*network, strongroom.outside_address(*network))).collect();
    strongroom.desk.allow(&outside);
    for (network, destination) in &outside {
        let custody = strongroom.desk.custody(*network);
        let (deposit, amount, fee_cap) = amounts(*network);
        strongroom.deposit(&custody, deposit);
        let payment =
            Payment { custody: custody.clone(), destination: destination.clone(), amount, fee_cap };
        let stranger =
            Payment { destination: strongroom.stranger_address(*network), ..payment.clone() };
        let client = strongroom.desk.initiator();
        let refused = client.post("/transactions", &strongroom.desk.request(&stranger));
        assert_eq!(refused.refused(), "destination-allowlist");
        heard.push(refused.body.to_string());
        heard.extend(the_maker_is_no_checker(&strongroom, &payment));
        heard.push(repeats_are_answered_alike(&strongroom, &payment));
        heard.push(an_auditor_asks_for_nothing(&strongroom, &payment));
        let confirmed = strongroom.withdraw(&payment);
        assert!(
            strongroom.node_knows(*network, &text(&confirmed["transaction"], "transaction_id"))
        );
        let transfer = text(&confirmed["transaction"], "transaction");
        let (file, proven) = strongroom.receipt(&transfer, "transfer.confirmed");
        assert!(proven.contains("transfer.confirmed") && proven.contains(&transfer), "{proven}");
        assert!(proven.matches("seen by").count() >= 3, "three of four signers: {proven}");
        a_forged_receipt_proves_nothing(&strongroom, &file);
        let left = strongroom.desk.available(&custody.account);
        assert!(left < deposit - amount && left >= deposit - amount - fee_cap, "{left}");
    }
    the_audit_agrees(&strongroom);
    let canaries = canaries(&strongroom);
    // Three holders of a key on each network of Bitcoin's family, each share as bytes and as hex.
    let shares = canaries.iter().filter(|(source, _)| source.contains("/share-")).count();
    assert_eq!(shares, (networks.len() - 1) * 3 * 2);
    assert_no_canary(&strongroom, &canaries);
    strongroom.stop();
    assert_no_canary(&strongroom, &canaries);
    assert_no_canary_was_shown(&processes.end(), &heard, &canaries);
}

/// One digit of its tree's size changed, or one bit of its entry.
fn a_forged_receipt_proves_nothing(strongroom: &Deployment, file: &Path) {
    let policy = file.with_file_name("policy").display().to_string();
    let forged = file.with_file_name("forged").display().to_string();
    let good = std::fs::read_to_string(file).unwrap();
    let index = good.lines().find(|line| line.starts_with("index ")).unwrap();
    let extra = good.lines().find(|line| line.starts_with("extra ")).unwrap();
    let other = extra.replacen("eyJ", "eyK", 1);
    for bad in [good.replacen(index, &format!("{index}0"), 1), good.replacen(extra, &other, 1)] {
        assert_ne!(bad, good);
        std::fs::write(&forged, bad).unwrap();
        let (code, said) = strongroom.desk.replay(&["receipt", &forged, "--policy", &policy]);
        assert_ne!(code, 0, "{said}");
    }
}

/// What was said to the refused.
fn the_maker_is_no_checker(strongroom: &Deployment, payment: &Payment) -> [String; 2] {
    let desk = &strongroom.desk;
    let maker = &desk.institution.approvers[0];
    let client = desk.client(maker);
    let answer = client.post("/transactions", &desk.request(payment)).ok();
    let said = desk.approve_as(maker, &text(&answer, "proposal")).unwrap_err();
    assert!(said.contains("maker-checker"), "{said}");
    let transfer = text(&answer, "transaction");
    let early = client.post(&format!("/transactions/{transfer}/sign"), &json!({}));
    assert!((400..500).contains(&early.status), "signing before the quorum: {early:?}");
    client.post(&format!("/transactions/{transfer}/cancel"), &json!({})).ok();
    [said, early.body.to_string()]
}

/// What was said to the refused.
fn an_auditor_asks_for_nothing(strongroom: &Deployment, payment: &Payment) -> String {
    let client = strongroom.desk.client(&strongroom.desk.institution.auditor);
    let refused = client.post("/transactions", &strongroom.desk.request(payment));
    assert_eq!(refused.status, 403, "{refused:?}");
    refused.body.to_string()
}

/// What was said to the refused.
fn repeats_are_answered_alike(strongroom: &Deployment, payment: &Payment) -> String {
    let (client, key) = (strongroom.desk.initiator(), fresh_key());
    let body = strongroom.desk.request(payment);
    let first = client.post_as("/transactions", &body, &key).ok();
    let again = client.post_as("/transactions", &body, &key).ok();
    assert_eq!(first, again);
    let other: Value = {
        let mut body = body;
        body["amount"] = json!("1");
        body
    };
    let reused = client.post_as("/transactions", &other, &key);
    assert!((400..500).contains(&reused.status), "{reused:?}");
    let transfer = text(&first, "transaction");
    client.post(&format!("/transactions/{transfer}/cancel"), &json!({})).ok();
    reused.body.to_string()
}

/// The auditor's tool, on the log of a server that runs.
pub(super) fn the_audit_agrees(strongroom: &Deployment) {
    let log = strongroom.log_file().display().to_string();
    let read = strongroom.server.data.join("read.db").display().to_string();
    let genesis = &strongroom.desk.institution.genesis;
    let (code, said) = strongroom.desk.replay(&["verify", &log, "--genesis", genesis]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = strongroom.desk.replay(&["compare", &log, &read]);
    assert_eq!(code, 0, "{said}");
}
