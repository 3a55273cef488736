//! Transactions that do something else than people approved.
//! The log is lawful; the bytes are not.
//! Never runs anything.

use super::{Case, Group, group};

pub(super) const GROUPS: &[Group] = &[
    group! { "coins", "An approved payment of coins, whose transaction does something else":
        "coins-one-output-more" => Refused(SignerIntentMismatch), "one output more";
        "coins-two-outputs-of-change" => Refused(SignerIntentMismatch), "two outputs of change";
        "coins-unknown-script" => Refused(SignerIntentMismatch), "an output whose script nobody knows";
        "coins-refused-attempt-after-its-replacement" => Refused(AttemptState), "the refused attempt again, after the honest one that took its place";
        "coins-data-in-output" => Refused(SignerIntentMismatch), "data in an output";
        "coins-another-destination" => Refused(SignerIntentMismatch), "another destination";
        "coins-larger-amount" => Refused(SignerIntentMismatch), "a larger amount";
        "coins-smaller-amount" => Refused(SignerIntentMismatch), "a smaller amount";
        "coins-change-to-stranger" => Refused(SignerIntentMismatch), "change to a stranger";
        "coins-change-to-address-that-log-lies-about" => Refused(SignerIntentMismatch), "change to an address that the log lies about";
        "coins-fee-above-cap-stated-below-it" => Refused(SignerIntentMismatch), "a fee above the cap, stated below it";
        "coins-all-change-as-fee" => Refused(SignerIntentMismatch), "all change as fee";
        "coins-another-fee-than-stated" => Refused(SignerIntentMismatch), "another fee than stated";
        "coins-another-coin-than-reserved" => Refused(SignerIntentMismatch), "another coin than reserved";
        "coins-coin-of-stranger" => Refused(SignerIntentMismatch), "a coin of a stranger";
        "coins-coin-more-than-reserved" => Refused(SignerIntentMismatch), "a coin more than reserved";
        "coins-signatures-that-cover-nothing" => Refused(SignerIntentMismatch), "signatures that cover nothing";
        "coins-script-path" => Refused(SignerIntentMismatch), "a script path";
        "coins-lock-time" => Refused(SignerIntentMismatch), "a lock time";
        "coins-another-version" => Refused(SignerIntentMismatch), "another version";
        "coins-relative-lock" => Refused(SignerIntentMismatch), "a relative lock";
        "coins-something-after-end" => Refused(SignerIntentMismatch), "something after the end";
        "coins-no-transaction-at-all" => Refused(SignerIntentMismatch), "no transaction at all";
    },
    group! { "account", "An approved payment from an account, whose transaction does something else":
        "account-another-chain-id" => Refused(SignerIntentMismatch), "another chain id";
        "account-no-chain-id" => Refused(SignerIntentMismatch), "no chain id";
        "account-another-account-nonce" => Refused(SignerIntentMismatch), "another account nonce";
        "account-larger-value" => Refused(SignerIntentMismatch), "a larger value";
        "account-smaller-value" => Refused(SignerIntentMismatch), "a smaller value";
        "account-another-recipient" => Refused(SignerIntentMismatch), "another recipient";
        "account-contract-creation" => Refused(SignerIntentMismatch), "a contract creation";
        "account-call-data" => Refused(SignerIntentMismatch), "call data";
        "account-delegatecall-in-data" => Refused(SignerIntentMismatch), "call data that hides a `delegatecall`";
        "account-approval-in-data" => Refused(SignerIntentMismatch), "call data that approves a spender";
        "account-value-and-recipient-in-data" => Refused(SignerIntentMismatch), "a contract call in place of the value";
        "account-gas-for-more-than-payment" => Refused(SignerIntentMismatch), "gas for more than a payment";
        "account-fee-above-cap" => Refused(SignerIntentMismatch), "a fee above the cap";
        "account-another-fee-than-stated" => Refused(SignerIntentMismatch), "another fee than stated";
    },
    group! { "replacement", "What is called a replacement and is none":
        "replacement-that-pays-elsewhere" => Refused(SignerIntentMismatch), "a replacement that pays elsewhere";
        "replacement-that-pays-more" => Refused(SignerIntentMismatch), "a replacement that pays more";
        "replacement-whose-change-is-strangers" => Refused(SignerIntentMismatch), "a replacement whose change is a stranger's";
        "replacement-with-output-more" => Refused(SignerIntentMismatch), "a replacement with an output more";
        "replacement-of-another-coin" => Refused(SignerIntentMismatch), "a replacement of another coin";
        "replacement-above-fee-cap-stated-below-it" => Refused(SignerIntentMismatch), "a replacement above the fee cap, stated below it";
        "replacement-that-returns-everything" => Refused(SignerIntentMismatch), "a replacement that returns everything";
    },
    group! { "child", "What is called a child that raises the fee and is none":
        "child-that-pays-somebody" => Refused(SignerIntentMismatch), "a child that pays somebody";
        "child-that-pays-somebody-alone" => Refused(SignerIntentMismatch), "a child that pays somebody alone";
        "child-to-clients-deposit-address" => Refused(SignerIntentMismatch), "a child to a client's deposit address";
        "child-of-another-transaction" => Refused(SignerIntentMismatch), "a child of another transaction";
        "child-that-costs-too-much-with-its-parent" => Refused(SignerIntentMismatch), "a child that costs too much with its parent";
        "child-payment-that-is-called-child" => Refused(SignerIntentMismatch), "a payment that is called a child";
    },
    group! { "nonce", "What is called a replacement by account nonce and is none":
        "nonce-another-account-nonce" => Refused(SignerIntentMismatch), "another account nonce";
        "nonce-larger-value" => Refused(SignerIntentMismatch), "a larger value";
        "nonce-another-recipient" => Refused(SignerIntentMismatch), "another recipient";
        "nonce-call-data" => Refused(SignerIntentMismatch), "call data";
        "nonce-gas-for-more-than-payment" => Refused(SignerIntentMismatch), "gas for more than a payment";
        "nonce-fee-above-cap" => Refused(SignerIntentMismatch), "a fee above the cap";
    },
    group! { "cancel", "What is called a cancellation and is none":
        "cancel-without-quorum" => Stops(TransferState), "a cancellation that no quorum asked for";
        "cancel-that-pays" => Refused(SignerIntentMismatch), "a cancellation that pays";
        "cancel-to-stranger" => Refused(SignerIntentMismatch), "a cancellation to a stranger";
        "cancel-with-another-account-nonce" => Refused(SignerIntentMismatch), "a cancellation with another account nonce";
        "cancel-with-call-data" => Refused(SignerIntentMismatch), "a cancellation with call data";
        "cancel-above-fee-cap" => Refused(SignerIntentMismatch), "a cancellation above the fee cap";
        "cancel-that-costs-something-else-than-stated" => Refused(SignerIntentMismatch), "a cancellation that costs something else than stated";
    },
    group! { "cosigners", "An approved payment of a multisig wallet, whose transaction does something else, or is asked for otherwise":
        "cosigners-another-destination" => Refused(SignerIntentMismatch), "another destination";
        "cosigners-larger-amount" => Refused(SignerIntentMismatch), "a larger amount";
        "cosigners-smaller-amount" => Refused(SignerIntentMismatch), "a smaller amount";
        "cosigners-all-change-as-fee" => Refused(SignerIntentMismatch), "all change as fee";
        "cosigners-fee-above-cap-stated-below-it" => Refused(SignerIntentMismatch), "a fee above the cap, stated below it";
        "cosigners-another-fee-than-stated" => Refused(SignerIntentMismatch), "another fee than stated";
        "cosigners-one-output-more" => Refused(SignerIntentMismatch), "one output more";
        "cosigners-change-to-stranger" => Refused(SignerIntentMismatch), "change to a stranger";
        "cosigners-change-at-an-address-that-log-does-not-know" => Refused(SignerIntentMismatch), "change at an address of the wallet that the log does not know";
        "cosigners-coin-that-is-not-there" => Refused(SignerIntentMismatch), "a coin that is not there";
        "cosigners-descriptor-with-a-strangers-key" => Refused(SignerIntentMismatch), "a coin of another wallet: a stranger's key in a cosigner's place";
        "cosigners-descriptor-with-a-key-more" => Refused(SignerIntentMismatch), "a coin of another wallet: the same keys and a stranger's";
        "cosigners-another-descriptor-named" => Refused(SignerIntentMismatch), "another descriptor named in the bytes";
        "cosigners-no-descriptor-named" => Refused(SignerIntentMismatch), "no descriptor named in the bytes";
        "cosigners-amount-of-coin-lied-about" => Refused(SignerIntentMismatch), "a coin said to be worth more than it is";
        "cosigners-lock-time" => Refused(SignerIntentMismatch), "a lock time";
        "cosigners-relative-lock" => Refused(SignerIntentMismatch), "a relative lock";
        "cosigners-single-keys-transaction" => Refused(SignerIntentMismatch), "a transaction as a single key signs it";
        "cosigners-no-previous-transaction" => Refused(SignerIntentMismatch), "without the transaction that made the coin";
        "cosigners-another-previous-transaction" => Refused(SignerIntentMismatch), "another transaction as the one that made the coin";
        "cosigners-signatures-that-cover-one-output" => Refused(SignerIntentMismatch), "signatures that cover one output";
        "cosigners-another-witness-script" => Refused(SignerIntentMismatch), "another witness script";
        "cosigners-signatures-that-cover-no-output" => Refused(SignerIntentMismatch), "signatures that cover no output";
        "cosigners-internal-key-of-somebody" => Refused(SignerIntentMismatch), "an internal key that somebody has";
        "cosigners-another-leaf" => Refused(SignerIntentMismatch), "another leaf";
        "cosigners-first-round-of-shares" => Refused(SignerProtocol), "the first round of a key in shares asked for";
        "cosigners-session-of-shares" => Refused(SignerProtocol), "a session of a key in shares asked for";
        "cosigners-signer-without-a-part" => Refused(SignerNotInSet), "a signer asked that has no part in it";
        "cosigners-part-asked-for-twice" => NothingMore, "the same part asked for twice";
        "cosigners-part-asked-for-after-a-restart" => NothingMore, "the same part asked for after a restart";
        "cosigners-coin-of-another-transfer" => Refused(SignerIntentMismatch), "a coin more, which another transfer spends";
        "cosigners-transaction-of-a-shared-wallet-for-one-key" => Refused(SignerIntentMismatch), "a multisig transaction for a wallet of one key";
    },
];
