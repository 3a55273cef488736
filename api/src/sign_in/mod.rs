//! How people and machines show who they are: invitations, passkeys, passwords with codes, recovery
//! codes, sessions, signed requests. Never what they may do then: that is in the charter.

mod ceremony;
mod charter_facts;
mod enrolment;
mod entry;
mod machine;
mod passkey;
mod password;
mod peer;
mod recovery_code;
pub mod request_signature;
mod site;
mod step_up;
mod totp;

pub use charter_facts::CharterFacts;
pub use enrolment::{Begun, Brought, Enrolled};
pub use entry::SignedIn;
pub use password::PasswordHash;
pub use peer::Peer;
pub use site::{CSRF_HEADER, Site, SiteError, csrf_token};
pub use step_up::Proof;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::HeaderMap;
use hmac::{Hmac, Mac as _};
use ipnet::IpNet;
use rand::{RngCore as _, rngs::OsRng};
use sha2::Sha256;
use strongroom_commands::Bus;
use strongroom_domain::Timestamp;
use strongroom_secrets::{Sealer, Secret};
use tokio::sync::Semaphore;

use self::{
    ceremony::Ceremonies,
    entry::{NOBODY, context},
    totp::TotpSecret,
};
use crate::{
    access::{AccessRegister, Nonces, SealedPassword, SecretId, Session},
    application::{Caller, Failure, STEP_UP_S, Via},
    config::SignInConfig,
    data_directory::DataDirectory,
};

/// Passwords that are looked at at once: each takes 19 MiB and a core.
const SLOW: usize = 2;
/// Under which name the decoys' key is kept.
const DECOYS: &str = "strongroom/sign-in/decoys/v1";

/// What tells the time here: tests have their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The doors of one server.
pub struct SignIn {
    site: Site,
    charter: CharterFacts,
    access: AccessRegister,
    nonces: Nonces,
    sealer: Sealer,
    /// Makes what names without a passkey are answered.
    decoys: Secret,
    /// What a password is held against where there is none.
    nobody: SealedPassword,
    ceremonies: Ceremonies,
    slow: Semaphore,
    proxies: Vec<IpNet>,
    clock: Clock,
}

/// The session that a request came with, as it was found.
#[derive(Clone)]
pub struct Current {
    /// Its secret: to end it, or to go on under another.
    pub secret: Arc<SecretId>,
    /// It. Not stepped up, where the request came from another address than the proof.
    pub session: Session,
}

impl Current {
    fn stepped_up(&self, now: Timestamp) -> bool {
        self.session.stepped_up_at.is_some_and(|at| now < at.plus_seconds(STEP_UP_S))
    }
}

impl SignIn {
    /// Opens a directory's files.
    pub fn open(
        config: &SignInConfig,
        listens: SocketAddr,
        (directory, sealer): (&DataDirectory, Sealer),
        bus: Bus,
        clock: Clock,
    ) -> Result<Self, crate::serve::ServeError> {
        let access = AccessRegister::open(&directory.access())?;
        let kept = access.secret(DECOYS, || {
            let mut key = zeroize::Zeroizing::new([0; 32]);
            OsRng.fill_bytes(key.as_mut());
            Ok(sealer.seal(DECOYS, key.as_slice())?)
        })?;
        let decoys = sealer.open_sealed(DECOYS, &kept).map_err(crate::access::AccessError::from)?;
        let random = TotpSecret::generate().map_err(crate::serve::ServeError::sign_in)?;
        let seal = |what: &str, secret: &[u8]| sealer.seal(&context(NOBODY, what), secret);
        let nobody = SealedPassword {
            password: seal("password", PasswordHash::of_nobody().bytes())
                .map_err(crate::access::AccessError::from)?,
            totp: seal("totp", random.bytes()).map_err(crate::access::AccessError::from)?,
        };
        let site = Site::new(config.origin.as_deref(), listens)?;
        let proxies = match &config.trusted_proxies {
            None if site.scheme() == "https" => return Err(site.without_proxies().into()),
            named => named.clone().unwrap_or_default(),
        };
        Ok(Self {
            site,
            charter: CharterFacts::new(bus),
            nonces: Nonces::open(&directory.nonces())?,
            access,
            sealer,
            decoys,
            nobody,
            ceremonies: Ceremonies::default(),
            slow: Semaphore::new(SLOW),
            proxies,
            clock,
        })
    }

    /// What is kept.
    pub fn access(&self) -> &AccessRegister {
        &self.access
    }

    /// Our own origin.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// From where a request comes.
    pub fn peer(&self, socket: SocketAddr, headers: &HeaderMap) -> Peer {
        Peer::of(socket, headers, &self.proxies)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn charter(&self) -> &CharterFacts {
        &self.charter
    }

    /// The session that a request's cookie stands for, and its person as a caller.
    ///
    /// People change networks, so a session is not refused for coming from another address than its
    /// last proof: it reads on there, and must step up before anything that matters.
    pub fn session(
        &self,
        headers: &HeaderMap,
        from: IpAddr,
    ) -> Result<Option<(Current, Caller)>, Failure> {
        let Some(secret) = self.site.presented(headers) else { return Ok(None) };
        let now = self.now();
        let Some(mut session) = self.access.session(&secret, now)? else { return Ok(None) };
        let Some(roles) = self.charter.roles(session.person) else { return Ok(None) };
        if session.address != from && session.stepped_up_at.take().is_some() {
            tracing::debug!(session = %session.id, %from, "a session is used from another address");
        }
        let via = Via::Session { id: session.id.clone(), stepped_up_at: session.stepped_up_at };
        let caller = Caller { person: session.person, roles, clients: None, via, at: now };
        Ok(Some((Current { secret: Arc::new(secret), session }, caller)))
    }

    /// What only this server makes of a name: a made-up credential, a name for the log.
    fn pseudonym(&self, purpose: &str, name: &str) -> Result<Vec<u8>, Failure> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.decoys.expose())
            .map_err(|_length| Failure::Corrupt("the decoys' key has no length".to_owned()))?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(name.as_bytes());
        Ok(mac.finalize().into_bytes().to_vec())
    }

    fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.sealer.seal(context, secret).map_err(crate::access::AccessError::from)?)
    }

    fn open_sealed(&self, context: &str, sealed: &[u8]) -> Result<Secret, Failure> {
        let opened = self.sealer.open_sealed(context, sealed);
        Ok(opened.map_err(crate::access::AccessError::from)?)
    }

    /// Work that takes a core for some time: on a thread for that, and few at once.
    async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let _place = self.slow.acquire().await;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_died| Failure::Unavailable("this could not be looked at now".to_owned()))?
    }
}
