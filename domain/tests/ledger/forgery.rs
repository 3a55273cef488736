//! A hostile server that holds a whole log, and writes it again with something changed. It can
//! link its entries as it likes; it has nobody's key. No reader accepts what it made.

use crate::{asks::*, book::*, names::*};
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock};
use strongroom_domain::{
    Command, Event, Head, ProposalId, Recorded, Stream,
    account::AccountEvent,
    audit::{Audited, Violation},
    charter::CharterEvent,
    deposit::DepositEvent,
    key::KeyEvent,
    proposal::ProposalEvent,
    signer::SignerEvent,
    transfer::TransferEvent,
    wallet::WalletEvent,
};
use uuid::Uuid;

/// Every event that gives somebody a right, moves money or sets it aside. The rest say what a
/// node, the network or a signer was seen to do.
const AUTHORITY: &[&str] = &[
    "charter.founded",
    "charter.policy-changed",
    "charter.log-resumed",
    "proposal.opened",
    "proposal.approved",
    "proposal.quorum-reached",
    "account.posted",
    "account.hold-placed",
    "account.hold-raised",
    "account.hold-posted",
    "account.hold-voided",
    "wallet.created",
    "wallet.coins-reserved",
    "wallet.coins-released",
    "wallet.coins-spent",
    "wallet.account-nonce-reserved",
    "wallet.account-nonce-raised",
    "wallet.nonce-gap-found",
    "wallet.account-nonce-released",
    "wallet.account-nonce-used",
    "transfer.requested",
    "transfer.approved",
    "transfer.attempt-authorised",
    "transfer.return-authorised",
    "transfer.fee-cap-raised",
    "transfer.abandonment-approved",
    "transfer.failed",
    "key.ceremony-requested",
    "key.ceremony-approved",
    "key.confirmed",
    "key.activated",
    "key.assigned",
];

/// What a writer may choose freely in those: what the transaction's bytes do is checked by
/// `chains`, and any enough of a key's holders can sign.
const FREE: &[(&str, &str)] = &[
    ("transfer.failed", "/because"),
    ("transfer.attempt-authorised", "/unsigned"),
    ("transfer.attempt-authorised", "/fee"),
    ("transfer.attempt-authorised", "/signers/0"),
    ("transfer.attempt-authorised", "/signers/1"),
    ("transfer.return-authorised", "/attempt/unsigned"),
    ("transfer.return-authorised", "/attempt/fee"),
    ("transfer.return-authorised", "/attempt/signers/0"),
    ("transfer.return-authorised", "/attempt/signers/1"),
];

/// A policy changed, two transfers confirmed, one failed, one on its way: nothing is left open.
fn history() -> &'static [Recorded] {
    static HISTORY: OnceLock<Vec<Recorded>> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let mut book = Book::funded();
        let question = ProposalId(Uuid::from_u128(0x9a));
        let mut policy = policy();
        policy.version = 2;
        let expires_at = book.in_an_hour();
        book.put(Command::ProposePolicy { proposal: question, policy, maker: MAKER, expires_at })
            .unwrap();
        book.approve(question, &[ANN, CAT]);
        book.put(Command::ResumeLog(book.certificate(1, &[ANN, CAT]))).unwrap();
        for (n, wallet) in [(1, LTC_WALLET), (2, ETH_WALLET)] {
            book.signing(n, wallet, 500_000);
            book.put(signed(n, 1)).unwrap();
            book.put(broadcast(n, 1)).unwrap();
            book.put(confirm(n, 1, 500_000, None)).unwrap();
        }
        for (n, wallet) in [(3, LTC_WALLET), (4, ETH_WALLET)] {
            book.signing(n, wallet, 1_000);
            book.put(book.fail(n)).unwrap();
        }
        crate::stuck::play(&mut book, 0x20);
        book.signing(5, LTC_WALLET, 2_000);
        book.history
    })
}

/// Links entries anew and reads them as a signer does.
fn read<'a>(
    entries: impl IntoIterator<Item = (Stream, &'a Event)>,
) -> Result<Audited, (Stream, Violation)> {
    let time = history()[0].time;
    let mut audited = Audited::default();
    for (stream, event) in entries {
        let before = audited.head();
        let head = Head { position: before.position + 1, leaf: leaf(before, stream, event) };
        let recorded = Recorded { head, time, stream, sequence: 1, event: event.clone() };
        audited.extend(&recorded).map_err(|violation| (stream, violation))?;
    }
    Ok(audited)
}

fn with_one_changed(at: usize, forged: &Event) -> Result<Audited, (Stream, Violation)> {
    read(
        history()
            .iter()
            .enumerate()
            .map(|(n, recorded)| (recorded.stream, if n == at { forged } else { &recorded.event })),
    )
}

/// Every way to change one value of a payload into another of its kind, and to leave one out.
fn changes(value: &Value, path: &str) -> Vec<(String, Value)> {
    let within = |key: &str, inner: &Value, put: &dyn Fn(Value) -> Value| {
        changes(inner, &format!("{path}/{key}"))
            .into_iter()
            .map(|(path, changed)| (path, put(changed)))
            .collect::<Vec<_>>()
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, inner)| {
                within(key, inner, &|changed| {
                    let mut fields = fields.clone();
                    fields[key] = changed;
                    Value::Object(fields)
                })
            })
            .collect(),
        Value::Array(items) => {
            let mut all: Vec<_> = items
                .iter()
                .enumerate()
                .flat_map(|(n, inner)| {
                    within(&n.to_string(), inner, &|changed| {
                        let mut items = items.clone();
                        items[n] = changed;
                        Value::Array(items)
                    })
                })
                .collect();
            if let [rest @ .., _] = items.as_slice() {
                all.push((format!("{path}/-"), Value::Array(rest.to_vec())));
            }
            all
        }
        Value::String(text) => {
            let mut other: Vec<char> = text.chars().collect();
            if let Some(last) = other.iter_mut().rev().find(|c| c.is_ascii_alphanumeric()) {
                *last = if *last == '1' { '2' } else { '1' };
            }
            vec![(path.to_owned(), Value::String(other.into_iter().collect()))]
        }
        Value::Number(number) => {
            vec![(path.to_owned(), Value::from(number.as_u64().unwrap() + 1))]
        }
        Value::Bool(is) => vec![(path.to_owned(), Value::Bool(!is))],
        Value::Null => vec![],
    }
}

/// The event that the changed payload is, if it is one.
fn decode(event: &Event, value: &Value) -> Option<Event> {
    let (kind, version) = event.kind();
    let bytes = serde_json::to_vec(value).unwrap();
    // The fields are out of order, which only the outer `Event::decode` minds.
    macro_rules! any {
        ($($event:ty),*) => {
            None$(.or_else(|| <$event>::decode(kind, version, &bytes)?.ok().map(Event::from)))*
        };
    }
    any!(
        CharterEvent,
        ProposalEvent,
        AccountEvent,
        WalletEvent,
        TransferEvent,
        DepositEvent,
        KeyEvent,
        SignerEvent
    )
}

#[test]
fn the_true_history_is_accepted() {
    let entries = history().iter().map(|recorded| (recorded.stream, &recorded.event));
    let audited = read(entries).unwrap();
    let now = history()[0].time;
    assert!(audited.authorised(transfer(5), 1, now).is_ok());
    let kinds: BTreeSet<_> = history().iter().map(|recorded| recorded.event.kind().0).collect();
    let missing: Vec<_> = AUTHORITY.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(missing.is_empty(), "the history has no {missing:?}");
}

#[test]
fn no_field_of_an_event_with_authority_can_be_changed() {
    let mut tried = BTreeSet::new();
    for (at, recorded) in history().iter().enumerate() {
        let kind = recorded.event.kind().0;
        if !AUTHORITY.contains(&kind) {
            continue;
        }
        let payload = serde_json::from_slice(&recorded.event.encode().unwrap()).unwrap();
        for (path, changed) in changes(&payload, "") {
            let Some(forged) = decode(&recorded.event, &changed) else { continue };
            if FREE.contains(&(kind, path.as_str())) {
                continue;
            }
            assert_ne!(forged, recorded.event);
            let read = with_one_changed(at, &forged);
            assert!(read.is_err(), "entry {}: {kind} with another {path} passed", at + 1);
            tried.insert(kind);
        }
    }
    let bare: BTreeSet<_> = ["transfer.approved", "key.ceremony-approved"].into();
    let all: BTreeSet<_> = AUTHORITY.iter().copied().collect();
    assert_eq!(&all - &tried, bare, "these have no fields; all others were tried");
}

#[test]
fn no_event_with_authority_can_be_left_out() {
    for (at, left_out) in history().iter().enumerate() {
        // The last attempt is the last entry: without it there is nothing to sign.
        if !AUTHORITY.contains(&left_out.event.kind().0) || at + 1 == history().len() {
            continue;
        }
        let entries = history().iter().enumerate().filter(|(n, _)| *n != at);
        let read = read(entries.map(|(_, recorded)| (recorded.stream, &recorded.event)));
        assert!(read.is_err(), "the log reads on without entry {}: {left_out:?}", at + 1);
    }
}

#[test]
fn no_event_can_be_written_a_second_time() {
    let time = history()[0].time;
    let mut audited = Audited::default();
    for (at, recorded) in history().iter().enumerate() {
        audited.extend(recorded).unwrap();
        for again in &history()[..=at] {
            let before = audited.head();
            let leaf = leaf(before, again.stream, &again.event);
            let head = Head { position: before.position + 1, leaf };
            let twice = Recorded { head, time, ..again.clone() };
            let (kind, at) = (again.event.kind().0, at + 1);
            // The next entry may have the same bytes: the second credit of two equal ones.
            let next = history()
                .get(at)
                .is_some_and(|next| next.event == again.event && next.stream == again.stream);
            assert!(audited.clone().extend(&twice).is_err() || next, "{kind} again after {at}");
        }
    }
}

#[test]
fn no_event_can_stand_in_another_stream() {
    let streams: BTreeSet<_> = history().iter().map(|recorded| recorded.stream).collect();
    let mut audited = Audited::default();
    for recorded in history() {
        for stream in streams.iter().copied().filter(|stream| *stream != recorded.stream) {
            let moved = Recorded { stream, ..recorded.clone() };
            let kind = moved.event.kind().0;
            // Whoever begins something chooses its id, and answers are bound to it. Signers
            // derive addresses again.
            let begins = ["account.opened", "wallet.created", "proposal.opened"].contains(&kind);
            if begins || kind == "wallet.address-derived" {
                continue;
            }
            assert!(audited.clone().extend(&moved).is_err(), "{kind} in {stream}");
        }
        audited.extend(recorded).unwrap();
    }
}

#[test]
fn entries_come_in_order_and_time_never_runs_back() {
    let mut audited = Audited::default();
    audited.extend(&history()[0]).unwrap();
    let skipped = audited.clone().extend(&history()[2]);
    assert!(matches!(skipped, Err(Violation::Order { position: 3, head: 1 })), "{skipped:?}");
    let mut early = history()[1].clone();
    early.time = strongroom_domain::Timestamp::from_micros(early.time.micros() - 1);
    assert!(matches!(audited.extend(&early), Err(Violation::Unlawful { position: 2, .. })));
}

#[test]
fn a_log_that_ends_within_an_append_is_not_whole() {
    let mut audited = Audited::default();
    assert!(audited.is_whole());
    audited.extend(&history()[0]).unwrap();
    assert!(!audited.is_whole(), "the signers' enrolment must follow");
    for recorded in &history()[1..5] {
        audited.extend(recorded).unwrap();
    }
    assert!(audited.is_whole());
}
