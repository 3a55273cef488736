//! Notes, checkpoints, cosignatures, policies, requests and receipts, byte by byte. Never with golden
//! files of this crate's own making: `golden/make_proofs.py` made them from the specifications.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use strongroom_ledger::export::Reader;
use strongroom_ledger::tree::{prove_consistency, prove_inclusion};
use strongroom_ledger::witness::{SIZE_CONTENT_TYPE, consider};
use strongroom_ledger::{
    AddCheckpoint, Checkpoint, CountError, Frontier, Hash, KeyName, LogKeys, LogVerifier, Note,
    NoteError, ProofError, Receipt, ReceiptError, Tile, Tiles, Timestamp, TreeHead,
    UnprovenReceipt, WitnessKey, WitnessPolicy, WitnessRefusal, cosignature, leaf_hash,
};

const CHECKPOINT: &str = include_str!("golden/checkpoint.txt");
const POLICY: &str = include_str!("golden/policy.txt");
const ADD_CHECKPOINT: &str = include_str!("golden/add-checkpoint.txt");
const RECEIPT: &str = include_str!("golden/receipt.tlog-proof");
const LOG: &str = include_str!("golden/log.jsonl");
const ORIGIN: &str = "strongroom/01936b0a-7c00-7000-8000-0000000000ff";
const TIME: u64 = 1_795_367_890;

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_micros(TIME * 1_000_000).unwrap()
}

fn log() -> LogKeys {
    LogKeys::from_seeds(&name(ORIGIN), &[1; 32], &[2; 32]).unwrap()
}

fn witnesses() -> [WitnessKey; 3] {
    let signer = |last| name(&format!("{ORIGIN}/signer/01936b0a-7c00-7000-8000-00000000000{last}"));
    [
        WitnessKey::ed25519(signer(1), &[3; 32]).unwrap(),
        WitnessKey::ed25519(signer(2), &[4; 32]).unwrap(),
        WitnessKey::ml_dsa_44(name("witness.example/w1"), &[5; 32]).unwrap(),
    ]
}

fn policy() -> WitnessPolicy {
    let keys = witnesses().map(|witness| witness.verifier().clone()).to_vec();
    WitnessPolicy::majority(log().verifier(), keys, 2).unwrap()
}

/// Entries and payloads of the golden log.
fn pairs() -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = Reader::new(LOG.as_bytes()).map(Result::unwrap);
    pairs.map(|pair| (pair.entry, pair.payload)).collect()
}

fn leaves() -> Vec<Hash> {
    pairs().iter().map(|(entry, _)| leaf_hash(entry)).collect()
}

fn head(size: usize) -> TreeHead {
    let mut frontier = Frontier::new();
    leaves().into_iter().take(size).for_each(|leaf| frontier.push(leaf, |_, _, _| ()));
    frontier.head()
}

fn tiles() -> Tiles {
    [(Tile::of(0, 0, 5).unwrap(), leaves())].into_iter().collect()
}

fn golden_note() -> Note {
    CHECKPOINT.parse().unwrap()
}

#[test]
fn the_golden_files_are_read_and_printed_as_they_are() {
    assert_eq!(CHECKPOINT.parse::<Note>().unwrap().to_string(), CHECKPOINT);
    assert_eq!(POLICY.parse::<WitnessPolicy>().unwrap().to_string(), POLICY);
    assert_eq!(ADD_CHECKPOINT.parse::<AddCheckpoint>().unwrap().to_string(), ADD_CHECKPOINT);
    assert_eq!(RECEIPT.parse::<Receipt>().unwrap().to_string(), RECEIPT);
    let note = golden_note();
    let checkpoint: Checkpoint = note.text().parse().unwrap();
    assert_eq!(checkpoint.to_string(), note.text());
}

#[test]
fn what_this_crate_makes_is_what_the_golden_files_say() {
    assert_eq!(policy().to_string(), POLICY);
    // All but the ML-DSA-44 signatures, which were made at random.
    let signed = log().sign(head(5), now()).unwrap();
    let golden = golden_note();
    assert_eq!(signed.note().text(), golden.text());
    assert_eq!(signed.note().signatures()[0], golden.signatures()[0]);
    let request: AddCheckpoint = ADD_CHECKPOINT.parse().unwrap();
    assert_eq!((request.old, request.origin()), (3, Some(ORIGIN)));
    assert_eq!(request.proof, prove_consistency(3, 5, &tiles()).unwrap());
    let accepted = consider(Some(head(3)), &log().verifier(), &request).unwrap();
    let cosignature = witnesses()[1].cosign(&accepted, now()).unwrap();
    assert_eq!(cosignature, golden.signatures()[2]);
    let (entry, payload) = pairs()[2].clone();
    let path = prove_inclusion(2, 5, &tiles()).unwrap();
    let receipt = Receipt::new(entry, payload, 2, path, golden).unwrap();
    assert_eq!(receipt.to_string(), RECEIPT);
}

#[test]
fn the_golden_checkpoint_counts() {
    let counting = POLICY.parse::<WitnessPolicy>().unwrap().counts(&golden_note()).unwrap();
    assert_eq!((counting.origin(), counting.head()), (ORIGIN, head(5)));
    assert_eq!(counting.signed().signed_at(), TIME);
    let cosigners: Vec<_> = counting.cosigners().iter().map(|by| by.name.as_str()).collect();
    assert_eq!(cosigners[1], "witness.example/w1");
    assert!(counting.cosigners().iter().all(|by| by.at == TIME) && cosigners.len() == 2);
}

#[test]
fn the_golden_receipt_proves_its_entry() {
    let checked = RECEIPT.parse::<Receipt>().unwrap().verify(&policy()).unwrap();
    assert_eq!(checked.position().get(), 3);
    assert_eq!(checked.entry().r#type, "transfer.requested");
    assert_eq!(checked.payload(), pairs()[2].1);
    assert_eq!(checked.checkpoint().head(), head(5));
}

fn receipt(change: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>, &mut u64, &mut Vec<Hash>)) -> Receipt {
    let (mut entry, mut payload) = pairs()[2].clone();
    let (mut index, mut path) = (2, prove_inclusion(2, 5, &tiles()).unwrap());
    change(&mut entry, &mut payload, &mut index, &mut path);
    Receipt::new(entry, payload, index, path, golden_note()).unwrap()
}

#[test]
fn a_receipt_with_one_thing_altered_proves_nothing() {
    let policy = policy();
    let unproven = |receipt: Receipt| receipt.verify(&policy).unwrap_err();
    receipt(|_, _, _, _| ()).verify(&policy).unwrap();
    let error = unproven(receipt(|entry, _, _, _| *entry = pairs()[3].0.clone()));
    assert!(matches!(error, UnprovenReceipt::Position { index: 2, .. }), "{error}");
    let error = unproven(receipt(|_, _, index, _| *index = 1));
    assert!(matches!(error, UnprovenReceipt::Position { index: 1, .. }), "{error}");
    let error = unproven(receipt(|_, payload, _, _| payload[10] ^= 1));
    assert!(matches!(error, UnprovenReceipt::Payload { .. }), "{error}");
    let error = unproven(receipt(|entry, _, _, _| entry[0] = b'['));
    assert!(matches!(error, UnprovenReceipt::Entry(_)), "{error}");
    let error = unproven(receipt(|_, _, _, path| path.truncate(2)));
    assert!(matches!(error, UnprovenReceipt::Inclusion(ProofError::Length { .. })), "{error}");
    let error = unproven(receipt(|_, _, _, path| path.swap(0, 1)));
    assert!(matches!(error, UnprovenReceipt::Inclusion(ProofError::Root { .. })), "{error}");
    // Another history that the log signed, but no witness.
    let mut other =
        log().sign(TreeHead { size: 5, root: Hash::ZERO }, now()).unwrap().note().clone();
    let (entry, payload) = pairs()[2].clone();
    for line in &golden_note().signatures()[2..] {
        other.add(line.clone()).unwrap();
    }
    let receipt = Receipt::new(entry, payload, 2, Vec::new(), other).unwrap();
    assert!(matches!(unproven(receipt), UnprovenReceipt::Checkpoint(CountError::Wrong(_))));
}

#[test]
fn a_receipt_has_one_spelling() {
    let error = |from: &str, to: &str| {
        assert!(RECEIPT.contains(from), "{from}");
        RECEIPT.replacen(from, to, 1).parse::<Receipt>().unwrap_err()
    };
    assert_eq!(error("@v1", "@v2"), ReceiptError::Header);
    assert_eq!(error("extra ", ""), ReceiptError::Extra);
    assert_eq!(error("extra ", "extra  "), ReceiptError::Extra);
    assert_eq!(error("index 2", "index 02"), ReceiptError::Index);
    assert_eq!(error("index 2", "index -2"), ReceiptError::Index);
    assert_eq!(error("index 2\n", "index 2\nAAAA\n"), ReceiptError::Path { line: 1 });
    assert_eq!(error("\n\n", "\n"), ReceiptError::Path { line: 4 });
    assert_eq!(error("\n\u{2014}", "\u{2014}"), ReceiptError::Note(NoteError::Shape));
    assert_eq!("".parse::<Receipt>(), Err(ReceiptError::Header));
    let long =
        RECEIPT.replacen("index 2\n", &format!("index 2\n{}", line_of_zeros().repeat(64)), 1);
    assert_eq!(long.parse::<Receipt>(), Err(ReceiptError::Path { line: 64 }));
    let new = |entry: &[u8], payload: &[u8]| {
        Receipt::new(entry.to_vec(), payload.to_vec(), 0, Vec::new(), golden_note())
    };
    assert_eq!(new(b"a\nb", b""), Err(ReceiptError::Extra));
    assert_eq!(new(b"a", b"b\nc"), Err(ReceiptError::Extra));
}

fn line_of_zeros() -> String {
    format!("{}=\n", "A".repeat(43))
}

#[test]
fn a_note_has_one_spelling() {
    let error = |note: &str| note.parse::<Note>().unwrap_err();
    let line = "\u{2014} name AAAAAAA=\n";
    assert!(format!("text\n\n{line}").parse::<Note>().is_ok());
    assert_eq!(format!("a\n\n\n{line}").parse::<Note>().unwrap().text(), "a\n\n");
    for shape in ["", "text\n", "text\n\n", &format!("text\n{line}"), &format!("\n{line}")] {
        assert_eq!(error(shape), NoteError::Shape, "{shape:?}");
    }
    assert_eq!(error(&format!("text\n\n{}", line.trim_end())), NoteError::Shape);
    assert_eq!(error(&format!("te\txt\n\n{line}")), NoteError::Control);
    for wrong in [
        "- name AAAAAAA=\n",
        "\u{2014} name  AAAAAAA=\n",
        "\u{2014}  AAAAAAA=\n",
        "\u{2014} na+me AAAAAAA=\n",
        "\u{2014} name AAAAAAA= \n",
        "\u{2014} name AAAAAAA\n",
        "\u{2014} name AAAAAAB=\n",
        "\u{2014} name AAAAAA==\n",
        "\u{2014} name\n",
    ] {
        assert_eq!(error(&format!("text\n\n{line}{wrong}")), NoteError::Signature { line: 2 });
    }
    assert_eq!(error(&format!("text\n\n{}", line.repeat(65))), NoteError::TooLong);
    assert_eq!(error(&format!("{}\n\n{line}", "a".repeat(300_000))), NoteError::TooLong);
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let root = line_of_zeros();
    let good = format!("origin\n7\n{root}");
    let checkpoint: Checkpoint = good.parse().unwrap();
    assert_eq!(checkpoint.head(), TreeHead { size: 7, root: Hash::ZERO });
    let extended: Checkpoint = format!("{good}ext\n").parse().unwrap();
    assert_eq!((extended.extensions(), extended.to_string()), ("ext\n", format!("{good}ext\n")));
    for wrong in [
        String::new(),
        "origin\n7\n".to_owned(),
        format!("\n7\n{root}"),
        format!("origin\n07\n{root}"),
        format!("origin\n+7\n{root}"),
        format!("origin\n\n{root}"),
        format!("origin\n9223372036854775808\n{root}"),
        format!("{good}\n"),
        good.trim_end().to_owned(),
        good.replace('=', "B"),
        good.replace("A=", "B="),
        good.replace("AAAA", ""),
    ] {
        assert!(wrong.parse::<Checkpoint>().is_err(), "{wrong:?}");
    }
}

/// A note as another program might sign it: with a line after the root.
#[test]
fn extension_lines_are_no_part_of_ours() {
    let extended = CHECKPOINT.replacen("\n\n", "\nextension\n\n", 1);
    let error = policy().counts(&extended.parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("extension lines"), "{error}");
}

#[test]
fn the_messages_are_those_of_the_specification() {
    // C2SP tlog-cosignature, "Ed25519 signed message".
    let text = "example.com/behind-the-sofa\n20852163\n\
                CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let message = cosignature::cosignature_v1(1_679_315_147, text);
    assert_eq!(message, format!("cosignature/v1\ntime 1679315147\n{text}").into_bytes());
    let head = text.parse::<Checkpoint>().unwrap().head();
    let message = cosignature::cosigned_message(&name("w"), 1, "log", head).unwrap();
    let expected = [
        b"subtree/v1\n\0\x01w\0\0\0\0\0\0\0\x01\x03log\0\0\0\0\0\0\0\0\0\0\0\0\x01\x3e\x2d\xc3"
            .as_slice(),
        head.root.as_bytes(),
    ]
    .concat();
    assert_eq!(message, expected);
    assert_eq!(cosignature::cosigned_message(&name("w"), 1, &"a".repeat(256), head), None);
    assert_eq!(cosignature::cosigned_message(&name("w"), 1, "", head), None);
}

fn request() -> AddCheckpoint {
    ADD_CHECKPOINT.parse().unwrap()
}

fn refusal(last: Option<TreeHead>, log: &LogVerifier, request: &AddCheckpoint) -> WitnessRefusal {
    consider(last, log, request).unwrap_err()
}

#[test]
fn a_witness_answers_as_the_protocol_says() {
    let ours = log().verifier();
    let accepted = consider(Some(head(3)), &ours, &request()).unwrap();
    assert_eq!(accepted.head(), head(5));
    // The same again, after the first was persisted: the proof from 5 to 5 is empty.
    let again = AddCheckpoint { old: 5, proof: Vec::new(), ..request() };
    consider(Some(head(5)), &ours, &again).unwrap();
    let first = AddCheckpoint { old: 0, proof: Vec::new(), ..request() };
    consider(None, &ours, &first).unwrap();

    let text = ADD_CHECKPOINT.replacen(ORIGIN, &format!("{ORIGIN}\nx"), 1);
    assert_eq!(refusal(None, &ours, &text.parse().unwrap()).status(), 400);
    let other = LogKeys::from_seeds(&name("other"), &[1; 32], &[2; 32]).unwrap().verifier();
    assert_eq!(refusal(None, &other, &first).status(), 404);
    let other = LogKeys::from_seeds(&name(ORIGIN), &[1; 32], &[9; 32]).unwrap().verifier();
    assert_eq!(refusal(None, &other, &first).status(), 403);
    let larger = AddCheckpoint { old: 6, ..request() };
    assert_eq!(refusal(Some(head(3)), &ours, &larger).status(), 400);
    let conflict = refusal(Some(head(4)), &ours, &request());
    assert_eq!((conflict.status(), conflict.body()), (409, "4\n".to_owned()));
    assert_eq!(refusal(None, &ours, &request()).body(), "0\n");
    assert_eq!(SIZE_CONTENT_TYPE, "text/x.tlog.size");

    let fork = TreeHead { size: 3, root: Hash::ZERO };
    assert_eq!(refusal(Some(fork), &ours, &request()).status(), 422);
    let fork = TreeHead { size: 5, root: Hash::ZERO };
    assert_eq!(refusal(Some(fork), &ours, &again).status(), 422);
    let proof = AddCheckpoint { old: 0, ..request() };
    assert_eq!(refusal(None, &ours, &proof).status(), 422);
    let none = AddCheckpoint { proof: Vec::new(), ..request() };
    assert_eq!(refusal(Some(head(3)), &ours, &none).status(), 422);
    for (root, status) in [(TreeHead::EMPTY.root, None), (Hash::ZERO, Some(422))] {
        let empty = log().sign(TreeHead { size: 0, root }, now()).unwrap().note().clone();
        let empty = AddCheckpoint { old: 0, proof: Vec::new(), checkpoint: empty };
        assert_eq!(consider(None, &ours, &empty).err().map(|error| error.status()), status);
    }
}

#[test]
fn a_request_has_one_spelling() {
    let wrong = |from: &str, to: &str| {
        assert!(ADD_CHECKPOINT.contains(from), "{from}");
        ADD_CHECKPOINT.replacen(from, to, 1).parse::<AddCheckpoint>().unwrap_err().to_string()
    };
    assert!(wrong("old 3", "old 03").contains("begins with 'old <size>'"));
    assert!(wrong("old 3", "3").contains("begins with 'old <size>'"));
    assert!(wrong("old 3\n", "old 3\nAAAA\n").contains("line 1 of the consistency proof"));
    assert!(wrong("\n\n", "\n").contains("of the consistency proof"));
    let lines = format!("old 3\n{}", line_of_zeros().repeat(60));
    assert!(wrong("old 3\n", &lines).contains("at most 63 lines"));
    assert!("old 3\n".parse::<AddCheckpoint>().is_err());
    assert!("old 3\n\n".parse::<AddCheckpoint>().is_err());
}

#[test]
fn time_and_room_are_needed_to_sign() {
    let log = log();
    assert!(log.sign(head(5), Timestamp::EPOCH).is_err());
    let widest = name(&"o".repeat(255));
    let keys = LogKeys::from_seeds(&widest, &[1; 32], &[2; 32]).unwrap();
    keys.verifier().verify(keys.sign(head(5), now()).unwrap().note()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_printed_is_read_as_it_was(
        size in 0..=i64::MAX.unsigned_abs(),
        root in any::<[u8; 32]>(),
        old in 0..=i64::MAX.unsigned_abs(),
        proof in proptest::collection::vec(any::<[u8; 32]>(), 0..=63),
        payload in "[^\n]{0,200}",
        origin in "[!-*,-~]{1,255}",
    ) {
        let head = TreeHead { size, root: Hash::new(root) };
        let checkpoint = Checkpoint::new(&name(&origin), head);
        prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint.clone()));
        let lines = golden_note().signatures().iter().map(ToString::to_string).collect::<Vec<_>>();
        let note: Note = format!("{checkpoint}\n{}", lines.concat()).parse().unwrap();
        let proof: Vec<_> = proof.into_iter().map(Hash::new).collect();
        let request = AddCheckpoint { old, proof: proof.clone(), checkpoint: note.clone() };
        prop_assert_eq!(request.to_string().parse(), Ok(request.clone()));
        let entry = origin.into_bytes();
        let receipt = Receipt::new(entry, payload.into_bytes(), old, proof, note).unwrap();
        prop_assert_eq!(receipt.to_string().parse(), Ok(receipt));
    }
}
