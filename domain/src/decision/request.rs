//! Asking for a payment: the policy in force is asked, and if it lets the payment be asked for, the
//! money is set aside and people are asked. A refusal is recorded too. Nothing is built here.

use super::{Decision, custody, freeze, payment::set_aside, proposal};
use crate::{
    Aggregate as _, ClientId, Intent, PersonId, ProposalId, Refusal, Rule, State, Stream,
    Timestamp,
    account::{self, Account},
    aggregate::so_far,
    charter::Role,
    policy::{Case, Facts, InForce, Label, Policy, PolicyDecision, PolicyV1, Priced, Quorums},
    proposal::Subject,
    transfer::{self, Asked, Requested},
    usage::Late,
    wallet::Tier,
};

/// A payment that is asked for, and the question that it would become.
struct Request {
    intent: Intent,
    proposal: ProposalId,
    maker: PersonId,
    expires_at: Timestamp,
    now: Timestamp,
}

pub(super) fn request(
    state: &State,
    intent: Intent,
    proposal: ProposalId,
    (maker, expires_at): (PersonId, Timestamp),
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let standing = state.charter.standing()?;
    standing.may(maker, &[Role::Initiator])?;
    let account = custody::account(state, intent.account)?;
    let client = account.claim()?.client;
    freeze::check(state, &intent)?;
    let holding = custody::wallet(state, intent.wallet)?.holding()?;
    holding.check_kept()?;
    if holding.network != intent.network() {
        let because = format!("wallet {} is on {}", intent.wallet, holding.network);
        return Err(Refusal::new(Rule::WalletState, because));
    }
    let request = Request { intent, proposal, maker, expires_at, now };
    match &standing.policy {
        InForce::V1(policy) => under_v1(state, policy, account, request),
        InForce::V2(policy) => under_v2(state, policy, (account, client), request),
    }
}

fn weighing(intent: &Intent) -> Decision {
    Decision::weighing([
        Stream::Charter,
        Stream::Freezes,
        Stream::Wallet(intent.wallet),
        Stream::Account(intent.account),
    ])
}

fn under_v1(
    state: &State,
    policy: &PolicyV1,
    account: &Account,
    request: Request,
) -> Result<Decision, Refusal> {
    let intent = request.intent.clone();
    let decided = policy.evaluate(&intent);
    let transfer = so_far(&state.transfers, &intent.transfer);
    let requested = transfer.decide(transfer::Command::Request {
        intent: intent.clone(),
        maker: request.maker,
        proposal: request.proposal,
        decision: decided.clone(),
    })?;
    let decision = weighing(&intent).with(Stream::Transfer(intent.transfer), requested);
    let Ok(quorum) = decided.allowed() else { return Ok(decision) };
    let known_as = known_as(state, &intent)?;
    let quorums = Quorums(vec![quorum.clone()]);
    let subject = Subject::Transfer { intent, known_as };
    question(state, decision, account, (subject, quorums), request)
}

/// As [`under_v1`], under a policy of rules. What was asked for before is weighed by no stream of
/// its own: one writer decides on the whole log, and stops where another appends.
fn under_v2(
    state: &State,
    policy: &Policy,
    (account, client): (&Account, ClientId),
    request: Request,
) -> Result<Decision, Refusal> {
    let Request { maker, now, .. } = request;
    let intent = request.intent.clone();
    // No network carries anything for nothing: the transfer would wait for ever.
    if intent.fee_cap.is_zero() {
        return Err(Refusal::new(Rule::FeeCap, "a fee cap of nothing: every network takes a fee"));
    }
    let decided = judge(state, policy, &intent, (maker, client, now, None))?;
    let requested = Requested {
        intent: intent.clone(),
        maker,
        proposal: None,
        at: now,
        client,
        decision: decided.clone(),
    };
    let transfer = so_far(&state.transfers, &intent.transfer);
    let ask = transfer::Command::Ask { proposal: request.proposal, requested: requested.into() };
    let asked = transfer.decide(ask)?;
    let mut decision = weighing(&intent).with(Stream::Transfer(intent.transfer), asked);
    decision.weighed.extend([Stream::Prices, Stream::Screenings]);
    let Ok(quorums) = decided.allowed() else { return Ok(decision) };
    let standing = state.charter.standing()?;
    let since = standing.destinations_since.get(&intent.network());
    let since = since.and_then(|all| all.get(&intent.destination)).copied();
    let subject = Subject::Payment {
        known_as: known_as(state, &intent)?,
        delay_s: decided.delay_s,
        rules: decided.rules(),
        unusual: state.paid.unusual(&intent, since, now),
        intent,
    };
    question(state, decision, account, (subject, quorums.clone()), request)
}

fn known_as(state: &State, intent: &Intent) -> Result<Label, Refusal> {
    let policy = &state.charter.standing()?.policy;
    policy.label(intent.network(), &intent.destination).cloned().ok_or_else(|| {
        Refusal::new(Rule::DestinationAllowlist, "the destination is not on the allowlist")
    })
}

/// Sets the money aside and asks people.
fn question(
    state: &State,
    decision: Decision,
    account: &Account,
    question: (Subject, Quorums),
    request: Request,
) -> Result<Decision, Refusal> {
    let Request { intent, proposal: id, maker, expires_at, now } = request;
    let held = account.decide(account::Command::PlaceHold {
        transfer: intent.transfer,
        asset: intent.asset,
        amount: set_aside(&intent)?,
    })?;
    let opened = proposal::open(state, id, question, (maker, expires_at), now)?;
    let decision = decision.with(Stream::Account(intent.account), held);
    Ok(decision.with(Stream::Proposal(id), opened))
}

/// What a policy says to a payment that was asked for at a moment, by what the log knows now: the
/// standing one or, for a dry run, another. `priced` is what it was decided with before, if it was.
/// A transfer that is counted already is told only what was counted before it.
pub fn judge(
    state: &State,
    policy: &Policy,
    intent: &Intent,
    by: (PersonId, ClientId, Timestamp, Option<&Priced>),
) -> Result<PolicyDecision, Refusal> {
    weigh(state, policy, intent, by, None)
}

fn weigh(
    state: &State,
    policy: &Policy,
    intent: &Intent,
    (maker, client, at, priced): (PersonId, ClientId, Timestamp, Option<&Priced>),
    late: Option<&Late>,
) -> Result<PolicyDecision, Refusal> {
    let standing = state.charter.standing()?;
    let wallet = state.wallets.get(&intent.wallet).and_then(|wallet| wallet.holding().ok());
    let wallet_tier: Tier = wallet
        .map(|holding| holding.tier)
        .ok_or_else(|| Refusal::new(Rule::WalletState, "there is no such wallet"))?;
    let groups = standing.groups();
    let facts = Facts {
        groups: &groups,
        destinations_since: &standing.destinations_since,
        usage: &state.usage,
        late,
        prices: &state.prices,
        screenings: &state.screenings,
        wallets: &state.wallets,
    };
    let call = None;
    Ok(policy.evaluate(&Case { intent, maker, client, wallet_tier, at, priced, call, facts }))
}

/// What the policy says now to a payment that was asked for before: about the moment and at the
/// price that it was asked with. Of what was asked for under a policy of the first form neither is
/// known; then the moment is its approval, and it is counted on top of all that came since.
pub(crate) fn judge_again(
    state: &State,
    policy: &Policy,
    intent: &Intent,
    asked: &Asked,
) -> Result<PolicyDecision, Refusal> {
    let client = match asked.client {
        Some(client) => client,
        None => custody::account(state, intent.account)?.claim()?.client,
    };
    let at = asked.at.or(asked.approved_at).unwrap_or(state.time);
    judge(state, policy, intent, (asked.maker, client, at, asked.priced.as_ref()))
}

/// As [`judge_again`], by a reader's own clock: as if it had been asked for at `seen`, at the price of
/// today, where that is given; and with `late` in the windows that it was there in.
pub(crate) fn judge_as_seen(
    state: &State,
    policy: &Policy,
    asked: &Asked,
    (seen, late): (Option<Timestamp>, &Late),
) -> Result<PolicyDecision, Refusal> {
    let intent = &asked.intent;
    let client = match asked.client {
        Some(client) => client,
        None => custody::account(state, intent.account)?.claim()?.client,
    };
    let dated = asked.at.or(asked.approved_at).unwrap_or(state.time);
    let priced = asked.priced.as_ref().filter(|_| seen.is_none());
    weigh(state, policy, intent, (asked.maker, client, seen.unwrap_or(dated), priced), Some(late))
}
