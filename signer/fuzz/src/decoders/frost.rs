//! Commitments and signature shares of FROST, as the server and signers read them: whatever came,
//! nobody but a holder who is proven wrong is named.

use std::{collections::BTreeMap, sync::LazyLock};

use strongroom_chains::frost::{ByHolder, FrostError, GroupPublic, KeyPath, signing_package};

use super::rounds;

const PATH: KeyPath = KeyPath { change: 0, index: 0 };
const MESSAGE: [u8; 32] = [7; 32];

static PUBLIC: LazyLock<GroupPublic> = LazyLock::new(rounds::public);

/// What the fixture's machines say of one message: commitments and shares.
pub fn seeds() -> Vec<Vec<u8>> {
    let said = |name: &str| {
        let kind = rounds::KINDS.iter().find(|kind| kind.name == name).unwrap();
        // It stands behind its length (u32).
        rounds::message(kind)[4..].to_vec()
    };
    let (commitment, share) = (said("frost signing 1"), said("frost signing 2"));
    let other = said("frost signing 1");
    vec![
        [[0].as_slice(), &commitment].concat(),
        [[1].as_slice(), &commitment, &other, &share].concat(),
        [[2].as_slice(), &commitment, &other, &share, &share].concat(),
    ]
}

/// The first byte says as what the rest is read: a commitment, a share beside two commitments, or both.
pub(super) fn read(bytes: &[u8]) -> bool {
    let Some((how, rest)) = bytes.split_first() else { return false };
    let (first, rest) = rest.split_at(rest.len().min(if how % 3 == 0 { rest.len() } else { 71 }));
    let (second, share) = rest.split_at(rest.len().min(71));
    let commitments = ByHolder::from([(1, first.to_vec()), (2, second.to_vec())]);
    if how % 3 == 0 {
        return signing_package(&BTreeMap::from([(1, first.to_vec())]), &MESSAGE).is_ok();
    }
    let blamed = |error: FrostError| match error {
        FrostError::Commitment(holder) | FrostError::Share(holder) => {
            assert!((1..=2).contains(&holder));
            false
        }
        FrostError::Culprits(holders) => {
            assert!(holders.iter().all(|holder| (1..=3).contains(holder)));
            true
        }
        // They are of no session that could be signed.
        _ => false,
    };
    if how % 3 == 1 {
        return match PUBLIC.verify_share(PATH, &MESSAGE, &commitments, 1, share) {
            Ok(()) => true,
            Err(error) => blamed(error),
        };
    }
    let (mine, theirs) = share.split_at(share.len().min(32));
    let shares = ByHolder::from([(1, mine.to_vec()), (2, theirs.to_vec())]);
    match PUBLIC.combine(PATH, &MESSAGE, &commitments, &shares) {
        Ok(_) => panic!("a signature that nobody made"),
        Err(error) => blamed(error),
    }
}
