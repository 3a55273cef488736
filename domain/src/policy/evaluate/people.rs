//! Who must agree, and how long it waits then. Never who in person: that is resolved at the end,
//! for all rules together.

use super::{Answer, Asked};
use crate::policy::{Measure, Requirement, Step};

impl Asked<'_> {
    pub(super) fn approvals(require: &[Requirement]) -> Answer {
        Answer {
            require: require.to_vec(),
            ..Answer::pass(format!("{} must approve", ask(require)))
        }
    }

    pub(super) fn delay(seconds: u64) -> Answer {
        let because = format!("it waits {seconds} s after it was approved");
        Answer { delay_s: seconds, ..Answer::pass(because) }
    }

    /// The lowest step that fits.
    pub(super) fn tiers(&self, by: Measure, steps: &[Step]) -> Option<Answer> {
        let intent = self.case.intent;
        let (measured, unit) = match by {
            Measure::AssetAmount(asset) if asset == intent.asset => {
                (intent.amount, format!("base units of {asset}"))
            }
            Measure::AssetAmount(_) => return None,
            Measure::ReferenceValue => match &self.priced {
                Ok(priced) => (priced.value, format!("minor units of {}", priced.reference)),
                Err(because) => return Some(Answer::refuse(because.clone())),
            },
        };
        let step = steps.iter().filter(|step| measured <= step.up_to).min_by_key(|step| step.up_to);
        let answer = match step {
            None => Answer::refuse(format!("{measured} {unit} is above every step")),
            Some(Step { up_to, require, delay_s }) => {
                let because = format!(
                    "{measured} {unit} is within the step up to {up_to}: {} must approve, and it \
                     waits {delay_s} s",
                    ask(require)
                );
                Answer { require: require.clone(), delay_s: *delay_s, ..Answer::pass(because) }
                    .told("step", up_to)
            }
        };
        Some(answer.told("measured", &measured))
    }
}

fn ask(require: &[Requirement]) -> String {
    if require.is_empty() {
        return "nobody more".to_owned();
    }
    let asked = require.iter().map(|one| format!("{} of {}", one.approvals, one.group));
    asked.collect::<Vec<_>>().join(" and ")
}
