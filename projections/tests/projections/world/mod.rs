//! A small custody house on a real log: everything in it was decided by `domain` and appended by
//! `store`. Keys are made from fixed seeds and never used anywhere else.

pub(crate) mod founding;

use ed25519_dalek::{Signer as _, SigningKey};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Asset, Branch, Bytes, ClientId, Command, Decision,
    DepositId, Digest, EntryParts, Intent, KeyId, LogId, Network, PersonId, ProposalId, Recorded,
    Refusal, SignerId, Spends, State, Timestamp, TransferId, WalletId, decide,
    deposit::{BlockRef, Seen},
    key::{CeremonyPlan, Confirmed, Protocol, RoundOnePublished},
    place,
    statement::{self, Answer},
    transfer::{self, Abstention, AttemptAuthorised, AttemptRefused},
    wallet::{self, AddressDerived, Coin, Funds, OutPoint},
};
use strongroom_store::{
    Append, AppendLog, Clock, Expected, NewEvent, ReadLog, Record, ledger::Timestamp as EntryTime,
};
use uuid::Uuid;

pub(crate) const MAKER: PersonId = PersonId(Uuid::from_u128(1));
pub(crate) const OFFICER: PersonId = PersonId(Uuid::from_u128(5));
pub(crate) const APPROVERS: [PersonId; 3] =
    [PersonId(Uuid::from_u128(2)), PersonId(Uuid::from_u128(3)), PersonId(Uuid::from_u128(4))];
pub(crate) const CLIENT: ClientId = ClientId(Uuid::from_u128(0x50));
pub(crate) const LOG: LogId = LogId(Uuid::from_u128(0x60));

pub(crate) const LTC: Side = Side { network: Network::LitecoinRegtest, id: 0x20 };
pub(crate) const ETH: Side = Side { network: Network::EthereumDev, id: 0x21 };

/// A network with the one account, wallet and key that the house has there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Side {
    pub(crate) network: Network,
    id: u128,
}

impl Side {
    pub(crate) fn account(self) -> AccountId {
        AccountId(Uuid::from_u128(self.id))
    }

    pub(crate) fn wallet(self) -> WalletId {
        WalletId(Uuid::from_u128(0x100 + self.id))
    }

    pub(crate) fn key(self) -> KeyId {
        KeyId(Uuid::from_u128(0x200 + self.id))
    }

    fn ceremony(self) -> ProposalId {
        ProposalId(Uuid::from_u128(0x300 + self.id))
    }

    fn asset(self) -> Asset {
        self.network.native_asset()
    }

    fn plan(self) -> CeremonyPlan {
        let (protocol, threshold, holders) = if self == LTC {
            (Protocol::FrostSecp256k1Tr, 2, 1..=3)
        } else {
            (Protocol::Pkcs11Secp256k1, 1, 4..=4)
        };
        let participants = holders.map(signer).collect();
        CeremonyPlan { key: self.key(), protocol, threshold, participants }
    }
}

pub(crate) fn signer(n: u8) -> SignerId {
    SignerId(Uuid::from_u128(0x400 + u128::from(n)))
}

pub(crate) fn transfer(n: u8) -> TransferId {
    TransferId(Uuid::from_u128(0x500 + u128::from(n)))
}

/// The question whether [`transfer`] `n` may be paid.
pub(crate) fn question(n: u8) -> ProposalId {
    ProposalId(Uuid::from_u128(0x600 + u128::from(n)))
}

/// What a network would accept: the house does not know.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) public_key: Bytes,
    pub(crate) deposit: Address,
    pub(crate) change: Address,
    pub(crate) destination: Address,
}

impl Facts {
    /// None of it real.
    pub(crate) fn invented(name: &str) -> Self {
        let address = |text: &str| format!("{name}{text}").parse().unwrap();
        Self {
            public_key: Bytes(vec![2; 33]),
            deposit: address("deposit"),
            change: address("change"),
            destination: address("destination"),
        }
    }
}

/// A clock that the house moves.
pub(crate) fn clock() -> (Arc<AtomicU64>, Clock) {
    let start: Timestamp = "2026-11-22T12:00:00.000000Z".parse().unwrap();
    let micros = Arc::new(AtomicU64::new(start.micros()));
    let read = Arc::clone(&micros);
    let clock: Clock =
        Arc::new(move || EntryTime::from_micros(read.load(Ordering::SeqCst)).unwrap());
    (micros, clock)
}

pub(crate) struct World {
    pub(crate) log: Arc<dyn AppendLog>,
    pub(crate) state: State,
    pub(crate) ltc: Facts,
    pub(crate) eth: Facts,
    clock: Arc<AtomicU64>,
    commands: u128,
}

fn key_of(id: Uuid) -> SigningKey {
    SigningKey::from_bytes(&Digest::of(id.as_bytes()).0)
}

fn public(key: &SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_bytes().to_vec())
}

fn sign(key: &SigningKey, text: &str) -> Bytes {
    Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

/// A record as `domain` reads it.
pub(crate) fn read(record: &Record) -> Recorded {
    let entry = &record.entry;
    Recorded::read(EntryParts {
        position: entry.position.get(),
        leaf: *record.leaf().as_bytes(),
        time: &entry.time.to_string(),
        stream: &entry.stream,
        sequence: entry.sequence,
        kind: &entry.r#type,
        version: entry.version,
        payload: &record.payload,
    })
    .unwrap()
}

impl World {
    pub(crate) fn new(
        log: Arc<dyn AppendLog>,
        clock: Arc<AtomicU64>,
        ltc: Facts,
        eth: Facts,
    ) -> Self {
        Self { log, state: State::default(), ltc, eth, clock, commands: 0 }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.load(Ordering::SeqCst))
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    fn facts(&self, side: Side) -> &Facts {
        if side == LTC { &self.ltc } else { &self.eth }
    }

    /// Decides, appends, and reads back.
    pub(crate) async fn act(&mut self, command: Command) -> Result<(), Refusal> {
        self.clock.fetch_add(1, Ordering::SeqCst);
        let decision = decide(&self.state, command, self.now())?;
        if !decision.events.is_empty() {
            self.append(&decision).await;
        }
        Ok(())
    }

    /// A transfer fails, with every holder's word where they have heard of it.
    pub(crate) async fn fail(&mut self, n: u8, because: String) -> Result<(), Refusal> {
        let transfer = transfer(n);
        let known = self.state.transfers.get(&transfer).and_then(|known| known.attempts());
        let key = known.and_then(|attempts| self.state.keys.get(&attempts.current.key));
        let holders = key.and_then(|key| key.active().ok()).map(|key| &key.plan.participants);
        let words = holders.into_iter().flatten().map(|holder| {
            let text = statement::abstention(LOG, transfer, *holder);
            Abstention { signer: *holder, signature: sign(&key_of(holder.0), &text) }
        });
        let abstentions = words.collect();
        self.act(Command::FailTransfer { transfer, because, abstentions }).await
    }

    async fn append(&mut self, decision: &Decision) {
        let mut expected = Vec::new();
        for stream in &decision.weighed {
            let stream = stream.to_string();
            let sequence = self.log.stream_sequence(&stream).await.unwrap();
            expected.push(Expected { stream, sequence });
        }
        let event = |(stream, event): &(strongroom_domain::Stream, strongroom_domain::Event)| {
            let (kind, version) = event.kind();
            let payload = event.encode().unwrap();
            NewEvent { stream: stream.to_string(), r#type: kind.to_owned(), version, payload }
        };
        self.commands += 1;
        let append = Append {
            expected,
            events: decision.events.iter().map(event).collect(),
            actor: "saga".to_owned(),
            command: Uuid::from_u128(self.commands),
            correlation: Uuid::from_u128(self.commands),
            causation: None,
            idempotency: None,
        };
        let first = self.log.append(append).await.unwrap().positions.unwrap().first;
        for record in self.log.read_from(first, 1000).await.unwrap() {
            self.state.evolve(&read(&record)).unwrap();
        }
    }

    /// Two keys, wallets, accounts and their addresses.
    pub(crate) async fn furnish(&mut self) {
        for side in [LTC, ETH] {
            self.make_key(side).await;
            let (asset, by) = (side.asset(), MAKER);
            let open = Command::OpenAccount { account: side.account(), client: CLIENT, asset, by };
            self.act(open).await.unwrap();
            let (wallet, network, key) = (side.wallet(), side.network, side.key());
            let tier = wallet::Tier::Hot;
            self.act(Command::CreateWallet { wallet, network, key, tier, by }).await.unwrap();
            self.derive(side, Branch::Deposit, 0, self.facts(side).deposit.clone()).await.unwrap();
        }
        self.derive(LTC, Branch::Change, 0, self.ltc.change.clone()).await.unwrap();
    }

    pub(crate) async fn derive(
        &mut self,
        side: Side,
        branch: Branch,
        index: u32,
        address: Address,
    ) -> Result<(), Refusal> {
        let account = matches!(branch, Branch::Deposit).then(|| side.account());
        let path = AddressPath { branch, index };
        let derived = AddressDerived { address, path, account };
        self.act(Command::DeriveAddress { wallet: side.wallet(), derived }).await
    }

    async fn make_key(&mut self, side: Side) {
        let (proposal, plan, maker) = (side.ceremony(), side.plan(), MAKER);
        let expires_at = self.now().plus_seconds(3_600);
        let ask = Command::RequestCeremony { proposal, plan: plan.clone(), maker, expires_at };
        self.act(ask).await.unwrap();
        for approver in [0, 1] {
            self.answer(proposal, approver, Answer::Approve).await.unwrap();
        }
        let key = side.key();
        for signer in plan.participants.iter().copied().filter(|_| plan.threshold > 1) {
            let published = RoundOnePublished { signer, package: Bytes(vec![1, 2]) };
            self.act(Command::PublishRoundOne { key, published }).await.unwrap();
        }
        for signer in plan.participants {
            let (public_key, public_package) = (self.facts(side).public_key.clone(), Bytes(vec![]));
            let text = statement::confirmation(LOG, key, signer, &public_key, &public_package);
            let signature = sign(&key_of(signer.0), &text);
            let confirmed = Confirmed { signer, public_key, public_package, signature };
            self.act(Command::ConfirmKey { key, confirmed }).await.unwrap();
        }
    }

    /// The approver with this number says a word, signed.
    pub(crate) async fn answer(
        &mut self,
        proposal: ProposalId,
        approver: usize,
        answer: Answer,
    ) -> Result<(), Refusal> {
        let approver = APPROVERS[approver % 3];
        let place = place(&self.state, proposal)?;
        let answers = self.state.proposals[&proposal].answers().unwrap();
        let text = statement::approval(&self.state, &place, answers, answer, approver);
        let key = key_of(approver.0);
        let (key, signature) = (public(&key), sign(&key, &text));
        let evidence = strongroom_domain::approval_key::Evidence::Signature { signature };
        self.act(Command::AnswerProposal { proposal, answer, approver, key, evidence }).await
    }

    pub(crate) fn deposit_id(side: Side, n: u8) -> DepositId {
        DepositId::of(side.network, &place_of(side, n))
    }

    pub(crate) async fn see(&mut self, side: Side, n: u8, amount: u128) -> Result<(), Refusal> {
        let seen = Seen {
            wallet: side.wallet(),
            address: self.facts(side).deposit.clone(),
            account: side.account(),
            amount: Amount::new(amount),
            place: place_of(side, n),
            block: block(n),
        };
        self.act(Command::SeeDeposit { deposit: Self::deposit_id(side, n), seen }).await
    }

    pub(crate) async fn credit(&mut self, side: Side, n: u8) -> Result<(), Refusal> {
        let deposit = Self::deposit_id(side, n);
        self.act(Command::CreditDeposit { deposit, confirmations: 2 }).await
    }

    pub(crate) fn intent(&self, side: Side, n: u8, amount: u128, fee_cap: u128) -> Intent {
        Intent {
            transfer: transfer(n),
            account: side.account(),
            wallet: side.wallet(),
            asset: side.asset(),
            amount: Amount::new(amount),
            destination: self.facts(side).destination.clone(),
            fee_cap: Amount::new(fee_cap),
        }
    }

    pub(crate) async fn request(&mut self, intent: Intent, n: u8) -> Result<(), Refusal> {
        let (proposal, maker) = (question(n), MAKER);
        let expires_at = self.now().plus_seconds(3_600);
        self.act(Command::RequestTransfer { intent, proposal, maker, expires_at }).await
    }

    /// An attempt that spends what is free.
    pub(crate) async fn authorise(
        &mut self,
        n: u8,
        attempt: u32,
        unsigned: Bytes,
        fee: u128,
    ) -> Result<(), Refusal> {
        let transfer = transfer(n);
        let asked = self.state.transfers.get(&transfer).and_then(|known| known.asked());
        let side =
            asked.map_or(LTC, |asked| if asked.intent.asset == ETH.asset() { ETH } else { LTC });
        let spends = match &self.state.wallets[&side.wallet()].holding()?.funds {
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
        let plan = side.plan();
        let signers = plan.participants.into_iter().take(plan.threshold.into()).collect();
        let attempt = AttemptAuthorised {
            attempt,
            unsigned,
            fee: Amount::new(fee),
            key: side.key(),
            signers,
        };
        self.act(Command::AuthoriseAttempt { transfer, attempt, spends }).await
    }

    pub(crate) async fn refuse(&mut self, n: u8, attempt: u32, by: u8) -> Result<(), Refusal> {
        let (rule, because) = (strongroom_domain::Rule::SignerExpired, "too late".to_owned());
        let refused = AttemptRefused { attempt, signer: signer(by), rule, because };
        self.act(Command::RecordRefusal { transfer: transfer(n), refused }).await
    }

    pub(crate) async fn confirm(
        &mut self,
        n: u8,
        paid: u128,
        fee: u128,
        back: u128,
    ) -> Result<(), Refusal> {
        let (paid, fee) = (Amount::new(paid), Amount::new(fee));
        let known = self.state.transfers.get(&transfer(n));
        let signed = known.and_then(|known| known.attempts()?.signed.as_ref());
        let txid = signed.map(|signed| signed.transaction.clone()).unwrap_or_default();
        let (block, transaction) = (block(n), txid.clone());
        let confirmed =
            transfer::Confirmed { attempt: 1, child: None, transaction, block, paid, fee };
        let coin = Coin {
            outpoint: OutPoint { txid, vout: 1 },
            amount: Amount::new(back),
            path: AddressPath { branch: Branch::Change, index: 0 },
        };
        let change = (back > 0).then_some(coin).into_iter().collect();
        self.act(Command::ConfirmTransfer { transfer: transfer(n), confirmed, change }).await
    }

    pub(crate) fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::clone(&self.log) as Arc<dyn ReadLog>
    }
}

fn place_of(side: Side, n: u8) -> String {
    let txid = Digest([n; 32]);
    if side == LTC { format!("{txid}:0") } else { txid.to_string() }
}

pub(crate) fn block(n: u8) -> BlockRef {
    BlockRef { height: u64::from(n), hash: Digest([n; 32]).to_string() }
}
