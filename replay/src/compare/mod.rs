//! Holds a live read model against its log, row by row. Never trusts the read model's own fold:
//! what it makes of the log is held against the audited fold and the journal entries first.

mod rows;

use crate::{
    books::Totals,
    finding::{Fault, Finding},
    rebuild::rebuilt,
    source::Source,
    spine::Expected,
    verifier::Verifier,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use strongroom_domain::{Head, State};
use strongroom_projections::{
    DepositFilter, PAGE_LIMIT, Page, ProposalFilter, QueryError, ReadOnly, TransferFilter, View,
};

/// One thing of which the two say something else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// What it is.
    pub what: String,
    /// What follows from the log; `None` where there should be no such thing.
    pub log: Option<String>,
    /// What the read model says; `None` where it has no such thing.
    pub read_model: Option<String>,
}

/// What was compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Comparison {
    /// Where the read model is.
    pub position: u64,
    /// The hash of the entry there.
    pub leaf: String,
    /// How many rows were held against the log.
    pub rows: usize,
    /// Everything that differs.
    pub differences: Vec<Difference>,
}

/// What the log says, to be ticked off.
struct Ticking {
    expected: BTreeMap<String, String>,
    rows: usize,
    differences: Vec<Difference>,
}

/// Compares a read model with the log, at the read model's own place. All of it is made again, from
/// nothing, in the folder `scratch`; what was made is held against the audited fold and the journal
/// entries, and the read model against what was made, row by row and in both directions.
pub fn compare(
    source: Source,
    expected: Expected,
    model: &ReadOnly,
    scratch: &Path,
    progress: impl FnMut(u64),
) -> Result<Comparison, Finding> {
    let compared = model.view(|view| Ok(against(source, expected, view, scratch, progress)));
    compared.unwrap_or_else(|error| Err(unreadable(&error)))
}

fn unreadable(error: &QueryError) -> Finding {
    Finding::of(Fault::Unreadable, error.to_string())
}

/// One moment of the read model, however long the log takes.
fn against(
    source: Source,
    expected: Expected,
    view: &View<'_>,
    scratch: &Path,
    progress: impl FnMut(u64),
) -> Result<Comparison, Finding> {
    let at = view.head().map_err(|error| unreadable(&error))?;
    let failed = |error: &dyn ToString| {
        Finding::of(Fault::Unreadable, format!("{}: {}", scratch.display(), error.to_string()))
    };
    let folder = tempfile::tempdir_in(scratch).map_err(|error| failed(&error))?;
    let made = folder.path().join("read.db");
    let verifier = rebuilt(source, expected, &made, Some(at.position), progress)?;
    follows(verifier.state().head, at)?;
    let made = ReadOnly::open(&made).map_err(|error| failed(&error))?;
    let mut ticking = Ticking { expected: told(&verifier), rows: 0, differences: Vec::new() };
    let compared = made.view(|made| {
        ticking.all(made)?;
        let (_, mut differences) = ticking.rest();
        let rows = rows::compare(made, view, &mut differences)?;
        Ok((rows, differences))
    });
    let (rows, differences) = compared.map_err(|error| unreadable(&error))?;
    Ok(Comparison { position: at.position, leaf: at.leaf.to_string(), rows, differences })
}

fn follows(log: Head, model: Head) -> Result<(), Finding> {
    if log == model {
        return Ok(());
    }
    let message = format!(
        "the read model is at entry {} with hash {}, the log has entry {} with hash {}",
        model.position, model.leaf, log.position, log.leaf
    );
    Err(Finding::at(Fault::Differs, model.position, message))
}

/// Every row that the read model must have.
fn told(verifier: &Verifier) -> BTreeMap<String, String> {
    let State { accounts, transfers, proposals, deposits, .. } = verifier.state();
    let mut rows = BTreeMap::new();
    for (id, account) in accounts {
        let Ok(claim) = account.claim() else { continue };
        let figures = balance(&claim.asset, &claim.total, &claim.pending(), &claim.available());
        rows.insert(format!("account {id}"), format!("{figures}, shortfall {}", claim.shortfall));
        for (transfer, amount) in &claim.holds {
            rows.insert(format!("hold of account {id} for {transfer}"), amount.to_string());
        }
    }
    for (asset, account, totals) in verifier.books().accounts() {
        rows.insert(format!("ledger {account:?} in {asset}"), sides(totals));
    }
    rows.extend(transfers.iter().map(|(id, of)| (format!("transfer {id}"), of.name().to_owned())));
    rows.extend(proposals.iter().map(|(id, of)| (format!("proposal {id}"), of.name().to_owned())));
    rows.extend(deposits.iter().map(|(id, of)| (format!("deposit {id}"), of.name().to_owned())));
    rows
}

fn balance(
    asset: &dyn Display,
    total: &dyn Display,
    pending: &dyn Display,
    available: &dyn Display,
) -> String {
    format!("{total} of {asset}, pending {pending}, available {available}")
}

fn sides(totals: Totals) -> String {
    format!("debits {}, credits {}", totals.debits, totals.credits)
}

impl Ticking {
    /// Every row that the read model has.
    fn all(&mut self, view: &View<'_>) -> Result<(), QueryError> {
        self.accounts(view)?;
        pages(
            |page| view.ledger(None, page),
            |row| {
                let what = format!("ledger {:?} in {}", row.account, row.asset);
                let (debits, credits) = (row.sides.debits, row.sides.credits);
                self.tick(what, sides(Totals { debits, credits }));
                row.number
            },
        )?;
        let any = TransferFilter::default();
        pages(
            |page| view.transfers(any, page),
            |row| {
                self.tick(format!("transfer {}", row.transfer), row.state.to_string());
                row.position
            },
        )?;
        let any = ProposalFilter::default();
        pages(
            |page| view.proposals(any, page),
            |row| {
                self.tick(format!("proposal {}", row.proposal), row.state.to_string());
                row.opened.position
            },
        )?;
        let any = DepositFilter::default();
        pages(
            |page| view.deposits(any, page),
            |row| {
                self.tick(format!("deposit {}", row.deposit), row.state.to_string());
                row.position
            },
        )
    }

    fn accounts(&mut self, view: &View<'_>) -> Result<(), QueryError> {
        let mut accounts = Vec::new();
        pages(
            |page| view.accounts(None, page),
            |row| {
                let figures = balance(&row.asset, &row.total, &row.pending, &row.available);
                let what = format!("account {}", row.account);
                self.tick(what, format!("{figures}, shortfall {}", row.shortfall));
                accounts.push(row.account);
                row.position
            },
        )?;
        for account in accounts {
            pages(
                |page| view.holds(account, page),
                |row| {
                    let what = format!("hold of account {account} for {}", row.transfer);
                    self.tick(what, row.amount.to_string());
                    row.position
                },
            )?;
        }
        Ok(())
    }

    fn tick(&mut self, what: String, found: String) {
        self.rows = self.rows.saturating_add(1);
        let log = self.expected.remove(&what);
        if log.as_ref() != Some(&found) {
            self.differences.push(Difference { what, log, read_model: Some(found) });
        }
    }

    /// What the read model does not have is a difference too.
    fn rest(mut self) -> (usize, Vec<Difference>) {
        for (what, log) in self.expected {
            self.differences.push(Difference { what, log: Some(log), read_model: None });
        }
        (self.rows, self.differences)
    }
}

/// Reads a list to its end.
fn pages<T>(
    read: impl Fn(Page) -> Result<Vec<T>, QueryError>,
    mut each: impl FnMut(&T) -> u64,
) -> Result<(), QueryError> {
    let mut page = Page::oldest(PAGE_LIMIT);
    loop {
        let rows = read(page)?;
        let Some(last) = rows.iter().map(&mut each).last() else { return Ok(()) };
        page = page.after(last);
    }
}
