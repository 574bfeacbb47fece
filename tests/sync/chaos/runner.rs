//! Runs a seed: round after round with faults, some with a disruption, until no event is pending.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use stand_ins::Service;
use stand_ins::fault::{Fault, Point};
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::time::timeout;

use super::assertions;
use super::disruption::{self, Disruption, EXIT_TIMEOUT, FrozenProgram, Timing};
use super::faults::{self, Round};
use super::model::{ConfiguredDrivers, Model};
use crate::harness::proxy::NewConnections;

/// The number of rounds with faults.
const FAULTY_ROUNDS: u32 = 4;
/// The number of rounds after which no event may be pending.
const MAX_ROUNDS: u32 = 20;

/// Counts events where `synced_at` disagrees with the deliveries.
const INCONSISTENT_EVENTS: &str = "count(*) FROM video_player_events AS event \
    WHERE (synced_at IS NOT NULL) <> (EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = event.id) \
        AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = event.id \
            AND state IN ('pending', 'retry')) \
        AND NOT EXISTS (SELECT FROM telemetry_pending WHERE event_id = event.id))";

/// The run of a seed.
pub struct Runner {
    pub seed: u64,
    pub model: Model,
    rng: ChaCha8Rng,
    pub observed: Observations,
    frozen: Option<FrozenProgram>,
}

/// Observations during the rounds that the assertions need.
#[derive(Default)]
pub struct Observations {
    /// Everything that the program printed.
    pub output: String,
    /// How often each event was in flight to GA4 when the program was killed.
    pub killed_in_flight: BTreeMap<i64, i32>,
    /// Requests that GA4 neither read nor answered, so that their events are unknown.
    pub unread_requests: i32,
    /// Whether a run continued after a database outage, so that some outcomes may not have been recorded.
    pub has_lost_outcomes: bool,
}

impl Runner {
    pub async fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self {
            seed,
            model: Model::random(&mut rng).await,
            rng,
            observed: Observations::default(),
            frozen: None,
        }
    }

    /// Runs until no event is pending, then checks the assertions.
    pub async fn run_to_end(mut self) {
        let disruptions = self.rng.random_range(1..=3);
        // The supervisor gives up on a PostgreSQL server that ends repeatedly, so restart it only once.
        let restart_round = self.model.postgres.as_ref().map(|_| self.rng.random_range(0..disruptions));
        let drop_round = self.rng.random_range(0..FAULTY_ROUNDS);
        for round in 0.. {
            assert!(
                round < MAX_ROUNDS,
                "seed {}: events are still pending\n{}",
                self.seed,
                self.observed.output
            );
            let disruption = (round < disruptions).then(|| match restart_round {
                Some(restart_round) if restart_round == round => Disruption::random_restart(&mut self.rng),
                _ => Disruption::random(&self.model, &mut self.rng),
            });
            let kind = match round {
                0 => Round::First,
                1..FAULTY_ROUNDS => Round::Faulty { ends_with_kill: disruption == Some(Disruption::Killed) },
                _ => Round::Healthy,
            };
            let rules = faults::rules(&self.model, kind, &mut self.rng);
            self.model.services.set_faults(rules).unwrap();
            if round == drop_round {
                self.model.drop_month().await;
            }
            let drivers = match round {
                1..FAULTY_ROUNDS => {
                    *[ConfiguredDrivers::Both, ConfiguredDrivers::OnlyGa4, ConfiguredDrivers::OnlyMixpanel]
                        .choose(&mut self.rng)
                        .unwrap()
                }
                _ => ConfiguredDrivers::Both,
            };
            let frozen = self.frozen.take();
            self.run(disruption, drivers).await;
            if let Some(frozen) = frozen {
                self.observed.output += &frozen.thaw().await;
            }
            self.observed.unread_requests += unread_requests(&self.model);
            if disruption.is_none() && round >= drop_round && self.unsynced().await == 0 {
                break;
            }
            self.advance_time(kind).await;
        }
        let violations = assertions::violations(&self).await;
        let Self { seed, observed, model, .. } = self;
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}\n{}", observed.output);
        if let Some(postgres) = model.postgres {
            postgres.stop().await;
        }
    }

    async fn run(&mut self, disruption: Option<Disruption>, drivers: ConfiguredDrivers) {
        let proxy = match disruption {
            Some(disruption) => disruption.proxy().await,
            None => None,
        };
        let timing = Timing::random(&mut self.rng);
        let mut program = self.model.sync_command(drivers, proxy.as_ref()).spawn().unwrap();
        let stderr = program.stderr.take().unwrap();
        let stdout = program.stdout.take().unwrap();
        let reading =
            tokio::spawn(async move { read_to_string(stderr).await + &read_to_string(stdout).await });
        let disrupted = match disruption {
            None => None,
            Some(disruption) => tokio::select! {
                _ = program.wait() => None,
                has_sent = timing.wait(&self.model) => Some((disruption, has_sent)),
            },
        };
        let output = match disrupted {
            // A program that has not started its run yet cannot be replaced. Its output is read when it
            // resumes.
            Some((Disruption::Frozen, true)) => {
                self.frozen = Some(FrozenProgram::freeze(&self.model, program, reading).await);
                String::new()
            }
            Some((Disruption::Killed | Disruption::Frozen, _)) => {
                // The process may have just exited by itself.
                program.kill().await.ok();
                reading.await.unwrap()
            }
            Some((disruption, _)) => {
                disruption::disrupt_database(&self.model, disruption, proxy.as_ref()).await;
                self.observed.has_lost_outcomes = true;
                self.wait_for_exit(&mut program).await;
                reading.await.unwrap()
            }
            None => {
                self.wait_for_exit(&mut program).await;
                reading.await.unwrap()
            }
        };
        self.observed.output += &output;
        if let Some(proxy) = &proxy {
            // Restores the network and closes old connections.
            proxy.cut(NewConnections::Forwarded);
        }
        // PostgreSQL may need a moment to notice that a program was killed and to release its lock.
        // With a proxy, a busy database that takes a second to respond counts as unresponsive.
        if disrupted.is_none() && proxy.is_none() && !output.contains("Another sync run is in progress") {
            self.assert_nothing_in_flight(drivers).await;
        }
        let inconsistent = self.count(INCONSISTENT_EVENTS).await;
        assert_eq!(
            inconsistent, 0,
            "seed {}: synced events do not match the events without pending deliveries\n{}",
            self.seed, self.observed.output
        );
        if disrupted.is_some() && drivers != ConfiguredDrivers::OnlyMixpanel {
            for event in self.leased_to_ga4().await {
                *self.observed.killed_in_flight.entry(event).or_default() += 1;
            }
        }
    }

    /// Waits until the program exits by itself.
    async fn wait_for_exit(&self, program: &mut Child) {
        let Ok(status) = timeout(EXIT_TIMEOUT, program.wait()).await else {
            panic!("seed {}: the program did not exit in time: {}", self.seed, self.sessions().await);
        };
        let status = status.unwrap();
        assert!(matches!(status.code(), Some(0 | 1)), "seed {}: {status}", self.seed);
    }

    /// The database sessions, with their state and the sessions that block them.
    async fn sessions(&self) -> String {
        let select = "SELECT coalesce(string_agg(concat_ws(' | ', pid, state, now() - state_change, wait_event, \
                          pg_blocking_pids(pid)::text, left(query, 80)), E'\\n'), '') \
                      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.model.database.client().await.query_one(select, &[]).await.unwrap().get(0)
    }

    /// Asserts that a run that was not killed left nothing in flight at its drivers.
    async fn assert_nothing_in_flight(&self, drivers: ConfiguredDrivers) {
        let drivers = match drivers {
            ConfiguredDrivers::Both => "'ga4', 'mixpanel'",
            ConfiguredDrivers::OnlyGa4 => "'ga4'",
            ConfiguredDrivers::OnlyMixpanel => "'mixpanel'",
        };
        let left: i64 = self
            .count(&format!(
                "(SELECT count(*) FROM telemetry_sync_logs WHERE status = 'running') + \
                    (SELECT count(*) FROM telemetry_leases WHERE driver IN ({drivers}))",
            ))
            .await;
        assert_eq!(
            left, 0,
            "seed {}: a run ended and left events in flight\n{}",
            self.seed, self.observed.output
        );
    }

    async fn leased_to_ga4(&self) -> Vec<i64> {
        let select = "SELECT unnest(event_ids) FROM telemetry_leases WHERE driver = 'ga4'";
        let rows = self.model.database.client().await.query(select, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn unsynced(&self) -> i64 {
        self.count("(SELECT count(*) FROM video_player_events WHERE synced_at IS NULL)").await
    }

    async fn count(&self, expression: &str) -> i64 {
        let client = self.model.database.client().await;
        client.query_one(&format!("SELECT {expression}"), &[]).await.unwrap().get(0)
    }

    /// Makes retries due and ends pauses by moving their times into the past, since the program uses the
    /// system clock. The time of the first attempt stays, so that no event exceeds its retry limit. Only
    /// while the services are healthy, the first attempt of refused events moves back by a week, after which
    /// an event that is refused alone becomes dead.
    async fn advance_time(&self, kind: Round) {
        let client = self.model.database.client().await;
        if matches!(kind, Round::Healthy) {
            let a_week = "UPDATE telemetry_deliveries SET first_attempt_at = first_attempt_at - interval '8 days' \
                 WHERE state = 'retry' AND error_class IN ('refused', 'too_large')";
            client.batch_execute(a_week).await.unwrap();
        }
        client
            .batch_execute(
                "UPDATE telemetry_deliveries SET next_attempt_at = next_attempt_at - interval '2 hours';
                 UPDATE telemetry_drivers SET paused_until = paused_until - interval '2 hours'",
            )
            .await
            .unwrap();
    }
}

/// The requests in this round that GA4 neither read nor answered. A fault that refuses connections also
/// closes idle connections, possibly just when they are reused, and resets connections that were not accepted
/// yet, up to eight of each.
fn unread_requests(model: &Model) -> i32 {
    let ga4_faults = model.services.faults().into_iter().filter(|state| state.rule.service == Service::Ga4);
    let requests_by_fault = ga4_faults.map(|state| {
        let requests = match state.rule.fault {
            Fault::Break { at: Point::BeforeReading | Point::HalfRead, .. }
            | Fault::CloseAfterAnswer
            | Fault::ResetOnReuse => 1,
            Fault::Refuse { .. } => 16,
            Fault::Break { .. }
            | Fault::Answer(_)
            | Fault::ImportLie(_)
            | Fault::FailRecords { .. }
            | Fault::Drip { .. }
            | Fault::Slow => 0,
        };
        i32::try_from(state.struck).unwrap() * requests
    });
    requests_by_fault.sum()
}

async fn read_to_string(mut output: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    output.read_to_end(&mut text).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}
