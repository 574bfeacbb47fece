//! `dataporter telemetry:check`: it tries the ways in that events would go, and sends none.

use serde_json::{Value, json};
use stand_ins::config::{
    API_SECRET, EmptyImport, MEASUREMENT_ID, PROJECT_ID, PROJECT_SECRET, PROJECT_TOKEN, Secrets,
};
use stand_ins::fault::{Answer, Fault, Rule};
use stand_ins::{Service, StandIns};
use tokio::process::Command;

use crate::harness::hub::APP_KEY;

const TOKEN_UNPROVEN: &str = "whether the project token is right; /track never says";

/// Statuses of the pages with which something on the way answers in the service's stead.
const PAGES: [u16; 2] = [200, 400];

type Variables<'a> = &'a [(&'a str, &'a str)];

/// The code with which the command ends, and what it says of each driver.
async fn check(services: &StandIns, variables: Variables<'_>) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .args(["telemetry:check", "--json"])
        .env_clear()
        // Where no file of settings lies.
        .current_dir(std::env::temp_dir())
        .env("APP_KEY", APP_KEY)
        .env("GA4_BASE_URL", services.ga4_url())
        .env("MIXPANEL_BASE_URL", services.mixpanel_url())
        .envs(variables.iter().copied())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), told["drivers"].clone())
}

/// The same for Mixpanel alone, with the right token.
async fn check_mixpanel(services: &StandIns, variables: Variables<'_>) -> (i32, Value) {
    let token = [("MIXPANEL_ENABLED", "true"), ("MIXPANEL_PROJECT_TOKEN", PROJECT_TOKEN)];
    let (code, told) = check(services, &[&token, variables].concat()).await;
    assert_eq!(told[0]["driver"], "mixpanel", "{told}");
    assert_eq!(services.counts().mixpanel.stored, 0);
    (code, told[0].clone())
}

fn good(unproven: Option<&str>) -> (i32, Value) {
    (0, json!({"driver": "mixpanel", "good": true, "problems": [], "unproven": unproven}))
}

fn bad(problems: &[&str]) -> (i32, Value) {
    (1, json!({"driver": "mixpanel", "good": false, "problems": problems, "unproven": null}))
}

/// The ways in that Mixpanel was asked by, in order.
fn asked(services: &StandIns) -> Vec<String> {
    services.requests(Service::Mixpanel).iter().map(|entry| entry.route.clone()).collect()
}

fn answering(answer: Answer) -> [Rule; 1] {
    [Rule::new(Service::Mixpanel, Fault::Answer(answer))]
}

#[tokio::test]
async fn a_login_is_proven_by_an_import_of_nothing() {
    let account = ("MIXPANEL_SERVICE_ACCOUNT", "standin.service-account:standin0service0account0secret");
    for variables in [
        [("MIXPANEL_API_SECRET", PROJECT_SECRET)].as_slice(),
        &[account, ("MIXPANEL_PROJECT_ID", PROJECT_ID)],
        &[("MIXPANEL_ENDPOINT", "import")],
    ] {
        for empty_import in [EmptyImport::Imported, EmptyImport::Refused] {
            let services = StandIns::start().await.unwrap();
            services.configure(|config| config.mixpanel.empty_import = empty_import);
            assert_eq!(check_mixpanel(&services, variables).await, good(None), "{variables:?}");
            assert_eq!(asked(&services), ["/import"]);
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_not_repeated() {
    let services = StandIns::start().await.unwrap();
    let wrong = [("MIXPANEL_API_SECRET", "wrong0secret")];
    let said = r#"/import answered 401: {"code":401,"error":"Invalid credentials","status":"Unauthorized"}"#;
    assert_eq!(check_mixpanel(&services, &wrong).await, bad(&[said]));
    services.set_faults(answering(Answer::plain(403, "wrong0secret opens nothing"))).unwrap();
    let said = "/import answered 403: *** opens nothing";
    assert_eq!(check_mixpanel(&services, &wrong).await, bad(&[said]));
    services.set_faults([]).unwrap();
    services.configure(|config| config.mixpanel.secrets = Secrets::SwitchedOff);
    let (code, _) = check_mixpanel(&services, &[("MIXPANEL_API_SECRET", PROJECT_SECRET)]).await;
    assert_eq!(code, 1, "as from 2027-03-03 on");
}

#[tokio::test]
async fn with_a_token_alone_both_ways_in_are_tried_and_the_import_proves_it() {
    for empty_import in [EmptyImport::Imported, EmptyImport::Refused] {
        let services = StandIns::start().await.unwrap();
        services.configure(|config| config.mixpanel.empty_import = empty_import);
        assert_eq!(check_mixpanel(&services, &[]).await, good(None));
        assert_eq!(asked(&services), ["/track", "/import"]);
    }
    let services = StandIns::start().await.unwrap();
    let (code, told) = check_mixpanel(&services, &[("MIXPANEL_PROJECT_TOKEN", "wrong0token")]).await;
    let said = told["problems"][0].as_str().unwrap();
    assert!(said.starts_with("/import answered 401"), "{said}");
    assert!(said.contains("the project token is wrong, or else what is older than five days"), "{said}");
    assert_eq!((code, told["problems"].as_array().unwrap().len()), (1, 1), "/track never says: {told}");
}

#[tokio::test]
async fn where_everything_is_tracked_the_import_is_not_asked_and_the_token_stays_unproven() {
    for token in [PROJECT_TOKEN, "wrong0token"] {
        let services = StandIns::start().await.unwrap();
        // Neither does a secret that is not used make a difference.
        for secret in [[].as_slice(), &[("MIXPANEL_API_SECRET", "wrong0secret")]] {
            let track = [("MIXPANEL_ENDPOINT", "track"), ("MIXPANEL_PROJECT_TOKEN", token)];
            let told = check_mixpanel(&services, &[&track, secret].concat()).await;
            assert_eq!(told, good(Some(TOKEN_UNPROVEN)));
        }
        assert_eq!(asked(&services), ["/track", "/track"]);
    }
    let services = StandIns::start().await.unwrap();
    services.set_faults(answering(Answer::temporary_failure())).unwrap();
    let said = r#"/track answered 200: {"error":"a temporary failure occurred","status":0}"#;
    assert_eq!(check_mixpanel(&services, &[("MIXPANEL_ENDPOINT", "track")]).await, bad(&[said]));
}

#[tokio::test]
async fn an_answer_that_is_not_mixpanels_is_not_taken_for_good() {
    for way in ["import", "track"] {
        for status in PAGES {
            let services = StandIns::start().await.unwrap();
            services.set_faults(answering(Answer::html(status))).unwrap();
            let said = format!("/{way} answered {status} in words that are not Mixpanel's");
            let told = check_mixpanel(&services, &[("MIXPANEL_ENDPOINT", way)]).await;
            assert_eq!(told, bad(&[&said]));
        }
    }
}

#[tokio::test]
async fn a_refusal_for_something_else_than_that_nothing_came_is_told() {
    let services = StandIns::start().await.unwrap();
    let refusal =
        json!({"code": 400, "error": "project_id must not be missing or empty", "status": "Bad Request"});
    services.set_faults(answering(Answer::json(400, refusal.clone()))).unwrap();
    let said = format!("/import answered 400: {refusal}");
    assert_eq!(check_mixpanel(&services, &[("MIXPANEL_ENDPOINT", "import")]).await, bad(&[&said]));
}

#[tokio::test]
async fn both_drivers_are_checked_and_of_ga4_it_is_said_what_is_not_proven() {
    let services = StandIns::start().await.unwrap();
    let mut variables = vec![
        ("GA4_ENABLED", "true"),
        ("GA4_MEASUREMENT_ID", MEASUREMENT_ID),
        ("GA4_API_SECRET", API_SECRET),
        ("MIXPANEL_ENABLED", "true"),
    ];
    let lacking = json!({"driver": "mixpanel", "good": false, "problems": ["MIXPANEL_PROJECT_TOKEN is missing"],
        "unproven": null});
    let unproven = "whether the measurement id and the secret are right; GA4 never says";
    let ga4 = json!({"driver": "ga4", "good": true, "problems": [], "unproven": unproven});
    assert_eq!(check(&services, &variables).await, (2, json!([ga4, lacking])));
    variables.push(("MIXPANEL_PROJECT_TOKEN", PROJECT_TOKEN));
    assert_eq!(check(&services, &variables).await, (0, json!([ga4, good(None).1])));
    services
        .set_faults(PAGES.map(|status| Rule::new(Service::Ga4, Fault::Answer(Answer::html(status))).times(1)))
        .unwrap();
    for status in PAGES {
        let (code, told) = check(&services, &variables).await;
        let said = format!("it answered {status} in words that are not GA4's");
        assert_eq!((code, &told[0]["problems"]), (1, &json!([said])));
    }
    assert_eq!((services.stored_ga4().len(), services.mixpanel_raw().len()), (0, 0));
}
