//! `POST /api/video/progress`, with JSON, beacons and forms.

use axum::http::{HeaderMap, StatusCode};
use domain::Role;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{RecordingFixture, with};

const PATH: &str = "/api/video/progress";
const ACADEMY: &str = "https://academy.example.org";

impl RecordingFixture {
    fn post(&self) -> RequestBuilder {
        self.hub.http.post(self.hub.url(PATH))
    }

    fn report_of(&self, rest: Value) -> Value {
        with(json!({"lessonId": self.lesson.id.to_string(), "source": "VIMEO", "lastSecond": 30}), rest)
    }
}

async fn read_json(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The status, code and invalid fields of a problem document.
async fn problem(response: Response) -> (u16, String, Vec<String>) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, body) = read_json(response).await;
    assert_eq!(body["status"], status);
    let fields = body["errors"].as_object().map(|errors| errors.keys().cloned().collect());
    (status, body["code"].as_str().unwrap().to_owned(), fields.unwrap_or_default())
}

fn urlencoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn a_report_is_accepted_in_every_format_that_browsers_send() {
    let fixture = RecordingFixture::new().await;
    let token = fixture.hub.player_token(fixture.student.id);
    let report =
        fixture.report_of(json!({"watchedSeconds": 20, "playbackRate": 1.5, "metadata": {"a": [1]}}));
    let in_body = with(report.clone(), json!({ "token": token })).to_string();
    let form = [
        ("token", token.as_str()),
        ("lessonId", &fixture.lesson.id.to_string()),
        ("source", "vimeo"),
        ("lastSecond", "30"),
        ("watchedSeconds", "20"),
        ("playbackRate", "1.5"),
        ("metadata", "{\"a\": [1]}"),
        ("duration", ""),
    ];
    let multipart = form.iter().fold(reqwest::multipart::Form::new(), |parts, (name, value)| {
        parts.text((*name).to_owned(), (*value).to_owned())
    });
    let requests = [
        fixture.post().bearer_auth(&fixture.student.token).json(&report),
        fixture.post().header("content-type", "text/plain;charset=UTF-8").body(in_body.clone()),
        fixture.post().header("content-type", "application/json").body(in_body),
        fixture.post().header("content-type", "application/x-www-form-urlencoded").body(urlencoded(&form)),
        fixture.post().multipart(multipart),
    ];
    let count = requests.len();
    for request in requests {
        let (status, body) = read_json(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{body}");
        assert!(body["eventId"].is_string() && body["updatedAt"].is_string(), "{body}");
        let lesson = fixture.lesson.id.to_string();
        assert_eq!(
            (&body["lessonId"], &body["lastSecond"], &body["watchedSeconds"]),
            (&json!(lesson), &json!(30), &json!(20))
        );
    }
    let condition = format!(
        "user_id = {} AND event = 'progress_tick' AND provider = 'vimeo' AND playback_seconds = 30 \
         AND watched_seconds = 20 AND playback_rate = 1.5 AND metadata = '{{\"a\": [1]}}' AND video_duration IS NULL",
        fixture.student.id
    );
    assert_eq!(fixture.count_events(&condition).await, i64::try_from(count).unwrap());
}

#[tokio::test]
async fn each_event_of_a_beacon_is_validated_separately() {
    let fixture = RecordingFixture::new().await;
    let events = json!([
        fixture.event(json!({"playbackSeconds": 5})),
        fixture.event(json!({"playbackSeconds": -5})),
        fixture.event(json!({"playbackSecond": 5})),
        fixture.event(json!({"clientEventId": null})),
        fixture.event(json!({"clientEventId": "no uuid"})),
        fixture.event(json!({"lessonId": 404})),
        fixture.event(json!({"lessonId": ""})),
        json!(7),
        fixture.event(json!({"metadata": "CUT"})),
    ]);
    let body = json!({"token": fixture.hub.player_token(fixture.student.id), "events": events});
    // A lone surrogate, as in a text that was cut within an emoji.
    let body = body.to_string().replace("CUT", "\\ud83d");
    let request = fixture.post().header("content-type", "text/plain").body(body);
    let (status, response) = read_json(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{response}");
    let results = response["results"].as_array().unwrap();
    assert_eq!(results[0]["clientEventId"], events[0]["clientEventId"]);
    assert!(results[0]["eventId"].is_string() && results[0]["error"].is_null(), "{response}");
    let errors: Vec<_> = results[1..].iter().map(super::error_of).collect();
    assert_eq!(
        errors,
        [
            ("BAD_USER_INPUT", "NEGATIVE_SECONDS", "playbackSeconds"),
            ("BAD_USER_INPUT", "UNKNOWN_FIELD", "playbackSecond"),
            ("BAD_USER_INPUT", "MISSING", "clientEventId"),
            ("BAD_USER_INPUT", "NOT_A_UUID", "clientEventId"),
            ("BAD_USER_INPUT", "UNKNOWN_LESSON", "lessonId"),
            ("BAD_USER_INPUT", "NOT_AN_ID", "lessonId"),
            ("BAD_USER_INPUT", "NOT_AN_OBJECT", ""),
            ("BAD_USER_INPUT", "METADATA_NOT_STORABLE", "metadata"),
        ]
    );
    assert_eq!(fixture.count_events("true").await, 1);
}

#[tokio::test]
async fn a_retry_through_the_other_endpoint_is_a_duplicate() {
    let fixture = RecordingFixture::new().await;
    let event = fixture.event(json!({}));
    let first = fixture.record(json!([event])).await;
    let again = fixture.post().bearer_auth(&fixture.student.token).json(&json!({ "events": [event] }));
    let (_, again) = read_json(again.send().await.unwrap()).await;
    assert_eq!(again["results"][0]["eventId"], first[0]["eventId"]);
    assert_eq!(again["results"][0]["duplicate"], true);
}

#[tokio::test]
async fn invalid_requests_get_a_problem_document() {
    let fixture = RecordingFixture::new().await;
    let token = &fixture.student.token;
    let other = fixture.hub.user_named("other", Role::Student).await.id.to_string();
    let report = |rest| fixture.post().bearer_auth(token).json(&fixture.report_of(rest));
    let plain = |body: &'static str| {
        fixture.post().bearer_auth(token).header("content-type", "text/plain").body(body)
    };
    let bad = |status: u16, fields: &[&str]| {
        (
            status,
            "BAD_USER_INPUT".to_owned(),
            fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>(),
        )
    };
    let no_token = fixture.post().json(&fixture.report_of(json!({})));
    let bad_token = fixture.post().json(&fixture.report_of(json!({"token": "dph_nonsense"})));
    // A token in the body takes precedence over the header, even if it is invalid.
    let both = report(json!({"token": "nonsense"}));
    for request in [no_token, bad_token, both] {
        let unauthenticated = (401, "UNAUTHENTICATED".to_owned(), Vec::new());
        assert_eq!(problem(request.send().await.unwrap()).await, unauthenticated);
    }
    for (request, expected) in [
        (report(json!({"lessonId": 404})), bad(422, &["lessonId"])),
        (report(json!({"lessonId": null})), bad(422, &["lessonId"])),
        (report(json!({"lastSecond": -1})), bad(422, &["lastSecond"])),
        (report(json!({"lastSecond": 1.5})), bad(422, &["lastSecond"])),
        (report(json!({"source": "html5"})), bad(422, &["source"])),
        (report(json!({"clientEventId": "x"})), bad(422, &["clientEventId"])),
        (report(json!({"last_second": 1})), bad(422, &["last_second"])),
        (report(json!({"recordedAt": "2099-01-01T00:00:00Z"})), bad(422, &["recordedAt"])),
        (report(json!({"userId": other})), (403, "FORBIDDEN".to_owned(), Vec::new())),
        (report(json!({"events": []})), bad(422, &["lastSecond"])),
        (report(json!({"metadata": "x".repeat(70_000)})), bad(413, &[])),
        (plain("{\"events\": {}}"), bad(422, &["events"])),
        (plain("no JSON"), bad(400, &[])),
        (plain("[]"), bad(400, &[])),
        (fixture.post().bearer_auth(token).body("lastSecond=1"), bad(415, &[])),
        (fixture.post().bearer_auth(token).json(&"x".repeat(1 << 20)), bad(413, &[])),
    ] {
        let description = format!("{request:?}");
        assert_eq!(problem(request.send().await.unwrap()).await, expected, "{description}");
    }
    assert_eq!(fixture.count_events("true").await, 0);
}

#[tokio::test]
async fn more_than_500_events_are_refused() {
    let fixture = RecordingFixture::new().await;
    let events: Vec<Value> =
        (0..501).map(|_| json!({"clientEventId": Uuid::new_v4(), "event": "play"})).collect();
    let request = fixture.post().bearer_auth(&fixture.student.token).json(&json!({ "events": events }));
    let expected = (422, "BAD_USER_INPUT".to_owned(), vec!["events".to_owned()]);
    assert_eq!(problem(request.send().await.unwrap()).await, expected);
    assert_eq!(fixture.count_events("true").await, 0);
}

#[tokio::test]
async fn players_on_other_sites_are_allowed_if_a_setting_lists_them() {
    let fixture =
        RecordingFixture::with(|config| config.http.player_origins = vec![ACADEMY.to_owned()]).await;
    let preflight = async |hub: &crate::harness::hub::Hub, origin: &str, path: &str| -> HeaderMap {
        let request = hub.http.request(reqwest::Method::OPTIONS, hub.url(path)).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "authorization,content-type");
        request.send().await.unwrap().headers().clone()
    };
    let allowed = preflight(&fixture.hub, ACADEMY, PATH).await;
    assert_eq!(allowed["access-control-allow-origin"], ACADEMY);
    assert_eq!(allowed["access-control-allow-methods"], "POST");
    assert_eq!(allowed["access-control-allow-headers"], "authorization,content-type");
    assert!(!allowed.contains_key("access-control-allow-credentials"), "cookies are not accepted here");
    for origin in ["https://evil.example.org", "null", "https://academy.example.org.evil.net"] {
        let refused = preflight(&fixture.hub, origin, PATH).await;
        assert!(!refused.contains_key("access-control-allow-origin"), "{origin}");
    }
    let elsewhere = preflight(&fixture.hub, ACADEMY, "/graphql").await;
    assert!(!elsewhere.contains_key("access-control-allow-origin"));

    let simple = fixture.post().header("origin", ACADEMY).header("content-type", "text/plain");
    let body = fixture.report_of(json!({"token": fixture.hub.player_token(fixture.student.id)}));
    let response = simple.body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["access-control-allow-origin"], ACADEMY);

    let closed = RecordingFixture::new().await;
    let refused = preflight(&closed.hub, ACADEMY, PATH).await;
    assert!(!refused.contains_key("access-control-allow-origin"), "other sites are refused by default");
}
