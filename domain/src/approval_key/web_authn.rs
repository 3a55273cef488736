//! An assertion of an authenticator over a statement's hash (WebAuthn Level 2 §7.2). Whatever it
//! does not know it refuses; it never compares sign counters, because synced passkeys have none.

use crate::{Bytes, Refusal, Rule};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The longest `clientDataJSON` that is read, in bytes.
const LONGEST_CLIENT_DATA: usize = 4_096;
/// The longest credential id (WebAuthn Level 2 §5.8.3), in bytes.
const LONGEST_CREDENTIAL: usize = 1_023;
/// The longest host name (RFC 1035 §2.3.4).
const LONGEST_HOST: usize = 253;
/// The flags of an assertion (§6.1): a person was there, and the authenticator knew them.
const PRESENT_AND_VERIFIED: u8 = 0b0000_0101;
/// Attested credential data or extensions follow. Neither was asked for.
const MORE_FOLLOWS: u8 = 0b1100_0000;
const BACKUP_ELIGIBLE: u8 = 0b0000_1000;
const BACKED_UP: u8 = 0b0001_0000;

/// `CollectedClientData` (§5.8.1). Fields to come are let pass, as §5.8.1.2 asks.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    /// Only where the page was framed by another origin (Level 3).
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<serde::de::IgnoredAny>,
}

/// Whether the three of them are `key`'s word for `text`, given to a page of `origin`.
pub(super) fn verify(
    key: &VerifyingKey,
    (rp_id, origin): (&str, &str),
    text: &str,
    (authenticator_data, client_data, signature): (&Bytes, &Bytes, &Bytes),
) -> bool {
    if !asked_for(client_data, text, origin) || !says(authenticator_data, rp_id) {
        return false;
    }
    let Ok(signature) = Signature::from_der(signature.as_slice()) else { return false };
    let mut signed = authenticator_data.0.clone();
    signed.extend_from_slice(&Sha256::digest(client_data.as_slice()));
    key.verify(&signed, &signature).is_ok()
}

/// The challenge by which a page asks for the word for `text`: base64url of its SHA-256.
fn challenge(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// §7.2 steps 7 to 13.
fn asked_for(client_data: &Bytes, text: &str, origin: &str) -> bool {
    if client_data.as_slice().len() > LONGEST_CLIENT_DATA {
        return false;
    }
    // Refuses what is not UTF-8, trails, or says one of these twice.
    let Ok(asked) = serde_json::from_slice::<ClientData>(client_data.as_slice()) else {
        return false;
    };
    asked.ceremony == "webauthn.get"
        && asked.challenge == challenge(text)
        && asked.origin == origin
        && !asked.cross_origin
        && asked.top_origin.is_none()
}

/// §7.2 steps 15 to 18: the relying party's hash, the flags, a counter, and nothing else.
fn says(authenticator_data: &Bytes, rp_id: &str) -> bool {
    let Some(bytes) = authenticator_data.array::<37>() else { return false };
    let Some((party, [flags, ..])) = bytes.split_first_chunk::<32>() else { return false };
    let flags = *flags;
    *party == <[u8; 32]>::from(Sha256::digest(rp_id.as_bytes()))
        && flags & PRESENT_AND_VERIFIED == PRESENT_AND_VERIFIED
        && flags & MORE_FOLLOWS == 0
        // Level 3 §6.1.3: nothing is backed up that can't be.
        && (flags & BACKED_UP == 0 || flags & BACKUP_ELIGIBLE != 0)
}

/// Whether a passkey's names can be a browser's, and the origin is one of the relying party.
pub(super) fn check_names(credential: &Bytes, rp_id: &str, origin: &str) -> Result<(), Refusal> {
    let refuse = |because: String| Err(Refusal::new(Rule::ApprovalKeyInvalid, because));
    if !(1..=LONGEST_CREDENTIAL).contains(&credential.as_slice().len()) {
        return refuse(format!("a credential id has 1 to {LONGEST_CREDENTIAL} bytes"));
    }
    let (host, port) = match origin.split_once("://") {
        Some(("https", authority)) => authority.split_once(':').map_or((authority, ""), |it| it),
        // Browsers take http for a secure context on the own machine only.
        Some(("http", authority)) => {
            let (host, port) = authority.split_once(':').map_or((authority, ""), |it| it);
            if host != "localhost" {
                return refuse(format!("{origin}: only localhost may do without https"));
            }
            (host, port)
        }
        _ => return refuse(format!("`{}` is no https origin", origin.escape_debug())),
    };
    let named = |host: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        (1..=LONGEST_HOST).contains(&host.len()) && host.bytes().all(plain)
    };
    let ports = port.is_empty() && !origin.ends_with(':')
        || port.parse::<u16>().is_ok_and(|n| n.to_string() == port);
    if !named(host) || !named(rp_id) || !ports {
        return refuse(format!(
            "`{}` with relying party `{}`: expected https://host or https://host:port, lower case",
            origin.escape_debug(),
            rp_id.escape_debug()
        ));
    }
    let within = host == rp_id || host.strip_suffix(rp_id).is_some_and(|rest| rest.ends_with('.'));
    if within { Ok(()) } else { refuse(format!("{origin} is no origin of {rp_id}")) }
}
