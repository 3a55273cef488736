//! The same by the command line, as an operator under stress types it: what is asked works, and what is
//! refused says which rule, who is meant and what would be right.

use super::House;
use serde_json::{Value, json};
use std::path::Path;
use strongroom_tests::deployment::Person;
use strongroom_tests::journey::{FINAL, PATIENCE, text};

/// What a command said: every JSON answer, and its complaint.
struct Said {
    answers: Vec<Value>,
    complaint: String,
    went_well: bool,
}

impl Said {
    fn proposal(&self) -> String {
        assert!(self.went_well, "{}", self.complaint);
        text(&self.answers[0], "proposal")
    }

    /// It was refused, and said all of this.
    fn complains(&self, parts: &[&str]) {
        assert!(!self.went_well, "{:?}", self.answers);
        for part in parts {
            assert!(self.complaint.contains(part), "no {part} in {}", self.complaint);
        }
    }
}

impl House {
    fn console(&self, person: &Person, arguments: &[&str]) -> Said {
        let url = self.strongroom.desk.url.clone();
        self.console_at(&url, person, arguments)
    }

    fn console_at(&self, server: &str, person: &Person, arguments: &[&str]) -> Said {
        let mut command = self.strongroom.desk.programs.server();
        command.args(arguments).args(["--server", server, "--token-file"]).arg(&person.token_file);
        let output = command.output().unwrap();
        let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        let answers = answers.collect::<Result<_, _>>().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        Said { answers, complaint, went_well: output.status.success() }
    }

    /// Asked by the initiator, agreed to by the quorum.
    fn agreed(&self, arguments: &[&str]) {
        let person = self.strongroom.desk.institution.initiator.clone();
        self.strongroom.desk.approve(&self.console(&person, arguments).proposal());
    }

    fn changed_by(&self, arguments: &[&str]) {
        let before = self.epoch();
        self.agreed(arguments);
        assert!(self.changed() > before, "{arguments:?} came to nothing: {}", self.key());
    }

    fn refused(&self, arguments: &[&str], parts: &[&str]) {
        let person = self.strongroom.desk.institution.initiator.clone();
        self.console(&person, arguments).complains(parts);
    }
}

#[test]
fn shares_change_hands_by_commands_that_say_what_is_wrong() {
    let mut house = House::furnished();
    let key = house.custody.key.clone();
    let ids: Vec<String> = house.strongroom.signers.iter().map(|of| of.id.clone()).collect();
    let institution = house.strongroom.desk.institution.clone();

    house.changed_by(&["key", "refresh", &key]);
    // Who may not ask, who is not there, what is not so.
    let asks = ["key", "refresh", &key];
    house.console(&institution.auditor, &asks).complains(&["403"]);
    let nobody = house.console_at("http://127.0.0.1:9", &institution.initiator, &asks);
    nobody.complains(&["http://127.0.0.1:9", "refused"]);
    house.refused(&["key", "add", &key, "--signer", &ids[0]], &["rule ", &ids[0]]);
    house.refused(&["key", "refresh", "not-a-key"], &["not-a-key"]);
    let stranger = uuid::Uuid::now_v7().to_string();
    house.refused(&["key", "add", &key, "--signer", &stranger], &["rule ", &stranger]);

    // Two new signers: one by a file that is none, then by its own.
    let new = house.arrive(5);
    let (joins, file) = (house.strongroom.signers[new].id.clone(), enrolment(&house, new));
    let genesis = house.strongroom.signers[new].data.join("genesis").display().to_string();
    house.refused(&["signer", "enrol", &genesis], &[&genesis]);
    house.agreed(&["signer", "enrol", &file]);
    house.reached(new);
    house.changed_by(&["key", "add", &key, "--signer", &joins]);
    assert_eq!(house.holders().len(), 4);
    house.strongroom.signers[1].kill();
    house.refused(&["key", "replace", &key, "--old", &ids[1], "--new", &joins], &["rule ", &joins]);
    house.changed_by(&["key", "refresh", &key, "--without", &ids[1]]);
    house.strongroom.signers[1].start();
    house.changed_by(&["key", "replace", &key, "--old", &joins, "--new", &ids[1]]);
    assert!(house.holders().contains(&ids[1]) && !house.holders().contains(&joins));
    house.pay();

    // One that is not trusted, and is again; one that leaves.
    let why = ["signer", "quarantine", &ids[0], "--because", "a drill"];
    house.refused(&why, &["403"]);
    assert!(house.console(&institution.officer, &why).went_well);
    house.refused(&["key", "refresh", &key], &["signer-quarantined", &ids[0]]);
    house.agreed(&["signer", "release", &ids[0]]);
    house.refused(&["signer", "release", &ids[0]], &["rule "]);
    house.refused(&["signer", "retire", &ids[0]], &["rule ", &key]);
    house.agreed(&["signer", "retire", &joins]);
    house.strongroom.desk.initiator().wait("/signers", PATIENCE, |page| {
        let mut all = page["items"].as_array().unwrap().iter();
        all.any(|of| of["signer"] == joins.as_str() && of["retired"] == true)
    });
    house.pay();
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

fn enrolment(house: &House, signer: usize) -> String {
    house.strongroom.signers[signer].enrolment().display().to_string()
}

/// A Litecoin wallet below a key of its own.
fn wallet(house: &House, holders: &[&str]) -> (String, String) {
    let client = house.strongroom.desk.initiator();
    let asked =
        json!({"protocol": "frost-secp256k1-tr/1", "threshold": 2, "participants": holders});
    let asked = client.post("/keys", &asked).ok();
    house.strongroom.desk.approve(&text(&asked, "proposal"));
    let key = text(&asked, "key");
    client.wait(&format!("/keys/{key}"), PATIENCE, |key| key["state"] == "active");
    let asked = json!({"network": house.custody.network.name(), "key": key});
    (text(&client.post("/wallets", &asked).ok(), "wallet"), key)
}

fn plan(path: &Path, house: &House, of: &[(&str, &str)]) -> String {
    let entry = |(wallet, successor): &(&str, &str)| {
        json!({"wallet": wallet, "successor": successor, "fees_from": house.custody.account,
            "fee_cap": "500000"})
    };
    let plan: Vec<Value> = of.iter().map(entry).collect();
    std::fs::write(path, serde_json::to_vec(&plan).unwrap()).unwrap();
    path.display().to_string()
}

#[test]
fn wallets_are_given_up_by_commands_one_or_all_of_a_signer() {
    let mut house = House::furnished();
    let new = house.enrol(5);
    let ids: Vec<String> = house.strongroom.signers.iter().map(|of| of.id.clone()).collect();
    let (old, account) = (house.custody.wallet.clone(), house.custody.account.clone());
    let initiator = house.strongroom.desk.institution.initiator.clone();
    // Three wallets of the signer that goes, and one that it has no part in.
    let (second, second_key) = wallet(&house, &[&ids[0], &ids[1], &ids[2]]);
    let (third, third_key) = wallet(&house, &[&ids[0], &ids[1], &ids[2]]);
    let (safe, _) = wallet(&house, &[&ids[1], &ids[2], &ids[new]]);

    let one = ["wallet", "rotate", &second, "--successor", &second, "--fees-from", &account];
    house.refused(&[&one[..], &["--fee-cap", "500000"]].concat(), &["rotation-invalid"]);
    let one = ["wallet", "rotate", &second, "--successor", &safe, "--fees-from", &account];
    house.agreed(&[&one[..], &["--fee-cap", "500000"]].concat());
    retired(&house, &second_key);

    let path = house.strongroom.root.join("plan.json");
    let short = plan(&path, &house, &[(&old, &safe)]);
    let all = ["wallet", "rotate-all", "--signer", &ids[0], "--plan", &short];
    house.refused(&all, &["leaves out", &third]);
    std::fs::write(&path, "[{}]").unwrap();
    house.refused(&all, &[&short, "wallet"]);
    // One that can't be asked keeps none of the others; the same again asks for it alone.
    let wrong = plan(&path, &house, &[(&third, &third), (&old, &safe)]);
    let said = house.console(&initiator, &all);
    said.complains(&["1 of 2 wallets"]);
    let of = |said: &Said, wallet: &str| {
        said.answers.iter().find(|of| of["wallet"] == wallet).unwrap().clone()
    };
    assert!(text(&of(&said, &third), "not_asked").contains("rotation-invalid"), "{wrong}");
    house.strongroom.desk.approve(&text(&of(&said, &old)["asked"], "proposal"));
    plan(&path, &house, &[(&third, &safe), (&old, &safe)]);
    let said = house.console(&initiator, &all);
    assert!(said.went_well && said.answers.len() == 1, "{}", said.complaint);
    house.strongroom.desk.approve(&text(&of(&said, &third)["asked"], "proposal"));
    retired(&house, &third_key);
    retired(&house, &house.custody.key);
    let said = house.console(&initiator, &all);
    assert_eq!(said.answers, [json!({"wallets": []})], "{}", said.complaint);

    // The whole story, as an auditor reads it.
    let log = house.strongroom.log_file().display().to_string();
    let (code, told) = house.strongroom.desk.replay(&["explain", &format!("wallet-{old}"), &log]);
    assert_eq!(code, 0, "{told}");
    for part in [safe.as_str(), "gave it up", "fee", "retired", "approved"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

fn retired(house: &House, key: &str) {
    let client = house.strongroom.desk.initiator();
    client.wait(&format!("/keys/{key}"), PATIENCE, |key| {
        house.strongroom.networks.mine(house.custody.network, FINAL);
        key["state"] == "retired"
    });
}
