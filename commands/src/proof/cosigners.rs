//! The proof of a multisig key: one part of each cosigner, recorded as it comes. Signers are asked;
//! those that no signer process holds answer when people carry their parts here, which may take days.
//! Never records a part that it has not verified.

use super::{
    Shared,
    drive::{Stop, wait},
};
use futures::future::join_all;
use strongroom_chains::{bitcoin::multisig::Places, spend_proof::verify_cosigner};
use strongroom_domain::{
    Bytes, Command, SignerId,
    key::{Active, CosignerProven, Proven},
    protocol::{Order, Reply, Work},
};
use uuid::Uuid;

impl Shared {
    /// Asks the signers whose part is missing; the whole is recorded once all parts are there.
    ///
    /// A crash leaves the parts that were recorded; a signer gives its own again.
    pub(super) async fn parts(&self, active: &Active, text: &str) -> Result<(), Stop> {
        let places = Places::of_key(active).map_err(wait)?;
        let (count, key) = (places.descriptor.keys().len(), active.plan.key);
        if let Some(signatures) = complete(active, count) {
            let proven = Proven { epoch: active.epoch, signatures };
            return self.record(key, Command::ProveKey { key, proven }).await;
        }
        let missing: Vec<(SignerId, usize)> = places
            .signers
            .iter()
            .filter(|(_, place)| !active.parts.contains_key(&from_one(**place)))
            .map(|(signer, place)| (*signer, *place))
            .collect();
        let away = if missing.is_empty() {
            None
        } else {
            self.ask_signers(active, text, (&places, &missing)).await?
        };
        let known = self.bus.read(|state| state.keys.get(&key).and_then(super::due).cloned());
        let Some(known) = known else { return Ok(()) };
        if complete(&known, count).is_some() {
            return Ok(());
        }
        let names: Vec<String> = (0..count)
            .filter(|place| !known.parts.contains_key(&from_one(*place)))
            .map(|place| named(&places, place))
            .collect();
        let because = away.map(|away| format!(" ({away})")).unwrap_or_default();
        Err(wait(format!("{} have not shown that they can sign{because}", names.join(", "))))
    }

    /// What came of it for the first that gave none.
    async fn ask_signers(
        &self,
        active: &Active,
        text: &str,
        (places, missing): (&Places, &[(SignerId, usize)]),
    ) -> Result<Option<String>, Stop> {
        let (key, epoch) = (active.plan.key, active.epoch);
        let at_least = self.bus.log().head().position.get();
        self.checkpoints.cover(at_least).await.map_err(wait)?;
        let asked = missing.iter().map(|(signer, _)| {
            let order = Order::Step {
                work: Work::Proof { key, epoch },
                session: Bytes(Uuid::new_v4().as_bytes().to_vec()),
                round: 1,
                spoken: Vec::new(),
                letters: Vec::new(),
            };
            async move { self.signers.order(*signer, &order, at_least).await }
        });
        let answers = join_all(asked.collect::<Vec<_>>()).await;
        let mut away = None;
        for ((signer, place), answer) in missing.iter().zip(answers) {
            let given = match answer {
                Ok(Reply::Signatures { signatures }) => signatures.into_iter().next(),
                Ok(other) => {
                    away.get_or_insert(format!(
                        "signer {signer}: {}",
                        super::session::told(&other)
                    ));
                    None
                }
                Err(error) => {
                    away.get_or_insert(error.to_string());
                    None
                }
            };
            let Some(signature) = given else { continue };
            match verify_cosigner(&places.descriptor, *place, epoch, text, &signature) {
                Ok(()) => {
                    let proven = CosignerProven { epoch, place: from_one(*place), signature };
                    let command = Command::ProveCosigner { key, proven };
                    self.record(key, command).await?;
                }
                Err(error) => drop(away.get_or_insert(format!("signer {signer}: {error}"))),
            }
        }
        Ok(away)
    }
}

/// As the log and people count.
fn from_one(place: usize) -> u16 {
    u16::try_from(place.saturating_add(1)).unwrap_or(u16::MAX)
}

/// All parts, in the order of their places.
fn complete(active: &Active, count: usize) -> Option<Vec<Bytes>> {
    (0..count).map(|place| active.parts.get(&from_one(place)).cloned()).collect()
}

fn named(places: &Places, place: usize) -> String {
    match (places.name(place), places.signer(place)) {
        (Some(name), _) => format!("cosigner {name}"),
        (None, Some(signer)) => format!("signer {signer}"),
        (None, None) => format!("place {}", from_one(place)),
    }
}
