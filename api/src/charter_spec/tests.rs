//! Specifications become the version of the charter that can say them, or a refusal that says why.

use std::fmt::Write as _;

use std::path::Path;

use ed25519_dalek::SigningKey;
use strongroom_domain::{Rule, charter::ML_DSA_44_KEY};

use super::*;

fn public(seed: u8) -> String {
    hex::encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes())
}

fn keys() -> (Bytes, Bytes) {
    (public(99).parse().unwrap(), Bytes(vec![5; ML_DSA_44_KEY]))
}

const POINT: &str = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";

/// Three approvers, one of them with a token, and an administrator who is invited.
fn people(groups: &str) -> String {
    let mut text = String::new();
    for (seed, name) in (1..).zip(["ada", "bob"]) {
        let _ = write!(
            text,
            "[[people]]\nname = \"{name}\"\nroles = [\"approver\"]\n{groups}\n\
             approval_keys = [\"{}\"]\n",
            public(seed)
        );
    }
    let _ = write!(
        text,
        "[[people]]\nname = \"cyd\"\nroles = [\"approver\"]\n{groups}\n\
         approval_keys = [{{ p256 = {{ key = \"{POINT}\" }} }}]\n"
    );
    text + &format!(
        "[[people]]\nname = \"root\"\nroles = [\"administrator\"]\ninvitation = \"{}\"\n",
        "07".repeat(32)
    )
}

fn grouped(governance: &str) -> String {
    format!(
        "name = \"house\"\n{}[governance]\npolicy_delay_s = 3600\n{governance}\
         [witnessing]\nthreshold = 1\n\
         outside = [{{ name = \"w.example\", algorithm = \"ed25519\", key = \"{}\" }}]\n\
         [policy]\nschema = 1\nproposals-stay-open = \"24h\"\n\
         [[policy.rule]]\nid = \"paying\"\npermit = true\n\
         [[policy.rule]]\nid = \"two\"\napprovals = [\"2 of treasury\"]\n",
        people("groups = [\"treasury\"]"),
        public(50)
    )
}

const LISTS: &str = "policy = [{ approvals = 2, group = \"treasury\" }]\n\
                     people = [{ approvals = 2, group = \"treasury\" }]\n\
                     keys = [{ approvals = 2, group = \"treasury\" }]\n\
                     release = [{ approvals = 2, group = \"treasury\" }]\n";

fn draft(text: &str) -> Result<Drafted, SpecError> {
    CharterSpec::parse(text)?.draft(Path::new("/nowhere"), keys())
}

#[test]
fn governance_by_groups_founds_version_3() {
    let drafted = draft(&grouped(LISTS)).unwrap();
    let Draft::V3(charter) = &drafted.charter else { panic!("not by groups") };
    assert_eq!(charter.governance.policy_delay_s, 3_600);
    assert_eq!(charter.policy.rules.len(), 2);
    let cyd = drafted.people["cyd"];
    assert!(drafted.charter.enrols(cyd, &POINT.parse().unwrap()));
    assert!(!drafted.charter.enrols(drafted.people["ada"], &POINT.parse().unwrap()));
    assert!(drafted.charter.statement().contains("version 3"));
    let json = serde_json::to_vec(&drafted.charter).unwrap();
    assert_eq!(serde_json::from_slice::<Draft>(&json).unwrap(), drafted.charter);
}

#[test]
fn governance_that_could_not_be_met_is_refused() {
    let strangers = LISTS.replace("treasury", "nobody");
    let Err(SpecError::Refused(refusal)) = draft(&grouped(&strangers)) else { panic!("drafted") };
    assert_eq!(refusal.rule, Rule::QuorumUnmeetable);
    let weak = LISTS.replacen("approvals = 2", "approvals = 1", 1);
    assert!(matches!(draft(&grouped(&weak)), Err(SpecError::Refused(_))));
}

#[test]
fn governance_by_names_can_say_nothing_newer() {
    let named = "[governance]\napprovals = 2\ngroup = [\"ada\", \"bob\"]\n\
                 [policy]\nproposal_lifetime_s = 3600\n";
    for (text, what) in [
        (people("groups = [\"treasury\"]"), "groups of people"),
        (people(""), "keys but Ed25519 ones"),
    ] {
        match draft(&format!("name = \"house\"\n{text}{named}")) {
            Err(SpecError::NeedsGroups(said)) => assert_eq!(said, what),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("drafted"),
        }
    }
}
