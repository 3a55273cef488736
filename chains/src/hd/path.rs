//! A path of BIP 32, as text and as numbers. Never accepts a second spelling of a number, and reads
//! both marks of hardened steps that are in use (`'` and `h`, BIP 380) but writes one.

use std::{fmt, str::FromStr};

/// The most steps: an extended key says its depth in one byte (BIP 32, "Serialization format").
pub const DEEPEST: usize = 255;

/// What a hardened step's number has on top.
const HARDENED: u32 = 1 << 31;

/// One step of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Step {
    number: u32,
    hardened: bool,
}

/// A path from a root (`m`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Path(Vec<Step>);

/// Text or numbers that are no path.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PathError {
    /// It begins otherwise.
    #[error("a path begins with `m`, for example m/84'/0'/0'/0/5")]
    Root,
    /// A step that is no number, or is spelt in a second way.
    #[error("`{0}` is not a step: expected a number without leading zeros, with ' where hardened")]
    Step(String),
    /// BIP 32 has numbers below 2^31 and a mark.
    #[error("step {0} is too large: numbers are below 2147483648; write ' for a hardened one")]
    Number(u64),
    /// Longer than an extended key can say.
    #[error("a path has at most {DEEPEST} steps, this one {0}")]
    Depth(usize),
}

impl Step {
    /// A step that public keys can take.
    pub const fn normal(number: u32) -> Option<Self> {
        if number < HARDENED { Some(Self { number, hardened: false }) } else { None }
    }

    /// A step that only private keys can take.
    pub const fn hardened(number: u32) -> Option<Self> {
        if number < HARDENED { Some(Self { number, hardened: true }) } else { None }
    }

    /// As a child is numbered: with 2^31 on top where it is hardened.
    pub const fn child_number(self) -> u32 {
        if self.hardened { self.number | HARDENED } else { self.number }
    }

    /// Whether only private keys can take it.
    pub const fn is_hardened(self) -> bool {
        self.hardened
    }
}

impl Path {
    /// The root itself, `m`.
    pub const ROOT: Self = Self(Vec::new());

    /// This path and further steps.
    pub fn then(&self, steps: impl IntoIterator<Item = Step>) -> Result<Self, PathError> {
        let all: Vec<Step> = self.0.iter().copied().chain(steps).collect();
        if all.len() > DEEPEST {
            return Err(PathError::Depth(all.len()));
        }
        Ok(Self(all))
    }

    /// Its steps, from the root on.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Each step as a child is numbered.
    pub fn child_numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().map(|step| step.child_number())
    }

    /// Whether a public key alone leads along it.
    pub fn is_public(&self) -> bool {
        self.0.iter().all(|step| !step.hardened)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, if self.hardened { "'" } else { "" })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        self.0.iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

impl FromStr for Step {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let bare = text.strip_suffix(['\'', 'h']);
        let digits = bare.unwrap_or(text);
        let refuse = || PathError::Step(text.chars().take(20).collect());
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !plain || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(refuse());
        }
        let number: u64 = digits.parse().map_err(|_| refuse())?;
        let small = u32::try_from(number).map_err(|_| PathError::Number(number))?;
        let step = if bare.is_some() { Self::hardened(small) } else { Self::normal(small) };
        step.ok_or(PathError::Number(number))
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut parts = text.split('/');
        if parts.next() != Some("m") {
            return Err(PathError::Root);
        }
        let depth = text.matches('/').count();
        if depth > DEEPEST {
            return Err(PathError::Depth(depth));
        }
        parts.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}
