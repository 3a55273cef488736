//! Encryption of key shares at rest under an AES-256 key that never leaves its token (AES-GCM, NIST
//! SP 800-38D). Never returns a sealed text that it has not opened again, and never opens one under
//! another key, another purpose or other associated data.

use cryptoki::{
    context::Pkcs11,
    error::{Error, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
    slot::Slot,
    types::Ulong,
};
use rand::{RngCore, rngs::OsRng};
use strongroom_secrets::Secret;
use uuid::Uuid;

use super::{
    TokenError, WrappingKey,
    confinement::{Purpose, confined},
    error::Lapse,
    keys::{attributes, of_type, only},
};

/// The form of what [`seal`] makes: this byte, the key's id, the nonce, the ciphertext with its tag.
const FORM: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const TAG_BITS: u64 = 128;
const KEY_BYTES: u64 = 32;

/// The one wrapping key with this label.
pub(super) fn find(session: &Session, label: &str) -> Result<WrappingKey, Lapse> {
    let found = labelled(session, label)?;
    let handle = match found.as_slice() {
        [] => {
            return Err(Lapse::Absent);
        }
        [only] => *only,
        several => {
            let (label, count) = (label.to_owned(), several.len());
            return Err(TokenError::SeveralWrappingKeys { label, count }.into());
        }
    };
    let id = attributes(session, handle, &[AttributeType::Id])?.into_iter().find_map(|attribute| {
        if let Attribute::Id(bytes) = attribute { Uuid::from_slice(&bytes).ok() } else { None }
    });
    let what = "its CKA_ID is not one of ours";
    let id = id.ok_or(TokenError::KeyUnfit { id: Uuid::nil(), what })?;
    handle_of(session, id)?;
    Ok(WrappingKey { id })
}

/// The one secret key with this id, if it is as it must be.
pub(super) fn handle_of(session: &Session, id: Uuid) -> Result<ObjectHandle, Lapse> {
    let handle = only(session, id, ObjectClass::SECRET_KEY)?;
    of_type(session, handle, id, KeyType::AES)?;
    confined(session, handle, id, Purpose::Wrapping)?;
    let length = attributes(session, handle, &[AttributeType::ValueLen])?;
    if length == [Attribute::ValueLen(Ulong::from(KEY_BYTES))] {
        return Ok(handle);
    }
    Err(TokenError::KeyUnfit { id, what: "it is no AES key of 256 bits" }.into())
}

/// Makes one in the token. The label must be free.
pub(super) fn generate(module: &Pkcs11, slot: Slot, label: &str) -> Result<WrappingKey, Lapse> {
    let session = module.open_rw_session(slot).map_err(Lapse::call("C_OpenSession"))?;
    if !labelled(&session, label)?.is_empty() {
        return Err(TokenError::WrappingKeyExists { label: label.to_owned() }.into());
    }
    let id = Uuid::new_v4();
    let template = [
        Attribute::Token(true),
        Attribute::Id(id.as_bytes().to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::ValueLen(Ulong::from(KEY_BYTES)),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).map_err(Lapse::call("C_GenerateKey"))?;
    find(&session, label)
}

/// Encrypts, then opens the result: a token that answered wrongly would lose the share.
pub(super) fn seal(
    session: &Session,
    handle: ObjectHandle,
    id: Uuid,
    aad: &[u8],
    secret: &Secret,
) -> Result<Vec<u8>, Lapse> {
    let mut nonce = [0; NONCE];
    // Drawn here: tokens differ in whether they draw one. At random it repeats after 2^32 shares.
    OsRng.fill_bytes(&mut nonce);
    let bound = bound(id, aad);
    let mut used = nonce;
    let mechanism = gcm(&mut used, &bound)?;
    let text =
        session.encrypt(&mechanism, handle, secret.expose()).map_err(Lapse::call("C_Encrypt"))?;
    let sealed = [&[FORM], id.as_bytes().as_slice(), &nonce, &text].concat();
    if open(session, handle, id, aad, &sealed)? == *secret {
        return Ok(sealed);
    }
    Err(TokenError::KeyUnfit { id, what: "what it encrypts it does not decrypt" }.into())
}

/// Opens what [`seal`] made for the same associated data.
pub(super) fn open(
    session: &Session,
    handle: ObjectHandle,
    id: Uuid,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Secret, Lapse> {
    let wrong = || Lapse::Final(TokenError::Unopened { id });
    let (of, rest) = head(sealed).ok_or_else(wrong)?;
    if of != id {
        return Err(TokenError::SealedByOther { id, by: of }.into());
    }
    let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
    if text.len() < TAG {
        return Err(wrong());
    }
    match decrypt(session, handle, *nonce, &bound(id, aad), text) {
        Ok(opened) => Ok(opened),
        Err(error) if may_be_forged(&error) && works(session, handle, id)? => Err(wrong()),
        Err(error) => Err(Lapse::call("C_Decrypt")(error)),
    }
}

/// Which key sealed it, and what follows.
fn head(sealed: &[u8]) -> Option<(Uuid, &[u8])> {
    let (form, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    (*form == FORM).then(|| (Uuid::from_bytes(*id), rest))
}

fn decrypt(
    session: &Session,
    handle: ObjectHandle,
    mut nonce: [u8; NONCE],
    bound: &[u8],
    text: &[u8],
) -> Result<Secret, Error> {
    let mechanism = Mechanism::AesGcm(GcmParams::new(&mut nonce, bound, Ulong::from(TAG_BITS))?);
    session.decrypt(&mechanism, handle, text).map(Secret::new)
}

/// Tokens say many things of a text that was changed, a general error among them.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's codes; ours are listed")]
const fn may_be_forged(error: &Error) -> bool {
    match error {
        Error::Pkcs11(code, _) => matches!(
            code,
            RvError::GeneralError
                | RvError::FunctionFailed
                | RvError::EncryptedDataInvalid
                | RvError::EncryptedDataLenRange
        ),
        _ => false,
    }
}

/// Whether the key opens what it has sealed just now: then the fault lies in the other text, and the
/// connection is a good one.
fn works(session: &Session, handle: ObjectHandle, id: Uuid) -> Result<bool, Lapse> {
    let mut nonce = [0; NONCE];
    OsRng.fill_bytes(&mut nonce);
    let (bound, mut used) = (bound(id, b"whether the key works"), nonce);
    let mechanism = gcm(&mut used, &bound)?;
    let text = session.encrypt(&mechanism, handle, &[0; 16]).map_err(Lapse::call("C_Encrypt"))?;
    Ok(decrypt(session, handle, nonce, &bound, &text).is_ok())
}

fn labelled(session: &Session, label: &str) -> Result<Vec<ObjectHandle>, Lapse> {
    let template =
        [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(label.as_bytes().to_vec())];
    session.find_objects(&template).map_err(Lapse::call("C_FindObjects"))
}

fn gcm<'a>(nonce: &'a mut [u8; NONCE], bound: &'a [u8]) -> Result<Mechanism<'a>, Lapse> {
    let parameters = GcmParams::new(nonce, bound, Ulong::from(TAG_BITS));
    Ok(Mechanism::AesGcm(parameters.map_err(Lapse::call("CK_GCM_PARAMS"))?))
}

/// What is authenticated besides the text: our purpose, the key, the caller's context.
fn bound(id: Uuid, aad: &[u8]) -> Vec<u8> {
    [b"strongroom/token-sealed/v1\0".as_slice(), id.as_bytes(), aad].concat()
}
