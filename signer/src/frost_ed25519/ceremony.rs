//! Distributed key generation: commitments to all, a secret share to each, then the key. Never writes
//! a secret to disk before there is a share.

use std::collections::{BTreeMap, BTreeSet};

use frost_ed25519::{
    Identifier,
    keys::dkg::{self, round1, round2},
};
use rand::rngs::OsRng;
use strongroom_secrets::Secret;

use super::{Ed25519Share, explain, identifier};
use crate::{
    frost::ShareName,
    threshold::{Awaited, ByHolder, Heard, Machine, Place, RoundError, Said, Step},
};

/// A ceremony under way.
pub struct Generation {
    name: ShareName,
    place: Place,
    stage: Stage,
}

enum Stage {
    Dealt { secret: Box<round1::SecretPackage>, said: Vec<u8> },
    Exchanged { secret: Box<round2::SecretPackage>, others: BTreeMap<Identifier, round1::Package> },
}

impl Generation {
    pub(super) fn begin(name: ShareName, place: Place) -> Result<(Self, Said), RoundError> {
        let place = place.check()?;
        let failed = |error: frost_ed25519::Error| RoundError::Own(error.to_string());
        let Place { holder, threshold, holders } = place;
        let (secret, package) =
            dkg::part1(identifier(holder)?, holders, threshold, OsRng).map_err(failed)?;
        let said = package.serialize().map_err(failed)?;
        let stage = Stage::Dealt { secret: Box::new(secret), said: said.clone() };
        Ok((Self { name, place, stage }, Said { spoken: said, letters: ByHolder::new() }))
    }
}

impl Machine for Generation {
    type Output = Ed25519Share;

    fn awaits(&self) -> Awaited {
        match self.stage {
            Stage::Dealt { .. } => Awaited { spoken: self.place.all(), letters: BTreeSet::new() },
            Stage::Exchanged { .. } => {
                Awaited { spoken: BTreeSet::new(), letters: self.place.others() }
            }
        }
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        let Self { name, place, stage } = self;
        let explain = |error: frost_ed25519::Error| explain(1..=place.holders, &error);
        match stage {
            Stage::Dealt { secret, said } => {
                if heard.spoken.get(&place.holder) != Some(&said) {
                    return Err(RoundError::NotMine);
                }
                let mut others = BTreeMap::new();
                for (sender, bytes) in heard.spoken.iter().filter(|(of, _)| **of != place.holder) {
                    let package = round1::Package::deserialize(bytes)
                        .map_err(|_any| RoundError::Malformed(*sender))?;
                    others.insert(identifier(*sender)?, package);
                }
                let (secret, mut dealt) = dkg::part2(*secret, &others).map_err(explain)?;
                let mut letters = ByHolder::new();
                for receiver in place.others() {
                    let package = dealt.remove(&identifier(receiver)?);
                    let none = || RoundError::Own(format!("nothing was dealt to {receiver}"));
                    let bytes = package.ok_or_else(none)?.serialize().map_err(explain)?;
                    letters.insert(receiver, Secret::new(bytes));
                }
                let stage = Stage::Exchanged { secret: Box::new(secret), others };
                Ok(Step::Said(Self { name, place, stage }, Said { spoken: Vec::new(), letters }))
            }
            Stage::Exchanged { secret, others } => {
                let mut packages = BTreeMap::new();
                for (sender, letter) in heard.letters {
                    let package = round2::Package::deserialize(letter.expose())
                        .map_err(|_any| RoundError::Malformed(*sender))?;
                    packages.insert(identifier(*sender)?, package);
                }
                let (package, public) = dkg::part3(&secret, &others, &packages).map_err(explain)?;
                Ed25519Share::new(name, place.holder, package, public).map(Step::Done)
            }
        }
    }
}
