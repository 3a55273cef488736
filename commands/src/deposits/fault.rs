//! Why a pass of the watcher ended early. Never a reason to skip a block.

use crate::CommandError;
use strongroom_domain::Network;
use strongroom_nodes::NodeError;

/// What stopped a pass.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The chain changed under our feet: look again.
    #[error("the chain moved while it was read")]
    Moved,
    /// The node gave no answer that can be used: try again later, whatever the reason, because a
    /// person may mend it.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The bus takes nothing now: try again later.
    #[error(transparent)]
    Busy(CommandError),
    /// The bus has stopped.
    #[error(transparent)]
    Stopped(CommandError),
    /// No node is configured for this network.
    #[error("there is no node for {network}: configure one")]
    Misconfigured {
        /// Which network.
        network: Network,
    },
}

impl From<CommandError> for Fault {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Corrupt { .. } => Self::Stopped(error),
            CommandError::Refused(_)
            | CommandError::KeyReused { .. }
            | CommandError::Conflict { .. }
            | CommandError::Unavailable { .. } => Self::Busy(error),
        }
    }
}

/// Why a watcher ended.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WatchError {
    /// Corrupt: the bus has stopped. Restart the server.
    #[error("the deposit watcher ended: {0}")]
    Stopped(CommandError),
    /// No node is configured for the network.
    #[error("there is no node for {network}: configure one")]
    NoNode {
        /// Which network.
        network: Network,
    },
}
