//! What has begun and waits for its second half: challenges that were given out. Never kept longer
//! than five minutes, over a restart, or after they were answered once.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use strongroom_domain::{PersonId, Timestamp};
use webauthn_rs::prelude::{PasskeyAuthentication, PasskeyRegistration};

use super::totp::TotpSecret;
use crate::access::SecretId;

/// How long somebody may take, in seconds.
const OPEN_S: u64 = 5 * 60;
/// How many may be open: more than people sign in at once, less than memory minds.
const MOST: usize = 4096;

/// A first half.
pub(super) enum Ceremony {
    /// Somebody with an invitation makes a passkey.
    EnrolPasskey {
        invitation: [u8; 32],
        person: PersonId,
        name: String,
        state: Box<PasskeyRegistration>,
    },
    /// Somebody with an invitation chooses a password and has a new secret for codes.
    EnrolPassword { invitation: [u8; 32], person: PersonId, name: String, totp: TotpSecret },
    /// A person with an account signs in.
    SignIn { person: PersonId, enrolled_at: Timestamp, state: Box<PasskeyAuthentication> },
    /// A name that nobody has: it ends as a wrong answer would.
    Decoy,
    /// A person who is signed in proves it again.
    StepUp { person: PersonId, state: Box<PasskeyAuthentication> },
    /// A person who is signed in makes one more passkey.
    AddPasskey { person: PersonId, state: Box<PasskeyRegistration> },
}

/// All that are open.
#[derive(Default)]
pub(super) struct Ceremonies(Mutex<HashMap<[u8; 32], (Timestamp, Ceremony)>>);

impl Ceremonies {
    /// Opens one; its id goes to whoever began it. When there are too many the oldest is forgotten.
    pub(super) fn begin(&self, ceremony: Ceremony, now: Timestamp) -> String {
        let id = SecretId::generate();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST {
            open.retain(|_, (until, _)| *until > now);
        }
        if open.len() >= MOST {
            let oldest = open.iter().min_by_key(|(_, (until, _))| *until).map(|(id, _)| *id);
            oldest.and_then(|id| open.remove(&id));
        }
        open.insert(id.hash(), (now.plus_seconds(OPEN_S), ceremony));
        id.expose().to_owned()
    }

    /// Puts one back under its id, for another try: five minutes from now again.
    pub(super) fn put_back(&self, id: &str, ceremony: Ceremony, now: Timestamp) {
        if let Some(id) = SecretId::read(id) {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            open.insert(id.hash(), (now.plus_seconds(OPEN_S), ceremony));
        }
    }

    /// Takes one out: it is answered once.
    pub(super) fn take(&self, id: &str, now: Timestamp) -> Option<Ceremony> {
        let id = SecretId::read(id)?;
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, ceremony) = open.remove(&id.hash())?;
        (until > now).then_some(ceremony)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ceremonies, Ceremony, MOST, OPEN_S, Timestamp};

    #[test]
    fn a_ceremony_is_answered_once_in_time_and_never_too_many_are_open() {
        let now = Timestamp::from_micros(1_795_367_880_000_000);
        let open = Ceremonies::default();
        let id = open.begin(Ceremony::Decoy, now);
        assert!(open.take(&id, now).is_some());
        assert!(open.take(&id, now).is_none());
        let late = open.begin(Ceremony::Decoy, now);
        assert!(open.take(&late, now.plus_seconds(OPEN_S)).is_none());
        let first = open.begin(Ceremony::Decoy, now);
        for _ in 0..MOST {
            open.begin(Ceremony::Decoy, now.plus_seconds(1));
        }
        assert!(open.take(&first, now).is_none());
        assert!(open.0.lock().unwrap().len() <= MOST);
    }
}
