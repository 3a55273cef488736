//! What addresses and transactions in the log really are, by their bytes. Never asks a node.

use crate::finding::{Fault, Finding};
use strongroom_chains::{
    AssembleError, DecodeError, KeyAddressError, Realisation, UnsignedTx,
    backup::{CommitmentError, check_commitment},
    bitcoin::multisig::{Partial, Places, PlacesError},
    key_address,
    spend_proof::{SpendProofError, verify_cosigner, verify_proof},
};
use strongroom_domain::{
    Address, AddressPath, Bytes, Event, Intent, KeyId, Network, Recorded, State, Stream,
    TransferId, WalletId,
    key::{Active, BackedUp, CosignerProven, Key, KeyEvent, Proven},
    statement,
    transfer::{
        AttemptAuthorised, AttemptFound, AttemptSigned, Attempts, PartiallySigned, Returns,
        TransferEvent,
    },
    wallet::{AddressDerived, Funds, Holding, WalletEvent},
};

#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("its wallet, key or transfer is not in the log")]
    Unknown,
    #[error("the key of the wallet: {0}")]
    Key(#[from] KeyAddressError),
    #[error("a backup of a share: {0}")]
    Backup(#[from] CommitmentError),
    #[error("the key has not shown that it can sign: {0}")]
    Proof(#[from] SpendProofError),
    #[error("address {found} is not derived from the wallet's key at {path}: expected {expected}")]
    Address { path: AddressPath, expected: Address, found: Address },
    #[error("the transaction of attempt {attempt}: {error}")]
    Decode { attempt: u32, error: DecodeError },
    #[error("the transaction of attempt {attempt} has another {field} than was approved")]
    Intent { attempt: u32, field: &'static str },
    #[error("the transaction of attempt {attempt} can cost {real}, the log says {said}")]
    Fee { attempt: u32, real: strongroom_domain::Amount, said: strongroom_domain::Amount },
    #[error("the sweep of attempt {attempt} does not go to the successor")]
    Sweep { attempt: u32 },
    #[error("the transaction of attempt {attempt} spends something else than was set aside")]
    Spends { attempt: u32 },
    #[error("attempt {attempt} is no child of attempt {parent}, or that one is not signed")]
    Child { attempt: u32, parent: u32 },
    #[error("attempt {attempt} does not exclude the one before it: both could confirm")]
    Excludes { attempt: u32 },
    #[error("the cosigners of the key: {0}")]
    Places(#[from] PlacesError),
    #[error("cosigner {place} did not sign attempt {attempt}")]
    Partial { attempt: u32, place: u16 },
    #[error("the signed transaction of attempt {attempt}: {error}")]
    Signed { attempt: u32, error: AssembleError },
    #[error("the signed transaction of attempt {attempt} is {real}, the log calls it {said}")]
    Name { attempt: u32, real: String, said: String },
}

/// Checks an entry that `after` has recorded; `before` are the attempts that it must exclude.
pub(crate) fn check(before: &[Earlier], after: &State, recorded: &Recorded) -> Result<(), Finding> {
    let checked = match (recorded.stream, &recorded.event) {
        (Stream::Wallet(id), Event::Wallet(WalletEvent::AddressDerived(derived))) => {
            address(after, id, derived)
        }
        (Stream::Key(id), Event::Key(KeyEvent::Proven(proven))) => proof(after, id, proven),
        (Stream::Key(id), Event::Key(KeyEvent::CosignerProven(proven))) => {
            cosigner_proof(after, id, proven)
        }
        (Stream::Key(id), Event::Key(KeyEvent::BackedUp(backed_up))) => {
            backup(after, id, backed_up)
        }
        (Stream::Transfer(id), Event::Transfer(TransferEvent::AttemptAuthorised(attempt))) => {
            authorised(after, id, (attempt, None), before)
        }
        (Stream::Transfer(id), Event::Transfer(TransferEvent::ReturnAuthorised(returned))) => {
            authorised(after, id, (&returned.attempt, Some(returned.returns)), before)
        }
        (Stream::Transfer(id), Event::Transfer(TransferEvent::PartiallySigned(partial))) => {
            cosigned(after, id, partial)
        }
        (Stream::Transfer(id), Event::Transfer(TransferEvent::AttemptSigned(signed))) => {
            complete(after, id, (signed.attempt, &signed.raw, &signed.transaction))
        }
        (Stream::Transfer(id), Event::Transfer(TransferEvent::AttemptFound(found))) => {
            complete(after, id, (found.attempt, &found.raw, &found.transaction))
        }
        _ => Ok(()),
    };
    checked.map_err(|wrong| {
        let position = recorded.head.position;
        Finding::at(Fault::Violation, position, format!("entry {position} is not true: {wrong}"))
    })
}

/// An attempt that a later one must exclude.
pub(crate) struct Earlier {
    authorised: AttemptAuthorised,
    returns: Option<Returns>,
}

/// Every attempt that an entry's attempt must exclude: the current one, all that were signed, and those
/// that somebody besides us may have completed.
pub(crate) fn replaced(before: &State, recorded: &Recorded) -> Vec<Earlier> {
    let (
        Stream::Transfer(id),
        Event::Transfer(TransferEvent::AttemptAuthorised(_) | TransferEvent::ReturnAuthorised(_)),
    ) = (recorded.stream, &recorded.event)
    else {
        return Vec::new();
    };
    let Some(attempts) = before.transfers.get(&id).and_then(|transfer| transfer.attempts()) else {
        return Vec::new();
    };
    let signed = attempts
        .complete
        .values()
        .map(|signed| Earlier { authorised: signed.authorised.clone(), returns: signed.returns });
    let superseded = attempts
        .superseded
        .values()
        .map(|before| Earlier { authorised: before.authorised.clone(), returns: before.returns });
    let current = Earlier { authorised: attempts.current.clone(), returns: attempts.returns };
    signed.chain(superseded).chain([current]).collect()
}

/// Signatures, and whose they are.
pub(crate) struct Shown {
    pub(crate) key: (KeyId, Network),
    pub(crate) signatures: Vec<[u8; 64]>,
}

/// The signatures that an entry shows. The entry was checked before.
pub(crate) fn signatures(state: &State, recorded: &Recorded) -> Option<Shown> {
    let (Stream::Transfer(id), Event::Transfer(event)) = (recorded.stream, &recorded.event) else {
        return None;
    };
    let attempts = state.transfers.get(&id)?.attempts()?;
    let network = attempts.asked.intent.network();
    let signatures = if let TransferEvent::AttemptSigned(AttemptSigned { raw, .. })
    | TransferEvent::AttemptFound(AttemptFound { raw, .. }) = event
    {
        strongroom_chains::signatures(network.family(), raw)?
    } else if let TransferEvent::PartiallySigned(partial) = event {
        partial.signatures.iter().map(Bytes::array).collect::<Option<_>>()?
    } else {
        return None;
    };
    Some(Shown { key: (attempts.current.key, network), signatures })
}

fn holding(state: &State, id: WalletId) -> Result<(&Holding, &Active), Wrong> {
    let wallet = state.wallets.get(&id).ok_or(Wrong::Unknown)?;
    let holding = wallet.holding().map_err(|_| Wrong::Unknown)?;
    let key = state.keys.get(&holding.key).ok_or(Wrong::Unknown)?;
    // A key that was quarantined has signed before.
    let key = match key {
        Key::Active(key) | Key::Quarantined(key) => key,
        Key::Unknown | Key::Requested(_) | Key::Ceremony(_) | Key::Failed => {
            return Err(Wrong::Unknown);
        }
    };
    Ok((holding, key))
}

fn proof(state: &State, id: KeyId, proven: &Proven) -> Result<(), Wrong> {
    let active = state.keys.get(&id).and_then(|key| key.active().ok()).ok_or(Wrong::Unknown)?;
    let log = state.charter.standing().map_err(|_| Wrong::Unknown)?.log;
    let text = statement::spend_proof(log, id, proven.epoch, active.proven_as());
    Ok(verify_proof(active, proven.epoch, &text, &proven.signatures)?)
}

fn cosigner_proof(state: &State, id: KeyId, proven: &CosignerProven) -> Result<(), Wrong> {
    let active = state.keys.get(&id).and_then(|key| key.active().ok()).ok_or(Wrong::Unknown)?;
    let log = state.charter.standing().map_err(|_| Wrong::Unknown)?.log;
    let text = statement::spend_proof(log, id, proven.epoch, active.proven_as());
    let places = Places::of_key(active).map_err(KeyAddressError::from)?;
    let place = usize::from(proven.place).checked_sub(1).ok_or(Wrong::Unknown)?;
    let (descriptor, epoch) = (&places.descriptor, proven.epoch);
    Ok(verify_cosigner(descriptor, place, epoch, &text, &proven.signature)?)
}

fn backup(state: &State, id: KeyId, of: &BackedUp) -> Result<(), Wrong> {
    let active = state.keys.get(&id).and_then(|key| key.existing().ok()).ok_or(Wrong::Unknown)?;
    let holder = active.index_of(of.signer).ok_or(Wrong::Unknown)?;
    let protocol = active.plan.protocol;
    Ok(check_commitment(protocol, &active.public_package, holder, &of.commitment)?)
}

fn address(state: &State, id: WalletId, derived: &AddressDerived) -> Result<(), Wrong> {
    let (holding, key) = holding(state, id)?;
    let expected = key_address(key, holding.network, derived.path)?;
    if expected != derived.address {
        let (path, found) = (derived.path, derived.address.clone());
        return Err(Wrong::Address { path, expected, found });
    }
    Ok(())
}

fn attempts(state: &State, id: TransferId) -> Result<&Attempts, Wrong> {
    state.transfers.get(&id).and_then(|transfer| transfer.attempts()).ok_or(Wrong::Unknown)
}

fn parse(network: Network, attempt: &AttemptAuthorised) -> Result<UnsignedTx, Wrong> {
    UnsignedTx::parse(network, &attempt.unsigned)
        .map_err(|error| Wrong::Decode { attempt: attempt.attempt, error })
}

fn authorised(
    state: &State,
    id: TransferId,
    (authorised, returns): (&AttemptAuthorised, Option<Returns>),
    before: &[Earlier],
) -> Result<(), Wrong> {
    let attempts = attempts(state, id)?;
    let intent = &attempts.asked.intent;
    let attempt = authorised.attempt;
    let (holding, _) = holding(state, intent.wallet)?;
    let unsigned = parse(holding.network, authorised)?;
    match returns {
        None => {
            let pays = attempts.asked.pays(authorised.fee);
            let pays = pays.map_err(|_| Wrong::Fee {
                attempt,
                real: authorised.fee,
                said: intent.amount,
            })?;
            realises(&unsigned, holding, &pays, authorised)?;
            arrives(state, attempts)?;
        }
        Some(_) => returned(&unsigned, holding, authorised)?,
    }
    let parent = parent(attempts, holding.network, returns)?;
    let spends_its_own = match &parent {
        Some(parent) => unsigned.depends_on(parent),
        None => set_aside(&unsigned, holding, id),
    };
    if !spends_its_own {
        return Err(Wrong::Spends { attempt });
    }
    let new = Realisation { transaction: &unsigned, parent: parent.as_ref() };
    for earlier in before {
        let transaction = parse(holding.network, &earlier.authorised)?;
        let parent = self::parent(attempts, holding.network, earlier.returns)?;
        let old = Realisation { transaction: &transaction, parent: parent.as_ref() };
        if !new.is_safe_beside(&old) {
            return Err(Wrong::Excludes { attempt });
        }
    }
    Ok(())
}

/// The transaction that a child spends from.
fn parent(
    attempts: &Attempts,
    network: Network,
    returns: Option<Returns>,
) -> Result<Option<UnsignedTx>, Wrong> {
    let Some(Returns::Child { parent }) = returns else { return Ok(None) };
    let attempt = attempts.current.attempt;
    let signed = attempts.complete.get(&parent).ok_or(Wrong::Child { attempt, parent })?;
    parse(network, &signed.authorised).map(Some)
}

fn set_aside(unsigned: &UnsignedTx, holding: &Holding, id: TransferId) -> bool {
    match (unsigned, &holding.funds) {
        (UnsignedTx::Bitcoin(_) | UnsignedTx::Multisig(_), Funds::Coins(coins)) => {
            let spent = unsigned.spends().unwrap_or_default();
            coins.reserved.get(&id).is_some_and(|mine| mine.keys().eq(&spent))
        }
        (UnsignedTx::Ethereum(unsigned), Funds::Balance(balance)) => {
            let mine = balance.reserved.get(&id);
            mine.is_some_and(|mine| mine.account_nonce == unsigned.account_nonce())
        }
        (UnsignedTx::Bitcoin(_) | UnsignedTx::Multisig(_), Funds::Balance(_))
        | (UnsignedTx::Ethereum(_), Funds::Coins(_)) => false,
    }
}

/// Whether everything comes back, for the fee that the log says.
fn returned(
    unsigned: &UnsignedTx,
    holding: &Holding,
    authorised: &AttemptAuthorised,
) -> Result<(), Wrong> {
    let attempt = authorised.attempt;
    let owns = |address: &Address| holding.addresses.get(address).map(|known| known.path);
    let real = unsigned.returned(&owns).map_err(|error| Wrong::Decode { attempt, error })?;
    let said = authorised.fee;
    if real > said { Err(Wrong::Fee { attempt, real, said }) } else { Ok(()) }
}

/// A sweep goes to an address that the successor's own key has.
fn arrives(state: &State, attempts: &Attempts) -> Result<(), Wrong> {
    let Some(sweep) = &attempts.asked.sweep else { return Ok(()) };
    let (to, _) = holding(state, sweep.successor)?;
    // Every derived address was checked where it was derived.
    if to.addresses.contains_key(&attempts.asked.intent.destination) {
        return Ok(());
    }
    Err(Wrong::Sweep { attempt: attempts.current.attempt })
}

fn realises(
    unsigned: &UnsignedTx,
    holding: &Holding,
    intent: &Intent,
    authorised: &AttemptAuthorised,
) -> Result<(), Wrong> {
    let attempt = authorised.attempt;
    let owns = |address: &Address| holding.addresses.get(address).map(|known| known.path);
    let effect = unsigned.effect(&owns).map_err(|error| Wrong::Decode { attempt, error })?;
    effect.realises(intent).map_err(|field| Wrong::Intent { attempt, field })?;
    if effect.fee > authorised.fee {
        let (real, said) = (effect.fee, authorised.fee);
        return Err(Wrong::Fee { attempt, real, said });
    }
    Ok(())
}

/// A cosigner's part, by the key that stands at its place in the descriptor of the log.
fn cosigned(state: &State, id: TransferId, partial: &PartiallySigned) -> Result<(), Wrong> {
    let attempts = attempts(state, id)?;
    let attempt = partial.attempt;
    let wrong = Wrong::Partial { attempt, place: partial.place };
    let (holding, key) = holding(state, attempts.asked.intent.wallet)?;
    let UnsignedTx::Multisig(unsigned) = parse(holding.network, &attempts.current)? else {
        return Err(wrong);
    };
    let places = Places::of_key(key)?;
    let place = usize::from(partial.place).checked_sub(1);
    let signatures = partial.signatures.iter().map(Bytes::array).collect::<Option<Vec<_>>>();
    let (Some(place), Some(signatures)) = (place, signatures) else { return Err(wrong) };
    if *unsigned.descriptor() != places.descriptor {
        return Err(wrong);
    }
    unsigned.check_partial(&Partial { place, signatures }).map_err(|_| wrong)
}

/// A whole transaction, against the attempt that it says it is.
fn complete(
    state: &State,
    id: TransferId,
    (attempt, raw, said): (u32, &Bytes, &str),
) -> Result<(), Wrong> {
    let attempts = attempts(state, id)?;
    let (holding, key) = holding(state, attempts.asked.intent.wallet)?;
    let known = attempts.complete.get(&attempt).ok_or(Wrong::Unknown)?;
    let unsigned = parse(holding.network, &known.authorised)?;
    let checked = unsigned
        .check_signed(&key.public_key, raw)
        .map_err(|error| Wrong::Signed { attempt, error })?;
    let real = checked.id.to_string();
    if real != said {
        return Err(Wrong::Name { attempt, real, said: said.to_owned() });
    }
    Ok(())
}
