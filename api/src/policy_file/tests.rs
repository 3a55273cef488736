//! The rules of policy files, as tests.

use strongroom_domain::policy::{Allowance, Day, Demand, Kind, Most};

use super::{Examples, PolicyFileError, read, write};

/// One rule of each kind.
const FULL: &str = include_str!("tests/full.toml");

/// What its rules must say.
const EXAMPLES: &str = include_str!("tests/full.examples.toml");

#[test]
fn every_kind_of_rule_can_be_written() {
    let policy = read(FULL, 7).unwrap();
    assert_eq!(policy.version, 7);
    for kind in Kind::ALL {
        let rule = policy.rules.iter().find(|rule| rule.demand.kind() == *kind);
        assert!(rule.is_some(), "{kind} is not in tests/full.toml");
    }
    let has =
        |wanted: &dyn Fn(&Demand) -> bool| policy.rules.iter().any(|rule| wanted(&rule.demand));
    assert!(has(&|demand| matches!(
        demand,
        Demand::Velocity { window_s: 3_600, most: Most::Count { transfers: 20 }, .. }
    )));
    assert!(has(&|demand| matches!(
        demand,
        Demand::Hours { days, from_minute: 480, to_minute: 1_200 } if !days.contains(&Day::Sunday)
    )));
    assert!(
        policy.rules.iter().any(|rule| matches!(
            rule.demand,
            Demand::TokenApproval { most: Allowance::UpTo(_), .. }
        ))
    );
}

#[test]
fn a_policy_that_is_written_is_read_back_the_same() {
    let policy = read(FULL, 3).unwrap();
    let text = write(&policy).unwrap();
    assert_eq!(read(&text, 3).unwrap(), policy, "{text}");
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    let head = "schema = 1\nproposals-stay-open = \"24h\"\n";
    for (rule, said) in [
        ("permit = true", "no `id`"),
        ("id = \"a\"", "exactly one demand"),
        ("id = \"a\"\npermit = true\nforbid = true", "exactly one demand"),
        ("id = \"a\"\npermit = false", "says nothing"),
        ("id = \"a\"\npermit = true\nasset = \"x\"", "unknown field `asset`"),
        ("id = \"a\"\ndelay = \"1.5h\"", "not a length of time"),
        ("id = \"a\"\napprovals = [\"two of desk\"]", "`<count> of <group>`"),
        ("id = \"a\"\nfee-cap = { most = \"10.00 usd\" }", "not an amount of an asset"),
        (
            "id = \"a\"\nvelocity = { window = \"24h\", per = \"all\", most = \"0.000000001 litecoin/ltc\" }",
            "at most 8 decimal places",
        ),
        (
            "id = \"a\"\ntiers = { steps = [{ up-to = \"1\", require = [] }] }",
            "write either `asset",
        ),
    ] {
        let error = read(&format!("{head}[[rule]]\n{rule}\n"), 1).unwrap_err().to_string();
        assert!(error.contains(said), "{rule}: {error}");
    }
    let other = FULL.replace("schema = 1", "schema = 9");
    assert!(matches!(read(&other, 1), Err(PolicyFileError::Schema(9))));
    let address = FULL.replace("rltc1q", "rltc1z");
    assert!(matches!(read(&address, 1), Err(PolicyFileError::Destination { .. })));
}

#[test]
fn examples_say_whether_the_policy_does_what_was_meant() {
    let policy = read(FULL, 1).unwrap();
    let ran = Examples::read(EXAMPLES).unwrap().run(&policy).unwrap();
    for one in &ran {
        assert!(one.differs.is_empty(), "{}: {:?}\n{:#?}", one.name, one.differs, one.verdicts);
    }
    assert!(ran.len() > 8);
}

#[test]
fn an_example_that_is_not_met_says_how() {
    let policy = read(FULL, 1).unwrap();
    let wrong = EXAMPLES.replace("needs = [\"2 of treasury\"]", "needs = [\"3 of treasury\"]");
    let ran = Examples::read(&wrong).unwrap().run(&policy).unwrap();
    assert!(ran.iter().any(|one| one.differs.iter().any(|said| said.contains("3 of treasury"))));
}
