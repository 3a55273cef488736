//! The people of an institution and the charter that they found. Keys, passphrases and tokens are
//! made by the product's own commands.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Programs, SignerProcess, programs::run, random_text, write_private};

/// How many people approve.
pub const APPROVERS: usize = 3;

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// Their random id.
    pub id: String,
    /// What the charter's specification calls them.
    pub name: String,
    /// Their API token.
    pub token_file: PathBuf,
    /// Their approval key and its passphrase, for approvers.
    pub key: Option<(PathBuf, PathBuf)>,
}

/// The people, and the log that they founded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Institution {
    /// Asks.
    pub initiator: Person,
    /// Answer.
    pub approvers: Vec<Person>,
    /// Reads.
    pub auditor: Person,
    /// Stops things.
    pub officer: Person,
    /// Runs the system.
    pub administrator: Person,
    /// The leaf of entry 1.
    pub genesis: String,
}

impl Person {
    fn new(folder: &Path, name: &str) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            name: name.to_owned(),
            token_file: folder.join(format!("{name}.token")),
            key: None,
        }
    }

    fn with_key(mut self, programs: &Programs, folder: &Path) -> Self {
        let passphrase = folder.join(format!("{}.passphrase", self.name));
        let key = folder.join(format!("{}.key", self.name));
        write_private(&passphrase, &random_text());
        run(programs
            .server()
            .args(["key", "new", "--out"])
            .arg(&key)
            .arg("--passphrase-file")
            .arg(&passphrase));
        self.key = Some((key, passphrase));
        self
    }

    fn token(&self, programs: &Programs, (data, log): (&Path, Option<&str>), roles: &[&str]) {
        let mut issue = programs.server();
        issue.args(["token", "issue", "--data"]).arg(data).args(["--person", &self.id]);
        if let Some(log) = log {
            issue.args(["--log", log]);
        }
        for role in roles {
            issue.args(["--role", role]);
        }
        run(issue.arg("--out").arg(&self.token_file));
    }

    /// `strongroom approve`, ready to be run.
    pub fn approve(&self, programs: &Programs, server: &str, proposal: &str) -> Command {
        let (key, passphrase) = self.key.as_ref().expect("an approver");
        let mut command = programs.server();
        command.args(["approve", proposal, "--yes", "--server", server, "--token-file"]);
        command.arg(&self.token_file).arg("--key").arg(key);
        command.arg("--passphrase-file").arg(passphrase);
        command
    }
}

impl Institution {
    /// Makes people, keys and tokens, founds the charter and writes entry 1.
    pub(super) fn found(
        programs: &Programs,
        root: &Path,
        signers: &[SignerProcess],
        log: Option<&str>,
    ) -> Self {
        let (people, server) = (root.join("people"), root.join("server"));
        for folder in [&people, &server] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let data = server.join("data");
        let passphrase = server.join("passphrase");
        write_private(&passphrase, &random_text());
        run(programs
            .server()
            .arg("init")
            .arg("--data")
            .arg(&data)
            .arg("--passphrase-file")
            .arg(&passphrase));
        let approvers: Vec<_> = (1..=APPROVERS)
            .map(|n| Person::new(&people, &format!("approver-{n}")).with_key(programs, &people))
            .collect();
        let initiator = Person::new(&people, "initiator");
        let auditor = Person::new(&people, "auditor");
        let officer = Person::new(&people, "officer");
        let administrator = Person::new(&people, "administrator");
        let spec = people.join("charter.toml");
        let others = [
            (&initiator, "initiator"),
            (&auditor, "auditor"),
            (&officer, "officer"),
            (&administrator, "administrator"),
        ];
        std::fs::write(&spec, specification(&others, &approvers, signers)).expect("a file");
        let genesis = found_charter(programs, &people, (&spec, &data, log), &approvers);
        initiator.token(programs, (&data, log), &["initiator"]);
        auditor.token(programs, (&data, log), &["auditor"]);
        officer.token(programs, (&data, log), &["officer"]);
        administrator.token(programs, (&data, log), &["administrator"]);
        for approver in &approvers {
            approver.token(programs, (&data, log), &["approver", "initiator"]);
        }
        Self { initiator, approvers, auditor, officer, administrator, genesis }
    }
}

/// Draft, sign by each approver, found. The genesis leaf.
fn found_charter(
    programs: &Programs,
    people: &Path,
    (spec, data, log): (&Path, &Path, Option<&str>),
    approvers: &[Person],
) -> String {
    let draft = people.join("draft.json");
    run(programs
        .server()
        .args(["charter", "draft", "--spec"])
        .arg(spec)
        .arg("--data")
        .arg(data)
        .arg("--out")
        .arg(&draft));
    let mut found = programs.server();
    found.args(["charter", "found", "--data"]).arg(data).arg("--draft").arg(&draft);
    if let Some(log) = log {
        found.args(["--log", log]);
    }
    for approver in approvers {
        let (key, passphrase) = approver.key.as_ref().expect("an approver");
        let signature = people.join(format!("{}.signature.json", approver.name));
        run(programs
            .server()
            .args(["charter", "sign", "--draft"])
            .arg(&draft)
            .args(["--person", &approver.id, "--key"])
            .arg(key)
            .arg("--passphrase-file")
            .arg(passphrase)
            .arg("--out")
            .arg(&signature));
        found.arg("--signature").arg(&signature);
    }
    let said = run(&found);
    let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = said.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().find(is_hash).expect("the genesis leaf").to_owned()
}

/// Litecoin above this waits; every other payment of the tests and the quick start is smaller.
pub const WAITS_ABOVE: u128 = 300_000_000;

/// For so long, in seconds.
pub const WAITS_S: u64 = 20;

/// A policy with no destination yet: they are added by quorum, as in real life.
fn specification(
    others: &[(&Person, &str)],
    approvers: &[Person],
    signers: &[SignerProcess],
) -> String {
    let enrolments: Vec<_> =
        signers.iter().map(|signer| format!("{:?}", signer.enrolment())).collect();
    let mut text = format!("name = \"quick-start\"\nsigners = [{}]\n", enrolments.join(", "));
    text.push_str("\n[governance]\npolicy_delay_s = 0\n");
    for list in ["policy", "people", "keys", "release"] {
        let _ = writeln!(text, "{list} = [{{ approvals = 2, group = \"approvers\" }}]");
    }
    for (person, role) in others {
        let _ = write!(
            text,
            "\n[[people]]\nname = {:?}\nid = \"{}\"\nroles = [\"{role}\"]\n",
            person.name, person.id
        );
    }
    for person in approvers {
        let (key, _) = person.key.as_ref().expect("an approver");
        let _ = write!(
            text,
            "\n[[people]]\nname = {:?}\nid = \"{}\"\nroles = [\"approver\", \"initiator\"]\n\
             groups = [\"approvers\"]\napproval_key_files = [{key:?}]\n",
            person.name, person.id
        );
    }
    text.push_str(
        "\n[policy]\nschema = 1\nproposals-stay-open = \"1d\"\n\n[policy.confirmations]\n\
         bitcoin-regtest = 3\nlitecoin-regtest = 3\nethereum-dev = 3\n",
    );
    rules(&mut text);
    text
}

fn rules(text: &mut String) {
    let mut rule = |id: &str, rest: &str| {
        let _ = write!(text, "\n[[policy.rule]]\nid = \"{id}\"\n{rest}\n");
    };
    rule("what-we-pay", "permit = true");
    rule("known-places", "allowlist = { cooling-off = \"0s\" }");
    let waits = format!("over = \"3 litecoin-regtest/ltc\"\ndelay = \"{WAITS_S}s\"");
    rule("large-waits", &waits);
    for (name, asset, up_to, fee) in [
        ("btc", "bitcoin-regtest/btc", "1", "0.001"),
        ("ltc", "litecoin-regtest/ltc", "10", "0.01"),
        ("eth", "ethereum-dev/eth", "10", "0.01"),
    ] {
        let steps = format!(
            "[policy.rule.tiers]\nasset = \"{asset}\"\n\
             steps = [{{ up-to = \"{up_to}\", require = [\"2 of approvers\"] }}]"
        );
        rule(&format!("amounts-{name}"), &steps);
        let cap = format!("assets = [\"{asset}\"]\nfee-cap = {{ most = \"{fee} {asset}\" }}");
        rule(&format!("fees-{name}"), &cap);
    }
}
