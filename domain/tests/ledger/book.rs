//! A log in memory. Whatever is accepted is folded and audited entry by entry, and the books are
//! balanced after each: a test that uses it checks those rules whatever else it is about.

use crate::{asks::*, names::*};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::{
    Amount, Branch, Command, DepositId, Digest, Event, Head, Network, PersonId, ProposalId,
    Recorded, Refusal, Rule, Spends, State, Stream, Timestamp, WalletId,
    account::{AccountEvent, LedgerAccount},
    audit::{Audited, Violation},
    charter::{CharterEvent, FoundedV1, LogResumed, Resumption, ResumptionSignature},
    decide,
    key::CeremonyPlan,
    place,
    signer::{Enrolled, SignerEvent},
    statement::{self, Answer},
    wallet::{Funds, Tier, WalletEvent},
};

#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) state: State,
    pub(crate) audited: Audited,
    pub(crate) history: Vec<Recorded>,
    pub(crate) now: Timestamp,
    sequences: BTreeMap<Stream, u64>,
    entries: BTreeMap<LedgerAccount, i128>,
}

/// The leaf that the tests' logs have: commits to all before, like the real one.
pub(crate) fn leaf(before: Head, stream: Stream, event: &Event) -> Digest {
    let payload = String::from_utf8(event.encode().unwrap()).unwrap();
    Digest::tagged("test", &[&before.leaf.to_string(), &stream.to_string(), &payload])
}

impl Book {
    pub(crate) fn empty() -> Self {
        Self {
            state: State::default(),
            audited: Audited::default(),
            history: Vec::new(),
            now: "2026-11-22T12:00:00.000000Z".parse().unwrap(),
            sequences: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    /// A charter, and nothing else.
    pub(crate) fn founded() -> Self {
        let mut book = Self::empty();
        let founders = [ANN, BEN, CAT, DAN];
        book.put(Command::FoundCharter(founded(charter(), &founders))).unwrap();
        book
    }

    /// Begins the log as an older build did: no command does it any more.
    pub(crate) fn begin_v1(&mut self, founded: FoundedV1) -> Result<(), Violation> {
        let signers = founded.charter.signers.clone();
        self.try_record(Stream::Charter, CharterEvent::from(founded).into())?;
        for signer in signers {
            let enrolled = Enrolled {
                identity_key: signer.identity_key,
                tls_certificate_sha256: signer.tls_certificate_sha256,
            };
            self.try_record(Stream::Signer(signer.id), SignerEvent::from(enrolled).into())?;
        }
        Ok(())
    }

    /// Goes on from the last entry, as `who` agreed.
    pub(crate) fn certificate(&self, number: u32, who: &[PersonId]) -> LogResumed {
        let from = self.state.head;
        let abandoned = Head { position: from.position + 9, leaf: Digest([9; 32]) };
        let resumption = Resumption { log: LOG, number, abandoned, from };
        let signature = |person: &PersonId| {
            let (key, text) = (key_of(person.0), statement::resumption(&resumption, *person));
            ResumptionSignature { person: *person, key: public(&key), signature: sign(&key, &text) }
        };
        let signatures = who.iter().map(signature).collect();
        LogResumed { signatures, resumption }
    }

    /// As [`Self::founded`], by an older build.
    pub(crate) fn founded_v1() -> Self {
        let mut book = Self::empty();
        book.begin_v1(founded_v1(charter_v1(), &[ANN, BEN, CAT, DAN])).unwrap();
        book
    }

    /// Two keys, wallets and accounts with addresses, and no money.
    pub(crate) fn furnished() -> Self {
        Self::founded().furnish()
    }

    pub(crate) fn furnish(mut self) -> Self {
        let book = &mut self;
        book.make_key(frost_plan(), 0x90);
        book.make_key(token_plan(), 0x91);
        for (account, asset) in [(LTC_ACCOUNT, LTC), (ETH_ACCOUNT, ETH)] {
            book.put(Command::OpenAccount { account, client: CLIENT, asset, by: MAKER }).unwrap();
        }
        for (wallet, network, key) in [
            (LTC_WALLET, Network::LitecoinRegtest, FROST_KEY),
            (ETH_WALLET, Network::EthereumDev, TOKEN_KEY),
        ] {
            let by = MAKER;
            book.put(Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by }).unwrap();
        }
        book.put(derive(LTC_WALLET, ltc_address(), Branch::Deposit, 0)).unwrap();
        book.put(derive(LTC_WALLET, address("rltc1qchange"), Branch::Change, 0)).unwrap();
        book.put(derive(ETH_WALLET, eth_address(), Branch::Deposit, 0)).unwrap();
        self
    }

    /// As [`Self::furnished`], with three deposits of 600 000 on each chain.
    pub(crate) fn funded() -> Self {
        Self::furnished().fund()
    }

    /// As [`Self::funded`], in a log of version 1: the stored texts were made in one.
    pub(crate) fn funded_v1() -> Self {
        Self::founded_v1().furnish().fund()
    }

    pub(crate) fn fund(mut self) -> Self {
        for n in 1..=3 {
            for wallet in [LTC_WALLET, ETH_WALLET] {
                self.deposit(wallet, n, 600_000);
            }
        }
        self
    }

    /// Decides, and records what was decided.
    pub(crate) fn put(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let decision = decide(&self.state, command, self.now)?;
        for (stream, event) in &decision.events {
            assert!(decision.weighed.contains(stream), "{stream} is written and not weighed");
            self.record(*stream, event.clone());
        }
        assert!(self.audited.is_whole(), "the audit waits for more than was decided");
        self.check_totals();
        Ok(decision.events.into_iter().map(|(_, event)| event).collect())
    }

    pub(crate) fn refused(&mut self, command: Command, rule: Rule) {
        match self.put(command.clone()) {
            Err(refusal) => assert_eq!(refusal.rule, rule, "{refusal}"),
            Ok(events) => panic!("{command:?} was not refused but gave {events:?}"),
        }
    }

    fn record(&mut self, stream: Stream, event: Event) {
        if let Err(violation) = self.try_record(stream, event) {
            panic!("decided, and not lawful: {violation}");
        }
    }

    fn try_record(&mut self, stream: Stream, event: Event) -> Result<(), Violation> {
        let sequence = self.sequences.get(&stream).map_or(1, |before| before + 1);
        self.sequences.insert(stream, sequence);
        let before = self.state.head;
        let head = Head { position: before.position + 1, leaf: leaf(before, stream, &event) };
        self.balance(stream, &event);
        let recorded = Recorded { head, time: self.now, stream, sequence, event };
        self.audited.extend(&recorded)?;
        self.state.evolve(&recorded).unwrap();
        assert_eq!(self.audited.state().head, head);
        self.history.push(recorded);
        Ok(())
    }

    /// Whether readers accept an entry that nobody decided.
    pub(crate) fn forge(&self, stream: Stream, event: Event) -> Result<(), Violation> {
        self.clone().try_record(stream, event)
    }

    /// Debits equal credits after every event; claims never go below nothing.
    fn balance(&mut self, stream: Stream, event: &Event) {
        let entries = match event {
            Event::Account(AccountEvent::Posted(posted)) => &posted.entries,
            Event::Account(AccountEvent::HoldPosted(posted)) => &posted.entries,
            Event::Wallet(WalletEvent::Swept(swept)) => &swept.entries,
            _ => return,
        };
        for entry in entries {
            let amount = i128::try_from(entry.amount.units()).unwrap();
            assert!(amount > 0, "an entry of nothing in {stream}");
            *self.entries.entry(entry.debit).or_default() += amount;
            *self.entries.entry(entry.credit).or_default() -= amount;
        }
        assert_eq!(self.entries.values().sum::<i128>(), 0, "debits equal credits");
    }

    /// Debits less credits.
    pub(crate) fn of(&self, account: LedgerAccount) -> i128 {
        self.entries.get(&account).copied().unwrap_or_default()
    }

    fn check_totals(&self) {
        for (id, account) in &self.state.accounts {
            let claim = account.claim().unwrap();
            let held: u128 = claim.holds.values().map(|hold| hold.units()).sum();
            assert_eq!(claim.pending(), Amount::new(held), "pending is the sum of the holds");
            assert!(claim.pending() <= claim.total, "an account is overdrawn");
            let of = |account| self.entries.get(&account).copied().unwrap_or_default();
            let total = i128::try_from(claim.total.units()).unwrap();
            assert_eq!(of(LedgerAccount::Client(*id)), -total, "the claim is what was credited");
            let shortfall = i128::try_from(claim.shortfall.units()).unwrap();
            assert_eq!(of(LedgerAccount::Shortfall(*id)), shortfall);
        }
        for wallet in self.state.wallets.values() {
            check_reserved_once(&wallet.holding().unwrap().funds);
        }
        for proposal in self.state.proposals.values() {
            if let Some(answers) = proposal.answers() {
                let approved: BTreeSet<_> = answers.approvals.keys().copied().collect();
                assert!(approved.is_disjoint(&answers.declined), "somebody answered twice");
                assert!(!approved.contains(&answers.opened.maker), "the maker counted");
            }
        }
    }

    /// In the log's time, some seconds later.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus_seconds(seconds);
    }

    pub(crate) fn in_an_hour(&self) -> Timestamp {
        self.now.plus_seconds(3_600)
    }

    /// `who` answers, with their own key over the right statement.
    pub(crate) fn answer(&self, proposal: ProposalId, who: PersonId, answer: Answer) -> Command {
        let text = self.statement(proposal, who, answer);
        let key = key_of(who.0);
        let signature = sign(&key, &text);
        let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
        Command::AnswerProposal { proposal, answer, approver: who, key: public(&key), evidence }
    }

    /// Any text, where there is no such open proposal.
    pub(crate) fn statement(&self, proposal: ProposalId, who: PersonId, answer: Answer) -> String {
        let answers = self.state.proposals.get(&proposal).and_then(|known| known.answers());
        match (place(&self.state, proposal), answers) {
            (Ok(place), Some(answers)) => {
                statement::approval(&self.state, &place, answers, answer, who)
            }
            _ => "there is nothing to answer".to_owned(),
        }
    }

    pub(crate) fn approve(&mut self, proposal: ProposalId, who: &[PersonId]) {
        for person in who {
            self.put(self.answer(proposal, *person, Answer::Approve)).unwrap();
        }
    }

    /// The whole ceremony of a key.
    pub(crate) fn make_key(&mut self, plan: CeremonyPlan, proposal: u128) {
        let proposal = ProposalId(uuid::Uuid::from_u128(proposal));
        let (maker, expires_at) = (MAKER, self.in_an_hour());
        let ask = Command::RequestCeremony { proposal, plan: plan.clone(), maker, expires_at };
        self.put(ask).unwrap();
        self.approve(proposal, &[ANN, BEN]);
        for holder in &plan.participants {
            if plan.participants.len() > 1 {
                self.put(round_one(plan.key, *holder)).unwrap();
            }
        }
        for holder in &plan.participants {
            self.put(confirmation(plan.key, *holder)).unwrap();
        }
    }

    /// Deposit `n`: seen and credited.
    pub(crate) fn deposit(&mut self, wallet: WalletId, n: u8, amount: u128) -> DepositId {
        let (deposit, seen) = seen(wallet, n, amount);
        self.put(Command::SeeDeposit { deposit, seen }).unwrap();
        self.put(Command::CreditDeposit { deposit, confirmations: 3 }).unwrap();
        deposit
    }

    /// Transfer `n`, asked for in an open question.
    pub(crate) fn request(&self, n: u8, wallet: WalletId, amount: u128) -> Command {
        let expires_at = self.in_an_hour();
        let intent = intent(n, wallet, amount);
        Command::RequestTransfer { intent, proposal: question(n), maker: MAKER, expires_at }
    }

    /// As [`Self::request`], approved by two.
    pub(crate) fn approved(&mut self, n: u8, wallet: WalletId, amount: u128) {
        self.put(self.request(n, wallet, amount)).unwrap();
        self.approve(question(n), &[ANN, BEN]);
    }

    /// A failure, with the word of every holder where they have heard of the transfer.
    pub(crate) fn fail(&self, n: u8) -> Command {
        let known = self.state.transfers.get(&transfer(n)).and_then(|known| known.attempts());
        let key = known.and_then(|attempts| self.state.keys.get(&attempts.current.key));
        let holders = key.and_then(|key| key.active().ok()).map(|key| &key.plan.participants);
        let words = holders.into_iter().flatten().map(|holder| abstention(n, *holder)).collect();
        fail_with(n, words)
    }

    /// An attempt that spends what is free.
    pub(crate) fn attempt(&self, n: u8, attempt: u32) -> Command {
        let transfer = transfer(n);
        let asked = self.state.transfers.get(&transfer).and_then(|known| known.asked());
        let wallet = asked.map_or(LTC_WALLET, |asked| asked.intent.wallet);
        let spends = match &self.state.wallets[&wallet].holding().unwrap().funds {
            Funds::Coins(coins) => Spends::Coins(match coins.reserved.get(&transfer) {
                Some(mine) => mine.keys().cloned().collect(),
                None => coins.free.keys().take(1).cloned().collect(),
            }),
            Funds::Balance(balance) => {
                Spends::AccountNonce(match balance.reserved.get(&transfer) {
                    Some(mine) => mine.account_nonce,
                    None => balance.lowest_nonce(),
                })
            }
        };
        Command::AuthoriseAttempt { transfer, attempt: attempt_of(wallet, attempt), spends }
    }

    /// As [`Self::approved`], with its first attempt.
    pub(crate) fn signing(&mut self, n: u8, wallet: WalletId, amount: u128) {
        self.approved(n, wallet, amount);
        self.put(self.attempt(n, 1)).unwrap();
    }

    pub(crate) fn authorised(&self, n: u8, attempt: u32) -> Result<(), Refusal> {
        self.audited.authorised(transfer(n), attempt, self.now).map(drop)
    }
}

fn check_reserved_once(funds: &Funds) {
    match funds {
        Funds::Coins(coins) => {
            let mut seen = BTreeSet::new();
            for outpoint in coins.free.keys().chain(coins.reserved.values().flat_map(|m| m.keys()))
            {
                assert!(seen.insert(outpoint), "{outpoint} is reserved twice");
            }
        }
        Funds::Balance(balance) => {
            let mut seen = balance.released.clone();
            for reserved in balance.reserved.values() {
                assert!(seen.insert(reserved.account_nonce), "a nonce is reserved twice");
            }
            let held: u128 = balance.reserved.values().map(|mine| mine.amount.units()).sum();
            assert_eq!(balance.held(), Amount::new(held), "held is the sum of what is set aside");
        }
    }
}

/// The policy in force, of the first form.
pub(crate) fn standing_policy(book: &Book) -> strongroom_domain::policy::PolicyV1 {
    book.state.charter.standing().unwrap().policy.v1().unwrap().clone()
}
