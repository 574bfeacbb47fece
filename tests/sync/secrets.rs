//! No secret of a service is written down anywhere, whatever the service says.

use std::io::Write;
use std::sync::{Arc, Mutex};

use backend::config::Config;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::json;
use stand_ins::config::PROJECT_ID;
use stand_ins::fault::{Answer, Fault, How, Point, Rule};
use stand_ins::{Service, StandIns};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::ground::Ground;
use super::settings::{both, ga4, mixpanel_by_token};

/// They hold characters that an address writes otherwise.
const GA4_SECRET: &str = "ga4/api+secret=1";
const ACCOUNT_SECRET: &str = "service&account:secret";
const TOKEN: &str = "mixpanel0project0token";
const PROJECT_SECRET: &str = "mixpanel0project0token0and0secret";

/// Settings, and the secrets and logins that Mixpanel gets under them.
struct Case {
    settings: fn(&mut Config, &StandIns),
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
        secrets: &[TOKEN, ACCOUNT_SECRET],
        logins: &["robot:service&account:secret"],
    },
    Case {
        settings: |config, services| {
            ga4(config, services);
            mixpanel_by_token(config, services);
            tell_secrets(config);
        },
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

/// The log as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
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
async fn whatever_a_service_repeats_no_secret_is_stored_answered_or_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(log.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    for case in CASES {
        let ground = Ground::impatient(case.settings).await;
        let [of_ga4, of_mixpanel] = [Service::Ga4, Service::Mixpanel].map(|service| case.forms(service));
        for (ga4_says, mixpanel_says) in echoes(&of_ga4).into_iter().zip(echoes(&of_mixpanel)) {
            ground.events(2).await;
            ground.faults([Rule::new(Service::Ga4, ga4_says), Rule::new(Service::Mixpanel, mixpanel_says)]);
            ground.run().await;
            ground.advance(TimeDelta::minutes(20));
        }
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
    drop(logging);
    let log = log.text();
    assert!(log.contains("A batch of events was not taken") && log.contains("***"));
    for form in
        CASES.iter().flat_map(|case| [case.forms(Service::Ga4), case.forms(Service::Mixpanel)]).flatten()
    {
        assert!(!log.contains(&form), "{form} is logged");
    }
}
