//! Rounds of ceremonies and of signing, with anything but the messages that belong to them.
//! Never runs anything.

use super::{Case, Group, group};

pub(super) const GROUPS: &[Group] = &[
    group! { "key", "Ceremonies that nobody asked for, and DKG messages that are not theirs":
        "key-that-log-does-not-know" => Refused(SignerLogBehind), "a key that the log does not know";
        "key-ceremony-that-nobody-approved" => Refused(SignerKey), "a ceremony that nobody approved";
        "key-token-key-that-nobody-approved" => Refused(SignerKey), "a token key that nobody approved";
        "key-ceremony-of-other-signers" => Refused(SignerNotInSet), "a ceremony of other signers";
        "key-ceremony-that-is-over" => Refused(SignerKey), "a ceremony that is over";
        "key-round-one-that-is-not-its-own" => Corrupt, "round two after a round one of its own that it made for another key";
        "key-round-two-before-round-one" => Refused(SignerProtocol), "round two before round one";
        "key-round-two-before-all-published" => Refused(SignerLogBehind), "round two before all published";
        "key-letters-of-another-ceremony" => Refused(SignerProtocol), "letters of another ceremony";
        "key-letters-to-another-signer" => Refused(SignerProtocol), "letters to another signer";
        "key-letters-with-another-receivers-name" => Refused(SignerProtocol), "letters with another receiver's name";
        "key-letters-under-each-others-sender" => Refused(SignerProtocol), "letters under each other's sender";
        "key-one-letter-twice" => Refused(SignerProtocol), "one letter twice";
        "key-letter-missing" => Refused(SignerProtocol), "a letter missing";
        "key-altered-letter" => Refused(SignerProtocol), "an altered letter";
        "key-round-three-without-cheated-ones-letter" => Refused(SignerProtocol), "round three without a cheated one's letter";
        "key-second-round-one-after-restart" => Refused(SignerProtocol), "a second round one after a restart";
        "key-round-three-without-beginning-after-restart" => Refused(SignerProtocol), "round three without a beginning, after a restart";
    },
    group! { "round", "FROST round two of signing, with anything but the round one that belongs to it":
        "round-session-that-never-was" => Refused(SignerProtocol), "a session that never was";
        "round-no-session" => Refused(SignerProtocol), "no session";
        "round-other-signers-session" => Refused(SignerProtocol), "the other signer's session";
        "round-strangers-commitments" => Refused(SignerProtocol), "a stranger's commitments";
        "round-strangers-commitments-besides" => Refused(SignerProtocol), "a stranger's commitments besides";
        "round-own-commitments-alone" => Refused(SignerProtocol), "own commitments alone";
        "round-own-commitments-twice" => Refused(SignerProtocol), "own commitments twice";
        "round-own-commitments-altered" => Refused(SignerProtocol), "own commitments altered";
        "round-own-commitments-missing" => Refused(SignerProtocol), "own commitments missing";
        "round-commitment-too-many" => Refused(SignerProtocol), "a commitment too many";
        "round-commitment-too-few" => Refused(SignerProtocol), "a commitment too few";
        "round-commitments-that-are-no-points" => Refused(SignerProtocol), "commitments that are no points";
        "round-commitments-to-nothing" => Refused(SignerProtocol), "commitments to nothing";
        "round-commitments-cut-short" => Refused(SignerProtocol), "commitments cut short";
    },
    group! { "sign", "Sessions, abstentions and protocols":
        "sign-eight-orders-to-token" => NothingMore, "eight identical orders at once, to a token";
        "sign-eight-orders-to-share" => NothingMore, "eight identical orders at once, to the holder of a share";
        "sign-two-servers" => Refused(SignerProtocol), "round two of the first of two servers that run the same round one";
        "sign-two-servers-mixed" => Refused(SignerProtocol), "the second server's session with the first one's commitments";
        "sign-another-transfers-session" => Refused(SignerProtocol), "another transfer's session";
        "sign-session-twice" => Refused(SignerProtocol), "a session twice";
        "sign-session-twice-with-other-commitments" => Refused(SignerProtocol), "a session twice, with other commitments";
        "sign-session-that-another-took-place-of" => Refused(SignerProtocol), "a session that another took the place of";
        "sign-session-from-before-restart" => Refused(SignerProtocol), "a session from before a restart";
        "sign-round-two-of-attempt-that-was-replaced" => Refused(AttemptState), "round two of an attempt that was replaced";
        "sign-first-attempts-session-under-seconds-number" => Refused(SignerProtocol), "the first attempt's session under the second's number";
        "sign-round-two-after-transfer-failed" => Refused(SignerProtocol), "round two after the transfer failed";
        "sign-sworn-off-after-it-was-consumed" => Refused(SignerAttemptConsumed), "sworn off after it was consumed";
        "sign-consumed-after-it-was-sworn-off" => Refused(SignerAttemptConsumed), "consumed after it was sworn off";
        "sign-swearing-off-what-nobody-asked-for" => Refused(SignerLogBehind), "swearing off what nobody asked for";
        "sign-share-asked-to-sign-alone" => Refused(SignerProtocol), "a share asked to sign alone";
        "sign-token-asked-for-round-one" => Refused(SignerProtocol), "a token asked for round one";
        "sign-holder-that-is-not-of-attempt" => Refused(SignerNotInSet), "a holder that is not of the attempt";
        "sign-signer-that-holds-no-share" => Refused(SignerNotInSet), "a signer that holds no share";
        "sign-token-asked-for-round-two" => Refused(SignerProtocol), "a token asked for round two";
    },
];
