//! The size of the chunks in which a request body arrives does not matter: a chunk may end at any byte.

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
/// Chunk sizes in bytes.
const CHUNK_SIZES: [usize; 9] = [1, 2, 3, 5, 8, 13, 31, 63, 64];

/// A body that arrives in chunks of this size.
fn in_chunks(body: &[u8], size: usize) -> Body {
    let chunks: Vec<Result<Bytes, std::io::Error>> =
        body.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Body::from_stream(stream::iter(chunks))
}

/// Calls the router directly, since the network could merge chunks.
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

/// An upload of a file whose content repeatedly looks like the end of a multipart part.
fn upload(user: i64) -> Vec<u8> {
    let query = "mutation ($file: Upload!) {
        importSnapshots(dataset: STUDENT_ACTIVITY_SNAPSHOTS, file: $file) { state rowsInserted rowsDuplicate sizeBytes }
    }";
    let operations = json!({"query": query, "variables": {"file": null}});
    let mut file = "user_id,captured_at,scope\r\n".to_owned();
    for end in
        ["\r", "\r\n", "\r\n-", "\r\n--", "\r\n--b0undar", "\n--b0undary", "--b0undary--", "\r\n\r\nñ€"]
    {
        file += &format!("{user},2026-11-16,\"x{end}x\"\r\n");
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
async fn an_upload_is_complete_for_every_chunk_size() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let (body, content_type) = (upload(admin.id), format!("multipart/form-data; boundary={BOUNDARY}"));
    let mut expected = json!(["DONE", 8, 0]);
    for size in CHUNK_SIZES.into_iter().chain([body.len()]) {
        let (status, response) =
            post(&hub, "/graphql", &admin.token, &content_type, in_chunks(&body, size)).await;
        let import = &response["data"]["importSnapshots"];
        let found = json!([import["state"], import["rowsInserted"], import["rowsDuplicate"]]);
        assert_eq!((status, found), (200, expected), "chunks of {size} bytes: {response}");
        expected = json!(["DONE", 0, 8]);
    }
    let scopes =
        hub.rows("SELECT count(*), sum(length(scope)) AS characters FROM student_activity_snapshots").await;
    assert_eq!(scopes, json!([{"count": 8, "characters": 3 + 4 + 5 + 6 + 13 + 13 + 14 + 8}]));
}

#[tokio::test]
async fn a_truncated_upload_is_rejected_wherever_it_ends() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let (body, content_type) = (upload(admin.id), format!("multipart/form-data; boundary={BOUNDARY}"));
    // Everything after the last boundary is optional.
    let end = body.len() - "\r\n".len();
    for cut in (0..end - 40).step_by(11).chain(end - 40..end) {
        let body = in_chunks(&body[..cut], 64);
        let (status, response) = post(&hub, "/graphql", &admin.token, &content_type, body).await;
        assert_eq!((status, &response["code"]), (400, &json!("BAD_USER_INPUT")), "{cut} bytes: {response}");
    }
    assert_eq!(hub.rows("SELECT 1 FROM imports").await, json!([]));
}

#[tokio::test]
async fn json_bodies_are_complete_for_every_chunk_size() {
    let hub = Hub::start().await;
    let student = hub.user(Role::Student).await;
    let course = hub.academy.course().await;
    let lesson = hub.academy.lesson(course).await;
    let document = json!({"query": "{ viewer { role } } # ñ€😀"}).to_string();
    let report = json!({"lessonId": lesson.id.to_string(), "source": "VIMEO", "lastSecond": 30,
        "metadata": {"text": "ñ€😀"}});
    let report = report.to_string();
    for size in CHUNK_SIZES {
        let body = in_chunks(document.as_bytes(), size);
        let (_, response) = post(&hub, "/graphql", &student.token, "application/json", body).await;
        assert_eq!(response, json!({"data": {"viewer": {"role": "STUDENT"}}}), "chunks of {size} bytes");
        let body = in_chunks(report.as_bytes(), size);
        let (status, response) =
            post(&hub, "/api/video/progress", &student.token, "application/json", body).await;
        assert_eq!(status, 200, "chunks of {size} bytes: {response}");
    }
    let texts = "SELECT DISTINCT metadata->>'text' AS text FROM video_player_events";
    assert_eq!(hub.rows(texts).await, json!([{"text": "ñ€😀"}]));
}
