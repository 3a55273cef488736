//! A client whose users ask for withdrawals at a steady pace, whatever the weather. It repeats what was
//! not answered, always under the same idempotency key, and never gives up while it is let.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use strongroom_domain::Network;
use tokio::time::{Instant, sleep};

use super::ground::Rail;
use crate::deployment::Desk;
use crate::journey::{fresh_key, text};
use crate::withdrawals::Speaker;

/// For one answer; then it is asked again.
const ANSWER: Duration = Duration::from_secs(5);
/// Before it is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of a withdrawal's request, as its client saw it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The index of the wallet.
    pub(super) rail: usize,
    pub(super) amount: u128,
    /// Microseconds since 1970, at the first try.
    pub(super) since: u64,
    /// Its id, once the server had acknowledged it.
    pub(super) transfer: Option<String>,
    /// Whether both approvals were acknowledged.
    pub(super) approved: bool,
    /// The server's word against it, or that there was none in the end.
    pub(super) refused: Option<String>,
    /// How often a request of this client had to be repeated.
    pub(super) repeated: u32,
}

/// The people at their desks, and what they ask for.
pub(super) struct Payer {
    http: reqwest::Client,
    url: String,
    initiator: Speaker,
    approvers: Vec<Speaker>,
    rails: Vec<Value>,
    /// Nothing is repeated after that.
    until: Instant,
}

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("before the year 500000")
}

impl Payer {
    /// Must be called inside a Tokio runtime.
    pub(super) fn new(desk: &Desk, rails: &[Rail], patience: Duration) -> Self {
        let speakers = desk.institution.approvers.iter().take(2).map(Speaker::of);
        let template = |rail: &Rail| {
            json!({
                "account": rail.custody.account,
                "wallet": rail.custody.wallet,
                "asset": Network::native_asset(rail.custody.network).to_string(),
                "destination": rail.destination,
                "fee_cap": rail.fee_cap.to_string(),
            })
        };
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build();
        Self {
            http: http.expect("a client"),
            url: desk.url.clone(),
            initiator: Speaker::of(&desk.institution.initiator),
            approvers: speakers.collect(),
            rails: rails.iter().map(template).collect(),
            until: Instant::now() + patience,
        }
    }

    /// One withdrawal, from the request to its second approval.
    pub(super) async fn pay(&self, rail: usize, number: usize) -> Asked {
        let amount = Rail::amount(number);
        let mut asked = Asked {
            rail,
            amount,
            since: now(),
            transfer: None,
            approved: false,
            refused: None,
            repeated: 0,
        };
        match self.request_and_approve(&mut asked).await {
            Ok(()) => asked.approved = true,
            Err(because) => asked.refused = Some(because),
        }
        asked
    }

    async fn request_and_approve(&self, asked: &mut Asked) -> Result<(), String> {
        let mut body = self.rails[asked.rail].clone();
        body["amount"] = json!(asked.amount.to_string());
        let told = self.post("/transactions", &body, &self.initiator, asked).await?;
        asked.transfer = Some(text(&told, "transaction"));
        let path = format!("/approvals/{}", text(&told, "proposal"));
        for approver in &self.approvers {
            let key = approver.key.as_ref().expect("an approver");
            let query = [("approver", approver.id.as_str()), ("answer", "approve")];
            let read = || self.http.get(format!("{}/api/v1{path}", self.url)).query(&query);
            let shown = self.insist(read, approver, asked).await?;
            let body = json!({
                "answer": "approve",
                "key": key.public_key().to_string(),
                "signature": key.sign(&text(&shown, "statement")).to_string(),
            });
            self.post(&path, &body, approver, asked).await?;
        }
        Ok(())
    }

    async fn post(
        &self,
        path: &str,
        body: &Value,
        speaker: &Speaker,
        asked: &mut Asked,
    ) -> Result<Value, String> {
        let key = fresh_key();
        let request = || {
            let request = self.http.post(format!("{}/api/v1{path}", self.url));
            request.header("Idempotency-Key", &key).json(body)
        };
        self.insist(request, speaker, asked).await
    }

    /// Asks until there is an answer that another try would not change; the server's refusal.
    async fn insist(
        &self,
        request: impl Fn() -> RequestBuilder,
        speaker: &Speaker,
        asked: &mut Asked,
    ) -> Result<Value, String> {
        loop {
            let because = match self.once(request(), speaker).await {
                Ok((200..300, body)) => return Ok(body),
                // It can't now; or, of what is read, it has not come that far again.
                Ok((status @ (404 | 409 | 429 | 500..), body)) => format!("{status}: {body}"),
                Ok((status, body)) => return Err(format!("{status}: {body}")),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= self.until {
                return Err(format!("no answer in the end: {because}"));
            }
            asked.repeated += 1;
            sleep(PAUSE).await;
        }
    }

    async fn once(
        &self,
        request: RequestBuilder,
        speaker: &Speaker,
    ) -> Result<(u16, Value), reqwest::Error> {
        let answer = request.bearer_auth(&speaker.token).send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or(Value::Null)))
    }
}
