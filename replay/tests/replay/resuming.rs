//! A log that went on from an earlier entry, as its governance quorum said, is not called forked; and
//! no checkpoint of another name convicts a log.

use crate::book::{Book, bytes, find, house, live, read, run};
use crate::witnesses::{cosigned, cosigned_for, policy, policy_for, tree};
use crate::world::{APPROVERS, ETH, LOG, World, founding::log_keys};
use ed25519_dalek::{Signer as _, SigningKey};
use strongroom_domain::{
    Bytes, Command, Digest, Head,
    charter::{LogResumed, Resumption, ResumptionSignature},
    statement,
};
use strongroom_ledger::{KeyName, LogKeys, Note, WitnessPolicy, export::Pair};
use strongroom_replay::Fault;
use strongroom_store::AuditLog;

/// What the quorum signs; the numbers before may have been given up.
fn certificate(world: &World, number: u32, abandoned: Head) -> LogResumed {
    let resumption = Resumption { log: LOG, number, abandoned, from: world.state.head };
    let signatures = APPROVERS.map(|person| {
        let key = SigningKey::from_bytes(&Digest::of(person.0.as_bytes()).0);
        let text = statement::resumption(&resumption, person);
        let signature = Bytes(key.sign(text.as_bytes()).to_bytes().to_vec());
        ResumptionSignature {
            person,
            key: Bytes(key.verifying_key().to_bytes().to_vec()),
            signature,
        }
    });
    LogResumed { resumption, signatures: signatures.into() }
}

/// What was given up, and the log that went on: the same up to an entry.
struct Resumed {
    book: Book,
    before: Vec<Pair>,
    after: Vec<Pair>,
    from: usize,
}

async fn resumed() -> Resumed {
    let directory = tempfile::tempdir().unwrap();
    let (log, lost) = (directory.path().join("log.db"), directory.path().join("lost.db"));
    let mut other = house(&lost);
    live(&mut other).await;
    let abandoned = other.state.head;
    drop(other);
    let mut world = house(&log);
    world.found().await;
    world.furnish().await;
    let from = usize::try_from(world.state.head.position).unwrap();
    let resumed = certificate(&world, 2, abandoned);
    world.act(Command::ResumeLog(resumed)).await.unwrap();
    for n in 1..30 {
        world.see(ETH, n, 5).await.unwrap();
        world.credit(ETH, n).await.unwrap();
    }
    drop(world);
    let book = Book { directory, log };
    let mut export = Vec::new();
    AuditLog::open_read_only(&lost).unwrap().export(&mut export).unwrap();
    let (before, after) = (read(&export), book.pairs());
    assert_eq!(before[..from], after[..from]);
    Resumed { book, before, after, from }
}

fn keys(origin: &str) -> LogKeys {
    let ed25519 = Digest::of(LOG.0.as_bytes()).0;
    LogKeys::from_seeds(&KeyName::new(origin).unwrap(), &ed25519, &[4; 32]).unwrap()
}

impl Resumed {
    /// What the script says of the same.
    fn python(&self) -> (bool, String) {
        let (log, note) = (self.book.file("held.jsonl"), self.book.file("checkpoint"));
        crate::python::python(&[&log, std::path::Path::new("--checkpoint"), &note])
    }

    /// What a command says of entries that are held against a checkpoint.
    fn held(&self, command: &str, of: &[Pair], note: &Note, by: &WitnessPolicy) -> (i32, String) {
        let file = |name: &str, text: &[u8]| {
            let path = self.book.file(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (log, by) = (file("held.jsonl", &bytes(of)), file("policy", by.to_string().as_bytes()));
        let note = file("checkpoint", note.to_string().as_bytes());
        run(&[command, &log, "--checkpoint", &note, "--policy", &by])
    }
}

#[tokio::test]
async fn a_resumed_log_verifies_and_says_so() {
    let Resumed { book, before, after, from } = resumed().await;
    let log = book.log.to_str().unwrap();
    for command in ["verify", "chain"] {
        let (code, said) = run(&[command, log]);
        assert_eq!(code, 0, "{said}");
        for part in [
            format!("origin        strongroom/{LOG}/2"),
            format!("resumed       number 2 in entry {}: it goes on from entry {from}", from + 1),
            format!("ended with entry {} with leaf ", before.len()),
        ] {
            assert!(said.contains(&part), "{part}: {said}");
        }
    }
    let (_, said) = run(&["--json", "verify", log]);
    let object: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(object["end"], "not pinned", "a machine is told, too");
    assert_eq!(object["log"]["resumed"][0]["position"], from + 1);
    assert_eq!(object["log"]["resumed"][0]["from"]["position"], from);
    // Its name is that of the moment, and the manifest's that of the end.
    let (_, said) = run(&["as-of", &from.to_string(), log]);
    assert!(said.contains(&format!("origin        strongroom/{LOG}\n")), "{said}");
    let (_, said) = run(&["as-of", &(from + 1).to_string(), log]);
    assert!(said.contains(&format!("origin        strongroom/{LOG}/2\n")), "{said}");
    let out = book.file("out");
    assert_eq!(run(&["export", log, "--out", out.to_str().unwrap()]).0, 0);
    let manifest = std::fs::read(out.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["origin"], format!("strongroom/{LOG}/2"));
    assert!(crate::python::python(&[&out]).0);
    let lost = book.file("lost.db");
    let (code, said) = run(&["diff", lost.to_str().unwrap(), log]);
    assert_eq!(code, i32::from(Fault::Parted.exit_code()), "{said}");
    assert!(said.contains("charter.log-resumed"), "{said}");
    assert_eq!(find(&after, "charter.log-resumed"), from);
}

#[tokio::test]
async fn what_was_seen_of_entries_that_were_given_up_convicts_nobody() {
    let it = resumed().await;
    let refused = i32::from(Fault::BadCheckpoint.exit_code());
    let (first, second) = (policy(), keys(&format!("strongroom/{LOG}/2")));
    for command in ["verify", "chain"] {
        // What stands in both is still proven by what was seen of it.
        for size in [1, it.from] {
            let note = cosigned(tree(&it.before[..size]), [1, 2, 3]);
            let (code, said) = it.held(command, &it.after, &note, &first);
            assert_eq!(code, 0, "{said}");
        }
        for size in [it.from + 1, it.before.len()] {
            let note = cosigned(tree(&it.before[..size]), [1, 2, 3]);
            let (code, said) = it.held(command, &it.after, &note, &first);
            assert_eq!(code, refused, "{said}");
            assert!(said.contains("from before resumption 2 in entry"), "{said}");
            let (content, said) = it.python();
            assert!(!content && said.contains("what it saw was given up"), "{said}");
            let (code, said) = it.held(command, &it.after[..=it.from], &note, &first);
            assert_eq!(code, refused, "{said}");
        }
        let note = cosigned_for(&second, tree(&it.after), [1, 2, 3]);
        let (code, said) = it.held(command, &it.after, &note, &policy_for(&second));
        assert_eq!(code, 0, "{said}");
        // The log that was given up is told so, and a rolled back one is still rolled back.
        let note = cosigned_for(&second, tree(&it.after[..it.from + 3]), [1, 2, 3]);
        let (code, said) = it.held(command, &it.before, &note, &policy_for(&second));
        assert_eq!(code, refused, "{said}");
        assert!(said.contains("this log has no such resumption"), "{said}");
        let (code, said) = it.held(command, &it.after[..it.from], &note, &policy_for(&second));
        assert_eq!(code, i32::from(Fault::Truncated.exit_code()), "{said}");
        // A fork behind the resumption is one.
        let mut other = it.after.clone();
        other.swap_remove(it.from + 1);
        let note = cosigned_for(&second, tree(&other[..it.from + 3]), [1, 2, 3]);
        let (code, said) = it.held(command, &it.after, &note, &policy_for(&second));
        assert_eq!(code, i32::from(Fault::Forked.exit_code()), "{said}");
    }
}

#[tokio::test]
async fn a_checkpoint_of_another_log_convicts_nobody() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let it = Resumed { book, before: pairs.clone(), after: pairs.clone(), from: 0 };
    let refused = i32::from(Fault::BadCheckpoint.exit_code());
    for (origin, says) in [
        ("strongroom/01a2048e-282a-76e5-89e5-5118db58f112", "it says nothing of this log"),
        ("elsewhere.example/log", "is no log of this kind"),
    ] {
        let log = keys(origin);
        for size in [1, 9, pairs.len()] {
            let note =
                cosigned_for(&log, tree(&pairs[1..][..size - usize::from(size > 1)]), [1, 2, 3]);
            for command in ["verify", "chain"] {
                let (code, said) = it.held(command, &pairs, &note, &policy_for(&log));
                assert_eq!(code, refused, "{said}");
                assert!(said.contains(says), "{says}: {said}");
                let (content, said) = it.python();
                assert!(!content && said.contains("it says nothing of this log"), "{said}");
            }
        }
    }
    assert!(policy_for(&log_keys()).to_string() == policy().to_string());
}
