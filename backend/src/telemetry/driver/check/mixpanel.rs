//! Whether Mixpanel takes what is sent to it, by each way in that the settings use, found out by sending it nothing.
//!
//! `/import` looks at who comes before it looks at what they bring, so an import of nothing shows whether the login is
//! good, a project's token too. `/track` takes whatever token it is sent; of it can be told only that it is Mixpanel
//! that answers. What Mixpanel says to nothing is documented nowhere; its own add-on for Google Sheets tries logins out
//! in this way and knows "data, missing or empty" for the answer to a good one.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Checked, foreign, in_words, unexpected};
use crate::telemetry::driver::Route;
use crate::telemetry::driver::mixpanel::Mixpanel;
use crate::telemetry::driver::outcome::{Failure, SendOutcome};
use crate::telemetry::driver::reply::{self, Reply};

/// Tries every way in that events would go.
pub(super) async fn check(mixpanel: &Mixpanel, now: DateTime<Utc>) -> Checked {
    let mut problems = Vec::new();
    for route in mixpanel.ways_in() {
        problems.extend(problem(mixpanel, *route, now).await);
    }
    if !problems.is_empty() {
        return Checked::Bad(problems);
    }
    let proves_token = mixpanel.ways_in().iter().any(|route| *route != Route::Track);
    let unproven = (!proves_token).then_some("whether the project token is right; /track never says");
    Checked::Good { unproven }
}

/// What is wrong with one way in.
async fn problem(mixpanel: &Mixpanel, route: Route, now: DateTime<Utc>) -> Option<String> {
    let who = route.path();
    let reply = match reply::send(mixpanel.request(route, b"[]"), now).await {
        Ok(reply) => reply,
        Err(answer) => return Some(in_words(who, &answer)),
    };
    if let Some(answer) = reply::by_status(&reply, mixpanel.secrets()) {
        let said = in_words(who, &answer);
        return Some(match (route, &answer) {
            (Route::ImportByToken, SendOutcome::Unusable(_, Failure { http_status: Some(401), .. })) => {
                format!(
                    "{said}; so the project token is wrong, or else what is older than five days would not be taken"
                )
            }
            _ => said,
        });
    }
    match Said::read(&reply) {
        Said::Nothing => None,
        Said::Something => Some(unexpected(who, &reply, mixpanel.secrets())),
        Said::NotMixpanels => Some(foreign(who, &reply, "Mixpanel")),
    }
}

/// What an answer to nothing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// That there was nothing in it, and no more.
    Nothing,
    /// Something else, in Mixpanel's words.
    Something,
    /// It is not Mixpanel who says it.
    NotMixpanels,
}

/// As much as both ways in say.
#[derive(Deserialize)]
struct Told {
    num_records_imported: Option<u64>,
    #[serde(default)]
    error: Option<String>,
    /// `/import` tells the status' name, `/track` a number.
    status: serde_json::Value,
}

impl Said {
    fn read(reply: &Reply) -> Self {
        if !reply.is_whole {
            return Self::NotMixpanels;
        }
        if reply.status.is_success() && matches!(reply.body.trim_ascii(), b"0" | b"1") {
            return Self::Nothing;
        }
        let Ok(Told { num_records_imported, error, status }) = serde_json::from_slice(&reply.body) else {
            return Self::NotMixpanels;
        };
        if num_records_imported.is_none() && error.is_none() && !status.is_u64() {
            return Self::NotMixpanels;
        }
        let is_nothing = match error.filter(|error| !error.is_empty()) {
            Some(error) => is_about_nothing(&error),
            None => reply.status.is_success() && num_records_imported.unwrap_or_default() == 0,
        };
        if is_nothing { Self::Nothing } else { Self::Something }
    }
}

/// Whether somebody complains of nothing but that there was nothing.
fn is_about_nothing(error: &str) -> bool {
    let error = error.to_lowercase();
    let complains = error.contains("empty") || error.contains("failed validation");
    // A login that names no project, or a wrong one, is a mistake.
    complains && !error.contains("project") && !error.contains("token")
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn said(status: u16, body: &str) -> Said {
        let status = StatusCode::from_u16(status).unwrap();
        Said::read(&Reply { status, body: body.as_bytes().to_vec(), is_whole: true, pause: None })
    }

    #[test]
    fn what_mixpanel_says_to_nothing_is_good() {
        for (status, body) in [
            (200, r#"{"code":200,"num_records_imported":0,"status":"OK"}"#),
            (200, r#"{"error":"data, missing or empty","status":0}"#),
            (200, r#"{"error":null,"status":1}"#),
            (200, r#"{"error":"","status":1}"#),
            (200, "0\n"),
            (200, "1"),
            (400, r#"{"code":400,"error":"data, missing or empty","status":"Bad Request"}"#),
            (
                400,
                r#"{"code":400,"error":"some data points in the request failed validation","status":"Bad Request",
                    "num_records_imported":0,"failed_records":[]}"#,
            ),
        ] {
            assert_eq!(said(status, body), Said::Nothing, "{status} {body}");
        }
    }

    #[test]
    fn what_else_it_says_is_told() {
        for (status, body) in [
            (200, r#"{"code":200,"num_records_imported":7,"status":"OK"}"#),
            (200, r#"{"error":"a temporary failure occurred","status":0}"#),
            (400, r#"{"code":400,"error":"project_id must not be missing or empty","status":"Bad Request"}"#),
            (400, r#"{"code":400,"error":"invalid content encoding","status":"Bad Request"}"#),
            (413, r#"{"code":413,"error":"request exceeds max limit of 2097152 bytes","status":"x"}"#),
        ] {
            assert_eq!(said(status, body), Said::Something, "{status} {body}");
        }
    }

    #[test]
    fn what_somebody_else_says_is_not_taken_for_mixpanels() {
        for (status, body) in [
            (200, "<html><body>empty</body></html>"),
            (400, "<html><body>Bad Request</body></html>"),
            (200, ""),
            (400, "0"),
            (200, r#"{"status":"OK"}"#),
            (200, r#"{"message":"empty"}"#),
            (200, r#"{"num_records_imported":0,"sta"#),
        ] {
            assert_eq!(said(status, body), Said::NotMixpanels, "{status} {body}");
        }
    }
}
