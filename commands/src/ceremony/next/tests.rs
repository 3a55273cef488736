//! Every state of a key and every answer of a signer.

use super::*;
use std::collections::BTreeMap;
use strongroom_domain::{
    Bytes, KeyId, ProposalId, Refusal,
    key::{Active, Asked, CeremonyPlan, Confirmed, Proof},
};
use uuid::Uuid;

const A: SignerId = SignerId(Uuid::from_u128(1));
const B: SignerId = SignerId(Uuid::from_u128(2));

fn plan(protocol: Protocol, participants: &[SignerId]) -> CeremonyPlan {
    let threshold = u16::try_from(participants.len()).unwrap();
    let key = KeyId(Uuid::from_u128(5));
    CeremonyPlan { key, protocol, threshold, participants: participants.to_vec() }
}

fn confirmed(signer: SignerId) -> Confirmed {
    let (public_key, public_package) = (Bytes::default(), Bytes::default());
    Confirmed { signer, public_key, public_package, signature: Bytes::default() }
}

fn under_way(plan: CeremonyPlan, published: &[SignerId], made: &[SignerId]) -> Key {
    Key::Ceremony(Ceremony {
        plan,
        cosigners: Vec::new(),
        proof: Proof::Awaited,
        rounds: BTreeMap::new(),
        proposal: ProposalId(Uuid::from_u128(6)),
        round_one: published.iter().map(|id| (*id, Bytes::default())).collect(),
        confirmed: made.iter().map(|id| (*id, confirmed(*id))).collect(),
    })
}

#[test]
fn every_state_of_a_key_has_its_step() {
    let frost = || plan(Protocol::FrostSecp256k1Tr, &[A, B]);
    let active = || Active {
        plan: frost(),
        epoch: 1,
        holders: BTreeMap::from([(1, A), (2, B)]),
        former: BTreeMap::new(),
        epochs_asked: 1,
        change: None,
        backups: BTreeMap::new(),
        drilled: BTreeMap::new(),
        cosigners: Vec::new(),
        expressions: BTreeMap::new(),
        parts: BTreeMap::new(),
        proof: Proof::Awaited,
        public_key: Bytes::default(),
        public_package: Bytes::default(),
        retired: false,
        wallet: None,
        proposal: ProposalId(Uuid::from_u128(6)),
    };
    let requested = Asked {
        plan: frost(),
        cosigners: Vec::new(),
        proposal: ProposalId(Uuid::from_u128(6)),
        proof: Proof::Awaited,
    };
    for over in [
        Key::Unknown,
        Key::Requested(requested),
        Key::Active(active()),
        Key::Failed,
        Key::Quarantined(active()),
    ] {
        assert_eq!(step(&over), Step::Over, "{}", over.name());
    }
    let token = plan(Protocol::Pkcs11Secp256k1, &[A]);
    assert_eq!(step(&under_way(token, &[], &[])), Step::Alone(A));
    for (published, made, next) in [
        (&[][..], &[][..], Step::Begin(vec![A, B])),
        (&[B], &[], Step::Begin(vec![A])),
        (&[A, B], &[], Step::Exchange(vec![A, B])),
        // Those that have made their part still owe the others their letters.
        (&[A, B], &[A], Step::Exchange(vec![A, B])),
    ] {
        assert_eq!(step(&under_way(frost(), published, made)), next);
    }
}

#[test]
fn only_what_passes_by_itself_is_waited_for() {
    for rule in Rule::ALL {
        let found = trouble(A, Reply::Refused(Refusal::new(*rule, "because")));
        let passes = [Rule::SignerLogBehind, Rule::SignerNotCovered, Rule::SignerClock];
        if passes.contains(rule) {
            assert!(matches!(found, Trouble::Wait(_)), "{rule}");
        } else if *rule == Rule::SignerProtocol {
            assert!(matches!(found, Trouble::Forgotten(_)), "{rule}");
        } else {
            assert!(matches!(found, Trouble::Fail(_)), "{rule}");
        }
    }
    let away = Reply::Unavailable { because: "no token".to_owned() };
    assert_eq!(trouble(A, away), Trouble::Wait(format!("signer {A}: no token")));
    for reply in [
        Reply::Corrupt { because: "a wrong proof".to_owned(), culprit: Some(B) },
        Reply::RoundOne { package: Bytes::default() },
        Reply::Confirmed { confirmed: confirmed(B) },
        Reply::Shares { shares: Vec::new() },
    ] {
        assert!(matches!(trouble(A, reply), Trouble::Fail(_)));
    }
}

#[test]
fn letters_go_to_their_receivers_and_nobody_writes_in_anothers_name() {
    let letter = |sender, receiver| Sealed { sender, receiver, sealed: Bytes(vec![1]) };
    let given = BTreeMap::from([(A, vec![letter(A, B), letter(B, A)]), (B, vec![letter(B, A)])]);
    let sorted = by_receiver(given);
    assert_eq!(sorted[&B], [letter(A, B)]);
    assert_eq!(sorted[&A], [letter(B, A)]);
}

#[test]
fn the_members_of_a_pool_follow_the_one_that_makes_the_key() {
    for protocol in Protocol::ALL {
        if protocol.custody() != strongroom_domain::key::Custody::Whole {
            continue;
        }
        let pool = || CeremonyPlan { threshold: 1, ..plan(protocol, &[A, B]) };
        assert_eq!(step(&under_way(pool(), &[], &[])), Step::Alone(A));
        assert_eq!(step(&under_way(pool(), &[], &[A])), Step::Alone(B));
        assert_eq!(step(&under_way(pool(), &[], &[A, B])), Step::Over);
    }
}
