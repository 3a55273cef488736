//! What an export in segments says of itself. Never believed: every line of it is held against what
//! the segments hold.

use crate::finding::{Fault, Finding};
use crate::name::Origin;
use serde::{Deserialize, Serialize};
use strongroom_ledger::{Hash, Head, TreeHead};

/// The name of the file.
pub const MANIFEST: &str = "manifest.json";
/// The first field of every manifest of this form.
pub const FORMAT: &str = "strongroom-export/1";

/// The manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The log's id, as its charter says.
    pub log: Option<String>,
    /// Its origin in checkpoints.
    pub origin: Option<String>,
    /// The first entry's position: 1.
    pub first: u64,
    /// The last entry's.
    pub last: u64,
    /// The leaf of the last entry.
    pub head: Hash,
    /// The tree over all of them.
    pub tree: TreeHead,
    /// The files, in order.
    pub segments: Vec<Segment>,
}

/// One file of entries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its name, beside the manifest.
    pub file: String,
    /// The SHA-256 of all its bytes.
    pub sha256: Hash,
    /// The position of its first entry.
    pub first: u64,
    /// Of its last.
    pub last: u64,
    /// The leaf of its last entry.
    pub head: Hash,
    /// The same entries for analysts.
    pub parquet: Option<Named>,
}

/// A file and the SHA-256 of its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Beside the manifest.
    pub file: String,
    /// Of all its bytes.
    pub sha256: Hash,
}

/// The name of the file of entries from `first` on.
pub(super) fn file_of(first: u64, extension: &str) -> String {
    format!("entries-{first:012}.{extension}")
}

impl Manifest {
    /// Whether it can be the manifest of an export: every file has the name of its first entry,
    /// beside it, and nothing is left out.
    pub(super) fn form(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("its format is `{}`, expected `{FORMAT}`", self.format));
        }
        let mut next = 1;
        for segment in &self.segments {
            let parquet = segment.parquet.as_ref();
            let named = segment.file == file_of(next, "jsonl")
                && parquet.is_none_or(|it| it.file == file_of(next, "parquet"));
            if segment.first != next || segment.last < next || !named {
                return Err(format!("its segment from entry {next} on is not where it belongs"));
            }
            next = segment.last.saturating_add(1);
        }
        if self.first != 1 || self.last.checked_add(1) != Some(next) {
            return Err(format!("it names entries {} to {}", self.first, self.last));
        }
        Ok(())
    }

    /// Whether what was read is what it says.
    pub(crate) fn check(
        &self,
        head: Head,
        tree: TreeHead,
        origin: Option<Origin>,
    ) -> Result<(), Finding> {
        let position = head.position.get();
        if position < self.last {
            return Err(Finding::truncated(head, format!("entry {} by its manifest", self.last)));
        }
        if head.leaf != self.head || tree != self.tree {
            let message = format!(
                "the segments end at {position}:{} with tree {}:{}, the manifest says {}:{} and \
                 {}:{}",
                head.leaf,
                tree.size,
                tree.root,
                self.last,
                self.head,
                self.tree.size,
                self.tree.root
            );
            return Err(Finding::at(Fault::BadManifest, position, message));
        }
        let log = origin.map(|it| it.log.to_string());
        let origin = origin.map(|it| it.to_string());
        if self.log != log || self.origin != origin {
            let said = |it: &Option<String>| it.clone().unwrap_or_else(|| "no log".to_owned());
            let message = format!(
                "the segments are of {}, the manifest says {} and log {}",
                said(&origin),
                said(&self.origin),
                said(&self.log)
            );
            return Err(Finding::of(Fault::BadManifest, message));
        }
        Ok(())
    }
}
