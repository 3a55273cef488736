//! The current attempt of a multisig wallet, out to cosigners who are no signers and back, as a PSBT
//! (BIP 174). Takes signatures of exactly the authorised transaction, and nothing else.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use strongroom_commands::payment::{CosignerPart, PsbtError, Stored};
use strongroom_domain::{Command, Refusal, Rule, TransferId, transfer::PartiallySigned};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, views};

/// Of one wallet: places are counted from 1.
const MOST_COSIGNERS: u32 = 10;

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
        self.aside(move || {
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
        let before = self.imported(caller, (&once, id)).await?;
        let (attempt, taken) = match (self.taken(id, bytes).await, &before) {
            (Ok(taken), _) => taken,
            // An earlier request with this key brought all of it, and its answer was lost.
            (Err(Failure::Refused(_) | Failure::Malformed(_)), Some(before)) => {
                return Ok(before.clone());
            }
            (Err(error), _) => return Err(error),
        };
        let mut places = before.map(|before| before.places).unwrap_or_default();
        for partial in taken {
            let place = partial.place;
            let subject = json!({ "transaction": id, "attempt": attempt, "place": place });
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

    /// The attempt, and every signature of it in there that the log has not.
    async fn taken(
        &self,
        id: TransferId,
        psbt: Vec<u8>,
    ) -> Result<(u32, Vec<PartiallySigned>), Failure> {
        let stored = self.bus().read(|state| Stored::of(state, id))?;
        self.aside(move || {
            let unfinished = stored.read()?;
            Ok((unfinished.attempt, unfinished.taken(&psbt)?))
        })
        .await
    }

    /// What an earlier request with this key has brought, place by place.
    async fn imported(
        &self,
        caller: &Caller,
        (once, id): (&Once, TransferId),
    ) -> Result<Option<views::PsbtImported>, Failure> {
        let mut imported: Option<views::PsbtImported> = None;
        for place in 1..=MOST_COSIGNERS {
            let key = once.clone().part(&place.to_string()).of(caller);
            let Some(outcome) = self.bus().answered(&key).await? else { continue };
            let attempt = outcome.subject.get("attempt").and_then(Value::as_u64);
            let attempt = attempt.and_then(|of| of.try_into().ok());
            let (Some(attempt), Some(_)) = (attempt, outcome.positions) else { continue };
            let transaction = id.to_string();
            let none = views::PsbtImported { transaction, attempt, places: Vec::new() };
            imported.get_or_insert(none).places.push(place);
        }
        Ok(imported)
    }

    /// Who has signed what is being signed; nobody where no cosigners sign it.
    pub(super) fn cosigners(&self, id: TransferId) -> Vec<views::Cosigning> {
        let stored = self.bus().read(|state| Stored::of(state, id));
        stored.and_then(|of| of.parts()).map(shown).unwrap_or_default()
    }

    /// Off the threads that serve requests: a PSBT takes arithmetic on curves for each of its inputs.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PsbtError> + Send + 'static,
    ) -> Result<T, Failure> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => self.noted(done),
            // It may be what somebody sent that did it: no reason for the server to stop.
            Err(died) => Err(Failure::Corrupt(format!("reading a PSBT ended early: {died}"))),
        }
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
