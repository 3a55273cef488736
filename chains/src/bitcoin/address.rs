//! Where a payment can go: the five standard output scripts and their one spelling per network
//! (BIP 173, 350, base58check). Never guesses: what is not canonical is refused with a reason.

use super::{Chain, SECP};
use crate::{AddressError, KeyError};
use bitcoin::{
    PubkeyHash, ScriptBuf, ScriptHash, TapNodeHash, WPubkeyHash, WScriptHash, XOnlyPublicKey,
    base58,
    bech32::{Bech32, Bech32m, Hrp, primitives::decode::UncheckedHrpstring, segwit},
    hashes::Hash,
    key::TapTweak,
    opcodes::all as op,
    script::Script,
    secp256k1::PublicKey,
};
use strongroom_domain::{Address, Family};

/// Prefixes of segwit addresses on networks that people mix up with ours, ours included.
const KNOWN_HRPS: [&str; 8] = ["bcrt", "bc", "tb", "rltc", "tltc", "ltc", "ltcmweb", "tmweb"];

/// An output script of a standard form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Destination {
    /// To the hash of a public key.
    P2pkh([u8; 20]),
    /// To the hash of a script.
    P2sh([u8; 20]),
    /// Segwit version 0, to the hash of a public key (BIP 141).
    P2wpkh([u8; 20]),
    /// Segwit version 0, to the hash of a script (BIP 141).
    P2wsh([u8; 32]),
    /// Segwit version 1, to an x-only key (BIP 341). Always a point on the curve: money sent to
    /// anything else is lost.
    P2tr([u8; 32]),
}

impl Destination {
    /// The output that only the holder of `key` can spend: taproot key path without scripts
    /// (BIP 86). `key` is the internal key; the output key is its BIP 341 tweak.
    pub fn p2tr(key: &[u8; 33]) -> Result<Self, KeyError> {
        Ok(Self::p2tr_internal(internal_key(key)?))
    }

    pub(crate) fn p2tr_internal(key: XOnlyPublicKey) -> Self {
        let (output_key, _) = key.tap_tweak(&SECP, None::<TapNodeHash>);
        Self::P2tr(output_key.serialize())
    }

    /// Recognises a script; `None` for everything that is not exactly one of the five forms.
    pub fn from_script(script: &Script) -> Option<Self> {
        let found = match script.as_bytes() {
            [0x76, 0xa9, 20, hash @ .., 0x88, 0xac] => Self::P2pkh(hash.try_into().ok()?),
            [0xa9, 20, hash @ .., 0x87] => Self::P2sh(hash.try_into().ok()?),
            [0x00, 20, program @ ..] => Self::P2wpkh(program.try_into().ok()?),
            [0x00, 32, program @ ..] => Self::P2wsh(program.try_into().ok()?),
            [0x51, 32, program @ ..] => Self::p2tr_output(program)?,
            _ => return None,
        };
        // Guards against a slip in the patterns above.
        (found.script().as_script() == script).then_some(found)
    }

    /// The script that an output to it carries.
    pub fn script(&self) -> ScriptBuf {
        match *self {
            Self::P2pkh(hash) => ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)),
            Self::P2sh(hash) => ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(hash)),
            Self::P2wpkh(hash) => ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash)),
            Self::P2wsh(hash) => ScriptBuf::new_p2wsh(&WScriptHash::from_byte_array(hash)),
            Self::P2tr(key) => {
                ScriptBuf::builder().push_opcode(op::OP_PUSHNUM_1).push_slice(key).into_script()
            }
        }
    }

    /// Its address on `chain`.
    pub fn spell(&self, chain: &Chain) -> Result<Address, AddressError> {
        let text = match self {
            Self::P2pkh(hash) => versioned(chain.p2pkh, hash),
            Self::P2sh(hash) => versioned(chain.p2sh, hash),
            Self::P2wpkh(program) => encode_segwit(chain, false, program)?,
            Self::P2wsh(program) => encode_segwit(chain, false, program)?,
            Self::P2tr(program) => encode_segwit(chain, true, program)?,
        };
        Ok(text.parse()?)
    }

    /// Reads an address of `chain`.
    pub fn parse(chain: &Chain, text: &str) -> Result<Self, AddressError> {
        // Ours are at most 64 characters; base58 decoding takes quadratic time.
        if text.len() > 100 || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(AddressError::NotAnAddress { network: chain.network });
        }
        let lower = text.to_ascii_lowercase();
        let known = KNOWN_HRPS.into_iter().find(|hrp| has_prefix(&lower, hrp));
        let found = match known {
            Some(hrp) if hrp == chain.hrp => Self::parse_segwit(text, &lower)?,
            Some(hrp) => return Err(wrong_network(chain, format!("{hrp}1…"))),
            None => Self::parse_base58(chain, text)?,
        };
        let right = found.spell(chain)?;
        if right.as_str() == text { Ok(found) } else { Err(AddressError::NotCanonical { right }) }
    }

    fn parse_segwit(text: &str, lower: &str) -> Result<Self, AddressError> {
        if text != lower && text != text.to_ascii_uppercase() {
            return Err(AddressError::MixedCase);
        }
        let unchecked = UncheckedHrpstring::new(lower).map_err(|_| AddressError::Checksum)?;
        let plain = unchecked.has_valid_checksum::<Bech32>();
        if !plain && !unchecked.has_valid_checksum::<Bech32m>() {
            return Err(AddressError::Checksum);
        }
        let version = unchecked.witness_version().ok_or(AddressError::Program)?.to_u8();
        match (version, plain) {
            (0, false) => return Err(AddressError::Bech32Expected),
            (1, true) => return Err(AddressError::Bech32mExpected),
            (0 | 1, _) => {}
            (version, _) => return Err(AddressError::WitnessVersion { version }),
        }
        // Checks padding and program length again, with the checksum that the version wants.
        let (_, _, program) = segwit::decode(lower).map_err(|_| AddressError::Program)?;
        match (version, program.len()) {
            (0, 20) => program.try_into().map(Self::P2wpkh).map_err(|_| AddressError::Program),
            (0, 32) => program.try_into().map(Self::P2wsh).map_err(|_| AddressError::Program),
            (1, 32) => Self::p2tr_output(&program).ok_or(AddressError::NotAPoint),
            _ => Err(AddressError::Program),
        }
    }

    fn parse_base58(chain: &Chain, text: &str) -> Result<Self, AddressError> {
        let refuse = || AddressError::NotAnAddress { network: chain.network };
        let bytes = match base58::decode_check(text) {
            Ok(bytes) => bytes,
            Err(base58::Error::IncorrectChecksum(_)) => return Err(AddressError::Checksum),
            Err(_) => return Err(refuse()),
        };
        let (version, hash) = bytes.split_first().ok_or_else(refuse)?;
        let hash: [u8; 20] = hash.try_into().map_err(|_| refuse())?;
        if *version == chain.p2pkh {
            Ok(Self::P2pkh(hash))
        } else if *version == chain.p2sh {
            Ok(Self::P2sh(hash))
        } else if Some(*version) == chain.p2sh_legacy {
            let right = Self::P2sh(hash).spell(chain)?;
            Err(AddressError::LegacySpelling { network: chain.network, right })
        } else {
            Err(wrong_network(chain, format!("version byte {version:#04x}")))
        }
    }

    fn p2tr_output(program: &[u8]) -> Option<Self> {
        XOnlyPublicKey::from_slice(program).ok().map(|key| Self::P2tr(key.serialize()))
    }

    /// The key that a signature for it must verify under, if it is taproot.
    pub(crate) fn output_key(&self) -> Option<XOnlyPublicKey> {
        match self {
            Self::P2tr(key) => XOnlyPublicKey::from_slice(key).ok(),
            Self::P2pkh(_) | Self::P2sh(_) | Self::P2wpkh(_) | Self::P2wsh(_) => None,
        }
    }
}

/// The x-only form of a compressed key (BIP 340).
pub(crate) fn internal_key(key: &[u8; 33]) -> Result<XOnlyPublicKey, KeyError> {
    let key = PublicKey::from_slice(key).map_err(|_| KeyError)?;
    Ok(key.x_only_public_key().0)
}

fn has_prefix(lower: &str, hrp: &str) -> bool {
    lower.strip_prefix(hrp).is_some_and(|rest| rest.starts_with('1'))
}

fn wrong_network(chain: &Chain, found: String) -> AddressError {
    AddressError::WrongNetwork {
        found,
        network: chain.network,
        family: Family::Bitcoin,
        expected: format!("{}1…", chain.hrp),
    }
}

fn versioned(version: u8, hash: &[u8; 20]) -> String {
    let mut bytes = Vec::with_capacity(21);
    bytes.push(version);
    bytes.extend_from_slice(hash);
    base58::encode_check(&bytes)
}

fn encode_segwit(chain: &Chain, taproot: bool, program: &[u8]) -> Result<String, AddressError> {
    let hrp = Hrp::parse(chain.hrp).map_err(|_| AddressError::Program)?;
    let encode = if taproot { segwit::encode_v1 } else { segwit::encode_v0 };
    encode(hrp, program).map_err(|_| AddressError::Program)
}
