//! What may be paid, to whom, and when it may be asked for. Never how much.

use super::{Answer, Asked};
use crate::{
    Timestamp,
    policy::{Day, Demand},
    screening::{Screening, Verdict},
};
use std::collections::BTreeSet;

const DAY_S: u64 = 86_400;

/// Seconds from `then` to `now`; none where `then` is later.
pub(super) const fn age_s(now: Timestamp, then: Timestamp) -> u64 {
    now.micros().saturating_sub(then.micros()) / 1_000_000
}

impl Asked<'_> {
    pub(super) fn permit(&self) -> Answer {
        let asset = self.case.intent.asset;
        Answer::pass(format!("{asset} may be paid")).told("asset", &asset)
    }

    /// A destination that was added waits; `at` decides, never the clock.
    pub(super) fn allowlist(&self, cooling_off_s: u64) -> Answer {
        let (case, intent) = (self.case, self.case.intent);
        let (network, address) = (intent.network(), &intent.destination);
        let Some(label) = self.label else {
            return Answer::refuse(format!("{address} on {network} is not on the allowlist"));
        };
        let since = case.facts.destinations_since.get(&network).and_then(|all| all.get(address));
        let Some(since) = since else {
            // The policy is asked before it stands, by a linter or a dry run.
            return Answer::new(
                cooling_off_s == 0,
                format!("{label} would be new on the allowlist"),
            );
        };
        let until = since.plus_seconds(cooling_off_s);
        let because = if case.at >= until {
            format!("{label} is on the allowlist and has cooled off")
        } else {
            format!("{label} is on the allowlist since {since}, and cools off until {until}")
        };
        Answer::new(case.at >= until, because).told("label", label).told("since", since)
    }

    pub(super) fn screening(&self, max_age_s: u64) -> Answer {
        let (case, intent) = (self.case, self.case.intent);
        match case.facts.screenings.of(intent.network(), &intent.destination) {
            None => Answer::refuse("nobody has screened the destination"),
            Some(Screening { verdict: Verdict::Flagged, at, .. }) => {
                Answer::refuse(format!("compliance flagged the destination at {at}"))
                    .told("screened", at)
            }
            Some(Screening { verdict: Verdict::Clear, at, .. }) => {
                // To the microsecond: a whole second more would be a second of grace.
                let fresh = at.plus_seconds(max_age_s) >= case.at;
                let because = format!(
                    "the destination was clear at {at}, {} s before; the rule allows {max_age_s} s",
                    age_s(case.at, *at)
                );
                Answer::new(fresh, because).told("screened", at)
            }
        }
    }

    pub(super) fn hours(&self, days: &BTreeSet<Day>, from: u16, to: u16) -> Answer {
        let (day, minute) = when(self.case.at);
        let because = format!(
            "asked for on {} at {}, the rule allows {} from {} to {} UTC",
            day.name(),
            clock(minute),
            days.iter().map(|day| day.name()).collect::<Vec<_>>().join(", "),
            clock(from),
            clock(to)
        );
        Answer::new(open(days, (from, to), (day, minute)), because).told("at", &self.case.at)
    }
}

/// The day of the week and the minute of the day, UTC.
fn when(at: Timestamp) -> (Day, u16) {
    let seconds = at.micros() / 1_000_000;
    let minute = u16::try_from(seconds % DAY_S / 60).unwrap_or_default();
    // 1970-01-01 was a Thursday.
    let mut days = Day::ALL.into_iter().cycle().skip(3);
    let weekday = usize::try_from(seconds / DAY_S % 7).unwrap_or_default();
    (days.nth(weekday).unwrap_or(Day::Monday), minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Whether the window is open then. One that ends on the next day belongs to the day that it
/// begins on.
fn open(days: &BTreeSet<Day>, (from, to): (u16, u16), (day, minute): (Day, u16)) -> bool {
    if from < to {
        days.contains(&day) && (from..to).contains(&minute)
    } else {
        (days.contains(&day) && minute >= from) || (days.contains(&day.before()) && minute < to)
    }
}

impl Day {
    /// Every day, from Monday on.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    const fn before(self) -> Self {
        match self {
            Self::Monday => Self::Sunday,
            Self::Tuesday => Self::Monday,
            Self::Wednesday => Self::Tuesday,
            Self::Thursday => Self::Wednesday,
            Self::Friday => Self::Thursday,
            Self::Saturday => Self::Friday,
            Self::Sunday => Self::Saturday,
        }
    }
}

impl Demand {
    /// In which minutes of a week a rule about hours is open, from Monday on. `None` for every
    /// other kind.
    pub(in crate::policy) fn week(&self) -> Option<Vec<bool>> {
        let Self::Hours { days, from_minute, to_minute } = self else { return None };
        let window = (*from_minute, *to_minute);
        let minutes = Day::ALL.into_iter().flat_map(|day| (0..1440).map(move |m| (day, m)));
        Some(minutes.map(|moment| open(days, window, moment)).collect())
    }
}
