//! Writes an export in segments. Never writes the manifest before every segment is durable, and
//! never goes on behind a segment of another log.

use super::{
    Hashing, digest,
    manifest::{FORMAT, MANIFEST, Manifest, Named, Segment, file_of},
    parquet::Table,
};
use crate::{
    finding::{Fault, Finding},
    name::Name,
    prepared::Raw,
    source::Source,
};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use strongroom_ledger::{
    Frontier, Hash,
    export::{Pair, Reader, Writer},
    leaf_hash,
};

/// How an export is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExportOptions {
    /// Entries in a segment, at least 1.
    pub segment: u64,
    /// Whether each segment is written as Parquet too.
    pub parquet: bool,
}

/// What of the log the manifest will say.
#[derive(Default)]
struct Sofar {
    entries: u64,
    tree: Frontier,
    name: Name,
    segments: Vec<Segment>,
}

fn failed(what: &Path, error: &dyn ToString) -> Finding {
    Finding::of(Fault::Unreadable, format!("{}: {}", what.display(), error.to_string()))
}

/// Writes `source` to the folder `out`, unchecked, and gives the manifest. What an interrupted run
/// has left is kept where it is what the source holds; a finished export is refused. `progress`
/// hears of every entry.
pub fn export_folder(
    source: &mut Source,
    out: &Path,
    options: ExportOptions,
    mut progress: impl FnMut(u64),
) -> Result<Manifest, Finding> {
    fs::create_dir_all(out).map_err(|error| failed(out, &error))?;
    let manifest = out.join(MANIFEST);
    if manifest.exists() {
        return Err(failed(&manifest, &"there is a finished export already"));
    }
    let mut sofar = Sofar::default();
    let mut ahead = next(source, out)?;
    while ahead.is_some() {
        segment(source, &mut ahead, out, options, &mut sofar, &mut progress)?;
    }
    let Some(last) = sofar.segments.last() else {
        return Err(Finding::of(Fault::Truncated, "the log has no entries, expected a charter"));
    };
    let name = sofar.name.origin();
    let (log, origin) = (name.map(|it| it.log.to_string()), name.map(|it| it.to_string()));
    let (head, tree) = (last.head, sofar.tree.head());
    let (segments, last) = (sofar.segments, sofar.entries);
    let said =
        Manifest { format: FORMAT.to_owned(), log, origin, first: 1, last, head, tree, segments };
    let mut text = serde_json::to_vec_pretty(&said).map_err(|error| failed(&manifest, &error))?;
    text.push(b'\n');
    publish(out, MANIFEST, |file| {
        file.write_all(&text).map_err(|error| failed(&manifest, &error))
    })?;
    Ok(said)
}

fn next(source: &mut Source, out: &Path) -> Result<Option<Raw>, Finding> {
    source.read().map_err(|error| failed(out, &error))
}

/// Writes one segment; `ahead` is the entry that it begins with, and then the one behind it.
fn segment(
    source: &mut Source,
    ahead: &mut Option<Raw>,
    out: &Path,
    options: ExportOptions,
    sofar: &mut Sofar,
    progress: &mut impl FnMut(u64),
) -> Result<(), Finding> {
    let first = sofar.entries.saturating_add(1);
    let (lines, table) = (file_of(first, "jsonl"), file_of(first, "parquet"));
    let mut leaf = Hash::ZERO;
    let mut each = |write: &mut dyn FnMut(&Pair) -> Result<(), Finding>| {
        let mut count = 0;
        while count < options.segment.max(1)
            && let Some(raw) = ahead.take()
        {
            write(&raw.pair)?;
            leaf = sofar.note(&raw.pair);
            progress(sofar.entries);
            *ahead = next(source, out)?;
            count = count.saturating_add(1);
        }
        Ok::<_, Finding>(())
    };
    let path = out.join(&lines);
    let sha256 = if path.exists() {
        same(&path, &mut each)?
    } else {
        publish(out, &lines, |file| {
            let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, Hashing::new(file)));
            each(&mut |pair| {
                let written = writer.write(&pair.entry, &pair.payload);
                written.map_err(|error| failed(&path, &error))
            })?;
            let file = writer.finish().map_err(|error| failed(&path, &error))?;
            Ok(file.into_inner().map_err(|error| failed(&path, &error))?.hash())
        })?
    };
    let parquet = if options.parquet { Some(tabled(out, &lines, table)?) } else { None };
    let last = sofar.entries;
    sofar.segments.push(Segment { file: lines, sha256, first, last, head: leaf, parquet });
    Ok(())
}

/// Holds a segment that an interrupted run has left against the source.
fn same(
    path: &Path,
    each: &mut impl FnMut(&mut dyn FnMut(&Pair) -> Result<(), Finding>) -> Result<(), Finding>,
) -> Result<Hash, Finding> {
    let other = || {
        let reason = "it is not what the log holds there: export to another folder, or remove it \
                      if the segments should have another size";
        failed(path, &reason)
    };
    let open = || File::open(path).map_err(|error| failed(path, &error));
    let mut reader = Reader::new(BufReader::new(open()?));
    let mut left = Pair::default();
    each(&mut |pair| match reader.read(&mut left) {
        Ok(true) if left == *pair => Ok(()),
        Ok(_) | Err(_) => Err(other()),
    })?;
    match reader.read(&mut left) {
        Ok(false) => digest(open()?).map_err(|error| failed(path, &error)),
        Ok(true) | Err(_) => Err(other()),
    }
}

/// The same entries as a table, from the segment that is durable.
fn tabled(out: &Path, lines: &str, table: String) -> Result<Named, Finding> {
    let (from, path) = (out.join(lines), out.join(&table));
    let input = File::open(&from).map_err(|error| failed(&from, &error))?;
    let mut reader = Reader::new(BufReader::new(input));
    // Made again after an interruption: it is the same bytes from the same build, or a newer one's.
    publish(out, &table, |file| {
        let mut writer = Table::new(file).map_err(|error| failed(&path, &error))?;
        let mut pair = Pair::default();
        while reader.read(&mut pair).map_err(|error| failed(&from, &error))? {
            writer.push(&pair).map_err(|error| failed(&path, &error))?;
        }
        writer.finish().map_err(|error| failed(&path, &error))
    })?;
    let written = File::open(&path).and_then(digest).map_err(|error| failed(&path, &error))?;
    Ok(Named { file: table, sha256: written })
}

/// Writes a file beside its name and puts it in place when it is durable: a crash leaves a `.part`
/// that nothing reads.
fn publish<T>(
    out: &Path,
    name: &str,
    write: impl FnOnce(&mut File) -> Result<T, Finding>,
) -> Result<T, Finding> {
    let (path, part) = (out.join(name), out.join(format!("{name}.part")));
    let mut file = File::create(&part).map_err(|error| failed(&part, &error))?;
    let written = write(&mut file)?;
    let placed = file.sync_all().and_then(|()| fs::rename(&part, &path));
    let durable = placed.and_then(|()| File::open(out)?.sync_all());
    durable.map_err(|error| failed(&path, &error))?;
    Ok(written)
}

impl Sofar {
    fn note(&mut self, pair: &Pair) -> Hash {
        let leaf = leaf_hash(&pair.entry);
        self.tree.push(leaf, |_, _, _| {});
        self.entries = self.entries.saturating_add(1);
        self.name.read(self.entries, pair);
        leaf
    }
}
