//! The current attempt of a multisig wallet, out to cosigners who are no signers and back, as a PSBT
//! (BIP 174). Takes signatures of exactly the authorised transaction, and nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;
use strongroom_commands::payment::{CosignerPart, PsbtError, Stored};
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
            PsbtError::Part { .. } | PsbtError::Decode(_) | PsbtError::Places(_) => {
                Self::Corrupt(error.to_string())
            }
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
        let stored = self.bus().read(|state| Stored::to_hand_out(state, id))?;
        aside(move || {
            let unfinished = stored.read()?;
            Ok(views::UnfinishedPsbt {
                transaction: id.to_string(),
                attempt: unfinished.attempt,
                threshold: small(unfinished.threshold()),
                psbt: STANDARD.encode(unfinished.psbt()?.as_slice()),
                cosigners: shown(unfinished.parts()),
            })
        })
        .await
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
        let stored = self.bus().read(|state| Stored::of(state, id))?;
        let (attempt, taken) = aside(move || {
            let unfinished = stored.read()?;
            Ok((unfinished.attempt, unfinished.taken(&bytes)?))
        })
        .await?;
        let mut places = Vec::new();
        for partial in taken {
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
        Ok(views::PsbtImported { transaction, attempt, places })
    }

    /// Who has signed what is being signed; nobody where no cosigners sign it.
    pub(super) fn cosigners(&self, id: TransferId) -> Vec<views::Cosigning> {
        let stored = self.bus().read(|state| Stored::of(state, id));
        stored.and_then(|of| of.parts()).map(shown).unwrap_or_default()
    }
}

/// Off the threads that serve requests: a PSBT takes arithmetic on curves for each of its inputs.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PsbtError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(died) => Err(Failure::Corrupt(format!("reading a PSBT ended early: {died}"))),
    }
}

fn shown(parts: Vec<CosignerPart>) -> Vec<views::Cosigning> {
    let each = parts.into_iter().map(|part| views::Cosigning {
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
