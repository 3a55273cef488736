//! A log that was restored from a backup, and lacks what came after it: it is named, it is not
//! served, its end comes back from a signer's copy; and where that is given up, a quorum lets the log
//! go on under another name. Never is a payment signed twice.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use strongroom_domain::Network;
use strongroom_store::{AuditLog, Head};
use strongroom_tests::deployment::{Deployment, Networks, SignerProcess};
use strongroom_tests::journey::{Custody, PATIENCE, Payment, amounts, text};

const NETWORK: Network = Network::LitecoinRegtest;

/// A funded wallet, and a backup that was made while the server wrote.
struct House {
    strongroom: Deployment,
    custody: Custody,
    destination: String,
    /// For the transfer that must not be paid twice.
    second: String,
    backup: PathBuf,
}

impl House {
    /// Payments to an address that a chain's own wallet has seen, in base units.
    fn received(&self, address: &str) -> u128 {
        let node = self.strongroom.networks.utxo(NETWORK);
        let received = node.must("getreceivedbyaddress", serde_json::json!([address, 1]));
        let received = received.to_string();
        let (whole, fraction) = received.split_once('.').unwrap_or((&received, ""));
        format!("{whole}{fraction:0<8}").parse().unwrap()
    }
}

/// Runs a command; what it said, and whether it ended well.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said + &String::from_utf8_lossy(&output.stderr))
}

fn must(command: &mut Command) -> String {
    let (done, said) = run(command);
    assert!(done, "{command:?}: {said}");
    said
}

fn refused(command: &mut Command) -> String {
    let (done, said) = run(command);
    assert!(!done, "{command:?}: {said}");
    said
}

impl House {
    fn found(root: &Path) -> Self {
        let strongroom = Deployment::found(root, Networks::without_bitcoin());
        let destination = strongroom.outside_address(NETWORK);
        let second = strongroom.outside_address(NETWORK);
        strongroom.desk.allow(&[(NETWORK, destination.clone()), (NETWORK, second.clone())]);
        let custody = strongroom.desk.custody(NETWORK);
        // Two coins: a second transaction for one transfer need not be a double spend.
        for _ in 0..2 {
            strongroom.deposit(&custody, amounts(NETWORK).0);
        }
        let backup = strongroom.root.join("backup.db");
        Self { strongroom, custody, destination, second, backup }
    }

    fn payment(&self) -> Payment {
        let (_, amount, fee_cap) = amounts(NETWORK);
        let (custody, destination) = (self.custody.clone(), self.destination.clone());
        Payment { custody, destination, amount: amount / 10, fee_cap }
    }

    /// `strongroom ledger …` on the server's data.
    fn ledger(&self, words: &[&str]) -> Command {
        let mut command = self.strongroom.desk.programs.server();
        command.arg("ledger").args(words).arg("--data").arg(&self.strongroom.server.data);
        command
    }

    fn back_up(&self) {
        must(self.ledger(&["backup"]).arg("--to").arg(&self.backup));
    }

    /// The log is lost; the rest of the data directory stays.
    fn restore(&self) {
        for name in ["log.db", "log.db-wal", "log.db-shm"] {
            let _ = std::fs::remove_file(self.strongroom.server.data.join(name));
        }
        must(self.ledger(&["restore"]).arg("--from").arg(&self.backup));
    }

    fn head(&self) -> Head {
        AuditLog::open_read_only(self.strongroom.log_file()).unwrap().head().unwrap()
    }

    fn withdraw(&self) -> String {
        let confirmed = self.strongroom.withdraw(&self.payment());
        text(&confirmed["transaction"], "transaction")
    }

    /// What the server is waiting for before it pays; that it has made no transaction.
    fn is_not_paid(&self, transfer: &str, word: &str) -> Value {
        let story = self.strongroom.desk.initiator().wait(
            &format!("/transactions/{transfer}"),
            PATIENCE,
            |story| story["waiting"].as_str().is_some_and(|because| because.contains(word)),
        );
        assert!(story["transaction"]["transaction_id"].is_null(), "{story}");
        story
    }
}

fn log_copy(signer: &SignerProcess) -> PathBuf {
    signer.data.join("log.jsonl")
}

#[test]
fn a_restored_older_copy_is_not_served_and_gets_its_end_back_from_a_signer() {
    let root = tempfile::tempdir().unwrap();
    let mut house = House::found(root.path());
    house.back_up();
    let paid = house.withdraw();
    let (receipt, _) = house.strongroom.receipt(&paid, "transfer.confirmed");
    house.strongroom.server.stop();
    let whole = house.head();

    // The kept checkpoint knows better.
    house.restore();
    assert!(house.head().position < whole.position);
    let said = house.strongroom.server.refuses();
    assert!(said.contains("restored older copy"), "{said}");
    assert!(said.contains("strongroom ledger recover"), "{said}");

    // A whole disk was restored: nothing here knows better, but every signer does.
    std::fs::remove_file(house.strongroom.server.data.join("checkpoint")).unwrap();
    let kept: Vec<_> = house.strongroom.signers.iter().map(log_copy).map(std::fs::read).collect();
    house.strongroom.server.start();
    let (transfer, proposal) = house.strongroom.desk.ask(&house.payment());
    house.strongroom.desk.approve(&proposal);
    house.is_not_paid(&transfer, "0 can be reached");
    let view = house.strongroom.desk.initiator().get("/log/checkpoint");
    assert_eq!(view.status, 503, "no witness cosigned it: {view:?}");
    house.strongroom.server.stop();
    let alarms = std::fs::read_to_string(house.strongroom.server.log()).unwrap();
    assert!(alarms.contains("ALARM") && alarms.contains("ledger recover"), "{alarms}");
    for (signer, before) in house.strongroom.signers.iter().zip(kept) {
        assert_eq!(std::fs::read(log_copy(signer)).unwrap(), before.unwrap(), "{}", signer.id);
    }

    // What was written meanwhile is another history: it is not mixed with the signers' one.
    let from = log_copy(&house.strongroom.signers[0]);
    let said = refused(house.ledger(&["recover"]).arg("--from").arg(&from));
    assert!(said.contains("another entry"), "{said}");
    house.restore();
    let said = must(house.ledger(&["recover"]).arg("--from").arg(&from));
    assert!(said.contains("idempotency"), "{said}");
    let recovered = house.head();
    assert!(recovered.position.get() + 2 >= whole.position.get(), "{recovered:?} {whole:?}");
    house.strongroom.server.start();
    let story = house.strongroom.desk.initiator().get(&format!("/transactions/{paid}")).ok();
    assert_eq!(story["transaction"]["state"], "confirmed");
    let again = house.withdraw();
    house.strongroom.receipt(&again, "transfer.confirmed");
    // The receipt from before proves the same as ever.
    let policy = receipt.with_file_name("policy").display().to_string();
    let earlier = receipt.display().to_string();
    let (code, said) = house.strongroom.desk.replay(&["receipt", &earlier, "--policy", &policy]);
    assert_eq!(code, 0, "{said}");
    super::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

impl House {
    /// Waits until two of the key's three holders have said that they consumed another attempt.
    fn is_refused_as_consumed(&self) {
        let said = |signer: &SignerProcess| {
            let log = std::fs::read_to_string(signer.log()).unwrap();
            log.contains("signer-attempt-consumed")
        };
        let started = std::time::Instant::now();
        while self.strongroom.signers.iter().filter(|signer| said(signer)).count() < 2 {
            assert!(started.elapsed() < PATIENCE, "no signer refused it");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// The furthest entry that a signer says that it holds.
    fn held_by_signers(&self) -> String {
        let held = self.strongroom.signers.iter().map(|signer| {
            let said = must(
                self.strongroom
                    .desk
                    .programs
                    .signer()
                    .arg("status")
                    .arg("--data")
                    .arg(&signer.data),
            );
            let mut words = said.lines().next().unwrap().split_whitespace().skip(2);
            let position: u64 = words.next().unwrap().parse().unwrap();
            (position, words.last().unwrap().to_owned())
        });
        let (position, leaf) = held.max().unwrap();
        format!("{position}:{leaf}")
    }

    fn draft(&self, abandoned: &str, out: &Path) {
        let mut draft = self.ledger(&["resumption", "draft"]);
        must(draft.args(["--abandoned", abandoned, "--out"]).arg(out));
    }

    fn sign(&self, draft: &Path, approver: usize) -> PathBuf {
        let person = &self.strongroom.desk.institution.approvers[approver];
        let (key, passphrase) = person.key.as_ref().unwrap();
        let out = draft.with_extension(format!("signature-{approver}"));
        let mut sign = self.strongroom.desk.programs.server();
        sign.args(["ledger", "resumption", "sign", "--person", &person.id, "--draft"]).arg(draft);
        sign.arg("--key").arg(key).arg("--passphrase-file").arg(passphrase).arg("--out").arg(&out);
        assert!(must(&mut sign).contains("resumption"));
        out
    }

    fn apply(&self, draft: &Path, signatures: &[PathBuf], out: &Path) -> Command {
        let mut apply = self.ledger(&["resumption", "apply"]);
        apply.arg("--draft").arg(draft).arg("--out").arg(out);
        for signature in signatures {
            apply.arg("--signature").arg(signature);
        }
        apply
    }

    /// The quorum's certificate, after others were refused; the log goes on with it.
    fn certificate(&self) -> PathBuf {
        let path = |name: &str| self.strongroom.root.join(name);
        let (draft, certificate) = (path("draft"), path("certificate"));
        self.draft(&self.held_by_signers(), &draft);
        let signatures = [self.sign(&draft, 0), self.sign(&draft, 1)];
        // Too few, one person twice, and another draft's signatures.
        let said = refused(&mut self.apply(&draft, &signatures[..1], &certificate));
        assert!(said.contains("1 of the quorum agreed, 2 needed"), "{said}");
        let twice = [signatures[0].clone(), signatures[0].clone()];
        let said = refused(&mut self.apply(&draft, &twice, &certificate));
        assert!(said.contains("counts once"), "{said}");
        let other = path("other");
        self.draft(&format!("99999:{}", "ab".repeat(32)), &other);
        let said = refused(&mut self.apply(&other, &signatures, &certificate));
        assert!(said.contains("did not sign this resumption"), "{said}");
        assert!(!certificate.exists(), "a refused certificate is not written");
        must(&mut self.apply(&draft, &signatures, &certificate));
        let said = refused(&mut self.apply(&draft, &signatures, &path("again")));
        assert!(said.contains("can't follow number 1"), "{said}");
        certificate
    }

    fn resume(&self, signer: usize, certificate: &Path) -> Command {
        let mut resume = self.strongroom.desk.programs.signer();
        resume.arg("resume").arg("--data").arg(&self.strongroom.signers[signer].data);
        resume.arg("--certificate").arg(certificate);
        resume
    }
}

#[test]
fn where_entries_are_given_up_a_quorum_goes_on_and_what_was_consumed_stays_consumed() {
    let root = tempfile::tempdir().unwrap();
    let mut house = House::found(root.path());
    // One is approved before the backup, one by the first of two; both are paid after it.
    house.strongroom.networks.utxo(NETWORK).signal("STOP");
    let (approved, proposal) = house.strongroom.desk.ask(&house.payment());
    house.strongroom.desk.approve(&proposal);
    let payment = Payment { destination: house.second.clone(), ..house.payment() };
    let (consumed, proposal) = house.strongroom.desk.ask(&payment);
    let approvers = house.strongroom.desk.institution.approvers.clone();
    house.strongroom.desk.approve_as(&approvers[0], &proposal).unwrap();
    house.back_up();
    house.strongroom.networks.utxo(NETWORK).signal("CONT");
    house.strongroom.settle(NETWORK, &approved);
    house.strongroom.desk.approve_as(&approvers[1], &proposal).unwrap();
    house.strongroom.settle(NETWORK, &consumed);
    house.strongroom.server.stop();
    for signer in &mut house.strongroom.signers {
        signer.stop();
    }
    house.restore();
    let said = house.strongroom.server.refuses();
    assert!(said.contains("restored older copy") && said.contains("resumption"), "{said}");

    let certificate = house.certificate();
    // One signer was not told: it holds what was given up, and follows nothing else.
    for signer in 0..3 {
        must(&mut house.resume(signer, &certificate));
    }
    for signer in &mut house.strongroom.signers {
        signer.start();
    }
    house.strongroom.server.start();
    let client = house.strongroom.desk.initiator();
    let view = client.wait("/log/checkpoint", PATIENCE, |view| view["size"].is_u64());
    let origin = text(&view, "origin");
    assert!(origin.starts_with("strongroom/") && origin.ends_with("/1"), "{view}");

    // The same transaction comes out again: it is found on its chain, and nothing is paid twice.
    house.strongroom.settle(NETWORK, &approved);
    // What is new is paid, with a coin that the history that was given up never saw.
    house.strongroom.deposit(&house.custody, amounts(NETWORK).0 * 2);
    let paid = house.withdraw();
    let both = house.payment().amount * 2;
    assert_eq!(house.received(&house.destination), both, "two transfers, each paid once");
    // Approved again, a transfer would now be paid with another coin. Signers have consumed it.
    house.strongroom.desk.approve_as(&approvers[1], &proposal).unwrap();
    house.is_refused_as_consumed();
    let story = client.get(&format!("/transactions/{consumed}")).ok();
    assert!(story["transaction"]["transaction_id"].is_null(), "{story}");
    house.strongroom.networks.mine(NETWORK, 3);
    assert_eq!(house.received(&house.second), payment.amount, "paid once, before: {story}");
    house.strongroom.receipt(&paid, "transfer.confirmed");
    let alarms = std::fs::read_to_string(house.strongroom.server.log()).unwrap();
    assert!(alarms.contains("ALARM"), "the signer that was not told: {alarms}");
    house.strongroom.signers[3].stop();
    must(&mut house.resume(3, &certificate));
    house.strongroom.signers[3].start();
    let told = house.strongroom.signers[3].id.clone();
    house.strongroom.desk.initiator().wait("/signers", PATIENCE, |signers| {
        let mut all = signers["items"].as_array().unwrap().iter();
        all.any(|signer| signer["signer"] == told.as_str() && signer["state"] == "active")
    });
    super::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}
