//! What a seed is about: the events, who watched, which of them the services refuse, and how the program is set up.

use std::collections::BTreeSet;

use backend::db::embedded::EmbeddedPostgres;
use domain::access::Role;
use nix::unistd::Pid;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, RngCore as _};
use rand_chacha::ChaCha8Rng;
use secrecy::ExposeSecret as _;
use stand_ins::StandIns;
use stand_ins::config::{CollectAnswer, InsertIdKey};
use tokio::process::Command;

use crate::embedded::{Place, postmaster};
use crate::harness::academy::{Academy, Lesson};
use crate::harness::database::TestDatabase;
use crate::harness::proxy::Proxy;
use crate::sync::ground::enabled_for_long;
use crate::sync::program;

/// How Mixpanel is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By `/import`, which says of each event what became of it.
    Import,
    /// By `/track`, which does not.
    Track,
}

/// Who GA4's events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Each from a client of its own, in a request of its own.
    Many,
    /// Those of a viewer from one client, up to 25 in a request.
    OneAViewer,
}

/// Which drivers a process has the settings of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    Both,
    OnlyGa4,
    OnlyMixpanel,
}

/// The events of a seed and what is to become of them.
pub struct World {
    pub database: TestDatabase,
    /// A PostgreSQL that is nobody else's and may be killed, where the seed has one.
    pub postgres: Option<OwnPostgres>,
    pub services: StandIns,
    pub way: Way,
    pub clients: Clients,
    /// Every event's id.
    pub events: BTreeSet<i64>,
    /// Those that GA4 refuses.
    pub refused_by_ga4: BTreeSet<i64>,
    /// Those that Mixpanel refuses.
    pub refused_by_mixpanel: BTreeSet<i64>,
    /// Those that are too old for GA4.
    pub too_old_for_ga4: BTreeSet<i64>,
    /// Events of a month that is dropped, of which nobody knows how far they come.
    pub doomed: BTreeSet<i64>,
}

/// Old enough that no other event is of that month.
const A_MONTH: &str = "(date_trunc('month', now()) - interval '3 months' + interval '9 days')::date";

/// Events that nothing is wrong with, but for those that are refused.
const RECENT: i64 = 2_000;
/// Too old for GA4, and recent enough for either way to Mixpanel.
const OLD: i64 = 3;
/// In a month of their own, which is dropped.
const DOOMED: i64 = 300;
/// Dated so far ahead that `/import` refuses them, and says so in its list of failed records.
const FUTURE: i64 = 6;
/// So many are refused by a rule of the stand-ins, as too large or as bad requests.
const REFUSED: usize = 6;
/// Every seventh event is a guest's.
const VIEWERS: usize = 6;

impl World {
    pub async fn of(rng: &mut ChaCha8Rng) -> Self {
        let postgres = if rng.random_ratio(1, 10) { Some(OwnPostgres::start().await) } else { None };
        let database = match &postgres {
            Some(postgres) => TestDatabase::at(postgres.running.database_url()).await,
            None => TestDatabase::new().await,
        };
        enabled_for_long(&database, &["ga4", "mixpanel"]).await;
        let services = StandIns::start().await.unwrap();
        services.set_seed(rng.next_u64());
        let way = *[Way::Import, Way::Track].choose(rng).unwrap();
        let clients = *[Clients::Many, Clients::OneAViewer].choose(rng).unwrap();
        services.configure(|config| {
            config.ga4.collect_answer = *[CollectAnswer::NoContent, CollectAnswer::Ok].choose(rng).unwrap();
            config.mixpanel.insert_id_key =
                *[InsertIdKey::InsertId, InsertIdKey::DollarInsertId].choose(rng).unwrap();
        });
        let class = Class::of(&database).await;
        let recent = class.events(&database, "now() - interval '2 hours'", RECENT).await;
        let old = class.events(&database, "now() - interval '4 days'", OLD).await;
        let client = database.client().await;
        client
            .batch_execute(&format!("SELECT ensure_player_event_partitions({A_MONTH}, {A_MONTH})"))
            .await
            .unwrap();
        let doomed = class.events(&database, &format!("{A_MONTH}::timestamptz"), DOOMED).await;
        let future = match way {
            Way::Import => class.events(&database, "now() + interval '2 hours'", FUTURE).await,
            Way::Track => Vec::new(),
        };
        let refused_by_ga4 = recent.choose_multiple(rng, REFUSED).copied().collect();
        let refused_by_mixpanel = match way {
            Way::Import => future.iter().copied().collect(),
            Way::Track => recent.choose_multiple(rng, REFUSED).copied().collect(),
        };
        let too_old_for_ga4 = old.iter().copied().collect();
        let events = recent.into_iter().chain(old).chain(future).collect();
        Self {
            database,
            postgres,
            services,
            way,
            clients,
            events,
            refused_by_ga4,
            refused_by_mixpanel,
            too_old_for_ga4,
            doomed: doomed.into_iter().collect(),
        }
    }

    /// Drops the month of the doomed events, as somebody might by hand.
    pub async fn drop_month(&self) {
        let drop = format!(
            "DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS video_player_events_' || to_char({A_MONTH}, '\"y\"YYYY\"m\"MM'); END $$"
        );
        self.database.client().await.batch_execute(&drop).await.unwrap();
    }

    /// A run of the sync that goes on until nothing is owed that may be sent, by a process that knows these drivers, and
    /// reaches its database through a proxy if there is one.
    pub fn run(&self, knows: Knows, proxy: Option<&Proxy>) -> Command {
        let arguments = ["telemetry:sync", "--until-empty", "--json"];
        let mut command = program::dataporter(&self.database, &self.services, &arguments);
        let endpoint = match self.way {
            Way::Import => "import",
            Way::Track => "track",
        };
        let client_ids = match self.clients {
            Clients::Many => "spec",
            Clients::OneAViewer => "stable",
        };
        command.env("MIXPANEL_ENDPOINT", endpoint).env("GA4_CLIENT_ID_MODE", client_ids);
        if let Some(proxy) = proxy {
            command.env("DATABASE_URL", self.database.address_behind(proxy).expose_secret());
        }
        match knows {
            Knows::Both => {}
            Knows::OnlyGa4 => drop(command.env_remove("MIXPANEL_ENABLED")),
            Knows::OnlyMixpanel => drop(command.env_remove("GA4_ENABLED")),
        }
        command
    }
}

/// A PostgreSQL of a seed's own, kept running by the product.
pub struct OwnPostgres {
    running: EmbeddedPostgres,
    place: Place,
}

impl OwnPostgres {
    async fn start() -> Self {
        let place = Place::new();
        Self { running: place.start().await.unwrap(), place }
    }

    /// Stops it.
    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }

    /// Its first process.
    pub fn process(&self) -> Pid {
        postmaster(&self.place.cluster())
    }
}

/// The name by which the services know an event.
pub fn uid(event: i64) -> String {
    format!("vpe-{event}")
}

/// Who watches what.
struct Class {
    lesson: Lesson,
    viewers: Vec<i64>,
}

impl Class {
    async fn of(database: &TestDatabase) -> Self {
        let academy = Academy::new(database.client().await);
        let lesson = academy.lesson(academy.course().await).await;
        let mut viewers = Vec::new();
        for _ in 0..VIEWERS {
            viewers.push(academy.user(Role::Student).await);
        }
        Self { lesson, viewers }
    }

    /// So many events of the viewers and of guests, a second apart, from this time on; their ids.
    async fn events(&self, database: &TestDatabase, first: &str, count: i64) -> Vec<i64> {
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
