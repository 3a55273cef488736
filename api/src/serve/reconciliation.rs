//! Reconciliation with this server's read model. Never a comparison of its own.

use std::{sync::Arc, time::Duration};

use strongroom_commands::{
    Bus, ChainNodes,
    reconciliation::{Counted, Counting, ReadModels, Reconciliations, Settings},
};
use strongroom_projections::Projections;

use crate::config::ReconciliationConfig;

struct Model(Projections);

impl ReadModels for Model {
    fn count(&self) -> Counting<'_> {
        Box::pin(async {
            let counted = self.0.read(|view| {
                Ok(Counted { position: view.head()?.position, counters: view.counters()? })
            });
            counted.await.map_err(|error| error.to_string())
        })
    }
}

/// Starts looking.
pub(super) fn start(
    config: ReconciliationConfig,
    bus: &Bus,
    nodes: &Arc<ChainNodes>,
    projections: &Projections,
) -> Reconciliations {
    let every = Duration::from_secs(config.every_s.max(1));
    let settings = Settings { every, owner: config.owner };
    let models: Arc<dyn ReadModels> = Arc::new(Model(projections.clone()));
    Reconciliations::start(bus.clone(), Arc::clone(nodes), Some(models), settings)
}
