//! Entropy as English words with a checksum (BIP 39). Never says which word would be right: that is
//! a secret of whoever holds the others.

use bip39::{Error, Language, Mnemonic};
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
        let given: Vec<&str> = text.split(' ').collect();
        let list = Language::English.word_list();
        for place in 0..given.len() {
            for word in list {
                let mut tried = Zeroizing::new(String::with_capacity(24 * 9));
                for (at, given) in given.iter().enumerate() {
                    if at > 0 {
                        tried.push(' ');
                    }
                    tried.push_str(if at == place { word } else { given });
                }
                let found = Mnemonic::parse_in_normalized(Language::English, &tried);
                if found.is_ok_and(|found| fits(&Secret::new(found.to_entropy()))) {
                    return place.checked_add(1);
                }
            }
        }
        None
    }
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
