//! Whose signatures make a checkpoint of this log count, as the charter says. Never counts one whose
//! log did not sign it with both keys.

use super::Counting;
use std::collections::BTreeMap;
use strongroom_domain::charter::Standing;

/// Whose signatures make a checkpoint count.
pub struct Policy {
    origin: String,
}

/// A checkpoint and the cosignatures that were verified so far.
pub(super) struct Cosigned;

impl Policy {
    /// As the charter stands.
    pub fn of(_standing: &Standing) -> Result<Self, String> {
        Err("checkpoints are not built yet".to_owned())
    }

    /// The log's name in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Verifies a whole checkpoint.
    pub fn count(&self, _text: &str) -> Result<Counting, String> {
        Err("checkpoints are not built yet".to_owned())
    }

    /// As a file for strangers (C2SP tlog-policy).
    pub fn text(&self) -> String {
        String::new()
    }

    pub(super) fn is_left_behind(&self, _text: &str) -> bool {
        false
    }

    pub(super) fn begin(&self, _note: &str) -> Result<Cosigned, String> {
        Err("checkpoints are not built yet".to_owned())
    }

    pub(super) fn short(&self, _count: usize, _missing: &BTreeMap<String, String>) -> String {
        String::new()
    }
}

impl Cosigned {
    pub(super) fn add(&mut self, _name: &str, _lines: &str) -> Result<(), String> {
        Ok(())
    }

    pub(super) fn counting(&self) -> Option<Counting> {
        None
    }

    pub(super) fn count(&self) -> usize {
        0
    }
}
