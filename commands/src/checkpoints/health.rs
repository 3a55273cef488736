//! How publishing goes, for metrics and for people. Never a reason to stop.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How publishing goes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Health {
    /// Rounds that counted since the start.
    pub counted: u64,
    /// Rounds that did not.
    pub failed: u64,
    /// Why the last round did not count; `None` once one has counted again.
    pub trouble: Option<String>,
    /// Witnesses whose last word was no cosignature, and what it was.
    pub silent: BTreeMap<String, String>,
}

#[derive(Default)]
pub(super) struct Watched(Mutex<Health>);

impl Watched {
    pub(super) fn now(&self) -> Health {
        self.with(|health| health.clone())
    }

    pub(super) fn counted(&self, size: u64) {
        self.with(|health| {
            health.counted = health.counted.saturating_add(1);
            if health.trouble.take().is_some() {
                tracing::info!(size, "checkpoints count again");
            }
        });
    }

    /// A round did not count.
    pub(super) fn failed(&self, because: &str) {
        self.with(|health| health.failed = health.failed.saturating_add(1));
        self.troubled(because);
    }

    /// Nothing can count, whether a round was tried or not.
    pub(super) fn troubled(&self, because: &str) {
        self.with(|health| {
            if health.trouble.as_deref() != Some(because) {
                tracing::warn!(because, "no checkpoint that counts");
                health.trouble = Some(because.to_owned());
            }
        });
    }

    /// A witness's last word.
    pub(super) fn witness(&self, name: &str, silent: Option<&str>) {
        self.with(|health| match silent {
            None => drop(health.silent.remove(name)),
            Some(because) => drop(health.silent.insert(name.to_owned(), because.to_owned())),
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Health) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
