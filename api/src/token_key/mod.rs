//! An approval key in a PKCS#11 token: Ed25519 or P-256. Its private half never leaves the token,
//! and a process opens one token, once: the library's state belongs to the process.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::Error,
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use sha2::{Digest as _, Sha256};
use strongroom_domain::{Bytes, approval_key::ApprovalKey as EnrolledKey};
use strongroom_secrets::SecretText;

/// DER of the object identifier 1.2.840.10045.3.1.7, P-256 (RFC 5480 §2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Where the key is.
#[derive(Clone, Debug)]
pub struct TokenPlace {
    /// The PKCS#11 library.
    pub module: PathBuf,
    /// `CKA_LABEL` of the token.
    pub token: String,
    /// `CKA_LABEL` of the key pair.
    pub key: String,
}

/// A key in a token that is logged in to. The login ends with it.
pub struct TokenKey {
    session: Session,
    private: ObjectHandle,
    public: EnrolledKey,
    // Behind the session: what ends last.
    _module: Pkcs11,
}

/// Why there is no key, or no signature. Never holds a PIN.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The library or the token.
    #[error("the token, at {call}: {error}")]
    Token {
        /// Which call.
        call: &'static str,
        /// What it answered.
        error: Error,
    },
    /// No token has the label, or several have.
    #[error("{found} tokens are called `{label}`: one must be")]
    Tokens {
        /// The label.
        label: String,
        /// How many have it.
        found: usize,
    },
    /// No key has the label, or several have.
    #[error("{found} {class} keys are called `{label}` in the token: one must be")]
    Keys {
        /// Public or private.
        class: &'static str,
        /// The label.
        label: String,
        /// How many have it.
        found: usize,
    },
    /// The key is of no use here.
    #[error("the key `{0}` is neither Ed25519 nor on P-256")]
    Unfit(String),
    /// The token signed something else, or not at all.
    #[error("the token's signature is not its key's over the statement")]
    Signature,
}

fn told(call: &'static str) -> impl FnOnce(Error) -> TokenKeyError {
    move |error| TokenKeyError::Token { call, error }
}

impl TokenKey {
    /// Loads the library, logs in, and finds the key.
    pub fn open(place: &TokenPlace, pin: &SecretText) -> Result<Self, TokenKeyError> {
        let module = Pkcs11::new(&place.module).map_err(told("loading the library"))?;
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        module.initialize(arguments).map_err(told("C_Initialize"))?;
        let mut slots = Vec::new();
        for slot in module.get_slots_with_token().map_err(told("C_GetSlotList"))? {
            let info = module.get_token_info(slot).map_err(told("C_GetTokenInfo"))?;
            if info.label() == place.token {
                slots.push(slot);
            }
        }
        let [slot] = slots.as_slice() else {
            return Err(TokenKeyError::Tokens { label: place.token.clone(), found: slots.len() });
        };
        let session = module.open_ro_session(*slot).map_err(told("C_OpenSession"))?;
        let pin = AuthPin::new(pin.expose().to_owned().into());
        session.login(UserType::User, Some(&pin)).map_err(told("C_Login"))?;
        let private = only(&session, &place.key, ObjectClass::PRIVATE_KEY, "private")?;
        let handle = only(&session, &place.key, ObjectClass::PUBLIC_KEY, "public")?;
        let public = public(&session, handle)
            .map_err(told("C_GetAttributeValue"))?
            .ok_or_else(|| TokenKeyError::Unfit(place.key.clone()))?;
        Ok(Self { session, private, public, _module: module })
    }

    /// As the charter enrols it.
    pub const fn public(&self) -> &EnrolledKey {
        &self.public
    }

    /// Signs a statement, whole, as it was shown, and checks what the token made of it.
    pub fn sign(&self, statement: &str) -> Result<Bytes, TokenKeyError> {
        let text = statement.as_bytes();
        let signed = match &self.public {
            EnrolledKey::Ed25519 { .. } => {
                let scheme = EddsaParams::new(EddsaSignatureScheme::Ed25519);
                self.session.sign(&Mechanism::Eddsa(scheme), self.private, text)
            }
            // Hashed here: not every token knows CKM_ECDSA_SHA256.
            EnrolledKey::P256 { .. } | EnrolledKey::WebAuthn { .. } => {
                self.session.sign(&Mechanism::Ecdsa, self.private, &Sha256::digest(text))
            }
        };
        let signature = Bytes(signed.map_err(told("C_Sign"))?);
        let evidence =
            strongroom_domain::approval_key::Evidence::Signature { signature: signature.clone() };
        if self.public.verify(statement, &evidence) {
            Ok(signature)
        } else {
            Err(TokenKeyError::Signature)
        }
    }
}

fn only(
    session: &Session,
    label: &str,
    class: ObjectClass,
    name: &'static str,
) -> Result<ObjectHandle, TokenKeyError> {
    let template = [Attribute::Class(class), Attribute::Label(label.as_bytes().to_vec())];
    let found = session.find_objects(&template).map_err(told("C_FindObjects"))?;
    match found.as_slice() {
        [one] => Ok(*one),
        several => {
            let (label, found) = (label.to_owned(), several.len());
            Err(TokenKeyError::Keys { class: name, label, found })
        }
    }
}

/// The key, if it is of a kind that can approve. Its domain checks tell whether it is a key at all.
fn public(session: &Session, handle: ObjectHandle) -> Result<Option<EnrolledKey>, Error> {
    let wanted = [AttributeType::KeyType, AttributeType::EcParams, AttributeType::EcPoint];
    let (mut kind, mut curve, mut point) = (None, Vec::new(), Vec::new());
    for attribute in session.get_attributes(handle, &wanted)? {
        if let Attribute::KeyType(found) = attribute {
            kind = Some(found);
        } else if let Attribute::EcParams(der) = attribute {
            curve = der;
        } else if let Attribute::EcPoint(der) = attribute {
            point = der;
        }
    }
    let Some(bytes) = unwrapped(&point) else { return Ok(None) };
    let key = if kind == Some(KeyType::EC_EDWARDS) {
        (bytes.len() == 32).then(|| EnrolledKey::Ed25519 { key: Bytes(bytes.to_vec()) })
    } else if kind == Some(KeyType::EC) && curve == P256 {
        p256::PublicKey::from_sec1_bytes(bytes).ok().map(|key| {
            let point = key.to_encoded_point(true);
            EnrolledKey::P256 { key: Bytes(point.as_bytes().to_vec()) }
        })
    } else {
        None
    };
    Ok(key.filter(|key| key.check().is_ok()))
}

/// `CKA_EC_POINT` is a DER OCTET STRING around the point (PKCS#11 2.40); some tokens leave the
/// wrapping of Edwards points away. Both lengths fit in one byte.
fn unwrapped(der: &[u8]) -> Option<&[u8]> {
    if der.len() == 32 {
        return Some(der);
    }
    let (&[tag, length], point) = der.split_first_chunk::<2>()?;
    (tag == 0x04 && usize::from(length) == point.len()).then_some(point)
}
