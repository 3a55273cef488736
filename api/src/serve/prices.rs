//! Where signed prices come from, as configured: a file, or an address that answers with the same
//! lines. Never believed: the ledger verifies every signature.

use std::{sync::Arc, time::Duration};

use strongroom_commands::{
    Bus,
    prices::{PriceFeed, QuoteFile, QuoteSource, Quotes, quotes},
};

use super::ServeError;
use crate::config::PricesConfig;

/// The longest answer, in bytes.
const LIMIT: usize = 1024 * 1024;
/// The longest time for one.
const TIME: Duration = Duration::from_secs(10);

/// An address that answers with signed prices.
struct QuoteUrl {
    http: reqwest::Client,
    url: reqwest::Url,
}

impl QuoteUrl {
    async fn all(&self) -> Result<Vec<strongroom_domain::price::Quoted>, String> {
        // An address may hold a password: an error never repeats it.
        let told = |error: reqwest::Error| error.without_url().to_string();
        let answer = self.http.get(self.url.clone()).send().await.map_err(told)?;
        let mut answer = answer.error_for_status().map_err(told)?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(told)? {
            if body.len().saturating_add(part.len()) > LIMIT {
                return Err(format!("the answer is longer than {LIMIT} bytes"));
            }
            body.extend_from_slice(&part);
        }
        let text = String::from_utf8(body).map_err(|_| "the answer is no text".to_owned())?;
        quotes(&text)
    }
}

impl QuoteSource for QuoteUrl {
    fn read(&self) -> Quotes<'_> {
        Box::pin(self.all())
    }
}

/// Starts reading.
pub(super) fn start(config: &PricesConfig, bus: &Bus) -> Result<PriceFeed, ServeError> {
    let refuse = |because: &str| ServeError::Prices { because: because.to_owned() };
    let source: Arc<dyn QuoteSource> = match (&config.file, &config.url) {
        (Some(file), None) => Arc::new(QuoteFile::new(file.clone())),
        (None, Some(url)) => {
            let url: reqwest::Url = url.parse().map_err(|_| refuse("the url is none"))?;
            let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
            if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
                return Err(refuse("the url begins with https://, or http:// on loopback"));
            }
            let client = reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(TIME)
                .build();
            Arc::new(QuoteUrl { http: client.map_err(|error| refuse(&error.to_string()))?, url })
        }
        _ => return Err(refuse("name a file or a url, and not both")),
    };
    let every = Duration::from_secs(config.every_s.max(1));
    Ok(PriceFeed::start(bus.clone(), source, every))
}
