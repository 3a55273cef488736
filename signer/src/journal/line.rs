//! The journal's lines: writing a batch, reading a file, telling a torn end from damage. Does no I/O
//! and never repairs a line.

use std::fmt::Write;

use sha2::{Digest, Sha256};

const CHECKSUM: usize = 64;

/// What a file holds.
pub(super) struct Found {
    /// Offset and JSON of each record.
    pub(super) records: Vec<(usize, String)>,
    /// Where the last whole batch ends: everything after it was never acknowledged.
    pub(super) end: usize,
    /// Number of the last whole batch; 0 if there is none.
    pub(super) batch: u64,
}

/// Something that no crash explains.
pub(super) struct Damage {
    pub(super) offset: usize,
    pub(super) what: &'static str,
}

struct Line<'a> {
    sequence: u64,
    batch: u64,
    left: u64,
    json: &'a str,
}

/// The bytes of one batch. `first` is the sequence of its first record.
pub(super) fn write(records: &[String], first: u64, batch: u64) -> Vec<u8> {
    let mut text = String::new();
    let mut left = u64::try_from(records.len()).unwrap_or(u64::MAX);
    let mut sequence = first;
    for json in records {
        left = left.saturating_sub(1);
        let body = format!("{sequence} {batch} {left} {json}");
        let checksum = hex::encode(Sha256::digest(body.as_bytes()));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{checksum} {body}");
        sequence = sequence.saturating_add(1);
    }
    text.into_bytes()
}

/// Reads a whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Found, Damage> {
    let mut found = Found { records: Vec::new(), end: 0, batch: 0 };
    let mut pending: Vec<(usize, String)> = Vec::new();
    let mut offset: usize = 0;
    let mut left = 0;
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = parse(raw) else {
            return torn(found, bytes, offset);
        };
        let sequence = found.records.len().saturating_add(pending.len()).saturating_add(1);
        let in_order = u64::try_from(sequence) == Ok(line.sequence)
            && line.batch == found.batch.saturating_add(1)
            && (pending.is_empty() || line.left == left);
        if !in_order {
            return Err(Damage { offset, what: "a record is missing, doubled or out of order" });
        }
        pending.push((offset, line.json.to_owned()));
        offset = offset.saturating_add(raw.len());
        left = line.left.saturating_sub(1);
        if line.left == 0 {
            found.records.append(&mut pending);
            found.batch = line.batch;
            found.end = offset;
        }
    }
    Ok(found)
}

/// A bad line is a torn write only if it lies in the batch after the last whole one: a line of any
/// later batch proves that this one had been acknowledged, and was damaged since.
fn torn(found: Found, bytes: &[u8], offset: usize) -> Result<Found, Damage> {
    let rest = bytes.get(offset..).unwrap_or_default();
    let later = rest
        .split_inclusive(|byte| *byte == b'\n')
        .filter_map(hidden)
        .any(|line| line.batch > found.batch.saturating_add(1) || line.batch <= found.batch);
    if later {
        return Err(Damage { offset, what: "a damaged record has acknowledged ones behind it" });
    }
    Ok(found)
}

/// A line in `raw`, at its start or, when the line end before it is damaged, further on.
fn hidden(raw: &[u8]) -> Option<Line<'_>> {
    let mut starts = raw.windows(CHECKSUM.saturating_add(1)).enumerate().filter(|(_, window)| {
        window.split_last().is_some_and(|(last, checksum)| {
            *last == b' ' && checksum.iter().all(u8::is_ascii_hexdigit)
        })
    });
    starts.find_map(|(start, _)| parse(raw.get(start..)?))
}

fn parse(raw: &[u8]) -> Option<Line<'_>> {
    let text = std::str::from_utf8(raw.strip_suffix(b"\n")?).ok()?;
    let (checksum, body) = text.split_at_checked(CHECKSUM)?;
    let body = body.strip_prefix(' ')?;
    if checksum != hex::encode(Sha256::digest(body.as_bytes())) {
        return None;
    }
    let mut fields = body.splitn(4, ' ');
    let mut number = || fields.next()?.parse::<u64>().ok();
    let (sequence, batch, left) = (number()?, number()?, number()?);
    Some(Line { sequence, batch, left, json: fields.next()? })
}
