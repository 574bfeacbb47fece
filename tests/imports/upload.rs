//! File uploads: who may send them, and their multipart format.

use domain::access::Role;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::harness::hub::Hub;
use crate::harness::request::ApiResponse;

/// A multipart request. Each part has a name, its content and optionally a file name.
fn upload(
    hub: &Hub,
    token: &str,
    parts: &[(&'static str, String, Option<&'static str>)],
) -> reqwest::RequestBuilder {
    let form = parts.iter().fold(Form::new(), |form, (name, content, file)| match file {
        Some(file) => form.part(*name, Part::text(content.clone()).file_name(*file)),
        None => form.text(*name, content.clone()),
    });
    let request = hub.http.post(hub.url("/graphql")).header("graphql-require-preflight", "1");
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    request.header("accept-language", "en").multipart(form)
}

#[tokio::test]
async fn only_callers_who_may_import_may_upload() {
    let hub = Hub::start().await;
    let operations = json!({"query": "{ viewer { id } }"}).to_string();
    for (token, status, code) in [
        (String::new(), 401, "UNAUTHENTICATED"),
        (hub.user(Role::Student).await.token, 403, "FORBIDDEN"),
        (hub.user(Role::TeacherAdmin).await.token, 403, "FORBIDDEN"),
    ] {
        let parts = [("operations", operations.clone(), None), ("map", "{}".to_owned(), None)];
        let response = ApiResponse::of(upload(&hub, &token, &parts)).await;
        assert_eq!((response.status, response.code().as_str()), (status, code));
    }
}

#[tokio::test]
async fn an_upload_has_one_file_in_one_variable_and_a_small_request() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let operations = || ("operations", json!({"query": "{ viewer { id } }"}).to_string(), None);
    let map = |text: &str| ("map", text.to_owned(), None);
    let file = |name| (name, "user_id\n".to_owned(), Some("a.csv"));
    let padded = json!({"query": "{ viewer { id } }", "pad": "x".repeat(3 << 20)}).to_string();
    let one_file = r#"{"0": ["variables.file"]}"#;
    for (name, parts, status) in [
        ("a second file", vec![operations(), map(one_file), file("0"), file("1")], 400),
        (
            "a file in two variables",
            vec![operations(), map(r#"{"0": ["variables.file", "variables.too"]}"#), file("0")],
            400,
        ),
        ("a file that is missing in the map", vec![operations(), map("{}"), file("0")], 400),
        ("a missing file", vec![operations(), map(one_file)], 400),
        ("no operations", vec![map(one_file), file("0")], 400),
        ("no map", vec![operations(), file("0")], 400),
        ("invalid operations", vec![("operations", "x".to_owned(), None), map("{}")], 400),
        ("operations of 3 MiB", vec![("operations", padded, None), map("{}")], 413),
        ("a map of 5 KiB", vec![operations(), map(&" ".repeat(5 << 10))], 413),
        ("operations twice", vec![operations(), operations(), map("{}")], 400),
    ] {
        let response = ApiResponse::of(upload(&hub, &admin.token, &parts)).await;
        assert_eq!((response.status, response.code().as_str()), (status, "BAD_USER_INPUT"), "{name}");
    }
}
