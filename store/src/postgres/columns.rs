//! The columns that postgres-es reads, made from an entry alone. Never holds anything that the
//! entry does not say, so that an audit can make them again and compare.

use std::fmt::Write;

use strongroom_ledger::EntryRef;

/// What stands beside an entry in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) aggregate_type: String,
    pub(crate) aggregate_id: String,
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    pub(crate) metadata: String,
}

/// A stream as an aggregate: what stands before its first `-`, and what stands after. A stream
/// with nothing before or after one is all type and has an empty id, as `charter` has.
pub(crate) fn aggregate(stream: &str) -> (&str, &str) {
    match stream.split_once('-') {
        Some((of, id)) if !id.is_empty() => (of, id),
        Some(_) | None => (stream, ""),
    }
}

impl Columns {
    pub(crate) fn of(entry: &EntryRef<'_>) -> Self {
        let (aggregate_type, aggregate_id) = aggregate(entry.stream);
        Self {
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: aggregate_id.to_owned(),
            event_type: entry.r#type.to_owned(),
            event_version: entry.version.to_string(),
            metadata: metadata(entry),
        }
    }
}

/// A JSON object of texts, as cqrs-es reads metadata. No name in an entry needs an escape.
fn metadata(entry: &EntryRef<'_>) -> String {
    let mut text = String::with_capacity(320);
    let time = entry.time.to_text();
    let written = write!(
        text,
        r#"{{"time":"{}","actor":"{}","command":"{}","correlation":"{}""#,
        String::from_utf8_lossy(&time),
        entry.actor,
        entry.command,
        entry.correlation
    )
    .and_then(|()| match entry.causation {
        Some(causation) => write!(text, r#","causation":"{causation}"}}"#),
        None => text.write_char('}'),
    });
    debug_assert!(written.is_ok(), "writing to a String never fails");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_streams_are_one_aggregate() {
        let streams =
            ["charter", "charter-", "-", "-a", "a-", "a-b", "a--b", "a-b-c", "a--", "a:b"];
        for stream in streams {
            let (of, id) = aggregate(stream);
            let again = if id.is_empty() { of.to_owned() } else { format!("{of}-{id}") };
            assert_eq!(again, stream);
        }
        assert_eq!(aggregate("charter"), ("charter", ""));
        assert_eq!(aggregate("transfer-0192-7"), ("transfer", "0192-7"));
    }
}
