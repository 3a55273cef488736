//! Every event type that was ever stored, byte for byte, in `tests/golden`. A file there is never
//! edited: a log that holds such an event must be readable for ever.

use crate::{asks::*, book::*, fixed, house::*, names::*};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::PathBuf};
use strongroom_domain::{
    Command, DecodeError, EntryParts, Event, ProposalId, Recorded, Unreadable,
    account::AccountEvent,
    charter::CharterEvent,
    deposit::DepositEvent,
    freeze::FreezeEvent,
    key::{KeyEvent, Quarantined},
    price::PriceEvent,
    proposal::ProposalEvent,
    reconciliation::ReconciliationEvent,
    screening::ScreeningEvent,
    signer::SignerEvent,
    statement::Answer,
    transfer::{AttemptRefused, TransferEvent},
    wallet::WalletEvent,
};
use uuid::Uuid;

type Kind = (&'static str, u16);

/// Every stored type and version of this build.
fn kinds() -> Vec<Kind> {
    [
        CharterEvent::KINDS,
        ProposalEvent::KINDS,
        AccountEvent::KINDS,
        WalletEvent::KINDS,
        TransferEvent::KINDS,
        DepositEvent::KINDS,
        KeyEvent::KINDS,
        SignerEvent::KINDS,
        strongroom_domain::person::PersonEvent::KINDS,
        FreezeEvent::KINDS,
        PriceEvent::KINDS,
        ScreeningEvent::KINDS,
        ReconciliationEvent::KINDS,
    ]
    .concat()
}

pub(crate) fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn stored((kind, version): Kind) -> Vec<u8> {
    let path = golden(&format!("{kind}.v{version}.json"));
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. A new event type needs a golden file: let `everything_that_happens` \
             make one, run with STRONGROOM_NEW_GOLDEN=1 and commit what it writes",
            path.display()
        )
    })
}

/// Reads a payload as every reader of a log does.
fn read((kind, version): Kind, payload: &[u8]) -> Result<Event, Unreadable> {
    let parts = EntryParts {
        position: 1,
        leaf: [0; 32],
        time: "2026-11-22T12:00:00.000000Z",
        stream: "charter",
        sequence: 1,
        kind,
        version,
        payload,
    };
    Recorded::read(parts).map(|recorded| recorded.event).map_err(|error| error.reason)
}

/// One real event of every type, as the rules make them.
fn everything_that_happens() -> BTreeMap<Kind, Event> {
    let mut book = Book::funded_v1();
    let put = |book: &mut Book, command| drop(book.put(command).unwrap());
    for (n, wallet, change) in [(1, LTC_WALLET, Some(7_000)), (2, ETH_WALLET, None)] {
        book.signing(n, wallet, 500_000);
        put(&mut book, signed(n, 1));
        put(&mut book, broadcast(n, 1));
        put(&mut book, confirm(n, 1, 500_000, change));
    }
    for (n, wallet) in [(3, LTC_WALLET), (4, ETH_WALLET)] {
        book.signing(n, wallet, 1_000);
        let because = "its bytes pay somebody else".to_owned();
        let rule = strongroom_domain::Rule::SignerIntentMismatch;
        let refused = AttemptRefused { attempt: 1, signer: signer(1), rule, because };
        put(&mut book, Command::RecordRefusal { transfer: transfer(n), refused });
        let failure = book.fail(n);
        put(&mut book, failure);
    }
    let request = book.request(5, LTC_WALLET, 10_000_001);
    put(&mut book, request);
    for n in 6..=8 {
        let request = book.request(n, LTC_WALLET, 1_000);
        put(&mut book, request);
    }
    for who in [ANN, BEN] {
        let decline = book.answer(question(6), who, Answer::Decline);
        put(&mut book, decline);
    }
    put(&mut book, Command::CancelProposal { proposal: question(7), by: MAKER });
    for (wallet, n) in [(LTC_WALLET, 2), (ETH_WALLET, 2)] {
        let (deposit, seen) = seen(wallet, n, 600_000);
        put(&mut book, Command::ReorganiseDeposit { deposit });
        put(&mut book, Command::SeeDeposit { deposit, seen });
    }
    put(&mut book, Command::ReachSigner { signer: signer(1) });
    put(&mut book, Command::LoseSigner { signer: signer(1), because: "timed out".to_owned() });
    let quarantined = Quarantined { because: "a bad share".to_owned(), culprit: Some(signer(2)) };
    put(&mut book, Command::QuarantineKey { key: FROST_KEY, quarantined });
    let mut policy = policy();
    policy.version = 2;
    let (proposal, expires_at) = (ProposalId(Uuid::from_u128(0x9a)), book.in_an_hour());
    put(&mut book, Command::ProposePolicy { proposal, policy, maker: MAKER, expires_at });
    book.approve(proposal, &[ANN, BEN]);
    book.wait(3_600);
    put(&mut book, Command::ExpireProposal { proposal: question(8) });
    let mut failing = Book::founded_v1();
    let (proposal, plan, maker) = (ProposalId(Uuid::from_u128(0x90)), frost_plan(), MAKER);
    let expires_at = failing.in_an_hour();
    put(&mut failing, Command::RequestCeremony { proposal, plan, maker, expires_at });
    failing.approve(proposal, &[ANN, BEN]);
    let because = "a signer is gone".to_owned();
    put(&mut failing, Command::FailCeremony { key: FROST_KEY, because });
    let mut resumed = Book::founded();
    let certificate = resumed.certificate(1, &[ANN, BEN]);
    put(&mut resumed, Command::ResumeLog(certificate));
    let stuck = crate::stuck::history().into_iter();
    // Of events that several of these make, the last one is kept.
    let governed = crate::governance::governed().history.into_iter();
    let governed = governed.chain(crate::ceremony::proven().history);
    let governed = crate::backups::drilled().history.into_iter().chain(governed);
    let governed = crate::changes::everything().history.into_iter().chain(governed);
    let governed = crate::rotation::everything().history.into_iter().chain(governed);
    let governed = crate::cosigners::sent_besides().history.into_iter().chain(governed);
    let history = governed.chain(stopped_and_released().history).chain(stuck);
    let history = history.chain(book.history).chain(failing.history).chain(resumed.history);
    history.map(|recorded| (recorded.event.kind(), recorded.event)).collect()
}

/// Adds what is missing, and only where somebody asks for it; never changes what is there.
fn write_new(name: &str, bytes: &[u8]) {
    if std::env::var_os("STRONGROOM_NEW_GOLDEN").is_some() && !golden(name).exists() {
        fs::write(golden(name), bytes).unwrap();
    }
}

pub(crate) fn same_text(name: &str, text: &str) {
    write_new(name, text.as_bytes());
    let stored = fs::read_to_string(golden(name)).unwrap();
    assert_eq!(text, stored, "{name}: people have signed the stored text");
}

#[test]
fn every_event_type_has_a_golden_file_and_is_written_as_it_was() {
    let happened = everything_that_happens();
    for kind in kinds() {
        let event = happened.get(&kind).unwrap_or_else(|| panic!("nothing gives {kind:?}"));
        let name = format!("{}.v{}.json", kind.0, kind.1);
        write_new(&name, &event.encode().unwrap());
        let stored = stored(kind);
        let decoded = Event::decode(kind.0, kind.1, &stored).unwrap();
        assert_eq!(decoded.kind(), kind);
        assert_eq!(decoded.encode().unwrap(), stored, "{name}");
        assert_eq!(&decoded, event, "{name}: the same facts give other bytes today");
    }
}

#[test]
fn every_golden_file_can_be_read() {
    for file in fs::read_dir(golden("")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".json") else { continue };
        let (kind, version) = stem.rsplit_once(".v").unwrap();
        let bytes = fs::read(golden(&name)).unwrap();
        Event::decode(kind, version.parse().unwrap(), &bytes).unwrap();
    }
}

#[test]
fn an_unknown_type_or_version_says_so() {
    for (kind, version) in [("transfer.teleported", 1), ("transfer.approved", 2), ("", 0)] {
        let error = Event::decode(kind, version, b"{}").unwrap_err();
        assert_eq!(error, DecodeError::Unknown { kind: kind.to_owned(), version });
    }
}

#[test]
fn no_field_is_unknown_doubled_or_missing() {
    for kind in kinds() {
        let text = String::from_utf8(stored(kind)).unwrap();
        let inner = text.strip_prefix('{').unwrap();
        let comma = if inner == "}" { "" } else { "," };
        let mut wrong = vec![
            format!("{{\"unknown\":1{comma}{inner}"),
            format!("{text} "),
            format!(" {text}"),
            format!("{text}{text}"),
            text[..text.len() - 1].to_owned(),
        ];
        if !comma.is_empty() {
            let field = &inner[..inner.find(':').unwrap()];
            wrong.push(format!("{{{field}:null,{inner}"));
            wrong.push("{}".to_owned());
        }
        for payload in wrong {
            assert!(read(kind, payload.as_bytes()).is_err(), "{kind:?} {payload}");
        }
    }
}

/// One spelling of every value: what a reader decodes is what was hashed.
#[test]
fn no_payload_has_a_second_spelling() {
    let cases: [(&str, &str, &str); 9] = [
        ("account.hold-placed", "\"501000\"", "\"0501000\""),
        ("account.hold-placed", "\"501000\"", "501000"),
        ("account.hold-placed", "\"501000\"", "\"+501000\""),
        ("account.hold-placed", ":", ": "),
        ("transfer.attempt-signed", "\"raw\":\"0", "\"raw\":\"\\u0030"),
        ("key.activated", "0202", "0A0A"),
        ("key.round-one-published", "0000-000000000", "0000-00000000{"),
        ("proposal.quorum-reached", "[", "[\"00000000-0000-0000-0000-000000000003\","),
        ("proposal.opened", "\"known_as\"", "\"x\":1,\"known_as\""),
    ];
    for (kind, from, to) in cases {
        let golden = match kind {
            // Of the goldens, the last that happened asks for a policy.
            "proposal.opened" => {
                let mut book = Book::funded();
                let events = book.put(book.request(1, LTC_WALLET, 1_000)).unwrap();
                events.last().unwrap().encode().unwrap()
            }
            "account.hold-placed" => {
                let mut book = Book::funded();
                let events = book.put(book.request(1, LTC_WALLET, 500_000)).unwrap();
                events[1].encode().unwrap()
            }
            kind => stored((kind, 1)),
        };
        let golden = String::from_utf8(golden).unwrap();
        let other = golden.replacen(from, to, 1);
        assert_ne!(golden, other, "{kind}: nothing was changed");
        assert!(read((kind, 1), other.as_bytes()).is_err(), "{other}");
    }
}

/// A key that stands twice in a map, of which a parser keeps one.
#[test]
fn no_map_names_a_key_twice() {
    let text = String::from_utf8(stored(("charter.policy-changed", 1))).unwrap();
    let cap = "\"litecoin-regtest/ltc\":\"10000\"";
    let twice = text.replacen(cap, &format!("{cap},{cap}"), 1);
    assert_ne!(text, twice);
    let read = read(("charter.policy-changed", 1), twice.as_bytes());
    assert!(matches!(read, Err(Unreadable::Spelling { .. })), "{read:?}");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,12}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(fixed(512))]

    #[test]
    fn decoding_never_panics_on_any_json(value in json(), which in any::<prop::sample::Index>()) {
        let (kind, version) = *which.get(&kinds());
        let _ = Event::decode(kind, version, &serde_json::to_vec(&value).unwrap());
    }

    #[test]
    fn decoding_never_panics_and_never_takes_one_spelling_for_another(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let kind = *which.get(&kinds());
        let mut payload = stored(kind);
        let at = at.index(payload.len());
        payload[at] = byte;
        if let Ok(event) = read(kind, &payload) {
            prop_assert_eq!(event.encode().unwrap(), payload);
        }
    }
}
