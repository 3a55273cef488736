//! Proving again who one is, and what only somebody who just did may change about how they sign in.
//! Never under the session's old id: who has that has nothing any more.

use std::net::IpAddr;

use webauthn_rs::prelude::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential,
    RequestChallengeResponse,
};

use super::{
    Current, SignIn, ceremony::Ceremony, entry::SignedIn, passkey, recovery_code::RecoveryCode,
};
use crate::{
    access::{Account, Method, Subject},
    application::{Failure, STEP_UP_S},
};

/// How a person proves it again.
pub enum Proof {
    /// A passkey that was asked for.
    Passkey(String, Box<PublicKeyCredential>),
    /// A code of their app.
    Code(String),
}

/// What can be asked for: a passkey, where the person has one.
pub(crate) type Asked = Option<(String, RequestChallengeResponse)>;

impl SignIn {
    /// Asks for a passkey of the session's person; nothing where they have none, and a code it is.
    pub fn begin_step_up(&self, current: &Current) -> Result<Asked, Failure> {
        let person = current.session.person;
        let account = self.account(current)?;
        let passkeys = passkey::read(&account)?;
        if passkeys.is_empty() {
            return Ok(None);
        }
        let (asked, state) = self.site().begin_authentication(&passkeys)?;
        let ceremony = self.ceremonies.begin(Ceremony::StepUp { person, state }, self.now());
        Ok(Some((ceremony, asked)))
    }

    /// The proof: the session goes on under a new id.
    pub fn finish_step_up(
        &self,
        current: &Current,
        proof: Proof,
        from: IpAddr,
    ) -> Result<SignedIn, Failure> {
        let account = self.account(current)?;
        match proof {
            Proof::Passkey(ceremony, credential) => {
                match self.ceremonies.take(&ceremony, self.now()) {
                    Some(Ceremony::StepUp { person, state }) if person == account.person => {
                        self.finish_authentication(&account, &credential, &state)?;
                    }
                    _ => return Err(Failure::SignInRefused),
                }
            }
            Proof::Code(code) => self.take_code(&account, &code, from)?,
        }
        let stepped = self.access().step_up(&current.secret, from, self.now())?;
        let (secret, session) = stepped.ok_or(Failure::Unauthenticated)?;
        tracing::info!(person = %session.person, session = %session.id, %from, "stepped up");
        Ok(SignedIn { secret, session })
    }

    fn take_code(&self, account: &Account, code: &str, from: IpAddr) -> Result<(), Failure> {
        let subjects = self.count_attempt(Subject::step_up(account.person), from)?;
        let sealed = account.password.as_ref().ok_or(Failure::SignInRefused)?;
        let step = self.totp(account.person, sealed)?.step(code, self.now());
        let step = step.ok_or(Failure::SignInRefused)?;
        if !self.access().take_totp_step(account.person, step)? {
            return Err(Failure::SignInRefused);
        }
        Ok(self.access().succeeded(&subjects.0, &subjects.1)?)
    }

    /// Begins to make one more passkey.
    pub fn begin_passkey_more(
        &self,
        current: &Current,
    ) -> Result<(String, CreationChallengeResponse), Failure> {
        self.demand_fresh(current)?;
        let account = self.account(current)?;
        let (person, known) = (account.person, passkey::read(&account)?);
        let (asked, state) = self.site().begin_registration(person, &account.name, &known)?;
        let ceremony = self.ceremonies.begin(Ceremony::AddPasskey { person, state }, self.now());
        Ok((ceremony, asked))
    }

    /// Adds it.
    pub fn finish_passkey_more(
        &self,
        current: &Current,
        ceremony: &str,
        credential: &RegisterPublicKeyCredential,
    ) -> Result<(), Failure> {
        self.demand_fresh(current)?;
        let person = current.session.person;
        match self.ceremonies.take(ceremony, self.now()) {
            Some(Ceremony::AddPasskey { person: whose, state }) if whose == person => {
                let passkey = self.site().finish_registration(credential, &state)?;
                let added = self.access().add_passkey(&current.secret, &passkey, self.now())?;
                if !added.ok_or(Failure::Unauthenticated)? {
                    let because = "this passkey is enrolled already: make another";
                    return Err(Failure::Malformed(because.to_owned()));
                }
                tracing::info!(%person, session = %current.session.id, "one more passkey");
                Ok(())
            }
            _ => Err(Failure::SignInRefused),
        }
    }

    /// Ten new recovery codes instead of the old ones.
    pub fn new_recovery_codes(&self, current: &Current) -> Result<Vec<String>, Failure> {
        if !current.stepped_up(self.now()) {
            return Err(Failure::StepUpNeeded);
        }
        let person = self.account(current)?.person;
        let (codes, hashes) = RecoveryCode::ten(person);
        if !self.access().replace_recovery_codes(&current.secret, &hashes)? {
            return Err(Failure::Unauthenticated);
        }
        tracing::info!(%person, session = %current.session.id, "new recovery codes");
        Ok(codes)
    }

    /// Who came by a recovery code came for this: they have as long as after a step-up.
    fn demand_fresh(&self, current: &Current) -> Result<(), Failure> {
        let session = &current.session;
        let recovering = session.method == Method::RecoveryCode
            && self.now() < session.began_at.plus_seconds(STEP_UP_S);
        if recovering || current.stepped_up(self.now()) {
            Ok(())
        } else {
            Err(Failure::StepUpNeeded)
        }
    }

    fn account(&self, current: &Current) -> Result<Account, Failure> {
        self.access().account_of(current.session.person)?.ok_or(Failure::Unauthenticated)
    }
}
