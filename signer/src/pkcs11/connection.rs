//! A login at a token: its slot, its sessions, the key handles found so far. Never outlives a logout
//! or `C_Finalize`: both make every handle and session in it stale, so it is replaced as a whole.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    object::ObjectHandle,
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use strongroom_secrets::SecretText;
use uuid::Uuid;

use super::{
    KeyKind, TokenError, TokenSettings,
    error::{Lapse, code, is_pin},
    keys, wrapping,
};

pub(super) struct Connection {
    slot: Slot,
    serial: String,
    /// Stays open so that the login does: closing a process's last session logs it out.
    keeper: Mutex<Session>,
    idle: Mutex<Vec<Session>>,
    handles: Mutex<BTreeMap<Uuid, ObjectHandle>>,
}

/// Finds a key and says that it is as it must be.
type Find<'a> = dyn Fn(&Session, Uuid) -> Result<ObjectHandle, Lapse> + 'a;

/// Initialises the library and logs in; used once, on opening.
pub(super) fn start(
    module: &Pkcs11,
    settings: &TokenSettings,
    pin: &SecretText,
) -> Result<Connection, TokenError> {
    let connected = initialize(module).and_then(|()| connect(module, settings, pin));
    if connected.is_err() {
        let _ = module.clone().finalize();
    }
    connected
}

/// Starts the library over. Some tokens that went away are seen again only after this.
pub(super) fn restart(
    module: &Pkcs11,
    settings: &TokenSettings,
    pin: &SecretText,
) -> Result<Connection, TokenError> {
    // Fails when the last attempt got no further than this; initialising tells.
    let _ = module.clone().finalize();
    initialize(module)?;
    connect(module, settings, pin)
}

impl Connection {
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    /// Whether the slot still holds the token that was logged in to.
    pub(super) fn probe(&self, module: &Pkcs11) -> Result<(), Error> {
        let found = module.get_token_info(self.slot)?;
        if found.serial_number() == self.serial {
            Ok(())
        } else {
            Err(Error::Pkcs11(
                RvError::TokenNotRecognized,
                cryptoki::context::Function::GetTokenInfo,
            ))
        }
    }

    pub(super) fn session(&self, module: &Pkcs11) -> Result<Session, Lapse> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(session) => Ok(session),
            None => module.open_ro_session(self.slot).map_err(Lapse::call("C_OpenSession")),
        }
    }

    pub(super) fn give_back(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    /// The private key's handle, and that it is as it must be.
    pub(super) fn private_key(
        &self,
        session: &Session,
        id: Uuid,
        kind: KeyKind,
    ) -> Result<ObjectHandle, Lapse> {
        self.handle(session, id, &|session, id| keys::private_key(session, id, kind))
    }

    /// The wrapping key's handle, and that it is as it must be.
    pub(super) fn wrapping_key(&self, session: &Session, id: Uuid) -> Result<ObjectHandle, Lapse> {
        self.handle(session, id, &wrapping::handle_of)
    }

    /// Searched and looked at once for each connection, since a search costs more than a signature
    /// and grows with the token.
    fn handle(&self, session: &Session, id: Uuid, find: &Find<'_>) -> Result<ObjectHandle, Lapse> {
        let handles = || self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handles().get(&id) {
            return Ok(*handle);
        }
        let handle = find(session, id)?;
        handles().insert(id, handle);
        Ok(handle)
    }

    /// Closes idle sessions that are dead by now.
    pub(super) fn sweep(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for session in idle {
            if session.get_session_info().is_ok() {
                self.give_back(session);
            }
        }
    }

    /// Logs in anew: in place when the token answers, else by starting the library over.
    pub(super) fn renew(
        self,
        module: &Pkcs11,
        settings: &TokenSettings,
        pin: &SecretText,
    ) -> Result<Self, TokenError> {
        let alive = self.probe(module).is_ok();
        drop(self);
        if !alive {
            return restart(module, settings, pin);
        }
        match connect(module, settings, pin) {
            Ok(connection) => Ok(connection),
            Err(TokenError::PinRefused) => Err(TokenError::PinRefused),
            Err(_stale) => restart(module, settings, pin),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Before the keeper, whose end is the logout.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        // Fails when the token is gone, and then there is no login either.
        let _ = keeper.logout();
    }
}

fn initialize(module: &Pkcs11) -> Result<(), TokenError> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(failed("C_Initialize", &error)),
    }
}

fn connect(
    module: &Pkcs11,
    settings: &TokenSettings,
    pin: &SecretText,
) -> Result<Connection, TokenError> {
    let (slot, serial) = find_slot(module, settings)?;
    let keeper = module.open_ro_session(slot).map_err(|error| failed("C_OpenSession", &error))?;
    match keeper.login(UserType::User, Some(&AuthPin::new(pin.expose().into()))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(error) if is_pin(&error) => return Err(TokenError::PinRefused),
        Err(error) => return Err(failed("C_Login", &error)),
    }
    Ok(Connection {
        slot,
        serial,
        keeper: Mutex::new(keeper),
        idle: Mutex::new(Vec::new()),
        handles: Mutex::new(BTreeMap::new()),
    })
}

fn find_slot(module: &Pkcs11, settings: &TokenSettings) -> Result<(Slot, String), TokenError> {
    let slots = module
        .get_slots_with_initialized_token()
        .map_err(|error| failed("C_GetSlotList", &error))?;
    let (mut found, mut labels) = (Vec::new(), Vec::new());
    for slot in slots {
        // A slot whose token cannot be asked is not the one.
        let Ok(token) = module.get_token_info(slot) else { continue };
        let serial = token.serial_number();
        if token.label() == settings.label
            && settings.serial.as_ref().is_none_or(|wanted| wanted == serial)
        {
            found.push((slot, serial.to_owned()));
        }
        labels.push(token.label().to_owned());
    }
    let label = settings.label.clone();
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), others) => {
            Err(TokenError::SeveralTokens { label, count: others.saturating_add(1) })
        }
        (None, _) => Err(TokenError::NoToken { label, found: labels }),
    }
}

fn failed(step: &'static str, error: &Error) -> TokenError {
    TokenError::Token { step, code: code(error) }
}
