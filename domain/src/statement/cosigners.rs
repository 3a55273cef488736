//! What approvers read of a multisig key: each cosigner with its own key. Never shortens one.

use super::approval::plain;
use crate::key::{CeremonyPlan, Cosigner};
use std::fmt::Write as _;

/// Every key by its name: whoever has as many of them as sign can spend without this log.
pub(super) fn multisig(plan: &CeremonyPlan, cosigners: &[Cosigner]) -> String {
    let all = plan.participants.len().saturating_add(cosigners.len());
    let mut text = format!(
        "MAKE A KEY OF COSIGNERS    {}\nProtocol:     {}\nTo sign:      {} of {all} cosigners\n",
        plan.key,
        plan.protocol.name(),
        plan.threshold,
    );
    for signer in &plan.participants {
        let _ = writeln!(text, "Cosigner:     signer {signer}, with a key that it makes");
    }
    for cosigner in cosigners {
        let (name, key) = (plain(&cosigner.name.to_string()), plain(&cosigner.key));
        let _ = writeln!(text, "Cosigner:     {name}, with {key}");
    }
    if cosigners.len() >= usize::from(plan.threshold) {
        let _ = writeln!(
            text,
            "Beware:       those that are no signers can spend without approvals in this log"
        );
    }
    text
}
