//! Changes of shares by the machines that make shares in rounds ([`super::making`]): threshold ECDSA,
//! and FROST on edwards25519. Never begins with a share that its operator has not restored yet, where
//! that is what a quorum agreed on.

use std::sync::Arc;

use strongroom_domain::{
    Rule,
    key::Protocol,
    protocol::{Reply, Sealed},
};

use super::{
    Signer, Trouble,
    change::Mine,
    making::{Asked, Made, key_of, package},
    refuse,
};
use crate::{
    backup::RestoredShare,
    dkls::Dkls23,
    frost::{ChangePlan, ShareName},
    frost_ed25519::{Ed25519Change, Ed25519Share},
    threshold::{
        Change, Held, Place, Refreshing as _, RoundError, Said,
        any::{AnyMaking, AnyShare},
    },
};

/// What this signer goes into the change with.
enum Own {
    /// Nothing: the helpers give it its share.
    Nothing,
    /// Its share.
    Share(AnyShare),
    /// An ECDSA share's secret.
    Restored(RestoredShare),
}

impl Signer {
    /// A round of a change, by machines that make shares.
    pub(super) fn change_in_rounds(
        &self,
        mine: &Mine,
        round: u16,
        letters: &[Sealed],
    ) -> Result<Reply, Trouble> {
        let name = self.share_name(mine);
        let protocol = mine.active.plan.protocol;
        let asked = Asked {
            work: mine.work(),
            protocol,
            name,
            holders: mine.change.holders.clone(),
            rounds: mine.change.rounds.clone(),
        };
        // Later rounds go on with what the first one took.
        let own = if round == 1 { self.own(mine, name)? } else { Own::Nothing };
        let made = if protocol == Protocol::FrostEd25519 {
            self.make_share(&asked, round, letters, || begin_ed25519(mine, name, &own))?
        } else {
            let change = dkls_change(mine)?;
            self.make_share(&asked, round, letters, || begin_dkls(mine, name, &change, &own))?
        };
        match made {
            Made::Said(reply) => Ok(reply),
            Made::Share(share) => Ok(self.confirm_epoch(mine, key_of(&share)?, package(&share)?)),
        }
    }

    fn own(&self, mine: &Mine, name: ShareName) -> Result<Own, Trouble> {
        let held = ShareName { epoch: mine.active.epoch, ..name };
        if mine.restores() {
            let restored = self.restored(mine, held)?;
            if mine.active.plan.protocol == Protocol::Dkls23Secp256k1 {
                return Ok(Own::Restored(restored));
            }
            let package = mine.active.public_package.as_slice();
            let share = Ed25519Share::from_backup(held, mine.holder, restored.secret(), package)
                .map_err(|error| Trouble::Corrupt(error.to_string(), None))?;
            return Ok(Own::Share(AnyShare::Ed25519(Arc::new(share))));
        }
        if mine.joins() {
            return Ok(Own::Nothing);
        }
        self.share_in_rounds(&mine.active).map(Own::Share)
    }
}

fn dkls_change(mine: &Mine) -> Result<Change, Trouble> {
    let holders = u16::try_from(mine.change.holders.len()).unwrap_or(u16::MAX);
    if !mine.change.holders.keys().copied().eq(1..=holders) {
        let because = "holders of this protocol are numbered without gaps: let somebody join in \
                       the place of who goes";
        return refuse(Rule::SignerProtocol, because);
    }
    let place = Place { holder: mine.holder, threshold: mine.active.plan.threshold, holders };
    // Without helpers, who joins has its secret from a backup and lacks the rest.
    let joiner = mine.change.asked.joining.map(|joining| joining.index);
    let helpers = joiner.map(|_| mine.helpers().collect()).unwrap_or_default();
    Ok(Change { place, joiner, helpers })
}

fn begin_dkls(
    mine: &Mine,
    name: ShareName,
    change: &Change,
    own: &Own,
) -> Result<(AnyMaking, Said), RoundError> {
    let package = mine.active.public_package.as_slice();
    let held = match own {
        Own::Nothing => Held::Nothing { package },
        Own::Share(AnyShare::Dkls(share)) => Held::Share(share.as_ref()),
        Own::Restored(restored) => Held::Restored { package, scalar: restored.secret() },
        Own::Share(AnyShare::Ed25519(_)) => return Err(other_protocol()),
    };
    let (machine, said) = Dkls23::change(held, name, change)?;
    Ok((AnyMaking::Dkls(machine), said))
}

fn begin_ed25519(mine: &Mine, name: ShareName, own: &Own) -> Result<(AnyMaking, Said), RoundError> {
    let plan = ChangePlan {
        holder: mine.holder,
        holders: mine.change.holders.keys().copied().collect(),
        joiner: mine.joiner(),
        helpers: mine.helpers().collect(),
    };
    let own = match own {
        Own::Nothing => None,
        Own::Share(AnyShare::Ed25519(share)) => Some(share.as_ref()),
        Own::Share(AnyShare::Dkls(_)) | Own::Restored(_) => return Err(other_protocol()),
    };
    let package = mine.active.public_package.as_slice();
    let (machine, said) = Ed25519Change::begin(name, plan, package, own)?;
    Ok((AnyMaking::Ed25519Change(Box::new(machine)), said))
}

fn other_protocol() -> RoundError {
    RoundError::Own("the share is of another protocol than the key".to_owned())
}
