//! A visit to a hub: the hub, a browser, and somebody who may sign in. What fails leaves a picture behind.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;

use backend::models::user::NewUser;
use domain::Role;
use futures_util::FutureExt as _;

use super::chromium::{Chromium, Screen};
use super::page::{PATIENCE, PAUSE, Page};
use crate::harness::hub::Hub;

/// The password of everybody here.
pub const PASSWORD: &str = "correct horse battery staple";

/// A visit.
pub struct Visit {
    pub hub: Hub,
    pub page: Page,
    pub chromium: Chromium,
}

/// Visits a new hub on a wide screen.
pub async fn visit(claim: impl AsyncFnOnce(&Visit)) {
    visit_on(Screen::Wide, claim).await;
}

/// Visits a new hub on a screen of some kind.
///
/// Whatever else a test claims, the browser must have had nothing to complain about: no script failed, and nothing
/// went against the page's own policy.
pub async fn visit_on(screen: Screen, claim: impl AsyncFnOnce(&Visit)) {
    visit_hub(Hub::start().await, screen, claim).await;
}

/// Visits a hub; see [`visit_on`].
pub async fn visit_hub(hub: Hub, screen: Screen, claim: impl AsyncFnOnce(&Visit)) {
    let chromium = Chromium::start(screen).await;
    let page = Page::new(chromium.client.clone(), hub.url(""));
    let visit = Visit { hub, page, chromium };
    let outcome = AssertUnwindSafe(claim(&visit)).catch_unwind().await;
    let complaints = visit.chromium.complaints().await;
    let went_well = outcome.is_ok() && complaints.is_empty();
    if !went_well {
        keep_picture(&visit.chromium).await;
    }
    visit.chromium.client.clone().close().await.expect("a browser can be closed");
    if let Err(panic) = outcome {
        eprintln!("the browser complained of {complaints:#?}");
        resume_unwind(panic);
    }
    assert!(complaints.is_empty(), "the browser complained of {complaints:#?}");
}

impl Visit {
    /// Somebody who can sign in as `<name>@example.com`.
    pub async fn person(&self, name: &str, role: Role) {
        let app = &self.hub.app;
        let hash = app.auth.passwords.hash(PASSWORD.into()).await.expect("a password can be hashed");
        let email = format!("{name}@example.com");
        let mut conn = app.pool.get().await.expect("the database is there");
        NewUser { name, email: &email, role: role.key(), manage_settings: None, password_hash: &hash }
            .insert(&mut conn)
            .await
            .expect("the person is new");
    }

    /// Opens a page as a new person of that role, and signs in where the page asks for it.
    pub async fn arrive(&self, role: Role, path: &str) {
        self.person(role.key(), role).await;
        self.page.open(path).await;
        self.sign_in(role.key(), PASSWORD).await;
        self.page.button("Cerrar sesión").await;
    }

    /// Fills in the form, in Spanish.
    pub async fn sign_in(&self, name: &str, password: &str) {
        self.page.fill("Correo electrónico", &format!("{name}@example.com")).await;
        self.page.fill("Contraseña", password).await;
        self.page.click("Entrar").await;
    }

    /// The browser tells of each request and each socket that did not come through; nothing else may have gone wrong.
    pub async fn forgive_lost_requests(&self) {
        for complaint in self.chromium.complaints().await {
            assert!(
                complaint.contains("net::ERR_") || complaint.contains("WebSocket connection"),
                "{complaint}"
            );
        }
    }

    /// Waits until the server has noted that so many exports are complete, a moment after the browser has their files.
    pub async fn wait_for_complete_exports(&self, expected: i64) {
        let client = self.hub.database.client().await;
        let count = "SELECT count(*) FROM export_audits WHERE outcome = 'complete'";
        let noted = async {
            let mut pause = tokio::time::interval(PAUSE);
            while client.query_one(count, &[]).await.expect("a count").get::<_, i64>(0) != expected {
                pause.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, noted).await.expect("the server notes how an export ended");
    }

    /// Two courses with a lesson each, and three events: two of the first course, one of the second.
    pub async fn lessons_and_events(&self) {
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

/// Keeps what the browser shows, under the test's name, beside what cargo builds.
async fn keep_picture(chromium: &Chromium) {
    let Ok(picture) = chromium.client.screenshot().await else { return };
    let name = std::thread::current().name().unwrap_or("browser").replace("::", "-");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
    std::fs::write(&path, picture).expect("the build directory can be written to");
    eprintln!("what the browser showed: {}", path.display());
}
