//! Shares of a key change hands, signers come, go and are quarantined: what a quorum must say, what
//! stays as it was, and that no payment is paid twice over it.

use crate::{asks::*, book::*, house::*, names::*};
use std::collections::BTreeSet;
use strongroom_domain::{
    Bytes, Command, Digest, Event, ProposalId, Refusal, Rule, SignerId, Stream,
    charter::{Enrolment, SignerChange},
    key::{
        ChangeFailed, EpochAdvanced, EpochConfirmed, Joining, Key, KeyChange, KeyEvent,
        RoundPublished,
    },
    policy::{Demand, OnCompromise, PolicyRule, Scope},
    proposal::Subject,
    signer::{Quarantined, Released, SignerEvent},
    statement,
};
use uuid::Uuid;

/// Whose share is made anew: nobody's.
fn refresh(helpers: [u8; 2]) -> KeyChange {
    let helpers = helpers.map(signer).to_vec();
    KeyChange { key: FROST_KEY, dropped: BTreeSet::new(), joining: None, helpers }
}

/// `gone` makes room for `new`.
fn replace(gone: u8, new: u8, helpers: [u8; 2]) -> KeyChange {
    let joining = Some(Joining { signer: signer(new), index: u16::from(gone) });
    KeyChange { dropped: [signer(gone)].into(), joining, ..refresh(helpers) }
}

fn drop_one(gone: u8, helpers: [u8; 2]) -> KeyChange {
    KeyChange { dropped: [signer(gone)].into(), ..refresh(helpers) }
}

fn asked(n: u128) -> ProposalId {
    ProposalId(Uuid::from_u128(0xb00 + n))
}

fn ask(book: &Book, n: u128, change: KeyChange) -> Command {
    let expires_at = book.in_an_hour();
    Command::RequestKeyChange { proposal: asked(n), change, maker: MAKER, expires_at }
}

fn propose(book: &Book, n: u128, subject: Subject) -> Command {
    let expires_at = book.in_an_hour();
    Command::Propose { proposal: asked(n), subject, maker: MAKER, expires_at }
}

fn published(holder: SignerId, epoch: u32, round: u16) -> Command {
    let package = Bytes(vec![u8::try_from(round).unwrap(); 3]);
    let published = RoundPublished { signer: holder, epoch, round, package };
    Command::PublishRound { key: FROST_KEY, published }
}

fn word(holder: SignerId, epoch: u32, package: u8) -> EpochConfirmed {
    let (public_key, public_package) = (Bytes(vec![2; 33]), Bytes(vec![package; 4]));
    let of = (FROST_KEY, epoch);
    let text = statement::epoch_confirmation(LOG, of, holder, &public_key, &public_package);
    let signature = sign(&key_of(holder.0), &text);
    EpochConfirmed { signer: holder, epoch, public_key, public_package, signature }
}

fn confirm_epoch(holder: SignerId, epoch: u32) -> Command {
    Command::ConfirmEpoch { key: FROST_KEY, confirmed: word(holder, epoch, 8) }
}

fn quarantine(n: u8) -> Command {
    let quarantined = Quarantined { by: OLA, because: "its machine was stolen".to_owned() };
    Command::QuarantineSigner { signer: signer(n), quarantined }
}

fn enrolment(n: u8) -> Enrolment {
    Enrolment {
        id: signer(n),
        identity_key: public(&key_of(signer(n).0)),
        sealing_key: Bytes(vec![n; 32]),
        tls_certificate_sha256: Digest([n; 32]),
        witness_key: public(&witness_key_of(n + 10)),
    }
}

fn holders(book: &Book) -> Vec<SignerId> {
    book.state.keys[&FROST_KEY].existing().unwrap().signers()
}

fn epoch(book: &Book) -> u32 {
    book.state.keys[&FROST_KEY].existing().unwrap().epoch
}

/// A change from the question to the last word.
fn carry_out(book: &mut Book, n: u128, change: KeyChange) {
    book.put(ask(book, n, change)).unwrap();
    book.approve(asked(n), &[ANN, BEN]);
    let change = book.state.keys[&FROST_KEY].existing().unwrap().change.clone().unwrap();
    for round in [1, 2] {
        for holder in change.holders.values() {
            book.put(published(*holder, change.epoch, round)).unwrap();
        }
    }
    for holder in change.holders.values() {
        book.put(confirm_epoch(*holder, change.epoch)).unwrap();
    }
}

/// Everything that this part of the ledger can record, once each at least.
pub(crate) fn everything() -> Book {
    let mut book = Book::house();
    book.put(propose(&book, 1, Subject::Signers(SignerChange::Enrol(enrolment(5))))).unwrap();
    book.approve(asked(1), &[ANN, BEN]);
    book.put(quarantine(3)).unwrap();
    book.put(ask(&book, 2, replace(3, 5, [1, 2]))).unwrap();
    book.approve(asked(2), &[ANN, BEN]);
    let because = || "signer 2 was restarted".to_owned();
    let helpers = vec![signer(1), signer(2)];
    let retry = Command::RetryKeyChange { key: FROST_KEY, helpers, because: because() };
    book.put(retry).unwrap();
    book.put(Command::FailKeyChange { key: FROST_KEY, because: because() }).unwrap();
    carry_out(&mut book, 3, replace(3, 5, [1, 2]));
    let retire = SignerChange::Retire { signer: signer(3) };
    book.put(propose(&book, 4, Subject::Signers(retire))).unwrap();
    book.approve(asked(4), &[ANN, BEN]);
    book.put(quarantine(4)).unwrap();
    book.put(propose(&book, 5, Subject::ReleaseSigner { signer: signer(4) })).unwrap();
    book.approve(asked(5), &[ANN, BEN]);
    book
}

#[test]
fn a_key_stays_the_same_when_its_shares_change_hands() {
    let mut book = Book::house();
    let before = book.state.keys[&FROST_KEY].active().unwrap().clone();
    carry_out(&mut book, 1, refresh([1, 2]));
    carry_out(&mut book, 2, replace(3, 4, [1, 2]));
    carry_out(&mut book, 3, drop_one(1, [2, 4]));
    let after = book.state.keys[&FROST_KEY].active().unwrap();
    assert_eq!((&after.public_key, after.wallet), (&before.public_key, before.wallet));
    assert_eq!(after.plan.threshold, before.plan.threshold);
    assert_eq!((after.epoch, holders(&book)), (4, vec![signer(2), signer(4)]));
    assert_eq!(after.index_of(signer(4)), Some(3), "it has the number of who went");
    // One more has the number that is free.
    let joining = Some(Joining { signer: signer(1), index: 1 });
    carry_out(&mut book, 4, KeyChange { joining, ..refresh([2, 4]) });
    assert_eq!(holders(&book), vec![signer(1), signer(2), signer(4)]);
}

#[test]
fn a_change_that_breaks_the_key_is_not_asked() {
    let mut book = Book::house();
    let all: BTreeSet<_> = [signer(1), signer(2)].into();
    let joins = |signer, index| Some(Joining { signer, index });
    for (change, rule) in [
        (refresh([1, 1]), Rule::CeremonyPlan),
        (refresh([1, 4]), Rule::CeremonyPlan),
        (drop_one(1, [1, 2]), Rule::CeremonyPlan),
        (drop_one(4, [1, 2]), Rule::CeremonyPlan),
        (KeyChange { dropped: all, ..refresh([1, 2]) }, Rule::CeremonyPlan),
        (KeyChange { helpers: vec![signer(1)], ..refresh([1, 2]) }, Rule::CeremonyPlan),
        (KeyChange { joining: joins(signer(4), 5), ..refresh([1, 2]) }, Rule::CeremonyPlan),
        (KeyChange { joining: joins(signer(4), 2), ..refresh([1, 2]) }, Rule::CeremonyPlan),
        (KeyChange { joining: joins(signer(3), 4), ..refresh([1, 2]) }, Rule::CeremonyPlan),
        (KeyChange { joining: joins(signer(9), 4), ..refresh([1, 2]) }, Rule::SignerState),
        (KeyChange { key: TOKEN_KEY, ..refresh([1, 2]) }, Rule::CeremonyPlan),
    ] {
        book.refused(ask(&book, 1, change), rule);
    }
    book.put(ask(&book, 1, refresh([1, 2]))).unwrap();
    // One at a time.
    book.refused(ask(&book, 2, refresh([1, 2])), Rule::KeyState);
    book.put(Command::CancelProposal { proposal: asked(1), by: MAKER }).unwrap();
    book.put(ask(&book, 3, refresh([1, 2]))).unwrap();
    assert_eq!(epoch(&book), 1);
}

#[test]
fn the_old_shares_sign_until_every_new_holder_has_its_own() {
    let mut book = Book::house();
    book.put(ask(&book, 1, replace(3, 4, [1, 2]))).unwrap();
    // Nobody begins before the quorum agreed.
    book.refused(published(signer(1), 2, 1), Rule::KeyState);
    book.refused(confirm_epoch(signer(1), 2), Rule::KeyState);
    book.approve(asked(1), &[ANN, BEN]);
    book.refused(published(signer(3), 2, 1), Rule::SignerState);
    book.refused(published(signer(1), 1, 1), Rule::KeyState);
    book.refused(published(signer(1), 2, 2), Rule::CeremonyDisagreement);
    for holder in [1, 2] {
        book.put(confirm_epoch(signer(holder), 2)).unwrap();
        assert_eq!(holders(&book), [1, 2, 3].map(signer));
    }
    let other = Command::ConfirmEpoch { key: FROST_KEY, confirmed: word(signer(4), 2, 9) };
    book.refused(other, Rule::CeremonyDisagreement);
    let mut stranger = word(signer(4), 2, 8);
    stranger.signature = word(signer(2), 2, 8).signature;
    let stranger = Command::ConfirmEpoch { key: FROST_KEY, confirmed: stranger };
    book.refused(stranger, Rule::CeremonySignature);
    book.signing(1, LTC_WALLET, 1_000);
    book.authorised(1, 1).unwrap();
    book.put(confirm_epoch(signer(4), 2)).unwrap();
    assert_eq!(holders(&book), [1, 2, 4].map(signer));
    // The attempt names a signer that holds the key no more.
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::AttemptState);
}

#[test]
fn a_failed_change_leaves_the_key_as_it_was_and_its_number_unused() {
    let mut book = Book::house();
    book.put(ask(&book, 1, refresh([1, 2]))).unwrap();
    let fail = || Command::FailKeyChange { key: FROST_KEY, because: "gone".to_owned() };
    book.refused(fail(), Rule::KeyState);
    book.approve(asked(1), &[ANN, BEN]);
    let retry = |helpers: [u8; 2]| {
        let helpers = helpers.map(signer).to_vec();
        Command::RetryKeyChange { key: FROST_KEY, helpers, because: "restarted".to_owned() }
    };
    book.refused(retry([1, 4]), Rule::CeremonyPlan);
    book.put(retry([1, 3])).unwrap();
    book.refused(published(signer(1), 2, 1), Rule::KeyState);
    book.put(published(signer(1), 3, 1)).unwrap();
    book.put(fail()).unwrap();
    assert_eq!((epoch(&book), holders(&book)), (1, [1, 2, 3].map(signer).to_vec()));
    carry_out(&mut book, 2, refresh([1, 2]));
    assert_eq!(epoch(&book), 4);
}

#[test]
fn a_quarantined_key_is_refreshed_and_then_released() {
    let mut book = Book::house();
    let quarantined = strongroom_domain::key::Quarantined {
        because: "a wrong share".to_owned(),
        culprit: Some(signer(3)),
    };
    book.put(Command::QuarantineKey { key: FROST_KEY, quarantined }).unwrap();
    carry_out(&mut book, 1, drop_one(3, [1, 2]));
    assert!(matches!(book.state.keys[&FROST_KEY], Key::Quarantined(_)));
    book.put(propose(&book, 2, Subject::ReleaseKey { key: FROST_KEY })).unwrap();
    book.approve(asked(2), &[ANN, BEN]);
    assert_eq!(book.state.keys[&FROST_KEY].active().unwrap().signers(), [1, 2].map(signer));
}

/// Whether transfer 1 may fail on the word of these.
fn may_fail(book: &Book, sworn: &[u8]) -> Result<(), Refusal> {
    let words = sworn.iter().map(|n| abstention(1, signer(*n))).collect();
    book.clone().put(fail_with(1, words)).map(drop)
}

/// The attempt was heard of by 1 and 3. If they signed, who holds the key afterwards does not matter.
#[test]
fn no_signature_is_harvested_from_a_payment_that_failed_after_its_signers_were_replaced() {
    let mut book = Book::house();
    book.signing(1, LTC_WALLET, 1_000);
    carry_out(&mut book, 1, replace(3, 4, [1, 2]));
    assert_eq!(holders(&book), [1, 2, 4].map(signer));
    // Enough for those who hold it now, not for 1 and 3, who may have a signature.
    let refused = may_fail(&book, &[2, 4]).unwrap_err();
    assert_eq!(refused.rule, Rule::TransferAbstentions);
    assert!(may_fail(&book, &[2]).is_err());
    // Enough for those who held it, not for 1 and 4, who hold it now.
    let mut other = book.clone();
    other
        .put(Command::RecordRefusal {
            transfer: transfer(1),
            refused: strongroom_domain::transfer::AttemptRefused {
                attempt: 1,
                signer: signer(1),
                rule: Rule::SignerState,
                because: "changed".to_owned(),
            },
        })
        .unwrap();
    assert!(may_fail(&other, &[2, 3]).is_err());
    // The dead one that was dropped can't say anything: those who stayed say enough.
    may_fail(&book, &[1, 2]).unwrap();
    may_fail(&book, &[1, 2, 3, 4]).unwrap();
    assert!(may_fail(&book, &[1, 2, 1]).is_err(), "nobody counts twice");
}

#[test]
fn shares_that_were_gone_before_a_payment_was_tried_don_t_hold_it_up() {
    let mut book = Book::house();
    carry_out(&mut book, 1, replace(3, 4, [1, 2]));
    book.approved(1, LTC_WALLET, 1_000);
    let Command::AuthoriseAttempt { transfer, mut attempt, spends } = book.attempt(1, 1) else {
        panic!("an attempt")
    };
    let gone =
        Command::AuthoriseAttempt { transfer, attempt: attempt.clone(), spends: spends.clone() };
    book.refused(gone, Rule::AttemptState);
    attempt.signers = vec![signer(1), signer(4)];
    book.put(Command::AuthoriseAttempt { transfer, attempt, spends }).unwrap();
    // 1 and 3 could, had 3 a share that fits: it has not.
    may_fail(&book, &[2, 4]).unwrap();
    assert!(may_fail(&book, &[3, 4]).is_err(), "it holds nothing that could sign this");
    assert!(book.state.attempted_in.values().all(|epoch| *epoch == 2));
}

#[test]
fn three_epochs_each_count_for_themselves() {
    let mut book = Book::house();
    book.signing(1, LTC_WALLET, 1_000);
    carry_out(&mut book, 1, replace(3, 4, [1, 2]));
    carry_out(&mut book, 2, drop_one(1, [2, 4]));
    assert_eq!(holders(&book), [2, 4].map(signer));
    // Epoch 1: {1,2,3}; epoch 2: {1,2,4}; epoch 3: {2,4}.
    assert!(may_fail(&book, &[2]).is_err());
    assert!(may_fail(&book, &[2, 4]).is_err());
    assert!(may_fail(&book, &[1, 3]).is_err());
    may_fail(&book, &[1, 2]).unwrap();
    may_fail(&book, &[2, 3, 4]).unwrap();
}

#[test]
fn a_quarantined_signer_is_refused_at_once_and_by_all() {
    let mut book = Book::house();
    book.signing(1, LTC_WALLET, 1_000);
    book.approved(2, LTC_WALLET, 1_000);
    book.authorised(1, 1).unwrap();
    for by in [MAKER, ANN, ADA] {
        let quarantined = Quarantined { by, because: "no".to_owned() };
        let set = Command::QuarantineSigner { signer: signer(3), quarantined };
        book.refused(set, Rule::RoleMissing);
    }
    book.put(quarantine(3)).unwrap();
    book.refused(quarantine(3), Rule::SignerState);
    book.refused(quarantine(9), Rule::SignerState);
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::SignerQuarantined);
    book.refused(book.attempt(2, 1), Rule::SignerQuarantined);
    let mut plan = frost_plan();
    plan.key = strongroom_domain::KeyId(Uuid::from_u128(0x49));
    let (proposal, expires_at) = (asked(9), book.in_an_hour());
    let made = Command::RequestCeremony { proposal, plan, maker: MAKER, expires_at };
    book.refused(made, Rule::SignerQuarantined);
    book.refused(ask(&book, 1, refresh([1, 2])), Rule::SignerQuarantined);
    // Who stays may go on, who is quarantined goes.
    book.put(ask(&book, 1, drop_one(3, [1, 2]))).unwrap();
    book.approve(asked(1), &[ANN, BEN]);
    book.put(quarantine(2)).unwrap();
    book.refused(published(signer(2), 2, 1), Rule::SignerQuarantined);
    book.refused(confirm_epoch(signer(2), 2), Rule::SignerQuarantined);
}

/// A share that was taken counts as the key itself, if the policy says so.
#[test]
fn where_the_policy_says_rotate_a_quarantined_holder_is_not_just_left_out() {
    for (answer, refused) in [(OnCompromise::Rotate, true), (OnCompromise::Refresh, false)] {
        let mut charter = house_charter();
        let demand = Demand::Compromise { answer };
        let scope = Scope { wallets: [LTC_WALLET].into(), ..Scope::default() };
        charter.policy.rules.push(PolicyRule { id: label("stolen-shares"), scope, demand });
        let mut book = Book::empty();
        let founders = [ANN, BEN, CAT, DAN];
        book.put(Command::Found(founded_house(charter, &founders))).unwrap();
        let mut book = book.furnish();
        // Nobody is quarantined: shares change hands as ever.
        book.clone().put(ask(&book, 1, drop_one(3, [1, 2]))).unwrap();
        book.put(quarantine(3)).unwrap();
        let change = ask(&book, 1, drop_one(3, [1, 2]));
        if refused {
            book.refused(change, Rule::Policy);
        } else {
            book.put(change).unwrap();
        }
    }
}

#[test]
fn only_a_quorum_trusts_a_signer_again() {
    let mut book = Book::house();
    let release = Subject::ReleaseSigner { signer: signer(3) };
    book.refused(propose(&book, 1, release.clone()), Rule::SignerState);
    book.put(quarantine(3)).unwrap();
    book.put(propose(&book, 1, release)).unwrap();
    let forged = SignerEvent::from(Released { proposal: asked(1) });
    let forged = book.forge(Stream::Signer(signer(3)), forged.into());
    forged.unwrap_err();
    book.signing_refused(3);
    book.approve(asked(1), &[ANN, BEN]);
    assert!(book.state.signers[&signer(3)].quarantine.is_none());
    book.signing(1, LTC_WALLET, 1_000);
}

impl Book {
    fn signing_refused(&mut self, n: u8) {
        self.approved(n, LTC_WALLET, 1_000);
        self.refused(self.attempt(n, 1), Rule::SignerQuarantined);
    }
}

#[test]
fn signers_come_and_go_by_quorum_and_checkpoints_need_a_majority_of_what_there_is() {
    let mut book = Book::house();
    let needed = |book: &Book| {
        let standing = book.state.charter.standing().unwrap();
        let witnessing = standing.witnessing.as_ref().unwrap();
        (usize::from(witnessing.threshold), standing.signers.len() + witnessing.outside.len())
    };
    let (before, of) = needed(&book);
    let enrol = |n| Subject::Signers(SignerChange::Enrol(enrolment(n)));
    let retire = |n| Subject::Signers(SignerChange::Retire { signer: signer(n) });
    book.refused(propose(&book, 1, enrol(1)), Rule::SignerState);
    book.refused(propose(&book, 1, retire(9)), Rule::SignerState);
    // It holds a key.
    book.refused(propose(&book, 1, retire(3)), Rule::SignerState);
    let mut twin = enrolment(5);
    twin.witness_key = enrolment(6).witness_key;
    twin.identity_key = public(&key_of(signer(2).0));
    let twin = Subject::Signers(SignerChange::Enrol(twin));
    book.refused(propose(&book, 1, twin), Rule::CharterInvalid);
    book.put(propose(&book, 1, enrol(5))).unwrap();
    assert!(!book.state.charter.standing().unwrap().signers.contains_key(&signer(5)));
    book.approve(asked(1), &[ANN, BEN]);
    let (now, of_now) = needed(&book);
    assert_eq!(of_now, of + 1);
    assert!(now * 2 > of_now && now >= before);
    assert!(before + now > of_now, "two histories could each have enough");
    carry_out(&mut book, 2, replace(3, 5, [1, 2]));
    book.put(propose(&book, 3, retire(3))).unwrap();
    book.approve(asked(3), &[ANN, BEN]);
    assert_eq!(needed(&book), (before, of));
    // An id is never enrolled again.
    book.refused(propose(&book, 4, enrol(3)), Rule::SignerState);
}

#[test]
fn nobody_forges_a_change_of_shares() {
    let book = everything();
    let key = Stream::Key(FROST_KEY);
    let active = book.state.keys[&FROST_KEY].active().unwrap();
    let mut holders = active.holders.clone();
    holders.insert(2, signer(4));
    let public_package = Bytes(vec![8; 4]);
    let advanced = EpochAdvanced { epoch: 9, holders, public_package };
    let failed = ChangeFailed { epoch: 4, because: "so I say".to_owned() };
    for event in [KeyEvent::from(advanced), failed.into(), word(signer(1), 4, 8).into()] {
        book.forge(key, event.into()).unwrap_err();
    }
    let quarantined = Quarantined { by: MAKER, because: "so I say".to_owned() };
    let forged = SignerEvent::from(quarantined);
    book.forge(Stream::Signer(signer(1)), forged.into()).unwrap_err();
}

/// Every value of every event of the story, changed: no reader accepts it.
#[test]
fn no_word_of_a_change_of_shares_can_be_altered() {
    let history = everything().history;
    let own = |event: &Event| {
        matches!(event, Event::Charter(_))
            || event.kind().0.starts_with("key.epoch")
            || event.kind().0.starts_with("key.change-requested")
            || event.kind().0.starts_with("key.change-approved")
    };
    for (at, recorded) in history.iter().enumerate().skip(1) {
        if !own(&recorded.event) {
            continue;
        }
        let text = String::from_utf8(recorded.event.encode().unwrap()).unwrap();
        for (from, to) in [("0301", "0302"), ("0305", "0304"), ("0808", "0809"), (":2", ":3")] {
            let Some(found) = text.find(from) else { continue };
            let mut forged = text.clone();
            forged.replace_range(found..found + from.len(), to);
            let (kind, version) = recorded.event.kind();
            let Ok(event) = Event::decode(kind, version, forged.as_bytes()) else { continue };
            let mut audited = strongroom_domain::audit::Audited::default();
            let mut before = strongroom_domain::Head::default();
            let read = history.iter().enumerate().try_for_each(|(n, original)| {
                let event = if n == at { &event } else { &original.event };
                let leaf = leaf(before, original.stream, event);
                let head = strongroom_domain::Head { position: before.position + 1, leaf };
                before = head;
                let entry =
                    strongroom_domain::Recorded { head, event: event.clone(), ..original.clone() };
                audited.extend(&entry)
            });
            assert!(read.is_err(), "{kind}: {from} became {to} in {text}");
        }
    }
}

#[test]
fn what_people_are_asked_says_who_holds_the_key_before_and_after() {
    let mut book = Book::house();
    book.put(quarantine(3)).unwrap();
    book.put(propose(&book, 1, Subject::Signers(SignerChange::Enrol(enrolment(5))))).unwrap();
    let enrol = book.statement(asked(1), ANN, statement::Answer::Approve);
    book.approve(asked(1), &[ANN, BEN]);
    book.put(ask(&book, 2, replace(3, 5, [1, 2]))).unwrap();
    let change = book.statement(asked(2), ANN, statement::Answer::Approve);
    book.put(propose(&book, 3, Subject::ReleaseSigner { signer: signer(3) })).unwrap();
    let release = book.statement(asked(3), ANN, statement::Answer::Approve);
    for (name, text) in [
        ("approve-enrol-signer.v2.txt", enrol),
        ("approve-change-key.v2.txt", change),
        ("approve-release-signer.v2.txt", release),
    ] {
        crate::golden::same_text(name, &text);
    }
}
