//! Members of pools that can't use a key just now: their token is away, full, locked or slow. Never
//! asks such a member for a signature: it is asked whether it is well, until it is.

use super::Signers;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use strongroom_domain::{
    KeyId, Rule, SignerId,
    protocol::{Order, Reply},
};
use tokio::time::sleep;

/// In memory only: after a restart everybody counts as well, and the first order tells.
#[derive(Default)]
pub(super) struct Health(Mutex<BTreeMap<(SignerId, KeyId), String>>);

impl Health {
    fn sick(&self) -> MutexGuard<'_, BTreeMap<(SignerId, KeyId), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a member's answer to [`Order::Probe`] means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Well,
    Sick,
    /// It has nothing to do with that key any more: whoever asks it for a signature hears why.
    NoMember,
}

impl Signers {
    /// The signers that can be asked for a signature of this key now: those that answer, without
    /// those whose token does not.
    pub fn fit(&self, key: KeyId) -> BTreeSet<SignerId> {
        let mut fit = self.live();
        let sick = self.0.health.sick();
        fit.retain(|signer| !sick.contains_key(&(*signer, key)));
        fit
    }

    /// Members of pools that can't use a key, and what they said.
    pub fn sick(&self) -> BTreeMap<(SignerId, KeyId), String> {
        self.0.health.sick().clone()
    }

    /// Takes a member out of a key's pool, and begins to ask it whether it is well. Must be called
    /// inside a Tokio runtime.
    pub fn lost(&self, signer: SignerId, key: KeyId, because: &str) {
        let before = self.0.health.sick().insert((signer, key), because.to_owned());
        if before.is_some() {
            return;
        }
        tracing::warn!(%signer, %key, because, "a member leaves its pool");
        let (inner, limits) = (std::sync::Arc::downgrade(&self.0), self.0.limits);
        tokio::spawn(async move {
            let mut pause = limits.shortest_pause;
            loop {
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(limits.longest_pause);
                let Some(inner) = inner.upgrade() else { return };
                let signers = Self(inner);
                match signers.examine(signer, key).await {
                    Found::Sick => {}
                    found @ (Found::Well | Found::NoMember) => {
                        signers.0.health.sick().remove(&(signer, key));
                        tracing::info!(%signer, %key, ?found, "a member returns to its pool");
                        signers.0.changed.send_modify(|count| *count = count.wrapping_add(1));
                        return;
                    }
                }
            }
        });
    }

    async fn examine(&self, signer: SignerId, key: KeyId) -> Found {
        // It has read of the key: it confirmed it.
        match self.order(signer, &Order::Probe { key }, 0).await {
            Ok(Reply::Usable) => Found::Well,
            Ok(Reply::Refused(refusal))
                if matches!(refusal.rule, Rule::SignerNotInSet | Rule::KeyState) =>
            {
                Found::NoMember
            }
            _ => Found::Sick,
        }
    }
}
