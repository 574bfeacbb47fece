//! Disruptions of the program or its database during a round.

use std::time::{Duration, Instant};

use backend::db;
use nix::sys::signal::{Signal, kill};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::model::Model;
use crate::harness::proxy::{NewConnections, Proxy};
use crate::sync::program::{BACKDATE_HEARTBEATS, FREEZE_DETECTED_AFTER, signal};

/// A program with pending events sends its first request within this time.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The disruption starts after this time at the latest, because the program may only be waiting for a
/// response that never arrives.
const REQUESTS_TIMEOUT: Duration = Duration::from_millis(900);
/// A program exits within this time, even if it was frozen or its database was down.
pub const EXIT_TIMEOUT: Duration = Duration::from_mins(2);
/// PostgreSQL restarts within this time.
const RESTART_TIMEOUT: Duration = Duration::from_mins(1);

/// One kind of disruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// The program is killed.
    Killed,
    /// The program is frozen for long enough that another run replaces its own, and continues after the next
    /// round.
    Frozen,
    /// The database stops responding for this long. After that, only new connections work.
    DatabaseSilent(Duration),
    /// The database is down for this long: connections are closed, and new ones are refused.
    DatabaseDown(Duration),
    /// PostgreSQL receives this signal and is restarted.
    PostgresRestart(Signal),
}

/// When a disruption happens.
#[derive(Clone, Copy, Debug)]
pub enum Timing {
    /// This long after the program starts, possibly before it sends anything.
    AfterStart(Duration),
    /// This long after the services received a number of requests, or after a timeout.
    AfterRequests { requests: u64, delay: Duration },
}

impl Disruption {
    /// A random kind that is possible for this model.
    pub fn random(model: &Model, rng: &mut ChaCha8Rng) -> Self {
        let outage = Duration::from_millis(rng.random_range(50..2_500));
        let kinds: &[(Self, u32)] = if model.postgres.is_some() {
            &[(Self::Killed, 2), (Self::Frozen, 1)]
        } else {
            &[
                (Self::Killed, 4),
                (Self::Frozen, 1),
                (Self::DatabaseSilent(outage), 1),
                (Self::DatabaseDown(outage), 1),
            ]
        };
        kinds.choose_weighted(rng, |(_, weight)| *weight).unwrap().0
    }

    /// A restart of PostgreSQL with a random signal.
    pub fn random_restart(rng: &mut ChaCha8Rng) -> Self {
        // A crash, an immediate shutdown, or a fast shutdown.
        Self::PostgresRestart(*[Signal::SIGKILL, Signal::SIGQUIT, Signal::SIGINT].choose(rng).unwrap())
    }

    /// Starts a proxy between the program and its database if this disruption needs one.
    pub async fn proxy(self) -> Option<Proxy> {
        match self {
            Self::DatabaseSilent(_) | Self::DatabaseDown(_) => Some(Proxy::start().await),
            Self::Killed | Self::Frozen | Self::PostgresRestart(_) => None,
        }
    }
}

impl Timing {
    /// A random time.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_ratio(1, 6) {
            return Self::AfterStart(Duration::from_millis(rng.random_range(0..1_200)));
        }
        Self::AfterRequests {
            requests: rng.random_range(1..120),
            delay: Duration::from_micros(rng.random_range(0..20_000)),
        }
    }

    /// Waits until then. Returns whether the program has sent anything by then.
    pub async fn wait(self, model: &Model) -> bool {
        let requests = |counts: &stand_ins::Counts| counts.ga4.requests + counts.mixpanel.requests;
        let before = requests(&model.services.counts());
        match self {
            Self::AfterStart(duration) => sleep(duration).await,
            Self::AfterRequests { requests: threshold, delay } => {
                timeout(FIRST_REQUEST_TIMEOUT, model.services.until(|counts| requests(counts) > before))
                    .await
                    .ok();
                let sent = model.services.until(|counts| requests(counts) >= before + threshold);
                timeout(REQUESTS_TIMEOUT, sent).await.ok();
                sleep(delay).await;
            }
        }
        requests(&model.services.counts()) > before
    }
}

/// A program that is frozen.
pub struct FrozenProgram {
    program: Child,
    output: JoinHandle<String>,
    frozen_at: Instant,
}

impl FrozenProgram {
    /// Freezes the program and backdates the heartbeat of its run.
    pub async fn freeze(model: &Model, program: Child, output: JoinHandle<String>) -> Self {
        model.database.client().await.batch_execute(BACKDATE_HEARTBEATS).await.unwrap();
        signal(&program, Signal::SIGSTOP);
        Self { program, output, frozen_at: Instant::now() }
    }

    /// Resumes the program and waits until it exits. Returns its output.
    pub async fn thaw(mut self) -> String {
        sleep(FREEZE_DETECTED_AFTER.saturating_sub(self.frozen_at.elapsed())).await;
        signal(&self.program, Signal::SIGCONT);
        timeout(EXIT_TIMEOUT, self.program.wait())
            .await
            .expect("a program that was frozen exits in time")
            .unwrap();
        self.output.await.unwrap()
    }
}

/// Disrupts the database and restores it.
pub async fn disrupt_database(model: &Model, disruption: Disruption, proxy: Option<&Proxy>) {
    match (disruption, proxy) {
        (Disruption::DatabaseSilent(duration), Some(proxy)) => {
            proxy.silence(NewConnections::Silent);
            sleep(duration).await;
            proxy.set_new_connections(NewConnections::Forwarded);
        }
        (Disruption::DatabaseDown(duration), Some(proxy)) => {
            proxy.cut(NewConnections::Refused);
            sleep(duration).await;
            proxy.set_new_connections(NewConnections::Forwarded);
        }
        (Disruption::PostgresRestart(signal), _) => {
            let postgres = model.postgres.as_ref().expect("only seeds with their own PostgreSQL restart it");
            kill(postgres.postmaster_pid(), signal).unwrap();
            let began = Instant::now();
            while db::connect(&model.database.url).await.is_err() {
                assert!(began.elapsed() < RESTART_TIMEOUT, "PostgreSQL did not restart in time");
                sleep(Duration::from_millis(20)).await;
            }
        }
        (
            Disruption::Killed
            | Disruption::Frozen
            | Disruption::DatabaseSilent(_)
            | Disruption::DatabaseDown(_),
            _,
        ) => {}
    }
}
