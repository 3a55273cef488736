//! What a server can append: commands of the product, decided by the product; and, for a flaw, what
//! no rule allows.

use crate::cast::{self, ACCOUNT, KEY, WALLET};
use crate::transaction::{self, Set, TxId, members};
use strongroom_domain::account::{AccountEvent, HoldVoided};
use strongroom_domain::deposit::BlockRef;
use strongroom_domain::freeze::{self, FreezeScope};
use strongroom_domain::proposal::{ProposalEvent, QuorumReached, Subject};
use strongroom_domain::statement::Answer;
use strongroom_domain::transfer::{
    Abandoned, Abstention, Approved, AttemptAuthorised, AttemptRefused, AttemptSigned, Confirmed,
    Failed, ReturnAuthorised, Returns, Stopped, Transfer, TransferEvent,
};
use strongroom_domain::wallet::{CoinsReleased, WalletEvent};
use strongroom_domain::{
    Amount, Bytes, Command, Event, Refusal, Rule, Spends, State, Stream, Timestamp, decide,
};

/// One append, small enough to be a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Append {
    /// Somebody asks for a transfer.
    Request { transfer: u8 },
    /// Somebody asks whether the first transfer should be abandoned.
    ProposeAbandonment,
    /// Somebody asks whether the freeze should be lifted.
    ProposeLifting,
    /// A person answers a question; `asked` is the one whose statement they put their name to.
    Answer { question: u8, asked: u8, person: u8, yes: bool },
    /// An officer freezes the wallet.
    Freeze,
    /// An officer stops it.
    Stop { transfer: u8 },
    /// Its maker takes it back.
    Cancel { transfer: u8 },
    /// Its time is over.
    Expire { transfer: u8 },
    /// Signers may hear of a transaction. It sets aside `coins`, whatever it spends.
    Authorise { transfer: u8, tx: TxId, coins: Set, signers: Set },
    /// A signed transaction exists.
    Signed { transfer: u8 },
    /// A signer refuses.
    Refused { transfer: u8, signer: u8 },
    /// A node took it.
    Broadcast { transfer: u8 },
    /// It is final.
    Confirm { transfer: u8 },
    /// Its cancellation is final.
    Abandoned { transfer: u8 },
    /// It comes to nothing; these holders have sworn it off.
    Fail { transfer: u8, words: Set },
    /// For a flaw: the quorum is said to be reached.
    SayApproved { transfer: u8 },
    /// For a flaw: it fails without a word.
    FailUnheard { transfer: u8, release: bool },
}

fn wrong<T>(because: &str) -> Result<T, Refusal> {
    Err(Refusal::new(Rule::TransferState, because))
}

impl Append {
    /// The entries, if the rules allow them.
    pub(crate) fn events(
        self,
        state: &State,
        now: Timestamp,
    ) -> Result<Vec<(Stream, Event)>, Refusal> {
        match self {
            Self::SayApproved { transfer } => return Ok(say_approved(transfer)),
            Self::FailUnheard { transfer, release } => return Ok(fail_unheard(transfer, release)),
            Self::Request { .. }
            | Self::ProposeAbandonment
            | Self::ProposeLifting
            | Self::Answer { .. }
            | Self::Freeze
            | Self::Stop { .. }
            | Self::Cancel { .. }
            | Self::Expire { .. }
            | Self::Authorise { .. }
            | Self::Signed { .. }
            | Self::Refused { .. }
            | Self::Broadcast { .. }
            | Self::Confirm { .. }
            | Self::Abandoned { .. }
            | Self::Fail { .. } => {}
        }
        match self.command(state, now) {
            Some(command) => Ok(decide(state, command, now)?.events),
            None => wrong("there is nothing to say"),
        }
    }

    fn command(self, state: &State, now: Timestamp) -> Option<Command> {
        Some(match self {
            Self::Request { transfer } => Command::RequestTransfer {
                intent: cast::intent(transfer),
                proposal: cast::proposal(transfer),
                maker: cast::maker(transfer),
                expires_at: expiry(state, now),
            },
            Self::ProposeAbandonment => {
                propose(state, cast::ABANDON, Subject::Abandon { transfer: cast::transfer(0) }, now)
            }
            Self::ProposeLifting => {
                propose(state, cast::LIFT, Subject::Unfreeze { freeze: cast::FREEZE }, now)
            }
            Self::Answer { question, asked, person, yes } => {
                let answer = if yes { Answer::Approve } else { Answer::Decline };
                cast::answer(state, (asked, question), person, answer)?
            }
            Self::Freeze => Command::Freeze(freeze::Set {
                freeze: cast::FREEZE,
                scope: FreezeScope::Wallet(WALLET),
                by: cast::OFFICER,
                because: "a report of theft".to_owned(),
            }),
            Self::Stop { transfer } => Command::StopTransfer {
                transfer: cast::transfer(transfer),
                stopped: Stopped { by: cast::OFFICER, because: "a wrong invoice".to_owned() },
            },
            Self::Cancel { transfer } => Command::CancelProposal {
                proposal: cast::proposal(transfer),
                by: cast::maker(transfer),
            },
            Self::Expire { transfer } => {
                Command::ExpireProposal { proposal: cast::proposal(transfer) }
            }
            Self::Authorise { transfer, tx, coins, signers } => {
                authorise(state, (transfer, tx), coins, signers)
            }
            Self::Signed { transfer } => {
                let (number, tx) = attempt(state, transfer)?;
                let signed = AttemptSigned {
                    attempt: number,
                    raw: transaction::bytes(tx),
                    transaction: format!("{tx:064x}"),
                };
                Command::RecordSigned { transfer: cast::transfer(transfer), signed }
            }
            Self::Refused { transfer, signer } => {
                let refused = AttemptRefused {
                    attempt: attempt(state, transfer)?.0,
                    signer: cast::signer(signer),
                    rule: Rule::SignerExpired,
                    because: "it does not sign".to_owned(),
                };
                Command::RecordRefusal { transfer: cast::transfer(transfer), refused }
            }
            Self::Broadcast { transfer } => Command::RecordBroadcast {
                transfer: cast::transfer(transfer),
                attempt: attempt(state, transfer)?.0,
            },
            Self::Confirm { transfer } => confirm(state, transfer)?,
            Self::Abandoned { transfer } => abandoned(state, transfer)?,
            Self::Fail { transfer, words } => Command::FailTransfer {
                transfer: cast::transfer(transfer),
                because: "it can't be signed".to_owned(),
                abstentions: members(words).map(|signer| word(signer, transfer)).collect(),
            },
            Self::SayApproved { .. } | Self::FailUnheard { .. } => return None,
        })
    }
}

/// As late as the policy allows.
fn expiry(state: &State, now: Timestamp) -> Timestamp {
    let standing = state.charter.standing().unwrap();
    now.plus_seconds(standing.policy.proposal_lifetime_s())
}

fn propose(state: &State, question: u8, subject: Subject, now: Timestamp) -> Command {
    Command::Propose {
        proposal: cast::proposal(question),
        subject,
        maker: cast::maker(question),
        expires_at: expiry(state, now),
    }
}

fn authorise(state: &State, (transfer, tx): (u8, TxId), coins: Set, signers: Set) -> Command {
    let attempt = AttemptAuthorised {
        attempt: attempt(state, transfer).map_or(1, |(number, _)| number + 1),
        unsigned: transaction::bytes(tx),
        fee: Amount::new(transaction::get(tx).fee),
        key: KEY,
        signers: members(signers).map(cast::signer).collect(),
    };
    let transfer = cast::transfer(transfer);
    if transaction::get(tx).is_cancellation() {
        let returned = ReturnAuthorised { returns: Returns::Cancellation, attempt };
        return Command::AuthoriseReturn { transfer, returned };
    }
    let spends = Spends::Coins(members(coins).map(cast::outpoint).collect());
    Command::AuthoriseAttempt { transfer, attempt, spends }
}

/// The last signed attempt that pays somebody, or nobody.
fn signed(state: &State, transfer: u8, cancels: bool) -> Option<(u32, TxId, String)> {
    let attempts = state.transfers.get(&cast::transfer(transfer))?.attempts()?;
    let mut last = None;
    for (number, signed) in &attempts.complete {
        let tx = transaction::parse(&signed.authorised.unsigned)?;
        if transaction::get(tx).is_cancellation() == cancels {
            last = Some((*number, tx, signed.signed.transaction.clone()));
        }
    }
    last
}

fn block() -> BlockRef {
    BlockRef { height: 2, hash: "11".repeat(32) }
}

fn confirm(state: &State, transfer: u8) -> Option<Command> {
    let (attempt, tx, transaction) = signed(state, transfer, false)?;
    let confirmed = Confirmed {
        attempt,
        child: None,
        transaction,
        block: block(),
        paid: Amount::new(cast::AMOUNT),
        fee: Amount::new(transaction::get(tx).fee),
    };
    let transfer = cast::transfer(transfer);
    Some(Command::ConfirmTransfer { transfer, confirmed, change: Vec::new() })
}

fn abandoned(state: &State, transfer: u8) -> Option<Command> {
    let (attempt, tx, transaction) = signed(state, transfer, true)?;
    let fee = Amount::new(transaction::get(tx).fee);
    let abandoned = Abandoned { attempt, transaction, block: block(), fee };
    let transfer = cast::transfer(transfer);
    Some(Command::AbandonTransfer { transfer, abandoned, change: Vec::new() })
}

fn word(signer: u8, transfer: u8) -> Abstention {
    let signature: Bytes = cast::abstention(signer, transfer);
    Abstention { signer: cast::signer(signer), signature }
}

/// The number of the current attempt, and its transaction.
pub(crate) fn attempt(state: &State, transfer: u8) -> Option<(u32, TxId)> {
    let attempts = state.transfers.get(&cast::transfer(transfer)).and_then(Transfer::attempts)?;
    Some((attempts.current.attempt, transaction::parse(&attempts.current.unsigned)?))
}

fn say_approved(transfer: u8) -> Vec<(Stream, Event)> {
    let reached = QuorumReached { approvers: (0..2).map(cast::approver).collect() };
    vec![
        (Stream::Proposal(cast::proposal(transfer)), ProposalEvent::from(reached).into()),
        (Stream::Transfer(cast::transfer(transfer)), TransferEvent::from(Approved {}).into()),
    ]
}

fn fail_unheard(transfer: u8, release: bool) -> Vec<(Stream, Event)> {
    let id = cast::transfer(transfer);
    let failed = Failed { because: "so the server says".to_owned(), abstentions: Vec::new() };
    let mut events: Vec<(Stream, Event)> = vec![
        (Stream::Transfer(id), TransferEvent::from(failed).into()),
        (Stream::Account(ACCOUNT), AccountEvent::from(HoldVoided { transfer: id }).into()),
    ];
    if release {
        let released = CoinsReleased { transfer: id };
        events.push((Stream::Wallet(WALLET), WalletEvent::from(released).into()));
    }
    events
}
