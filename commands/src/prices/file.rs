//! A file of signed prices, one JSON object on a line, as `strongroom price sign` writes them. Never
//! written here.

use super::{QuoteSource, Quotes};
use std::path::PathBuf;
use strongroom_domain::price::Quoted;

/// More than any list of prices needs.
const LIMIT: u64 = 1024 * 1024;

/// A file of signed prices. Who replaces it does so by renaming: half a file is an error, and is
/// read again.
#[derive(Clone, Debug)]
pub struct QuoteFile(PathBuf);

impl QuoteFile {
    /// The file at `path`; it need not be there yet.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    async fn all(&self) -> Result<Vec<Quoted>, String> {
        let path = self.0.display();
        let told = |error: std::io::Error| format!("{path}: {error}");
        let size = tokio::fs::metadata(&self.0).await.map_err(told)?.len();
        if size > LIMIT {
            return Err(format!("{path}: {size} bytes, and {LIMIT} are the most"));
        }
        let text = tokio::fs::read_to_string(&self.0).await.map_err(told)?;
        quotes(&text).map_err(|because| format!("{path}: {because}"))
    }
}

impl QuoteSource for QuoteFile {
    fn read(&self) -> Quotes<'_> {
        Box::pin(self.all())
    }
}

/// Signed prices, one JSON object on a line; empty lines are passed over.
pub fn quotes(text: &str) -> Result<Vec<Quoted>, String> {
    let lines = text.lines().zip(1_u32..).filter(|(line, _)| !line.trim().is_empty());
    let read = |(line, number): (&str, u32)| {
        serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))
    };
    lines.map(read).collect()
}
