//! The backlog alarm: when it is raised and ends, who is notified, and how mail about it is delivered.

mod command;
mod encryption;
mod limits;
mod messages;
mod notifications;
mod outbox;
mod recipients;
mod refusing;
mod schedule;

use backend::app::App;
use backend::config::Config;
use backend::config::mail::smtp_server::SmtpServer as Server;
use backend::db;
use backend::mail::{self, DeliverySummary};
use backend::telemetry::monitor::{self, Checked, Finding};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::harness::hub::{APP_KEY, Hub};
use stand_ins::smtp::SmtpServer;

/// The number of pending events that raises the alarm in these tests.
const THRESHOLD: u64 = 10;

/// A hub with an enabled driver and a mail server.
struct AlertFixture {
    hub: Hub,
    smtp: SmtpServer,
}

impl AlertFixture {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let smtp = SmtpServer::start().await;
        let hub = Hub::with(|config| {
            enable_alerts(config);
            send_mail(config, &smtp.url());
            change(config);
        });
        Self { hub: hub.await, smtp }
    }

    /// Inserts a user with this role and English as their language. Returns the id.
    async fn insert_user(&self, name: &str, role: &str) -> i64 {
        let user = "INSERT INTO users (name, email, role, locale) VALUES ($1, $2, $3, 'en') RETURNING id";
        self.hub.academy.insert(user, &[&name, &format!("{name}@example.org"), &role]).await
    }

    /// Raises the alarm.
    async fn raise_alarm(&self) {
        self.insert_pending(THRESHOLD, 5).await;
        assert!(matches!(self.check().await, Finding::Alarmed { .. }));
    }

    /// Inserts pending events that happened and arrived this many minutes ago.
    async fn insert_pending(&self, count: u64, minutes_ago: i64) {
        self.insert_late(count, minutes_ago, minutes_ago).await;
    }

    /// Inserts pending events that happened and arrived at different times, both in minutes ago.
    async fn insert_late(&self, count: u64, happened: i64, arrived: i64) {
        let [happened_at, arrived] =
            [happened, arrived].map(|ago| self.hub.clock.now() - TimeDelta::minutes(ago));
        self.hub
            .sql(&format!(
                "SELECT ensure_player_event_partitions('{0}', '{0}');
                 INSERT INTO video_player_events (event, recorded_at, created_at)
                 SELECT 'play', '{0}', '{1}' FROM generate_series(1, {count})",
                happened_at.to_rfc3339(),
                arrived.to_rfc3339()
            ))
            .await;
    }

    /// Marks every event as synced.
    async fn mark_all_synced(&self) {
        self.hub.sql("UPDATE video_player_events SET synced_at = now()").await;
    }

    async fn check(&self) -> Finding {
        monitor::check(&self.hub.app).await.unwrap().finding
    }

    async fn deliver_mail(&self) -> DeliverySummary {
        deliver_mail(&self.hub.app).await
    }

    fn advance_minutes(&self, minutes: i64) {
        self.hub.clock.advance(TimeDelta::minutes(minutes));
    }

    /// The recipient and kind of every notification, in order.
    async fn notifications(&self) -> Value {
        self.hub.rows("SELECT user_id, kind FROM notifications ORDER BY id").await
    }

    /// The state of every mail in the outbox, in order.
    async fn outbox(&self) -> Value {
        let mails = "SELECT name, attempts, sent_at IS NOT NULL AS sent, failed_at IS NOT NULL AS failed, last_error \
                     FROM mail_outbox JOIN notifications AS n ON n.id = notification_id JOIN users ON users.id = user_id \
                     ORDER BY n.id";
        self.hub.rows(mails).await
    }
}

/// Enables a driver and sets the alarm threshold of the tests.
fn enable_alerts(config: &mut Config) {
    config.telemetry.ga4.enabled = true;
    config.telemetry.alert.threshold = THRESHOLD;
}

fn send_mail(config: &mut Config, url: &str) {
    config.mail.smtp = Server::parse(url);
    config.mail.from = Some("DataPorter Hub <hub@example.org>".parse().unwrap());
}

/// An app on the hub's database and clock, as in another process.
fn another_app(hub: &Hub, change: impl FnOnce(&mut Config)) -> App {
    let url = &hub.database.url;
    let mut config = Config::for_database(url.expose_secret(), APP_KEY);
    change(&mut config);
    App::new(config, db::pool(url, 8, db::POOL_WAIT_TIMEOUT), hub.clock.clone()).unwrap()
}

async fn check_with(app: &App) -> Checked {
    monitor::check(app).await.unwrap()
}

async fn deliver_mail(app: &App) -> DeliverySummary {
    mail::deliver(app, &CancellationToken::new()).await.unwrap().expect("a mail server is configured")
}

fn summary(sent: usize, postponed: usize, failed: usize) -> DeliverySummary {
    DeliverySummary { sent, postponed, failed }
}
