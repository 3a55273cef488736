//! What an operator asks of a signer at its own machine, while the server lies: addresses that the
//! log forged, backups, drills, and a lost share that officers' pieces give back. No piece is ever
//! sent over the wire.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use strongroom_domain::key::{
    BackedUp, EpochConfirmed, Joining, KeyChange, Protocol, RecoveryDrilled, RoundPublished,
};
use strongroom_domain::protocol::{Order, Reply, Sealed, Work};
use strongroom_domain::wallet::AddressDerived;
use strongroom_domain::{
    AddressPath, Branch, Bytes, Command, KeyId, Network, PersonId, ProposalId,
};
use strongroom_tests::deployment::Programs;
use uuid::Uuid;

use super::forge::{clock, strange_address};
use super::transactions::Custody;
use super::world::{HSM, World};

const HOLDERS: [usize; 3] = [0, 1, 2];

/// Runs `strongroom-signer` for one signer, with lines for its standard input.
pub(super) fn desk(world: &World, signer: usize, arguments: &[&str], typed: &str) -> Output {
    let signer = &world.signers[signer];
    let mut command = Programs::built().signer();
    command.arg(arguments[0]).arg("--config").arg(signer.folder.join("signer.toml"));
    command.args(&arguments[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    if let Some(hsm) = &signer.hsm {
        command.env("SOFTHSM2_CONF", &hsm.configuration);
    }
    let mut child = command.spawn().unwrap();
    // It may end before it has read everything: a refusal needs no more.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(both).unwrap()
}

#[track_caller]
pub(super) fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    said(output)
}

#[track_caller]
pub(super) fn refused(output: &Output, because: &str) {
    assert!(!output.status.success(), "{}", said(output));
    assert!(said(output).contains(because), "{}", said(output));
}

pub(super) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

impl World {
    /// Has the signers take in the honest log and put it on disk, where their operators read it.
    pub(super) fn settle(&mut self, signers: &[usize]) {
        for signer in signers {
            self.reader(*signer);
            self.signers[*signer].stop();
            self.signers[*signer].start();
        }
    }
}

#[test]
fn a_signer_shows_an_address_by_its_own_key_and_refuses_what_the_log_forged() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let custody = world.custody(Network::LitecoinRegtest);
    let hsm = world.custody(Network::EthereumDev);
    let forged = strange_address(Network::LitecoinRegtest);
    let path = AddressPath { branch: Branch::Deposit, index: 1 };
    let derived = AddressDerived { address: forged.clone(), path, account: Some(custody.account) };
    world.forge.run(Command::DeriveAddress { wallet: custody.wallet, derived });
    world.settle(&[0, HSM]);
    // Beside the running signer.
    let wallet = custody.wallet.to_string();
    let shown = done(&desk(&world, 0, &["address", "--wallet", &wallet, "--index", "0"], ""));
    assert!(shown.contains(custody.deposit.as_str()), "{shown}");
    assert!(shown.contains(&format!("m/0/0 of key {}", custody.key)), "{shown}");
    let deposit = custody.deposit.to_string();
    done(&desk(&world, 0, &["address", "--wallet", &wallet, "--address", &deposit], ""));
    let token = hsm.wallet.to_string();
    let shown = done(&desk(&world, HSM, &["address", "--wallet", &token, "--index", "0"], ""));
    assert!(shown.contains(hsm.deposit.as_str()), "{shown}");

    for which in [["--index", "1"], ["--address", forged.as_str()]] {
        let arguments = ["address", "--wallet", &wallet, which[0], which[1]];
        refused(&desk(&world, 0, &arguments, ""), "DO NOT USE");
    }
    let unknown = ["address", "--wallet", &wallet, "--index", "2"];
    refused(&desk(&world, 0, &unknown, ""), "nobody would notice money there");
    // A signer that holds nothing of the key says so.
    world.settle(&[HSM]);
    let strange = desk(&world, HSM, &["address", "--wallet", &wallet, "--index", "0"], "");
    assert!(!strange.status.success(), "{}", said(&strange));
    world.pays(&custody);
}

/// A share in pieces, and where they are.
pub(super) struct Pieces(PathBuf);

impl Pieces {
    pub(super) fn line(&self, number: u16) -> String {
        std::fs::read_to_string(self.0.join(format!("piece-{number}.txt"))).unwrap()
    }
}

/// `strongroom-signer backup`, and its word in the log.
pub(super) fn back_up(
    world: &mut World,
    signer: usize,
    key: KeyId,
    officers: &[PersonId],
) -> Pieces {
    let ids: Vec<String> = officers.iter().map(ToString::to_string).collect();
    let folder = world.signers[signer].folder.join(format!("pieces-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let said = folder.join("word.json");
    let (key_text, ids) = (key.to_string(), ids.join(","));
    let (pieces, to) = (folder.to_str().unwrap(), said.to_str().unwrap());
    let arguments = ["backup", "--key", &key_text, "--officers", &ids, "--threshold", "2"];
    let arguments = [arguments.as_slice(), &["--to-files", pieces, "--word", to]].concat();
    let shown = done(&desk(world, signer, &arguments, ""));
    let backed_up: BackedUp = read(&said);
    let pieces = Pieces(folder);
    // Words are in the files alone.
    let words = pieces.line(1);
    let secret: Vec<&str> = words.split_whitespace().skip(1).collect();
    assert_eq!(secret.len(), 24);
    assert!(!shown.contains(&secret[..2].join(" ")), "{shown}");
    world.forge.run(Command::BackUpKey { key, backed_up });
    pieces
}

pub(super) fn officers(world: &World) -> Vec<PersonId> {
    world.forge.people.approvers[..3].iter().map(|one| one.id).collect()
}

/// A quorum wants the first signer's share back from a backup: the epoch of the change.
pub(super) fn ask_restore(world: &mut World, key: KeyId) -> u32 {
    let id = world.id(0);
    let joining = Some(Joining { signer: id, index: 1 });
    let asked = KeyChange { key, dropped: [id].into(), joining, helpers: Vec::new() };
    let proposal = ProposalId(Uuid::now_v7());
    let (maker, expires_at) = (world.forge.people.maker, world.forge.time.plus_seconds(86_400));
    world.forge.run(Command::RequestKeyChange { proposal, change: asked, maker, expires_at });
    world.forge.agree(proposal);
    world.forge.state.keys[&key].existing().unwrap().change.as_ref().unwrap().epoch
}

/// A change of shares, driven as the server drives it.
pub(super) fn change(world: &mut World, custody: &Custody, epoch: u32) {
    let key = custody.key;
    let work = Work::Change { key, epoch };
    let mut letters: Vec<Sealed> = Vec::new();
    for round in 1..=4 {
        let (mut next, mut published, mut confirmed) = (Vec::new(), Vec::new(), Vec::new());
        for signer in HOLDERS {
            let id = world.id(signer);
            let mine = letters.iter().filter(|letter| letter.receiver == id).cloned().collect();
            let (session, spoken) = (Bytes::default(), Vec::new());
            let order = Order::Step { work, session, round, spoken, letters: mine };
            match world.reader(signer).ask(&order) {
                Reply::Spoke { message, letters } => {
                    next.extend(letters);
                    if !message.as_slice().is_empty() {
                        published.push(RoundPublished {
                            signer: id,
                            epoch,
                            round,
                            package: message,
                        });
                    }
                }
                Reply::EpochConfirmed { confirmed: one } => confirmed.push(one),
                other => panic!("round {round}, signer {signer}: {other:?}"),
            }
        }
        for published in published {
            world.forge.run(Command::PublishRound { key, published });
        }
        let ended = !confirmed.is_empty();
        for confirmed in confirmed {
            let confirmed: EpochConfirmed = confirmed;
            world.forge.run(Command::ConfirmEpoch { key, confirmed });
        }
        if ended {
            return;
        }
        letters = next;
    }
}

#[test]
fn officers_pieces_pass_a_drill_and_give_a_lost_share_back_when_a_quorum_says() {
    let root = tempfile::tempdir().unwrap();
    let mut world = World::found(root.path(), clock());
    let mut custody = world.custody(Network::LitecoinRegtest);
    let key = custody.key;
    world.settle(&HOLDERS);
    let officers = officers(&world);
    let pieces = back_up(&mut world, 0, key, &officers);
    let others = back_up(&mut world, 1, key, &officers);
    world.settle(&HOLDERS);

    let key_text = key.to_string();
    let said = world.signers[0].folder.join("drill.json");
    let drill = ["drill", "--key", &key_text, "--word", said.to_str().unwrap()];
    let typed = |numbers: [u16; 2]| numbers.map(|number| pieces.line(number)).concat();
    // Another signer's piece, another officer's number, one changed word, too few.
    let foreign = [pieces.line(1), others.line(2)].concat();
    refused(&desk(&world, 0, &drill, &foreign), "piece 2 is not of this backup");
    let renumbered = [pieces.line(1), pieces.line(3).replacen('3', "2", 1)].concat();
    refused(&desk(&world, 0, &drill, &renumbered), "piece 2 is not of this backup");
    let right = pieces.line(2);
    let mut words: Vec<&str> = right.split_whitespace().collect();
    words[5] = if words[5] == "zoo" { "zone" } else { "zoo" };
    let changed = [pieces.line(1), words.join(" ")].concat();
    refused(&desk(&world, 0, &drill, &changed), "word 5 alone is wrong");
    refused(&desk(&world, 0, &drill, &pieces.line(1)), "1 pieces were typed, it takes 2");
    assert!(!said.exists());
    done(&desk(&world, 0, &drill, &typed([3, 1])));
    let drilled: RecoveryDrilled = read(&said);
    assert_eq!(drilled.officers, [officers[0], officers[2]]);
    world.forge.run(Command::DrillKey { key, drilled });
    world.pays(&custody);

    // Without a quorum nothing is restored, and never beside a running signer.
    let restore = ["restore", "--key", &key_text];
    refused(&desk(&world, 0, &restore, &typed([1, 2])), "");
    world.signers[0].stop();
    refused(&desk(&world, 0, &restore, &typed([1, 2])), "no quorum has approved");
    let share = world.signers[0].data.join(format!("share-{key}-1.sealed"));
    std::fs::remove_file(&share).unwrap();
    world.signers[0].start();
    let epoch = ask_restore(&mut world, key);
    let session = Bytes::default();
    let work = Work::Change { key, epoch };
    let order = Order::Step { work, session, round: 1, spoken: vec![], letters: vec![] };
    let early = world.reader(0).ask(&order);
    assert!(matches!(early, Reply::Unavailable { .. }), "{early:?}");
    world.settle(&HOLDERS);
    world.signers[0].stop();
    refused(&desk(&world, 0, &restore, &foreign), "piece 2 is not of this backup");
    done(&desk(&world, 0, &restore, &typed([2, 3])));
    assert!(share.exists());
    world.signers[0].start();
    change(&mut world, &custody, epoch);
    let active = world.forge.state.keys[&key].existing().unwrap();
    assert_eq!((active.epoch, active.plan.protocol), (epoch, Protocol::FrostSecp256k1Tr));
    custody.package = active.public_package.clone();
    world.pays(&custody);
    // Of the new shares there is no backup, and the old pieces are of no use.
    world.settle(&[0]);
    refused(&desk(&world, 0, &drill, &typed([1, 2])), "no backup of this signer's share");
}
