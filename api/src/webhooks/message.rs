//! What a webhook is told: what happened, where in the log, when, and to what. Never who, and never
//! how much: whoever may know that asks the API.

use serde_json::{Map, Value, json};
use strongroom_domain::{Timestamp, TransferId};
use strongroom_store::Record;
use uuid::Uuid;

/// Fields of payloads that are ids of things, never of people.
const IDS: [&str; 11] = [
    "account",
    "asset",
    "attempt",
    "deposit",
    "difference",
    "freeze",
    "key",
    "network",
    "proposal",
    "transfer",
    "wallet",
];

/// A message before it is put into an outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Written {
    /// The header `webhook-id`: the same each time that it is sent.
    pub(super) id: String,
    /// The event's type.
    pub(super) kind: String,
    /// Its place in the log; 0 for what is not in it.
    pub(super) position: u64,
    /// What it keeps its order with: messages of a payment, else of a stream.
    pub(super) lane: String,
    /// The JSON.
    pub(super) body: String,
}

/// Something to tell that is no entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// Its own id: letters, digits and hyphens. Told twice, it is sent once.
    pub id: String,
    /// Its type, such as `reminder.proposal-expires`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// About which payment.
    pub transfer: Option<TransferId>,
    /// Ids of what it is about, and nothing else.
    pub ids: Vec<(String, String)>,
}

/// The fields of an entry's payload that messages speak of.
pub(super) struct Facts(Map<String, Value>);

impl Facts {
    pub(super) fn of(record: &Record) -> Self {
        let payload: Option<Value> = serde_json::from_slice(&record.payload).ok();
        match payload {
            Some(Value::Object(fields)) => Self(fields),
            _ => Self(Map::new()),
        }
    }

    /// The payment that a proposal's question is about.
    pub(super) fn asked_about(&self) -> Option<TransferId> {
        let question = self.0.get("subject")?.as_object()?.values().next()?;
        let direct = || question.get("transfer");
        let transfer = question.get("intent").and_then(|intent| intent.get("transfer"));
        transfer.or_else(direct)?.as_str()?.parse().ok()
    }

    pub(super) fn transfer(&self) -> Option<TransferId> {
        self.0.get("transfer")?.as_str()?.parse().ok()
    }

    fn ids(&self) -> Map<String, Value> {
        let fields = self.0.iter();
        let ids = fields.filter(|(name, value)| IDS.contains(&name.as_str()) && value.is_string());
        // The API calls a transfer a transaction.
        ids.map(|(name, value)| (called(name).to_owned(), value.clone())).collect()
    }
}

fn called(name: &str) -> &str {
    if name == "transfer" { "transaction" } else { name }
}

impl Written {
    /// An entry of a log, told.
    pub(super) fn of(log: Uuid, record: &Record, facts: &Facts, about: Option<TransferId>) -> Self {
        let entry = &record.entry;
        let mut ids = facts.ids();
        if let Some((kind, id)) = entry.stream.split_once('-')
            && kind != "person"
        {
            ids.insert(called(kind).to_owned(), id.into());
        }
        if let Some(transfer) = about {
            ids.insert("transaction".to_owned(), transfer.to_string().into());
        }
        let position = entry.position.get();
        let body = json!({
            "type": entry.r#type,
            "timestamp": entry.time.to_string(),
            "data": { "position": position, "ids": ids },
        });
        Self {
            id: format!("msg_{}_{position}", log.simple()),
            kind: entry.r#type.clone(),
            position,
            lane: about.map_or_else(|| entry.stream.clone(), |id| format!("transfer-{id}")),
            body: body.to_string(),
        }
    }
}

impl Announcement {
    pub(super) fn message(&self) -> Written {
        let mut ids: Map<String, Value> =
            self.ids.iter().map(|(name, id)| (name.clone(), id.clone().into())).collect();
        if let Some(transfer) = self.transfer {
            ids.insert("transaction".to_owned(), transfer.to_string().into());
        }
        let body = json!({
            "type": self.kind, "timestamp": self.at.to_string(), "data": { "ids": ids },
        });
        let alone = || format!("announcement-{}", self.id);
        Written {
            id: format!("msg_{}", self.id),
            kind: self.kind.clone(),
            position: 0,
            lane: self.transfer.map_or_else(alone, |id| format!("transfer-{id}")),
            body: body.to_string(),
        }
    }
}
