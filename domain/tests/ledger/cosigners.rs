//! A payment of a multisig wallet: whose parts are recorded, and when it can still be completed. What
//! the signatures are worth is for `chains` to say.

use crate::{asks::*, book::*, names::*};
use strongroom_domain::{
    Amount, Branch, Bytes, Command, Event, KeyId, Network, ProposalId, Rule, SignerId, Spends,
    Stream,
    key::{
        CeremonyPlan, Confirmed, Cosigner, CosignerProven, KeyEvent, Protocol, Proven,
        RoundPublished,
    },
    proposal::Subject,
    statement,
    transfer::{
        AttemptAuthorised, AttemptFound, Closed, Confirmed as Confirmation, PartiallySigned,
        Transfer, TransferEvent,
    },
    wallet::Tier,
};
use uuid::Uuid;

const MULTISIG: KeyId = KeyId(Uuid::from_u128(0xe0));
const ASKED: ProposalId = ProposalId(Uuid::from_u128(0xe1));

fn asked_for(signers: &[SignerId], cosigners: u8) -> Command {
    let book = Book::founded();
    let cosigners: Vec<_> = (0..cosigners)
        .map(|n| Cosigner { name: label(&format!("vault-{n}")), key: format!("key {n}") })
        .collect();
    let (protocol, participants) = (Protocol::MultisigP2wsh, signers.to_vec());
    let plan = CeremonyPlan { key: MULTISIG, protocol, threshold: 2, participants };
    let (proposal, maker, expires_at) = (ASKED, MAKER, book.in_an_hour());
    Command::RequestKey { proposal, plan, cosigners, maker, expires_at }
}

/// A key of which 2 of these signers and the cosigners `a`, `b`, … sign, and which proved nothing yet.
fn made(signers: &[SignerId], cosigners: u8) -> Book {
    let mut book = Book::founded();
    book.put(asked_for(signers, cosigners)).unwrap();
    book.approve(ASKED, &[ANN, BEN]);
    for signer in signers {
        let package = Bytes(signer.0.as_bytes().to_vec());
        let published = RoundPublished { signer: *signer, epoch: 1, round: 1, package };
        book.put(Command::PublishRound { key: MULTISIG, published }).unwrap();
    }
    for signer in signers {
        let (public_key, public_package) = (Bytes::default(), Bytes(b"a descriptor".to_vec()));
        let text = statement::confirmation(LOG, MULTISIG, *signer, &public_key, &public_package);
        let signature = sign(&key_of(signer.0), &text);
        let confirmed = Confirmed { signer: *signer, public_key, public_package, signature };
        book.put(Command::ConfirmKey { key: MULTISIG, confirmed }).unwrap();
    }
    book
}

/// Its wallet, with money.
fn wallet_of(signers: &[SignerId], cosigners: u8) -> Book {
    let mut book = made(signers, cosigners);
    let all = signers.len() + usize::from(cosigners);
    for place in (1..).take(all) {
        let proven = CosignerProven { epoch: 1, place, signature: Bytes(vec![7; 64]) };
        book.put(Command::ProveCosigner { key: MULTISIG, proven }).unwrap();
    }
    let proven = Proven { epoch: 1, signatures: vec![Bytes(vec![7; 64]); all] };
    book.put(Command::ProveKey { key: MULTISIG, proven }).unwrap();
    let (account, client, asset, by) = (LTC_ACCOUNT, CLIENT, LTC, MAKER);
    book.put(Command::OpenAccount { account, client, asset, by }).unwrap();
    let (network, tier) = (Network::LitecoinRegtest, Tier::Hot);
    let (wallet, key) = (LTC_WALLET, MULTISIG);
    book.put(Command::CreateWallet { wallet, network, key, tier, by }).unwrap();
    book.put(derive(LTC_WALLET, ltc_address(), Branch::Deposit, 0)).unwrap();
    book.deposit(LTC_WALLET, 1, 600_000);
    book.deposit(LTC_WALLET, 2, 600_000);
    book
}

fn attempt(book: &Book, attempt: u32, signers: &[SignerId]) -> Command {
    let Command::AuthoriseAttempt { transfer, spends, .. } = book.attempt(1, attempt) else {
        unreachable!()
    };
    let (unsigned, fee) = (Bytes(vec![1; 8]), Amount::new(500));
    let attempt =
        AttemptAuthorised { attempt, unsigned, fee, key: MULTISIG, signers: signers.to_vec() };
    Command::AuthoriseAttempt { transfer, attempt, spends }
}

fn signing(signers: &[SignerId], cosigners: u8) -> Book {
    let mut book = wallet_of(signers, cosigners);
    book.approved(1, LTC_WALLET, 1_000);
    book.put(attempt(&book, 1, signers)).unwrap();
    book
}

fn part(attempt: u32, place: u16) -> PartiallySigned {
    PartiallySigned { attempt, place, signatures: vec![Bytes(vec![5; 64])] }
}

fn partial(attempt: u32, place: u16) -> Command {
    Command::RecordPartial { transfer: transfer(1), partial: part(attempt, place) }
}

fn places(book: &Book) -> Vec<u16> {
    let attempts = book.state.transfers[&transfer(1)].attempts().unwrap();
    attempts.partials.keys().copied().collect()
}

/// One cosigner signed.
fn partly_signed() -> Book {
    let mut book = signing(&[signer(1), signer(2)], 1);
    book.put(partial(1, 3)).unwrap();
    book
}

/// What another attempt follows before it is signed, and others completed.
fn besides(attempt: u32) -> AttemptFound {
    AttemptFound { attempt, raw: Bytes(vec![3; 8]), transaction: txid(0x90) }
}

fn find(attempt: u32) -> Command {
    Command::RecordFound { transfer: transfer(1), found: besides(attempt) }
}

/// Another transaction follows the first, of which one cosigner's part is in the log.
fn superseded() -> Book {
    let mut book = partly_signed();
    let Command::AuthoriseAttempt { transfer, attempt, spends } =
        attempt(&book, 2, &[signer(1), signer(2)])
    else {
        unreachable!()
    };
    let attempt = AttemptAuthorised { unsigned: Bytes(vec![2; 8]), ..attempt };
    book.put(Command::AuthoriseAttempt { transfer, attempt, spends }).unwrap();
    book
}

/// For the golden files: the network has the first.
pub(crate) fn sent_besides() -> Book {
    let mut book = superseded();
    book.put(find(1)).unwrap();
    book
}

#[test]
fn what_others_completed_of_an_earlier_attempt_can_be_the_end() {
    let mut book = sent_besides();
    let known = &book.state.transfers[&transfer(1)];
    assert!(matches!(known, Transfer::Signing(_)), "the second is still being signed");
    assert_eq!(book.put(find(1)), Ok(vec![]), "the saga repeats its steps");
    // Whatever becomes of the second: it may be signed, and a node may say that it has it.
    book.put(signed(1, 2)).unwrap();
    book.put(broadcast(1, 2)).unwrap();
    let Command::ConfirmTransfer { transfer: id, confirmed, change } = confirm(1, 1, 1_000, None)
    else {
        unreachable!()
    };
    let confirmed = Confirmation { transaction: txid(0x90), ..confirmed };
    book.put(Command::ConfirmTransfer { transfer: id, confirmed, change }).unwrap();
    assert_eq!(book.state.transfers[&transfer(1)], Transfer::Closed(Closed::Confirmed));
}

#[test]
fn an_attempt_that_others_complete_after_the_next_was_signed_is_taken_too() {
    let mut book = superseded();
    book.put(signed(1, 2)).unwrap();
    book.put(broadcast(1, 2)).unwrap();
    book.put(find(1)).unwrap();
    assert!(matches!(book.state.transfers[&transfer(1)], Transfer::Broadcast(_)));
    // What replaces them now costs more than both.
    book.refused(find(3), Rule::AttemptState);
}

#[test]
fn only_an_earlier_attempt_that_nobody_has_signed_is_found() {
    let mut book = superseded();
    for attempt in [0, 2, 3] {
        book.refused(find(attempt), Rule::AttemptState);
    }
    // The same transaction under another number is the current one.
    let mut again = partly_signed();
    again.put(attempt(&again, 2, &[signer(2)])).unwrap();
    again.refused(find(1), Rule::AttemptState);
    let mut early = wallet_of(&[signer(1), signer(2)], 1);
    early.refused(find(1), Rule::TransferState);
    early.approved(1, LTC_WALLET, 1_000);
    early.refused(find(1), Rule::TransferState);
    let forge = |book: &Book, attempt: u32| {
        let event = Event::from(TransferEvent::from(besides(attempt)));
        book.forge(Stream::Transfer(transfer(1)), event)
    };
    assert!(forge(&book, 1).is_ok());
    for (book, attempt) in [(&book, 2), (&book, 3), (&sent_besides(), 1), (&early, 1)] {
        assert!(forge(book, attempt).is_err(), "attempt {attempt}");
    }
}

#[test]
fn each_place_signs_once_and_the_transaction_follows() {
    let mut book = partly_signed();
    let mut other = part(1, 3);
    other.signatures = vec![Bytes(vec![6; 64])];
    for again in [part(1, 3), other] {
        let record = Command::RecordPartial { transfer: transfer(1), partial: again };
        assert_eq!(book.put(record), Ok(vec![]), "the first word of a place counts");
    }
    book.put(partial(1, 1)).unwrap();
    assert_eq!(places(&book), [1, 3]);
    book.put(signed(1, 1)).unwrap();
    assert_eq!(book.put(partial(1, 2)), Ok(vec![]), "a late cosigner is no news");
    assert!(matches!(book.state.transfers[&transfer(1)], Transfer::Signed(_)));
}

#[test]
fn a_part_is_of_the_current_attempt_and_of_a_place_that_there_is() {
    let mut book = signing(&[signer(1), signer(2)], 1);
    for (attempt, place) in [(1, 0), (1, 4), (2, 1), (0, 1)] {
        book.refused(partial(attempt, place), Rule::AttemptState);
    }
    for signatures in [vec![], vec![Bytes(vec![5; 63])], vec![Bytes(vec![5; 64]), Bytes(vec![])]] {
        let partial = PartiallySigned { signatures, ..part(1, 1) };
        let record = Command::RecordPartial { transfer: transfer(1), partial };
        book.refused(record, Rule::AttemptState);
    }
    let mut single = Book::funded();
    single.signing(1, LTC_WALLET, 1_000);
    single.refused(partial(1, 1), Rule::AttemptState);
    single.refused(
        Command::RecordPartial { transfer: transfer(9), partial: part(1, 1) },
        Rule::TransferState,
    );
}

#[test]
fn nobody_forges_a_part_of_a_strange_place_or_twice() {
    let book = partly_signed();
    let stream = Stream::Transfer(transfer(1));
    let forge = |part: PartiallySigned| {
        let event = Event::from(TransferEvent::from(part));
        book.forge(stream, event)
    };
    assert!(forge(part(1, 1)).is_ok());
    for (attempt, place) in [(1, 3), (1, 0), (1, 4), (2, 1)] {
        assert!(forge(part(attempt, place)).is_err(), "attempt {attempt}, place {place}");
    }
    assert!(forge(PartiallySigned { signatures: Vec::new(), ..part(1, 1) }).is_err());
    let event = Event::from(TransferEvent::from(part(1, 1)));
    assert!(book.forge(Stream::Transfer(transfer(2)), event).is_err());
}

#[test]
fn an_attempt_names_as_many_signers_as_can_complete_it_with_the_cosigners() {
    let mut book = wallet_of(&[signer(1), signer(2)], 1);
    book.approved(1, LTC_WALLET, 1_000);
    let strange: [&[SignerId]; 3] = [&[], &[signer(3)], &[signer(1), signer(1)]];
    for signers in strange {
        book.refused(attempt(&book, 1, signers), Rule::AttemptState);
    }
    // One signer, and the cosigner that is none.
    book.put(attempt(&book, 1, &[signer(2)])).unwrap();
    assert_eq!(book.authorised(1, 1), Ok(()));
    let Command::AuthoriseAttempt { spends: Spends::Coins(coins), .. } = book.attempt(1, 2) else {
        unreachable!()
    };
    assert_eq!(coins.len(), 1);
    // Two cosigners complete it without any signer of ours.
    let mut book = wallet_of(&[signer(1)], 2);
    book.approved(1, LTC_WALLET, 1_000);
    book.put(attempt(&book, 1, &[])).unwrap();
}

#[test]
fn what_was_signed_of_a_transaction_counts_for_other_signers_of_it() {
    let mut book = signing(&[signer(1), signer(2)], 1);
    book.put(partial(1, 3)).unwrap();
    book.put(attempt(&book, 2, &[signer(2)])).unwrap();
    assert_eq!(places(&book), [3], "the same transaction");
    book.refused(partial(1, 1), Rule::AttemptState);
    let Command::AuthoriseAttempt { transfer, attempt, spends } =
        attempt(&book, 3, &[signer(1), signer(2)])
    else {
        unreachable!()
    };
    let attempt = AttemptAuthorised { unsigned: Bytes(vec![2; 8]), ..attempt };
    book.put(Command::AuthoriseAttempt { transfer, attempt, spends }).unwrap();
    assert!(places(&book).is_empty(), "another transaction");
}

#[test]
fn it_fails_only_when_the_cosigners_could_not_complete_it_either() {
    // Two signers and one cosigner: without both signers nobody can.
    let mut book = signing(&[signer(1), signer(2)], 1);
    let one = fail_with(1, vec![abstention(1, signer(1))]);
    book.refused(one, Rule::TransferAbstentions);
    book.put(fail_with(1, vec![abstention(1, signer(1)), abstention(1, signer(2))])).unwrap();
    // One signer and two cosigners: they can, whatever the signer swears.
    let mut book = signing(&[signer(1)], 2);
    book.refused(book.fail(1), Rule::TransferAbstentions);
    book.refused(fail_with(1, vec![abstention(1, signer(1))]), Rule::TransferAbstentions);
    let abandon = Subject::Abandon { transfer: transfer(1) };
    let (proposal, maker) = (ProposalId(Uuid::from_u128(0xe9)), MAKER);
    let expires_at = book.in_an_hour();
    book.put(Command::Propose { proposal, subject: abandon, maker, expires_at }).unwrap();
    book.approve(proposal, &[ANN, BEN]);
    assert!(book.state.transfers[&transfer(1)].attempts().unwrap().is_abandoned());
}

#[test]
fn nobody_forges_a_cosigners_proof() {
    let book = wallet_of(&[signer(1), signer(2)], 1);
    let fresh = || CosignerProven { epoch: 1, place: 3, signature: Bytes(vec![7; 64]) };
    let mut unproven = Book::founded();
    unproven.put(asked_for(&[signer(1), signer(2)], 1)).unwrap();
    let forge = |book: &Book, proven: CosignerProven| {
        book.forge(Stream::Key(MULTISIG), Event::from(KeyEvent::from(proven)))
    };
    assert!(forge(&unproven, fresh()).is_err(), "the key is not made yet");
    assert!(forge(&book, fresh()).is_err(), "the first word of a place counts");
    let mut half = made(&[signer(1), signer(2)], 1);
    for wrong in [
        CosignerProven { place: 0, ..fresh() },
        CosignerProven { place: 4, ..fresh() },
        CosignerProven { epoch: 2, ..fresh() },
        CosignerProven { signature: Bytes(vec![7; 63]), ..fresh() },
    ] {
        assert!(forge(&half, wrong.clone()).is_err(), "{wrong:?}");
        assert!(half.put(Command::ProveCosigner { key: MULTISIG, proven: wrong }).is_err());
    }
    assert!(forge(&half, fresh()).is_ok());
    half.put(Command::ProveCosigner { key: MULTISIG, proven: fresh() }).unwrap();
    let again = Command::ProveCosigner { key: MULTISIG, proven: fresh() };
    assert_eq!(half.put(again), Ok(vec![]));
    // One part is not the whole: no wallet yet.
    let (network, tier) = (Network::LitecoinRegtest, Tier::Hot);
    let create =
        Command::CreateWallet { wallet: LTC_WALLET, network, key: MULTISIG, tier, by: MAKER };
    half.refused(create, Rule::KeyUnproven);
}

#[test]
fn a_plan_of_cosigners_has_a_key_to_spare_and_a_signer_that_reads_the_log() {
    for (signers, cosigners, threshold) in [(0, 3, 2), (1, 1, 2), (3, 0, 3), (3, 0, 1), (4, 7, 2)] {
        let signers: Vec<_> = (1..=signers).map(signer).collect();
        let mut book = Book::founded();
        let mut command = asked_for(&signers, cosigners);
        if let Command::RequestKey { plan, .. } = &mut command {
            plan.threshold = threshold;
        }
        book.refused(command, Rule::CeremonyPlan);
    }
    let mut book = Book::founded();
    let mut twice = asked_for(&[signer(1)], 2);
    if let Command::RequestKey { cosigners, .. } = &mut twice {
        cosigners[1].key = cosigners[0].key.clone();
    }
    book.refused(twice, Rule::CeremonyPlan);
}
