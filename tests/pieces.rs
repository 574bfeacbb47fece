//! A request is the same in whatever pieces it comes: what is read at once may end at any byte of it.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use backend::http;
use bytes::Bytes;
use domain::access::Role;
use futures_util::stream;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::harness::hub::Hub;

const BOUNDARY: &str = "b0undary";
/// Pieces of so many bytes.
const SIZES: [usize; 9] = [1, 2, 3, 5, 8, 13, 31, 63, 64];

/// A body in pieces of this size.
fn in_pieces(body: &[u8], size: usize) -> Body {
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        body.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

/// Sends a request past the network, which would put the pieces together.
async fn post(hub: &Hub, path: &str, token: &str, content_type: &str, body: Body) -> (u16, Value) {
    let mut request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", content_type)
        .header("graphql-require-preflight", "1")
        .body(body)
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4000))));
    let response: Response = http::router(hub.app.clone()).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// An upload of a file that looks like the end of its part again and again.
fn upload(user: i64) -> Vec<u8> {
    let query = "mutation ($file: Upload!) {
        importSnapshots(dataset: STUDENT_ACTIVITY_SNAPSHOTS, file: $file) { state rowsInserted rowsDuplicate sizeBytes }
    }";
    let operations = json!({"query": query, "variables": {"file": null}});
    let mut file = "user_id,captured_at,scope\r\n".to_owned();
    for end in
        ["\r", "\r\n", "\r\n-", "\r\n--", "\r\n--b0undar", "\n--b0undary", "--b0undary--", "\r\n\r\nñ€"]
    {
        file += &format!("{user},2026-11-16,\"{end}\"\r\n");
    }
    let parts = [
        ("name=\"operations\"", operations.to_string()),
        ("name=\"map\"", json!({"0": ["variables.file"]}).to_string()),
        ("name=\"0\"; filename=\"a.csv\"", file),
    ];
    let parts = parts.map(|(name, content)| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n{content}\r\n")
    });
    (parts.concat() + &format!("--{BOUNDARY}--\r\n")).into_bytes()
}

#[tokio::test]
async fn an_upload_comes_whole_in_pieces_of_any_size() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let (body, content_type) = (upload(admin.id), format!("multipart/form-data; boundary={BOUNDARY}"));
    let mut expected = json!(["DONE", 8, 0]);
    for size in SIZES.into_iter().chain([body.len()]) {
        let (status, answer) =
            post(&hub, "/graphql", &admin.token, &content_type, in_pieces(&body, size)).await;
        let import = &answer["data"]["importSnapshots"];
        let found = json!([import["state"], import["rowsInserted"], import["rowsDuplicate"]]);
        assert_eq!((status, found), (200, expected), "{size} bytes at once: {answer}");
        expected = json!(["DONE", 0, 8]);
    }
    let scopes =
        hub.rows("SELECT count(*), sum(length(scope)) AS characters FROM student_activity_snapshots").await;
    assert_eq!(scopes, json!([{"count": 8, "characters": 1 + 2 + 3 + 4 + 11 + 11 + 12 + 6}]));
}

#[tokio::test]
async fn an_upload_that_is_cut_off_anywhere_is_no_import() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let (body, content_type) = (upload(admin.id), format!("multipart/form-data; boundary={BOUNDARY}"));
    // What is behind the last boundary does not matter.
    let end = body.len() - "\r\n".len();
    for cut in (0..end - 40).step_by(11).chain(end - 40..end) {
        let body = in_pieces(&body[..cut], 64);
        let (status, answer) = post(&hub, "/graphql", &admin.token, &content_type, body).await;
        assert_eq!((status, &answer["code"]), (400, &json!("BAD_USER_INPUT")), "{cut} bytes: {answer}");
    }
    assert_eq!(hub.rows("SELECT 1 FROM imports").await, json!([]));
}

#[tokio::test]
async fn a_document_and_a_report_of_progress_come_whole_in_pieces_of_any_size() {
    let hub = Hub::start().await;
    let student = hub.user(Role::Student).await;
    let course = hub.academy.course().await;
    let lesson = hub.academy.lesson(course).await;
    let document = json!({"query": "{ viewer { role } } # ñ€😀"}).to_string();
    let report = json!({"lessonId": lesson.id.to_string(), "source": "VIMEO", "lastSecond": 30,
        "metadata": {"text": "ñ€😀"}});
    let report = report.to_string();
    for size in SIZES {
        let body = in_pieces(document.as_bytes(), size);
        let (_, answer) = post(&hub, "/graphql", &student.token, "application/json", body).await;
        assert_eq!(answer, json!({"data": {"viewer": {"role": "STUDENT"}}}), "{size} bytes at once");
        let body = in_pieces(report.as_bytes(), size);
        let (status, answer) =
            post(&hub, "/api/video/progress", &student.token, "application/json", body).await;
        assert_eq!(status, 200, "{size} bytes at once: {answer}");
    }
    let told = "SELECT DISTINCT metadata->>'text' AS text FROM video_player_events";
    assert_eq!(hub.rows(told).await, json!([{"text": "ñ€😀"}]));
}
