//! Signing in. Guesses are counted before they are looked at; a name that nobody has takes the same
//! work and gets the same words. Passkeys cannot be guessed, so nobody's guesses lock one out.

use std::net::IpAddr;

use strongroom_domain::{PersonId, Timestamp};
use strongroom_secrets::SecretText;
use webauthn_rs::prelude::{PublicKeyCredential, RequestChallengeResponse};

use super::{
    SignIn, ceremony::Ceremony, passkey, password::PasswordHash, recovery_code, totp::TotpSecret,
};
use crate::{
    access::{Account, Method, SealedPassword, SecretId, Session, Subject},
    application::Failure,
};

/// Somebody who has just signed in.
pub struct SignedIn {
    /// For the cookie.
    pub secret: SecretId,
    /// The session.
    pub session: Session,
}

/// A name as everybody writes it.
pub(super) fn name_of(typed: &str) -> String {
    typed.trim().to_lowercase()
}

impl SignIn {
    /// Asks for a passkey of a name.
    pub fn begin_passkey(&self, name: &str) -> Result<(String, RequestChallengeResponse), Failure> {
        let name = name_of(name);
        let account = self.access().account_named(&name)?;
        let passkeys = account.as_ref().map(passkey::read).transpose()?.unwrap_or_default();
        let (asked, ceremony) = match account {
            Some(Account { person, enrolled_at, .. }) if !passkeys.is_empty() => {
                let (asked, state) = self.site().begin_authentication(&passkeys)?;
                (asked, Ceremony::SignIn { person, enrolled_at, state })
            }
            _ => (self.site().decoy(self.pseudonym("passkey", &name)?), Ceremony::Decoy),
        };
        Ok((self.ceremonies.begin(ceremony, self.now()), asked))
    }

    /// The passkey that was asked for.
    pub fn finish_passkey(
        &self,
        ceremony: &str,
        credential: &PublicKeyCredential,
        from: IpAddr,
    ) -> Result<SignedIn, Failure> {
        let begun = self.ceremonies.take(ceremony, self.now());
        let Some(Ceremony::SignIn { person, enrolled_at, state }) = begun else {
            return Err(Failure::SignInRefused);
        };
        let account = self.access().account_of(person)?.ok_or(Failure::SignInRefused)?;
        self.finish_authentication(&account, credential, &state)?;
        self.begin_session((person, enrolled_at), Method::Passkey, from)
    }

    /// By a password and a code of an app.
    pub async fn by_password(
        &self,
        name: &str,
        password: SecretText,
        code: &str,
        from: IpAddr,
    ) -> Result<SignedIn, Failure> {
        let name = name_of(name);
        let subjects = self.count_attempt(Subject::account(&name), from)?;
        let account = self.access().account_named(&name)?;
        let enrolled_at = account.as_ref().map(|account| account.enrolled_at);
        let person = account.as_ref().map(|account| account.person);
        let sealed = account.as_ref().and_then(|account| account.password.as_ref());
        let known = sealed.is_some();
        let (person, sealed) = match (person, sealed) {
            (Some(person), Some(sealed)) => (person, sealed),
            _ => (NOBODY, &self.nobody),
        };
        let fits = self.fits(person, sealed, password).await?;
        let step = self.totp(person, sealed)?.step(code, self.now());
        let right = known & fits;
        let shown = step.filter(|_| right).zip(enrolled_at);
        let Some((step, enrolled_at)) = shown else { return self.refuse(&name, from) };
        if !self.access().take_totp_step(person, step)? {
            return self.refuse(&name, from);
        }
        self.access().succeeded(&subjects.0, &subjects.1)?;
        self.begin_session((person, enrolled_at), Method::Password, from)
    }

    /// By a recovery code, and the password where there is one.
    pub async fn by_recovery_code(
        &self,
        name: &str,
        password: Option<SecretText>,
        code: &str,
        from: IpAddr,
    ) -> Result<SignedIn, Failure> {
        let name = name_of(name);
        let subjects = self.count_attempt(Subject::recovery(&name), from)?;
        let account = self.access().account_named(&name)?;
        let enrolled_at = account.as_ref().map(|account| account.enrolled_at);
        let person = account.as_ref().map_or(NOBODY, |account| account.person);
        let sealed = account.as_ref().and_then(|account| account.password.as_ref());
        let password = password.unwrap_or_else(|| SecretText::new(String::new()));
        let needed = sealed.is_some();
        let (whose, sealed) = sealed.map_or((NOBODY, &self.nobody), |sealed| (person, sealed));
        let fits = self.fits(whose, sealed, password).await?;
        let hash = recovery_code::hash(person, code).filter(|_| fits || !needed);
        let taken = match hash {
            Some(hash) => self.access().take_recovery_code(person, &hash, self.now())?,
            None => false,
        };
        let Some(enrolled_at) = enrolled_at.filter(|_| taken) else {
            return self.refuse(&name, from);
        };
        self.access().succeeded(&subjects.0, &subjects.1)?;
        tracing::warn!(%person, %from, "somebody signed in by a recovery code");
        self.begin_session((person, enrolled_at), Method::RecoveryCode, from)
    }

    /// Counts a guess from an address, before it is looked at.
    pub(super) fn count_attempt(
        &self,
        at: Subject,
        from: IpAddr,
    ) -> Result<(Subject, Subject), Failure> {
        let subjects = [at, Subject::address(from)];
        let counted = self.access().attempt(&subjects, self.now())?;
        counted.map_err(|early| Failure::LockedOut { seconds: early.seconds })?;
        let [account, address] = subjects;
        Ok((account, address))
    }

    fn refuse<T>(&self, name: &str, from: IpAddr) -> Result<T, Failure> {
        // A name is personal, and what is typed as one may be a password.
        let name = hex::encode(self.pseudonym("log", name)?.get(..8).unwrap_or_default());
        tracing::warn!(name, %from, "a sign-in was refused");
        Err(Failure::SignInRefused)
    }

    /// Whether a password is the sealed one. The slow part has a thread, and few at once have one.
    async fn fits(
        &self,
        person: PersonId,
        sealed: &SealedPassword,
        password: SecretText,
    ) -> Result<bool, Failure> {
        let hash = self.open_sealed(&context(person, "password"), &sealed.password)?;
        let hash = PasswordHash::read(&hash)
            .ok_or_else(|| Failure::Corrupt(format!("the password of {person} is damaged")))?;
        self.slowly(move || hash.fits(&password)).await
    }

    pub(super) fn totp(
        &self,
        person: PersonId,
        sealed: &SealedPassword,
    ) -> Result<TotpSecret, Failure> {
        TotpSecret::read(&self.open_sealed(&context(person, "totp"), &sealed.totp)?)
    }

    pub(super) fn begin_session(
        &self,
        (person, enrolled_at): (PersonId, Timestamp),
        method: Method,
        from: IpAddr,
    ) -> Result<SignedIn, Failure> {
        // Somebody who is not in the charter any more may still have all that they had.
        self.charter().roles(person).ok_or(Failure::SignInRefused)?;
        let account = (person, enrolled_at);
        let begun = self.access().begin_session(account, method, from, self.now())?;
        // An invitation replaced meanwhile what was shown.
        let (secret, session) = begun.ok_or(Failure::SignInRefused)?;
        let method = method.name();
        tracing::info!(%person, session = %session.id, method, %from, "signed in");
        Ok(SignedIn { secret, session })
    }
}

/// Whom a name without an account stands for: nobody has this id.
pub(super) const NOBODY: PersonId = PersonId(uuid::Uuid::nil());

/// What a sealed record is for: it opens as nothing else, and for nobody else.
pub(super) fn context(person: PersonId, what: &str) -> String {
    format!("strongroom/sign-in/{person}/{what}/v1")
}
