//! From an invitation to somebody who can sign in. Never without an invitation whose hash founders
//! or a quorum put into the log, and never twice with the same.

use std::net::IpAddr;

use strongroom_domain::PersonId;
use strongroom_secrets::SecretText;
use webauthn_rs::prelude::{CreationChallengeResponse, RegisterPublicKeyCredential};

use super::{
    SignIn,
    ceremony::Ceremony,
    entry::{SignedIn, context, name_of},
    password::{PasswordHash, demand_strength},
    recovery_code::RecoveryCode,
    totp::TotpSecret,
};
use crate::{
    access::{Enrolment, Method, NotEnrolled, PasskeyRow, SealedPassword, SecretId},
    application::Failure,
};

/// What was begun.
pub struct Begun {
    /// To be sent back.
    pub ceremony: String,
    /// For the browser, where a passkey was asked for.
    pub passkey: Option<CreationChallengeResponse>,
    /// For the app, where a password was: the secret of its codes, alone and as a URI.
    pub totp: Option<(String, String)>,
}

/// What somebody brings to the second half.
pub enum Brought {
    /// What the browser made.
    Passkey(Box<RegisterPublicKeyCredential>),
    /// A password, and a code of the new secret.
    Password(SecretText, String),
}

/// Somebody who can sign in from now on, and has.
pub struct Enrolled {
    /// Their first session.
    pub signed_in: SignedIn,
    /// To be written down: they are not shown again.
    pub recovery_codes: Vec<String>,
}

/// Names are typed, spoken and put into URIs.
fn demand_name(name: &str) -> Result<(), Failure> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b);
    if (2..=64).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    let because = "a sign-in name has 2 to 64 of the characters a-z, 0-9, `.`, `_`, `-` and `@`";
    Err(Failure::Malformed(because.to_owned()))
}

impl SignIn {
    /// The first half.
    pub fn begin_enrolment(
        &self,
        invitation: &str,
        name: &str,
        passkey: bool,
    ) -> Result<Begun, Failure> {
        let secret = SecretId::read(invitation.trim()).ok_or(Failure::InvitationRefused)?;
        let invitation = secret.hash();
        let person = self.invited(&invitation)?;
        let name = name_of(name);
        demand_name(&name)?;
        if self.access().name_taken(&name, person)? {
            return Err(taken());
        }
        if passkey {
            let (asked, state) = self.site().begin_registration(person, &name, &[])?;
            let ceremony = Ceremony::EnrolPasskey { invitation, person, name, state };
            let ceremony = self.ceremonies.begin(ceremony, self.now());
            return Ok(Begun { ceremony, passkey: Some(asked), totp: None });
        }
        let totp = TotpSecret::generate()?;
        let shown = (totp.base32(), totp.uri(&name));
        let ceremony = Ceremony::EnrolPassword { invitation, person, name, totp };
        let ceremony = self.ceremonies.begin(ceremony, self.now());
        Ok(Begun { ceremony, passkey: None, totp: Some(shown) })
    }

    /// The second half: uses the invitation up.
    pub async fn finish_enrolment(
        &self,
        ceremony: &str,
        brought: Brought,
        from: IpAddr,
    ) -> Result<Enrolled, Failure> {
        let now = self.now();
        match (self.ceremonies.take(ceremony, now), brought) {
            (
                Some(Ceremony::EnrolPasskey { invitation, person, name, state }),
                Brought::Passkey(credential),
            ) => {
                let passkey = self.site().finish_registration(&credential, &state)?;
                self.enrol((invitation, person, name), Some(passkey), None, from)
            }
            (
                Some(Ceremony::EnrolPassword { invitation, person, name, totp }),
                Brought::Password(password, code),
            ) => {
                let (step, strong) = (totp.step(&code, now), demand_strength(&password, &name));
                let Some((step, ())) = step.zip(strong.as_ref().ok().copied()) else {
                    // The same secret again: it is in somebody's app already.
                    let again = Ceremony::EnrolPassword { invitation, person, name, totp };
                    self.ceremonies.put_back(ceremony, again, now);
                    return Err(strong.err().unwrap_or(Failure::SignInRefused));
                };
                let hash = self.slowly(move || PasswordHash::of(&password)).await?;
                let sealed = SealedPassword {
                    password: self.seal(&context(person, "password"), hash.bytes())?,
                    totp: self.seal(&context(person, "totp"), totp.bytes())?,
                };
                self.enrol((invitation, person, name), None, Some((sealed, step)), from)
            }
            _ => Err(Failure::InvitationRefused),
        }
    }

    fn invited(&self, invitation: &[u8; 32]) -> Result<PersonId, Failure> {
        let used = self.access().invitation_used(invitation)?;
        let person = self.charter().invited(invitation);
        person.filter(|_| !used).ok_or(Failure::InvitationRefused)
    }

    fn enrol(
        &self,
        (invitation, person, name): ([u8; 32], PersonId, String),
        passkey: Option<PasskeyRow>,
        password: Option<(SealedPassword, u64)>,
        from: IpAddr,
    ) -> Result<Enrolled, Failure> {
        // The charter may have changed since the first half.
        if self.invited(&invitation)? != person {
            return Err(Failure::InvitationRefused);
        }
        let method = if passkey.is_some() { Method::Passkey } else { Method::Password };
        let (shown, recovery_codes) = RecoveryCode::ten(person);
        let enrolment = Enrolment { invitation, person, name, passkey, password, recovery_codes };
        let now = self.now();
        self.access().enrol(&enrolment, now)?.map_err(|because| match because {
            NotEnrolled::Used => Failure::InvitationRefused,
            NotEnrolled::NameTaken => taken(),
            NotEnrolled::PasskeyKnown => {
                Failure::Malformed("this passkey is enrolled already: make another".to_owned())
            }
        })?;
        tracing::info!(%person, method = method.name(), %from, "enrolled by an invitation");
        let signed_in = self.begin_session((person, now), method, from)?;
        Ok(Enrolled { signed_in, recovery_codes: shown })
    }
}

fn taken() -> Failure {
    Failure::Malformed("somebody else signs in by this name: choose another".to_owned())
}
