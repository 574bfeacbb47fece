//! `POST /api/video/progress`: the same rules for JSON, beacons and forms.

use axum::http::{HeaderMap, StatusCode};
use domain::Role;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Classroom, with};

const PATH: &str = "/api/video/progress";
const ACADEMY: &str = "https://academy.example.org";

impl Classroom {
    fn post(&self) -> RequestBuilder {
        self.hub.http.post(self.hub.url(PATH))
    }

    fn report_of(&self, rest: Value) -> Value {
        with(json!({"lessonId": self.lesson.id.to_string(), "source": "VIMEO", "lastSecond": 30}), rest)
    }
}

async fn json_of(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The status, code and wrong fields of a problem document.
async fn problem(response: Response) -> (u16, String, Vec<String>) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, body) = json_of(response).await;
    assert_eq!(body["status"], status);
    let fields = body["errors"].as_object().map(|errors| errors.keys().cloned().collect());
    (status, body["code"].as_str().unwrap().to_owned(), fields.unwrap_or_default())
}

fn urlencoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn a_report_is_taken_in_every_shape_in_which_a_browser_sends_it() {
    let class = Classroom::open().await;
    let token = class.hub.player_token(class.student.id);
    let report = class.report_of(json!({"watchedSeconds": 20, "playbackRate": 1.5, "metadata": {"a": [1]}}));
    let in_body = with(report.clone(), json!({ "token": token })).to_string();
    let form = [
        ("token", token.as_str()),
        ("lessonId", &class.lesson.id.to_string()),
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
        class.post().bearer_auth(&class.student.token).json(&report),
        class.post().header("content-type", "text/plain;charset=UTF-8").body(in_body.clone()),
        class.post().header("content-type", "application/json").body(in_body),
        class.post().header("content-type", "application/x-www-form-urlencoded").body(urlencoded(&form)),
        class.post().multipart(multipart),
    ];
    let number = requests.len();
    for request in requests {
        let (status, body) = json_of(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{body}");
        assert!(body["eventId"].is_string() && body["updatedAt"].is_string(), "{body}");
        let lesson = class.lesson.id.to_string();
        assert_eq!(
            (&body["lessonId"], &body["lastSecond"], &body["watchedSeconds"]),
            (&json!(lesson), &json!(30), &json!(20))
        );
    }
    let same = format!(
        "user_id = {} AND event = 'progress_tick' AND provider = 'vimeo' AND playback_seconds = 30 \
         AND watched_seconds = 20 AND playback_rate = 1.5 AND metadata = '{{\"a\": [1]}}' AND video_duration IS NULL",
        class.student.id
    );
    assert_eq!(class.count(&same).await, i64::try_from(number).unwrap());
}

#[tokio::test]
async fn a_beacon_may_carry_many_events_each_judged_alone() {
    let class = Classroom::open().await;
    let events = json!([
        class.event(json!({"playbackSeconds": 5})),
        class.event(json!({"playbackSeconds": -5})),
        class.event(json!({"playbackSecond": 5})),
        class.event(json!({"clientEventId": null})),
        class.event(json!({"clientEventId": "no uuid"})),
        class.event(json!({"lessonId": 404})),
        class.event(json!({"lessonId": ""})),
        json!(7),
        class.event(json!({"metadata": "CUT"})),
    ]);
    let body = json!({"token": class.hub.player_token(class.student.id), "events": events});
    // Half of an emoji, as a text that was cut holds it.
    let body = body.to_string().replace("CUT", "\\ud83d");
    let request = class.post().header("content-type", "text/plain").body(body);
    let (status, answer) = json_of(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0]["clientEventId"], events[0]["clientEventId"]);
    assert!(results[0]["eventId"].is_string() && results[0]["error"].is_null(), "{answer}");
    let refusals: Vec<_> = results[1..].iter().map(super::refusal).collect();
    assert_eq!(
        refusals,
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
    assert_eq!(class.count("true").await, 1);
}

#[tokio::test]
async fn a_retry_over_the_other_way_in_is_known_as_one() {
    let class = Classroom::open().await;
    let event = class.event(json!({}));
    let first = class.record(json!([event])).await;
    let again = class.post().bearer_auth(&class.student.token).json(&json!({ "events": [event] }));
    let (_, again) = json_of(again.send().await.unwrap()).await;
    assert_eq!(again["results"][0]["eventId"], first[0]["eventId"]);
    assert_eq!(again["results"][0]["duplicate"], true);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_a_problem_document() {
    let class = Classroom::open().await;
    let token = &class.student.token;
    let other = class.hub.user_named("other", Role::Student).await.id.to_string();
    let report = |rest| class.post().bearer_auth(token).json(&class.report_of(rest));
    let plain =
        |body: &'static str| class.post().bearer_auth(token).header("content-type", "text/plain").body(body);
    let bad = |status: u16, fields: &[&str]| {
        (
            status,
            "BAD_USER_INPUT".to_owned(),
            fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>(),
        )
    };
    let no_token = class.post().json(&class.report_of(json!({})));
    let bad_token = class.post().json(&class.report_of(json!({"token": "dph_nonsense"})));
    // A token in the body is meant; the one in the header does not stand in for it.
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
        (class.post().bearer_auth(token).body("lastSecond=1"), bad(415, &[])),
        (class.post().bearer_auth(token).json(&"x".repeat(1 << 20)), bad(413, &[])),
    ] {
        let described = format!("{request:?}");
        assert_eq!(problem(request.send().await.unwrap()).await, expected, "{described}");
    }
    assert_eq!(class.count("true").await, 0);
}

#[tokio::test]
async fn more_than_five_hundred_events_are_refused_whole() {
    let class = Classroom::open().await;
    let events: Vec<Value> =
        (0..501).map(|_| json!({"clientEventId": Uuid::new_v4(), "event": "play"})).collect();
    let request = class.post().bearer_auth(&class.student.token).json(&json!({ "events": events }));
    let expected = (422, "BAD_USER_INPUT".to_owned(), vec!["events".to_owned()]);
    assert_eq!(problem(request.send().await.unwrap()).await, expected);
    assert_eq!(class.count("true").await, 0);
}

#[tokio::test]
async fn players_of_other_sites_are_let_in_where_a_setting_names_them() {
    let class = Classroom::with(|config| config.http.player_origins = vec![ACADEMY.to_owned()]).await;
    let preflight = async |hub: &crate::harness::hub::Hub, origin: &str, path: &str| -> HeaderMap {
        let request = hub.http.request(reqwest::Method::OPTIONS, hub.url(path)).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "authorization,content-type");
        request.send().await.unwrap().headers().clone()
    };
    let allowed = preflight(&class.hub, ACADEMY, PATH).await;
    assert_eq!(allowed["access-control-allow-origin"], ACADEMY);
    assert_eq!(allowed["access-control-allow-methods"], "POST");
    assert_eq!(allowed["access-control-allow-headers"], "authorization,content-type");
    assert!(!allowed.contains_key("access-control-allow-credentials"), "cookies never count here");
    for origin in ["https://evil.example.org", "null", "https://academy.example.org.evil.net"] {
        let refused = preflight(&class.hub, origin, PATH).await;
        assert!(!refused.contains_key("access-control-allow-origin"), "{origin}");
    }
    let elsewhere = preflight(&class.hub, ACADEMY, "/graphql").await;
    assert!(!elsewhere.contains_key("access-control-allow-origin"));

    let simple = class.post().header("origin", ACADEMY).header("content-type", "text/plain");
    let body = class.report_of(json!({"token": class.hub.player_token(class.student.id)}));
    let answer = simple.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], ACADEMY);

    let closed = Classroom::open().await;
    let refused = preflight(&closed.hub, ACADEMY, PATH).await;
    assert!(!refused.contains_key("access-control-allow-origin"), "none is let in unless a setting says so");
}
