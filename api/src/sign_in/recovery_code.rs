//! Recovery codes: 80 random bits each, in letters and digits that nobody confuses. Never kept but
//! as hashes, and never shown but once.

use rand::{RngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use strongroom_domain::PersonId;
use strongroom_secrets::SecretText;
use zeroize::Zeroizing;

/// How many a person gets.
pub(super) const COUNT: usize = 10;

/// Crockford's base 32: without I, L, O and U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 16;

/// A code that was just made.
pub(super) struct RecoveryCode(SecretText);

impl RecoveryCode {
    fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        OsRng.fill_bytes(bytes.as_mut());
        let mut text = String::with_capacity(LENGTH + 3);
        for (place, byte) in bytes.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            // A byte has eight times as many values: each digit is as likely.
            let digit = DIGITS.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
            text.push(char::from(digit));
        }
        Self(SecretText::new(text))
    }

    /// A person's codes, and what is kept of them.
    pub(super) fn ten(person: PersonId) -> (Vec<String>, Vec<[u8; 32]>) {
        let codes: Vec<_> = (0..COUNT).map(|_| Self::generate()).collect();
        let hashes = codes.iter().filter_map(|code| hash(person, code.0.expose())).collect();
        (codes.into_iter().map(|code| code.0.expose().to_owned()).collect(), hashes)
    }
}

/// The hash of what somebody typed, however they wrote it; `None` where it can't be a code.
pub(super) fn hash(person: PersonId, typed: &str) -> Option<[u8; 32]> {
    let mut plain = Zeroizing::new(String::with_capacity(LENGTH));
    for letter in typed.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        };
        if plain.len() == LENGTH || !DIGITS.contains(&u8::try_from(letter).ok()?) {
            return None;
        }
        plain.push(letter);
    }
    if plain.len() != LENGTH {
        return None;
    }
    let mut hasher = Sha256::new();
    hasher.update(b"strongroom/recovery-code/v1");
    hasher.update(person.to_string().as_bytes());
    hasher.update(plain.as_bytes());
    Some(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::{PersonId, RecoveryCode, hash};
    use std::collections::BTreeSet;

    fn person(number: u128) -> PersonId {
        PersonId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn ten_codes_are_ten_and_read_however_they_are_typed() {
        let (codes, hashes) = RecoveryCode::ten(person(1));
        assert_eq!((codes.len(), hashes.iter().collect::<BTreeSet<_>>().len()), (10, 10));
        for (code, kept) in codes.iter().zip(&hashes) {
            assert_eq!(code.len(), 19);
            for typed in
                [code.clone(), code.to_lowercase(), code.replace('-', " "), code.replace('0', "o")]
            {
                assert_eq!(hash(person(1), &typed).unwrap(), *kept);
            }
            assert_ne!(hash(person(2), code).unwrap(), *kept);
        }
        for wrong in
            ["", "0123", "0123-4567-89AB-CDEF-0", "U123-4567-89AB-CDEF", "é123-4567-89AB-CDE"]
        {
            assert!(hash(person(1), wrong).is_none(), "{wrong}");
        }
    }
}
