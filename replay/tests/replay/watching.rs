//! The witness as the program that a regulator runs, over HTTP.

use crate::book::{Book, run};
use crate::witnesses::{path as audit_path, policy, request, root, signed, tree};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use strongroom_ledger::{
    AddCheckpoint, Hash, NoteSignature, TreeHead, VerifierKey, export::Pair, leaf_hash,
};

struct Served {
    program: Child,
    address: String,
}

impl Drop for Served {
    /// As a power cut would.
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}

fn served(folder: &Path) -> Served {
    let of = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(of("logs"), policy().to_string()).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_strongroom-replay"))
        .args(["witness", "serve", "--key", &of("key"), "--state", &of("state")])
        .args(["--log-policy", &of("logs"), "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    Served { program, address }
}

impl Served {
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let mut stream = std::net::TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    fn add(&self, old: u64, proof: Vec<Hash>, head: TreeHead) -> (u16, String, String) {
        let asked = AddCheckpoint { old, proof, checkpoint: signed(head) };
        self.ask("POST", "/add-checkpoint", &asked.to_string())
    }
}

/// PROOF of RFC 6962 section 2.1.2, word by word.
fn consistency(leaves: &[Hash], old: usize, whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut proof, other) = if old <= left.len() {
        (consistency(left, old, whole), right)
    } else {
        (consistency(right, old - left.len(), false), left)
    };
    proof.push(root(other));
    proof
}

fn leaves(pairs: &[Pair]) -> Vec<Hash> {
    pairs.iter().map(|pair| leaf_hash(&pair.entry)).collect()
}

#[tokio::test]
async fn a_witness_cosigns_only_what_continues_what_it_saw() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let leaves = leaves(&pairs);
    let folder = book.directory.path();
    let key = folder.join("key");
    let init = ["witness", "init", "--key", key.to_str().unwrap(), "--name", "regulator.example/w"];
    let (code, public) = run(&init);
    assert_eq!(code, 0, "{public}");
    let public: VerifierKey = public.trim().parse().unwrap();
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run(&init).0, 3, "a key is never made over");

    let witness = served(folder);
    let hash = strongroom_ledger::payload_hash(policy().logs()[0].origin().as_str().as_bytes());
    let monitored = format!("/{hash}/checkpoint");
    assert_eq!(witness.ask("GET", &monitored, "").0, 404, "nothing was cosigned");
    let first = tree(&pairs[..10]);
    let (status, _, lines) = witness.add(0, Vec::new(), first);
    assert_eq!(status, 200, "{lines}");
    let lines = NoteSignature::parse_lines(&lines).unwrap();
    let note = signed(first);
    assert!(public.verify(note.text(), &lines[0]).unwrap() > 0, "with its own time");
    // Its size is told to whoever starts elsewhere.
    let (status, head, body) = witness.add(0, Vec::new(), tree(&pairs));
    assert_eq!((status, body.as_str()), (409, "10\n"));
    assert!(head.contains("content-type: text/x.tlog.size"), "{head}");
    // Not without a proof, nor with a false one.
    let proof = consistency(&leaves, 10, true);
    assert_eq!(witness.add(10, Vec::new(), tree(&pairs)).0, 422);
    assert_eq!(witness.add(10, audit_path(&leaves, 3), tree(&pairs)).0, 422);
    let forged = TreeHead { root: Hash::ZERO, ..tree(&pairs) };
    assert_eq!(witness.add(10, proof.clone(), forged).0, 422);
    assert_eq!(witness.add(10, Vec::new(), TreeHead { root: Hash::ZERO, ..first }).0, 422);
    assert_eq!(witness.add(11, Vec::new(), first).0, 400);

    // Killed and started again, it knows what it saw; nobody else has its memory meanwhile.
    let state = folder.join("state");
    let policy_file = folder.join("logs");
    let arguments = ["witness", "serve", "--key", key.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let rest = ["--state", state.to_str().unwrap(), "--log-policy", policy_file.to_str().unwrap()];
    assert_eq!(run(&[arguments.as_slice(), &rest].concat()).0, 3, "one witness, one memory");
    drop(witness);
    let witness = served(folder);
    let other = TreeHead { root: Hash::ZERO, ..first };
    assert_eq!(witness.add(10, Vec::new(), other).0, 422);
    assert_eq!(witness.add(0, Vec::new(), other).0, 409);
    assert_eq!(witness.add(10, proof, tree(&pairs)).0, 200);
    let (status, _, shown) = witness.ask("GET", &monitored, "");
    assert_eq!(status, 200);
    let shown: strongroom_ledger::Note = shown.parse().unwrap();
    assert_eq!(policy().logs()[0].verify(&shown).unwrap().head(), tree(&pairs));
    assert!(public.signed(&shown).unwrap().is_some());

    // What is no request, and what is not of a log that it watches.
    let (status, _, _) = witness.ask("POST", "/add-checkpoint", "old x\n");
    assert_eq!(status, 400);
    let asked = request(first).to_string();
    let stranger = asked.replace("\nstrongroom/", "\nelsewhere/");
    assert_eq!(witness.ask("POST", "/add-checkpoint", &stranger).0, 404);
    let last = asked.trim_end().len() - 8;
    let unsigned = format!("{}AAAA{}", &asked[..last], &asked[last + 4..]);
    assert_eq!(witness.ask("POST", "/add-checkpoint", &unsigned).0, 403);
    assert_eq!(witness.ask("GET", "/add-checkpoint", "").0, 404);
    assert_eq!(witness.ask("PUT", "/add-checkpoint", "").0, 405);
    let (status, _, _) = witness.ask("POST", "/add-checkpoint", &"x".repeat(2_000_000));
    assert_eq!(status, 413);
}

/// What a system's service manager sends; what was cosigned is remembered.
#[tokio::test]
async fn a_witness_that_is_told_to_end_ends_well() {
    let book = Book::written().await;
    let folder = book.directory.path();
    let key = folder.join("key");
    assert_eq!(run(&["witness", "init", "--key", key.to_str().unwrap(), "--name", "w"]).0, 0);
    let mut witness = served(folder);
    let head = tree(&book.pairs());
    assert_eq!(witness.add(0, Vec::new(), head).0, 200);
    let told = Command::new("kill").arg(witness.program.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(witness.program.wait().unwrap().code(), Some(0));
    let again = served(folder);
    assert_eq!(again.add(0, Vec::new(), head).0, 409);
}

/// A witness whose memory can't be read does not begin anew.
#[tokio::test]
async fn a_damaged_memory_is_not_an_empty_one() {
    let book = Book::written().await;
    let folder = book.directory.path();
    let key = folder.join("key");
    let init = ["witness", "init", "--key", key.to_str().unwrap(), "--name", "w", "--algorithm"];
    assert_eq!(run(&[init.as_slice(), &["ed25519"]].concat()).0, 0);
    let witness = served(folder);
    assert_eq!(witness.add(0, Vec::new(), tree(&book.pairs())).0, 200);
    drop(witness);
    let hash = strongroom_ledger::payload_hash(policy().logs()[0].origin().as_str().as_bytes());
    let memory = folder.join(format!("state/{hash}.checkpoint"));
    let text = std::fs::read_to_string(&memory).unwrap();
    std::fs::write(
        &memory,
        text.replacen("\n6", "\n1", 1).replacen("\n5", "\n1", 1).replacen("\n7", "\n1", 1),
    )
    .unwrap();
    let (state, logs) = (folder.join("state"), folder.join("logs"));
    let (code, said) = run(&[
        "witness",
        "serve",
        "--key",
        key.to_str().unwrap(),
        "--state",
        state.to_str().unwrap(),
        "--log-policy",
        logs.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("memory"), "{said}");
}
