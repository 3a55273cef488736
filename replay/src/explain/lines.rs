//! Entries in words. Never leaves out what an entry says that decides something; the whole of it is
//! in the payload beside.

use super::Story;
use crate::quantity::quantity;
use crate::verifier::Judged;
use strongroom_domain::{
    Amount, Bytes, Event, Intent, PersonId, State,
    approval_key::ApprovalKey,
    charter::Standing,
    deposit::BlockRef,
    freeze::FreezeEvent,
    policy::Quorum,
    proposal::{Opened, ProposalEvent, Subject, Unusual},
    statement::{self, Answer, Place},
    transfer::{Requested, RequestedV1, SweepRequested, TransferEvent},
};

type Told = (Vec<String>, Option<String>);

impl Story {
    /// An entry of the story in words, and what was signed with it.
    pub(super) fn told(&self, judged: Judged<'_>, standing: &Standing) -> Told {
        let (state, recorded) = (judged.verifier.state(), judged.recorded);
        match &recorded.event {
            Event::Transfer(event) => (self.transfer(state, standing, event), None),
            Event::Proposal(event) => self.proposal((state, standing), event),
            Event::Account(event) => (self.account(recorded.stream, event), None),
            Event::Wallet(event) => (self.wallet(recorded.stream, event), None),
            Event::Freeze(event) => (frozen(standing, event), None),
            Event::Charter(_)
            | Event::Deposit(_)
            | Event::Key(_)
            | Event::Signer(_)
            | Event::Person(_)
            | Event::Price(_)
            | Event::Screening(_)
            | Event::Reconciliation(_) => (Vec::new(), None),
        }
    }

    fn proposal(&self, (state, standing): (&State, &Standing), event: &ProposalEvent) -> Told {
        let plain = |text: &str| (vec![text.to_owned()], None);
        match event {
            ProposalEvent::OpenedV1(opened) => (asked(standing, &opened.into()), None),
            ProposalEvent::Opened(opened) => (asked(standing, opened), None),
            ProposalEvent::Vetoed(vetoed) => {
                (vec![format!("{} vetoed it.", person(standing, vetoed.by))], None)
            }
            ProposalEvent::ApprovedV1(by) => {
                let evidence = (by.approver, &by.key, &by.signature);
                self.answered((state, standing), Answer::Approve, evidence)
            }
            ProposalEvent::DeclinedV1(by) => {
                let evidence = (by.approver, &by.key, &by.signature);
                self.answered((state, standing), Answer::Decline, evidence)
            }
            ProposalEvent::Approved(by) => {
                let evidence = (by.approver, &by.key, by.evidence.signature());
                self.answered((state, standing), Answer::Approve, evidence)
            }
            ProposalEvent::Declined(by) => {
                let evidence = (by.approver, &by.key, by.evidence.signature());
                self.answered((state, standing), Answer::Decline, evidence)
            }
            ProposalEvent::QuorumReached(reached) => {
                let count = reached.approvers.len();
                (vec![format!("The quorum was reached by {count} approvals.")], None)
            }
            ProposalEvent::Rejected(_) => {
                plain("So many declined that the quorum is out of reach.")
            }
            ProposalEvent::Expired(_) => plain("The time to answer ran out."),
            ProposalEvent::Cancelled(_) => plain("Who asked took the question back."),
            ProposalEvent::Fulfilled(_) => {
                plain("What was approved has happened; the approvals are used up.")
            }
            ProposalEvent::Burnt(burnt) => {
                (vec![format!("The approvals are void for ever: {}", burnt.because)], None)
            }
        }
    }

    /// An answer, with the text that was signed. The verifier has checked the signature over it.
    fn answered(
        &self,
        (state, standing): (&State, &Standing),
        answer: Answer,
        (approver, key, signature): (PersonId, &Bytes, &Bytes),
    ) -> Told {
        let word = match answer {
            Answer::Approve => "approved",
            Answer::Decline => "declined",
        };
        let enrolled = standing.people.get(&approver).and_then(|person| person.approval_key(key));
        let kind = match enrolled {
            None | Some(ApprovalKey::Ed25519 { .. }) => "Ed25519",
            Some(ApprovalKey::P256 { .. }) => "P-256",
            Some(ApprovalKey::WebAuthn { .. }) => "passkey's P-256",
        };
        let says = vec![
            format!("{} {word}.", person(standing, approver)),
            format!("With the {} key {key}, which the charter enrols for this person.", kind),
            format!("Signature, verified: {signature}"),
        ];
        let text = self.opened.as_ref().zip(self.proposal).map(|((head, answers), proposal)| {
            let place = Place { log: standing.log, proposal, opened_at: *head };
            statement::approval(state, &place, answers, answer, approver)
        });
        (says, text)
    }
}

/// Of money: in the asset that was asked for.
impl Story {
    pub(super) fn amount(&self, amount: Amount) -> String {
        match self.asset {
            Some(asset) => quantity(amount, asset),
            None => format!("{amount} base units"),
        }
    }

    fn transfer(&self, state: &State, standing: &Standing, event: &TransferEvent) -> Vec<String> {
        match event {
            TransferEvent::RequestedV1(it) => requested_v1(standing, it),
            TransferEvent::Requested(it) => requested(standing, it),
            TransferEvent::SweepRequested(it) => swept(standing, it),
            TransferEvent::Refused(it) => {
                vec![format!("The policy refused it: rule {}: {}", it.rule, it.because)]
            }
            TransferEvent::Approved(_) => vec!["The transfer is approved.".to_owned()],
            TransferEvent::AttemptAuthorised(it) => self.authorised(state, it),
            TransferEvent::AttemptRefused(it) => vec![Self::refused(it)],
            TransferEvent::PartiallySigned(it) => vec![
                format!("Cosigner {} of the wallet signed attempt {}.", it.place, it.attempt),
                "Verified over exactly the authorised transaction, input by input.".to_owned(),
            ],
            TransferEvent::AttemptSigned(it) => vec![
                format!("Attempt {} is signed: transaction {}.", it.attempt, it.transaction),
                "Its signatures were verified over exactly the authorised transaction.".to_owned(),
            ],
            TransferEvent::AttemptFound(it) => Self::found(it),
            TransferEvent::AttemptBroadcast(it) => {
                vec![format!("A node took attempt {}, says the server.", it.attempt)]
            }
            TransferEvent::ReturnAuthorised(it) => self.returned(state, it),
            TransferEvent::FeeCapRaised(it) => {
                let most = self.amount(it.fee_cap);
                vec![format!("Its quorum lets it cost up to {most}: proposal {}.", it.proposal)]
            }
            TransferEvent::AbandonmentApproved(it) => vec![format!(
                "Its quorum wants it cancelled on its chain: proposal {}.",
                it.proposal
            )],
            TransferEvent::ConfirmedV1(it) => self.finished(&it.block, it.paid, it.fee),
            TransferEvent::Confirmed(it) => {
                let mut says = vec![format!(
                    "Of its transactions attempt {} is the one that the chain took: {}.",
                    it.attempt, it.transaction
                )];
                says.extend(it.child.map(|child| format!("Attempt {child} pulled it along.")));
                says.extend(self.finished(&it.block, it.paid, it.fee));
                says
            }
            TransferEvent::Abandoned(it) => {
                let mut says = vec![format!(
                    "Attempt {} cancelled it on its chain: the payment can never take effect.",
                    it.attempt
                )];
                says.extend(self.finished(&it.block, Amount::ZERO, it.fee));
                says
            }
            TransferEvent::Failed(it) => {
                let mut says = vec![format!("It failed: {}", it.because)];
                says.extend(it.abstentions.iter().map(|word| {
                    format!(
                        "Signer {} swore that it has no part in a signature of it.",
                        word.signer
                    )
                }));
                says
            }
            TransferEvent::Rejected(_) => vec!["Its quorum said no.".to_owned()],
            TransferEvent::Cancelled(_) => vec!["Who asked for it took it back.".to_owned()],
            TransferEvent::Expired(_) => {
                vec!["Its time ran out before enough had agreed.".to_owned()]
            }
            TransferEvent::Stopped(it) => {
                vec![format!("{} stopped it: {}", person(standing, it.by), it.because)]
            }
        }
    }

    fn finished(&self, block: &BlockRef, paid: Amount, fee: Amount) -> Vec<String> {
        vec![
            format!(
                "Final on the chain, says the server: block {} at height {}.",
                block.hash, block.height
            ),
            format!(
                "{} reached the destination; the network took {}.",
                self.amount(paid),
                self.amount(fee)
            ),
        ]
    }
}

/// By id and role: names are never in the log.
pub(super) fn person(standing: &Standing, id: PersonId) -> String {
    let roles = standing.people.get(&id).map(|person| {
        let names: Vec<_> = person.roles.iter().map(|role| format!("{role:?}")).collect();
        names.join(", ").to_lowercase()
    });
    match roles {
        Some(roles) => format!("Person {id} ({roles})"),
        None => format!("Person {id} (no role in the charter)"),
    }
}

fn group(quorum: &Quorum) -> String {
    let people: Vec<_> = quorum.group.iter().map(ToString::to_string).collect();
    format!("{} of these {}: {}", quorum.approvals, people.len(), people.join(", "))
}

fn swept(standing: &Standing, requested: &SweepRequested) -> Vec<String> {
    let SweepRequested { intent, successor, rotation, maker, coins } = requested;
    let mut says = intended(standing, intent, *maker);
    says.push(format!(
        "Wallet {} was given up: wallet {successor} takes its place.",
        intent.wallet
    ));
    says.push(format!("The quorum of proposal {rotation} agreed to every such sweep."));
    says.push(
        "What arrives is the amount less the fee, which the account named here bears.".into(),
    );
    for coin in coins {
        says.push(format!("- it spends {coin}"));
    }
    says
}

fn requested_v1(standing: &Standing, requested: &RequestedV1) -> Vec<String> {
    let RequestedV1 { intent, maker, decision, .. } = requested;
    let mut says = intended(standing, intent, *maker);
    says.push(format!("Policy version {} was asked:", decision.policy_version));
    for verdict in &decision.verdicts {
        let word = if verdict.passed { "passed" } else { "FORBIDS IT" };
        says.push(format!("- rule {}: {word}: {}", verdict.rule, verdict.because));
    }
    says.push(match &decision.quorum {
        Some(quorum) => format!("So it needs {}.", group(quorum)),
        None => "So nobody was asked.".to_owned(),
    });
    says
}

fn requested(standing: &Standing, requested: &Requested) -> Vec<String> {
    let Requested { intent, maker, decision, client, at, .. } = requested;
    let mut says = intended(standing, intent, *maker);
    says.push(format!("The account is client {client}'s."));
    says.push(format!("Policy version {} was asked about {at}:", decision.policy_version));
    for verdict in &decision.verdicts {
        let word = if verdict.passed { "passed" } else { "FORBIDS IT" };
        let (rule, kind) = (&verdict.rule, verdict.kind);
        says.push(format!("- rule {rule} ({kind}): {word}: {}", verdict.because));
    }
    let allowed = decision.allowed();
    says.push(match allowed {
        Ok(quorums) => {
            let groups: Vec<_> = quorums.0.iter().map(group).collect();
            format!("So it needs {}.", groups.join(", and "))
        }
        Err(_) => "So nobody was asked.".to_owned(),
    });
    if allowed.is_ok() && decision.delay_s > 0 {
        says.push(format!("Once approved it waits {} s more.", decision.delay_s));
    }
    says
}

fn intended(standing: &Standing, intent: &Intent, maker: PersonId) -> Vec<String> {
    let native = intent.network().native_asset();
    vec![
        format!(
            "{} asked to pay {} to {} on {}.",
            person(standing, maker),
            quantity(intent.amount, intent.asset),
            intent.destination,
            intent.network()
        ),
        format!("For account {}, from wallet {}.", intent.account, intent.wallet),
        format!("The network may take at most {}.", quantity(intent.fee_cap, native)),
    ]
}

/// A freeze that stops the transfer, or lets it go on.
fn frozen(standing: &Standing, event: &FreezeEvent) -> Vec<String> {
    match event {
        FreezeEvent::Set(set) => vec![
            format!("{} froze {}: {}", person(standing, set.by), set.scope, set.because),
            "From here on no signer signs it until a quorum lifts the freeze.".to_owned(),
        ],
        FreezeEvent::Lifted(lifted) => {
            vec![format!("A quorum lifted freeze {}.", lifted.freeze)]
        }
    }
}

fn asked(standing: &Standing, opened: &Opened) -> Vec<String> {
    let parts: Vec<_> = opened.quorums.0.iter().map(group).collect();
    let mut says = vec![
        format!("The question was put by {}.", person(standing, opened.maker)),
        format!("It needs {}.", parts.join(", and ")),
        format!(
            "Policy version {}; no answer counts after {}.",
            opened.policy_version, opened.expires_at
        ),
    ];
    if let Subject::Payment { known_as, rules, unusual, .. } = &opened.subject {
        let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
        says.push(format!("The allowlist knows the destination as {known_as}."));
        says.push(format!("Rules that were asked: {}.", rules.join(", ")));
        says.extend(unusual.iter().map(|what| match what {
            Unusual::FirstPayment => "Unusual: nothing was ever paid there.".to_owned(),
            Unusual::LargestAmount { so_far } => {
                format!("Unusual: never more than {so_far} base units were paid there.")
            }
            Unusual::NewDestination { since } => {
                format!("Unusual: it is on the allowlist only since {since}.")
            }
        }));
    }
    if opened.delay_s > 0 {
        says.push(format!("Once approved it waits {} s, and can be stopped.", opened.delay_s));
    }
    says
}
