//! No secret of a service is stored, returned or logged, even if the service echoes it.

use backend::config::Config;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use stand_ins::config::{MEASUREMENT_ID, PROJECT_ID};
use stand_ins::fault::{Answer, BreakMode, Fault, Point, Rule};
use stand_ins::{Service, StandIns};
use tokio::process::Command;

use super::configs::{both, ga4, mixpanel_by_token};
use super::fixture::SyncFixture;
use crate::harness::hub::APP_KEY;

/// These secrets contain characters that URLs encode.
const GA4_SECRET: &str = "ga4/api+secret=1";
const ACCOUNT_SECRET: &str = "service&account:secret";
const TOKEN: &str = "mixpanel0project0token";
const PROJECT_SECRET: &str = "mixpanel0project0token0and0secret";

/// A configuration, and the secrets and logins that Mixpanel gets with it.
struct Case {
    settings: fn(&mut Config, &StandIns),
    /// The environment variables of this case for the program.
    variables: &'static [(&'static str, &'static str)],
    secrets: &'static [&'static str],
    logins: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        settings: |config, services| {
            both(config, services);
            set_secrets(config);
            config.telemetry.mixpanel.api_secret = Some(SecretString::from(PROJECT_SECRET));
        },
        variables: &[("MIXPANEL_API_SECRET", PROJECT_SECRET)],
        secrets: &[TOKEN, PROJECT_SECRET],
        logins: &["mixpanel0project0token0and0secret:"],
    },
    Case {
        settings: |config, services| {
            both(config, services);
            set_secrets(config);
            let mixpanel = &mut config.telemetry.mixpanel;
            mixpanel.service_account = Some(SecretString::from(format!("robot:{ACCOUNT_SECRET}")));
            mixpanel.project_id = Some(PROJECT_ID.to_owned());
        },
        variables: &[
            ("MIXPANEL_SERVICE_ACCOUNT", "robot:service&account:secret"),
            ("MIXPANEL_PROJECT_ID", PROJECT_ID),
        ],
        secrets: &[TOKEN, ACCOUNT_SECRET],
        logins: &["robot:service&account:secret"],
    },
    Case {
        settings: |config, services| {
            ga4(config, services);
            mixpanel_by_token(config, services);
            set_secrets(config);
        },
        variables: &[],
        secrets: &[TOKEN],
        logins: &["mixpanel0project0token:"],
    },
];

fn set_secrets(config: &mut Config) {
    config.telemetry.ga4.api_secret = Some(SecretString::from(GA4_SECRET));
    config.telemetry.mixpanel.project_token = Some(SecretString::from(TOKEN));
}

/// The secrets in plain form and URL-encoded.
fn forms(secrets: &[&str]) -> Vec<String> {
    let encoded = |secret: &&str| form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    secrets.iter().map(|secret| (*secret).to_owned()).chain(secrets.iter().map(encoded)).collect()
}

impl Case {
    /// Every form of the secrets that a service gets.
    fn forms(&self, service: Service) -> Vec<String> {
        match service {
            Service::Ga4 => forms(&[GA4_SECRET]),
            Service::Mixpanel => {
                let logins = self.logins.iter().map(|login| BASE64_STANDARD.encode(login));
                forms(self.secrets).into_iter().chain(logins).collect()
            }
        }
    }
}

/// Failures that echo all of these secrets.
fn echoes(secrets: &[String]) -> Vec<Fault> {
    let echo = secrets.join(" , ");
    let mut faults: Vec<Fault> = [400, 401, 403, 413, 429, 500, 503]
        .into_iter()
        .map(|status| Fault::Answer(Answer::plain(status, &echo)))
        .collect();
    faults.push(Fault::Answer(Answer::json(200, json!({"status": 0, "error": echo}))));
    faults.push(Fault::Answer(Answer::redirect(302, &format!("https://example.com/?{}", secrets.join("&")))));
    faults.push(Fault::Break { at: Point::BeforeAnswer, how: BreakMode::Reset });
    faults
}

/// The content of all tables.
async fn database_content(fixture: &SyncFixture) -> String {
    let tables = fixture
        .hub
        .rows("SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        .await;
    let mut text = String::new();
    for table in tables.as_array().unwrap() {
        let table = table["name"].as_str().unwrap();
        text += &fixture.hub.rows(&format!("SELECT row::text FROM \"{table}\" AS row")).await.to_string();
    }
    text
}

async fn api_responses(fixture: &SyncFixture) -> String {
    let query = "{ syncStatus { drivers { problem } lastRun { message drivers { driver } } } \
        syncRuns(first: 100, includeSkipped: true) { message triggeredBy state } \
        deadDeliveries(first: 500) { nodes { reason driver } } }";
    fixture.hub.graphql(query).by(&fixture.new_admin_token().await).data().await.to_string()
}

#[tokio::test]
async fn no_secret_that_a_service_echoes_is_stored_or_returned() {
    for case in CASES {
        let fixture = SyncFixture::without_waits(case.settings).await;
        let [ga4_forms, mixpanel_forms] =
            [Service::Ga4, Service::Mixpanel].map(|service| case.forms(service));
        for (ga4_fault, mixpanel_fault) in echoes(&ga4_forms).into_iter().zip(echoes(&mixpanel_forms)) {
            fixture.insert_events(2).await;
            fixture
                .faults([Rule::new(Service::Ga4, ga4_fault), Rule::new(Service::Mixpanel, mixpanel_fault)]);
            fixture.run().await;
            fixture.advance(TimeDelta::minutes(20));
        }
        // One event becomes dead with these secrets in its error message.
        let bad = fixture.insert_events(2).await[0];
        let refusing = |service, secrets: &[String]| {
            let answer = Answer::plain(400, &secrets.join(" , "));
            Rule::new(service, Fault::Answer(answer)).events([format!("vpe-{bad}")])
        };
        fixture.faults([refusing(Service::Ga4, &ga4_forms), refusing(Service::Mixpanel, &mixpanel_forms)]);
        fixture.run().await;
        let counts = fixture.services.counts();
        assert!(counts.ga4.faults > 10 && counts.mixpanel.faults > 10, "{counts:?}");
        let (stored, responses) = (database_content(&fixture).await, api_responses(&fixture).await);
        // The redacted error messages are there.
        assert!(stored.contains("***") && responses.contains("***"));
        for form in ga4_forms.iter().chain(&mixpanel_forms) {
            assert!(!stored.contains(form), "{form} is stored");
            assert!(!responses.contains(form), "{form} is returned");
        }
    }
}

/// The output of the program for one run at the most verbose log level.
async fn log_of_a_run(fixture: &SyncFixture, case: &Case) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .arg("telemetry:sync")
        .env_clear()
        // This folder has no settings file.
        .current_dir(std::env::temp_dir())
        .env("DATABASE_URL", fixture.hub.database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .env("RUST_LOG", "trace")
        .env("TELEMETRY_SYNC_PATIENCE_SECONDS", "0")
        .env("GA4_ENABLED", "true")
        .env("GA4_MEASUREMENT_ID", MEASUREMENT_ID)
        .env("GA4_API_SECRET", GA4_SECRET)
        .env("GA4_BASE_URL", fixture.services.ga4_url())
        .env("MIXPANEL_ENABLED", "true")
        .env("MIXPANEL_PROJECT_TOKEN", TOKEN)
        .env("MIXPANEL_BASE_URL", fixture.services.mixpanel_url())
        .envs(case.variables.iter().copied())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

#[tokio::test]
async fn no_secret_that_a_service_echoes_is_logged() {
    for case in CASES {
        let fixture = SyncFixture::with(case.settings).await;
        let [ga4_forms, mixpanel_forms] =
            [Service::Ga4, Service::Mixpanel].map(|service| case.forms(service));
        for (ga4_fault, mixpanel_fault) in echoes(&ga4_forms).into_iter().zip(echoes(&mixpanel_forms)) {
            fixture.insert_events(1).await;
            fixture
                .faults([Rule::new(Service::Ga4, ga4_fault), Rule::new(Service::Mixpanel, mixpanel_fault)]);
            let log = log_of_a_run(&fixture, &case).await;
            assert!(log.contains("Ended a sync run"), "{log}");
            for form in ga4_forms.iter().chain(&mixpanel_forms) {
                assert!(!log.contains(form), "{form} is logged");
            }
        }
        let counts = fixture.services.counts();
        assert!(counts.ga4.faults >= 10 && counts.mixpanel.faults >= 10, "{counts:?}");
    }
}
