//! The backlog alarm: when it is raised and ended, who is told, once, and how mail about it gets through.

mod command;
mod encryption;
mod letters;
mod limits;
mod notifications;
mod outbox;
mod refusing;
mod schedule;
mod telling;

use backend::app::App;
use backend::config::Config;
use backend::config::mail::smtp_server::SmtpServer as Server;
use backend::db;
use backend::mail::{self, Delivered};
use backend::telemetry::monitor::{self, Checked, Finding};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::harness::hub::{APP_KEY, Hub};
use stand_ins::smtp::SmtpServer;

/// So many pending events raise the alarm in these tests.
const THRESHOLD: u64 = 10;

/// A hub that syncs, and has a mail server.
struct Watch {
    hub: Hub,
    smtp: SmtpServer,
}

impl Watch {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let smtp = SmtpServer::start().await;
        let hub = Hub::with(|config| {
            alert(config);
            send_mail(config, &smtp.url());
            change(config);
        });
        Self { hub: hub.await, smtp }
    }

    /// Somebody with this role, who speaks English; their id.
    async fn person(&self, name: &str, role: &str) -> i64 {
        let person = "INSERT INTO users (name, email, role, locale) VALUES ($1, $2, $3, 'en') RETURNING id";
        self.hub.academy.insert(person, &[&name, &format!("{name}@example.org"), &role]).await
    }

    /// Raises the alarm.
    async fn alarm(&self) {
        self.pending(THRESHOLD, 5).await;
        assert!(matches!(self.look().await, Finding::Alarmed { .. }));
    }

    /// So many events that happened and came in so many minutes ago, and wait for the sync.
    async fn pending(&self, number: u64, minutes_ago: i64) {
        self.late(number, minutes_ago, minutes_ago).await;
    }

    /// So many events that happened so many minutes ago and came in later.
    async fn late(&self, number: u64, happened: i64, came_in: i64) {
        let [at, came_in] = [happened, came_in].map(|ago| self.hub.clock.now() - TimeDelta::minutes(ago));
        self.hub
            .sql(&format!(
                "SELECT ensure_player_event_partitions('{0}', '{0}');
                 INSERT INTO video_player_events (event, recorded_at, created_at)
                 SELECT 'play', '{0}', '{1}' FROM generate_series(1, {number})",
                at.to_rfc3339(),
                came_in.to_rfc3339()
            ))
            .await;
    }

    /// Every event is synced.
    async fn synced(&self) {
        self.hub.sql("UPDATE video_player_events SET synced_at = now()").await;
    }

    async fn look(&self) -> Finding {
        monitor::check(&self.hub.app).await.unwrap().finding
    }

    async fn deliver(&self) -> Delivered {
        deliver(&self.hub.app).await
    }

    fn pass(&self, minutes: i64) {
        self.hub.clock.advance(TimeDelta::minutes(minutes));
    }

    /// Who was told what, in order.
    async fn told(&self) -> Value {
        self.hub.rows("SELECT user_id, kind FROM notifications ORDER BY id").await
    }

    /// What is on record of the mails.
    async fn outbox(&self) -> Value {
        let mails = "SELECT name, attempts, sent_at IS NOT NULL AS sent, given_up_at IS NOT NULL AS given_up, last_error \
                     FROM mail_outbox JOIN notifications AS n ON n.id = notification_id JOIN users ON users.id = user_id \
                     ORDER BY n.id";
        self.hub.rows(mails).await
    }
}

/// What of the alarm the tests set.
fn alert(config: &mut Config) {
    config.telemetry.ga4.enabled = true;
    config.telemetry.alert.threshold = THRESHOLD;
}

fn send_mail(config: &mut Config, url: &str) {
    config.mail.smtp = Server::parse(url);
    config.mail.from = Some("DataPorter Hub <hub@example.org>".parse().unwrap());
}

/// Another process on the hub's database, by the same clock.
fn another(hub: &Hub, change: impl FnOnce(&mut Config)) -> App {
    let url = &hub.database.url;
    let mut config = Config::for_database(url.expose_secret(), APP_KEY);
    change(&mut config);
    App::new(config, db::pool(url, 8, db::POOL_PATIENCE), hub.clock.clone()).unwrap()
}

async fn look_at(app: &App) -> Checked {
    monitor::check(app).await.unwrap()
}

async fn deliver(app: &App) -> Delivered {
    mail::deliver(app, &CancellationToken::new()).await.unwrap().expect("there is a mail server")
}

fn delivered(sent: usize, postponed: usize, given_up: usize) -> Delivered {
    Delivered { sent, postponed, given_up }
}
