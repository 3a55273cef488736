//! A connection made anew: after the token was away, and where its library must start over to see what is in
//! it. Never tries a PIN that the token refused, and never starts over for one key as often as it is asked:
//! all others' calls would wait behind it.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use super::{Pin, State, Token, TokenError, connection};

/// Between two starts for a call that failed; twice as long after each, while they come one after the other.
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_mins(10);

/// When the library was last started over for a call that failed.
pub(super) struct Restarts {
    last: Option<Instant>,
    pause: Duration,
}

impl Default for Restarts {
    fn default() -> Self {
        Self { last: None, pause: SHORTEST }
    }
}

impl Restarts {
    /// Whether it may be started over now; then the next one is later.
    fn allow(&mut self, now: Instant) -> bool {
        let since = self.last.map(|last| now.saturating_duration_since(last));
        match since {
            Some(since) if since < self.pause => return false,
            Some(since) if since < LONGEST.saturating_mul(2) => {
                self.pause = self.pause.saturating_mul(2).min(LONGEST);
            }
            Some(_) | None => self.pause = SHORTEST,
        }
        self.last = Some(now);
        true
    }
}

impl Token {
    /// Gives the connection up, so that the next call starts the library over, and says whether it did: not
    /// where that was done a moment ago, and a refused PIN stays refused.
    pub(super) fn start_over(&self) -> bool {
        let mut restarts = self.restarts.lock().unwrap_or_else(PoisonError::into_inner);
        if !restarts.allow(Instant::now()) {
            return false;
        }
        drop(restarts);
        let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
        let up = matches!(line.state, State::Up(_));
        if up {
            line.state = State::Down;
            line.generation = line.generation.saturating_add(1);
        }
        up
    }

    /// Replaces the connection, unless somebody did so since `generation`. Waits until no session is
    /// in use, because a logout or `C_Finalize` takes all of them away.
    pub(super) fn reconnect(&self, generation: u64) -> Result<(), TokenError> {
        let mut line = self.line.write().unwrap_or_else(PoisonError::into_inner);
        if line.generation != generation {
            return Ok(());
        }
        let before = std::mem::replace(&mut line.state, State::Down);
        let mut pin = self.pin();
        if pin.is_rewritten(&self.settings.pin_file)
            && let Ok(again) = Pin::read(&self.settings.pin_file)
        {
            *pin = again;
        }
        let again = match before {
            // Also where the file was written anew and can't be read, or the token was away since.
            _ if pin.refused => Err(TokenError::PinRefused),
            State::Up(connection) => connection.renew(&self.module, &self.settings, &pin.text),
            State::Down | State::PinRefused => {
                connection::restart(&self.module, &self.settings, &pin.text)
            }
        };
        pin.refused |= matches!(again, Err(TokenError::PinRefused));
        drop(pin);
        line.generation = line.generation.saturating_add(1);
        match again {
            Ok(connection) => {
                line.state = State::Up(connection);
                tracing::info!(label = self.settings.label, "logged in to the token anew");
                Ok(())
            }
            Err(TokenError::PinRefused) => {
                line.state = State::PinRefused;
                Err(TokenError::PinRefused)
            }
            Err(error) => Err(TokenError::TokenUnavailable {
                label: self.settings.label.clone(),
                what: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_started_over_ever_less_often_for_what_it_does_not_help() {
        let (mut restarts, began) = (Restarts::default(), Instant::now());
        let starts = (0..3_600).filter(|s| restarts.allow(began + Duration::from_secs(*s)));
        let starts: Vec<_> = starts.collect();
        assert_eq!(starts, [0, 10, 30, 70, 150, 310, 630, 1_230, 1_830, 2_430, 3_030]);
        assert!(restarts.allow(began + Duration::from_hours(10)));
        assert!(restarts.allow(began + Duration::from_hours(10) + Duration::from_secs(20)));
    }
}
