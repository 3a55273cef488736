//! Entries as a table for analysts: one Parquet file for each segment. Never what a log is verified
//! from: it holds the fields, not the bytes that were hashed.

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use std::io::Write;
use std::sync::Arc;
use strongroom_ledger::{EntryRef, export::Pair, leaf_hash};

/// The columns. `leaf` and `payload_sha256` are hexadecimal, as everywhere else.
const SCHEMA: &str = "message entry {
  REQUIRED INT64 position; REQUIRED BYTE_ARRAY time (UTF8); REQUIRED BYTE_ARRAY stream (UTF8);
  REQUIRED INT64 sequence; REQUIRED BYTE_ARRAY type (UTF8); REQUIRED INT32 version;
  REQUIRED BYTE_ARRAY actor (UTF8); REQUIRED BYTE_ARRAY command (UTF8);
  REQUIRED BYTE_ARRAY correlation (UTF8); OPTIONAL BYTE_ARRAY causation (UTF8);
  REQUIRED BYTE_ARRAY payload_sha256 (UTF8); REQUIRED BYTE_ARRAY leaf (UTF8);
  REQUIRED BYTE_ARRAY payload (UTF8);
}";

/// A row group ends with the row that takes its payloads to this many bytes.
const GROUP_BYTES: usize = 8 << 20;

type Texts = Vec<ByteArray>;

/// Rows that wait for their group.
#[derive(Default)]
struct Group {
    position: Vec<i64>,
    time: Texts,
    stream: Texts,
    sequence: Vec<i64>,
    kind: Texts,
    version: Vec<i32>,
    actor: Texts,
    command: Texts,
    correlation: Texts,
    causation: Texts,
    caused: Vec<i16>,
    payload_sha256: Texts,
    leaf: Texts,
    payload: Texts,
    bytes: usize,
}

/// Writes a table.
pub(super) struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    group: Group,
}

fn text(value: &impl ToString) -> ByteArray {
    value.to_string().into_bytes().into()
}

fn number(value: u64) -> i64 {
    // Positions and sequences end at 2^53-1.
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl<W: Write + Send> Table<W> {
    pub(super) fn new(out: W) -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let level = ZstdLevel::try_new(3)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level));
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        Ok(Self { writer, group: Group::default() })
    }

    /// Adds an entry. One that is malformed has no row, and a table without it would lie.
    pub(super) fn push(&mut self, pair: &Pair) -> Result<(), ParquetError> {
        let refuse = |reason: &dyn ToString| ParquetError::General(reason.to_string());
        let entry = EntryRef::parse(&pair.entry).map_err(|error| refuse(&error))?;
        str::from_utf8(&pair.payload).map_err(|error| refuse(&error))?;
        let group = &mut self.group;
        group.position.push(number(entry.position.get()));
        group.time.push(text(&entry.time));
        group.stream.push(text(&entry.stream));
        group.sequence.push(number(entry.sequence));
        group.kind.push(text(&entry.r#type));
        group.version.push(entry.version.into());
        group.actor.push(text(&entry.actor));
        group.command.push(text(&entry.command));
        group.correlation.push(text(&entry.correlation));
        group.caused.push(entry.causation.is_some().into());
        group.causation.extend(entry.causation.as_ref().map(text));
        group.payload_sha256.push(text(&entry.payload_sha256));
        group.leaf.push(text(&leaf_hash(&pair.entry)));
        group.payload.push(pair.payload.clone().into());
        group.bytes = group.bytes.saturating_add(pair.payload.len()).saturating_add(512);
        if group.bytes >= GROUP_BYTES { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        let group = std::mem::take(&mut self.group);
        let mut out = self.writer.next_row_group()?;
        long(&mut out, &group.position)?;
        texts(&mut out, &group.time, None)?;
        texts(&mut out, &group.stream, None)?;
        long(&mut out, &group.sequence)?;
        texts(&mut out, &group.kind, None)?;
        if let Some(mut column) = out.next_column()? {
            column.typed::<Int32Type>().write_batch(&group.version, None, None)?;
            column.close()?;
        }
        texts(&mut out, &group.actor, None)?;
        texts(&mut out, &group.command, None)?;
        texts(&mut out, &group.correlation, None)?;
        texts(&mut out, &group.causation, Some(&group.caused))?;
        texts(&mut out, &group.payload_sha256, None)?;
        texts(&mut out, &group.leaf, None)?;
        texts(&mut out, &group.payload, None)?;
        out.close()?;
        Ok(())
    }

    /// Writes what waits, and the footer.
    pub(super) fn finish(mut self) -> Result<(), ParquetError> {
        if !self.group.position.is_empty() {
            self.end_group()?;
        }
        self.writer.close()?;
        Ok(())
    }
}

fn long<W: Write + Send>(
    out: &mut SerializedRowGroupWriter<'_, W>,
    values: &[i64],
) -> Result<(), ParquetError> {
    let Some(mut column) = out.next_column()? else { return Ok(()) };
    column.typed::<Int64Type>().write_batch(values, None, None)?;
    column.close()
}

fn texts<W: Write + Send>(
    out: &mut SerializedRowGroupWriter<'_, W>,
    values: &[ByteArray],
    there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = out.next_column()? else { return Ok(()) };
    column.typed::<ByteArrayType>().write_batch(values, there, None)?;
    column.close()
}
