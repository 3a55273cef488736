//! A whole log: everything that a log of these tests can say. Three signers read it line by line, and
//! after each line one of them is killed and comes up again. Never is a line skipped.

use std::collections::BTreeSet;

use strongroom_api::data_directory::TlsIdentity;
use strongroom_domain::freeze::{self, FreezeScope};
use strongroom_domain::key::{Protocol, QuarantinedBy};
use strongroom_domain::proposal::Subject;
use strongroom_domain::protocol::{LogEntry, Order, Reply};
use strongroom_domain::signer::Quarantined;
use strongroom_domain::wallet::Tier;
use strongroom_domain::{Command, FreezeId, Network, ProposalId, Spends, TransferId, WalletId};
use strongroom_tests::deployment::SignerProcess;
use uuid::Uuid;

use super::super::forge::{Forge, clock};
use super::super::link::Link;
use super::super::lives::{change_policy, earlier, lives};
use super::super::proofs::{committed, proves, session, unproven};
use super::super::sweeps::{bytes, rotate, rotation, sweep};
use super::super::transactions::{Custody, FEE};
use super::super::world::{HSM, World};
use super::changes::refresh;
use super::{keep, keep_exchange};

/// Lines of the log, and so restarts.
const LINES: usize = 375;
/// Signers that take turns in being killed.
const READERS: usize = 3;
/// Payments that are asked for again, before and after: the newest ones.
const ASKED_AGAIN: usize = 4;

/// A log with every kind of thing in it, and a wallet that pays at the end.
fn whole_life(world: &mut World) -> Custody {
    let frost = world.custody(Network::LitecoinRegtest);
    for _ in 0..lives().len() {
        frost.fund(&mut world.forge);
    }
    for (_, end) in lives() {
        end(&mut world.forge, &frost);
    }
    world.pays(&frost);
    let parts: (&[usize], &[usize]) = (&[0, 1, 2], &[0, 1]);
    let ecdsa = world.custody_of(Network::EthereumDev, Protocol::Dkls23Secp256k1, parts);
    ecdsa.honest(&mut world.forge);
    let token = world.custody(Network::EthereumDev);
    world.pays(&token);
    proven_wallet(world);
    let asked = refresh(world, frost.key);
    let epoch = world.agree_to(asked);
    world.changes((frost.key, epoch), 3, None).unwrap();
    let frost = world.renewed(&frost);
    world.pays(&frost);
    change_policy(&mut world.forge, |policy| policy.tiers[0].quorum.approvals = 2);
    freeze_and_lift(&mut world.forge, frost.wallet);
    rotate_away(world, &frost);
    let halted = QuarantinedBy { by: world.forge.people.officer, because: "theft".to_owned() };
    world.forge.run(Command::HaltKey { key: token.key, halted });
    let signer = world.id(HSM);
    world.forge.run(Command::ReachSigner { signer });
    world.forge.run(Command::LoseSigner { signer, because: "no answer".to_owned() });
    let quarantined =
        Quarantined { by: world.forge.people.officer, because: "it was opened".to_owned() };
    world.forge.run(Command::QuarantineSigner { signer, quarantined });
    frost.honest(&mut world.forge);
    frost
}

fn proven_wallet(world: &mut World) {
    let key = unproven(world);
    let name = session(77);
    let spoken = committed(world, key, &name);
    proves(world, key, &name, &spoken);
    let (wallet, network) = (WalletId(Uuid::now_v7()), Network::LitecoinRegtest);
    let by = world.forge.people.maker;
    world.forge.run(Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by });
}

fn freeze_and_lift(forge: &mut Forge, wallet: WalletId) {
    let freeze = FreezeId(Uuid::now_v7());
    let (by, because) = (forge.people.officer, "a report of theft".to_owned());
    let scope = FreezeScope::Wallet(wallet);
    forge.run(Command::Freeze(freeze::Set { freeze, scope, by, because }));
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (forge.people.maker, forge.time.plus_seconds(3600));
    let subject = Subject::Unfreeze { freeze };
    forge.run(Command::Propose { proposal, subject, maker, expires_at });
    forge.agree(proposal);
}

/// A wallet that is given up, with a sweep that is authorised.
fn rotate_away(world: &mut World, successor: &Custody) {
    let old = world.custody(Network::LitecoinRegtest);
    rotate(&mut world.forge, rotation(&old, successor));
    let coin = old.fund(&mut world.forge);
    let requested = sweep(&world.forge, &old, successor, &coin);
    let (transfer, to) = (requested.intent.transfer, requested.intent.destination.clone());
    world.forge.run(Command::RequestSweep(requested));
    let attempt = old.attempt(bytes(&old, &coin, &to), FEE);
    let spends = Spends::Coins(vec![coin.outpoint]);
    world.forge.run(Command::AuthoriseAttempt { transfer, attempt, spends });
}

/// One signer that reads the log again from its first line, killed after every third one.
struct Reader<'a> {
    process: &'a mut SignerProcess,
    identity: &'a TlsIdentity,
    forge: &'a Forge,
    cosigned: u64,
    restarts: usize,
}

impl Reader<'_> {
    fn link(&self) -> Link {
        Link::open(self.process, Some(self.identity))
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.process.data.join(name)).unwrap()
    }

    fn read(&self) -> &[LogEntry] {
        &self.forge.entries[..usize::try_from(self.cosigned).unwrap()]
    }

    /// Takes in the log up to this line, cosigns it and knows that it is witnessed.
    fn follow(&mut self, line: usize) {
        let notary = &self.forge.people.notary;
        let entries = &self.forge.entries[..line];
        let mut wire = self.link();
        let before = usize::try_from(self.cosigned).unwrap();
        let push = Order::Extend { entries: entries[before..].to_vec() };
        let reply = wire.ask(&push);
        assert!(matches!(reply, Reply::Status { .. }), "line {line}: {reply:?}");
        let order = notary.cosign(entries, 0, self.cosigned);
        let reply = wire.ask(&order);
        assert!(matches!(reply, Reply::Cosigned { .. }), "line {line}: {reply:?}");
        keep_exchange(&order, &reply);
        self.cosigned = line.try_into().unwrap();
        self.cover(&mut wire);
    }

    fn cover(&self, link: &mut Link) {
        let notary = &self.forge.people.notary;
        let checkpoint = notary.witnessed(self.read(), 0, 0..notary.outside.len()).to_string();
        let size = self.cosigned;
        assert_eq!(link.ask(&Order::Checkpoint { checkpoint }), Reply::Covered { size });
    }

    /// What it answers to orders that it may refuse: by name or rule.
    fn says(&self, transfers: &[TransferId]) -> Vec<String> {
        let mut link = self.link();
        let mut orders: Vec<Order> = transfers
            .iter()
            .map(|transfer| Order::Commit { transfer: *transfer, attempt: 1 })
            .collect();
        let nobodys = TransferId(Uuid::nil());
        orders.push(Order::Commit { transfer: nobodys, attempt: 1 });
        orders.push(Order::Step {
            work: strongroom_domain::protocol::Work::Attempt { transfer: nobodys, attempt: 1 },
            session: strongroom_domain::Bytes(vec![1; 16]),
            round: 2,
            spoken: Vec::new(),
            letters: Vec::new(),
        });
        // The last line once more, and the first one in the place of the next.
        orders.push(Order::Extend { entries: self.read()[self.read().len() - 1..].to_vec() });
        orders.push(Order::Extend { entries: self.read()[..1].to_vec() });
        let said = |order| match link.ask(&order) {
            Reply::Refused(refusal) => format!("refused: {}", refusal.rule),
            Reply::Committed { .. } => "committed".to_owned(),
            Reply::Status { head, .. } => format!("at {}", head.position),
            other => panic!("{other:?}"),
        };
        orders.into_iter().map(said).collect()
    }

    /// After this line: killed, and as it was.
    fn dies(&mut self, line: usize) {
        self.follow(line);
        let transfers: Vec<TransferId> = authorised(self.read());
        let asked = &transfers[transfers.len().saturating_sub(ASKED_AGAIN)..];
        let said = self.says(asked);
        let head = self.link().head();
        let (journal, copy) = (self.file("journal"), self.file("log.jsonl"));
        self.process.kill();
        self.process.start();
        self.restarts += 1;
        assert_eq!(self.link().head(), head, "line {line}");
        assert_eq!(self.file("journal"), journal, "line {line}");
        assert_eq!(self.file("log.jsonl"), copy, "line {line}");
        self.cover(&mut self.link());
        assert_eq!(self.says(asked), said, "line {line}");
        // It knows what it put its name to.
        let reply = self.link().ask(&self.forge.people.notary.cosign(self.read(), 0, 0));
        let known = Reply::WitnessConflict { size: self.cosigned };
        assert_eq!(reply, known, "line {line}");
    }
}

/// A whole life's files, for the tests of `signer/tests/torn.rs` and the seeds of the fuzzer.
fn keep_files(reader: &Reader<'_>) {
    keep("../../tests/life/log.jsonl", &reader.file("log.jsonl"));
    keep("../../tests/life/journal", &reader.file("journal"));
    let first = |file: &str, lines: usize| -> Vec<u8> {
        let bytes = reader.file(file);
        bytes.split_inclusive(|byte| *byte == b'\n').take(lines).flatten().copied().collect()
    };
    keep("copy-first-lines", &first("log.jsonl", 12));
    keep("journal-first-lines", &first("journal", 40));
    let status = serde_json::to_vec(&Order::Status).unwrap();
    let header = u32::try_from(status.len()).unwrap().to_be_bytes();
    keep("frame-status", &[[255].as_slice(), &header, &[0; 8], &status].concat());
}

/// Transfers with an attempt, in the order of the log.
fn authorised(entries: &[LogEntry]) -> Vec<TransferId> {
    let of = |line: &LogEntry| {
        let entry: serde_json::Value = serde_json::from_str(&line.entry).unwrap();
        let stream = entry["stream"].as_str()?.strip_prefix("transfer-")?.to_owned();
        (entry["type"] == "transfer.attempt-authorised").then(|| stream.parse().unwrap())
    };
    entries.iter().filter_map(of).collect()
}

fn kinds(entries: &[LogEntry]) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for line in entries {
        let entry: serde_json::Value = serde_json::from_str(&line.entry).unwrap();
        let kind = format!("{}.v{}", entry["type"].as_str().unwrap(), entry["version"]);
        keep(&format!("entry-{kind}"), format!("{}\n{}", line.entry, line.payload).as_bytes());
        kinds.insert(kind);
    }
    kinds
}

#[test]
fn a_signer_is_killed_after_each_of_375_lines_of_a_whole_log_and_is_what_it_was() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), earlier());
    let custody = whole_life(&mut world);
    let kinds = kinds(&world.forge.entries);
    assert!(kinds.len() >= 50, "{kinds:?}");
    assert_eq!(world.forge.entries.len(), LINES, "lines of a whole log");
    assert!(world.forge.time < clock());
    let World { signers, identity, forge, .. } = &mut world;
    let restarts: usize = std::thread::scope(|scope| {
        let readers: Vec<_> = signers[..READERS]
            .iter_mut()
            .enumerate()
            .map(|(place, process)| {
                let (identity, forge) = (&*identity, &*forge);
                scope.spawn(move || {
                    process.kill();
                    for file in ["log.jsonl", "journal"] {
                        std::fs::write(process.data.join(file), "").unwrap();
                    }
                    process.start();
                    let mut reader = Reader { process, identity, forge, cosigned: 0, restarts: 0 };
                    for line in (1..=LINES).filter(|line| line % READERS == place) {
                        reader.dies(line);
                    }
                    if place == LINES % READERS {
                        keep_files(&reader);
                    }
                    reader.restarts
                })
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    assert_eq!(restarts, LINES);
    world.pays(&custody);
}
