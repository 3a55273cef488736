//! Canaries: every secret of signing in, looked for in all that the server wrote and in all that it
//! said of itself.

use std::{
    io::{self, Write},
    path::Path,
    sync::{LazyLock, Mutex},
};

use crate::house::{Browser, House, TestClock};
use serde_json::{Value, json};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::PASSWORD;

/// What every server of this test process has said.
#[derive(Clone, Copy)]
struct Said;

static SAID: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
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
async fn no_secret_of_signing_in_is_in_a_file_or_in_the_servers_log() {
    let filter = EnvFilter::new("debug,strongroom_api=trace");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(Said).init();
    let house = House::new();
    let (invitation, of_bob) = (house.invite("ada"), house.invite("bob"));
    let clock = TestClock::default();
    let server = house.serve_at(&clock).await;
    let mut ada = Browser::new(&server);
    let reply = ada.enrol_password(&invitation, "ada.of.the.test", PASSWORD, &clock).await;
    let welcome = ada.enter(reply);
    let mut canaries = vec![invitation, of_bob.clone(), PASSWORD.to_owned(), ada.app.clone()];
    let mut note = |browser: &Browser<'_>| {
        canaries.extend([browser.cookie.clone().unwrap(), browser.csrf.clone()]);
    };
    note(&ada);
    clock.pass(30);
    let guess = "not the password of anybody";
    ada.by_password("ada.of.the.test", guess, "000000").await.is_problem(401, "sign-in-refused");
    let reply = ada.by_password("ada.of.the.test", PASSWORD, &ada.code(&clock)).await;
    ada.enter(reply);
    note(&ada);
    let code = welcome["recovery_codes"][0].as_str().unwrap();
    let recover = json!({ "name": "ada.of.the.test", "recovery_code": code, "password": PASSWORD });
    let reply = ada.own("POST", "/sign-in/recovery-code", &recover).await;
    ada.enter(reply);
    note(&ada);
    let mut bob = Browser::new(&server);
    let reply = bob.enrol_passkey(&of_bob, "bob").await;
    bob.enter(reply);
    note(&bob);
    let reply = bob.step_up().await;
    bob.enter(reply);
    note(&bob);
    bob.own("GET", "/session", &Value::Null).await.good();
    let Browser { app, .. } = ada;
    server.stop().await;
    canaries.push(guess.to_owned());
    for codes in welcome["recovery_codes"].as_array().unwrap() {
        let code = codes.as_str().unwrap();
        canaries.extend([code.to_owned(), code.replace('-', "")]);
    }
    let mut canaries: Vec<Vec<u8>> = canaries.into_iter().map(String::into_bytes).collect();
    let secret = totp_rs::Secret::try_from_base32(&app).unwrap();
    canaries.push(secret.as_ref().to_vec());
    let mut written = Vec::new();
    files(&house.path("data"), &mut written);
    let said = SAID.lock().unwrap().clone();
    assert!(holds(&said, b"a sign-in was refused"), "the log was listened to");
    assert!(!holds(&said, b"ada.of.the.test"), "a name is personal");
    for canary in &canaries {
        let which = String::from_utf8_lossy(canary);
        assert!(!holds(&said, canary), "{which} is in the server's log");
        assert!(!written.iter().any(|file| holds(file, canary)), "{which} is in a file");
    }
}
