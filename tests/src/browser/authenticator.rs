//! A virtual authenticator (WebAuthn Level 2 §11): makes and uses passkeys as a device with a
//! fingerprint reader does. Its keys never reach the test.

use serde_json::{Value, json};

use super::Browser;

/// An authenticator in a browser.
pub struct Authenticator<'a> {
    browser: &'a Browser,
    path: String,
}

/// What an authenticator says of a passkey that it holds.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// Its id, base64url.
    pub id: String,
    /// For which relying party.
    pub rp_id: String,
    /// How often it was used.
    pub used: u64,
}

impl Browser {
    /// Puts an authenticator in: built in, keeps its passkeys, and knows its person.
    pub fn authenticator(&self) -> Authenticator<'_> {
        let asked = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserConsenting": true,
            "isUserVerified": true,
        });
        let id = self.post("/webauthn/authenticator", &asked);
        let id = id.as_str().expect("an authenticator").to_owned();
        Authenticator { browser: self, path: format!("/webauthn/authenticator/{id}") }
    }
}

impl Authenticator<'_> {
    /// The passkeys that it holds.
    pub fn passkeys(&self) -> Vec<Passkey> {
        let held = self.browser.get(&format!("{}/credentials", self.path));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let passkey = |held: &Value| Passkey {
            id: text(&held["credentialId"]),
            rp_id: text(&held["rpId"]),
            used: held["signCount"].as_u64().unwrap_or_default(),
        };
        held.as_array().expect("a list").iter().map(passkey).collect()
    }

    /// Whether the next person who touches it is the one whose it is.
    pub fn knows_its_person(&self, verified: bool) {
        let asked = json!({ "isUserVerified": verified });
        self.browser.post(&format!("{}/uv", self.path), &asked);
    }
}
