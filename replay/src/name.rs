//! What a log is called, as its own entries say: the charter, and every resumption. Never says that
//! an entry was allowed to say so.

use serde::Deserialize;
use std::fmt;
use strongroom_domain::{LogId, charter::LogResumed};
use strongroom_ledger::{EntryRef, TreeHead, export::Pair};

/// A log's name in checkpoints: `strongroom/<log>`, after resumption *n* `strongroom/<log>/<n>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Which log.
    pub log: LogId,
    /// The number of its last resumption; 0 before the first.
    pub resumption: u32,
}

/// Text that is no origin of a log of this kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no log of this kind: expected strongroom/<log> or strongroom/<log>/<resumption>")]
pub struct OriginError(String);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resumption {
            0 => write!(f, "strongroom/{}", self.log),
            number => write!(f, "strongroom/{}/{number}", self.log),
        }
    }
}

impl std::str::FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let read = || {
            let rest = text.strip_prefix("strongroom/")?;
            let (log, number) = rest.split_once('/').unwrap_or((rest, "0"));
            let origin = Self { log: log.parse().ok()?, resumption: number.parse().ok()? };
            (origin.to_string() == text).then_some(origin)
        };
        read().ok_or_else(|| OriginError(text.to_owned()))
    }
}

/// A tree that witnesses saw, and of which log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Witnessed {
    /// Its name then.
    pub origin: Origin,
    /// The tree.
    pub tree: TreeHead,
}

/// What an entry says of its log's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Naming {
    /// The charter's id.
    Founded(LogId),
    /// A resumption's certificate.
    Resumed(Box<LogResumed>),
}

/// The part of a charter of any version that names the log.
#[derive(Deserialize)]
struct Named {
    charter: OfLog,
}

#[derive(Deserialize)]
struct OfLog {
    log: LogId,
}

/// What an entry says of the name of its log; most say nothing.
pub(crate) fn naming(entry: &EntryRef<'_>, payload: &[u8]) -> Option<Naming> {
    match entry.r#type {
        "charter.founded" => {
            let named: Named = serde_json::from_slice(payload).ok()?;
            Some(Naming::Founded(named.charter.log))
        }
        "charter.log-resumed" => {
            serde_json::from_slice(payload).ok().map(|it| Naming::Resumed(Box::new(it)))
        }
        _ => None,
    }
}

/// The name so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Name {
    log: Option<LogId>,
    resumed: Vec<(u64, LogResumed)>,
}

impl Name {
    /// Keeps what the entry at a position says.
    pub(crate) fn keep(&mut self, position: u64, naming: &Naming) {
        match naming {
            Naming::Founded(log) if position == 1 => self.log = Some(*log),
            Naming::Founded(_) => {}
            Naming::Resumed(resumed) => self.resumed.push((position, (**resumed).clone())),
        }
    }

    /// The same, of an entry as it stands.
    pub(crate) fn read(&mut self, position: u64, pair: &Pair) {
        let entry = EntryRef::parse(&pair.entry).ok();
        if let Some(naming) = entry.and_then(|entry| naming(&entry, &pair.payload)) {
            self.keep(position, &naming);
        }
    }

    /// `None` where entry 1 is no charter.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let last = self.resumed.last();
        let resumption = last.map_or(0, |(_, it)| it.resumption.number);
        Some(Origin { log: self.log?, resumption })
    }

    /// Every resumption with its entry, in order.
    pub(crate) fn resumed(&self) -> &[(u64, LogResumed)] {
        &self.resumed
    }
}
