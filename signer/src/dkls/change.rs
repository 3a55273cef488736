//! What a holder goes into a ceremony with: nothing, a share, the hollow place of one that the others
//! give back to it, or a secret that officers gave back. Never gives a term of a share to anybody but the one whom it is for.

use std::collections::BTreeSet;

use dkls23_secp256k1::{
    Party,
    protocols::{PartyIndex, derivation::DerivData, repair::repair_assemble},
    utilities::zero_shares::ZeroShare,
};
use k256_of_dkls23::Scalar;
use strongroom_secrets::Secret;

use super::{
    DklsPublic, DklsShare,
    abort::explain_repair,
    backed_up::scalar_of,
    public::{index, parameters},
    wire::{Common, Lacking},
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
    /// A secret from a backup, without what all holders know. It gets that in round 2.
    Restored { party: Box<Party>, public: DklsPublic },
    /// A place without a share. It gets one in round 2.
    Hollow { party: Box<Party>, public: DklsPublic, helpers: BTreeSet<u16> },
}

/// What who joins lacks comes from here: terms of its share by the helpers, or, where its secret was
/// restored, what all know by everyone.
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
            Held::Restored { package, scalar } if is_joiner && helpers.is_empty() => {
                let public = resized(&DklsPublic::from_bytes(package)?, place)?;
                let party = Box::new(restored(&public, place, scalar)?);
                Ok((Self::Restored { party, public }, None))
            }
            Held::Nothing { package } if is_joiner && !helpers.is_empty() => {
                let public = resized(&DklsPublic::from_bytes(package)?, place)?;
                let party = Box::new(hollow(&public, place)?);
                Ok((Self::Hollow { party, public, helpers: helpers.clone() }, repair))
            }
            Held::Share(_) => Err(RoundError::Change("the joiner has a share, or it is another's")),
            Held::Restored { .. } => Err(RoundError::Change("nobody's share is restored here")),
            Held::Nothing { .. } => Err(RoundError::Change("a holder that stays needs its share")),
        }
    }

    /// The joiner's place is filled with the sum of what the helpers sent.
    pub(super) fn filled(self, me: u16, lacking: ByHolder<Lacking>) -> Result<Self, RoundError> {
        let (public, helpers) = match self {
            Self::Hollow { public, helpers, .. } => (public, helpers),
            Self::Restored { party, public } => return knowing(*party, public, lacking),
            // Nobody is asked for anything: whoever sends a term wastes its own.
            Self::New | Self::Holder { .. } => {
                let given = lacking.iter().find(|(_, of)| !matches!(of, Lacking::Nothing));
                return match given {
                    None => Ok(self),
                    Some((sender, _)) => Err(RoundError::Malformed(*sender)),
                };
            }
        };
        let mut terms = ByHolder::new();
        for (sender, given) in lacking {
            match given {
                Lacking::Term(term) => drop(terms.insert(sender, term)),
                Lacking::Nothing => {}
                Lacking::Common(_) => return Err(RoundError::Malformed(sender)),
            }
        }
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
        let restored = self.helpers.is_empty();
        let enough = restored || self.helpers.len() >= usize::from(place.threshold);
        if !all.contains(&self.joiner) {
            Err(RoundError::Change("the joiner has no place"))
        } else if self.helpers.contains(&self.joiner) || !self.helpers.is_subset(&all) || !enough {
            Err(RoundError::Change("as many holders as sign must help, and not the joiner"))
        } else {
            Ok(())
        }
    }

    /// What `receiver` gets of this holder: if that is the joiner, and this one of those who give.
    pub(super) fn given(&self, base: &Base, receiver: u16) -> Result<Lacking, RoundError> {
        let Base::Holder { party, .. } = base else { return Ok(Lacking::Nothing) };
        let me = u16::from(party.party_index.as_u8());
        if receiver != self.joiner {
            return Ok(Lacking::Nothing);
        }
        if self.helpers.is_empty() {
            let session_id = party.session_id.clone();
            let chain_code = party.derivation_data.chain_code;
            return Ok(Lacking::Common(Common { session_id, chain_code }));
        }
        if !self.helpers.contains(&me) {
            return Ok(Lacking::Nothing);
        }
        let helpers: Result<Vec<PartyIndex>, _> =
            self.helpers.iter().map(|of| index(*of)).collect();
        let term = party.repair_term(&helpers?, index(receiver)?, &self.id);
        term.map(Lacking::Term).map_err(explain_repair)
    }
}

/// A holder more or one fewer is only at the end: the protocol numbers its parties without gaps.
fn resized(public: &DklsPublic, place: Place) -> Result<DklsPublic, RoundError> {
    if public.threshold() != place.threshold {
        return Err(RoundError::Change("the threshold stays as the key was made"));
    }
    public.resized(place.holders)
}

/// All others say what all know: one that says another thing than they do makes the change fail, and
/// nobody can tell which of them it is.
fn knowing(
    mut party: Party,
    public: DklsPublic,
    lacking: ByHolder<Lacking>,
) -> Result<Base, RoundError> {
    let mut known: Option<Common> = None;
    for (sender, given) in lacking {
        let Lacking::Common(common) = given else { return Err(RoundError::Malformed(sender)) };
        if known.as_ref().is_some_and(|known| *known != common) {
            let because = "the holders know different things of one epoch".to_owned();
            return Err(RoundError::Failed(because));
        }
        known = Some(common);
    }
    let Some(Common { session_id, chain_code }) = known else {
        return Err(RoundError::Change("nobody knows what the joiner lacks"));
    };
    party.session_id = session_id;
    party.derivation_data.chain_code = chain_code;
    Ok(Base::Holder { party: Box::new(party), public })
}

/// A hollow place with its secret: the one of its public share, or none. What it had agreed on with the
/// other holders is made anew by the change.
fn restored(public: &DklsPublic, place: Place, secret: &Secret) -> Result<Party, RoundError> {
    let scalar = scalar_of(public, place.holder, secret)?;
    let mut party = hollow(public, place)?;
    party.poly_point = *scalar;
    party.derivation_data.poly_point = *scalar;
    Ok(party)
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
