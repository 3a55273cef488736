//! `Content-Digest` (RFC 9530): that a body is the one whose digest was signed. Never satisfied by
//! an algorithm that it does not know.

use axum::http::HeaderMap;
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

/// The field's name.
pub const CONTENT_DIGEST: &str = "content-digest";

/// Refuses a body that is not what each digest of a known algorithm says; there must be one.
pub fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), &'static str> {
    const MALFORMED: &str = "Content-Digest is not like `sha-256=:…:`";
    let mut known = false;
    for (algorithm, value) in dictionary(headers, CONTENT_DIGEST).ok_or(MALFORMED)? {
        let ListEntry::Item(item) = value else { return Err(MALFORMED) };
        let BareItem::ByteSequence(said) = item.bare_item else { return Err(MALFORMED) };
        let right = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            _ => continue,
        };
        if said != right {
            return Err("the body is not the one that Content-Digest says");
        }
        known = true;
    }
    if known { Ok(()) } else { Err("Content-Digest has neither sha-256 nor sha-512") }
}

/// A field of RFC 9651 that is a dictionary; all its lines are one.
pub(super) fn dictionary(headers: &HeaderMap, field: &str) -> Option<Dictionary> {
    let lines = headers.get_all(field).iter().map(|value| value.to_str().ok());
    let text = lines.collect::<Option<Vec<_>>>()?.join(", ");
    Parser::new(&text).parse().ok()
}
