//! Outside witnesses with an HTTP interface, in this process: the ledger's core behind a small
//! server. The charter names three; its two signers never run, so three of five is what it takes.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use strongroom_ledger::{
    AddCheckpoint, KeyName, LogVerifier, Timestamp, TreeHead, WitnessKey, witness,
};
use tokio::{net::TcpListener, sync::oneshot};

const NAMES: [&str; 3] = ["one.example", "two.example", "three.example"];

/// The third one signs by ML-DSA-44.
fn key(number: usize) -> WitnessKey {
    let name = KeyName::new(NAMES[number]).unwrap();
    let seed = [u8::try_from(200 + number).unwrap(); 32];
    if number == 2 {
        WitnessKey::ml_dsa_44(name, &seed).unwrap()
    } else {
        WitnessKey::ed25519(name, &seed).unwrap()
    }
}

/// What the charter's specification says of them.
pub(super) fn specification() -> String {
    let mut text = "[witnessing]\nthreshold = 3\n".to_owned();
    for (number, name) in NAMES.iter().enumerate() {
        let algorithm = if number == 2 { "ml-dsa-44" } else { "ed25519" };
        let public = hex::encode(key(number).verifier().bytes());
        let _ = write!(
            text,
            "[[witnessing.outside]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\nkey = \
             \"{public}\"\n"
        );
    }
    text
}

/// The three, running.
pub(crate) struct Witnesses {
    addresses: Vec<String>,
    all: Vec<Arc<Remembered>>,
    _stop: Vec<oneshot::Sender<()>>,
}

struct Remembered {
    number: usize,
    log: LogVerifier,
    last: Mutex<Option<TreeHead>>,
}

impl Witnesses {
    /// They know the log by its keys.
    pub(crate) async fn start(log: LogVerifier) -> Self {
        let (mut addresses, mut all, mut stops) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..NAMES.len() {
            let remembered =
                Arc::new(Remembered { number, log: log.clone(), last: Mutex::default() });
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(format!("http://{}/log", listener.local_addr().unwrap()));
            let router = Router::new().route("/log/add-checkpoint", post(add));
            let router = router.with_state(Arc::clone(&remembered));
            let (stop, stopped) = oneshot::channel::<()>();
            let serve = axum::serve(listener, router).with_graceful_shutdown(async {
                let _ = stopped.await;
            });
            tokio::spawn(async { serve.await.unwrap() });
            all.push(remembered);
            stops.push(stop);
        }
        Self { addresses, all, _stop: stops }
    }

    /// Their part of a server's configuration.
    pub(crate) fn configuration(&self) -> String {
        let mut text = String::new();
        for (name, url) in NAMES.iter().zip(&self.addresses) {
            let _ = write!(text, "[[witnesses]]\nname = \"{name}\"\nurl = \"{url}\"\n");
        }
        text
    }

    /// What each has cosigned last.
    pub(crate) fn sizes(&self) -> Vec<u64> {
        let size = |one: &Arc<Remembered>| one.last.lock().unwrap().map_or(0, |head| head.size);
        self.all.iter().map(size).collect()
    }
}

async fn add(State(witness): State<Arc<Remembered>>, body: String) -> impl IntoResponse {
    let request: AddCheckpoint = match body.parse() {
        Ok(request) => request,
        Err(error) => {
            return (
                StatusCode::BAD_REQUEST,
                [("content-type", "text/plain")],
                format!("{error}\n"),
            );
        }
    };
    let mut last = witness.last.lock().unwrap();
    match witness::consider(*last, &witness.log, &request) {
        Ok(accepted) => {
            *last = Some(accepted.head());
            let at = Timestamp::from_micros(1_800_000_000_000_000).unwrap();
            let line = key(witness.number).cosign(&accepted, at).unwrap().to_string();
            (StatusCode::OK, [("content-type", "text/plain")], line)
        }
        Err(refusal) => {
            let kind = if refusal.status() == 409 { "text/x.tlog.size" } else { "text/plain" };
            let status = StatusCode::from_u16(refusal.status()).unwrap();
            (status, [("content-type", kind)], refusal.body())
        }
    }
}
