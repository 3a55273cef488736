//! What fails, when and for how long: a list that a seed gives, the same each time. Nothing here
//! touches a process.

use std::fmt;
use std::time::Duration;

use super::random::Random;

/// Signers with shares of the FROST and the ECDSA key, any two of whom sign.
pub const HOLDERS: [usize; 3] = [0, 1, 2];
/// Signers whose tokens hold the same key, either of whom signs: the maker of the key, and its twin.
pub const POOL: [usize; 2] = [3, 2];
/// The wallet that the pool signs for, among those of a soak.
pub const POOL_RAIL: usize = 2;
/// All of them. Three of the four cosign a checkpoint that counts.
pub const SIGNERS: usize = 4;

/// Something that fails. Signers count from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// SIGKILL, then a new process.
    SignerKilled(usize),
    /// SIGSTOP, then SIGCONT: its connections stay open and nothing answers.
    SignerHangs(usize),
    /// Its connection is cut, and new ones are refused.
    CableCut(usize),
    /// Nothing arrives any more, in either direction; connections stay open.
    CableSilent(usize),
    /// Two holders killed at once: no two are left, and no checkpoint counts.
    TwoKilled(usize, usize),
    /// The token is unplugged.
    TokenGone(usize),
    /// Calls inside the token's library do not return.
    TokenHangs(usize),
    /// Both tokens of the pool are unplugged: nobody has that key.
    PoolGone,
    /// SIGKILL, then a new process.
    ServerKilled,
    /// SIGSTOP, then SIGCONT.
    ServerHangs,
}

impl Fault {
    /// What it is, without whom it hits.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignerKilled(_) => "signer killed",
            Self::SignerHangs(_) => "signer hangs",
            Self::CableCut(_) => "connection cut",
            Self::CableSilent(_) => "connection silent",
            Self::TwoKilled(..) => "two holders killed",
            Self::TokenGone(_) => "token gone",
            Self::TokenHangs(_) => "token hangs",
            Self::PoolGone => "both tokens gone",
            Self::ServerKilled => "server killed",
            Self::ServerHangs => "server hangs",
        }
    }

    /// The signers that nobody can reach meanwhile.
    pub fn away(self) -> Vec<usize> {
        match self {
            Self::SignerKilled(one)
            | Self::SignerHangs(one)
            | Self::CableCut(one)
            | Self::CableSilent(one) => vec![one],
            Self::TwoKilled(one, other) => vec![one, other],
            Self::TokenGone(_)
            | Self::TokenHangs(_)
            | Self::PoolGone
            | Self::ServerKilled
            | Self::ServerHangs => Vec::new(),
        }
    }

    fn tokens(self) -> Vec<usize> {
        match self {
            Self::TokenGone(one) | Self::TokenHangs(one) => vec![one],
            Self::PoolGone => POOL.to_vec(),
            Self::SignerKilled(_)
            | Self::SignerHangs(_)
            | Self::CableCut(_)
            | Self::CableSilent(_)
            | Self::TwoKilled(..)
            | Self::ServerKilled
            | Self::ServerHangs => Vec::new(),
        }
    }

    /// Whether the server itself is hit.
    pub const fn is_of_server(self) -> bool {
        matches!(self, Self::ServerKilled | Self::ServerHangs)
    }

    /// Whether both hit the same thing.
    fn meets(self, other: Self) -> bool {
        let common =
            |ours: Vec<usize>, theirs: Vec<usize>| ours.iter().any(|it| theirs.contains(it));
        self.is_of_server() && other.is_of_server()
            || common(self.away(), other.away())
            || common(self.tokens(), other.tokens())
    }

    fn drawn(random: &mut Random) -> Self {
        let signer = random.below(SIGNERS);
        let member = POOL[random.below(POOL.len())];
        let holder = random.below(HOLDERS.len());
        match random.below(14) {
            0 | 1 => Self::SignerKilled(signer),
            2 | 3 => Self::SignerHangs(signer),
            4 => Self::CableCut(signer),
            5 | 6 => Self::CableSilent(signer),
            7 => Self::TwoKilled(HOLDERS[holder], HOLDERS[(holder + 1) % HOLDERS.len()]),
            8 | 9 => Self::TokenGone(member),
            10 => Self::TokenHangs(member),
            11 => Self::PoolGone,
            12 => Self::ServerKilled,
            _ => Self::ServerHangs,
        }
    }
}

/// A fault, from when on and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blow {
    /// After the storm's beginning.
    pub at: Duration,
    /// Then it is mended.
    pub lasts: Duration,
    /// What fails.
    pub fault: Fault,
}

impl Blow {
    /// When it is over.
    pub fn until(&self) -> Duration {
        self.at + self.lasts
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, lasts) = (self.at.as_secs_f64(), self.lasts.as_secs_f64());
        write!(f, "{at:7.1} s for {lasts:4.1} s  {}", self.fault.name())?;
        match self.fault {
            Fault::SignerKilled(one)
            | Fault::SignerHangs(one)
            | Fault::CableCut(one)
            | Fault::CableSilent(one)
            | Fault::TokenGone(one)
            | Fault::TokenHangs(one) => write!(f, ": signer {}", one + 1),
            Fault::TwoKilled(one, other) => write!(f, ": signers {} and {}", one + 1, other + 1),
            Fault::PoolGone | Fault::ServerKilled | Fault::ServerHangs => Ok(()),
        }
    }
}

/// How a storm is.
#[derive(Clone, Copy, Debug)]
pub struct Climate {
    /// Between the beginnings of two blows.
    pub gap: (Duration, Duration),
    /// How long a blow lasts.
    pub lasts: (Duration, Duration),
    /// How long the storm is: no blow ends later.
    pub length: Duration,
}

/// The storm of a seed. Blows overlap, but nothing is hit that is down already.
pub fn script(seed: u64, climate: Climate) -> Vec<Blow> {
    let mut random = Random::new(seed);
    let mut blows: Vec<Blow> = Vec::new();
    let mut at = Duration::ZERO;
    loop {
        at += random.between(climate.gap.0, climate.gap.1);
        let fault = Fault::drawn(&mut random);
        let blow = Blow { at, lasts: random.between(climate.lasts.0, climate.lasts.1), fault };
        if at >= climate.length {
            return blows;
        }
        let taken = |other: &Blow| other.until() >= at && other.fault.meets(fault);
        if blow.until() <= climate.length && !blows.iter().any(taken) {
            blows.push(blow);
        }
    }
}

/// Whether there is enough to make a payment while these faults last: the server, three cosigners, and
/// two holders or one token of the pool.
pub fn is_enough(on: &[Fault], pool: bool) -> bool {
    let away: Vec<_> = on.iter().flat_map(|fault| fault.away()).collect();
    let without: Vec<_> = on.iter().flat_map(|fault| fault.tokens()).collect();
    let token = POOL.iter().any(|it| !away.contains(it) && !without.contains(it));
    // Of three holders, whoever is left when one of four signers is away.
    away.len() <= 1 && (token || !pool) && !on.iter().any(|fault| fault.is_of_server())
}
