//! Who may see the sync, and who may run it.

use domain::access::{Role, TokenScope};

use super::ground::Ground;
use super::settings::both;

const SEEING: [&str; 3] =
    ["{ syncStatus { eventsPending } }", "{ syncRuns { id } }", "{ deadDeliveries { totalCount } }"];
const RUNNING: [&str; 3] = [
    "mutation { runTelemetrySync { state } }",
    "mutation { retryLastSyncBatch { state } }",
    "mutation { requeueDeadDeliveries(driver: GA4) }",
];

/// What each of these operations is answered with: a code, or nothing where it is allowed.
async fn answers(ground: &Ground, operations: [&str; 3], token: Option<&str>) -> Vec<Option<String>> {
    let mut answers = Vec::new();
    for operation in operations {
        let ask = ground.hub.graphql(operation);
        let ask = if let Some(token) = token { ask.by(token) } else { ask };
        let answer = ask.send().await;
        answers.push((!answer.body["errors"].is_null()).then(|| answer.code()));
    }
    answers
}

fn all(code: Option<&str>) -> Vec<Option<String>> {
    vec![code.map(str::to_owned); 3]
}

const FORBIDDEN: Option<&str> = Some("FORBIDDEN");

#[tokio::test]
async fn admins_teacher_admins_and_services_see_the_sync_and_only_with_manage_settings_run_it() {
    let ground = Ground::impatient(both).await;
    ground.events(1).await;
    for (role, sees, runs) in [
        (Role::Admin, None, None),
        (Role::TeacherAdmin, None, FORBIDDEN),
        (Role::Service, None, FORBIDDEN),
        (Role::Teacher, FORBIDDEN, FORBIDDEN),
        (Role::Student, FORBIDDEN, FORBIDDEN),
    ] {
        let user = ground.hub.user_named(&format!("somebody-{}", role.key()), role).await;
        assert_eq!(answers(&ground, SEEING, Some(&user.token)).await, all(sees), "{role:?}");
        assert_eq!(answers(&ground, RUNNING, Some(&user.token)).await, all(runs), "{role:?}");
        if matches!(role, Role::TeacherAdmin | Role::Service) {
            ground.hub.academy.grant_manage_settings(user.id).await;
            assert_eq!(answers(&ground, RUNNING, Some(&user.token)).await, all(None), "{role:?}");
        }
    }
    assert_eq!(answers(&ground, SEEING, None).await, all(Some("UNAUTHENTICATED")));
    assert_eq!(answers(&ground, RUNNING, None).await, all(Some("UNAUTHENTICATED")));
}

#[tokio::test]
async fn an_api_token_sees_by_the_scope_read_and_runs_by_the_scope_sync() {
    let ground = Ground::impatient(both).await;
    ground.events(1).await;
    let owner = ground.hub.user_named("owner", Role::Admin).await;
    for (scope, sees, runs) in [
        (TokenScope::Read, None, FORBIDDEN),
        (TokenScope::Sync, FORBIDDEN, None),
        (TokenScope::Record, FORBIDDEN, FORBIDDEN),
        (TokenScope::Import, FORBIDDEN, FORBIDDEN),
    ] {
        let token = ground.hub.api_token(owner.id, &[scope]).await;
        assert_eq!(answers(&ground, SEEING, Some(&token)).await, all(sees), "{scope:?}");
        assert_eq!(answers(&ground, RUNNING, Some(&token)).await, all(runs), "{scope:?}");
    }
    let player = ground.hub.player_token(owner.id);
    assert_eq!(answers(&ground, RUNNING, Some(&player)).await, all(FORBIDDEN));
}

#[tokio::test]
async fn whoever_is_not_allowed_to_run_it_sends_nothing() {
    let ground = Ground::impatient(both).await;
    ground.events(1).await;
    let teacher = ground.hub.user(Role::Teacher).await;
    answers(&ground, RUNNING, Some(&teacher.token)).await;
    assert_eq!(ground.services.journal().len(), 0);
    assert_eq!(ground.hub.rows("SELECT id FROM telemetry_sync_logs").await, serde_json::json!([]));
}
