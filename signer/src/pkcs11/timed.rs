//! A token that somebody waits for with a clock. A call inside a PKCS#11 library can't be ended: one
//! that hangs keeps its thread, its session and the connection. So it works on a thread of its own,
//! and its caller leaves when the time is over. Never sends another call after one that hangs: until
//! that one comes back, everybody is told at once that the token is unavailable.

use std::{
    ops::Deref,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{Token, TokenError};

/// A token, how long anybody waits for it, and how many have left waiting. Clones are handles of the
/// same one.
#[derive(Clone)]
pub struct TimedToken {
    token: Arc<Token>,
    limit: Duration,
    hanging: Arc<AtomicUsize>,
}

/// Where a call leaves its answer.
struct Desk<T> {
    state: Mutex<Stage<T>>,
    answered: Condvar,
}

enum Stage<T> {
    Asked,
    Answered(T),
    /// Nobody waits any more.
    Left,
}

impl TimedToken {
    /// Gives a token a limit, and looks after its idle sessions every `keep_alive` for as long as a
    /// handle lives: firewalls drop connections of network HSMs that say nothing.
    pub fn new(token: Arc<Token>, limit: Duration, keep_alive: Duration) -> Self {
        let timed = Self { token, limit, hanging: Arc::default() };
        let (weak, hanging) = (Arc::downgrade(&timed.token), Arc::clone(&timed.hanging));
        thread::spawn(move || {
            loop {
                thread::sleep(keep_alive);
                let Some(token) = weak.upgrade() else { return };
                let hanging = Arc::clone(&hanging);
                if let Err(error) = (Self { token, limit, hanging }).run(Token::keep_alive) {
                    tracing::warn!(%error, "the token is not well");
                }
            }
        });
        timed
    }

    /// Does something with the token. Whatever outlasts the limit goes on by itself, with nobody to
    /// hear its answer: what can be repeated is to be repeated.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Token) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, TokenError> {
        let hanging = self.hanging.load(Ordering::SeqCst);
        if hanging > 0 {
            return Err(self.late(format!("{hanging} calls inside its library do not return")));
        }
        let desk = Arc::new(Desk { state: Mutex::new(Stage::Asked), answered: Condvar::new() });
        let (token, count) = (Arc::clone(&self.token), Arc::clone(&self.hanging));
        let answering = Arc::clone(&desk);
        let started = thread::Builder::new().name("token".to_owned()).spawn(move || {
            // A panic is answered too: nobody is told for ever after that a call hangs.
            let answer = panic::catch_unwind(AssertUnwindSafe(|| work(&token)));
            let answer = answer.unwrap_or_else(|_| {
                let label = token.label().to_owned();
                Err(TokenError::TokenUnavailable { label, what: "the call panicked".to_owned() })
            });
            // Before the answer: the last handle ends the library, and that must not happen here
            // while the process itself ends.
            drop(token);
            if !answering.put(answer) {
                count.fetch_sub(1, Ordering::SeqCst);
                tracing::warn!("a call of the token that hung has returned");
            }
        });
        started.map_err(|error| self.late(format!("no thread for the call: {error}")))?;
        let leave = || {
            self.hanging.fetch_add(1, Ordering::SeqCst);
        };
        match desk.take(self.limit, leave) {
            Some(answer) => answer,
            None => Err(self.late(format!("it did not answer within {:?}", self.limit))),
        }
    }

    fn late(&self, what: String) -> TokenError {
        TokenError::TokenUnavailable { label: self.token.label().to_owned(), what }
    }
}

/// For what needs no limit.
impl Deref for TimedToken {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.token
    }
}

impl<T> Desk<T> {
    /// Whether anybody waits for it.
    fn put(&self, answer: T) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, Stage::Left) {
            return false;
        }
        *state = Stage::Answered(answer);
        self.answered.notify_one();
        true
    }

    /// Waits; `leave` runs where the answer can't come any more, before it could.
    fn take(&self, limit: Duration, leave: impl FnOnce()) -> Option<T> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = |state: &mut Stage<T>| matches!(state, Stage::Asked);
        let (mut state, _) = self
            .answered
            .wait_timeout_while(state, limit, asked)
            .unwrap_or_else(PoisonError::into_inner);
        if let Stage::Answered(answer) = std::mem::replace(&mut *state, Stage::Left) {
            return Some(answer);
        }
        leave();
        None
    }
}
