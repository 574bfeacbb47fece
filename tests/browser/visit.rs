//! A visit to a hub: a hub, a browser and its page. A failed test leaves a screenshot.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;

use backend::models::user::NewUser;
use domain::Role;
use futures_util::FutureExt as _;

use super::chromium::{Chromium, Screen};
use super::page::{POLL_INTERVAL, Page, WAIT_TIMEOUT};
use crate::harness::hub::Hub;

/// The password of all users.
pub const PASSWORD: &str = "correct horse battery staple";

/// A hub, and a browser that visits it.
pub struct Visit {
    pub hub: Hub,
    pub page: Page,
    pub chromium: Chromium,
}

/// Visits a new hub with a desktop screen.
pub async fn visit(test: impl AsyncFnOnce(&Visit)) {
    visit_on(Screen::Desktop, test).await;
}

/// Visits a new hub with this screen.
///
/// Also checks that the browser logged no errors, such as failed scripts and policy violations.
pub async fn visit_on(screen: Screen, test: impl AsyncFnOnce(&Visit)) {
    visit_hub(Hub::start().await, screen, test).await;
}

/// Visits this hub with this screen. See [`visit_on`].
pub async fn visit_hub(hub: Hub, screen: Screen, test: impl AsyncFnOnce(&Visit)) {
    let chromium = Chromium::start(screen).await;
    let page = Page::new(chromium.client.clone(), hub.url(""));
    let visit = Visit { hub, page, chromium };
    let outcome = AssertUnwindSafe(test(&visit)).catch_unwind().await;
    let errors = visit.chromium.console_errors().await;
    let succeeded = outcome.is_ok() && errors.is_empty();
    if !succeeded {
        save_screenshot(&visit.chromium).await;
    }
    visit.chromium.client.clone().close().await.expect("the browser can be closed");
    if let Err(panic) = outcome {
        eprintln!("the browser logged errors: {errors:#?}");
        resume_unwind(panic);
    }
    assert!(errors.is_empty(), "the browser logged errors: {errors:#?}");
}

impl Visit {
    /// Creates a user who can sign in as `<name>@example.com`.
    pub async fn create_user(&self, name: &str, role: Role) {
        let app = &self.hub.app;
        let hash = app.auth.passwords.hash(PASSWORD.into()).await.expect("the password can be hashed");
        let email = format!("{name}@example.com");
        let mut conn = app.pool.get().await.expect("the database is available");
        NewUser { name, email: &email, role: role.key(), manage_settings: None, password_hash: &hash }
            .insert(&mut conn)
            .await
            .expect("the user is new");
    }

    /// Creates a user with this role, opens a page and signs in.
    pub async fn open_as(&self, role: Role, path: &str) {
        self.create_user(role.key(), role).await;
        self.page.open(path).await;
        self.sign_in(role.key(), PASSWORD).await;
        self.page.button("Cerrar sesión").await;
    }

    /// Fills in and submits the Spanish sign-in form.
    pub async fn sign_in(&self, name: &str, password: &str) {
        self.page.fill("Correo", &format!("{name}@example.com")).await;
        self.page.fill("Contraseña", password).await;
        self.page.click("Entrar").await;
    }

    /// Discards the errors of failed requests and WebSockets, and checks that there are no other errors.
    pub async fn ignore_network_errors(&self) {
        for error in self.chromium.console_errors().await {
            assert!(error.contains("net::ERR_") || error.contains("WebSocket connection"), "{error}");
        }
    }

    /// Waits until the audit log has this number of complete exports.
    pub async fn wait_for_complete_exports(&self, expected: i64) {
        let client = self.hub.database.client().await;
        let count = "SELECT count(*) FROM export_audits WHERE outcome = 'complete'";
        let recorded = async {
            let mut pause = tokio::time::interval(POLL_INTERVAL);
            while client.query_one(count, &[]).await.expect("the query is valid").get::<_, i64>(0) != expected
            {
                pause.tick().await;
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, recorded).await.expect("the exports are marked as complete");
    }

    /// Inserts two courses with a lesson each, two events for the first course and one for the second.
    pub async fn insert_lessons_and_events(&self) {
        self.hub
            .sql(
                "INSERT INTO courses (id, slug, titles) VALUES
                   (1, 'ingles-b1', '{\"es\": \"Inglés B1\", \"en\": \"English B1\"}'),
                   (2, 'frances-a1', '{\"es\": \"Francés A1\", \"en\": \"French A1\"}');
                 INSERT INTO lessons (id, course_id, title) VALUES (11, 1, 'Past simple'), (21, 2, 'Salutations');
                 SELECT ensure_player_event_partitions('2027-01-01', '2027-01-31');
                 INSERT INTO video_player_events (course_id, lesson_id, event, recorded_at, metadata) VALUES
                   (1, 11, 'play', '2027-01-10T10:00:00Z', NULL),
                   (1, 11, 'seek', '2027-01-10T10:01:00Z', '{\"from\": 40, \"to\": 120}'),
                   (2, 21, 'play', '2027-01-11T10:00:00Z', NULL);",
            )
            .await;
    }
}

/// Saves a screenshot in the build directory, named after the test.
async fn save_screenshot(chromium: &Chromium) {
    let Ok(screenshot) = chromium.client.screenshot().await else { return };
    let name = std::thread::current().name().unwrap_or("browser").replace("::", "-");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
    std::fs::write(&path, screenshot).expect("the build directory is writable");
    eprintln!("saved a screenshot: {}", path.display());
}
