//! Whether a key is as it must be: made in the token, never outside it, for one purpose. Asks the
//! token what the key is, never what was wanted of it.

use cryptoki::{
    object::{Attribute, AttributeType, ObjectHandle},
    session::Session,
};
use uuid::Uuid;

use super::{TokenError, error::Lapse};

/// The one thing that a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A private key that signs.
    Signing,
    /// A secret key that encrypts key shares.
    Wrapping,
}

/// An attribute, what it must be, and what is wrong where it is not.
type Demand = (AttributeType, bool, &'static str);

/// The secret never was outside the token. A token that does not say so is not believed.
const SECRECY: [Demand; 6] = [
    (AttributeType::Private, true, "CKA_PRIVATE is not set: it needs no login"),
    (AttributeType::Sensitive, true, "CKA_SENSITIVE is not set"),
    (AttributeType::Extractable, false, "CKA_EXTRACTABLE is set"),
    (AttributeType::AlwaysSensitive, true, "CKA_ALWAYS_SENSITIVE is not set"),
    (AttributeType::NeverExtractable, true, "CKA_NEVER_EXTRACTABLE is not set"),
    (AttributeType::Local, true, "CKA_LOCAL is not set: it was not made in a token"),
];

/// What a signing key does not do. Tokens leave out what a kind of key can't do anyway. Not among them
/// is CKA_SIGN_RECOVER, which some set for every key: it signs too.
const SIGNING: [Demand; 3] = [
    (AttributeType::Decrypt, false, "CKA_DECRYPT is set: a key has one purpose"),
    (AttributeType::Unwrap, false, "CKA_UNWRAP is set: a key has one purpose"),
    (AttributeType::Derive, false, "CKA_DERIVE is set: a key has one purpose"),
];

/// What a wrapping key does not do.
const WRAPPING: [Demand; 5] = [
    (AttributeType::Sign, false, "CKA_SIGN is set: a key has one purpose"),
    (AttributeType::Verify, false, "CKA_VERIFY is set: a key has one purpose"),
    (AttributeType::Derive, false, "CKA_DERIVE is set: a key has one purpose"),
    (AttributeType::Wrap, false, "CKA_WRAP is set: a key has one purpose"),
    (AttributeType::Unwrap, false, "CKA_UNWRAP is set: a key has one purpose"),
];

const SIGNS: [Demand; 1] = [(AttributeType::Sign, true, "CKA_SIGN is not set: it does not sign")];
const ENCRYPTS: [Demand; 2] = [
    (AttributeType::Encrypt, true, "CKA_ENCRYPT is not set: it does not encrypt"),
    (AttributeType::Decrypt, true, "CKA_DECRYPT is not set: it does not decrypt"),
];

impl Purpose {
    const fn allows(self) -> &'static [Demand] {
        match self {
            Self::Signing => &SIGNS,
            Self::Wrapping => &ENCRYPTS,
        }
    }

    const fn forbids(self) -> &'static [Demand] {
        match self {
            Self::Signing => &SIGNING,
            Self::Wrapping => &WRAPPING,
        }
    }
}

/// Refuses a key that was not made in a token, could have been read outside one, or does something
/// besides its purpose.
pub(super) fn confined(
    session: &Session,
    handle: ObjectHandle,
    id: Uuid,
    purpose: Purpose,
) -> Result<(), Lapse> {
    let demanded = || SECRECY.iter().chain(purpose.allows());
    let all = || demanded().chain(purpose.forbids());
    let kinds: Vec<_> = all().map(|(kind, _, _)| *kind).collect();
    let found =
        session.get_attributes(handle, &kinds).map_err(Lapse::call("C_GetAttributeValue"))?;
    let said = |kind: AttributeType| {
        let of = found.iter().find(|attribute| attribute.attribute_type() == kind);
        of.and_then(flag)
    };
    let missing = demanded().find(|(kind, wanted, _)| said(*kind) != Some(*wanted));
    let extra = purpose.forbids().iter().find(|(kind, wanted, _)| said(*kind) == Some(!*wanted));
    match missing.or(extra) {
        Some((_, _, what)) => Err(TokenError::KeyUnfit { id, what }.into()),
        None => Ok(()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's attributes; ours are listed")]
const fn flag(attribute: &Attribute) -> Option<bool> {
    match attribute {
        Attribute::Private(set)
        | Attribute::Sensitive(set)
        | Attribute::Extractable(set)
        | Attribute::AlwaysSensitive(set)
        | Attribute::NeverExtractable(set)
        | Attribute::Local(set)
        | Attribute::Sign(set)
        | Attribute::Verify(set)
        | Attribute::Encrypt(set)
        | Attribute::Decrypt(set)
        | Attribute::Wrap(set)
        | Attribute::Unwrap(set)
        | Attribute::Derive(set) => Some(*set),
        _ => None,
    }
}
