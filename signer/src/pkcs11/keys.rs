//! Key objects in a token: finding them by `CKA_ID`, making them. Never reads a private value, and
//! never takes the first of several.

use cryptoki::{
    context::Pkcs11,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session,
    slot::Slot,
    types::Ulong,
};
use strongroom_chains::TokenPublic;
use strongroom_domain::{Bytes, key::Protocol};
use uuid::Uuid;

use super::{
    KeyKind, TokenError, TokenKey,
    confinement::{Purpose, confined},
    error::Lapse,
    key::RSA_BITS,
};

/// The exponent F4, 65537.
const F4: [u8; 3] = [0x01, 0x00, 0x01];

/// The one private key with this id, if it is of this kind and as it must be.
pub(super) fn private_key(
    session: &Session,
    id: Uuid,
    kind: KeyKind,
) -> Result<ObjectHandle, Lapse> {
    let handle = only(session, id, ObjectClass::PRIVATE_KEY)?;
    of_type(session, handle, id, kind.key_type())?;
    confined(session, handle, id, Purpose::Signing)?;
    Ok(handle)
}

/// The one public key with this id, if there is one private key too.
pub(super) fn public_key(session: &Session, id: Uuid, kind: KeyKind) -> Result<TokenKey, Lapse> {
    private_key(session, id, kind)?;
    let handle = only(session, id, ObjectClass::PUBLIC_KEY)?;
    of_type(session, handle, id, kind.key_type())?;
    let unfit = |what| Lapse::Final(TokenError::KeyUnfit { id, what });
    let public = if let Some(curve) = kind.curve() {
        let found =
            attributes(session, handle, &[AttributeType::EcParams, AttributeType::EcPoint])?;
        if !found.contains(&Attribute::EcParams(curve.to_vec())) {
            return Err(unfit("it is on another curve"));
        }
        let point = found.iter().find_map(|attribute| {
            if let Attribute::EcPoint(der) = attribute { Some(der.as_slice()) } else { None }
        });
        point
            .and_then(|der| on_curve(kind, der))
            .ok_or_else(|| unfit("its CKA_EC_POINT is malformed"))
    } else {
        let wanted = [AttributeType::PublicExponent, AttributeType::Modulus];
        rsa(&attributes(session, handle, &wanted)?)
            .ok_or_else(|| unfit("it is no RSA key of 2048 bits with the exponent 65537"))
    }?;
    Ok(TokenKey { id, public })
}

/// Makes a key pair in the token, both under `id`.
pub(super) fn generate(
    module: &Pkcs11,
    slot: Slot,
    kind: KeyKind,
    id: Uuid,
    label: &str,
) -> Result<TokenKey, Lapse> {
    let session = module.open_rw_session(slot).map_err(Lapse::call("C_OpenSession"))?;
    refuse_taken(&session, id)?;
    let common = [
        Attribute::Token(true),
        Attribute::Id(id.as_bytes().to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let mut public = vec![Attribute::Private(false), Attribute::Verify(true)];
    let mut private = vec![
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Derive(false),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
    ];
    if let Some(curve) = kind.curve() {
        public.push(Attribute::EcParams(curve.to_vec()));
    } else {
        public.push(Attribute::ModulusBits(Ulong::from(RSA_BITS)));
        public.push(Attribute::PublicExponent(F4.to_vec()));
        public.extend([Attribute::Encrypt(false), Attribute::Wrap(false)]);
        // Some tokens give RSA keys both ways of signing, and one is enough.
        private.push(Attribute::SignRecover(false));
    }
    let template = |own: Vec<Attribute>| [common.as_slice(), &own].concat();
    session
        .generate_key_pair(&kind.making(), &template(public), &template(private))
        .map_err(Lapse::call("C_GenerateKeyPair"))?;
    public_key(&session, id, kind)
}

/// A new key's id is its own: `CKA_ID` is not unique by itself.
pub(super) fn refuse_taken(session: &Session, id: Uuid) -> Result<(), Lapse> {
    let present = session
        .find_objects(&[Attribute::Id(id.as_bytes().to_vec())])
        .map_err(Lapse::call("C_FindObjects"))?;
    if present.is_empty() { Ok(()) } else { Err(TokenError::KeyExists { id }.into()) }
}

/// The one object of a class with this id.
pub(super) fn only(session: &Session, id: Uuid, class: ObjectClass) -> Result<ObjectHandle, Lapse> {
    let template = [Attribute::Class(class), Attribute::Id(id.as_bytes().to_vec())];
    let found = session.find_objects(&template).map_err(Lapse::call("C_FindObjects"))?;
    match found.as_slice() {
        [] => Err(Lapse::Absent),
        [only] => Ok(*only),
        several => Err(TokenError::SeveralKeys { id, count: several.len() }.into()),
    }
}

pub(super) fn of_type(
    session: &Session,
    handle: ObjectHandle,
    id: Uuid,
    wanted: KeyType,
) -> Result<(), Lapse> {
    let found = attributes(session, handle, &[AttributeType::KeyType])?;
    if found == [Attribute::KeyType(wanted)] {
        return Ok(());
    }
    Err(TokenError::KeyUnfit { id, what: "it is of another kind" }.into())
}

pub(super) fn attributes(
    session: &Session,
    handle: ObjectHandle,
    kinds: &[AttributeType],
) -> Result<Vec<Attribute>, Lapse> {
    session.get_attributes(handle, kinds).map_err(Lapse::call("C_GetAttributeValue"))
}

/// `CKA_EC_POINT` is a DER OCTET STRING around the point: SEC 1 for ECDSA, RFC 8032 for Ed25519
/// (PKCS#11 2.40, section 2.3.3 of the mechanisms; 3.0, section 2.3.5). Both lengths fit in one byte.
pub(super) fn on_curve(kind: KeyKind, der: &[u8]) -> Option<TokenPublic> {
    let (&[tag, length], point) = der.split_first_chunk::<2>()?;
    if tag != 0x04 || usize::from(length) != point.len() {
        return None;
    }
    match kind {
        KeyKind::Secp256k1 => {
            let key = bitcoin::secp256k1::PublicKey::from_slice(point).ok()?;
            Some(TokenPublic::Secp256k1(key.serialize()))
        }
        KeyKind::P256 => {
            let key = p256::EncodedPoint::from_bytes(point).ok()?.compress();
            TokenPublic::parse(Protocol::Pkcs11P256, &Bytes(key.as_bytes().to_vec())).ok()
        }
        KeyKind::Ed25519 => {
            TokenPublic::parse(Protocol::Pkcs11Ed25519, &Bytes(point.to_vec())).ok()
        }
        KeyKind::Rsa2048 => None,
    }
}

fn rsa(found: &[Attribute]) -> Option<TokenPublic> {
    let big =
        |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().skip_while(|byte| *byte == 0).collect() };
    let exponent = found.iter().find_map(|attribute| {
        if let Attribute::PublicExponent(bytes) = attribute { Some(big(bytes)) } else { None }
    })?;
    let modulus = found.iter().find_map(|attribute| {
        if let Attribute::Modulus(bytes) = attribute { Some(big(bytes)) } else { None }
    })?;
    if exponent != F4 {
        return None;
    }
    TokenPublic::rsa(modulus.try_into().ok()?)
}
