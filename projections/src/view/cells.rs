//! From a row's cells to the types of `domain`. Never takes a cell that no event could have
//! written.

use crate::error::QueryError;
use rusqlite::{Row, types::FromSql};
use serde::de::DeserializeOwned;
use std::{fmt::Display, str::FromStr};

/// A row.
pub(super) struct Cells<'a>(pub(super) &'a Row<'a>);

impl Cells<'_> {
    fn get<T: FromSql>(&self, column: &str) -> Result<T, QueryError> {
        Ok(self.0.get(column)?)
    }

    pub(super) fn text(&self, column: &str) -> Result<String, QueryError> {
        self.get(column)
    }

    pub(super) fn maybe_text(&self, column: &str) -> Result<Option<String>, QueryError> {
        self.get(column)
    }

    pub(super) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, QueryError> {
        number(column, self.get(column)?)
    }

    pub(super) fn maybe_number<T: TryFrom<i64>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, QueryError> {
        self.get::<Option<i64>>(column)?.map(|found| number(column, found)).transpose()
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T, QueryError> {
        parse(column, &self.text(column)?)
    }

    pub(super) fn maybe_parse<T: FromStr<Err: Display>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, QueryError> {
        self.maybe_text(column)?.map(|found| parse(column, &found)).transpose()
    }

    pub(super) fn maybe_json<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, QueryError> {
        let text = self.maybe_text(column)?;
        let read = text.map(|text| serde_json::from_str(&text));
        read.transpose().map_err(|error| damaged(column, &error))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, QueryError> {
        serde_json::from_str(&self.text(column)?).map_err(|error| damaged(column, &error))
    }
}

pub(super) fn damaged(column: &str, error: &dyn Display) -> QueryError {
    QueryError::Damaged(format!("column {column}: {error}"))
}

fn number<T: TryFrom<i64>>(column: &str, found: i64) -> Result<T, QueryError> {
    T::try_from(found).map_err(|_| damaged(column, &format!("{found} is out of range")))
}

fn parse<T: FromStr<Err: Display>>(column: &str, found: &str) -> Result<T, QueryError> {
    found.parse().map_err(|error| damaged(column, &error))
}
