//! No secret of a service is written down anywhere, whatever the service says.

use backend::config::Config;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use stand_ins::config::{MEASUREMENT_ID, PROJECT_ID};
use stand_ins::fault::{Answer, Fault, How, Point, Rule};
use stand_ins::{Service, StandIns};
use tokio::process::Command;

use super::ground::Ground;
use super::settings::{both, ga4, mixpanel_by_token};
use crate::harness::hub::APP_KEY;

/// They hold characters that an address writes otherwise.
const GA4_SECRET: &str = "ga4/api+secret=1";
const ACCOUNT_SECRET: &str = "service&account:secret";
const TOKEN: &str = "mixpanel0project0token";
const PROJECT_SECRET: &str = "mixpanel0project0token0and0secret";

/// Settings, and the secrets and logins that Mixpanel gets under them.
struct Case {
    settings: fn(&mut Config, &StandIns),
    /// The same for the program, beside what is the same in every case.
    variables: &'static [(&'static str, &'static str)],
    secrets: &'static [&'static str],
    logins: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        settings: |config, services| {
            both(config, services);
            tell_secrets(config);
            config.telemetry.mixpanel.api_secret = Some(SecretString::from(PROJECT_SECRET));
        },
        variables: &[("MIXPANEL_API_SECRET", PROJECT_SECRET)],
        secrets: &[TOKEN, PROJECT_SECRET],
        logins: &["mixpanel0project0token0and0secret:"],
    },
    Case {
        settings: |config, services| {
            both(config, services);
            tell_secrets(config);
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
            tell_secrets(config);
        },
        variables: &[],
        secrets: &[TOKEN],
        logins: &["mixpanel0project0token:"],
    },
];

fn tell_secrets(config: &mut Config) {
    config.telemetry.ga4.api_secret = Some(SecretString::from(GA4_SECRET));
    config.telemetry.mixpanel.project_token = Some(SecretString::from(TOKEN));
}

/// As they are and as they stand in an address.
fn forms(secrets: &[&str]) -> Vec<String> {
    let encoded = |secret: &&str| form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    secrets.iter().map(|secret| (*secret).to_owned()).chain(secrets.iter().map(encoded)).collect()
}

impl Case {
    /// What must not be seen of what a service knows.
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

/// What a service may say that goes wrong, each time with all of this in it.
fn echoes(secrets: &[String]) -> Vec<Fault> {
    let echo = secrets.join(" , ");
    let mut faults: Vec<Fault> = [400, 401, 403, 413, 429, 500, 503]
        .into_iter()
        .map(|status| Fault::Answer(Answer::plain(status, &echo)))
        .collect();
    faults.push(Fault::Answer(Answer::json(200, json!({"status": 0, "error": echo}))));
    faults.push(Fault::Answer(Answer::redirect(302, &format!("https://example.com/?{}", secrets.join("&")))));
    faults.push(Fault::Break { at: Point::BeforeAnswer, how: How::Reset });
    faults
}

/// What is on record, in all tables and all columns.
async fn written_down(ground: &Ground) -> String {
    let tables = ground
        .hub
        .rows("SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        .await;
    let mut text = String::new();
    for table in tables.as_array().unwrap() {
        let table = table["name"].as_str().unwrap();
        text += &ground.hub.rows(&format!("SELECT row::text FROM \"{table}\" AS row")).await.to_string();
    }
    text
}

async fn answered(ground: &Ground) -> String {
    let query = "{ syncStatus { drivers { problem } lastRun { message drivers { driver } } } \
        syncRuns(first: 100, includeSkipped: true) { message triggeredBy state } \
        deadDeliveries(first: 500) { nodes { reason driver } } }";
    ground.hub.graphql(query).by(&ground.token().await).data().await.to_string()
}

#[tokio::test]
async fn whatever_a_service_repeats_no_secret_is_stored_or_answered() {
    for case in CASES {
        let ground = Ground::impatient(case.settings).await;
        let [of_ga4, of_mixpanel] = [Service::Ga4, Service::Mixpanel].map(|service| case.forms(service));
        for (ga4_says, mixpanel_says) in echoes(&of_ga4).into_iter().zip(echoes(&of_mixpanel)) {
            ground.events(2).await;
            ground.faults([Rule::new(Service::Ga4, ga4_says), Rule::new(Service::Mixpanel, mixpanel_says)]);
            ground.run().await;
            ground.advance(TimeDelta::minutes(20));
        }
        // One event among others is given up for what they say.
        let bad = ground.events(2).await[0];
        let refusing = |service, secrets: &[String]| {
            let answer = Answer::plain(400, &secrets.join(" , "));
            Rule::new(service, Fault::Answer(answer)).events([format!("vpe-{bad}")])
        };
        ground.faults([refusing(Service::Ga4, &of_ga4), refusing(Service::Mixpanel, &of_mixpanel)]);
        ground.run().await;
        let heard = ground.services.counts();
        assert!(heard.ga4.faults > 10 && heard.mixpanel.faults > 10, "{heard:?}");
        let (stored, answers) = (written_down(&ground).await, answered(&ground).await);
        // Something of what they said is there.
        assert!(stored.contains("***") && answers.contains("***"));
        for form in of_ga4.iter().chain(&of_mixpanel) {
            assert!(!stored.contains(form), "{form} is stored");
            assert!(!answers.contains(form), "{form} is answered");
        }
    }
}

/// All that the program writes when it runs the sync once and says as much as it can.
async fn log_of_a_run(ground: &Ground, case: &Case) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dataporter"))
        .arg("telemetry:sync")
        .env_clear()
        // Where no file of settings lies.
        .current_dir(std::env::temp_dir())
        .env("DATABASE_URL", ground.hub.database.url.expose_secret())
        .env("APP_KEY", APP_KEY)
        .env("RUST_LOG", "trace")
        .env("TELEMETRY_SYNC_PATIENCE_SECONDS", "0")
        .env("GA4_ENABLED", "true")
        .env("GA4_MEASUREMENT_ID", MEASUREMENT_ID)
        .env("GA4_API_SECRET", GA4_SECRET)
        .env("GA4_BASE_URL", ground.services.ga4_url())
        .env("MIXPANEL_ENABLED", "true")
        .env("MIXPANEL_PROJECT_TOKEN", TOKEN)
        .env("MIXPANEL_BASE_URL", ground.services.mixpanel_url())
        .envs(case.variables.iter().copied())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

#[tokio::test]
async fn whatever_a_service_repeats_no_secret_is_logged() {
    for case in CASES {
        let ground = Ground::with(case.settings).await;
        let [of_ga4, of_mixpanel] = [Service::Ga4, Service::Mixpanel].map(|service| case.forms(service));
        for (ga4_says, mixpanel_says) in echoes(&of_ga4).into_iter().zip(echoes(&of_mixpanel)) {
            ground.events(1).await;
            ground.faults([Rule::new(Service::Ga4, ga4_says), Rule::new(Service::Mixpanel, mixpanel_says)]);
            let log = log_of_a_run(&ground, &case).await;
            assert!(log.contains("Ended a sync run"), "{log}");
            for form in of_ga4.iter().chain(&of_mixpanel) {
                assert!(!log.contains(form), "{form} is logged");
            }
        }
        let heard = ground.services.counts();
        assert!(heard.ga4.faults >= 10 && heard.mixpanel.faults >= 10, "{heard:?}");
    }
}
