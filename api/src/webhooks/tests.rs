//! The rules of webhooks, against a receiver that listens on a socket and checks signatures with
//! somebody else's code.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse as _, Response},
    routing::post,
};
use standardwebhooks::Webhook as Verifier;
use strongroom_domain::{Timestamp, TransferId};
use tempfile::TempDir;
use tokio::sync::{Mutex, Notify, mpsc};
use uuid::Uuid;

use super::{
    Announcement, Delivery, Endpoint, EndpointError, Outbox, Secrets, WebhookConfig, Webhooks,
    address::is_public, deliver, message::Written,
};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDMfKQ9r8GKYqr";

/// What came: its headers and its body.
type Came = (HeaderMap, String);

/// A receiver: answers what it is told to, 200 when it was told nothing.
#[derive(Clone)]
struct Receiver {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    came: mpsc::UnboundedSender<Came>,
}

enum Answer {
    Status(u16),
    Redirect(String),
    /// Never answers: until the test has killed who asked.
    Never(Arc<Notify>),
}

async fn receive(State(this): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = this.answers.lock().await.pop_front();
    this.came.send((headers, String::from_utf8(body.to_vec()).unwrap())).unwrap();
    match answer {
        None => StatusCode::OK.into_response(),
        Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Answer::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to)]).into_response()
        }
        Some(Answer::Never(until)) => {
            until.notified().await;
            StatusCode::OK.into_response()
        }
    }
}

struct Scene {
    folder: TempDir,
    address: SocketAddr,
    receiver: Receiver,
    came: mpsc::UnboundedReceiver<Came>,
}

impl Scene {
    async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, came) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let receiver = Receiver { answers, came: sender };
        let router = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let scene = Self { folder: tempfile::tempdir().unwrap(), address, receiver, came };
        scene.secret(OLD);
        scene
    }

    fn secret(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn config(&self) -> WebhookConfig {
        WebhookConfig {
            id: "erp".to_owned(),
            url: format!("http://{}/hook", self.address),
            secret_file: self.folder.path().join("secret"),
            events: Vec::new(),
            allow_private: true,
            after: None,
            attempts: 3,
            first_pause_ms: 1,
            timeout_s: 10,
        }
    }

    fn webhooks(&self) -> Webhooks {
        let outbox = Outbox::open(&self.folder.path().join("webhooks.db")).unwrap();
        Webhooks::new(Endpoint::all(&[self.config()]).unwrap(), outbox)
    }

    async fn next(&mut self) -> Came {
        self.came.recv().await.unwrap()
    }
}

fn told(number: u64, transfer: u128) -> Written {
    let transfer = TransferId(Uuid::from_u128(transfer));
    Announcement {
        id: format!("n{number}"),
        kind: "reminder.approval-waits".to_owned(),
        at: Timestamp::from_micros(1_795_367_880_000_000),
        transfer: Some(transfer),
        ids: vec![("proposal".to_owned(), format!("p{number}"))],
    }
    .message()
}

fn header<'a>(came: &'a Came, name: &str) -> &'a str {
    came.0[name].to_str().unwrap()
}

/// Waits until no message waits.
async fn settled(webhooks: &Webhooks) {
    while webhooks.outbox().standing("erp").unwrap().waiting > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn what_is_sent_verifies_by_the_standard_and_says_ids_only() {
    let mut scene = Scene::new([]).await;
    let webhooks = scene.webhooks();
    webhooks.outbox().put("erp", &told(1, 7)).unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    let came = scene.next().await;
    Verifier::new(OLD).unwrap().verify(came.1.as_bytes(), &came.0).unwrap();
    assert!(Verifier::new(NEW).unwrap().verify(came.1.as_bytes(), &came.0).is_err());
    let changed = came.1.replace("p1", "p2");
    assert!(Verifier::new(OLD).unwrap().verify(changed.as_bytes(), &came.0).is_err());
    let body: serde_json::Value = serde_json::from_str(&came.1).unwrap();
    assert_eq!(body["type"], "reminder.approval-waits");
    assert_eq!(body["timestamp"], "2026-11-22T17:18:00.000000Z");
    let transaction = Uuid::from_u128(7).to_string();
    let ids = serde_json::json!({ "proposal": "p1", "transaction": transaction });
    assert_eq!(body["data"], serde_json::json!({ "ids": ids }));
    settled(&webhooks).await;
    delivering.abort();
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_verify_and_no_restart_is_needed() {
    let mut scene = Scene::new([]).await;
    let webhooks = scene.webhooks();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    for (number, file, good) in
        [(1, format!("{NEW}\n{OLD}\n"), vec![NEW, OLD]), (2, NEW.to_owned(), vec![NEW])]
    {
        scene.secret(&file);
        webhooks.outbox().put("erp", &told(number, 7)).unwrap();
        webhooks.wake();
        let came = scene.next().await;
        for secret in [OLD, NEW] {
            let verified = Verifier::new(secret).unwrap().verify(came.1.as_bytes(), &came.0);
            assert_eq!(verified.is_ok(), good.contains(&secret), "{number} {secret}");
        }
        settled(&webhooks).await;
    }
    delivering.abort();
}

#[tokio::test]
async fn a_later_message_of_a_payment_waits_for_the_earlier_and_others_go_on() {
    let held = Arc::new(Notify::new());
    let mut scene = Scene::new([Answer::Never(Arc::clone(&held))]).await;
    let webhooks = scene.webhooks();
    webhooks.outbox().put("erp", &told(1, 7)).unwrap();
    webhooks.outbox().put("erp", &told(2, 7)).unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    assert_eq!(header(&scene.next().await, "webhook-id"), "msg_n1");
    webhooks.outbox().put("erp", &told(3, 8)).unwrap();
    webhooks.wake();
    assert_eq!(header(&scene.next().await, "webhook-id"), "msg_n3");
    held.notify_one();
    assert_eq!(header(&scene.next().await, "webhook-id"), "msg_n2");
    settled(&webhooks).await;
    delivering.abort();
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_given_up_and_sent_again_by_hand() {
    let answers = [500, 429, 404].map(Answer::Status);
    let mut scene = Scene::new(answers).await;
    let webhooks = scene.webhooks();
    webhooks.outbox().put("erp", &told(1, 7)).unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    for _ in 0..3 {
        assert_eq!(header(&scene.next().await, "webhook-id"), "msg_n1");
    }
    settled(&webhooks).await;
    let listed = webhooks.outbox().list("erp", Some(Delivery::GivenUp), (0, 10)).unwrap();
    assert_eq!((listed[0].attempts, listed[0].last.as_deref()), (3, Some("404")));
    assert!(webhooks.resend("erp", "msg_unknown").unwrap().is_none());
    assert!(webhooks.resend("erp", "msg_n1").unwrap().is_some());
    assert_eq!(header(&scene.next().await, "webhook-id"), "msg_n1");
    settled(&webhooks).await;
    let listed = webhooks.outbox().list("erp", Some(Delivery::Delivered), (0, 10)).unwrap();
    assert_eq!(listed.len(), 1);
    delivering.abort();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut scene = Scene::new([]).await;
    let elsewhere = format!("http://{}/hook?elsewhere", scene.address);
    scene.receiver.answers.lock().await.push_back(Answer::Redirect(elsewhere));
    let webhooks = scene.webhooks();
    webhooks.outbox().put("erp", &told(1, 7)).unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    scene.next().await;
    // It is tried again where it was configured.
    scene.next().await;
    settled(&webhooks).await;
    let listed = webhooks.outbox().list("erp", None, (0, 10)).unwrap();
    assert_eq!(listed[0].attempts, 2);
    delivering.abort();
}

#[tokio::test]
async fn a_crash_between_delivery_and_mark_delivers_again_under_the_same_id() {
    let forever = Arc::new(Notify::new());
    let mut scene = Scene::new([Answer::Never(forever)]).await;
    let webhooks = scene.webhooks();
    webhooks.outbox().put("erp", &told(1, 7)).unwrap();
    webhooks.outbox().put("erp", &told(2, 7)).unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    let first = scene.next().await;
    // The receiver has it, and nobody has noted that: as after SIGKILL.
    delivering.abort();
    assert!(delivering.await.unwrap_err().is_cancelled());
    drop(webhooks);
    let webhooks = scene.webhooks();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    let again = scene.next().await;
    assert_eq!(header(&first, "webhook-id"), header(&again, "webhook-id"));
    assert_eq!(first.1, again.1);
    assert_eq!(header(&scene.next().await, "webhook-id"), "msg_n2");
    settled(&webhooks).await;
    delivering.abort();
}

#[tokio::test]
async fn what_is_announced_twice_is_sent_once_and_only_to_who_wants_it() {
    let mut scene = Scene::new([]).await;
    let config = WebhookConfig { events: vec!["reminder.*".to_owned()], ..scene.config() };
    let outbox = Outbox::open(&scene.folder.path().join("webhooks.db")).unwrap();
    let webhooks = Webhooks::new(Endpoint::all(&[config]).unwrap(), outbox);
    let say = |id: &str, kind: &str| {
        let (id, kind) = (id.to_owned(), kind.to_owned());
        let at = Timestamp::from_micros(1);
        webhooks.announce(&Announcement { id, kind, at, transfer: None, ids: Vec::new() })
    };
    say("a", "reminder.approval-waits").unwrap();
    say("a", "reminder.approval-waits").unwrap();
    say("b", "transfer.confirmed").unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    assert_eq!(header(&scene.next().await, "webhook-id"), "msg_a");
    settled(&webhooks).await;
    assert_eq!(webhooks.outbox().list("erp", None, (0, 10)).unwrap().len(), 1);
    delivering.abort();
}

#[tokio::test]
async fn an_address_of_our_own_is_refused_unless_it_is_configured() {
    let scene = Scene::new([]).await;
    let open = |url: &str, allow_private| {
        let url = url.to_owned();
        Endpoint::all(&[WebhookConfig { url, allow_private, ..scene.config() }])
    };
    for url in [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.0.0.8/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.8]/hook",
        // As a browser reads it: 127.0.0.1.
        "https://2130706433/hook",
        "https://0x7f.1/hook",
        "https://user:password@example.com/hook",
        "file:///etc/passwd",
        "nonsense",
    ] {
        let refused = open(url, false);
        assert!(matches!(refused, Err(EndpointError::Url { .. })), "{url}");
    }
    open("https://example.com/hook", false).unwrap();
    open("http://10.0.0.8/hook", true).unwrap();
    // A name that leads to us is met when it is looked up.
    let port = scene.address.port();
    let config = WebhookConfig {
        url: format!("https://localhost:{port}/hook"),
        allow_private: false,
        attempts: 1,
        ..scene.config()
    };
    let outbox = Outbox::open(&scene.folder.path().join("webhooks.db")).unwrap();
    let webhooks = Webhooks::new(Endpoint::all(&[config]).unwrap(), outbox);
    webhooks.outbox().put("erp", &told(1, 7)).unwrap();
    let delivering = tokio::spawn(deliver(webhooks.clone()));
    settled(&webhooks).await;
    let listed = webhooks.outbox().list("erp", None, (0, 10)).unwrap();
    let last = listed[0].last.clone().unwrap();
    assert!(last.contains("no public address"), "{last}");
    delivering.abort();
}

#[test]
fn special_addresses_are_not_public() {
    for special in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
    ] {
        assert!(!is_public(special.parse().unwrap()), "{special}");
    }
    for public in ["1.1.1.1", "8.8.8.8", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
        assert!(is_public(public.parse().unwrap()), "{public}");
    }
}

#[test]
fn a_secret_is_one_or_two_lines_of_enough_bytes() {
    for wrong in [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_c2hvcnQ=",
        "whsec_!!!!",
        &format!("{OLD}\n{OLD}\n{OLD}"),
    ] {
        assert!(Secrets::parse(wrong).is_none(), "{wrong}");
    }
    // The example of the standard's own text.
    let secrets = Secrets::parse(OLD).unwrap();
    let signed =
        secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}
