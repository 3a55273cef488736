//! A lost share that officers' pieces give back, through the server's own saga, with the screens that the
//! operator and the officers see: a real terminal, on which a wrong word is asked for again.

use super::House;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use strongroom_tests::deployment::SignerProcess;
use strongroom_tests::journey::{PATIENCE, text};

/// A command at a terminal: util-linux's `script` gives it one.
struct Terminal {
    child: Child,
    heard: Receiver<Vec<u8>>,
    screen: String,
}

impl Terminal {
    fn of(signer: &SignerProcess, programs: &Command, arguments: &[&str]) -> Self {
        let program = programs.get_program().to_str().unwrap().to_owned();
        let config = signer.folder.join("signer.toml").display().to_string();
        let mut line = format!("stty -echo; {program} {} --config {config}", arguments[0]);
        for argument in &arguments[1..] {
            write!(line, " {argument}").unwrap();
        }
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` of util-linux (apt install bsdutils)");
        let mut out = child.stdout.take().unwrap();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                if tell.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, heard, screen: String::new() }
    }

    /// What it shows up to these words.
    fn until(&mut self, words: &str) -> String {
        while !self.screen.contains(words) {
            let more = self.heard.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("no {words:?} in {:?}", self.screen));
            self.screen.push_str(&String::from_utf8_lossy(&more));
        }
        let end = self.screen.find(words).unwrap() + words.len();
        self.screen.drain(..end).collect()
    }

    fn types(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
        stdin.flush().unwrap();
    }

    fn ends_well(mut self) {
        assert!(self.child.wait().unwrap().success(), "{:?}", self.screen);
    }
}

/// The words on a piece's screen.
fn words(screen: &str) -> String {
    let shown = screen.split("Write down, alone:").nth(1).unwrap();
    let shown = shown.split("Press Enter").next().unwrap();
    let words: Vec<_> =
        shown.split_whitespace().filter(|word| word.parse::<u8>().is_err()).collect();
    assert_eq!(words.len(), 24, "{screen:?}");
    words.join(" ")
}

impl House {
    fn at_terminal(&self, signer: usize, arguments: &[&str]) -> Terminal {
        let program = self.strongroom.desk.programs.signer();
        Terminal::of(&self.strongroom.signers[signer], &program, arguments)
    }

    /// The pieces that a signer's operator gives out on the screen, one after the other.
    fn back_up(&self, signer: usize) -> Vec<String> {
        let said = self.strongroom.signers[signer].folder.join("backup.json");
        let officers: Vec<_> =
            self.strongroom.desk.institution.approvers.iter().take(3).map(|of| &of.id).collect();
        let officers = officers.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
        let (key, word) = (self.custody.key.as_str(), said.to_str().unwrap());
        let mut arguments = vec!["backup", "--key", key, "--officers", &officers];
        arguments.extend(["--threshold", "2", "--word", word]);
        let mut terminal = self.at_terminal(signer, &arguments);
        let mut pieces = Vec::new();
        for number in 1..=3 {
            let screen = terminal.until("when it is written down and read again.");
            assert!(screen.contains(&format!("Piece {number} of 3")), "{screen:?}");
            // Shown on the second screen, which is wiped.
            assert!(screen.contains("\u{1b}[?1049h"), "{screen:?}");
            pieces.push(words(&screen));
            terminal.types("");
        }
        terminal.until("2 restore the share");
        terminal.ends_well();
        let word: Value = serde_json::from_slice(&std::fs::read(&said).unwrap()).unwrap();
        let path = format!("/keys/{}/backups", self.custody.key);
        self.strongroom.desk.initiator().post(&path, &word).ok();
        pieces
    }

    /// Officers type pieces 3 and 1; a wrong word is asked for again.
    fn restore(&self, signer: usize, pieces: &[String]) {
        let arguments = ["restore", "--key", self.custody.key.as_str()];
        let mut terminal = self.at_terminal(signer, &arguments);
        terminal.until("Type the number of the piece");
        terminal.types(&format!("2 {}", pieces[0]));
        terminal.until("piece 2 is not of this backup");
        terminal.until("Press Enter to try again.");
        terminal.types("");
        for (found, number) in [3, 1].into_iter().enumerate() {
            terminal.until(&format!("{found} of 2 pieces are in"));
            terminal.until("Type the number of the piece");
            terminal.types(&format!("{number} {}", pieces[number - 1]));
        }
        terminal.until("Start the signer");
        terminal.ends_well();
    }
}

#[test]
fn a_lost_share_comes_back_at_the_screen_and_the_saga_goes_on_whoever_dies_meanwhile() {
    let mut house = House::furnished();
    house.pay();
    let pieces = house.back_up(0);
    let lost = house.strongroom.signers[0].id.clone();
    // Its disk is lost but for what the operator set up again.
    house.strongroom.signers[0].stop();
    let share =
        house.strongroom.signers[0].data.join(format!("share-{}-1.sealed", house.custody.key));
    std::fs::remove_file(&share).unwrap();
    house.strongroom.signers[0].start();
    let refused = json!({"restore": true});
    let path = format!("/keys/{}/changes", house.custody.key);
    assert_ne!(house.strongroom.desk.initiator().post(&path, &refused).status, 200);
    let proposal =
        house.ask(&json!({"dropped": [lost.clone()], "joining": lost.clone(), "restore": true}));
    house.strongroom.desk.approve(&proposal);
    // The saga waits for the operator, however often it asks; payments go on with the others.
    let path = format!("/keys/{}", house.custody.key);
    let client = house.strongroom.desk.initiator();
    client.wait(&path, PATIENCE, |key| {
        key["waiting"].as_str().is_some_and(|because| because.contains("restored its share"))
    });
    house.strongroom.signers[0].stop();
    assert!(!house.pay().contains(&lost));
    house.restore(0, &pieces);

    // One hangs and one loses its part: the same change again, still without helpers.
    house.strongroom.signers[2].signal("STOP");
    house.strongroom.signers[0].start();
    house.strongroom.signers[1].kill();
    house.strongroom.signers[1].start();
    house.strongroom.signers[2].signal("CONT");
    let epoch = house.changed();
    assert!(epoch > 1, "the change came to nothing: {}", house.key());
    assert!(house.events("key.change-retried") > 0, "who lost its part begins again");
    assert!(house.holders().contains(&lost));
    // It signs with its new share where it must.
    house.strongroom.signers[1].kill();
    assert!(house.pay().contains(&lost));
    house.strongroom.signers[1].start();
    let log = house.strongroom.log_file().display().to_string();
    let stream = format!("key-{}", house.custody.key);
    let (code, told) = house.strongroom.desk.replay(&["explain", &stream, &log]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("officers can give"), "{told}");
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

/// The machine is gone with all that was on it: officers type their pieces at another signer, which holds the
/// key from then on. What they typed is not taken for an old share there.
#[test]
fn a_lost_share_comes_back_at_another_signer() {
    let mut house = House::furnished();
    let pieces = house.back_up(0);
    let lost = house.strongroom.signers[0].id.clone();
    let heir = (1..house.strongroom.signers.len())
        .find(|at| !house.holders().contains(&house.strongroom.signers[*at].id))
        .expect("a signer without a share of the key");
    let joins = house.strongroom.signers[heir].id.clone();
    house.strongroom.signers[0].stop();
    let proposal =
        house.ask(&json!({"dropped": [lost], "joining": joins.clone(), "restore": true}));
    house.strongroom.desk.approve(&proposal);
    let path = format!("/keys/{}", house.custody.key);
    house.strongroom.desk.initiator().wait(&path, PATIENCE, |key| {
        key["waiting"].as_str().is_some_and(|because| because.contains("restored its share"))
    });
    house.strongroom.signers[heir].stop();
    house.restore(heir, &pieces);
    house.strongroom.signers[heir].start();
    assert!(house.changed() > 1, "the change came to nothing: {}", house.key());
    assert!(house.holders().contains(&joins));
    // With one of the others it signs. A machine at the place of the lost one is a witness, and no more.
    house.strongroom.signers[0].start();
    house.strongroom.signers[1].kill();
    assert!(house.pay().contains(&joins));
    crate::spine::the_audit_agrees(&house.strongroom);
    house.strongroom.stop();
}

#[test]
fn a_piece_is_never_shown_where_no_terminal_is() {
    let house = House::furnished();
    let signer = &house.strongroom.signers[0];
    let mut command = house.strongroom.desk.programs.signer();
    command.args(["backup", "--key", &house.custody.key, "--threshold", "2", "--officers"]);
    let officers = &house.strongroom.desk.institution.approvers;
    command.arg(format!("{},{}", officers[0].id, officers[1].id)).arg("--word");
    command.arg(signer.folder.join("word.json")).arg("--config");
    let output = command.arg(signer.folder.join("signer.toml")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("say --to-files"), "{said}");
    assert!(output.stdout.is_empty());
    let _ = text(&house.key(), "state");
}
