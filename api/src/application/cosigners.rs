//! The current attempt of a multisig wallet, out to cosigners who are no signers and back, as a PSBT
//! (BIP 174). Takes signatures of exactly the authorised transaction, and nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;
use strongroom_commands::payment::{PsbtError, Unfinished};
use strongroom_domain::{Command, Refusal, Rule, TransferId};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, views};

/// A PSBT that a cosigner has signed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportPsbt {
    /// The PSBT's bytes (BIP 174), base64.
    pub psbt: String,
}

impl From<PsbtError> for Failure {
    fn from(error: PsbtError) -> Self {
        match error {
            PsbtError::Refused(refusal) => Self::Refused(refusal),
            PsbtError::Combine(_) | PsbtError::NothingNew => Self::Malformed(error.to_string()),
            PsbtError::Decode(_) | PsbtError::Places(_) => Self::Corrupt(error.to_string()),
        }
    }
}

impl Application {
    /// The attempt, with all signatures so far.
    pub async fn export_psbt(
        &self,
        caller: &Caller,
        id: TransferId,
    ) -> Result<views::UnfinishedPsbt, Failure> {
        let story = self.story(id).await?;
        self.demand_payment(caller, "export-psbt", (id, story.transfer.intent.account))?;
        let unfinished = self.bus().read(|state| Unfinished::to_hand_out(state, id))?;
        Ok(views::UnfinishedPsbt {
            transaction: id.to_string(),
            attempt: unfinished.attempt,
            threshold: small(unfinished.threshold()),
            psbt: STANDARD.encode(unfinished.psbt()?.as_slice()),
            cosigners: parts(&unfinished),
        })
    }

    /// Takes every new signature out of what a cosigner signed.
    pub async fn import_psbt(
        &self,
        caller: &Caller,
        once: Once,
        (id, asked): (TransferId, ImportPsbt),
    ) -> Result<views::PsbtImported, Failure> {
        let story = self.story(id).await?;
        self.demand_payment(caller, "import-psbt", (id, story.transfer.intent.account))?;
        let bytes = STANDARD
            .decode(asked.psbt.trim())
            .map_err(|error| Failure::Malformed(format!("`psbt` is no base64: {error}")))?;
        let unfinished = self.bus().read(|state| Unfinished::of(state, id))?;
        let mut places = Vec::new();
        for partial in unfinished.taken(&bytes)? {
            let place = partial.place;
            let subject = json!({ "transaction": id, "place": place });
            let once = once.clone().part(&place.to_string());
            let command = Command::RecordPartial { transfer: id, partial };
            let outcome = self.execute(caller, once, command, subject).await?;
            if outcome.positions.is_some() {
                places.push(u32::from(place));
            }
        }
        if places.is_empty() {
            let because = "somebody else brought these signatures meanwhile";
            return Err(Refusal::new(Rule::AttemptState, because).into());
        }
        let transaction = id.to_string();
        Ok(views::PsbtImported { transaction, attempt: unfinished.attempt, places })
    }

    /// Who has signed what is being signed; nobody where no cosigners sign it.
    pub(super) fn cosigners(&self, id: TransferId) -> Vec<views::Cosigning> {
        let unfinished = self.bus().read(|state| Unfinished::of(state, id));
        unfinished.map(|of| parts(&of)).unwrap_or_default()
    }
}

fn parts(unfinished: &Unfinished) -> Vec<views::Cosigning> {
    let each = unfinished.parts().into_iter().map(|part| views::Cosigning {
        place: small(part.place),
        name: part.name.map(|name| name.to_string()),
        signer: part.signer.map(|signer| signer.to_string()),
        signed: part.signed,
    });
    each.collect()
}

/// Places and thresholds are 10 at most.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
