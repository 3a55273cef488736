//! Keys that prove themselves, sign together in several rounds, and are given up.
//! Never runs anything.

use super::{Case, Group, group};

pub(super) const GROUPS: &[Group] = &[
    group! { "ecdsa", "Rounds of threshold ECDSA (dkls23)":
        "ecdsa-round-that-log-does-not-show" => Refused(SignerLogBehind), "a round of a ceremony before the log shows the one before";
        "ecdsa-round-too-far" => Refused(SignerProtocol), "a round after the next one, in a ceremony and in signing";
        "ecdsa-no-letters" => Refused(SignerProtocol), "no letters, in a ceremony and in signing";
        "ecdsa-letter-missing" => Refused(SignerProtocol), "a letter missing";
        "ecdsa-letter-twice" => Refused(SignerProtocol), "a letter twice";
        "ecdsa-letter-changed" => Refused(SignerProtocol), "a letter altered on the way";
        "ecdsa-letter-cut-short" => Refused(SignerProtocol), "a letter cut short";
        "ecdsa-letter-empty" => Refused(SignerProtocol), "an empty letter";
        "ecdsa-letter-of-stranger" => Refused(SignerProtocol), "a letter under a stranger's name";
        "ecdsa-letter-for-another" => Refused(SignerProtocol), "a letter to another signer";
        "ecdsa-letter-of-its-own" => Refused(SignerProtocol), "a letter under its own name";
        "ecdsa-no-session" => Refused(SignerProtocol), "a round one without a session";
        "ecdsa-short-session" => Refused(SignerProtocol), "a session of 15 bytes";
        "ecdsa-holder-cheats" => Corrupt, "another holder, with the server: a letter of round one that makes the receiver's check of the oblivious transfer fail";
        "ecdsa-session-with-cheat" => Refused(SignerQuarantined), "after that another session with the same holder, and no word of it in the log";
        "ecdsa-session-with-cheat-after-restart" => Refused(SignerQuarantined), "the same, when the signer was restarted";
        "ecdsa-session-begun-twice" => Refused(SignerProtocol), "round one of a session that was begun before";
        "ecdsa-session-before-last" => Refused(SignerProtocol), "a session that another took the place of";
        "ecdsa-letter-of-another-session" => Refused(SignerProtocol), "letters of another session";
        "ecdsa-round-twice" => Refused(SignerProtocol), "a round twice";
        "ecdsa-letters-of-round-before" => Refused(SignerProtocol), "letters of the round before";
        "ecdsa-changed-sum" => Refused(SignerProtocol), "another signer's last message altered: no signature, and nobody is blamed";
        "ecdsa-session-from-before-restart" => Refused(SignerProtocol), "a session from before a restart";
    },
    group! { "ed25519", "Rounds of FROST on edwards25519":
        "ed25519-ceremony-begun-as-another-protocols" => Refused(SignerProtocol), "a ceremony begun by the order of another protocol";
        "ed25519-round-that-log-does-not-show" => Refused(SignerLogBehind), "a round of a ceremony before the log shows the one before";
        "ed25519-round-too-far" => Refused(SignerProtocol), "a round after the next one";
        "ed25519-no-letters" => Refused(SignerProtocol), "no letters";
        "ed25519-letter-missing" => Refused(SignerProtocol), "a letter missing";
        "ed25519-letter-twice" => Refused(SignerProtocol), "a letter twice";
        "ed25519-letter-changed" => Refused(SignerProtocol), "a letter altered on the way";
        "ed25519-letter-cut-short" => Refused(SignerProtocol), "a letter cut short";
        "ed25519-letter-of-stranger" => Refused(SignerProtocol), "a letter under a stranger's name";
        "ed25519-letter-for-another" => Refused(SignerProtocol), "a letter to another signer";
        "ed25519-letter-of-another-ceremony" => Refused(SignerProtocol), "letters of another ceremony";
        "ed25519-proof-without-session" => Refused(SignerProtocol), "a proof's round one without a session";
        "ed25519-proof-session-begun-twice" => Refused(SignerProtocol), "a proof's session that was begun before";
        "ed25519-proof-by-one" => Refused(SignerProtocol), "a proof by one holder";
        "ed25519-proof-with-a-stranger" => Refused(SignerProtocol), "a proof with a signer that holds no share";
        "ed25519-proof-round-too-far" => Refused(SignerProtocol), "a proof's round after the next one";
        "ed25519-proof-commitment-missing" => Refused(SignerProtocol), "a proof's commitment missing";
        "ed25519-proof-commitment-twice" => Refused(SignerProtocol), "a proof's commitment twice";
        "ed25519-proof-commitment-of-stranger" => Refused(SignerProtocol), "a proof's commitment of a stranger";
        "ed25519-proof-commitment-malformed" => Refused(SignerProtocol), "a proof's commitment cut short: nobody is blamed";
        "ed25519-proof-own-commitment-altered" => Refused(SignerProtocol), "its own commitment altered";
        "ed25519-proof-of-another-session" => Refused(SignerProtocol), "a session that another took the place of";
        "ed25519-proof-share-altered" => Refused(SignerProtocol), "a signature share altered on the way: nobody is blamed";
        "ed25519-payment" => Refused(SignerLogBehind), "a payment with a key that no network's wallet can have";
    },
    group! { "proof", "Spend proofs: showing that a key can sign":
        "proof-of-no-key" => Refused(SignerLogBehind), "of a key that the log does not know";
        "proof-of-a-key-of-the-first-form" => Refused(SignerKey), "of a key of the first form";
        "proof-of-another-epoch" => Refused(SignerKey), "of another epoch";
        "proof-of-no-epoch" => Refused(SignerKey), "of no epoch";
        "proof-in-a-session-without-a-name" => Refused(SignerProtocol), "in a session without a name";
        "proof-by-one" => Refused(SignerProtocol), "by one";
        "proof-by-one-twice" => Refused(SignerProtocol), "by one twice";
        "proof-without-this-signer" => Refused(SignerProtocol), "without this signer";
        "proof-with-a-stranger" => Refused(SignerProtocol), "with a stranger";
        "proof-by-all" => Refused(SignerProtocol), "by all";
        "proof-round-two-first" => Refused(SignerProtocol), "round two first";
        "proof-round-three" => Refused(SignerProtocol), "round three";
        "proof-round-none" => Refused(SignerProtocol), "round none";
        "proof-session-again" => Refused(SignerProtocol), "session again";
        "proof-own-commitment-altered" => Refused(SignerProtocol), "own commitment altered";
        "proof-own-commitment-alone" => Refused(SignerProtocol), "own commitment alone";
        "proof-others-commitment-alone" => Refused(SignerProtocol), "others commitment alone";
        "proof-commitment-of-a-stranger" => Refused(SignerProtocol), "commitment of a stranger";
        "proof-nonce-again" => Refused(SignerProtocol), "nonce again";
        "proof-session-for-a-payment" => Refused(SignerProtocol), "session for a payment";
        "proof-of-shares-that-have-proven-themselves" => Refused(SignerKey), "of shares that have proven themselves";
        "proof-of-a-quarantined-key" => Refused(SignerKey), "of a quarantined key";
    },
    group! { "sweep", "Sweeps of a wallet that is given up":
        "sweep-without-a-rotation" => Stops(Sweep), "without a rotation";
        "sweep-to-a-foreign-address" => Stops(Sweep), "to a foreign address";
        "sweep-to-another-wallet" => Stops(Sweep), "to another wallet";
        "sweep-for-another-successor" => Stops(Sweep), "for another successor";
        "sweep-above-the-cap" => Stops(Sweep), "above the cap";
        "sweep-at-a-clients-cost" => Stops(Sweep), "at a client's cost";
        "sweep-of-more-than-there-is" => Stops(Sweep), "of more than there is";
        "sweep-to-an-address-the-successors-key-has-not" => Refused(SignerSweep), "to an address the successor's key has not";
        "sweep-whose-bytes-pay-a-stranger" => Refused(SignerIntentMismatch), "whose bytes pay a stranger";
        "sweep-that-leaves-half-behind" => Refused(SignerIntentMismatch), "that leaves half behind";
        "sweep-whose-log-states-another-fee" => Refused(SignerIntentMismatch), "whose log states another fee";
    },
    group! { "rotation", "Wallets given up":
        "rotation-without-a-quorum" => Stops(LogUnlawful), "without a quorum";
        "rotation-to-another-successor-afterwards" => Stops(LogUnlawful), "to another successor afterwards";
    },
    group! { "cosigners", "Making a key of cosigners, and logs about one":
        "cosigners-ceremony-without-a-quorum" => Refused(SignerKey), "a ceremony without a quorum";
        "cosigners-descriptor-before-the-keys" => Refused(SignerLogBehind), "the descriptor before the keys are in the log";
        "cosigners-third-round" => Refused(SignerProtocol), "a third round";
        "cosigners-ceremony-begun-as-another-protocols" => Refused(SignerProtocol), "a ceremony begun as another protocol's";
        "cosigners-ceremony-of-others" => Refused(SignerNotInSet), "a ceremony of others";
        "cosigners-key-asked-for-twice" => NothingMore, "its key asked for twice";
        "cosigners-one-key-of-two-signers" => Refused(CeremonyPlan), "one key for two signers";
        "cosigners-key-of-a-cosigner-as-a-signers" => Refused(CeremonyPlan), "an offline cosigner's key as another signer's";
        "cosigners-key-that-is-none" => Refused(CeremonyPlan), "a key that is none";
        "cosigners-key-in-another-spelling" => Refused(CeremonyPlan), "a key in another spelling";
        "cosigners-another-key-for-the-signers-own" => Corrupt, "another key for the signer's own";
        "cosigners-descriptor-without-its-signers-word" => Stops(CeremonySignature), "a confirmation that its signer did not sign";
        "cosigners-swapped-after-the-approval" => Stops(ApprovalSignature), "a cosigner's key swapped after the approval";
        "cosigners-proof-of-a-place-that-is-none" => Stops(KeyUnproven), "a proof of a cosigner that is none";
        "cosigners-change-of-shares-that-are-none" => Stops(CeremonyPlan), "a change of shares, which such a key has not";
        "cosigners-wallet-before-each-has-proven-itself" => Stops(KeyUnproven), "a wallet before every cosigner has proven itself";
    },
];
