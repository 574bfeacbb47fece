//! A seed's course: round after round under faults, some of them ended by a kill, until nothing is owed.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use stand_ins::Service;
use stand_ins::fault::{Fault, Point};
use tokio::io::AsyncReadExt as _;
use tokio::time::sleep;

use super::reckoning;
use super::weather::{self, Round};
use super::world::{Knows, World};

/// After so many rounds the services are well.
const STORMY: u32 = 4;
/// By then nothing may be owed any more.
const ROUNDS: u32 = 20;

/// The program is killed by then: it may have nothing more to do than to wait for an answer that never comes.
const LONG_ENOUGH: Duration = Duration::from_millis(900);

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
}

/// When a round ends.
enum End {
    /// When nothing is owed that may be sent.
    Itself,
    /// When so many requests have come in since it began, and so much later; or when that takes too long.
    Kill { requests: u64, later: Duration },
}

impl Storm {
    pub async fn of(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self { seed, world: World::of(&mut rng).await, rng, log: Log::default() }
    }

    /// Goes on until nothing is owed, and sees whether all is as it must be.
    pub async fn weather(mut self) {
        let kills = self.rng.random_range(1..=3);
        let month_goes = self.rng.random_range(0..STORMY);
        for round in 0.. {
            assert!(round < ROUNDS, "seed {}: something is still owed\n{}", self.seed, self.log.said);
            let is_killed = round < kills;
            let kind = match round {
                0 => Round::First,
                1..STORMY => Round::Stormy { ends_by_a_kill: is_killed },
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
            let end = if is_killed { self.kill() } else { End::Itself };
            self.run(end, knows).await;
            self.log.unread += unread(&self.world);
            if !is_killed && round >= month_goes && self.owed().await == 0 {
                break;
            }
            self.let_time_pass().await;
        }
        let complaints = reckoning::complaints(&self).await;
        let Self { seed, log, .. } = &self;
        assert!(complaints.is_empty(), "seed {seed}: {complaints:#?}\n{}", log.said);
    }

    fn kill(&mut self) -> End {
        // Some moments are before anything is sent.
        let requests = self.rng.random_range(0..120);
        End::Kill { requests, later: Duration::from_micros(self.rng.random_range(0..20_000)) }
    }

    async fn run(&mut self, end: End, knows: Knows) {
        let services = &self.world.services;
        let requests = |counts: &stand_ins::Counts| counts.ga4.requests + counts.mixpanel.requests;
        let before = requests(&services.counts());
        let mut program = self.world.run(knows).spawn().unwrap();
        let said = program.stderr.take().unwrap();
        let told = program.stdout.take().unwrap();
        let listening = tokio::spawn(async move { (all(said).await, all(told).await) });
        let is_killed = match end {
            End::Itself => {
                let status = program.wait().await.unwrap();
                assert!(matches!(status.code(), Some(0 | 1)), "seed {}: {status}", self.seed);
                false
            }
            End::Kill { requests: wanted, later } => {
                let moment = async {
                    tokio::select! {
                        _ = services.until(|counts| requests(counts) >= before + wanted) => sleep(later).await,
                        () = sleep(LONG_ENOUGH) => {}
                    }
                };
                tokio::select! {
                    _ = program.wait() => false,
                    () = moment => {
                        // A process that has just ended by itself cannot be killed any more.
                        program.kill().await.ok();
                        true
                    }
                }
            }
        };
        let (said, told) = listening.await.unwrap();
        self.log.said += &said;
        self.log.said += &told;
        // PostgreSQL may need a moment to see that a program was killed, and until then its lock is held.
        if !is_killed && !said.contains("Another run of the sync is under way") {
            self.assert_that_all_is_decided(knows).await;
        }
        let wrongly_marked = self.count(WRONGLY_MARKED).await;
        assert_eq!(
            wrongly_marked, 0,
            "seed {}: synced is not what owes nothing\n{}",
            self.seed, self.log.said
        );
        if is_killed && knows != Knows::OnlyMixpanel {
            for event in self.taken_up().await {
                *self.log.killed_with.entry(event).or_default() += 1;
            }
        }
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
    /// to before now. That events have been tried for long is left alone, or some would be given up.
    async fn let_time_pass(&self) {
        let client = self.world.database.client().await;
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
