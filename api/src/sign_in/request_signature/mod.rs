//! Requests that a machine signed: HTTP message signatures (RFC 9421) with Ed25519. Strict where the
//! standard lets one choose: one signature, no unknown parameter, all that a request does is covered,
//! a minute at most. Never looks at the body before the signature is good.

mod base;
mod digest;

pub use base::{Parts, signature_base};
pub use digest::{CONTENT_DIGEST, check as check_digest};

use axum::http::HeaderMap;
use ed25519_dalek::{Signature, VerifyingKey};
use sfv::{BareItem, InnerList, ListEntry};
use strongroom_domain::{PersonId, Timestamp};

/// How long a signature may be good, in seconds.
pub const LONGEST_S: u64 = 60;
/// How much later than ours a machine's clock may be, in seconds.
const AHEAD_S: u64 = 5;

/// The field that says what is signed.
pub const SIGNATURE_INPUT: &str = "signature-input";
/// The field with the signature.
pub const SIGNATURE: &str = "signature";

/// What a request says of its signature. Nothing of it is known to be true before [`Self::verify`].
#[derive(Debug)]
pub struct Claimed {
    input: InnerList,
    signature: [u8; 64],
    /// Which machine's.
    pub machine: PersonId,
    /// Never used before by this machine.
    pub nonce: String,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl Claimed {
    /// Reads the two fields, and refuses what a good signature would not be enough for.
    pub fn read(headers: &HeaderMap, now: Timestamp) -> Result<Self, &'static str> {
        const INPUT: &str = "Signature-Input is not one list of components with its parameters";
        const BYTES: &str = "Signature is not like `label=:…:` under the label of Signature-Input";
        let one = |field| {
            let mut found = digest::dictionary(headers, field)?.into_iter();
            found.next().filter(|_| found.next().is_none())
        };
        let (label, input) = one(SIGNATURE_INPUT).ok_or(INPUT)?;
        let ListEntry::InnerList(input) = input else { return Err(INPUT) };
        let (signed, value) = one(SIGNATURE).ok_or(BYTES)?;
        let ListEntry::Item(value) = value else { return Err(BYTES) };
        let BareItem::ByteSequence(bytes) = value.bare_item else { return Err(BYTES) };
        let signature = bytes.try_into().ok().filter(|_| signed == label).ok_or(BYTES)?;
        demand_coverage(&base::components(&input)?, headers)?;
        Self::parameters(input, signature, now)
    }

    fn parameters(
        input: InnerList,
        signature: [u8; 64],
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let (mut created, mut expires, mut nonce, mut machine) = (None, None, None, None);
        for (name, value) in &input.params {
            match (name.as_str(), value) {
                ("created", BareItem::Integer(at)) => created = seconds((*at).into()),
                ("expires", BareItem::Integer(at)) => expires = seconds((*at).into()),
                ("nonce", BareItem::String(text)) => nonce = Some(text.as_str().to_owned()),
                ("keyid", BareItem::String(id)) => machine = id.as_str().parse().ok(),
                ("alg", BareItem::String(name)) if name.as_str() == "ed25519" => {}
                _ => {
                    return Err(
                        "parameters are created, expires, nonce, keyid and alg=\"ed25519\"",
                    );
                }
            }
        }
        let created: Timestamp = created.ok_or("`created` is missing: seconds since 1970")?;
        let expires: Timestamp = expires.ok_or("`expires` is missing: seconds since 1970")?;
        let nonce = nonce.filter(|nonce| (16..=128).contains(&nonce.len()));
        let nonce =
            nonce.ok_or("`nonce` is missing: 16 to 128 characters that never come again")?;
        let machine = machine.ok_or("`keyid` is missing: the machine's id in the charter")?;
        if created > now.plus_seconds(AHEAD_S) {
            return Err("it was created later than now: look at the machine's clock");
        }
        if now >= expires {
            return Err("it has expired: sign again");
        }
        if expires <= created || expires > created.plus_seconds(LONGEST_S) {
            return Err("it may be good for 60 seconds at most");
        }
        Ok(Self { input, signature, machine, nonce, expires })
    }

    /// Whether the key made this signature over the request.
    pub fn verify(&self, key: &VerifyingKey, request: &Parts<'_>) -> Result<(), &'static str> {
        let base = signature_base(&self.input, request)?;
        let signature = Signature::from_bytes(&self.signature);
        // The same words for a key that is not known: see `sign_in::machine`.
        key.verify_strict(base.as_bytes(), &signature).map_err(|_| super::machine::NOT_GOOD)
    }
}

/// All that decides what a request does must be signed.
fn demand_coverage(covered: &[&str], headers: &HeaderMap) -> Result<(), &'static str> {
    let has = |name: &str| covered.contains(&name);
    if !has("@method") {
        return Err("it must cover \"@method\"");
    }
    let target = has("@target-uri") || (has("@authority") && has("@path") && has("@query"));
    if !target {
        return Err("it must cover \"@target-uri\", or \"@authority\", \"@path\" and \"@query\"");
    }
    if headers.contains_key(CONTENT_DIGEST) && !has(CONTENT_DIGEST) {
        return Err("it must cover \"content-digest\"");
    }
    if headers.contains_key("idempotency-key") && !has("idempotency-key") {
        return Err("it must cover \"idempotency-key\"");
    }
    Ok(())
}

fn seconds(at: i64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(u64::try_from(at).ok()?.checked_mul(1_000_000)?))
}

#[cfg(test)]
mod tests;
