//! Entropy as English words with a checksum (BIP 39). Never says which word would be right: that is
//! a secret of whoever holds the others.

use bip39::{Error, Language, Mnemonic};
use sha2::{Digest, Sha256};
use thiserror::Error as Failure;
use zeroize::Zeroizing;

use crate::{Secret, SecretText};

/// Why words are refused. Names places, never words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Failure)]
pub enum WordsError {
    /// BIP 39 knows 12, 15, 18, 21 and 24.
    #[error("there are {0} words: expected 12, 15, 18, 21 or 24")]
    Count(usize),
    /// Not on the list.
    #[error("word {0} is not on BIP 39's English list")]
    Unknown(usize),
    /// All are on the list, and at least one is another than was written down.
    #[error("the checksum is wrong: at least one word is another than was written down")]
    Checksum,
    /// Words carry 16, 20, 24, 28 or 32 bytes.
    #[error("words carry 16, 20, 24, 28 or 32 bytes, not {0}")]
    Entropy(usize),
}

/// Words, and the entropy that they stand for. Wiped when dropped.
pub struct Words(Mnemonic);

impl Words {
    /// The words for some entropy.
    pub fn of(entropy: &Secret) -> Result<Self, WordsError> {
        Mnemonic::from_entropy(entropy.expose())
            .map(Self)
            .map_err(|_size| WordsError::Entropy(entropy.len()))
    }

    /// Reads words; case and the space between them do not matter.
    pub fn parse(text: &SecretText) -> Result<Self, WordsError> {
        let text = normal(text);
        Mnemonic::parse_in_normalized(Language::English, &text).map(Self).map_err(explain)
    }

    /// What the words stand for.
    pub fn entropy(&self) -> Secret {
        Secret::new(self.0.to_entropy())
    }

    /// BIP 39's seed: PBKDF2 with 2048 rounds of HMAC-SHA512 over words and passphrase, 64 bytes.
    pub fn seed(&self, passphrase: &SecretText) -> Secret {
        Secret::new(Zeroizing::new(self.0.to_seed(passphrase.expose())).to_vec())
    }

    /// The words with one space between them.
    pub fn to_text(&self) -> SecretText {
        // No word is longer than 8 letters: it never grows, so no copy is left behind.
        let mut text = String::with_capacity(24 * 9);
        for word in self.0.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        SecretText::new(text)
    }

    /// Which single word, counted from 1, is wrong: the place where another word of the list gives
    /// a right checksum and entropy that `fits`. `None` where more than one word is wrong.
    pub fn wrong_word(text: &SecretText, fits: impl Fn(&Secret) -> bool) -> Option<usize> {
        let text = normal(text);
        let list = Language::English.word_list();
        let known: Vec<Option<u16>> = text
            .split(' ')
            .map(|word| u16::try_from(list.binary_search(&word).ok()?).ok())
            .collect();
        if !matches!(known.len(), 12 | 15 | 18 | 21 | 24) {
            return None;
        }
        let mut tried: Zeroizing<Vec<u16>> =
            Zeroizing::new(known.iter().map(|word| word.unwrap_or_default()).collect());
        // A word that is not on the list is the one; where there are two such, it is not one.
        let unknown: Vec<usize> =
            (0..known.len()).filter(|place| known.get(*place) == Some(&None)).collect();
        let places = match unknown.as_slice() {
            [] => (0..known.len()).collect(),
            [only] => vec![*only],
            [_, _, ..] => return None,
        };
        for place in places {
            let own = tried.get(place).copied()?;
            for word in 0..2048 {
                *tried.get_mut(place)? = word;
                if entropy(&tried).is_some_and(|found| fits(&found)) {
                    return place.checked_add(1);
                }
            }
            *tried.get_mut(place)? = own;
        }
        None
    }
}

/// What words with these numbers stand for, if their checksum is right (BIP 39, "Generating the
/// mnemonic"): 11 bits each, of which the last 1 in 33 are the first bits of the SHA-256 of the rest.
fn entropy(numbers: &[u16]) -> Option<Secret> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(34));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for number in numbers {
        held = (held << 11) | u32::from(*number);
        bits = bits.checked_add(11)?;
        while bits >= 8 {
            bits = bits.checked_sub(8)?;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    // What is left over belongs to the checksum; 24 words have one of 8 bits, none left over.
    let check = u32::try_from(numbers.len() / 3).ok()?;
    let (length, last) = (numbers.len() / 3 * 4, bytes.get(numbers.len() / 3 * 4).copied());
    let given = last.map_or_else(|| held << 8_u32.checked_sub(bits).unwrap_or(8), u32::from);
    let hash = Sha256::digest(bytes.get(..length)?);
    let shift = 8_u32.checked_sub(check)?;
    let right = (u32::from(*hash.first()?) >> shift) == ((given & 0xff) >> shift);
    right.then(|| Secret::new(bytes.get(..length).unwrap_or_default().to_vec()))
}

fn normal(text: &SecretText) -> Zeroizing<String> {
    let mut normal = Zeroizing::new(String::with_capacity(text.expose().len()));
    for word in text.expose().split_whitespace() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
    }
    normal
}

fn explain(error: Error) -> WordsError {
    match error {
        Error::BadWordCount(count) => WordsError::Count(count),
        Error::UnknownWord(place) => WordsError::Unknown(place.saturating_add(1)),
        Error::InvalidChecksum | Error::AmbiguousLanguages(_) => WordsError::Checksum,
        Error::BadEntropyBitCount(bits) => WordsError::Entropy(bits / 8),
    }
}
