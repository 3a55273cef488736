//! Canaries: every secret of signing in, looked for in all that a server process wrote and in all
//! that it said.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command},
    time::Duration,
};

use crate::house::{Browser, House, TestClock};
use serde_json::{Value, json};

use super::PASSWORD;

/// A process that is gone when the test is.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program, as talkative as it gets; where it listens.
async fn serve(house: &House) -> (Served, String) {
    let config = house.configured(
        "[log]\nformat = \"json\"\nfilter = \"debug,strongroom_api=trace\"\n\
         [sign_in]\norigin = \"http://localhost:3008\"\n",
    );
    let log = File::create(house.path("server.log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    let command = command.args(["serve", "--config"]).arg(config).stderr(log);
    let served = Served(command.spawn().unwrap());
    for _ in 0..600 {
        let said = std::fs::read_to_string(house.path("server.log")).unwrap();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let address = lines.into_iter().find_map(|line| {
            let fields = &line["fields"];
            (fields["message"] == "serving").then(|| fields["address"].as_str().map(str::to_owned))
        });
        if let Some(Some(address)) = address {
            return (served, format!("http://{address}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!(
        "the server did not start: {}",
        std::fs::read_to_string(house.path("server.log")).unwrap()
    );
}

fn holds(bytes: &[u8], canary: &[u8]) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary)
}

fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.extend(std::fs::read(path)) }
    }
}

#[tokio::test]
async fn no_secret_of_signing_in_is_in_a_file_or_in_what_the_server_says() {
    let house = House::new();
    let (invitation, of_bob) = (house.invite("ada"), house.invite("bob"));
    let clock = TestClock::default();
    let (server, url) = serve(&house).await;
    let (mut ada, name) = (Browser::at(&url), "ada.of.the.test");
    let reply = ada.enrol_password(&invitation, name, PASSWORD, &clock).await;
    let welcome = ada.enter(reply);
    let mut canaries = vec![invitation, of_bob.clone(), PASSWORD.to_owned(), ada.app.clone()];
    let mut note = |browser: &Browser| {
        canaries.extend([browser.cookie.clone().unwrap(), browser.csrf.clone()]);
    };
    note(&ada);
    let guess = "not the password of anybody";
    ada.by_password(name, guess, "000000").await.is_problem(401, "sign-in-refused");
    let code = welcome["recovery_codes"][0].as_str().unwrap();
    let recover = json!({ "name": name, "recovery_code": code, "password": PASSWORD });
    let reply = ada.own("POST", "/sign-in/recovery-code", &recover).await;
    ada.enter(reply);
    note(&ada);
    let mut bob = Browser::at(&url);
    let reply = bob.enrol_passkey(&of_bob, "bob").await;
    bob.enter(reply);
    note(&bob);
    let reply = bob.step_up().await;
    bob.enter(reply);
    note(&bob);
    drop(server);
    canaries.push(guess.to_owned());
    for codes in welcome["recovery_codes"].as_array().unwrap() {
        let code = codes.as_str().unwrap();
        canaries.extend([code.to_owned(), code.replace('-', "")]);
    }
    let mut canaries: Vec<Vec<u8>> = canaries.into_iter().map(String::into_bytes).collect();
    let secret = totp_rs::Secret::try_from_base32(&ada.app).unwrap();
    canaries.push(secret.as_ref().to_vec());
    let mut written = Vec::new();
    files(&house.path("data"), &mut written);
    let said = std::fs::read(house.path("server.log")).unwrap();
    assert!(holds(&said, b"a sign-in was refused"), "the log was listened to");
    assert!(!holds(&said, name.as_bytes()), "a name is personal");
    for canary in &canaries {
        let which = String::from_utf8_lossy(canary);
        assert!(!holds(&said, canary), "{which} is in the server's log");
        assert!(!written.iter().any(|file| holds(file, canary)), "{which} is in a file");
    }
}
