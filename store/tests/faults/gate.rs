//! A clock at which the sequencer can be held. Never tells a real time, so that a history is the
//! same whenever it runs.
//!
//! What is queued while the sequencer is held shares its next batch: without it, threads would
//! decide how appends are batched, and a seed would not say what happens.

use std::sync::{Arc, Condvar, Mutex};

use strongroom_store::Clock;
use strongroom_store::ledger::Timestamp;

#[derive(Default)]
struct State {
    shut: bool,
    waiting: bool,
    time: u64,
}

/// The gate, and the clock behind it.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

impl Gate {
    pub(crate) fn clock(&self) -> Clock {
        let Self(shared) = self.clone();
        Arc::new(move || {
            let (state, changed) = &*shared;
            let mut state = state.lock().unwrap();
            while state.shut {
                state.waiting = true;
                state = changed.wait(state).unwrap();
            }
            state.waiting = false;
            state.time += 1;
            // It runs backwards now and then, as clocks do.
            let back = if state.time.is_multiple_of(7) { 40 } else { 0 };
            Timestamp::from_micros(1_800_000_000_000_000 + state.time * 10 - back).unwrap()
        })
    }

    pub(crate) fn shut(&self) {
        self.0.0.lock().unwrap().shut = true;
    }

    pub(crate) fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().shut = false;
        changed.notify_all();
    }

    /// Whether the sequencer stands before the gate.
    pub(crate) fn holds(&self) -> bool {
        let state = self.0.0.lock().unwrap();
        state.shut && state.waiting
    }
}
