//! Keeps one signer connected and up to date with the log. Never goes on after a head that is not
//! ours: a signer that holds another log is an alarm, not a peer.

use super::{
    link::Link,
    peer::{Peer, Standing},
    witness::saw_another,
};
use crate::{
    Bus, Request,
    bus::leaf,
    checkpoints::{Board, Counting, News},
};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use strongroom_domain::{
    Actor, Command, Digest, Head, Rule,
    protocol::{LogEntry, Order, Reply},
};
use strongroom_store::{Position, ReadError, Record};
use tokio::time::sleep;

/// The most entries that are pushed at once.
const BATCH: usize = 512;
/// A push ends with the entry that takes it over this many bytes. As text inside JSON they may
/// double, which stays below the longest frame.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Why a connection is not used any more.
#[derive(Debug, thiserror::Error)]
enum SessionEnd {
    /// It can be tried again.
    #[error("{0}")]
    Lost(String),
    /// A person must look.
    #[error("{0}")]
    OtherLog(String),
    /// Our own log can't be read.
    #[error("our own log: {0}")]
    Log(#[from] ReadError),
}

/// Never returns.
pub(super) async fn keep(peer: Arc<Peer>, bus: Bus, board: Board) {
    let mut pause = peer.limits.shortest_pause;
    loop {
        let mut reached = false;
        let Err(end) = session(&peer, &bus, &board, &mut reached).await;
        let because = end.to_string();
        let signer = peer.signer;
        match end {
            SessionEnd::Lost(_) | SessionEnd::Log(_) => {
                tracing::warn!(%signer, because, "signer not reached");
                peer.stands(Standing::Away { because: because.clone() });
            }
            SessionEnd::OtherLog(_) => {
                tracing::error!(%signer, because, "ALARM: signer holds another log");
                peer.stands(Standing::OtherLog { because: because.clone() });
            }
        }
        record(&peer, &bus, Command::LoseSigner { signer, because }).await;
        pause = if reached { peer.limits.shortest_pause } else { longer(&peer, pause) };
        sleep(pause).await;
    }
}

fn longer(peer: &Peer, pause: Duration) -> Duration {
    pause.saturating_mul(2).min(peer.limits.longest_pause)
}

/// What the server sees of a signer, in the log. No news makes no entry.
async fn record(peer: &Peer, bus: &Bus, command: Command) {
    let enrolled = bus.read(|state| peer.enrolled(state).is_ok());
    if !enrolled {
        return;
    }
    if let Err(error) = bus.execute(Request::new(command, Actor::Saga)).await {
        tracing::warn!(signer = %peer.signer, %error, "a signer's whereabouts were not recorded");
    }
}

async fn session(
    peer: &Peer,
    bus: &Bus,
    board: &Board,
    reached: &mut bool,
) -> Result<Infallible, SessionEnd> {
    bus.read(|state| peer.enrolled(state)).map_err(SessionEnd::Lost)?;
    peer.acquit();
    let link = Arc::new(peer.connect().await.map_err(SessionEnd::Lost)?);
    let conversation = Conversation {
        peer,
        bus,
        link: &link,
        board: board.news(),
        earlier: VecDeque::new(),
        covered: 0,
    };
    let ended = conversation.run(board, reached).await;
    link.close("the session is over");
    ended
}

/// What one connection is about.
struct Conversation<'a> {
    peer: &'a Peer,
    bus: &'a Bus,
    link: &'a Arc<Link>,
    board: News,
    /// What it missed, the smallest first: how old the entries are that it missed.
    earlier: VecDeque<Arc<Counting>>,
    /// It has seen a checkpoint that counts up to here. A signer forgets it with its connection's
    /// end, for all we know: it is told again.
    covered: u64,
}

impl Conversation<'_> {
    async fn run(mut self, shown: &Board, reached: &mut bool) -> Result<Infallible, SessionEnd> {
        let (peer, bus, link) = (self.peer, self.bus, self.link);
        let (genesis, mut head) = status(peer, link).await?;
        our_genesis(bus, genesis).await?;
        ours(bus, head).await?;
        self.earlier = shown.earlier(head.position);
        let caught_up = bus.log().head().position.get();
        let from = Position::new(head.position).and_then(Position::next);
        let mut news = bus.log().subscribe(from.unwrap_or(Position::FIRST));
        let mut next = self.board.borrow_and_update().clone();
        loop {
            self.stands(head);
            if !*reached && head.position >= caught_up {
                *reached = true;
                tracing::info!(signer = %peer.signer, position = head.position, "signer reached");
                record(peer, bus, Command::ReachSigner { signer: peer.signer }).await;
            }
            // One that it has not read up to waits: a newer one would only be further away.
            if let Some(due) = next.take_if(|due| due.head.size <= head.position) {
                self.cover(&due).await?;
                self.stands(head);
                next = self.board.borrow_and_update().clone().filter(|now| !now.is_of(&due));
                if next.is_some() {
                    continue;
                }
            }
            tokio::select! {
                batch = news.next_batch() => {
                    for part in parts(&batch?) {
                        head = push(peer, link, part).await?;
                        self.show_earlier(head).await?;
                        self.stands(head);
                    }
                }
                Ok(()) = self.board.changed(), if next.is_none() => {
                    let shown = self.board.borrow_and_update().clone();
                    next = shown.filter(|shown| shown.head.size > self.covered);
                }
                because = link.closed() => return Err(SessionEnd::Lost(because)),
                because = peer.accused() => return Err(SessionEnd::OtherLog(because)),
                () = sleep(peer.limits.keep_alive) => {
                    let (_, found) = status(peer, link).await?;
                    if found != head {
                        ours(bus, found).await?;
                        let because = format!("it moved by itself to position {}", found.position);
                        return Err(SessionEnd::Lost(because));
                    }
                }
            }
        }
    }

    fn stands(&self, head: Head) {
        let link = Arc::clone(self.link);
        let (acknowledged, covered) = (head.position, self.covered);
        self.peer.stands(Standing::Here { link, acknowledged, covered });
    }

    /// Shows it what counted while it was away, up to what it has read by now.
    async fn show_earlier(&mut self, head: Head) -> Result<(), SessionEnd> {
        let is_read = |due: &Arc<Counting>| due.head.size <= head.position;
        while self.earlier.front().is_some_and(is_read) {
            let Some(due) = self.earlier.pop_front() else { break };
            self.cover(&due).await?;
            if self.covered < due.head.size {
                // Other witnesses stand in the charter by now: what follows would be no better.
                self.earlier.clear();
            }
        }
        Ok(())
    }

    /// Shows it a checkpoint that counts. One that it does not take is no reason to part: it goes on
    /// reading and cosigning, and signs nothing.
    async fn cover(&mut self, shown: &Counting) -> Result<(), SessionEnd> {
        let order = Order::Checkpoint { checkpoint: shown.text.clone() };
        match self.link.ask(&order).await {
            Ok(Reply::Covered { size }) => {
                self.covered = size;
                Ok(())
            }
            Ok(Reply::Refused(refusal)) if saw_another(refusal.rule) => {
                Err(SessionEnd::OtherLog(refusal.to_string()))
            }
            Ok(Reply::Refused(refusal)) => {
                let (signer, size) = (self.peer.signer, shown.head.size);
                tracing::error!(%signer, size, %refusal, "a checkpoint was not taken");
                Ok(())
            }
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(SessionEnd::Lost(error.to_string())),
        }
    }
}

async fn status(peer: &Peer, link: &Link) -> Result<(Option<Digest>, Head), SessionEnd> {
    match link.ask(&Order::Status).await {
        Ok(Reply::Status { signer, genesis, head }) if signer == peer.signer => Ok((genesis, head)),
        Ok(Reply::Status { signer, .. }) => {
            Err(SessionEnd::Lost(format!("it says that it is signer {signer}")))
        }
        Ok(other) => Err(unexpected(&other)),
        Err(error) => Err(SessionEnd::Lost(error.to_string())),
    }
}

/// The head that a signer answers must be an entry of our log.
async fn ours(bus: &Bus, head: Head) -> Result<(), SessionEnd> {
    if head.position == 0 {
        return Ok(());
    }
    let log = bus.log();
    let own = log.head().position.get();
    let position = Position::new(head.position).filter(|position| position.get() <= own);
    let Some(position) = position else {
        let because = format!(
            "it has read up to {}, our log ends at {own}: if this log was restored, it is an older \
             copy. Stop the server, restore the log again, and get the missing entries from the \
             signer's copy with `strongroom ledger recover`",
            head.position
        );
        return Err(SessionEnd::OtherLog(because));
    };
    let page = log.read_from(position, 1).await?;
    let found = page.first().map(|record| Digest(*record.leaf().as_bytes()));
    if found == Some(head.leaf) {
        return Ok(());
    }
    let because = format!("its entry {} has leaf {}, ours another", head.position, head.leaf);
    Err(SessionEnd::OtherLog(because))
}

async fn our_genesis(bus: &Bus, genesis: Option<Digest>) -> Result<(), SessionEnd> {
    let Some(leaf) = genesis else { return Ok(()) };
    ours(bus, Head { position: 1, leaf }).await
}

/// Cuts a batch into pushes.
fn parts(batch: &[Record]) -> Vec<&[Record]> {
    let (mut parts, mut rest) = (Vec::new(), batch);
    while !rest.is_empty() {
        let mut bytes = 0_usize;
        let fits = |record: &&Record| {
            let before = bytes;
            bytes = bytes.saturating_add(record.bytes.len()).saturating_add(record.payload.len());
            before < BATCH_BYTES
        };
        let count = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (part, after) = rest.split_at(count.min(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts
}

async fn push(peer: &Peer, link: &Link, part: &[Record]) -> Result<Head, SessionEnd> {
    let Some(last) = part.last() else {
        return Err(SessionEnd::Lost("nothing to push".to_owned()));
    };
    let expected = Head {
        position: last.entry.position.get(),
        leaf: leaf(&strongroom_ledger::Head { position: last.entry.position, leaf: last.leaf() }),
    };
    let entries = part.iter().map(entry).collect::<Result<_, _>>()?;
    match link.ask(&Order::Extend { entries }).await {
        Ok(Reply::Status { signer, head, .. }) if signer == peer.signer && head == expected => {
            Ok(head)
        }
        Ok(Reply::Status { head, .. }) => {
            let because = format!(
                "it was given entry {} with leaf {}, and answers {} with {}",
                expected.position, expected.leaf, head.position, head.leaf
            );
            Err(SessionEnd::OtherLog(because))
        }
        Ok(other) => Err(unexpected(&other)),
        Err(error) => Err(SessionEnd::Lost(error.to_string())),
    }
}

fn entry(record: &Record) -> Result<LogEntry, SessionEnd> {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).map_err(|_binary| {
            let because = format!("our entry {} is not text", record.entry.position);
            SessionEnd::Lost(because)
        })
    };
    Ok(LogEntry { entry: text(&record.bytes)?, payload: text(&record.payload)? })
}

/// What an answer means that is not a position in the log.
fn unexpected(reply: &Reply) -> SessionEnd {
    match reply {
        // Its clock or ours; or it was restarted in between and asks to be told again.
        Reply::Refused(refusal)
            if matches!(refusal.rule, Rule::SignerClock | Rule::SignerLogBehind) =>
        {
            SessionEnd::Lost(refusal.to_string())
        }
        // By every other rule: our log has an entry that it will not record.
        Reply::Refused(refusal) => SessionEnd::OtherLog(refusal.to_string()),
        Reply::Unavailable { because } => SessionEnd::Lost(because.clone()),
        Reply::Corrupt { because, .. } => SessionEnd::Lost(format!("corrupt: {because}")),
        Reply::Status { .. }
        | Reply::RoundOne { .. }
        | Reply::RoundTwo { .. }
        | Reply::Confirmed { .. }
        | Reply::Committed { .. }
        | Reply::Shares { .. }
        | Reply::Abstained { .. }
        | Reply::Cosigned { .. }
        | Reply::WitnessConflict { .. }
        | Reply::Usable
        | Reply::Covered { .. }
        | Reply::EpochConfirmed { .. }
        | Reply::Spoke { .. }
        | Reply::Signatures { .. } => {
            SessionEnd::Lost("it answered something else than was asked".to_owned())
        }
    }
}
