//! What fails, how it is mended, and who pays meanwhile.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::pool::{COPY, MAKER, Pool, token};

/// Files of a token that hold keys.
fn objects(token: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = token
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "object")
                && !path.ends_with("token.object")
        })
        .collect();
    all.sort();
    all
}

/// Holds the locks of a SoftHSM token's files: every call that looks at an object hangs.
struct Hang(Child);

impl Hang {
    fn begin(token: &Path) -> Self {
        let program = "import fcntl, glob, sys\n\
            files = [open(path, 'r+') for path in glob.glob(sys.argv[1] + '/*')]\n\
            [fcntl.lockf(file, fcntl.LOCK_EX) for file in files]\n\
            print('held', flush=True)\n\
            sys.stdin.read()\n";
        let mut command = Command::new("python3");
        command.args(["-c", program]).arg(token).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut held = command.spawn().expect("python3 must be installed");
        let mut line = String::new();
        BufReader::new(held.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(held)
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[test]
fn whatever_fails_at_one_member_of_a_pool_the_other_pays() {
    let mut pool = Pool::found();
    pool.pays_by(MAKER);

    // Unplugged, and plugged in again: one, then the other, so that both must have come back.
    for (failing, paying) in [(MAKER, COPY), (COPY, MAKER), (MAKER, COPY)] {
        let there = token(&pool.strongroom, failing);
        let away = pool.strongroom.signers[failing].folder.join("away");
        fs::rename(&there, &away).unwrap();
        pool.pays_by(paying);
        fs::rename(&away, &there).unwrap();
    }

    // The key's files destroyed, then cut in half; the token itself answers.
    for damage in [false, true] {
        let there = token(&pool.strongroom, COPY);
        let whole: Vec<_> = objects(&there)
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        assert!(!whole.is_empty());
        let maker = token(&pool.strongroom, MAKER);
        let away = pool.strongroom.signers[MAKER].folder.join("away");
        for (path, bytes) in &whole {
            if damage {
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        pool.pays_by(MAKER);
        for (path, bytes) in &whole {
            fs::write(path, bytes).unwrap();
        }
        fs::rename(&maker, &away).unwrap();
        pool.pays_by(COPY);
        fs::rename(&away, &maker).unwrap();
    }

    // A call inside the library that does not return.
    let hang = Hang::begin(&token(&pool.strongroom, MAKER));
    pool.pays_by(COPY);
    hang.end();

    // The process that has the token stops, goes on, and dies.
    pool.strongroom.signers[COPY].signal("STOP");
    pool.pays_by(MAKER);
    pool.strongroom.signers[COPY].signal("CONT");
    pool.strongroom.signers[MAKER].kill();
    pool.pays_by(COPY);
    pool.strongroom.signers[MAKER].start();
    super::super::spine::the_audit_agrees(&pool.strongroom);
}

#[test]
fn no_payment_of_a_row_is_lost_while_members_fail_in_turn() {
    let pool = Pool::found();
    let desk = &pool.strongroom.desk;
    let mut transfers = Vec::new();
    let faults = [None, Some(MAKER), None, Some(COPY), Some(MAKER), None];
    for failing in faults {
        let moved = failing.map(|failing| {
            let there = token(&pool.strongroom, failing);
            let away = pool.strongroom.signers[failing].folder.join("away");
            (there, away)
        });
        // Some are on their way when the token goes, some when it comes back.
        let (first, proposal) = desk.ask(&pool.payment);
        desk.approve(&proposal);
        if let Some((there, away)) = &moved {
            fs::rename(there, away).unwrap();
        }
        let (second, proposal) = desk.ask(&pool.payment);
        desk.approve(&proposal);
        desk.wait_for(&first, &["broadcast", "confirmed"]);
        if let Some((there, away)) = &moved {
            fs::rename(away, there).unwrap();
        }
        transfers.extend([first, second]);
    }
    for transfer in &transfers {
        pool.strongroom.settle(super::pool::NETWORK, transfer);
    }
    super::super::spine::the_audit_agrees(&pool.strongroom);
}
