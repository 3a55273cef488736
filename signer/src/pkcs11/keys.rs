//! Key objects in a token: finding them by `CKA_ID`, making them. Never reads a private value, and
//! never takes the first of several.

use cryptoki::{
    context::Pkcs11,
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
    slot::Slot,
};
use k256::elliptic_curve::sec1::ToEncodedPoint;
use uuid::Uuid;

use super::{TokenError, TokenKey, error::Lapse};

/// DER of the object identifier 1.3.132.0.10, secp256k1 (SEC 2, appendix A.2).
const SECP256K1: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

/// The one private key with this id.
pub(super) fn private_key(session: &Session, id: Uuid) -> Result<ObjectHandle, Lapse> {
    only(session, id, ObjectClass::PRIVATE_KEY)
}

/// The one public key with this id, if there is one private key too.
pub(super) fn public_key(session: &Session, id: Uuid) -> Result<TokenKey, Lapse> {
    private_key(session, id)?;
    let handle = only(session, id, ObjectClass::PUBLIC_KEY)?;
    let attributes = session
        .get_attributes(handle, &[AttributeType::EcParams, AttributeType::EcPoint])
        .map_err(Lapse::call("C_GetAttributeValue"))?;
    let unfit = |what| Lapse::Final(TokenError::KeyUnfit { id, what });
    if !attributes.contains(&Attribute::EcParams(SECP256K1.to_vec())) {
        return Err(unfit("it is not on secp256k1"));
    }
    let point = attributes.iter().find_map(|attribute| {
        if let Attribute::EcPoint(der) = attribute { Some(der.as_slice()) } else { None }
    });
    let public =
        point.and_then(compressed).ok_or_else(|| unfit("its CKA_EC_POINT is malformed"))?;
    Ok(TokenKey { id, public })
}

/// Makes a key pair in the token, both under `id`.
pub(super) fn generate(
    module: &Pkcs11,
    slot: Slot,
    id: Uuid,
    label: &str,
) -> Result<TokenKey, Lapse> {
    let session = module.open_rw_session(slot).map_err(Lapse::call("C_OpenSession"))?;
    let present = session
        .find_objects(&[Attribute::Id(id.as_bytes().to_vec())])
        .map_err(Lapse::call("C_FindObjects"))?;
    if !present.is_empty() {
        return Err(TokenError::KeyExists { id }.into());
    }
    let common = [
        Attribute::Token(true),
        Attribute::Id(id.as_bytes().to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let public = [
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::EcParams(SECP256K1.to_vec()),
    ];
    let private = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Derive(false),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
    ];
    let (_, handle) = session
        .generate_key_pair(
            &Mechanism::EccKeyPairGen,
            &[common.as_slice(), &public].concat(),
            &[common.as_slice(), &private].concat(),
        )
        .map_err(Lapse::call("C_GenerateKeyPair"))?;
    confined(&session, handle, id)?;
    public_key(&session, id)
}

/// Checks what the token says it made, not what it was asked for.
fn confined(session: &Session, handle: ObjectHandle, id: Uuid) -> Result<(), Lapse> {
    let wanted = [
        (AttributeType::Sensitive, Attribute::Sensitive(true), "CKA_SENSITIVE is not set"),
        (AttributeType::Extractable, Attribute::Extractable(false), "CKA_EXTRACTABLE is set"),
        (
            AttributeType::AlwaysSensitive,
            Attribute::AlwaysSensitive(true),
            "CKA_ALWAYS_SENSITIVE is not set",
        ),
        (
            AttributeType::NeverExtractable,
            Attribute::NeverExtractable(true),
            "CKA_NEVER_EXTRACTABLE is not set",
        ),
        (
            AttributeType::Local,
            Attribute::Local(true),
            "CKA_LOCAL is not set: it was not made here",
        ),
    ];
    for (kind, value, what) in wanted {
        let found =
            session.get_attributes(handle, &[kind]).map_err(Lapse::call("C_GetAttributeValue"))?;
        if found != [value] {
            return Err(TokenError::KeyUnfit { id, what }.into());
        }
    }
    Ok(())
}

fn only(session: &Session, id: Uuid, class: ObjectClass) -> Result<ObjectHandle, Lapse> {
    let template = [
        Attribute::Class(class),
        Attribute::KeyType(KeyType::EC),
        Attribute::Id(id.as_bytes().to_vec()),
    ];
    let found = session.find_objects(&template).map_err(Lapse::call("C_FindObjects"))?;
    match found.as_slice() {
        [] => Err(Lapse::Absent),
        [only] => Ok(*only),
        several => Err(TokenError::SeveralKeys { id, count: several.len() }.into()),
    }
}

/// `CKA_EC_POINT` is a DER OCTET STRING around the SEC 1 point (PKCS#11 2.40, section 2.3.3 of the
/// mechanisms); both lengths fit in one byte.
pub(super) fn compressed(der: &[u8]) -> Option<[u8; 33]> {
    let (&[tag, length], point) = der.split_first_chunk::<2>()?;
    if tag != 0x04 || usize::from(length) != point.len() {
        return None;
    }
    let key = k256::PublicKey::from_sec1_bytes(point).ok()?;
    key.to_encoded_point(true).as_bytes().try_into().ok()
}
