//! One officer stops things at once; only a quorum lets them go on. Signers hold to it.

use crate::{book::*, house::*, names::*};
use strongroom_domain::{
    Command, Event, FreezeId, KeyId, ProposalId, Rule, Stream,
    freeze::{self, FreezeEvent, FreezeScope},
    key::{KeyEvent, QuarantinedBy, Released},
    proposal::Subject,
    transfer::{Stopped, TransferEvent},
};
use uuid::Uuid;

fn freeze_id(n: u8) -> FreezeId {
    FreezeId(Uuid::from_u128(0xf0 + u128::from(n)))
}

fn freeze(n: u8, scope: FreezeScope) -> Command {
    let because = "a report of theft".to_owned();
    Command::Freeze(freeze::Set { freeze: freeze_id(n), scope, by: OLA, because })
}

fn ask(book: &Book, n: u8, subject: Subject) -> (ProposalId, Command) {
    let proposal = ProposalId(Uuid::from_u128(0xa0 + u128::from(n)));
    let expires_at = book.in_an_hour();
    (proposal, Command::Propose { proposal, subject, maker: MAKER, expires_at })
}

fn stop(n: u8) -> Command {
    let stopped = Stopped { by: OLA, because: "the payee called".to_owned() };
    Command::StopTransfer { transfer: transfer(n), stopped }
}

fn halt(key: KeyId) -> Command {
    let halted = QuarantinedBy { by: OLA, because: "a stolen laptop".to_owned() };
    Command::HaltKey { key, halted }
}

#[test]
fn a_freeze_stops_requests_and_attempts_and_signers() {
    let mut book = Book::house();
    book.approved(1, LTC_WALLET, 1_000);
    book.signing(2, LTC_WALLET, 1_000);
    book.authorised(2, 1).unwrap();
    book.put(freeze(1, FreezeScope::Everything)).unwrap();
    book.refused(book.request(3, LTC_WALLET, 1_000), Rule::Frozen);
    book.refused(book.attempt(1, 1), Rule::Frozen);
    // One entry later the signers' own fold refuses what was authorised before.
    assert_eq!(book.authorised(2, 1).unwrap_err().rule, Rule::Frozen);
}

#[test]
fn a_freeze_covers_what_it_names_and_nothing_else() {
    for (scope, ltc, eth) in [
        (FreezeScope::Wallet(LTC_WALLET), true, false),
        (FreezeScope::Client(CLIENT), true, true),
        (
            FreezeScope::Destination {
                network: strongroom_domain::Network::EthereumDev,
                address: address("0xExchange"),
            },
            false,
            true,
        ),
    ] {
        let mut book = Book::house();
        book.put(freeze(1, scope.clone())).unwrap();
        for (n, wallet, frozen) in [(1, LTC_WALLET, ltc), (2, ETH_WALLET, eth)] {
            let asked = book.put(book.request(n, wallet, 1_000));
            assert_eq!(asked.is_err(), frozen, "{scope}: {asked:?}");
        }
    }
}

#[test]
fn only_an_officer_freezes_and_only_what_exists() {
    let mut book = Book::house();
    for by in [MAKER, ANN, ADA] {
        let because = "because".to_owned();
        let scope = FreezeScope::Everything;
        let set = freeze::Set { freeze: freeze_id(1), scope, by, because };
        book.refused(Command::Freeze(set), Rule::RoleMissing);
    }
    let nobody = FreezeScope::Client(strongroom_domain::ClientId(Uuid::from_u128(0x99)));
    book.refused(freeze(1, nobody), Rule::AccountState);
    let nothing = FreezeScope::Wallet(strongroom_domain::WalletId(Uuid::from_u128(0x99)));
    book.refused(freeze(1, nothing), Rule::WalletState);
}

#[test]
fn a_quorum_lifts_a_freeze_and_what_stood_still_goes_on() {
    let mut book = Book::house();
    book.signing(1, LTC_WALLET, 1_000);
    book.put(freeze(1, FreezeScope::Wallet(LTC_WALLET))).unwrap();
    let (proposal, ask) = ask(&book, 1, Subject::Unfreeze { freeze: freeze_id(1) });
    book.put(ask).unwrap();
    book.approve(proposal, &[ANN]);
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::Frozen);
    book.approve(proposal, &[BEN]);
    book.authorised(1, 1).unwrap();
    let lifted = book.history.iter().any(|recorded| {
        matches!(&recorded.event, Event::Freeze(FreezeEvent::Lifted(by)) if by.proposal == proposal)
    });
    assert!(lifted, "the log says whose quorum it was");
}

#[test]
fn what_does_not_stand_is_not_asked_about() {
    let mut book = Book::house();
    let (_, ask) = ask(&book, 1, Subject::Unfreeze { freeze: freeze_id(1) });
    book.refused(ask, Rule::FreezeState);
}

#[test]
fn a_transfer_is_stopped_before_signers_hear_of_it_and_never_after() {
    let mut book = Book::house();
    let request = book.request(1, LTC_WALLET, 1_000);
    book.put(request).unwrap();
    book.approved(2, LTC_WALLET, 1_000);
    book.signing(3, LTC_WALLET, 1_000);
    for n in [1, 2] {
        book.put(stop(n)).unwrap();
        assert_eq!(book.state.transfers[&transfer(n)].name(), "stopped");
        assert_eq!(book.state.proposals[&question(n)].name(), "burnt");
    }
    book.refused(stop(3), Rule::TransferState);
    book.refused(stop(1), Rule::TransferState);
    let held = book.state.accounts[&LTC_ACCOUNT].claim().unwrap().holds.len();
    assert_eq!(held, 1, "what was stopped holds nothing");
}

#[test]
fn only_an_officer_stops_a_transfer() {
    let mut book = Book::house();
    book.approved(1, LTC_WALLET, 1_000);
    let stopped = Stopped { by: MAKER, because: "mine".to_owned() };
    let command = Command::StopTransfer { transfer: transfer(1), stopped };
    book.refused(command, Rule::RoleMissing);
}

#[test]
fn an_officer_takes_a_key_out_of_use_and_a_quorum_releases_it() {
    let mut book = Book::house();
    book.signing(1, LTC_WALLET, 1_000);
    book.put(halt(FROST_KEY)).unwrap();
    assert_eq!(book.authorised(1, 1).unwrap_err().rule, Rule::SignerKey);
    let (proposal, ask) = ask(&book, 1, Subject::ReleaseKey { key: FROST_KEY });
    book.put(ask).unwrap();
    book.approve(proposal, &[ANN, BEN]);
    book.authorised(1, 1).unwrap();
    book.refused(
        Command::HaltKey {
            key: FROST_KEY,
            halted: QuarantinedBy { by: ANN, because: "no officer".to_owned() },
        },
        Rule::RoleMissing,
    );
}

/// A hostile server writes what nobody said.
#[test]
fn nobody_is_spoken_for() {
    let mut book = Book::house();
    book.approved(1, LTC_WALLET, 1_000);
    book.put(freeze(1, FreezeScope::Everything)).unwrap();
    let by = ANN;
    let because = "forged".to_owned();
    let proposal = question(1);
    let forged: [(Stream, Event); 5] = [
        (
            Stream::Freezes,
            FreezeEvent::from(freeze::Set {
                freeze: freeze_id(2),
                scope: FreezeScope::Everything,
                by,
                because: because.clone(),
            })
            .into(),
        ),
        (
            Stream::Freezes,
            FreezeEvent::from(freeze::Lifted { freeze: freeze_id(1), proposal }).into(),
        ),
        (
            Stream::Transfer(transfer(1)),
            TransferEvent::from(Stopped { by, because: because.clone() }).into(),
        ),
        (Stream::Key(FROST_KEY), KeyEvent::from(QuarantinedBy { by, because }).into()),
        (Stream::Key(FROST_KEY), KeyEvent::from(Released { proposal }).into()),
    ];
    for (stream, event) in forged {
        let kind = event.kind().0;
        assert!(book.forge(stream, event).is_err(), "{kind} was accepted");
    }
}
