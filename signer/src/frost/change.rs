//! New shares of a key that stays: all of them are made anew at once, and among them one that is lost
//! or was never there. Afterwards no older share is of any use, however many of them somebody has
//! kept, unless as many as sign are all of one epoch.
//!
//! Two protocols run side by side. Refresh: everyone deals a polynomial that is zero at zero, so the
//! key stays and every share moves (frost-core's `keys::refresh`). Repair: the helpers work out the
//! share of who joins, which only who joins learns (frost-core's `keys::repairable`, ePrint 2017/1155).
//! Repair alone blames nobody; here every helper commits to what it deals, so a wrong part has a name:
//!
//! | round | to all (the log) | sealed |
//! |---|---|---|
//! | 1 | everyone: what it refreshes by, committed to; a helper: its parts, committed to | a helper to each other: a part |
//! | 2 | | everyone to each other: a refreshing share; a helper to who joins: the sum of its parts |
//!
//! The threshold is the key's and is never taken from a message (CVE-2025-58359).

use std::collections::{BTreeMap, BTreeSet};

use frost_core::{
    Ciphersuite, Group, Identifier,
    keys::{
        KeyPackage, PublicKeyPackage, VerifyingShare,
        dkg::{round1, round2},
        refresh,
        repairable::{self, Delta, Sigma},
    },
};
use rand::rngs::OsRng;
use strongroom_secrets::Secret;

use super::curve::{
    Element, at_zero, basis, element, encode, evaluate, interpolate, points, small, times_generator,
};
use crate::threshold::{Awaited, ByHolder, Heard, Machine, RoundError, Said, Step};

/// Which change: the same for all of its holders but for the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePlan {
    /// This holder's number afterwards.
    pub holder: u16,
    /// Everyone's, this one's included.
    pub holders: BTreeSet<u16>,
    /// Who has no share to begin with.
    pub joiner: Option<u16>,
    /// Who makes it one: exactly as many as sign.
    pub helpers: BTreeSet<u16>,
}

/// A change under way, of any suite: it ends with this holder's package and everyone's.
pub struct Changing<C: Ciphersuite> {
    plan: ChangePlan,
    threshold: u16,
    public: PublicKeyPackage<C>,
    own: Option<KeyPackage<C>>,
    stage: Stage<C>,
}

enum Stage<C: Ciphersuite> {
    /// Round one is said.
    Committed {
        secret: Box<round1::SecretPackage<C>>,
        spoken: Vec<u8>,
        /// What this helper keeps for itself of its own parts.
        kept: Option<Delta<C>>,
    },
    /// Round two is said.
    Dealt {
        secret: Box<round2::SecretPackage<C>>,
        others: BTreeMap<Identifier<C>, round1::Package<C>>,
        parts: Parts<C>,
    },
}

/// What each helper committed to: by helper, the point of its part for each helper.
type Parts<C> = BTreeMap<u16, BTreeMap<u16, Element<C>>>;

/// The two packages that a change ends with.
pub type Changed<C> = (KeyPackage<C>, PublicKeyPackage<C>);

pub(super) fn id<C: Ciphersuite>(holder: u16) -> Result<Identifier<C>, RoundError> {
    Identifier::try_from(holder).map_err(|_zero| RoundError::Change("holders count from 1"))
}

pub(super) fn failed<C: Ciphersuite>(error: &frost_core::Error<C>) -> RoundError {
    RoundError::Failed(error.to_string())
}

fn blame(culprit: u16, because: &str) -> RoundError {
    RoundError::Culprit { culprit, because: because.to_owned() }
}

/// Two byte strings in one: the first behind its length.
fn join(first: &[u8], rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(first.len()).unwrap_or(u32::MAX);
    [length.to_be_bytes().as_slice(), first, rest].concat()
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

impl ChangePlan {
    fn check(&self, threshold: u16) -> Result<(), RoundError> {
        let wrong = |because| Err(RoundError::Change(because));
        let helpers_stay = self.helpers.is_subset(&self.holders);
        let joins = |number| self.joiner == Some(number);
        if !self.holders.contains(&self.holder) {
            return wrong("this signer has no part in it");
        }
        if threshold < 2 || self.holders.len() < usize::from(threshold) {
            return wrong("fewer holders than sign");
        }
        if self.joiner.is_some_and(|number| !self.holders.contains(&number)) {
            return wrong("who joins is no holder");
        }
        if self.joiner.is_some()
            && (self.helpers.len() != usize::from(threshold)
                || !helpers_stay
                || self.helpers.iter().copied().any(joins))
        {
            return wrong("exactly as many holders as sign must help who joins");
        }
        Ok(())
    }

    fn is_helper(&self) -> bool {
        self.joiner.is_some() && self.helpers.contains(&self.holder)
    }

    fn others(&self) -> BTreeSet<u16> {
        self.holders.iter().copied().filter(|number| *number != self.holder).collect()
    }

    fn other_helpers(&self) -> BTreeSet<u16> {
        self.helpers.iter().copied().filter(|number| *number != self.holder).collect()
    }
}

impl<C: Ciphersuite> Changing<C> {
    /// Round one. `own` is this holder's share until now; who joins has none.
    pub fn begin(
        plan: ChangePlan,
        public: PublicKeyPackage<C>,
        own: Option<KeyPackage<C>>,
    ) -> Result<(Self, Said), RoundError> {
        let threshold = public.min_signers().ok_or(RoundError::Change("no threshold"))?;
        plan.check(threshold)?;
        if own.is_none() != (plan.joiner == Some(plan.holder)) {
            return Err(RoundError::Change("who joins has no share, and everyone else has one"));
        }
        if own.as_ref().is_some_and(|own| *own.min_signers() != threshold) {
            return Err(RoundError::Own("its share has another threshold".to_owned()));
        }
        let count = u16::try_from(plan.holders.len())
            .map_err(|_many| RoundError::Change("too many holders"))?;
        let (secret, package) =
            refresh::refresh_dkg_part1::<C, _>(id(plan.holder)?, count, threshold, OsRng)
                .map_err(|error| failed(&error))?;
        let package = package.serialize().map_err(|error| failed(&error))?;
        let (mut letters, mut committed, mut kept) = (ByHolder::new(), Vec::new(), None);
        if let (true, Some(joiner), Some(own)) = (plan.is_helper(), plan.joiner, &own) {
            let helpers = plan.helpers.iter().map(|number| id(*number));
            let helpers = helpers.collect::<Result<Vec<_>, _>>()?;
            let dealt =
                repairable::repair_share_part1::<C, _>(&helpers, own, &mut OsRng, id(joiner)?)
                    .map_err(|error| failed(&error))?;
            for number in &plan.helpers {
                let part = dealt.get(&id(*number)?).copied();
                let part = part.ok_or(RoundError::Change("a helper was dealt nothing"))?;
                committed.extend(encode::<C>(&times_generator::<C>(&part.serialize())?)?);
                if *number == plan.holder {
                    kept = Some(part);
                } else {
                    letters.insert(*number, Secret::new(part.serialize()));
                }
            }
        }
        let spoken = join(&package, &committed);
        let stage = Stage::Committed { secret: Box::new(secret), spoken: spoken.clone(), kept };
        Ok((Self { plan, threshold, public, own, stage }, Said { spoken, letters }))
    }

    /// Everyone's first message, taken apart: what they refresh by, and what helpers committed to.
    #[expect(clippy::type_complexity, reason = "two maps, named where they are used")]
    fn read(
        &self,
        heard: &ByHolder<Vec<u8>>,
    ) -> Result<(BTreeMap<Identifier<C>, round1::Package<C>>, Parts<C>), RoundError> {
        let (mut packages, mut parts) = (BTreeMap::new(), Parts::<C>::new());
        for (number, bytes) in heard {
            let malformed = || RoundError::Malformed(*number);
            let (package, rest) = split(bytes).ok_or_else(malformed)?;
            let package = round1::Package::<C>::deserialize(package).map_err(|_any| malformed())?;
            let coefficients = package.commitment().serialize().map_err(|_any| malformed())?;
            if coefficients.len().checked_add(1) != Some(usize::from(self.threshold)) {
                return Err(blame(*number, "its polynomial has another degree than the key's"));
            }
            let helps = self.plan.joiner.is_some() && self.plan.helpers.contains(number);
            let points = points::<C>(rest).ok_or_else(malformed)?;
            if points.len() != if helps { self.plan.helpers.len() } else { 0 } {
                return Err(malformed());
            }
            if helps {
                let points: BTreeMap<_, _> =
                    self.plan.helpers.iter().copied().zip(points).collect();
                self.check_parts(*number, &points)?;
                parts.insert(*number, points);
            }
            if *number != self.plan.holder {
                packages.insert(id(*number)?, package);
            }
        }
        Ok((packages, parts))
    }

    /// A helper's parts add up to its share, weighed for who joins: its public share says so.
    fn check_parts(
        &self,
        number: u16,
        points: &BTreeMap<u16, Element<C>>,
    ) -> Result<(), RoundError> {
        let Some(joiner) = self.plan.joiner else { return Ok(()) };
        let public = public_share(&self.public, number)?;
        let weight = basis::<C>(&self.plan.helpers, number, small::<C>(joiner))?;
        let sum = points.values().fold(C::Group::identity(), |sum, point| sum + *point);
        if sum == public * weight {
            Ok(())
        } else {
            Err(blame(number, "its parts are of another share"))
        }
    }

    /// Round two.
    fn deal(mut self, heard: &Heard<'_>) -> Result<(Self, Said), RoundError> {
        let Stage::Committed { secret, spoken, kept } = self.stage else {
            return Err(RoundError::Change("round two comes after round one"));
        };
        if heard.spoken.get(&self.plan.holder) != Some(&spoken) {
            return Err(RoundError::NotMine);
        }
        let plan = self.plan.clone();
        self.stage = Stage::Committed { secret: secret.clone(), spoken, kept };
        let (others, parts) = self.read(heard.spoken)?;
        let mut sum = None;
        if let Some(kept) = kept {
            let mut received = vec![kept];
            for (number, letter) in heard.letters {
                let part = Delta::<C>::deserialize(letter.expose())
                    .map_err(|_any| RoundError::Malformed(*number))?;
                let point = times_generator::<C>(letter.expose())?;
                if parts.get(number).and_then(|points| points.get(&plan.holder)) != Some(&point) {
                    return Err(blame(*number, "its part is not what it committed to"));
                }
                received.push(part);
            }
            sum = Some(repairable::repair_share_part2::<C>(&received).serialize());
        }
        let (secret, dealt) =
            refresh::refresh_dkg_part2::<C>(*secret, &others).map_err(|error| failed(&error))?;
        let mut letters = ByHolder::new();
        for number in plan.others() {
            let package = dealt.get(&id(number)?);
            let package = package.ok_or(RoundError::Change("a holder was dealt nothing"))?;
            let package = package.serialize().map_err(|error| failed(&error))?;
            let rest = sum.as_deref().filter(|_| plan.joiner == Some(number)).unwrap_or_default();
            letters.insert(number, Secret::new(join(&package, rest)));
        }
        self.stage = Stage::Dealt { secret: Box::new(secret), others, parts };
        Ok((self, Said { spoken: Vec::new(), letters }))
    }

    /// The end.
    fn finish(self, heard: &Heard<'_>) -> Result<Changed<C>, RoundError> {
        let Stage::Dealt { secret, others, parts } = self.stage else {
            return Err(RoundError::Change("the end comes after round two"));
        };
        let (plan, mut packages, mut sums) = (self.plan, BTreeMap::new(), BTreeMap::new());
        for (number, letter) in heard.letters {
            let malformed = || RoundError::Malformed(*number);
            let (package, rest) = split(letter.expose()).ok_or_else(malformed)?;
            let package = round2::Package::<C>::deserialize(package).map_err(|_any| malformed())?;
            let dealt = VerifyingShare::<C>::from(*package.signing_share());
            let committed = others.get(&id(*number)?).ok_or_else(malformed)?;
            if element(&dealt)? != evaluate(committed, plan.holder)? {
                return Err(blame(*number, "its refreshing share is not what it committed to"));
            }
            packages.insert(id(*number)?, package);
            if plan.joiner == Some(plan.holder) && plan.helpers.contains(number) {
                let sum = Sigma::<C>::deserialize(rest).map_err(|_any| malformed())?;
                let point = times_generator::<C>(rest)?;
                let of = parts.values().filter_map(|points| points.get(number));
                if of.fold(C::Group::identity(), |sum, point| sum + *point) != point {
                    return Err(blame(*number, "its sum is not of what was dealt to it"));
                }
                sums.insert(*number, sum);
            } else if !rest.is_empty() {
                return Err(malformed());
            }
        }
        let public = with_joiner(&self.public, &plan)?;
        let own = if let Some(own) = self.own {
            own
        } else {
            let sums: Vec<_> = sums.into_values().collect();
            repairable::repair_share_part3::<C>(&sums, id(plan.holder)?, &public)
                .map_err(|error| failed(&error))?
        };
        if element(own.verifying_share())? != public_share(&public, plan.holder)? {
            return Err(RoundError::Own("its share is not the one of its public share".to_owned()));
        }
        let (package, changed) =
            refresh::refresh_dkg_shares::<C>(&secret, &others, &packages, public, own)
                .map_err(|error| failed(&error))?;
        check(&changed, (&self.public, self.threshold), &plan)?;
        Ok((package, changed))
    }
}

/// The key is the same, and as many as sign of its new shares are shares of it.
fn check<C: Ciphersuite>(
    changed: &PublicKeyPackage<C>,
    (before, threshold): (&PublicKeyPackage<C>, u16),
    plan: &ChangePlan,
) -> Result<(), RoundError> {
    let few: BTreeSet<u16> = plan.holders.iter().copied().take(usize::from(threshold)).collect();
    let shares = few.iter().map(|number| Ok((*number, public_share(changed, *number)?)));
    let key = at_zero::<C>(&shares.collect::<Result<BTreeMap<_, _>, RoundError>>()?)?;
    let wanted = before.verifying_key().serialize().map_err(|error| failed(&error))?;
    if encode::<C>(&key)? == wanted
        && changed.verifying_key() == before.verifying_key()
        && changed.min_signers() == before.min_signers()
        && changed.verifying_shares().len() == plan.holders.len()
    {
        return Ok(());
    }
    Err(RoundError::Failed("the shares would be of another key".to_owned()))
}

/// The public package until now, with the share that who joins will have to begin with: it lies on
/// the same polynomial as those of the helpers.
fn with_joiner<C: Ciphersuite>(
    public: &PublicKeyPackage<C>,
    plan: &ChangePlan,
) -> Result<PublicKeyPackage<C>, RoundError> {
    let Some(joiner) = plan.joiner else { return Ok(public.clone()) };
    let shares = plan.helpers.iter().map(|number| Ok((*number, public_share(public, *number)?)));
    let shares = shares.collect::<Result<BTreeMap<_, _>, RoundError>>()?;
    let share = encode::<C>(&interpolate::<C>(&shares, small::<C>(joiner))?)?;
    let share = VerifyingShare::deserialize(&share).map_err(|error| failed(&error))?;
    let mut all = public.verifying_shares().clone();
    all.insert(id(joiner)?, share);
    Ok(PublicKeyPackage::new(all, *public.verifying_key(), public.min_signers()))
}

fn public_share<C: Ciphersuite>(
    public: &PublicKeyPackage<C>,
    number: u16,
) -> Result<Element<C>, RoundError> {
    let share = public.verifying_shares().get(&id(number)?);
    element(share.ok_or(RoundError::Change("a holder without a public share"))?)
}

impl<C: Ciphersuite> Machine for Changing<C> {
    type Output = Changed<C>;

    fn awaits(&self) -> Awaited {
        match &self.stage {
            Stage::Committed { kept, .. } => Awaited {
                spoken: self.plan.holders.clone(),
                letters: if kept.is_some() { self.plan.other_helpers() } else { BTreeSet::new() },
            },
            Stage::Dealt { .. } => Awaited { spoken: BTreeSet::new(), letters: self.plan.others() },
        }
    }

    fn step(self, heard: &Heard<'_>) -> Result<Step<Self>, RoundError> {
        self.awaits().check(heard)?;
        match self.stage {
            Stage::Committed { .. } => {
                let (machine, said) = self.deal(heard)?;
                Ok(Step::Said(machine, said))
            }
            Stage::Dealt { .. } => self.finish(heard).map(Step::Done),
        }
    }
}
