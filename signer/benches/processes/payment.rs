//! A wallet of the signers' key, and whole lives of payments from it.

use strongroom_domain::deposit::BlockRef;
use strongroom_domain::transfer::{AttemptSigned, Confirmed};
use strongroom_domain::wallet::{AddressDerived, Tier};
use strongroom_domain::{
    AccountId, AddressPath, Amount, Bytes, ClientId, Command, Family, KeyId, Network, TransferId,
    WalletId,
};
use uuid::Uuid;

use super::transactions::{Asked, CHANGE, Custody, DEPOSIT, FEE, GAS_PRICE};
use super::world::World;
use super::{Kind, Size};

impl World {
    /// A wallet, an account and a funded address of a key that was made.
    pub(crate) fn custody(&mut self, kind: Kind, key: KeyId, (threshold, _): Size) -> Custody {
        let network = match kind {
            Kind::Frost => Network::LitecoinRegtest,
            Kind::Ecdsa => Network::EthereumDev,
        };
        let signers = self.ids[..usize::from(threshold)].to_vec();
        let (wallet, account) = (WalletId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
        let forge = &mut self.forge;
        let by = forge.people.maker;
        forge.run(Command::CreateWallet { wallet, network, key, tier: Tier::Hot, by });
        let (client, asset) = (ClientId(Uuid::now_v7()), network.native_asset());
        forge.run(Command::OpenAccount { account, client, asset, by });
        let active = forge.state.keys[&key].active().unwrap();
        let mut custody = Custody {
            network,
            key,
            wallet,
            account,
            deposit: forge.people.destinations[&network].clone(),
            public_key: active.public_key.array().unwrap(),
            package: active.public_package.clone(),
            signers,
        };
        custody.deposit = custody.address(DEPOSIT);
        let mut derive = |path: AddressPath, account| {
            let derived = AddressDerived { address: custody.address(path), path, account };
            forge.run(Command::DeriveAddress { wallet, derived });
        };
        derive(DEPOSIT, Some(account));
        if network.family() == Family::Bitcoin {
            derive(CHANGE, None);
        }
        custody
    }

    /// Funds, asks, approves and authorises a payment, and writes nothing else.
    pub(crate) fn pay(&mut self, custody: &Custody) -> Asked {
        custody.honest(&mut self.forge)
    }

    /// What a chain says of it in the end. What was signed is the server's word: any will do.
    pub(crate) fn settle(&mut self, custody: &Custody, asked: &Asked) {
        let transfer: TransferId = asked.intent.transfer;
        let transaction = transfer.to_string().replace('-', "").repeat(2);
        let raw = Bytes(vec![1]);
        let signed = AttemptSigned { attempt: 1, raw, transaction: transaction.clone() };
        self.forge.run(Command::RecordSigned { transfer, signed });
        let block = BlockRef { height: 9, hash: "0".repeat(64) };
        let fee = match custody.network.family() {
            Family::Bitcoin => FEE,
            Family::Ethereum => 21_000 * GAS_PRICE,
        };
        let (paid, fee) = (asked.intent.amount, Amount::new(fee));
        let confirmed = Confirmed { attempt: 1, child: None, transaction, block, paid, fee };
        self.forge.run(Command::ConfirmTransfer { transfer, confirmed, change: Vec::new() });
    }
}
