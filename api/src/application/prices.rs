//! Reference prices: what the policy's source signed. Nothing here makes one.

use serde::Deserialize;
use serde_json::json;
use strongroom_domain::{Asset, Command, price::Quoted};
use utoipa::ToSchema;

use super::{Application, Caller, Failure, Once, Paging, views};
use crate::authorisation::Resource;

/// Record what the policy's price source signed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotePrice {
    /// Asset, reference, minor units for one whole unit, time, and the source's signature.
    #[schema(value_type = Object)]
    pub quoted: Quoted,
}

impl Application {
    /// Records a price: whoever brings it, it is the source's signature that counts.
    pub async fn quote_price(
        &self,
        caller: &Caller,
        once: Once,
        asked: QuotePrice,
    ) -> Result<views::PriceQuoted, Failure> {
        self.demand(caller, "quote-price", &Resource::System)?;
        let subject = json!({ "asset": asked.quoted.asset });
        self.answer(caller, once, Command::QuotePrice(asked.quoted), subject).await
    }

    /// Prices, the old ones too.
    pub async fn prices(
        &self,
        caller: &Caller,
        (asset, paging): (Option<Asset>, Paging),
    ) -> Result<views::PricePage, Failure> {
        self.demand(caller, "read-prices", &Resource::System)?;
        let page = paging.page()?;
        let rows = self.read(move |view| view.prices(asset, page)).await?;
        let next = page.next(rows.len(), rows.last().map(|row| row.position));
        Ok(views::PricePage { items: rows.into_iter().map(Into::into).collect(), next })
    }
}
