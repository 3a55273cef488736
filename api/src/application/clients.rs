//! Credentials that are for some clients only. What is another client's does not exist for them:
//! never an answer by which they could tell that it does.

use strongroom_domain::{AccountId, ClientId, TransferId};

use super::{Application, Caller, Failure};
use crate::authorisation::Resource;

impl Application {
    /// Refuses a client's data to who may not have it: as if there were none.
    pub(super) fn demand_client(
        &self,
        caller: &Caller,
        operation: &str,
        client: Option<ClientId>,
        missing: impl FnOnce() -> Failure,
    ) -> Result<(), Failure> {
        match client {
            Some(client) => {
                let answer = self.demand(caller, operation, &Resource::Client(client));
                if caller.clients.is_some() { answer.map_err(|_| missing()) } else { answer }
            }
            // There is none: whoever sees all clients is told by what was asked.
            None if caller.clients.is_some() => Err(missing()),
            None => self.demand(caller, operation, &Resource::System),
        }
    }

    /// [`Self::demand_client`] for whose this account is.
    pub(super) fn demand_account(
        &self,
        caller: &Caller,
        operation: &str,
        account: AccountId,
    ) -> Result<(), Failure> {
        let missing = || Failure::NotFound { what: "account", id: account.to_string() };
        self.demand_client(caller, operation, self.client_of(account), missing)
    }

    /// [`Self::demand_client`] for from whose account this payment is.
    pub(super) fn demand_payment(
        &self,
        caller: &Caller,
        operation: &str,
        (transfer, account): (TransferId, AccountId),
    ) -> Result<(), Failure> {
        let missing = || Failure::NotFound { what: "transaction", id: transfer.to_string() };
        self.demand_client(caller, operation, self.client_of(account), missing)
    }

    /// Whether an account is shown to the caller: for lists, which the policy has permitted as such.
    pub(super) fn shows(&self, caller: &Caller, account: AccountId) -> bool {
        let Some(clients) = &caller.clients else { return true };
        self.client_of(account).is_some_and(|client| clients.contains(&client))
    }

    fn client_of(&self, account: AccountId) -> Option<ClientId> {
        self.bus().read(|state| Some(state.accounts.get(&account)?.claim().ok()?.client))
    }
}
