//! The bytes of a sealed file, version 2: taking them apart and putting them together. Never
//! decrypts; what it returns is a stranger's until the cipher accepted it.
//!
//! `strongroom-seal2` (16 bytes: name and version) ‖ the directory's salt (16) ‖ length of the
//! context (u16) ‖ context ‖ number of slots (u8) ‖ slots ‖ nonce (24) ‖ ciphertext with tag. A slot is
//! the place of a key-encryption key (u8) ‖ its id (8) ‖ length (u16) ‖ the data key, wrapped by it.
//! Numbers are big-endian. The body is XChaCha20-Poly1305 under the data key, and its associated data
//! is everything before the nonce: no slot, no context and no salt can be changed, added or removed.

use crate::{KeyPlace, sealed::Salt};

pub(crate) const NAME: &[u8; 16] = b"strongroom-seal2";
/// A file is resealed under a second key before it loses its first; never more.
const MOST_SLOTS: u8 = 4;
const TAG: usize = 16;

/// A data key, wrapped.
pub(crate) struct Slot<'a> {
    pub(crate) place: KeyPlace,
    pub(crate) id: [u8; 8],
    pub(crate) wrapped: &'a [u8],
}

/// A sealed file, taken apart.
pub(crate) struct Envelope<'a> {
    /// All before the nonce: the body's associated data.
    pub(crate) head: &'a [u8],
    /// All before the slots: what a data key is wrapped for.
    pub(crate) purpose: &'a [u8],
    pub(crate) salt: Salt,
    pub(crate) context: &'a str,
    pub(crate) slots: Vec<Slot<'a>>,
    pub(crate) nonce: [u8; 24],
    pub(crate) ciphertext: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// `None` for anything that is not of version 2 to the letter.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(NAME)?;
        let (salt, rest) = rest.split_first_chunk::<16>()?;
        let (context, rest) = counted(rest)?;
        let context = std::str::from_utf8(context).ok()?;
        let (purpose, _) = bytes.split_at_checked(bytes.len().checked_sub(rest.len())?)?;
        let (&[count], mut rest) = rest.split_first_chunk::<1>()?;
        if count == 0 || count > MOST_SLOTS {
            return None;
        }
        let mut slots = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let (&[code], after) = rest.split_first_chunk::<1>()?;
            let (id, after) = after.split_first_chunk::<8>()?;
            let (wrapped, after) = counted(after)?;
            slots.push(Slot { place: KeyPlace::of(code)?, id: *id, wrapped });
            rest = after;
        }
        let (head, body) = bytes.split_at_checked(bytes.len().checked_sub(rest.len())?)?;
        let (nonce, ciphertext) = body.split_first_chunk::<24>()?;
        (ciphertext.len() >= TAG).then_some(Self {
            head,
            purpose,
            salt: *salt,
            context,
            slots,
            nonce: *nonce,
            ciphertext,
        })
    }

    /// What comes before the slots, or `None` for a context of more than 65535 bytes.
    pub(crate) fn purpose(salt: &Salt, context: &str) -> Option<Vec<u8>> {
        let length = u16::try_from(context.len()).ok()?.to_be_bytes();
        Some([NAME.as_slice(), salt, &length, context.as_bytes()].concat())
    }

    /// What comes before the nonce.
    pub(crate) fn head(
        purpose: Vec<u8>,
        slots: &[(KeyPlace, [u8; 8], Vec<u8>)],
    ) -> Option<Vec<u8>> {
        let mut head = purpose;
        head.push(u8::try_from(slots.len()).ok()?);
        for (place, id, wrapped) in slots {
            head.push(place.code());
            head.extend_from_slice(id);
            head.extend_from_slice(&u16::try_from(wrapped.len()).ok()?.to_be_bytes());
            head.extend_from_slice(wrapped);
        }
        Some(head)
    }
}

/// A length (u16) and as many bytes, then the rest.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
