//! The texts that people sign, letter for letter. A change here would make signatures that were
//! given under the old text worthless.

use crate::{asks::*, book::*, golden::same_text, names::*};
use strongroom_domain::{
    Bytes, Command, Digest, Head, ProposalId,
    charter::Resumption,
    statement::{self, Answer},
};
use uuid::Uuid;

const QUESTION: ProposalId = ProposalId(Uuid::from_u128(0x90));

#[test]
fn the_statement_for_a_transfer_says_everything_about_it() {
    let mut book = Book::funded_v1();
    book.put(book.request(1, LTC_WALLET, 50_000)).unwrap();
    same_text("approve-transfer.v1.txt", &book.statement(question(1), ANN, Answer::Approve));
    same_text("decline-transfer.v1.txt", &book.statement(question(1), BEN, Answer::Decline));
}

#[test]
fn the_statement_for_a_ceremony_names_the_key_and_its_holders() {
    let mut book = Book::founded_v1();
    let (plan, maker, expires_at) = (frost_plan(), MAKER, book.in_an_hour());
    book.put(Command::RequestCeremony { proposal: QUESTION, plan, maker, expires_at }).unwrap();
    same_text("approve-ceremony.v1.txt", &book.statement(QUESTION, ANN, Answer::Approve));
}

#[test]
fn the_statement_for_a_policy_has_every_word_of_it() {
    let mut book = Book::founded_v1();
    let mut policy = policy();
    policy.version = 2;
    let (maker, expires_at) = (MAKER, book.in_an_hour());
    book.put(Command::ProposePolicy { proposal: QUESTION, policy, maker, expires_at }).unwrap();
    same_text("approve-policy.v1.txt", &book.statement(QUESTION, ANN, Answer::Approve));
}

#[test]
fn the_founding_statement_has_every_word_of_the_charter() {
    same_text("founding.v2.txt", &statement::founding_v2(&charter()));
}

#[test]
fn the_founding_statement_of_version_1_is_what_it_was() {
    same_text("founding.v1.txt", &statement::founding_v1(&charter_v1()));
}

#[test]
fn the_statement_for_a_resumption_says_what_is_given_up() {
    let head = |position, byte| Head { position, leaf: Digest([byte; 32]) };
    let resumption =
        Resumption { log: LOG, number: 1, abandoned: head(120, 2), from: head(100, 1) };
    same_text("resumption.v1.txt", &statement::resumption(&resumption, ANN));
}

#[test]
fn a_signers_confirmation_names_log_key_and_signer() {
    let (key, package) = (Bytes(vec![2; 33]), Bytes(vec![7; 4]));
    let text = statement::confirmation(LOG, FROST_KEY, signer(1), &key, &package);
    same_text("confirmation.v1.txt", &text);
}

#[test]
fn a_signers_abstention_names_log_transfer_and_signer() {
    same_text("abstention.v1.txt", &statement::abstention(LOG, transfer(1), signer(1)));
}

/// A network and its test network have the same units: the text must tell them apart, because
/// nothing else binds a founding signature.
#[test]
fn no_two_policies_read_alike() {
    use strongroom_domain::{Network, charter::CharterTextV2};
    let network = Network::Litecoin;
    let changes: [&dyn Fn(&mut CharterTextV2); 15] = [
        &|c| c.log_key_ml_dsa_44 = Bytes(vec![6; 1312]),
        &|c| c.signers[0].witness_key = public(&witness_key_of(9)),
        &|c| c.witnessing.threshold = 5,
        &|c| drop(c.witnessing.outside.pop()),
        &|c| c.witnessing.outside[0].name.push('x'),
        &|c| c.witnessing.outside[1].key = Bytes(vec![7; 1312]),
        &|c| c.policy.tiers[0].asset = network.native_asset(),
        &|c| c.policy.tiers[0].quorum.approvals = 3,
        &|c| c.policy.destinations[0].network = network,
        &|c| c.policy.destinations[0].label = label("other"),
        &|c| {
            let cap = c.policy.fee_caps.remove(&LTC).unwrap();
            c.policy.fee_caps.insert(network.native_asset(), cap);
        },
        &|c| {
            let blocks = c.policy.confirmations.remove(&Network::LitecoinRegtest).unwrap();
            c.policy.confirmations.insert(network, blocks);
        },
        &|c| c.policy.proposal_lifetime_s += 1,
        &|c| c.governance.approvals = 3,
        &|c| c.people[5].roles.clear(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut other = charter();
        change(&mut other);
        assert_ne!(
            statement::founding_v2(&other),
            statement::founding_v2(&charter()),
            "change {n}"
        );
    }
}
