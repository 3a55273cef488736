//! Letters open for exactly one use. Each test changes one thing and must see a refusal.

use strongroom_secrets::Secret;
use uuid::Uuid;

use super::{LetterError, Letterhead, SealingKey, SealingPublic};

fn head() -> Letterhead<'static> {
    Letterhead {
        protocol: "dkg",
        session: Uuid::from_u128(1),
        round: 2,
        sender: Uuid::from_u128(10),
        receiver: Uuid::from_u128(11),
    }
}

fn secret() -> Secret {
    Secret::new(b"a dealt share".to_vec())
}

#[test]
fn a_letter_opens_for_its_receiver_from_its_sender() {
    let (alice, bob) = (SealingKey::generate(), SealingKey::generate());
    let sealed = alice.seal(&bob.public(), &head(), &secret()).unwrap();
    assert!(!sealed.windows(5).any(|window| window == b"dealt"));
    assert!(bob.open(&alice.public(), &head(), &sealed).unwrap() == secret());
    let again = SealingKey::from_bytes(bob.to_secret().expose()).unwrap();
    assert!(again.open(&alice.public(), &head(), &sealed).unwrap() == secret());
}

#[test]
fn a_letter_of_another_session_round_protocol_sender_or_receiver_is_refused() {
    let (alice, bob) = (SealingKey::generate(), SealingKey::generate());
    let sealed = alice.seal(&bob.public(), &head(), &secret()).unwrap();
    let others = [
        Letterhead { protocol: "refresh", ..head() },
        Letterhead { session: Uuid::from_u128(2), ..head() },
        Letterhead { round: 1, ..head() },
        Letterhead { sender: Uuid::from_u128(12), ..head() },
        Letterhead { receiver: Uuid::from_u128(12), ..head() },
    ];
    for other in others {
        assert_eq!(bob.open(&alice.public(), &other, &sealed).err(), Some(LetterError::Refused));
    }
}

#[test]
fn a_letter_does_not_open_for_a_third_nor_come_back_to_its_sender() {
    let (alice, bob, eve) =
        (SealingKey::generate(), SealingKey::generate(), SealingKey::generate());
    let sealed = alice.seal(&bob.public(), &head(), &secret()).unwrap();
    assert!(eve.open(&alice.public(), &head(), &sealed).is_err());
    assert!(bob.open(&eve.public(), &head(), &sealed).is_err());
    // The box's key is the same in both directions; the letterhead is not.
    let back = Letterhead { sender: head().receiver, receiver: head().sender, ..head() };
    assert!(alice.open(&bob.public(), &back, &sealed).is_err());
}

#[test]
fn a_changed_or_cut_letter_is_refused() {
    let (alice, bob) = (SealingKey::generate(), SealingKey::generate());
    let sealed = alice.seal(&bob.public(), &head(), &secret()).unwrap();
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(bob.open(&alice.public(), &head(), &changed).is_err(), "byte {place}");
        assert!(bob.open(&alice.public(), &head(), &sealed[..place]).is_err(), "length {place}");
    }
}

#[test]
fn points_that_share_their_secret_with_everybody_are_no_keys() {
    // The points of order 1, 2 and 4 in Montgomery form, and p itself (RFC 7748, section 6.1).
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut p = minus_one;
    p[0] = 0xed;
    // One of the two points of order 8.
    let eight = hex::decode("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    for bytes in [vec![0; 32], one.to_vec(), minus_one.to_vec(), p.to_vec(), eight.unwrap()] {
        assert_eq!(SealingPublic::from_bytes(&bytes), Err(LetterError::PublicKey));
    }
    assert_eq!(SealingPublic::from_bytes(&[9; 31]), Err(LetterError::PublicKey));
    for _ in 0..20 {
        let public = SealingKey::generate().public();
        assert_eq!(SealingPublic::from_bytes(&public.to_bytes()).as_ref(), Ok(&public));
    }
}
