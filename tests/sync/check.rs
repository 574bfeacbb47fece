//! `dataporter telemetry:check`: it tries the endpoints that events would go to, without sending any event.

use serde_json::{Value, json};
use stand_ins::config::{
    API_SECRET, EmptyImport, MEASUREMENT_ID, PROJECT_ID, PROJECT_SECRET, PROJECT_TOKEN, Secrets,
};
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, StandIns};
use tokio::process::Command;

use crate::harness::hub::APP_KEY;

const TOKEN_NOT_VERIFIED: &str = "whether the project token is correct (/track never reports it)";

/// Statuses of HTML pages that a proxy might return instead of the service's own response.
const PROXY_STATUSES: [u16; 2] = [200, 400];

type Variables<'a> = &'a [(&'a str, &'a str)];

/// Runs the command. Returns its exit code and its report on each driver.
async fn check(services: &StandIns, variables: Variables<'_>) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .args(["telemetry:check", "--json"])
        .env_clear()
        // This folder has no settings file.
        .current_dir(std::env::temp_dir())
        .env("APP_KEY", APP_KEY)
        .env("GA4_BASE_URL", services.ga4_url())
        .env("MIXPANEL_BASE_URL", services.mixpanel_url())
        .envs(variables.iter().copied())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), report["drivers"].clone())
}

/// Checks Mixpanel alone, with the correct token.
async fn check_mixpanel(services: &StandIns, variables: Variables<'_>) -> (i32, Value) {
    let token = [("MIXPANEL_ENABLED", "true"), ("MIXPANEL_PROJECT_TOKEN", PROJECT_TOKEN)];
    let (code, report) = check(services, &[&token, variables].concat()).await;
    assert_eq!(report[0]["driver"], "mixpanel", "{report}");
    assert_eq!(services.counts().mixpanel.stored, 0);
    (code, report[0].clone())
}

fn passed(unproven: Option<&str>) -> (i32, Value) {
    (0, json!({"driver": "mixpanel", "good": true, "problems": [], "unproven": unproven}))
}

fn failed(problems: &[&str]) -> (i32, Value) {
    (1, json!({"driver": "mixpanel", "good": false, "problems": problems, "unproven": null}))
}

/// The endpoints of Mixpanel that received a request, in order.
fn requested(services: &StandIns) -> Vec<String> {
    services.requests(Service::Mixpanel).iter().map(|entry| entry.route.clone()).collect()
}

fn answering(answer: Answer) -> [Rule; 1] {
    [Rule::new(Service::Mixpanel, Fault::Answer(answer))]
}

#[tokio::test]
async fn an_import_without_events_verifies_the_credentials() {
    let account = ("MIXPANEL_SERVICE_ACCOUNT", "standin.service-account:standin0service0account0secret");
    for variables in [
        [("MIXPANEL_API_SECRET", PROJECT_SECRET)].as_slice(),
        &[account, ("MIXPANEL_PROJECT_ID", PROJECT_ID)],
        &[("MIXPANEL_ENDPOINT", "import")],
    ] {
        for empty_import in [EmptyImport::Imported, EmptyImport::Refused] {
            let services = StandIns::start().await.unwrap();
            services.configure(|config| config.mixpanel.empty_import = empty_import);
            assert_eq!(check_mixpanel(&services, variables).await, passed(None), "{variables:?}");
            assert_eq!(requested(&services), ["/import"]);
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_reported_but_not_printed() {
    let services = StandIns::start().await.unwrap();
    let wrong = [("MIXPANEL_API_SECRET", "wrong0secret")];
    let problem =
        r#"/import returned 401: {"code":401,"error":"Invalid credentials","status":"Unauthorized"}"#;
    assert_eq!(check_mixpanel(&services, &wrong).await, failed(&[problem]));
    services.set_faults(answering(Answer::plain(403, "wrong0secret opens nothing"))).unwrap();
    let problem = "/import returned 403: *** opens nothing";
    assert_eq!(check_mixpanel(&services, &wrong).await, failed(&[problem]));
    services.set_faults([]).unwrap();
    services.configure(|config| config.mixpanel.secrets = Secrets::SwitchedOff);
    let (code, _) = check_mixpanel(&services, &[("MIXPANEL_API_SECRET", PROJECT_SECRET)]).await;
    assert_eq!(code, 1, "project secrets are disabled from 2027-03-03 on");
}

#[tokio::test]
async fn with_only_a_token_both_endpoints_are_tried_and_import_verifies_it() {
    for empty_import in [EmptyImport::Imported, EmptyImport::Refused] {
        let services = StandIns::start().await.unwrap();
        services.configure(|config| config.mixpanel.empty_import = empty_import);
        assert_eq!(check_mixpanel(&services, &[]).await, passed(None));
        assert_eq!(requested(&services), ["/track", "/import"]);
    }
    let services = StandIns::start().await.unwrap();
    let (code, report) = check_mixpanel(&services, &[("MIXPANEL_PROJECT_TOKEN", "wrong0token")]).await;
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("/import returned 401"), "{problem}");
    assert!(
        problem.contains(
            "the project token is wrong, or Mixpanel does not accept it for events older than five days"
        ),
        "{problem}"
    );
    assert_eq!((code, report["problems"].as_array().unwrap().len()), (1, 1), "/track never says: {report}");
}

#[tokio::test]
async fn with_track_only_import_is_not_tried_and_the_token_is_not_verified() {
    for token in [PROJECT_TOKEN, "wrong0token"] {
        let services = StandIns::start().await.unwrap();
        // A secret that is not used makes no difference.
        for secret in [[].as_slice(), &[("MIXPANEL_API_SECRET", "wrong0secret")]] {
            let track = [("MIXPANEL_ENDPOINT", "track"), ("MIXPANEL_PROJECT_TOKEN", token)];
            let report = check_mixpanel(&services, &[&track, secret].concat()).await;
            assert_eq!(report, passed(Some(TOKEN_NOT_VERIFIED)));
        }
        assert_eq!(requested(&services), ["/track", "/track"]);
    }
    let services = StandIns::start().await.unwrap();
    services.set_faults(answering(Answer::temporary_failure())).unwrap();
    let problem = r#"/track returned 200: {"error":"a temporary failure occurred","status":0}"#;
    assert_eq!(check_mixpanel(&services, &[("MIXPANEL_ENDPOINT", "track")]).await, failed(&[problem]));
}

#[tokio::test]
async fn a_response_that_is_not_from_mixpanel_is_a_problem() {
    for endpoint in ["import", "track"] {
        for status in PROXY_STATUSES {
            let services = StandIns::start().await.unwrap();
            services.set_faults(answering(Answer::html(status))).unwrap();
            let problem = format!("/{endpoint} returned {status}, but not with a response from Mixpanel");
            let report = check_mixpanel(&services, &[("MIXPANEL_ENDPOINT", endpoint)]).await;
            assert_eq!(report, failed(&[&problem]));
        }
    }
}

#[tokio::test]
async fn a_refusal_for_another_reason_than_missing_events_is_reported() {
    let services = StandIns::start().await.unwrap();
    let refusal =
        json!({"code": 400, "error": "project_id must not be missing or empty", "status": "Bad Request"});
    services.set_faults(answering(Answer::json(400, refusal.clone()))).unwrap();
    let problem = format!("/import returned 400: {refusal}");
    assert_eq!(check_mixpanel(&services, &[("MIXPANEL_ENDPOINT", "import")]).await, failed(&[&problem]));
}

#[tokio::test]
async fn both_drivers_are_checked_and_ga4_lists_what_cannot_be_verified() {
    let services = StandIns::start().await.unwrap();
    let mut variables = vec![
        ("GA4_ENABLED", "true"),
        ("GA4_MEASUREMENT_ID", MEASUREMENT_ID),
        ("GA4_API_SECRET", API_SECRET),
        ("MIXPANEL_ENABLED", "true"),
    ];
    let missing = json!({"driver": "mixpanel", "good": false, "problems": ["MIXPANEL_PROJECT_TOKEN is missing"],
        "unproven": null});
    let unproven = "whether the measurement id and the secret are correct (GA4 never reports it)";
    let ga4 = json!({"driver": "ga4", "good": true, "problems": [], "unproven": unproven});
    assert_eq!(check(&services, &variables).await, (2, json!([ga4, missing])));
    variables.push(("MIXPANEL_PROJECT_TOKEN", PROJECT_TOKEN));
    assert_eq!(check(&services, &variables).await, (0, json!([ga4, passed(None).1])));
    services
        .set_faults(
            PROXY_STATUSES
                .map(|status| Rule::new(Service::Ga4, Fault::Answer(Answer::html(status))).times(1)),
        )
        .unwrap();
    for status in PROXY_STATUSES {
        let (code, report) = check(&services, &variables).await;
        let problem = format!("/debug/mp/collect returned {status}, but not with a response from GA4");
        assert_eq!((code, &report[0]["problems"]), (1, &json!([problem])));
    }
    assert_eq!((services.stored_ga4().len(), services.mixpanel_raw().len()), (0, 0));
}
