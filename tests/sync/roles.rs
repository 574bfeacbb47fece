//! Who may see the sync status, and who may run the sync.

use domain::access::{Role, TokenScope};

use super::configs::both;
use super::fixture::SyncFixture;

const STATUS_QUERIES: [&str; 3] =
    ["{ syncStatus { eventsPending } }", "{ syncRuns { id } }", "{ deadDeliveries { totalCount } }"];
const RUN_MUTATIONS: [&str; 3] = [
    "mutation { runTelemetrySync { state } }",
    "mutation { retryLastSyncBatch { state } }",
    "mutation { requeueDeadDeliveries(driver: GA4) }",
];

/// The error code of each operation, or `None` if it is allowed.
async fn error_codes(
    fixture: &SyncFixture,
    operations: [&str; 3],
    token: Option<&str>,
) -> Vec<Option<String>> {
    let mut error_codes = Vec::new();
    for operation in operations {
        let request = fixture.hub.graphql(operation);
        let request = if let Some(token) = token { request.by(token) } else { request };
        let answer = request.send().await;
        error_codes.push((!answer.body["errors"].is_null()).then(|| answer.code()));
    }
    error_codes
}

fn all(code: Option<&str>) -> Vec<Option<String>> {
    vec![code.map(str::to_owned); 3]
}

const FORBIDDEN: Option<&str> = Some("FORBIDDEN");

#[tokio::test]
async fn running_the_sync_requires_manage_settings() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(1).await;
    for (role, status_code, run_code) in [
        (Role::Admin, None, None),
        (Role::TeacherAdmin, None, FORBIDDEN),
        (Role::Service, None, FORBIDDEN),
        (Role::Teacher, FORBIDDEN, FORBIDDEN),
        (Role::Student, FORBIDDEN, FORBIDDEN),
    ] {
        let user = fixture.hub.user_named(&format!("somebody-{}", role.key()), role).await;
        assert_eq!(
            error_codes(&fixture, STATUS_QUERIES, Some(&user.token)).await,
            all(status_code),
            "{role:?}"
        );
        assert_eq!(error_codes(&fixture, RUN_MUTATIONS, Some(&user.token)).await, all(run_code), "{role:?}");
        if matches!(role, Role::TeacherAdmin | Role::Service) {
            fixture.hub.academy.grant_manage_settings(user.id).await;
            assert_eq!(error_codes(&fixture, RUN_MUTATIONS, Some(&user.token)).await, all(None), "{role:?}");
        }
    }
    assert_eq!(error_codes(&fixture, STATUS_QUERIES, None).await, all(Some("UNAUTHENTICATED")));
    assert_eq!(error_codes(&fixture, RUN_MUTATIONS, None).await, all(Some("UNAUTHENTICATED")));
}

#[tokio::test]
async fn an_api_token_needs_scope_read_for_the_status_and_sync_to_run() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(1).await;
    let owner = fixture.hub.user_named("owner", Role::Admin).await;
    for (scope, status_code, run_code) in [
        (TokenScope::Read, None, FORBIDDEN),
        (TokenScope::Sync, FORBIDDEN, None),
        (TokenScope::Record, FORBIDDEN, FORBIDDEN),
        (TokenScope::Import, FORBIDDEN, FORBIDDEN),
    ] {
        let token = fixture.hub.api_token(owner.id, &[scope]).await;
        assert_eq!(error_codes(&fixture, STATUS_QUERIES, Some(&token)).await, all(status_code), "{scope:?}");
        assert_eq!(error_codes(&fixture, RUN_MUTATIONS, Some(&token)).await, all(run_code), "{scope:?}");
    }
    let player = fixture.hub.player_token(owner.id);
    assert_eq!(error_codes(&fixture, RUN_MUTATIONS, Some(&player)).await, all(FORBIDDEN));
}

#[tokio::test]
async fn a_forbidden_run_sends_nothing() {
    let fixture = SyncFixture::without_waits(both).await;
    fixture.insert_events(1).await;
    let teacher = fixture.hub.user(Role::Teacher).await;
    error_codes(&fixture, RUN_MUTATIONS, Some(&teacher.token)).await;
    assert_eq!(fixture.services.journal().len(), 0);
    assert_eq!(fixture.hub.rows("SELECT id FROM telemetry_sync_logs").await, serde_json::json!([]));
}
