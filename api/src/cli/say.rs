//! The only way to standard output. Never used for logs: those go to standard error.

use std::io::Write;

use serde::Serialize;

use super::CliError;

/// Where answers go.
pub struct Say<'a>(&'a mut dyn Write);

impl<'a> Say<'a> {
    /// Through this writer.
    pub fn to(out: &'a mut dyn Write) -> Self {
        Self(out)
    }

    /// Text, as it is.
    pub fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.0.write_all(text.as_bytes()).and_then(|()| self.0.flush()).map_err(CliError::Say)
    }

    /// One JSON value, for people and programs.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value)?;
        self.text(&format!("{text}\n"))
    }
}
