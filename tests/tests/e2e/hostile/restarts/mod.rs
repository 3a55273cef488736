//! A signer that is killed: after each line of a whole log, and at each round of every protocol,
//! before an order, while it carries one out, and after its answer. It comes up by itself, and what
//! it lost is done again or refused, never done twice. Nothing here waits for a time.

mod ceremonies;
mod changes;
mod life;
mod signing;

use std::collections::BTreeSet;
use std::time::Duration;

use strongroom_domain::Bytes;
use strongroom_domain::protocol::{Order, Reply, Spoken, Work};

use super::rounds::Said;
use super::world::World;

/// A longer message is no seed, in bytes.
const LONG: usize = 32 * 1024;

/// When a signer is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    /// It never heard the order.
    Before,
    /// Somewhere in it, after this many microseconds; it is asked again.
    During(u64),
    /// It has answered.
    After,
}

/// Who is killed where.
#[derive(Clone, Copy, Debug)]
struct Strike {
    /// A place among those who take part.
    victim: usize,
    round: u16,
    moment: Moment,
}

/// Three moments of each round; the victim is another each time, and so is how long the race lasts.
fn strikes(rounds: u16, parts: usize) -> Vec<Strike> {
    let moments = |round: u16| {
        let race = 200 + 1_700 * u64::from(round);
        [Moment::Before, Moment::During(race), Moment::After].map(|moment| (round, moment))
    };
    let all = (1..=rounds).flat_map(moments).enumerate();
    all.map(|(number, (round, moment))| Strike { victim: number % parts, round, moment }).collect()
}

impl Strike {
    /// Nothing can be lost that was not said before.
    fn loses_nothing(&self) -> bool {
        self.round == 1 && self.moment == Moment::Before
    }
}

/// Keeps a real message of this kind as a seed of `signer/fuzz`, where somebody wants new ones.
fn keep(name: &str, bytes: &[u8]) {
    if std::env::var_os("STRONGROOM_NEW_SEEDS").is_some() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../signer/fuzz/seeds");
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// An order and its answer as they go over the wire, one of each kind.
fn keep_exchange(order: &Order, reply: &Reply) {
    let (asked, said) = (serde_json::to_vec(order).unwrap(), serde_json::to_vec(reply).unwrap());
    let kind = |bytes: &[u8], tag: &str| {
        let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        json[tag].as_str().unwrap().to_owned()
    };
    // Long ones are of the same kinds.
    if asked.len() < LONG {
        keep(&format!("order-{}", kind(&asked, "ask")), &asked);
    }
    if said.len() < LONG {
        keep(&format!("reply-{}", kind(&said, "answer")), &said);
    }
}

impl World {
    /// Asks a signer that knows the honest log, and kills it at the moment.
    fn ask_struck(&mut self, signer: usize, order: &Order, strike: Option<Moment>) -> Reply {
        if strike == Some(Moment::Before) {
            self.reader(signer);
            self.restart(signer);
        }
        if let Some(Moment::During(race)) = strike {
            let mut link = self.reader(signer);
            let body = serde_json::to_vec(order).unwrap();
            let length = u32::try_from(body.len()).unwrap().to_be_bytes();
            link.send(&[length.as_slice(), &[0; 8], &body].concat()).unwrap();
            std::thread::sleep(Duration::from_micros(race));
            self.restart(signer);
        }
        let reply = self.reader(signer).ask(order);
        keep_exchange(order, &reply);
        if strike == Some(Moment::After) {
            self.restart(signer);
        }
        reply
    }

    /// A round by all of these, as [`World::round`]; the first refusal ends it.
    fn struck_round(
        &mut self,
        who: &[usize],
        (work, session): (Work, &Bytes),
        (round, before): (u16, &Said),
        strike: Option<Strike>,
    ) -> Result<(Said, Vec<(usize, Reply)>), Reply> {
        let (mut after, mut others) = (Said::default(), Vec::new());
        for (place, signer) in who.iter().copied().enumerate() {
            let Said { spoken, letters } = self.for_one(signer, before);
            let order = Order::Step { work, session: session.clone(), round, spoken, letters };
            let here = strike.filter(|of| of.victim == place && of.round == round);
            match self.ask_struck(signer, &order, here.map(|of| of.moment)) {
                Reply::Spoke { message, letters } => {
                    after.spoken.push(Spoken { signer: self.id(signer), message });
                    after.letters.extend(letters);
                }
                reply @ Reply::Refused(_) => return Err(reply),
                other => others.push((signer, other)),
            }
        }
        after.spoken.retain(|spoken| !spoken.message.as_slice().is_empty());
        Ok((after, others))
    }
}

/// That nothing that is drawn is drawn twice: commitments and first messages of all sessions.
#[derive(Default)]
struct Drawn(BTreeSet<Vec<u8>>);

impl Drawn {
    #[track_caller]
    fn once(&mut self, message: &Bytes) {
        assert!(self.0.insert(message.0.clone()), "the same was said in two sessions");
    }
}

/// How many went on where they were struck, and how many had to begin again.
#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    went_on: usize,
    began_again: usize,
}

impl Tally {
    /// Counts what came of a strike. What was refused is refused by a rule, and says so.
    #[track_caller]
    fn count<T>(&mut self, strike: Strike, ended: Result<T, Reply>) -> Option<T> {
        match ended {
            Ok(done) => {
                self.went_on += 1;
                Some(done)
            }
            Err(reply) => {
                assert!(matches!(reply, Reply::Refused(_)), "{strike:?}: {reply:?}");
                assert!(!strike.loses_nothing(), "{strike:?}: {reply:?}");
                self.began_again += 1;
                None
            }
        }
    }

    fn all(&self) -> usize {
        self.went_on + self.began_again
    }
}
