//! A seed's course: round after round under faults, some of them in trouble, until nothing is owed.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use stand_ins::Service;
use stand_ins::fault::{Fault, Point};
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::time::timeout;

use super::reckoning;
use super::trouble::{self, ENDS, Frozen, Moment, Trouble};
use super::weather::{self, Round};
use super::world::{Knows, World};
use crate::harness::proxy::Newcomers;

/// After so many rounds the services are well.
const STORMY: u32 = 4;
/// By then nothing may be owed any more.
const ROUNDS: u32 = 20;

/// Events that are marked as synced and owe something, or the other way round.
const WRONGLY_MARKED: &str = "count(*) FROM video_player_events AS event \
    WHERE (synced_at IS NOT NULL) <> (EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = event.id) \
        AND NOT EXISTS (SELECT FROM telemetry_deliveries WHERE event_id = event.id \
            AND state IN ('pending', 'retry')) \
        AND NOT EXISTS (SELECT FROM telemetry_pending WHERE event_id = event.id))";

/// A seed at work.
pub struct Storm {
    pub seed: u64,
    pub world: World,
    rng: ChaCha8Rng,
    pub log: Log,
    frozen: Option<Frozen>,
}

/// What is to be known of the rounds when they are over.
#[derive(Default)]
pub struct Log {
    /// What the program said on standard error.
    pub said: String,
    /// How often each event was on record as being sent to GA4 when the program was killed.
    pub killed_with: BTreeMap<i64, i32>,
    /// Times that GA4 left the program without an answer, of which nobody knows which events were in the request.
    pub unread: i32,
    /// Whether a run went on after its database was away, so that nobody knows what it could not put on record.
    pub lost_sight: bool,
}

impl Storm {
    pub async fn of(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self { seed, world: World::of(&mut rng).await, rng, log: Log::default(), frozen: None }
    }

    /// Goes on until nothing is owed, and sees whether all is as it must be.
    pub async fn weather(mut self) {
        let troubles = self.rng.random_range(1..=3);
        // PostgreSQL is not kept running when it ends again and again, so once must do.
        let restart = self.world.postgres.as_ref().map(|_| self.rng.random_range(0..troubles));
        let month_goes = self.rng.random_range(0..STORMY);
        for round in 0.. {
            assert!(round < ROUNDS, "seed {}: something is still owed\n{}", self.seed, self.log.said);
            let trouble = (round < troubles).then(|| match restart {
                Some(restart) if restart == round => Trouble::of_postgres(&mut self.rng),
                _ => Trouble::of(&self.world, &mut self.rng),
            });
            let kind = match round {
                0 => Round::First,
                1..STORMY => Round::Stormy { ends_by_a_kill: trouble == Some(Trouble::Killed) },
                _ => Round::Calm,
            };
            let rules = weather::rules(&self.world, kind, &mut self.rng);
            self.world.services.set_faults(rules).unwrap();
            if round == month_goes {
                self.world.drop_month().await;
            }
            let knows = match round {
                1..STORMY => {
                    *[Knows::Both, Knows::OnlyGa4, Knows::OnlyMixpanel].choose(&mut self.rng).unwrap()
                }
                _ => Knows::Both,
            };
            let frozen = self.frozen.take();
            self.run(trouble, knows).await;
            if let Some(frozen) = frozen {
                self.log.said += &frozen.thaw().await;
            }
            self.log.unread += unread(&self.world);
            if trouble.is_none() && round >= month_goes && self.owed().await == 0 {
                break;
            }
            self.let_time_pass(kind).await;
        }
        let complaints = reckoning::complaints(&self).await;
        let Self { seed, log, world, .. } = self;
        assert!(complaints.is_empty(), "seed {seed}: {complaints:#?}\n{}", log.said);
        if let Some(postgres) = world.postgres {
            postgres.stop().await;
        }
    }

    async fn run(&mut self, trouble: Option<Trouble>, knows: Knows) {
        let proxy = match trouble {
            Some(trouble) => trouble.proxy().await,
            None => None,
        };
        let moment = Moment::of(&mut self.rng);
        let mut program = self.world.run(knows, proxy.as_ref()).spawn().unwrap();
        let said = program.stderr.take().unwrap();
        let told = program.stdout.take().unwrap();
        let listening = tokio::spawn(async move { all(said).await + &all(told).await });
        let struck = match trouble {
            None => None,
            Some(trouble) => tokio::select! {
                _ = program.wait() => None,
                has_sent = moment.comes(&self.world) => Some((trouble, has_sent)),
            },
        };
        let said = match struck {
            // Before it has begun its run there is nothing to take over. What it says is heard when it goes on.
            Some((Trouble::Frozen, true)) => {
                self.frozen = Some(Frozen::freeze(&self.world, program, listening).await);
                String::new()
            }
            Some((Trouble::Killed | Trouble::Frozen, _)) => {
                // A process that has just ended by itself cannot be killed any more.
                program.kill().await.ok();
                listening.await.unwrap()
            }
            Some((trouble, _)) => {
                trouble::strike_database(&self.world, trouble, proxy.as_ref()).await;
                self.log.lost_sight = true;
                self.end(&mut program).await;
                listening.await.unwrap()
            }
            None => {
                self.end(&mut program).await;
                listening.await.unwrap()
            }
        };
        self.log.said += &said;
        if let Some(proxy) = &proxy {
            // The network is well again, and what is left of old connections ends.
            proxy.cut(Newcomers::Served);
        }
        // PostgreSQL may need a moment to see that a program was killed, and until then its lock is held. Behind a proxy a
        // second is enough for a busy database to be taken for a silent one.
        if struck.is_none() && proxy.is_none() && !said.contains("Another sync run is in progress") {
            self.assert_that_all_is_decided(knows).await;
        }
        let wrongly_marked = self.count(WRONGLY_MARKED).await;
        assert_eq!(
            wrongly_marked, 0,
            "seed {}: synced is not what owes nothing\n{}",
            self.seed, self.log.said
        );
        if struck.is_some() && knows != Knows::OnlyMixpanel {
            for event in self.taken_up().await {
                *self.log.killed_with.entry(event).or_default() += 1;
            }
        }
    }

    /// Waits until the program ends by itself.
    async fn end(&self, program: &mut Child) {
        let Ok(status) = timeout(ENDS, program.wait()).await else {
            panic!("seed {}: the program does not end: {}", self.seed, self.sessions().await);
        };
        let status = status.unwrap();
        assert!(matches!(status.code(), Some(0 | 1)), "seed {}: {status}", self.seed);
    }

    /// What each session of the database does, and which others it waits for.
    async fn sessions(&self) -> String {
        let select = "SELECT coalesce(string_agg(concat_ws(' | ', pid, state, now() - state_change, wait_event, \
                          pg_blocking_pids(pid)::text, left(query, 80)), E'\\n'), '') \
                      FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.world.database.client().await.query_one(select, &[]).await.unwrap().get(0)
    }

    /// A run that nobody kills leaves nothing undecided at the drivers that it knows.
    async fn assert_that_all_is_decided(&self, knows: Knows) {
        let drivers = match knows {
            Knows::Both => "'ga4', 'mixpanel'",
            Knows::OnlyGa4 => "'ga4'",
            Knows::OnlyMixpanel => "'mixpanel'",
        };
        let left: i64 = self
            .count(&format!(
                "(SELECT count(*) FROM telemetry_sync_logs WHERE status = 'running') + \
                    (SELECT count(*) FROM telemetry_leases WHERE driver IN ({drivers}))",
            ))
            .await;
        assert_eq!(
            left, 0,
            "seed {}: a run ended and left something undecided\n{}",
            self.seed, self.log.said
        );
    }

    async fn taken_up(&self) -> Vec<i64> {
        let select = "SELECT unnest(event_ids) FROM telemetry_leases WHERE driver = 'ga4'";
        let rows = self.world.database.client().await.query(select, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn owed(&self) -> i64 {
        self.count("(SELECT count(*) FROM video_player_events WHERE synced_at IS NULL)").await
    }

    async fn count(&self, what: &str) -> i64 {
        let client = self.world.database.client().await;
        client.query_one(&format!("SELECT {what}"), &[]).await.unwrap().get(0)
    }

    /// The program goes by the system's clock: instead of waiting until retries are due and pauses over, they are moved
    /// to before now. That events have been tried for long is left alone, or some would be given up; only of events that
    /// are refused while nothing is wrong with the services a week passes, after which one that is refused alone is dead.
    async fn let_time_pass(&self, kind: Round) {
        let client = self.world.database.client().await;
        if matches!(kind, Round::Calm) {
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

/// How often GA4 left the program without an answer and the request unread in this round. What refuses connections closes
/// all that idle, just when they are used again, and resets those that were made and nobody has accepted yet: eight at
/// once at most of either.
fn unread(world: &World) -> i32 {
    let of_ga4 = world.services.faults().into_iter().filter(|state| state.rule.service == Service::Ga4);
    let unread = of_ga4.map(|state| {
        let each = match state.rule.fault {
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
        i32::try_from(state.struck).unwrap() * each
    });
    unread.sum()
}

async fn all(mut output: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    output.read_to_end(&mut text).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}
