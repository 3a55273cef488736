//! Logs that say what no quorum said.
//! A signer that read one does nothing more until it is started again.
//! Never runs anything.

use super::{Case, Group, group};

pub(super) const GROUPS: &[Group] = &[
    group! { "answer", "Answers that no approver gave":
        "answer-approval-with-strangers-signature" => Stops(ApprovalSignature), "an approval with a stranger's signature";
        "answer-approval-counted-twice" => Stops(ApproverSpoke), "an approval counted twice";
        "answer-approval-under-unknown-key" => Stops(ApprovalKeyUnknown), "an approval under an unknown key";
        "answer-approval-from-outside-group" => Stops(ApproverNotInGroup), "an approval from outside the group";
        "answer-makers-own-approval" => Stops(MakerChecker), "the maker's own approval";
        "answer-approval-of-another-proposal" => Stops(ApprovalSignature), "an approval of another proposal";
        "answer-approval-of-failed-transfer" => Stops(ApprovalSignature), "the approval of a transfer that failed, for the same payment asked for again";
        "answer-approval-after-its-end" => Stops(ProposalExpiry), "an approval dated after the end of its question";
        "answer-approval-by-maker-under-other-name" => Stops(ApprovalSignature), "an approval that another approver signed, under the maker's name";
        "answer-no-counted-as-yes" => Stops(ApprovalSignature), "a no counted as a yes";
        "answer-quorum-after-one-approval" => Stops(LogUnlawful), "a quorum after one approval";
        "answer-transfer-approved-by-nobody" => Stops(LogUnlawful), "a transfer approved by nobody";
        "answer-approval-after-no-of-two" => Stops(ProposalNotOpen), "an approval after the no of two";
    },
    group! { "power", "Powers that nobody gave":
        "power-policy-that-no-quorum-set" => Stops(LogUnlawful), "a policy that no quorum set";
        "power-policy-set-by-one-of-two" => Stops(LogUnlawful), "a policy set by one of two";
        "power-policy-of-lone-approvers" => Stops(PolicyInvalid), "a policy of lone approvers";
        "power-another-policy-than-approved-one" => Stops(LogUnlawful), "another policy than the approved one";
        "power-second-charter" => Stops(CharterState), "a second charter";
        "power-key-confirmed-by-forger" => Stops(CeremonySignature), "a key confirmed by a forger";
        "power-deposit-credited-too-early" => Stops(DepositState), "a deposit credited too early";
        "power-attempt-that-nobody-approved" => Stops(TransferState), "an attempt that nobody approved";
        "power-attempt-above-its-fee-cap" => Stops(FeeCap), "an attempt above its fee cap";
        "power-attempt-by-non-members" => Stops(AttemptState), "an attempt by non-members";
        "power-attempt-by-one-member-twice" => Stops(AttemptState), "an attempt by one member, twice";
        "power-attempt-under-another-key" => Stops(SignerKey), "an attempt under another key";
        "power-first-attempt-that-is-second" => Stops(AttemptState), "a first attempt that is the second";
        "power-coins-that-another-transfer-has" => Stops(WalletReserved), "coins that another transfer has";
        "power-failed-transfer-that-keeps-its-hold" => Stops(LogUnlawful), "a failed transfer that keeps its hold";
        "power-failure-that-no-holder-has-sworn-to" => Stops(TransferAbstentions), "a failure that no holder has sworn to";
        "power-failure-sworn-to-by-nobody-real" => Stops(TransferAbstentions), "a failure sworn to by nobody real";
    },
    group! { "question", "A question about something else than was asked":
        "question-another-amount" => Stops(LogUnlawful), "another amount";
        "question-another-destination" => Stops(LogUnlawful), "another destination";
        "question-another-fee-cap" => Stops(LogUnlawful), "another fee cap";
        "question-another-account" => Stops(LogUnlawful), "another account";
        "question-another-wallet" => Stops(LogUnlawful), "another wallet";
        "question-another-asset" => Stops(LogUnlawful), "another asset";
        "question-under-another-policy-version" => Stops(LogUnlawful), "another policy version than the one in force";
        "question-longer-life" => Stops(LogUnlawful), "a later end than was asked for";
        "question-another-maker" => Stops(LogUnlawful), "another maker than the one who asked";
        "question-lower-quorum-than-policys" => Stops(LogUnlawful), "a lower quorum than the policy's";
        "question-no-hold-on-account" => Stops(LogUnlawful), "no hold on the account";
        "question-transfer-asked-for-twice" => Stops(IdTaken), "a transfer asked for twice";
    },
    group! { "rule", "A policy of rules, people and signers, loosened by nobody's quorum":
        "rule-attempt-before-its-time-lock" => Stops(TimeLock), "an attempt before the time lock of its payment is over";
        "rule-time-lock-told-of-late" => Refused(TimeLock), "an approval held back until the log's time lock is over";
        "rule-time-lock-told-of-late-after-restart" => Refused(TimeLock), "the same, and the signer killed and asked again";
        "rule-limit-split-in-three" => Stops(LogUnlawful), "a payment above a daily limit, split in three";
        "rule-limit-by-race-of-two" => Stops(LogUnlawful), "two payments up to a daily limit, asked for at the same moment";
        "rule-limit-by-dating-ahead" => Refused(SignerClock), "a payment above a daily limit, dated tomorrow";
        "rule-tightening-that-adds-destination" => Stops(PolicyTightens), "an officer's tightening that changes a destination";
        "rule-tightening-that-drops-limit" => Stops(PolicyTightens), "an officer's tightening that drops a limit";
        "rule-tightening-that-asks-one" => Stops(PolicyTightens), "an officer's tightening that asks one person in place of two";
        "rule-tightening-by-no-officer" => Stops(RoleMissing), "a tightening by somebody who is no officer";
        "rule-rights-that-nobody-gave" => Stops(LogUnlawful), "a new approver that one of two agreed to";
        "rule-freeze-lifted-by-server" => Stops(LogUnlawful), "a freeze lifted that nobody agreed to lift";
        "rule-destination-frozen-since" => Refused(Frozen), "an approved payment to a destination that was frozen since";
        "rule-quarantine-by-no-officer" => Stops(RoleMissing), "a signer quarantined by somebody who is no officer";
        "rule-quarantine-twice" => Stops(SignerState), "a signer quarantined twice";
        "rule-release-of-signer-by-server" => Stops(LogUnlawful), "a quarantined signer released that nobody agreed to release";
        "rule-attempt-by-quarantined-signer" => Stops(SignerQuarantined), "an attempt that names a quarantined signer";
        "rule-attempt-with-signer-quarantined-since" => Refused(SignerQuarantined), "an attempt one of whose signers was quarantined since";
        "rule-approver-removed-since" => Refused(SignerQuorum), "a payment one of whose two approvers was removed since";
        "rule-approval-by-removed-person" => Stops(RoleMissing), "an approval by a person who was removed, dated after it";
    },
    group! { "intent", "A payment written once more after it was approved":
        "intent-amount" => Stops(IdTaken), "with another amount";
        "intent-destination" => Stops(IdTaken), "with another destination";
        "intent-fee-cap" => Stops(IdTaken), "with another fee cap";
        "intent-asset" => Stops(WalletState), "with another asset";
        "intent-account" => Stops(AccountState), "with an account that there is not";
        "intent-account-of-another" => Stops(IdTaken), "with another client's account";
        "intent-wallet" => Stops(WalletState), "with a wallet that there is not";
        "intent-wallet-of-another" => Stops(IdTaken), "with another wallet";
        "intent-account-and-wallet-of-another" => Stops(IdTaken), "with another client's account and the wallet of it";
        "intent-nothing" => Stops(IdTaken), "with nothing changed";
    },
];
