//! What a signer's operator pinned, and whether a log's entries name this signer as it is. Never takes
//! an entry in.

use strongroom_domain::{
    Bytes, Digest, Event, Recorded, Refusal, Rule, SignerId,
    charter::{CharterEvent, LogResumed, SignerChange, Standing},
};

/// What a signer must be to follow a log: its id, its keys, and the one log it follows.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The leaf of entry 1.
    pub genesis: Digest,
    /// This signer.
    pub signer: SignerId,
    /// Its Ed25519 public key: the charter must enrol exactly this one.
    pub identity_key: [u8; 32],
    /// Its Ed25519 public key as a witness: likewise.
    pub witness_key: [u8; 32],
}

/// Entry 1 must be the pinned one; whatever enrols this signer must do so under the identity that it
/// has.
pub(crate) fn check_founding(recorded: &Recorded, pinned: &Pinned) -> Result<(), Refusal> {
    if recorded.head.position != 1 {
        return check_enrolment(recorded, pinned);
    }
    if recorded.head.leaf != pinned.genesis {
        let because =
            format!("entry 1 has leaf {}, pinned is {}", recorded.head.leaf, pinned.genesis);
        return Err(Refusal::new(Rule::SignerGenesis, because));
    }
    let standing = match &recorded.event {
        Event::Charter(CharterEvent::Founded(founded)) => Standing::from(&founded.charter),
        Event::Charter(CharterEvent::FoundedV2(founded)) => Standing::from(founded),
        // Read, and never acted upon: it enrols no witness.
        Event::Charter(CharterEvent::FoundedV1(founded)) => Standing::from(founded),
        Event::Charter(
            CharterEvent::PolicyChangedV1(_)
            | CharterEvent::PolicyChanged(_)
            | CharterEvent::PolicyTightened(_)
            | CharterEvent::PeopleChanged(_)
            | CharterEvent::SignersChanged(_)
            | CharterEvent::LogResumed(_),
        )
        | Event::Proposal(_)
        | Event::Account(_)
        | Event::Wallet(_)
        | Event::Transfer(_)
        | Event::Deposit(_)
        | Event::Key(_)
        | Event::Person(_)
        | Event::Signer(_)
        | Event::Freeze(_)
        | Event::Price(_)
        | Event::Screening(_)
        | Event::Reconciliation(_) => {
            return Err(Refusal::new(Rule::SignerGenesis, "entry 1 is not a charter"));
        }
    };
    match standing.signers.get(&pinned.signer) {
        Some(mine) => check_mine((&mine.identity_key, mine.witness_key.as_ref()), pinned),
        // A quorum may enrol it later; until then it has no part in anything.
        None => Ok(()),
    }
}

/// A signer that was not there when the log was founded: who enrols it must enrol its own keys.
fn check_enrolment(recorded: &Recorded, pinned: &Pinned) -> Result<(), Refusal> {
    if let Event::Charter(CharterEvent::SignersChanged(changed)) = &recorded.event
        && let SignerChange::Enrol(of) = &changed.change
        && of.id == pinned.signer
    {
        return check_mine((&of.identity_key, Some(&of.witness_key)), pinned);
    }
    Ok(())
}

fn check_mine(
    (identity_key, witness_key): (&Bytes, Option<&Bytes>),
    pinned: &Pinned,
) -> Result<(), Refusal> {
    if identity_key.as_slice() == pinned.identity_key
        && witness_key.is_none_or(|key| key.as_slice() == pinned.witness_key)
    {
        return Ok(());
    }
    let because = format!("the charter does not enrol signer {} with its keys", pinned.signer);
    Err(Refusal::new(Rule::SignerGenesis, because))
}

/// Behind the entry that the log goes on from stands the resumption that this signer's operator let
/// it follow, and nothing else: what stood there before is given up.
pub(crate) fn check_resumption(
    recorded: &Recorded,
    resumed: Option<&LogResumed>,
) -> Result<(), Refusal> {
    let Some(certificate) = resumed else { return Ok(()) };
    if Some(recorded.head.position) != certificate.resumption.from.position.checked_add(1) {
        return Ok(());
    }
    if recorded.event == Event::from(CharterEvent::from(certificate.clone())) {
        return Ok(());
    }
    let because = format!(
        "entry {} is the resumption that a quorum agreed to, not {}",
        recorded.head.position,
        recorded.event.kind().0
    );
    Err(Refusal::new(Rule::LogResumption, because))
}
