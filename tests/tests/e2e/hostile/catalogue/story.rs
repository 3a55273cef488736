//! Logs, times, connections: what a signer is told about anything but a quorum.
//! Never runs anything.

use super::{Case, Group, group};

pub(super) const GROUPS: &[Group] = &[
    group! { "chain", "A log whose chain does not hold":
        "chain-entry-altered" => Refused(SignerLogFork), "an entry altered";
        "chain-entry-dropped" => Refused(SignerLogFork), "an entry dropped";
        "chain-entries-reordered" => Refused(SignerLogFork), "entries reordered";
        "chain-entry-doubled" => Refused(SignerLogFork), "an entry doubled";
        "chain-entry-of-another-log" => Refused(SignerGenesis), "an entry of another log";
        "chain-whole-log-again" => Refused(SignerLogFork), "the whole log again";
        "chain-payload-that-is-not-entrys" => Refused(SignerLogFork), "a payload that is not the entry's";
        "chain-time-that-runs-backwards" => Refused(SignerLogFork), "time that runs backwards";
        "chain-time-that-has-not-come" => Refused(SignerClock), "time that has not come";
        "chain-event-that-nobody-knows" => Refused(SignerLogFork), "an event that nobody knows";
        "chain-event-spelled-otherwise" => Refused(SignerLogFork), "an event spelled otherwise";
        "chain-stream-that-nobody-knows" => Refused(SignerLogFork), "a stream that nobody knows";
    },
    group! { "life", "An order for a transfer at the wrong time of its life":
        "life-never-asked-for" => Refused(SignerLogBehind), "never asked for";
        "life-asked-for" => Refused(TransferState), "asked for";
        "life-approved-by-one" => Refused(TransferState), "approved by one";
        "life-approved-without-transaction" => Refused(TransferState), "approved, without a transaction";
        "life-cancelled" => Refused(TransferState), "cancelled";
        "life-rejected" => Refused(TransferState), "rejected";
        "life-expired-in-log" => Refused(TransferState), "expired in the log";
        "life-expired-by-signers-clock-alone" => Refused(SignerExpired), "expired by the signer's clock alone";
        "life-failed" => Refused(TransferState), "failed";
        "life-signed" => Refused(TransferState), "signed";
        "life-broadcast" => Refused(TransferState), "broadcast";
        "life-confirmed" => Refused(TransferState), "confirmed";
    },
    group! { "time", "Orders after something changed, and other logs":
        "time-sworn-off-where-it-is-over" => Refused(TransferState), "sworn off where it is over";
        "time-transfer-that-was-not-pushed-yet" => Refused(SignerLogBehind), "a transfer that was not pushed yet";
        "time-attempt-with-number-that-there-is-not" => Refused(AttemptState), "an attempt with a number that there is not";
        "time-two-approvals-where-three-are-needed-now" => Refused(SignerQuorum), "two approvals where three are needed now";
        "time-destination-that-is-not-allowed-any-more" => Refused(SignerPolicy), "a destination that is not allowed any more";
        "time-key-in-quarantine" => Refused(SignerKey), "a key in quarantine";
        "time-wallet-that-is-frozen" => Refused(Frozen), "a wallet that is frozen";
        "time-freeze-that-is-asked-to-be-lifted-and-is-not" => Refused(Frozen), "a freeze that is asked to be lifted and is not";
        "time-disk-with-older-copy-of-log" => Silent, "a disk whose copy of the log is older than its journal";
        "time-old-disk-image-other-history" => Refused(SignerNotCovered), "a signer from an old disk image, told of another history";
        "time-old-disk-image-few-witnesses" => Refused(SignerCheckpoint), "the same, with a checkpoint that too few have cosigned";
        "time-old-disk-image-replaced-attempt" => Refused(AttemptState), "a signer from an old disk image, asked for an attempt that was replaced";
        "time-another-genesis" => Refused(SignerGenesis), "another genesis";
        "time-charter-with-its-id-under-another-key" => Refused(SignerGenesis), "a charter with its id under another key";
        "time-another-story-after-kill" => Refused(SignerLogFork), "another story after a kill";
        "time-end-of-another-story" => Refused(SignerLogFork), "the end of another story";
        "time-another-log-from-its-beginning" => Refused(SignerLogFork), "another log from its beginning";
        "time-first-attempt-while-second-is-signed" => Refused(AttemptState), "the first attempt while the second is signed";
        "time-first-attempt-after-second" => Refused(AttemptState), "the first attempt after the second";
    },
    group! { "clock", "Dates of the log that a signer's own clock does not bear out":
        "clock-destination-listed-in-the-past" => Refused(TimeLock), "a payment to a destination that was listed, by the log's dates, longer ago than it has to cool off";
        "clock-destination-listed-in-the-past-after-restart" => Refused(TimeLock), "the same, and the signer killed and asked again";
        "clock-limit-dated-into-two-windows" => Refused(SignerClock), "two payments above an hourly limit, told together and dated more than an hour apart";
        "clock-limit-dated-into-two-windows-after-restart" => Refused(SignerClock), "the same, and the signer killed and asked again";
        "clock-limit-with-a-new-checkpoint" => Refused(SignerClock), "the same, with a checkpoint that witnesses cosigned today";
        "clock-limit-with-an-old-checkpoint-of-too-few" => Refused(SignerCheckpoint), "the same, with a checkpoint of then that too few witnesses cosigned";
        "clock-limit-with-an-old-checkpoint-of-one-and-new-ones" => Refused(SignerClock), "the same, with a checkpoint that all but one witness cosigned today, and that one then";
        "clock-limit-with-an-old-checkpoint-of-entries-before" => Refused(SignerClock), "the same, with a checkpoint of then that ends before the second";
        "clock-longer-lock-since" => Refused(TimeLock), "a payment whose approval was held back, when a policy that was tightened since asks it to wait";
        "clock-dated-into-open-hours" => Refused(SignerClock), "a payment dated into hours in which it may be asked for, told outside of them";
    },
    group! { "witness", "Two histories, and checkpoints that too few have seen":
        "witness-checkpoint-with-one-cosignature-too-few" => Refused(SignerCheckpoint), "a checkpoint with one cosignature too few";
        "witness-signing-what-too-few-have-seen" => Refused(SignerNotCovered), "signing what too few have seen";
        "witness-fork-that-most-have-not-seen" => Corrupt, "a checkpoint of the history that it did not see";
        "witness-charter-without-witnesses" => Refused(SignerCharter), "a log whose charter enrols no witnesses";
        "witness-cosigning-other-history" => Refused(SignerLogFork), "cosigning the other history";
        "witness-transfer-that-no-counting-checkpoint-covers" => Refused(SignerNotCovered), "a transfer that no counting checkpoint covers";
        "witness-transfer-whose-checkpoint-was-shown-before-restart" => Refused(SignerNotCovered), "a transfer whose checkpoint was shown before a restart";
        "witness-another-story-after-rollback" => Refused(SignerLogFork), "another story after a rollback";
        "witness-anything-before-resumption-that-was-agreed" => Refused(LogResumption), "anything before the resumption that was agreed";
    },
    group! { "wire", "Bytes that are no order, from who has the server's key":
        "wire-nobodys-certificate" => Silent, "a connection without a client certificate";
        "wire-strangers-certificate" => Silent, "a connection with another server's certificate";
        "wire-no-tls" => Silent, "a connection without TLS";
        "wire-frame-too-long" => Silent, "a frame of a byte more than 16 MiB";
        "wire-frame-of-4-gib" => Silent, "a frame of 4 GiB";
        "wire-nothing" => Refused(SignerProtocol), "nothing";
        "wire-no-json" => Refused(SignerProtocol), "no JSON";
        "wire-half-of-order" => Refused(SignerProtocol), "half of an order";
        "wire-order-that-there-is-not" => Refused(SignerProtocol), "an order that there is not";
        "wire-order-with-field-more" => Refused(SignerProtocol), "an order with a field more";
        "wire-order-without-its-fields" => Refused(SignerProtocol), "an order without its fields";
        "wire-id-that-is-none" => Refused(SignerProtocol), "an id that is none";
        "wire-list" => Refused(SignerProtocol), "a list";
        "wire-deep-nest" => Refused(SignerProtocol), "a deep nest";
        "wire-bytes-that-are-no-text" => Refused(SignerProtocol), "bytes that are no text";
        "wire-longest-frame-of-blanks" => Refused(SignerProtocol), "the longest frame, of blanks";
    },
];
