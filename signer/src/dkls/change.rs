//! What a holder goes into a ceremony with: nothing, a share, or the hollow place of one that the
//! others give back to it. Never gives a term of a share to anybody but the one whom it is for.

use std::collections::BTreeSet;

use dkls23_secp256k1::{
    Party,
    protocols::{
        PartyIndex,
        derivation::DerivData,
        repair::{RepairTerm, repair_assemble},
    },
    utilities::zero_shares::ZeroShare,
};
use k256_of_dkls23::{Scalar, Secp256k1};

use super::{
    DklsPublic, DklsShare,
    abort::explain_repair,
    public::{index, parameters},
};
use crate::{
    frost::ShareName,
    threshold::{ByHolder, Change, Held, Place, RoundError},
};

/// What a holder goes into a ceremony with.
pub(super) enum Base {
    /// Nothing: the key is being made.
    New,
    /// A share of the epoch before.
    Holder { party: Box<Party>, public: DklsPublic },
    /// A place without a share. It gets one in round 2.
    Hollow { party: Box<Party>, public: DklsPublic, helpers: BTreeSet<u16> },
}

/// Terms of a lost share come from here, for whom, and under which name.
pub(super) struct Repair {
    joiner: u16,
    helpers: BTreeSet<u16>,
    id: Vec<u8>,
}

impl Base {
    /// Checks that the change can be gone through, and what this holder brings along for it.
    pub(super) fn of(
        held: &Held<'_, DklsShare>,
        name: ShareName,
        change: &Change,
    ) -> Result<(Self, Option<Repair>), RoundError> {
        let Change { place, joiner, helpers } = change;
        let place = place.check()?;
        let repair = joiner.map(|joiner| Repair {
            joiner,
            helpers: helpers.clone(),
            id: format!("{}/{}", name.key, name.epoch).into_bytes(),
        });
        if let Some(repair) = &repair {
            repair.check(place)?;
        }
        let is_joiner = *joiner == Some(place.holder);
        match held {
            Held::Share(share) if !is_joiner && share.holder() == place.holder => {
                let public = resized(share.public(), place)?;
                let mut party = share.party().clone();
                party.parameters = parameters(place.threshold, place.holders)?;
                Ok((Self::Holder { party: Box::new(party), public }, repair))
            }
            Held::Nothing { package } if is_joiner => {
                let public = resized(&DklsPublic::from_bytes(package)?, place)?;
                let party = Box::new(hollow(&public, place)?);
                Ok((Self::Hollow { party, public, helpers: helpers.clone() }, repair))
            }
            Held::Share(_) => Err(RoundError::Change("the joiner has a share, or it is another's")),
            Held::Nothing { .. } => Err(RoundError::Change("a holder that stays needs its share")),
        }
    }

    /// The joiner's place is filled with the sum of what the helpers sent.
    pub(super) fn filled(
        self,
        me: u16,
        mut terms: ByHolder<RepairTerm<Secp256k1>>,
    ) -> Result<Self, RoundError> {
        let Self::Hollow { public, helpers, .. } = self else {
            // Nobody is asked for terms: whoever sends one wastes its own.
            return match terms.pop_first() {
                None => Ok(self),
                Some((sender, _)) => Err(RoundError::Malformed(sender)),
            };
        };
        for (sender, term) in &terms {
            if term.helper != index(*sender)? || term.target != index(me)? {
                return Err(RoundError::Malformed(*sender));
            }
        }
        if let Some(stranger) = terms.keys().find(|sender| !helpers.contains(sender)) {
            return Err(RoundError::Malformed(*stranger));
        }
        if let Some(silent) = helpers.iter().find(|helper| !terms.contains_key(helper)) {
            return Err(RoundError::Malformed(*silent));
        }
        let terms: Vec<_> = terms.into_values().collect();
        let party = repair_assemble(public.package(), index(me)?, &terms, |_| String::new())
            .map_err(explain_repair)?;
        Ok(Self::Holder { party: Box::new(party), public })
    }
}

impl Repair {
    fn check(&self, place: Place) -> Result<(), RoundError> {
        let all = place.all();
        let enough = self.helpers.len() >= usize::from(place.threshold);
        if !all.contains(&self.joiner) {
            Err(RoundError::Change("the joiner has no place"))
        } else if self.helpers.contains(&self.joiner) || !self.helpers.is_subset(&all) || !enough {
            Err(RoundError::Change("as many holders as sign must help, and not the joiner"))
        } else {
            Ok(())
        }
    }

    /// This holder's term, if it is a helper and `receiver` the joiner.
    pub(super) fn term(
        &self,
        base: &Base,
        receiver: u16,
    ) -> Result<Option<RepairTerm<Secp256k1>>, RoundError> {
        let Base::Holder { party, .. } = base else { return Ok(None) };
        let me = u16::from(party.party_index.as_u8());
        if receiver != self.joiner || !self.helpers.contains(&me) {
            return Ok(None);
        }
        let helpers: Result<Vec<PartyIndex>, _> =
            self.helpers.iter().map(|of| index(*of)).collect();
        party.repair_term(&helpers?, index(receiver)?, &self.id).map(Some).map_err(explain_repair)
    }
}

/// A holder more or one fewer is only at the end: the protocol numbers its parties without gaps.
fn resized(public: &DklsPublic, place: Place) -> Result<DklsPublic, RoundError> {
    if public.threshold() != place.threshold {
        return Err(RoundError::Change("the threshold stays as the key was made"));
    }
    public.resized(place.holders)
}

fn hollow(public: &DklsPublic, place: Place) -> Result<Party, RoundError> {
    let pk = *public.package().verifying_key();
    Ok(Party {
        parameters: parameters(place.threshold, place.holders)?,
        party_index: index(place.holder)?,
        session_id: Vec::new(),
        poly_point: Scalar::ZERO,
        pk,
        zero_share: ZeroShare::initialize(Vec::new()),
        mul_senders: std::collections::BTreeMap::new(),
        mul_receivers: std::collections::BTreeMap::new(),
        derivation_data: DerivData {
            depth: 0,
            child_number: 0,
            parent_fingerprint: [0; 4],
            poly_point: Scalar::ZERO,
            pk,
            chain_code: [0; 32],
        },
        address: String::new(),
    })
}
