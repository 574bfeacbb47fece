//! The model of a seed: its events, their viewers, which events the services refuse, and how the program is
//! configured.

use std::collections::BTreeSet;

use domain::access::Role;
use embedded_postgres::EmbeddedPostgres;
use nix::unistd::Pid;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, RngCore as _};
use rand_chacha::ChaCha8Rng;
use secrecy::ExposeSecret as _;
use stand_ins::StandIns;
use stand_ins::config::{CollectAnswer, InsertIdKey};
use tokio::process::Command;

use crate::embedded::{EmbeddedFixture, postmaster};
use crate::harness::academy::{Academy, Lesson};
use crate::harness::database::TestDatabase;
use crate::harness::proxy::Proxy;
use crate::sync::fixture::enable_drivers_long_ago;
use crate::sync::program;

/// The endpoint of Mixpanel that events are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixpanelEndpoint {
    /// `/import`, which reports the outcome of each event.
    Import,
    /// `/track`, which reports one outcome for the whole request.
    Track,
}

/// How GA4 client ids are assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIds {
    /// One client id per event, so that each request holds one event.
    PerEvent,
    /// One client id per viewer, so that a request holds up to 25 events.
    PerViewer,
}

/// The drivers that a process is configured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfiguredDrivers {
    Both,
    OnlyGa4,
    OnlyMixpanel,
}

/// The events of a seed and their expected outcomes.
pub struct Model {
    pub database: TestDatabase,
    /// A PostgreSQL server of this seed alone, which may be killed, if the seed has one.
    pub postgres: Option<SeedPostgres>,
    pub services: StandIns,
    pub endpoint: MixpanelEndpoint,
    pub client_ids: ClientIds,
    /// The ids of all events except those in the dropped month.
    pub events: BTreeSet<i64>,
    pub refused_by_ga4: BTreeSet<i64>,
    pub refused_by_mixpanel: BTreeSet<i64>,
    pub too_old_for_ga4: BTreeSet<i64>,
    /// Events of a month that is dropped during the test, so that their outcome is not determined.
    pub dropped: BTreeSet<i64>,
}

/// A day in a month that holds no other events.
const DROPPED_MONTH: &str = "(date_trunc('month', now()) - interval '3 months' + interval '9 days')::date";

/// Events that are valid unless a rule refuses them.
const RECENT_EVENTS: i64 = 2_000;
/// Events that are too old for GA4, and recent enough for both endpoints of Mixpanel.
const OLD_EVENTS: i64 = 3;
/// Events in the month that is dropped.
const DROPPED_EVENTS: i64 = 300;
/// Events so far in the future that `/import` refuses them in its list of failed records.
const FUTURE_EVENTS: i64 = 6;
/// Events that a rule of the stand-ins refuses as too large or as bad requests.
const REFUSED_EVENTS: usize = 6;
/// Viewers of the events. Every seventh event is a guest's.
const VIEWER_COUNT: usize = 6;

impl Model {
    pub async fn random(rng: &mut ChaCha8Rng) -> Self {
        let postgres = if rng.random_ratio(1, 10) { Some(SeedPostgres::start().await) } else { None };
        let database = match &postgres {
            Some(postgres) => TestDatabase::at(postgres.running.database_url()).await,
            None => TestDatabase::new().await,
        };
        enable_drivers_long_ago(&database, &["ga4", "mixpanel"]).await;
        let services = StandIns::start().await.unwrap();
        services.set_seed(rng.next_u64());
        let endpoint = *[MixpanelEndpoint::Import, MixpanelEndpoint::Track].choose(rng).unwrap();
        let client_ids = *[ClientIds::PerEvent, ClientIds::PerViewer].choose(rng).unwrap();
        services.configure(|config| {
            config.ga4.collect_answer = *[CollectAnswer::NoContent, CollectAnswer::Ok].choose(rng).unwrap();
            config.mixpanel.insert_id_key =
                *[InsertIdKey::InsertId, InsertIdKey::DollarInsertId].choose(rng).unwrap();
        });
        let audience = Audience::new(&database).await;
        let recent = audience.insert_events(&database, "now() - interval '2 hours'", RECENT_EVENTS).await;
        let old = audience.insert_events(&database, "now() - interval '4 days'", OLD_EVENTS).await;
        let client = database.client().await;
        client
            .batch_execute(&format!(
                "SELECT ensure_player_event_partitions({DROPPED_MONTH}, {DROPPED_MONTH})"
            ))
            .await
            .unwrap();
        let dropped =
            audience.insert_events(&database, &format!("{DROPPED_MONTH}::timestamptz"), DROPPED_EVENTS).await;
        let future = match endpoint {
            MixpanelEndpoint::Import => {
                audience.insert_events(&database, "now() + interval '2 hours'", FUTURE_EVENTS).await
            }
            MixpanelEndpoint::Track => Vec::new(),
        };
        let refused_by_ga4 = recent.choose_multiple(rng, REFUSED_EVENTS).copied().collect();
        let refused_by_mixpanel = match endpoint {
            MixpanelEndpoint::Import => future.iter().copied().collect(),
            MixpanelEndpoint::Track => recent.choose_multiple(rng, REFUSED_EVENTS).copied().collect(),
        };
        let too_old_for_ga4 = old.iter().copied().collect();
        let events = recent.into_iter().chain(old).chain(future).collect();
        Self {
            database,
            postgres,
            services,
            endpoint,
            client_ids,
            events,
            refused_by_ga4,
            refused_by_mixpanel,
            too_old_for_ga4,
            dropped: dropped.into_iter().collect(),
        }
    }

    /// Drops the partition of the dropped month, as an administrator might.
    pub async fn drop_month(&self) {
        let drop = format!(
            "DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS video_player_events_' || to_char({DROPPED_MONTH}, '\"y\"YYYY\"m\"MM'); END $$"
        );
        self.database.client().await.batch_execute(&drop).await.unwrap();
    }

    /// A command that syncs until no pending event can be sent, with these drivers configured. It connects to
    /// the database through the proxy if one is given.
    pub fn sync_command(&self, drivers: ConfiguredDrivers, proxy: Option<&Proxy>) -> Command {
        let arguments = ["telemetry:sync", "--until-empty", "--json"];
        let mut command = program::dataporter(&self.database, &self.services, &arguments);
        let endpoint = match self.endpoint {
            MixpanelEndpoint::Import => "import",
            MixpanelEndpoint::Track => "track",
        };
        let client_ids = match self.client_ids {
            ClientIds::PerEvent => "spec",
            ClientIds::PerViewer => "stable",
        };
        command.env("MIXPANEL_ENDPOINT", endpoint).env("GA4_CLIENT_ID_MODE", client_ids);
        if let Some(proxy) = proxy {
            command.env("DATABASE_URL", self.database.url_through(proxy).expose_secret());
        }
        match drivers {
            ConfiguredDrivers::Both => {}
            ConfiguredDrivers::OnlyGa4 => drop(command.env_remove("MIXPANEL_ENABLED")),
            ConfiguredDrivers::OnlyMixpanel => drop(command.env_remove("GA4_ENABLED")),
        }
        command
    }
}

/// A PostgreSQL server for one seed, supervised by the product.
pub struct SeedPostgres {
    running: EmbeddedPostgres,
    place: EmbeddedFixture,
}

impl SeedPostgres {
    async fn start() -> Self {
        let place = EmbeddedFixture::new();
        Self { running: place.start().await.unwrap(), place }
    }

    /// Stops the server.
    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }

    /// The process id of its postmaster.
    pub fn postmaster_pid(&self) -> Pid {
        postmaster(&self.place.cluster())
    }
}

/// The viewers and the lesson that they watch.
struct Audience {
    lesson: Lesson,
    viewers: Vec<i64>,
}

impl Audience {
    async fn new(database: &TestDatabase) -> Self {
        let academy = Academy::new(database.client().await);
        let lesson = academy.lesson(academy.course().await).await;
        let mut viewers = Vec::new();
        for _ in 0..VIEWER_COUNT {
            viewers.push(academy.user(Role::Student).await);
        }
        Self { lesson, viewers }
    }

    /// Inserts events of the viewers and of guests, one per second from this time on. Returns their ids.
    async fn insert_events(&self, database: &TestDatabase, first: &str, count: i64) -> Vec<i64> {
        let insert = format!(
            "INSERT INTO video_player_events \
                 (recorded_at, user_id, course_id, lesson_id, event, provider, playback_seconds, metadata) \
             SELECT {first} + place * interval '1 second', ($1::bigint[])[place % 7], $2, $3, 'play', 'vimeo', \
                 place, '{{\"cta\": \"banner\"}}' \
             FROM generate_series(0, {count} - 1) AS place RETURNING id"
        );
        let client = database.client().await;
        let rows = client.query(&insert, &[&self.viewers, &self.lesson.course, &self.lesson.id]).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    }
}
