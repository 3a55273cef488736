//! Passkeys: WebAuthn by `webauthn-rs`, always with user verification. Never an answer that tells a
//! name without an account from one that has a passkey.

use rand::{RngCore as _, rngs::OsRng};
use strongroom_domain::PersonId;
use webauthn_rs::prelude::{
    AuthenticationResult, CreationChallengeResponse, Passkey, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    RequestChallengeResponse,
};
use webauthn_rs_proto::{
    AllowCredentials, PublicKeyCredentialRequestOptions, UserVerificationPolicy,
};

use super::{SignIn, site::Site};
use crate::{
    access::{AccessError, Account, PasskeyRow},
    application::Failure,
};

/// What browsers are told, in milliseconds: the same as a ceremony may take.
const TIMEOUT_MS: u32 = 300_000;

impl Site {
    /// The first half of making one.
    pub(super) fn begin_registration(
        &self,
        person: PersonId,
        name: &str,
        known: &[Passkey],
    ) -> Result<(CreationChallengeResponse, Box<PasskeyRegistration>), Failure> {
        let known = known.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let begun = self.webauthn().start_passkey_registration(person.0, name, name, Some(known));
        let (asked, state) = begun.map_err(|error| impossible(&error))?;
        Ok((asked, Box::new(state)))
    }

    /// The second.
    pub(super) fn finish_registration(
        &self,
        credential: &RegisterPublicKeyCredential,
        state: &PasskeyRegistration,
    ) -> Result<PasskeyRow, Failure> {
        let passkey =
            self.webauthn().finish_passkey_registration(credential, state).map_err(|error| {
                tracing::info!(%error, "a passkey was not made");
                Failure::SignInRefused
            })?;
        row(&passkey)
    }

    /// The first half of showing one.
    pub(super) fn begin_authentication(
        &self,
        passkeys: &[Passkey],
    ) -> Result<(RequestChallengeResponse, Box<PasskeyAuthentication>), Failure> {
        let begun = self.webauthn().start_passkey_authentication(passkeys);
        let (mut asked, state) = begun.map_err(|error| impossible(&error))?;
        asked.public_key.timeout = Some(TIMEOUT_MS);
        for allowed in &mut asked.public_key.allow_credentials {
            // What a made-up one cannot have.
            allowed.transports = None;
        }
        Ok((asked, Box::new(state)))
    }

    /// What a name without a passkey is answered: the same each time, as a real one would be.
    pub(super) fn decoy(&self, id: Vec<u8>) -> RequestChallengeResponse {
        let mut challenge = vec![0; 32];
        OsRng.fill_bytes(&mut challenge);
        let allowed = AllowCredentials { type_: "public-key".to_owned(), id, transports: None };
        let host = self.authority();
        let rp_id = host.rsplit_once(':').map_or(host, |(host, _port)| host).to_owned();
        RequestChallengeResponse {
            public_key: PublicKeyCredentialRequestOptions {
                challenge,
                timeout: Some(TIMEOUT_MS),
                rp_id,
                allow_credentials: vec![allowed],
                user_verification: UserVerificationPolicy::Required,
                hints: None,
                extensions: None,
            },
            mediation: None,
        }
    }
}

impl SignIn {
    /// The second half of showing a passkey: whose it is must have been decided in the first.
    pub(super) fn finish_authentication(
        &self,
        account: &Account,
        credential: &PublicKeyCredential,
        state: &PasskeyAuthentication,
    ) -> Result<(), Failure> {
        let shown = self.site().webauthn().finish_passkey_authentication(credential, state);
        let shown = shown.map_err(|error| {
            tracing::info!(person = %account.person, %error, "a passkey was refused");
            Failure::SignInRefused
        })?;
        self.note_use(account, &shown)
    }

    /// Keeps the counter. A passkey that was removed while its challenge was open is none.
    fn note_use(&self, account: &Account, shown: &AuthenticationResult) -> Result<(), Failure> {
        let mut passkeys = read(account)?;
        let used = passkeys.iter_mut().find(|one| one.cred_id() == shown.cred_id());
        let used = used.ok_or(Failure::SignInRefused)?;
        used.update_credential(shown);
        let noted = self.access().passkey_used(account.person, &row(used)?, self.now())?;
        if noted { Ok(()) } else { Err(Failure::SignInRefused) }
    }
}

/// A person's passkeys.
pub(super) fn read(account: &Account) -> Result<Vec<Passkey>, Failure> {
    let damaged = |_| AccessError::Damaged(format!("a passkey of {}", account.person));
    let passkeys = account.passkeys.iter().map(|text| serde_json::from_str(text).map_err(damaged));
    Ok(passkeys.collect::<Result<_, _>>()?)
}

fn row(passkey: &Passkey) -> Result<PasskeyRow, Failure> {
    let text = serde_json::to_string(passkey)
        .map_err(|error| Failure::Corrupt(format!("a passkey cannot be written: {error}")))?;
    Ok(PasskeyRow { credential: passkey.cred_id().clone(), passkey: text })
}

fn impossible(error: &webauthn_rs::prelude::WebauthnError) -> Failure {
    Failure::Unavailable(format!("a passkey cannot be asked for now: {error}"))
}
