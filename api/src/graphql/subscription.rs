//! Log events as they become durable. Ends when the token is revoked.

use async_graphql::{Context, Result, Subscription};
use futures::{Stream, StreamExt as _};

use super::{error::error, guard::Allowed};
use crate::application::{Application, Presented, views};

/// The subscription.
pub struct Events;

#[Subscription(guard = "Allowed(\"Events\")")]
impl Events {
    #[expect(clippy::unused_async, reason = "resolvers are async, whatever they do")]
    /// Every entry behind `after` (default: all), and then those to come.
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(default)] after: u64,
    ) -> Result<impl Stream<Item = Result<views::LogEvent>> + use<>> {
        // Looked up again for each batch.
        let presented = context.data::<Presented>()?.clone();
        let events = context.data::<Application>()?.follow(presented, after);
        let events = events.map_err(|failure| error(&failure))?;
        Ok(events.map(|event| event.map_err(|failure| error(&failure))))
    }
}
