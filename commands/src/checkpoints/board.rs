//! Where the newest checkpoint that counts is shown, and where it is waited for. Never shows one
//! that was not verified, and never goes back to a smaller one of the same log.

use super::{Counting, history::History};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// The newest checkpoint that counts. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Board(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    newest: watch::Sender<Option<Arc<Counting>>>,
    earlier: Mutex<History>,
}

/// Follows a [`Board`].
pub type News = watch::Receiver<Option<Arc<Counting>>>;

impl Board {
    /// Begins with what was kept.
    pub fn new(kept: Option<Arc<Counting>>) -> Self {
        let newest = watch::Sender::new(kept);
        Self(Arc::new(Shown { newest, earlier: Mutex::default() }))
    }

    /// What it shows.
    pub fn newest(&self) -> Option<Arc<Counting>> {
        self.0.newest.borrow().clone()
    }

    /// The entries that it covers.
    pub fn size(&self) -> u64 {
        size(self.0.newest.borrow().as_ref())
    }

    /// Hears of each change.
    pub fn news(&self) -> News {
        self.0.newest.subscribe()
    }

    /// Shows a larger one, or the same one with further cosignatures, or the first one of a log that
    /// was resumed under another origin.
    pub(super) fn show(&self, next: Arc<Counting>) {
        let counted = Arc::clone(&next);
        let news = self.0.newest.send_if_modified(|shown| {
            let newer = shown.as_ref().is_none_or(|now| {
                next.origin != now.origin
                    || next.head.size > now.head.size
                    || (next.head.size == now.head.size
                        && next.cosigned_by.len() > now.cosigned_by.len())
            });
            if newer {
                *shown = Some(next);
            }
            newer
        });
        if news {
            self.0.earlier.lock().unwrap_or_else(PoisonError::into_inner).note(&counted);
        }
    }

    /// Those that it showed before and that cover an entry after this one, the smallest first; not all
    /// of them, and none from before the process began.
    pub(crate) fn earlier(&self, position: u64) -> VecDeque<Arc<Counting>> {
        self.0.earlier.lock().unwrap_or_else(PoisonError::into_inner).after(position)
    }
}

/// The entries that a checkpoint covers; 0 without one.
pub(super) fn size(shown: Option<&Arc<Counting>>) -> u64 {
    shown.map_or(0, |counting| counting.head.size)
}
