//! Signed links, and every reason for which they are rejected.

use chrono::TimeDelta;
use domain::access::Role;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::download::Exporter;
use crate::harness::hub::Hub;

const NEW_KEY: &str = "another application key of the tests";
const ALTERED: &str = "This link was altered or was not created here. Create a new one.";

fn request() -> Value {
    json!({"dataset": "video_player_events", "format": "csv", "filters": {"course_id": 1}})
}

/// Follows a link that must be rejected, and returns the code and the message.
async fn follow_rejected(exporter: &Exporter, link: &str) -> (String, String) {
    let response = exporter.follow(link).await;
    assert_eq!(response.status(), 403, "{link}");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    let text = |key: &str| problem[key].as_str().unwrap().to_owned();
    (text("code"), text("detail"))
}

#[tokio::test]
async fn a_link_describes_its_file() {
    let exporter = Exporter::with_sample_rows().await;
    let mut created = exporter.create_link(&exporter.admin.token, &request()).await;
    let link = created["url"].take();
    insta::assert_json_snapshot!(created, @r#"
    {
      "estimatedRows": 1,
      "expiresAt": "2027-01-15T08:05:00Z",
      "filename": "video_player_events_20270115_080000.csv",
      "url": null
    }
    "#);
    let response = exporter.follow(link.as_str().unwrap()).await;
    let names = ["content-type", "content-disposition", "cache-control", "x-content-type-options"];
    let headers = names.map(|name| format!("{name}: {}", response.headers()[name].to_str().unwrap()));
    insta::assert_snapshot!(headers.join("\n"), @r#"
    content-type: text/csv; charset=utf-8
    content-disposition: attachment; filename="video_player_events_20270115_080000.csv"
    cache-control: no-store
    x-content-type-options: nosniff
    "#);
}

#[tokio::test]
async fn a_head_request_starts_no_export() {
    let exporter = Exporter::with_sample_rows().await;
    let link = exporter.link_path(&request()).await;
    let url = exporter.hub.url(&link);
    let head = exporter.hub.http.request(Method::HEAD, &url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.headers()["content-disposition"].to_str().unwrap().contains("video_player_events_"));
    assert!(!head.headers().contains_key("content-length"));
    assert_eq!(exporter.count("SELECT count(*) FROM export_audits").await, 0);
    let altered = exporter.hub.http.request(Method::HEAD, format!("{url}x")).send().await.unwrap();
    assert_eq!(altered.status(), 403);
    let posted = exporter.hub.http.post(&url).send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn range_requests_get_the_whole_file() {
    let exporter = Exporter::with_sample_rows().await;
    let url = exporter.hub.url(&exporter.link_path(&request()).await);
    let whole = exporter.hub.http.get(&url).send().await.unwrap().bytes().await.unwrap();
    let part = exporter.hub.http.get(&url).header("range", "bytes=10-").send().await.unwrap();
    assert_eq!(part.status(), 200);
    assert!(!part.headers().contains_key("content-range"));
    assert_eq!(part.bytes().await.unwrap(), whole);
}

#[tokio::test]
async fn the_file_is_compressed_if_the_client_accepts_it() {
    let exporter = Exporter::with_many_events().await;
    let request = json!({"dataset": "video_player_events", "format": "csv"});
    let plain = Client::builder().no_gzip().no_brotli().build().unwrap();
    let url = exporter.hub.url(&exporter.link_path(&request).await);
    let uncompressed = plain.get(&url).send().await.unwrap();
    assert!(!uncompressed.headers().contains_key("content-encoding"));
    let uncompressed = uncompressed.bytes().await.unwrap();
    for (coding, client) in [
        ("gzip", Client::builder().gzip(true).no_brotli().build().unwrap()),
        ("br", Client::builder().brotli(true).no_gzip().build().unwrap()),
    ] {
        let compressed = plain.get(&url).header("accept-encoding", coding).send().await.unwrap();
        assert_eq!(compressed.headers()["content-encoding"], coding);
        assert!(compressed.bytes().await.unwrap().len() < uncompressed.len() / 10);
        assert_eq!(client.get(&url).send().await.unwrap().bytes().await.unwrap(), uncompressed);
    }
}

#[tokio::test]
async fn a_tampered_link_is_rejected() {
    let exporter = Exporter::with_sample_rows().await;
    let other = exporter.hub.user_named("other", Role::Admin).await;
    let link = exporter.link_path(&request()).await;
    let (path, query) = link.split_once('?').unwrap();
    let parameters: Vec<&str> = query.split('&').collect();
    let reordered = {
        let mut parameters = parameters.clone();
        parameters.swap(0, 1);
        parameters.join("&")
    };
    let (unsigned, signature) = query.split_once("&signature=").unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let user_parameter = format!("user={}", exporter.admin.id);
    let tampered = [
        query.replace(&user_parameter, &format!("user={}", other.id)),
        query.replace("course_id=1", "course_id=2"),
        query.replace("course_id=1&", ""),
        query.replace("course_id=1", "course_id=%31"),
        query.replace("format=csv", "format=json"),
        query.replace("video_player_events", "teacher_activity_snapshots"),
        query.replace("expires=", "expires=9"),
        format!("{query}&course_id=2"),
        format!("lesson_id=101&{query}"),
        format!("{query}&utm_source=mail"),
        query.replace("course_id=1", "course_id=1&course_id=1"),
        format!("{query}&signature={signature}"),
        format!("{query}="),
        format!("{unsigned}&signature={flipped}{}", &signature[1..]),
        format!("{unsigned}&signature="),
        unsigned.to_owned(),
        reordered,
        String::new(),
    ];
    for query in tampered {
        let error = follow_rejected(&exporter, &format!("{path}?{query}")).await;
        assert_eq!(error, ("FORBIDDEN".to_owned(), ALTERED.to_owned()), "{query}");
    }
    assert_eq!(exporter.count("SELECT count(*) FROM export_audits").await, 0);
    assert_eq!(exporter.follow(&link).await.status(), 200);
}

#[tokio::test]
async fn a_link_expires_after_five_minutes() {
    let exporter = Exporter::with_sample_rows().await;
    let link = exporter.link_path(&request()).await;
    exporter.hub.clock.advance(TimeDelta::seconds(299));
    assert_eq!(exporter.follow(&link).await.status(), 200);
    exporter.hub.clock.advance(TimeDelta::seconds(1));
    let error = follow_rejected(&exporter, &link).await;
    assert_eq!(error, ("FORBIDDEN".to_owned(), "This link has expired. Create a new one.".to_owned()));
}

#[tokio::test]
async fn a_link_loses_access_with_its_user() {
    let exporter = Exporter::with_sample_rows().await;
    let link = exporter.link_path(&request()).await;
    let unfiltered = exporter.link_path(&json!({"dataset": "video_player_events", "format": "csv"})).await;
    let teachers =
        exporter.link_path(&json!({"dataset": "teacher_activity_snapshots", "format": "csv"})).await;
    let update_user = async |change: &str| {
        exporter.hub.sql(&format!("UPDATE users SET {change} WHERE id = {}", exporter.admin.id)).await;
    };
    update_user("role = 'teacher_admin'").await;
    assert_eq!(exporter.follow(&link).await.status(), 200);
    assert_eq!(follow_rejected(&exporter, &unfiltered).await.0, "SCOPE_REQUIRED");
    assert_eq!(follow_rejected(&exporter, &teachers).await.0, "FORBIDDEN");
    update_user("role = 'teacher'").await;
    assert_eq!(follow_rejected(&exporter, &link).await.0, "FORBIDDEN");
    update_user("role = 'admin', active = false").await;
    let no_access = "The person or token that created this link no longer has access.";
    assert_eq!(follow_rejected(&exporter, &link).await, ("FORBIDDEN".to_owned(), no_access.to_owned()));
}

#[tokio::test]
async fn a_link_is_revoked_with_its_token() {
    let exporter = Exporter::with_sample_rows().await;
    let create = "mutation { createApiToken(name: \"script\", scopes: [EXPORT]) { secret token { id } } }";
    let created =
        exporter.hub.graphql(create).by(&exporter.admin.token).data().await["createApiToken"].take();
    let signed = exporter.create_link(created["secret"].as_str().unwrap(), &request()).await;
    let link = signed["url"].as_str().unwrap();
    assert_eq!(exporter.follow(link).await.status(), 200);
    let revoke = format!("mutation {{ revokeApiToken(id: {}) {{ id }} }}", created["token"]["id"]);
    exporter.hub.graphql(&revoke).by(&exporter.admin.token).data().await;
    assert_eq!(follow_rejected(&exporter, link).await.0, "FORBIDDEN");
}

#[tokio::test]
async fn rotating_keys_keeps_links_valid() {
    let before = Exporter::with_sample_rows().await;
    let link = before.link_path(&request()).await;
    let rotated =
        Exporter::on(Hub::with(|config| config.auth.app_keys.insert(0, NEW_KEY.into())).await).await;
    assert_eq!(rotated.admin.id, before.admin.id);
    assert_eq!(rotated.follow(&link).await.status(), 200);
    let newer = rotated.link_path(&request()).await;
    assert_eq!(follow_rejected(&before, &newer).await.1, ALTERED);
    let replaced = Hub::with(|config| config.auth.app_keys = vec![NEW_KEY.into()]).await;
    assert_eq!(follow_rejected(&Exporter::on(replaced).await, &link).await.1, ALTERED);
}
