//! Cosigners of multisig keys and wallets: what they are asked to show, their answers, and the descriptor
//! by which any wallet software can watch or recover a wallet without us. Never sees a private key.

use serde::Deserialize;
use serde_json::json;
use strongroom_chains::{
    bitcoin::{
        Chain,
        multisig::{Places, PlacesError},
    },
    spend_proof::verify_cosigner,
};
use strongroom_domain::{
    Bytes, Command, KeyId, WalletId,
    key::{Active, CosignerProven, Proof},
    statement,
};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, views};
use crate::authorisation::Resource;

/// What `strongroom-signer offline prove` wrote, or a device's signed message.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProveCosigner {
    /// Whose: its place in the key's descriptor, counted from 1.
    pub place: u16,
    /// Hex. 64 bytes as the wallet's signatures are made, or 65 as BIP 137 says.
    #[schema(value_type = String)]
    pub signature: Bytes,
}

/// A key that is asked about, and what its cosigners sign.
struct AskedOf {
    active: Active,
    places: Places,
    statement: String,
}

impl Application {
    fn asked_of(&self, id: KeyId) -> Result<AskedOf, Failure> {
        let missing = || Failure::NotFound { what: "key", id: id.to_string() };
        let (active, log) = self.bus().read(|state| {
            let active = state.keys.get(&id).ok_or_else(missing)?.existing()?.clone();
            Ok::<_, Failure>((active, state.charter.standing()?.log))
        })?;
        let places = self.noted(places_of(&active))?;
        let statement = statement::spend_proof(log, id, active.epoch, active.proven_as());
        Ok(AskedOf { active, places, statement })
    }

    /// What a multisig key's cosigners sign to show that they can, and who has.
    pub fn key_proof(&self, id: KeyId) -> Result<views::KeyProof, Failure> {
        let AskedOf { active, places, statement } = self.asked_of(id)?;
        let each = places.descriptor.keys().iter().enumerate().map(|(at, key)| {
            let place = u16::try_from(at.saturating_add(1)).unwrap_or(u16::MAX);
            views::KeyCosigner {
                place,
                name: places.name(at).map(ToString::to_string),
                signer: places.signer(at).map(|signer| signer.to_string()),
                key: key.to_string(),
                shown: active.parts.contains_key(&place),
            }
        });
        Ok(views::KeyProof {
            key: id.to_string(),
            epoch: active.epoch,
            proven: matches!(active.proof, Proof::Given { epoch } if epoch == active.epoch),
            descriptor: places.descriptor.to_string(),
            cosigners: each.collect(),
            statement,
        })
    }

    /// Takes a cosigner's part of its key's proof.
    pub async fn prove_cosigner(
        &self,
        caller: &Caller,
        once: Once,
        (key, asked): (KeyId, ProveCosigner),
    ) -> Result<views::CosignerRecorded, Failure> {
        self.demand(caller, "prove-cosigner", &Resource::System)?;
        let ProveCosigner { place, signature } = asked;
        let AskedOf { active, places, statement } = self.asked_of(key)?;
        let epoch = active.epoch;
        let at = usize::from(place).checked_sub(1);
        let at = at.ok_or_else(|| Failure::Malformed("places count from 1".to_owned()))?;
        verify_cosigner(&places.descriptor, at, epoch, &statement, &signature)
            .map_err(|error| Failure::Malformed(error.to_string()))?;
        let proven = CosignerProven { epoch, place, signature };
        let subject = json!({ "key": key, "place": place.to_string() });
        self.answer(caller, once, Command::ProveCosigner { key, proven }, subject).await
    }

    /// The descriptor of a multisig wallet, as other software imports it.
    pub fn descriptor(&self, id: WalletId) -> Result<views::WalletDescriptor, Failure> {
        let missing = || Failure::NotFound { what: "wallet", id: id.to_string() };
        let (network, active) = self.bus().read(|state| {
            let holding = state.wallets.get(&id).ok_or_else(missing)?.holding()?;
            let active = state.keys.get(&holding.key).ok_or_else(missing)?.existing()?.clone();
            Ok::<_, Failure>((holding.network, active))
        })?;
        let places = self.noted(places_of(&active))?;
        let chain = Chain::of(network).map_err(|error| Failure::Malformed(error.to_string()))?;
        let [deposit, change] = places.descriptor.export_branches(chain.key_kind());
        Ok(views::WalletDescriptor {
            wallet: id.to_string(),
            network: network.to_string(),
            descriptor: places.descriptor.export(chain.key_kind()),
            deposit,
            change,
        })
    }
}

/// Whose keys stand where. A key of one signer, or in shares, has no cosigners, and who asks is told so; that the
/// log's own descriptor isn't its cosigners' can't be.
fn places_of(active: &Active) -> Result<Places, Failure> {
    Places::of_key(active).map_err(|error| match error {
        PlacesError::Protocol { .. } => Failure::Malformed(error.to_string()),
        PlacesError::Signer { .. }
        | PlacesError::Cosigner { .. }
        | PlacesError::NotCanonical { .. }
        | PlacesError::Descriptor(_)
        | PlacesError::Another => {
            Failure::Corrupt(format!("the log's key {}: {error}", active.plan.key))
        }
    })
}
