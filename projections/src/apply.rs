//! Makes changes to the tables, and moves the position in the same transaction. Never makes half
//! of a batch.

use crate::{
    change::{Cells, Change, int, text},
    error::RunError,
    fold::{Item, fold},
    schema::FILLED,
};
use rusqlite::{Connection, OptionalExtension, ToSql, Transaction, params, types::Value};
use strongroom_domain::{
    AccountId, Amount, Asset, Digest, Head, TransferId,
    account::{JournalEntry, LedgerAccount},
};

/// Where the tables are: the last entry that they hold.
pub(crate) fn head(db: &Connection) -> rusqlite::Result<Head> {
    db.prepare_cached("SELECT position, leaf FROM head WHERE id = 1")?.query_row([], |row| {
        let (position, leaf): (i64, String) = (row.get(0)?, row.get(1)?);
        // What is no leaf is no entry's: the runner makes the tables again.
        let leaf = leaf.parse().unwrap_or(Digest([0xff; 32]));
        Ok(Head { position: u64::try_from(position).unwrap_or(u64::MAX), leaf })
    })
}

/// Applies entries that follow the tables' head, all or none.
pub(crate) fn batch(db: &Connection, items: &[Item]) -> Result<Head, RunError> {
    let all = db.unchecked_transaction()?;
    let mut head = head(&all)?;
    for item in items {
        let position = item.recorded.head.position;
        let misfit = |reason: String| RunError::Misfit { position, reason };
        if Some(position) != head.position.checked_add(1) {
            return Err(misfit(format!("it cannot follow entry {}", head.position)));
        }
        for change in fold(item) {
            apply(&all, &change).map_err(|error| match error {
                Fault::Database(error) => RunError::Database(error),
                Fault::Misfit(reason) => misfit(reason),
            })?;
        }
        head = item.recorded.head;
    }
    all.prepare_cached("UPDATE head SET position = ?1, leaf = ?2 WHERE id = 1")?
        .execute(params![int(head.position), text(head.leaf)])?;
    all.commit()?;
    Ok(head)
}

/// Empties every table: the next batch begins at the first entry.
pub(crate) fn empty(db: &Connection) -> rusqlite::Result<()> {
    let all = db.unchecked_transaction()?;
    for table in FILLED {
        all.execute(&format!("DELETE FROM {table}"), [])?;
    }
    let none = text(Digest::default());
    all.execute("UPDATE head SET position = 0, leaf = ?1 WHERE id = 1", [none])?;
    all.commit()
}

enum Fault {
    Database(rusqlite::Error),
    Misfit(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
            Self::Misfit(format!("what it adds is there already ({error})"))
        } else {
            Self::Database(error)
        }
    }
}

fn misfit<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Misfit(reason.into()))
}

fn apply(db: &Transaction<'_>, change: &Change) -> Result<(), Fault> {
    match change {
        Change::Insert { table, cells } => insert(db, table, cells),
        Change::Update { table, key, cells } => update(db, table, key, cells),
        Change::PlaceHold { account, transfer, amount, position } => {
            let cells = vec![
                ("account", text(account)),
                ("transfer", text(transfer)),
                ("amount", text(amount)),
                ("position", int(*position)),
            ];
            insert(db, "holds", &cells)?;
            change_account(db, *account, "pending", |pending| pending.checked_add(*amount))
        }
        Change::ReleaseHold { account, transfer } => release(db, *account, *transfer),
        Change::Post { account, entry } => post(db, *account, entry),
        Change::PostIn { asset, entry } => post_in(db, *asset, entry),
    }
}

fn insert(db: &Transaction<'_>, table: &str, cells: &Cells) -> Result<(), Fault> {
    let columns: Vec<_> = cells.iter().map(|(column, _)| *column).collect();
    let marks = vec!["?"; cells.len()].join(", ");
    let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", "));
    db.prepare_cached(&sql)?.execute(values(cells).as_slice())?;
    Ok(())
}

fn update(db: &Transaction<'_>, table: &str, key: &Cells, cells: &Cells) -> Result<(), Fault> {
    let each = |cells: &Cells, with: &str| {
        let terms: Vec<_> = cells.iter().map(|(column, _)| format!("{column} = ?")).collect();
        terms.join(with)
    };
    let sql = format!("UPDATE {table} SET {} WHERE {}", each(cells, ", "), each(key, " AND "));
    let mut all = values(cells);
    all.extend(values(key));
    match db.prepare_cached(&sql)?.execute(all.as_slice())? {
        1 => Ok(()),
        _ => misfit(format!("what it changes is not in {table}")),
    }
}

fn values(cells: &Cells) -> Vec<&dyn ToSql> {
    cells.iter().map(|(_, value)| -> &dyn ToSql { value }).collect()
}

fn release(db: &Transaction<'_>, account: AccountId, transfer: TransferId) -> Result<(), Fault> {
    let sql = "DELETE FROM holds WHERE account = ?1 AND transfer = ?2 RETURNING amount";
    let key = params![text(account), text(transfer)];
    let held: Option<String> =
        db.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
    let Some(held) = held else { return misfit("it settles a hold that does not exist") };
    let held = amount(&held)?;
    change_account(db, account, "pending", |pending| pending.checked_sub(held))
}

/// Double entry between places that wallets hold.
fn post_in(db: &Transaction<'_>, asset: Asset, entry: &JournalEntry) -> Result<(), Fault> {
    let asset = asset.to_string();
    side(db, &asset, entry.debit, "debits", entry.amount)?;
    side(db, &asset, entry.credit, "credits", entry.amount)
}

/// Double entry, and what it does to the client's own figures.
fn post(db: &Transaction<'_>, account: AccountId, entry: &JournalEntry) -> Result<(), Fault> {
    let sql = "SELECT asset FROM accounts WHERE account = ?1";
    let asset: Option<String> =
        db.prepare_cached(sql)?.query_row([text(account)], |row| row.get(0)).optional()?;
    let Some(asset) = asset else { return misfit("there is no such account") };
    let moved = entry.amount;
    side(db, &asset, entry.debit, "debits", moved)?;
    side(db, &asset, entry.credit, "credits", moved)?;
    match entry.debit {
        LedgerAccount::Client(id) => {
            change_account(db, id, "total", |total| total.checked_sub(moved))?;
        }
        LedgerAccount::Shortfall(id) => {
            change_account(db, id, "shortfall", |owed| owed.checked_add(moved))?;
        }
        LedgerAccount::Custody(_) => {}
    }
    match entry.credit {
        LedgerAccount::Client(id) => {
            change_account(db, id, "total", |total| total.checked_add(moved))
        }
        LedgerAccount::Shortfall(id) => {
            change_account(db, id, "shortfall", |owed| owed.checked_sub(moved))
        }
        LedgerAccount::Custody(_) => Ok(()),
    }
}

fn side(
    db: &Transaction<'_>,
    asset: &str,
    of: LedgerAccount,
    column: &'static str,
    moved: Amount,
) -> Result<(), Fault> {
    let (kind, id) = match of {
        LedgerAccount::Client(id) => ("client", text(id)),
        LedgerAccount::Custody(id) => ("custody", text(id)),
        LedgerAccount::Shortfall(id) => ("shortfall", text(id)),
    };
    let create = "INSERT INTO ledger (asset, kind, id, debits, credits)
                  VALUES (?1, ?2, ?3, '0', '0') ON CONFLICT DO NOTHING";
    db.prepare_cached(create)?.execute(params![asset, kind, id])?;
    let key = vec![
        ("kind", Value::Text(kind.to_owned())),
        ("id", id),
        ("asset", Value::Text(asset.to_owned())),
    ];
    change(db, ("ledger", column), &key, |sum| sum.checked_add(moved))
}

fn change_account(
    db: &Transaction<'_>,
    account: AccountId,
    column: &'static str,
    next: impl FnOnce(Amount) -> Option<Amount>,
) -> Result<(), Fault> {
    change(db, ("accounts", column), &vec![("account", text(account))], next)
}

/// Sums are beyond what SQLite counts with, so they are made here.
fn change(
    db: &Transaction<'_>,
    (table, column): (&str, &'static str),
    key: &Cells,
    next: impl FnOnce(Amount) -> Option<Amount>,
) -> Result<(), Fault> {
    let terms: Vec<_> = key.iter().map(|(column, _)| format!("{column} = ?")).collect();
    let sql = format!("SELECT {column} FROM {table} WHERE {}", terms.join(" AND "));
    let found: Option<String> =
        db.prepare_cached(&sql)?.query_row(values(key).as_slice(), |row| row.get(0)).optional()?;
    let Some(found) = found else { return misfit(format!("what it changes is not in {table}")) };
    match next(amount(&found)?) {
        Some(next) => update(db, table, key, &vec![(column, text(next))]),
        None => misfit(format!("{column} in {table} would be below zero or above 2^128")),
    }
}

fn amount(text: &str) -> Result<Amount, Fault> {
    text.parse().or_else(|error| misfit(format!("the table is damaged: {error}")))
}
