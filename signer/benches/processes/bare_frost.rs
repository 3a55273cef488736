//! The bare FROST library: all parties in one thread, in memory. Never anything of ours: it is what
//! ours is measured against.

use std::collections::BTreeMap;

use frost_secp256k1_tr::{
    self as frost, Identifier, SigningPackage,
    keys::{KeyPackage, PublicKeyPackage, dkg, refresh},
    round1::{SigningCommitments, SigningNonces},
};
use rand::rngs::OsRng;

/// A key in shares.
pub(crate) struct Parties {
    packages: BTreeMap<Identifier, KeyPackage>,
    public: PublicKeyPackage,
    threshold: u16,
}

fn identifiers(holders: u16) -> Vec<Identifier> {
    (1..=holders).map(|holder| Identifier::try_from(holder).unwrap()).collect()
}

/// By receiver what each other has for it.
fn others<T: Clone>(of: &BTreeMap<Identifier, T>, me: Identifier) -> BTreeMap<Identifier, T> {
    of.iter().filter(|(id, _)| **id != me).map(|(id, one)| (*id, one.clone())).collect()
}

fn to<T: Clone>(
    dealt: &BTreeMap<Identifier, BTreeMap<Identifier, T>>,
    me: Identifier,
) -> BTreeMap<Identifier, T> {
    dealt.iter().filter_map(|(from, all)| Some((*from, all.get(&me)?.clone()))).collect()
}

impl Parties {
    /// Key generation, by all.
    pub(crate) fn make(threshold: u16, holders: u16) -> Self {
        let (mut first, mut said) = (BTreeMap::new(), BTreeMap::new());
        for id in identifiers(holders) {
            let (secret, package) = dkg::part1(id, holders, threshold, OsRng).unwrap();
            first.insert(id, secret);
            said.insert(id, package);
        }
        let (mut second, mut dealt) = (BTreeMap::new(), BTreeMap::new());
        for (id, secret) in first {
            let (secret, packages) = dkg::part2(secret, &others(&said, id)).unwrap();
            second.insert(id, secret);
            dealt.insert(id, packages);
        }
        let mut packages = BTreeMap::new();
        let mut public = None;
        for (id, secret) in &second {
            let made = dkg::part3(secret, &others(&said, *id), &to(&dealt, *id)).unwrap();
            packages.insert(*id, made.0);
            public = Some(made.1);
        }
        Self { packages, public: public.unwrap(), threshold }
    }

    /// New shares of the same key, by all.
    pub(crate) fn refresh(&self) -> Self {
        let holders = u16::try_from(self.packages.len()).unwrap();
        let (mut first, mut said) = (BTreeMap::new(), BTreeMap::new());
        for id in identifiers(holders) {
            let begun = refresh::refresh_dkg_part1(id, holders, self.threshold, OsRng).unwrap();
            first.insert(id, begun.0);
            said.insert(id, begun.1);
        }
        let (mut second, mut dealt) = (BTreeMap::new(), BTreeMap::new());
        for (id, secret) in first {
            let (secret, out) = refresh::refresh_dkg_part2(secret, &others(&said, id)).unwrap();
            second.insert(id, secret);
            dealt.insert(id, out);
        }
        let mut packages = BTreeMap::new();
        let mut public = None;
        for (id, secret) in &second {
            let (said, dealt) = (others(&said, *id), to(&dealt, *id));
            let (old, own) = (self.public.clone(), self.packages[id].clone());
            let made = refresh::refresh_dkg_shares(secret, &said, &dealt, old, own).unwrap();
            packages.insert(*id, made.0);
            public = Some(made.1);
        }
        Self { packages, public: public.unwrap(), threshold: self.threshold }
    }

    fn commit(&self, id: Identifier) -> (SigningNonces, SigningCommitments) {
        frost::round1::commit(self.packages[&id].signing_share(), &mut OsRng)
    }

    /// One signature, by as many as sign.
    pub(crate) fn sign(&self, message: &[u8; 32]) {
        let (mut nonces, mut commitments) = (BTreeMap::new(), BTreeMap::new());
        for id in identifiers(self.threshold) {
            let drawn = self.commit(id);
            nonces.insert(id, drawn.0);
            commitments.insert(id, drawn.1);
        }
        let signing = SigningPackage::new(commitments, message);
        let mut shares = BTreeMap::new();
        for (id, nonces) in &nonces {
            let package = &self.packages[id];
            let share = frost::round2::sign_with_tweak(&signing, nonces, package, None);
            shares.insert(*id, share.unwrap());
        }
        frost::aggregate_with_tweak(&signing, &shares, &self.public, None).unwrap();
    }

    /// The commitments of all but the first, for [`Self::sign_alone`].
    pub(crate) fn others_commitments(&self) -> BTreeMap<Identifier, SigningCommitments> {
        let ids = identifiers(self.threshold).into_iter().skip(1);
        ids.map(|id| (id, self.commit(id).1)).collect()
    }

    /// One holder's part of a signature: its commitment and its share.
    pub(crate) fn sign_alone(
        &self,
        message: &[u8; 32],
        others: &BTreeMap<Identifier, SigningCommitments>,
    ) {
        let me = identifiers(1)[0];
        let (nonces, own) = self.commit(me);
        let mut commitments = others.clone();
        commitments.insert(me, own);
        let signing = SigningPackage::new(commitments, message);
        let package = &self.packages[&me];
        frost::round2::sign_with_tweak(&signing, &nonces, package, None).unwrap();
    }
}
