//! Log events as they become durable. Ends when the token is revoked.

use async_graphql::{Context, Result, Subscription};
use futures::{Stream, StreamExt as _};
use strongroom_secrets::SecretText;

use super::error::error;
use crate::application::{Application, views};

/// The subscription.
pub struct Events;

/// The token of a connection: looked up again for each batch.
pub(super) struct Presented(SecretText);

impl Presented {
    pub(super) fn new(token: String) -> Self {
        Self(SecretText::new(token))
    }
}

#[Subscription]
impl Events {
    #[expect(clippy::unused_async, reason = "resolvers are async, whatever they do")]
    /// Every entry behind `after` (default: all), and then those to come.
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(default)] after: u64,
    ) -> Result<impl Stream<Item = Result<views::LogEvent>> + use<>> {
        let token = context.data::<Presented>()?.0.expose().to_owned();
        let events = context.data::<Application>()?.follow(SecretText::new(token), after);
        let events = events.map_err(|failure| error(&failure))?;
        Ok(events.map(|event| event.map_err(|failure| error(&failure))))
    }
}
