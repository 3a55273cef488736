//! The three main mutations. Each takes an idempotency key, as REST's header does.

use async_graphql::{Context, InputObject, Object, Result};
use strongroom_domain::statement::Answer;

use super::{
    error::{error, parse},
    guard::Allowed,
};
use crate::application::{
    AnswerApproval, Application, Caller, CreateWallet, Failure, Once, RequestTransaction, views,
};

/// The mutations.
pub struct Mutation;

/// Ask for a payment.
#[derive(InputObject)]
struct TransactionInput {
    /// Whose claim becomes smaller.
    account: String,
    /// Which wallet pays.
    wallet: String,
    /// What is paid, such as `litecoin-regtest/ltc`.
    asset: String,
    /// How much, in base units.
    amount: String,
    /// Who is paid.
    destination: String,
    /// The most that the network may take, in base units of its native asset.
    fee_cap: String,
    /// How long the question stays open, in seconds.
    expires_in_s: Option<u64>,
}

/// A signed answer.
#[derive(InputObject)]
struct AnswerInput {
    /// To which proposal.
    proposal: String,
    /// `approve` or `decline`.
    answer: String,
    /// The approver's Ed25519 public key, hex.
    key: String,
    /// Over the whole statement, hex.
    signature: String,
}

/// Let a key hold funds on a network.
#[derive(InputObject)]
struct WalletInput {
    /// Where, such as `litecoin-regtest`.
    network: String,
    /// Who signs.
    key: String,
}

/// An answer by its word.
pub(super) fn answer(word: &str) -> Result<Answer> {
    match word {
        "approve" => Ok(Answer::Approve),
        "decline" => Ok(Answer::Decline),
        _ => Err(error(&Failure::Malformed("answer is `approve` or `decline`".to_owned()))),
    }
}

/// Bound to the mutation and its arguments, whatever fields are asked of the result.
fn once(key: &str, mutation: &str, arguments: &[&str]) -> Result<Once> {
    let mut parts = vec![b"graphql".as_slice(), mutation.as_bytes()];
    parts.extend(arguments.iter().map(|argument| argument.as_bytes()));
    Once::new(key, &parts).map_err(|failure| error(&failure))
}

#[Object(guard = "Allowed(\"Mutation\")")]
impl Mutation {
    /// Ask for a payment. What the policy forbids is recorded and answered with the rule.
    async fn request_transaction(
        &self,
        context: &Context<'_>,
        idempotency_key: String,
        input: TransactionInput,
    ) -> Result<views::TransactionRequested> {
        let expires = input.expires_in_s.map(|seconds| seconds.to_string()).unwrap_or_default();
        let arguments = [
            input.account.as_str(),
            &input.wallet,
            &input.asset,
            &input.amount,
            &input.destination,
            &input.fee_cap,
            &expires,
        ];
        let once = once(&idempotency_key, "requestTransaction", &arguments)?;
        let asked = RequestTransaction {
            account: parse(&input.account)?,
            wallet: parse(&input.wallet)?,
            asset: parse(&input.asset)?,
            amount: parse(&input.amount)?,
            destination: input.destination,
            fee_cap: parse(&input.fee_cap)?,
            expires_in_s: input.expires_in_s,
        };
        let caller = context.data::<Caller>()?;
        let application = context.data::<Application>()?;
        let requested = application.request_transaction(caller, once, asked).await;
        requested.map_err(|failure| error(&failure))
    }

    /// Answer a proposal as the token's person, with a signature over the statement.
    async fn answer_proposal(
        &self,
        context: &Context<'_>,
        idempotency_key: String,
        input: AnswerInput,
    ) -> Result<views::Answered> {
        let arguments = [input.proposal.as_str(), &input.answer, &input.key, &input.signature];
        let once = once(&idempotency_key, "answerProposal", &arguments)?;
        let asked = AnswerApproval {
            answer: answer(&input.answer)?,
            key: parse(&input.key)?,
            signature: Some(parse(&input.signature)?),
            evidence: None,
        };
        let caller = context.data::<Caller>()?;
        let application = context.data::<Application>()?;
        let proposal = parse(&input.proposal)?;
        let answered = application.answer_approval(caller, once, proposal, asked).await;
        answered.map_err(|failure| error(&failure))
    }

    /// Let an active key hold funds on a network.
    async fn create_wallet(
        &self,
        context: &Context<'_>,
        idempotency_key: String,
        input: WalletInput,
    ) -> Result<views::WalletCreated> {
        let arguments = [input.network.as_str(), &input.key];
        let once = once(&idempotency_key, "createWallet", &arguments)?;
        let asked = CreateWallet {
            network: parse(&input.network)?,
            key: parse(&input.key)?,
            tier: strongroom_domain::wallet::Tier::Hot,
        };
        let caller = context.data::<Caller>()?;
        let application = context.data::<Application>()?;
        application.create_wallet(caller, once, asked).await.map_err(|failure| error(&failure))
    }
}
