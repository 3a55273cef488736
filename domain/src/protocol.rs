//! What the server and a signer say to one another. There is no message that asks for a
//! signature over bytes, a digest or a text: orders name a transfer or a key, and the signer
//! finds everything else in the log.

use crate::{
    Bytes, Digest, Head, KeyId, Refusal, SignerId, TransferId,
    key::{Confirmed, EpochConfirmed},
};
use serde::{Deserialize, Serialize};

/// What the server can ask.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask", deny_unknown_fields)]
pub enum Order {
    /// Who are you, and how far have you read?
    Status,
    /// Here are further entries.
    Extend {
        /// In order, without gaps.
        entries: Vec<LogEntry>,
    },
    /// Begin your part of an approved ceremony. Answered by [`Reply::RoundOne`], or by
    /// [`Reply::Confirmed`] where one signer makes the key alone.
    BeginCeremony {
        /// Which key.
        key: KeyId,
    },
    /// All first-round packages are in the log: make the second round's.
    ContinueCeremony {
        /// Which key.
        key: KeyId,
    },
    /// Finish: here is what the others sealed for you.
    FinishCeremony {
        /// Which key.
        key: KeyId,
        /// One of each other participant.
        sealed: Vec<Sealed>,
    },
    /// Check the attempt, consume it, and commit to signing nonces (FROST round one).
    Commit {
        /// Which transfer.
        transfer: TransferId,
        /// Which attempt.
        attempt: u32,
    },
    /// Here is what all signers of the attempt committed to: return your shares (FROST round
    /// two).
    Sign {
        /// Which transfer.
        transfer: TransferId,
        /// Which attempt.
        attempt: u32,
        /// What this signer's own commitments were answered under.
        session: Bytes,
        /// One of each signer of the attempt, this one's included.
        commitments: Vec<Committed>,
    },
    /// Swear a transfer off: say that you have consumed no attempt of it, and never will.
    Abstain {
        /// Which transfer.
        transfer: TransferId,
    },
    /// Check the attempt, consume it, and sign it alone (PKCS#11 keys).
    SignAlone {
        /// Which transfer.
        transfer: TransferId,
        /// Which attempt.
        attempt: u32,
    },
    /// Can you use your key? Asked of a member of a pool that could not. Nothing that it signs for
    /// that leaves it.
    Probe {
        /// Which key.
        key: KeyId,
    },
    /// Do your part of a round of a protocol with several.
    Step {
        /// Of what.
        work: Work,
        /// Of an attempt or a proof: 16 random bytes, never used before for it. Else empty: what is
        /// made is named by its key and epoch.
        session: Bytes,
        /// Counted from 1.
        round: u16,
        /// What all of the session's signers said to all in the round before, this one included. In
        /// round 1 of a proof: who they are. Of a ceremony empty: the log says it.
        spoken: Vec<Spoken>,
        /// What the others sealed for this signer in the round before.
        letters: Vec<Sealed>,
    },
    /// Here is a checkpoint that the log signed: cosign it (C2SP tlog-cosignature).
    Cosign {
        /// The size that the proof begins at: what this signer cosigned last, 0 before.
        old: u64,
        /// From there to the checkpoint (RFC 6962 §2.1.2).
        proof: Vec<Digest>,
        /// The signed note.
        checkpoint: String,
    },
    /// Here is a checkpoint with enough cosignatures: what it covers is on record elsewhere too.
    Checkpoint {
        /// The signed note.
        checkpoint: String,
    },
}

/// What the rounds of a protocol are for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Work {
    /// Making a key.
    Ceremony {
        /// Which.
        key: KeyId,
    },
    /// Changing the shares of a key.
    Change {
        /// Of which.
        key: KeyId,
        /// To which.
        epoch: u32,
    },
    /// Showing that a key can sign.
    Proof {
        /// Which.
        key: KeyId,
        /// With which shares.
        epoch: u32,
    },
    /// Signing an attempt.
    Attempt {
        /// Of which transfer.
        transfer: TransferId,
        /// Which.
        attempt: u32,
    },
}

/// What a signer said to all others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Who.
    pub signer: SignerId,
    /// As the protocol writes it.
    pub message: Bytes,
}

/// An entry and its payload, byte for byte as stored. Both are JSON text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// The entry's line.
    pub entry: String,
    /// The payload's line.
    pub payload: String,
}

/// A second-round package, sealed for one participant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Who sealed it.
    pub sender: SignerId,
    /// Who alone can open it.
    pub receiver: SignerId,
    /// The box.
    pub sealed: Bytes,
}

/// A signer's commitments, one for each input.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// Whose.
    pub signer: SignerId,
    /// In the order of the transaction's inputs.
    pub commitments: Vec<Bytes>,
}

/// What a signer answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", deny_unknown_fields)]
pub enum Reply {
    /// To [`Order::Status`] and [`Order::Extend`].
    Status {
        /// Who it is.
        signer: SignerId,
        /// The genesis that it pins: the leaf hash of entry 1.
        genesis: Option<Digest>,
        /// How far it has verified.
        head: Head,
    },
    /// Its first-round package.
    RoundOne {
        /// As its protocol writes it.
        package: Bytes,
    },
    /// Its second-round packages, sealed.
    RoundTwo {
        /// One for each other participant.
        sealed: Vec<Sealed>,
    },
    /// It has made its part of the key.
    Confirmed {
        /// Its word for it, signed.
        confirmed: Confirmed,
    },
    /// FROST round one.
    Committed {
        /// Names the nonces: good for one [`Order::Sign`].
        session: Bytes,
        /// One for each input.
        commitments: Vec<Bytes>,
    },
    /// FROST round two.
    Shares {
        /// One for each input.
        shares: Vec<Bytes>,
    },
    /// It has sworn the transfer off, durably.
    Abstained {
        /// Ed25519 of its identity key over [`crate::statement::abstention`].
        signature: Bytes,
    },
    /// To [`Order::Step`], unless it was the last.
    Spoke {
        /// For all. Of a ceremony: for the log.
        message: Bytes,
        /// For one each.
        letters: Vec<Sealed>,
    },
    /// It has its share of another epoch, durably.
    EpochConfirmed {
        /// Its word for it, signed.
        confirmed: EpochConfirmed,
    },
    /// Complete signatures.
    Signatures {
        /// One for each input: 64 bytes, `r ‖ s`, low s.
        signatures: Vec<Bytes>,
    },
    /// To [`Order::Probe`]: it can.
    Usable,
    /// It cosigned, durably.
    Cosigned {
        /// One line of a signed note, ended by a line feed.
        signature: String,
    },
    /// The order's old size is not the one that it cosigned last.
    WitnessConflict {
        /// That size.
        size: u64,
    },
    /// The checkpoint counts.
    Covered {
        /// How far this signer's log is covered now: entries.
        size: u64,
    },
    /// A rule forbids it.
    Refused(Refusal),
    /// Not now: a token is away, a file can't be written. Nothing was signed.
    Unavailable {
        /// What is missing.
        because: String,
    },
    /// Stop: this signer's own data is damaged, or it saw the protocol abort.
    Corrupt {
        /// What is wrong.
        because: String,
        /// Who is proven to have cheated, where the protocol can tell.
        culprit: Option<SignerId>,
    },
}
