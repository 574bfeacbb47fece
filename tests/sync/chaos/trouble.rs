//! What happens to the program, or to its database, in the middle of a round.

use std::time::{Duration, Instant};

use backend::db;
use nix::sys::signal::{Signal, kill};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::world::World;
use crate::harness::proxy::{Newcomers, Proxy};
use crate::sync::program::{FREEZE_NOTICED, SILENT_FOR_LONG, signal};

/// A program with something to send sends it within this time.
const BEGINS: Duration = Duration::from_secs(30);
/// The trouble comes by then: the program may have nothing more to do than to wait for an answer that never comes.
const LONG_ENOUGH: Duration = Duration::from_millis(900);
/// A program whose database was away, or which was frozen, ends within this time.
pub const ENDS: Duration = Duration::from_mins(2);
/// A database comes back within this time.
const COMES_BACK: Duration = Duration::from_mins(1);

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The program is killed.
    Killed,
    /// The program is frozen, long enough for another one to take over from it, and goes on after the next round.
    Frozen,
    /// The database says nothing any more for so long, whatever it is asked; then new connections are served.
    Silence(Duration),
    /// The database is away for so long: connections are closed, and new ones are refused.
    Away(Duration),
    /// PostgreSQL itself gets this signal, and is started again.
    Restart(Signal),
}

/// When it comes.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// So long after the program was started, which may be before it sends anything.
    Early(Duration),
    /// When so many requests have come in since the round began, and so much later; or when that takes too long.
    Sending { requests: u64, later: Duration },
}

impl Trouble {
    /// Any kind that this world may know.
    pub fn of(world: &World, rng: &mut ChaCha8Rng) -> Self {
        let while_away = Duration::from_millis(rng.random_range(50..2_500));
        let kinds: &[(Self, u32)] = if world.postgres.is_some() {
            &[(Self::Killed, 2), (Self::Frozen, 1)]
        } else {
            &[
                (Self::Killed, 4),
                (Self::Frozen, 1),
                (Self::Silence(while_away), 1),
                (Self::Away(while_away), 1),
            ]
        };
        kinds.choose_weighted(rng, |(_, weight)| *weight).unwrap().0
    }

    /// One that strikes PostgreSQL itself.
    pub fn of_postgres(rng: &mut ChaCha8Rng) -> Self {
        // At once, as a machine dies, or as an administrator restarts it.
        Self::Restart(*[Signal::SIGKILL, Signal::SIGQUIT, Signal::SIGINT].choose(rng).unwrap())
    }

    /// Between the program and its database, where that is needed for this trouble.
    pub async fn proxy(self) -> Option<Proxy> {
        match self {
            Self::Silence(_) | Self::Away(_) => Some(Proxy::start().await),
            Self::Killed | Self::Frozen | Self::Restart(_) => None,
        }
    }
}

impl Moment {
    /// Any.
    pub fn of(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_ratio(1, 6) {
            return Self::Early(Duration::from_millis(rng.random_range(0..1_200)));
        }
        Self::Sending {
            requests: rng.random_range(1..120),
            later: Duration::from_micros(rng.random_range(0..20_000)),
        }
    }

    /// Waits for it, and answers whether the program has sent anything by then.
    pub async fn comes(self, world: &World) -> bool {
        let requests = |counts: &stand_ins::Counts| counts.ga4.requests + counts.mixpanel.requests;
        let before = requests(&world.services.counts());
        match self {
            Self::Early(time) => sleep(time).await,
            Self::Sending { requests: wanted, later } => {
                timeout(BEGINS, world.services.until(|counts| requests(counts) > before)).await.ok();
                let sent = world.services.until(|counts| requests(counts) >= before + wanted);
                timeout(LONG_ENOUGH, sent).await.ok();
                sleep(later).await;
            }
        }
        requests(&world.services.counts()) > before
    }
}

/// A program that is frozen.
pub struct Frozen {
    program: Child,
    said: JoinHandle<String>,
    since: Instant,
}

impl Frozen {
    /// Freezes it, so that its run seems to have been silent for long.
    pub async fn freeze(world: &World, program: Child, said: JoinHandle<String>) -> Self {
        world.database.client().await.batch_execute(SILENT_FOR_LONG).await.unwrap();
        signal(&program, Signal::SIGSTOP);
        Self { program, said, since: Instant::now() }
    }

    /// Lets it go on, waits until it ends, and answers with what it said.
    pub async fn thaw(mut self) -> String {
        sleep(FREEZE_NOTICED.saturating_sub(self.since.elapsed())).await;
        signal(&self.program, Signal::SIGCONT);
        timeout(ENDS, self.program.wait()).await.expect("a program that was frozen ends").unwrap();
        self.said.await.unwrap()
    }
}

/// Takes the database away and brings it back.
pub async fn strike_database(world: &World, trouble: Trouble, proxy: Option<&Proxy>) {
    match (trouble, proxy) {
        (Trouble::Silence(time), Some(proxy)) => {
            proxy.silence(Newcomers::Silenced);
            sleep(time).await;
            proxy.take(Newcomers::Served);
        }
        (Trouble::Away(time), Some(proxy)) => {
            proxy.cut(Newcomers::TurnedAway);
            sleep(time).await;
            proxy.take(Newcomers::Served);
        }
        (Trouble::Restart(signal), _) => {
            let postgres = world.postgres.as_ref().expect("PostgreSQL is the seed's own");
            kill(postgres.process(), signal).unwrap();
            let began = Instant::now();
            while db::connect(&world.database.url).await.is_err() {
                assert!(began.elapsed() < COMES_BACK, "PostgreSQL does not come back");
                sleep(Duration::from_millis(20)).await;
            }
        }
        (Trouble::Killed | Trouble::Frozen | Trouble::Silence(_) | Trouble::Away(_), _) => {}
    }
}
