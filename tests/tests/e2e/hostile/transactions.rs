//! Unsigned transactions, honest and not, and the attempts that name them. Honest ones come from
//! the product's own builder; the others from its parts, or from bytes put together by hand.

use bitcoin::hashes::Hash as _;
use bitcoin::psbt::Psbt;
use strongroom_chains::bitcoin::{self as utxo, Plan};
use strongroom_chains::ethereum::{self, Gas};
use strongroom_chains::frost::{GroupKey, KeyPath};
use strongroom_domain::deposit::{BlockRef, Seen};
use strongroom_domain::transfer::AttemptAuthorised;
use strongroom_domain::wallet::Coin;
use strongroom_domain::{
    AccountId, Address, AddressPath, Amount, Branch, Bytes, Command, DepositId, Family, Intent,
    KeyId, Network, ProposalId, SignerId, Spends, TransferId, WalletId,
};
use uuid::Uuid;

use super::forge::Forge;

pub(super) const FEE: u128 = 10_000;
pub(super) const FEE_CAP: u128 = 100_000;
pub(super) const COIN: u128 = 1_000_000;
pub(super) const AMOUNT: u128 = 400_000;
pub(super) const GAS_PRICE: u128 = 10_000_000_000;
const ETHER: u128 = 1_000_000_000_000_000_000;

/// A wallet with an account, and the key that its signers made.
#[derive(Clone)]
pub(super) struct Custody {
    pub(super) network: Network,
    pub(super) key: KeyId,
    pub(super) wallet: WalletId,
    pub(super) account: AccountId,
    pub(super) deposit: Address,
    pub(super) public_key: [u8; 33],
    pub(super) package: Bytes,
    /// Who signs.
    pub(super) signers: Vec<SignerId>,
}

/// A payment that was asked for.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) intent: Intent,
    pub(super) proposal: ProposalId,
}

pub(super) const CHANGE: AddressPath = AddressPath { branch: Branch::Change, index: 0 };
pub(super) const DEPOSIT: AddressPath = AddressPath { branch: Branch::Deposit, index: 0 };

impl Custody {
    /// The internal key of one of the wallet's addresses.
    pub(super) fn key_of(&self, path: AddressPath) -> [u8; 33] {
        match self.network.family() {
            Family::Ethereum => self.public_key,
            Family::Bitcoin => {
                let path = KeyPath { change: path.branch.number(), index: path.index };
                GroupKey::from_bytes(&self.public_key).unwrap().child(path).unwrap().to_bytes()
            }
        }
    }

    pub(super) fn address(&self, path: AddressPath) -> Address {
        strongroom_chains::address_of(self.network, &self.key_of(path)).unwrap()
    }

    /// A deposit, seen and credited.
    pub(super) fn fund(&self, forge: &mut Forge) -> Coin {
        let (coin, seen, credited) = self.deposit_commands();
        forge.run(seen);
        forge.run(credited);
        coin
    }

    /// What a deposit brings, and the commands that record it.
    pub(super) fn deposit_commands(&self) -> (Coin, Command, Command) {
        let txid = Uuid::now_v7().simple().to_string().repeat(2);
        let (place, amount) = match self.network.family() {
            Family::Bitcoin => (format!("{txid}:0"), Amount::new(COIN)),
            Family::Ethereum => (txid.clone(), Amount::new(ETHER)),
        };
        let deposit = DepositId::of(self.network, &place);
        let seen = Seen {
            wallet: self.wallet,
            address: self.deposit.clone(),
            account: self.account,
            amount,
            place,
            block: BlockRef { height: 7, hash: txid.clone() },
        };
        let coin = Coin { outpoint: format!("{txid}:0").parse().unwrap(), amount, path: DEPOSIT };
        let credited = Command::CreditDeposit { deposit, confirmations: 3 };
        (coin, Command::SeeDeposit { deposit, seen }, credited)
    }

    pub(super) fn intent(&self, forge: &Forge) -> Intent {
        let (amount, fee_cap) = match self.network.family() {
            Family::Bitcoin => (AMOUNT, FEE_CAP),
            Family::Ethereum => (ETHER / 1000, ETHER / 1000),
        };
        Intent {
            transfer: TransferId(Uuid::now_v7()),
            account: self.account,
            wallet: self.wallet,
            asset: self.network.native_asset(),
            amount: Amount::new(amount),
            destination: forge.people.destinations[&self.network].clone(),
            fee_cap: Amount::new(fee_cap),
        }
    }

    /// The command that asks for a payment, and what it asks.
    pub(super) fn request(&self, forge: &Forge) -> (Asked, Command) {
        let (intent, proposal) = (self.intent(forge), ProposalId(Uuid::now_v7()));
        let command = Command::RequestTransfer {
            intent: intent.clone(),
            proposal,
            maker: forge.people.maker,
            expires_at: forge.time.plus_seconds(86_400),
        };
        (Asked { intent, proposal }, command)
    }

    pub(super) fn ask(&self, forge: &mut Forge) -> Asked {
        let (asked, command) = self.request(forge);
        forge.run(command);
        asked
    }

    pub(super) fn ask_and_approve(&self, forge: &mut Forge) -> Asked {
        let asked = self.ask(forge);
        forge.agree(asked.proposal);
        asked
    }

    /// What an honest saga would authorise as attempt 1.
    pub(super) fn attempt(&self, unsigned: Bytes, fee: u128) -> AttemptAuthorised {
        let (key, signers) = (self.key, self.signers.clone());
        AttemptAuthorised { attempt: 1, unsigned, fee: Amount::new(fee), key, signers }
    }

    /// Writes an attempt of what was approved, lawful as far as the log goes.
    #[track_caller]
    pub(super) fn authorise(
        &self,
        forge: &mut Forge,
        asked: &Asked,
        attempt: AttemptAuthorised,
        spends: Spends,
    ) {
        let transfer = asked.intent.transfer;
        forge.run(Command::AuthoriseAttempt { transfer, attempt, spends });
    }

    /// The honest transaction over one coin.
    pub(super) fn psbt(&self, intent: &Intent, coin: &Coin, fee: u128) -> Bytes {
        self.psbt_with(intent, coin, fee, |path| self.key_of(path))
    }

    /// As [`Self::psbt`], with other keys for the wallet's addresses.
    pub(super) fn psbt_with(
        &self,
        intent: &Intent,
        coin: &Coin,
        fee: u128,
        key_of: impl Fn(AddressPath) -> [u8; 33],
    ) -> Bytes {
        let change = coin.amount.units() - intent.amount.units() - fee;
        let plan = Plan {
            inputs: vec![coin.clone()],
            change: Some(Amount::new(change)),
            fee: Amount::new(fee),
        };
        let chain = utxo::Chain::of(self.network).unwrap();
        let built = utxo::build(chain, intent, &plan, CHANGE, |path| Some(key_of(path)));
        built.unwrap().to_bytes()
    }

    /// The honest payment of an account.
    pub(super) fn payment(&self, intent: &Intent, nonce: u64) -> Bytes {
        let chain = ethereum::Chain::of(self.network).unwrap();
        let gas = Gas { max_fee: GAS_PRICE, max_priority_fee: GAS_PRICE };
        ethereum::build(chain, intent, nonce, gas).unwrap().to_bytes()
    }

    /// Funds, asks, approves and authorises an honest transaction.
    #[track_caller]
    pub(super) fn honest(&self, forge: &mut Forge) -> Asked {
        let coin = self.fund(forge);
        let asked = self.ask_and_approve(forge);
        self.authorise_honestly(forge, &asked, &coin);
        asked
    }

    #[track_caller]
    pub(super) fn authorise_honestly(&self, forge: &mut Forge, asked: &Asked, coin: &Coin) {
        let (attempt, spends) = self.honest_attempt(forge, asked, coin);
        self.authorise(forge, asked, attempt, spends);
    }

    pub(super) fn honest_attempt(
        &self,
        forge: &Forge,
        asked: &Asked,
        coin: &Coin,
    ) -> (AttemptAuthorised, Spends) {
        match self.network.family() {
            Family::Bitcoin => {
                let unsigned = self.psbt(&asked.intent, coin, FEE);
                (self.attempt(unsigned, FEE), Spends::Coins(vec![coin.outpoint.clone()]))
            }
            Family::Ethereum => {
                let nonce = self.next_nonce(forge);
                let unsigned = self.payment(&asked.intent, nonce);
                (self.attempt(unsigned, 21_000 * GAS_PRICE), Spends::AccountNonce(nonce))
            }
        }
    }

    pub(super) fn next_nonce(&self, forge: &Forge) -> u64 {
        let holding = forge.state.wallets[&self.wallet].holding().unwrap();
        holding.funds.balance().unwrap().lowest_nonce()
    }
}

/// A PSBT, changed.
pub(super) fn altered(psbt: &Bytes, change: impl FnOnce(&mut Psbt)) -> Bytes {
    let mut psbt = Psbt::deserialize(psbt.as_slice()).unwrap();
    change(&mut psbt);
    Bytes(psbt.serialize())
}

/// One more output.
pub(super) fn add_output(psbt: &mut Psbt, script: bitcoin::ScriptBuf, value: u64) {
    let value = bitcoin::Amount::from_sat(value);
    let last = psbt.unsigned_tx.output.last_mut().unwrap();
    last.value -= value;
    psbt.unsigned_tx.output.push(bitcoin::TxOut { value, script_pubkey: script });
    psbt.outputs.push(bitcoin::psbt::Output::default());
}

/// A taproot script of a key that is nobody's here.
pub(super) fn strange_script() -> bitcoin::ScriptBuf {
    let key = bitcoin::XOnlyPublicKey::from_slice(&super::forge::point()[1..]).unwrap();
    bitcoin::ScriptBuf::new_p2tr_tweaked(bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(
        key,
    ))
}

/// An outpoint that exists nowhere.
pub(super) fn strange_outpoint() -> bitcoin::OutPoint {
    bitcoin::OutPoint { txid: bitcoin::Txid::from_byte_array([9; 32]), vout: 0 }
}

/// EIP-1559's signing form from its nine fields, by hand: nothing of the product refuses it here.
pub(super) struct Raw {
    pub(super) chain_id: u128,
    pub(super) nonce: u128,
    pub(super) gas_price: u128,
    pub(super) gas: u128,
    pub(super) to: Vec<u8>,
    pub(super) value: u128,
    pub(super) data: Vec<u8>,
}

impl Raw {
    pub(super) fn of(custody: &Custody, intent: &Intent, nonce: u64) -> Self {
        let chain = ethereum::Chain::of(custody.network).unwrap();
        Self {
            chain_id: chain.id.into(),
            nonce: nonce.into(),
            gas_price: GAS_PRICE,
            gas: 21_000,
            to: hex::decode(intent.destination.as_str().trim_start_matches("0x")).unwrap(),
            value: intent.amount.units(),
            data: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> Bytes {
        let number = |value: u128| {
            let bytes = value.to_be_bytes();
            let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
            text(&bytes[first..])
        };
        let fields = [
            number(self.chain_id),
            number(self.nonce),
            number(self.gas_price),
            number(self.gas_price),
            number(self.gas),
            text(&self.to),
            number(self.value),
            text(&self.data),
            vec![0xc0],
        ]
        .concat();
        let length = u8::try_from(fields.len()).unwrap();
        let head = if length < 56 { vec![0xc0 + length] } else { vec![0xf8, length] };
        Bytes([vec![2], head, fields].concat())
    }
}

/// RLP of a short byte string.
fn text(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        [one] if *one < 0x80 => vec![*one],
        short => [vec![0x80 + u8::try_from(short.len()).unwrap()], short.to_vec()].concat(),
    }
}
