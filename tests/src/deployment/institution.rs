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
        let spec = people.join("charter.toml");
        std::fs::write(&spec, specification(&initiator, &approvers, &auditor, signers))
            .expect("a file");
        let genesis = found_charter(programs, &people, (&spec, &data, log), &approvers);
        initiator.token(programs, (&data, log), &["initiator"]);
        auditor.token(programs, (&data, log), &["auditor"]);
        for approver in &approvers {
            approver.token(programs, (&data, log), &["approver", "initiator"]);
        }
        Self { initiator, approvers, auditor, genesis }
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

/// A policy with no destination yet: they are added by quorum, as in real life.
fn specification(
    initiator: &Person,
    approvers: &[Person],
    auditor: &Person,
    signers: &[SignerProcess],
) -> String {
    let names: Vec<_> = approvers.iter().map(|person| format!("{:?}", person.name)).collect();
    let group = names.join(", ");
    let enrolments: Vec<_> =
        signers.iter().map(|signer| format!("{:?}", signer.enrolment())).collect();
    let mut text = format!(
        "name = \"quick-start\"\nsigners = [{}]\n\n[governance]\napprovals = 2\ngroup = [{group}]\n",
        enrolments.join(", ")
    );
    for (person, role) in [(initiator, "initiator"), (auditor, "auditor")] {
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
            "\n[[people]]\nname = {:?}\nid = \"{}\"\nroles = [\"approver\", \"initiator\"]\napproval_key_files = [{key:?}]\n",
            person.name, person.id
        );
    }
    text.push_str(
        "\n[policy]\nproposal_lifetime_s = 86400\n\n[policy.fee_caps]\n\
         \"bitcoin-regtest/btc\" = \"100000\"\n\"litecoin-regtest/ltc\" = \"1000000\"\n\
         \"ethereum-dev/eth\" = \"10000000000000000\"\n\n[policy.confirmations]\n\
         bitcoin-regtest = 3\nlitecoin-regtest = 3\nethereum-dev = 3\n",
    );
    let tiers = [
        ("bitcoin-regtest/btc", "100000000"),
        ("litecoin-regtest/ltc", "1000000000"),
        ("ethereum-dev/eth", "10000000000000000000"),
    ];
    for (asset, up_to) in tiers {
        let _ = write!(
            text,
            "\n[[policy.tiers]]\nasset = \"{asset}\"\nup_to = \"{up_to}\"\napprovals = 2\ngroup = [{group}]\n"
        );
    }
    text
}
