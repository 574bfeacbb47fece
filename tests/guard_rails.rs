//! The GraphQL endpoint is protected against hostile documents, cross-site requests and information leaks.

mod documents;
mod invalid_arguments;
mod limits;
mod nesting;
mod resource_usage;
mod server;

use std::time::{Duration, Instant};

use domain::access::Role;
use serde_json::{Value, json};

use crate::harness::hub::{Hub, TestUser};
use crate::harness::request::ApiResponse;

/// The maximum time to reject a document, in a debug build on a busy machine. Executing one would take days.
const MAX_REJECTION_TIME: Duration = Duration::from_secs(20);

/// Joins numbered parts.
fn join_parts(number: usize, part: impl Fn(usize) -> String) -> String {
    (0..number).map(part).collect()
}

async fn hub_and_admin() -> (Hub, TestUser) {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    (hub, admin)
}

#[tokio::test]
async fn invalid_tokens_do_not_wait_for_the_database() {
    let (hub, _) = hub_and_admin().await;
    let size = hub.app.pool.status().max_size;
    let mut conns = Vec::new();
    for _ in 0..size {
        conns.push(hub.app.pool.get().await.unwrap());
    }
    for token in
        ["x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "dph_0000000000000000000000000000000000000000"]
    {
        let began = Instant::now();
        assert_eq!(hub.graphql("{ viewer { id } }").by(token).code().await, "UNAUTHENTICATED");
        assert!(began.elapsed() < MAX_REJECTION_TIME, "{token}");
    }
}

#[tokio::test]
async fn the_largest_page_and_introspection_are_within_the_limits() {
    let (hub, admin) = hub_and_admin().await;
    let largest_page = "{ teacherSubmissions(first: 500) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id createdAt teacherId teacherEmail courseId courseSlug type title summary status
            feedback reviewedBy reviewedAt resultType resultId history { status changedBy changedAt notes } } }
    } }";
    hub.graphql(largest_page).by(&admin.token).data().await;
    // The first query of every GraphQL tool.
    hub.graphql(INTROSPECTION).by(&admin.token).data().await;
    hub.graphql(INTROSPECTION).data().await;
}

/// The introspection query of GraphiQL.
const INTROSPECTION: &str = "query IntrospectionQuery {
    __schema {
        queryType { name } mutationType { name } subscriptionType { name }
        types { ...FullType }
        directives { name description locations args { ...InputValue } }
    }
}
fragment FullType on __Type {
    kind name description
    fields(includeDeprecated: true) {
        name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
    }
    inputFields { ...InputValue }
    interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name } } } } } } }
}";

#[tokio::test]
async fn requests_that_another_site_could_forge_are_rejected() {
    let (hub, admin) = hub_and_admin().await;
    let post = || hub.http.post(hub.url("/graphql")).bearer_auth(&admin.token);
    let get_with = |query: &str, parameters: &str| {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        hub.http.get(hub.url(&format!("/graphql?query={query}{parameters}"))).bearer_auth(&admin.token)
    };
    let get = |query: &str| get_with(query, "");
    let read = json!({"query": "{ viewer { id } }"}).to_string();
    let write = "mutation { updatePreferences(locale: EN) { locale } }";
    let both = format!("query A {{ viewer {{ id }} }} {}", write.replace("mutation", "mutation B"));
    let chosen = |name: &str| get_with(&both, &format!("&operationName={name}"));
    let form = || reqwest::multipart::Form::new().text("operations", read.clone()).text("map", "{}");
    let mut outcomes = serde_json::Map::new();
    for (name, request) in [
        ("JSON", post().header("content-type", "application/json; charset=utf-8").body(read.clone())),
        ("text/plain", post().header("content-type", "text/plain").body(read.clone())),
        ("text/plain with JSON as a parameter", {
            post().header("content-type", "text/plain; application/json").body(read.clone())
        }),
        (
            "a form",
            post().header("content-type", "application/x-www-form-urlencoded").body("query={viewer{id}}"),
        ),
        ("no content type", post().body(read.clone())),
        ("multipart", post().multipart(form())),
        ("multipart with a preflight", post().multipart(form()).header("graphql-require-preflight", "1")),
        (
            "multipart with Apollo's preflight",
            post().multipart(form()).header("apollo-require-preflight", ""),
        ),
        ("a batch", post().json(&json!([{"query": "{ viewer { id } }"}, {"query": "{ viewer { id } }"}]))),
        ("invalid JSON", post().header("content-type", "application/json").body("{")),
        ("an empty body", post().header("content-type", "application/json").body("")),
        (
            "a body of 17 MiB",
            post().json(&json!({"query": "{ viewer { id } }", "pad": "x".repeat(17 << 20)})),
        ),
        ("a query by GET", get("{ viewer { id } }")),
        ("a mutation by GET", get(write)),
        ("a mutation by GET beside a query", get(&format!("query A {{ viewer {{ id }} }} {write}"))),
        ("a query chosen by GET beside a mutation", chosen("A")),
        ("a mutation chosen by GET beside a query", chosen("B")),
        ("an unknown operation chosen by GET", chosen("C")),
        ("GET without a query", hub.http.get(hub.url("/graphql"))),
        ("PUT", hub.http.put(hub.url("/graphql"))),
    ] {
        let response = ApiResponse::of(request).await;
        let outcome = if response.body["data"].is_object() { "answered".to_owned() } else { response.code() };
        outcomes.insert(name.to_owned(), Value::from(format!("{} {outcome}", response.status)));
    }
    insta::assert_json_snapshot!(outcomes);
    let locale = hub.graphql("{ viewer { locale } }").by(&admin.token).data().await;
    assert_eq!(locale["viewer"]["locale"], "ES", "the mutation did not run");
}

#[tokio::test]
async fn without_introspection_nothing_reveals_the_schema() {
    let hub = Hub::with(|config| config.graphql.introspection = false).await;
    let admin = hub.user(Role::Admin).await;
    for query in [
        "{ __schema { types { name } } }",
        "{ __type(name: \"User\") { fields { name } } }",
        "{ _service { sdl } }",
        "{ viewr { id } }",
        "{ viewer { emial } }",
        "{ discordPractices(filtr: 1) { totalCount } }",
        "{ discordPractices(filter: {curseId: \"1\"}) { totalCount } }",
        "{ datasets(locale: EM) { key } }",
        "{ viewer { id @deprecated(reasn: \"x\") } }",
    ] {
        let response = hub.graphql(query).by(&admin.token).send().await;
        let text = response.body.to_string();
        for leak in ["Did you mean", "email", "\"fields\"", "courseId", "\"types\"", "sdl\":"] {
            assert!(!text.contains(leak), "{query}: {text}");
        }
    }
    for path in
        ["/sdl", "/schema", "/schema.graphql", "/graphql/sdl", "/graphql?sdl", "/graphiql", "/graphql"]
    {
        let page = hub.http.get(hub.url(path)).header("accept", "text/html").send().await.unwrap();
        assert!(page.status().is_client_error(), "{path}: {}", page.status());
    }
    // `__typename` is not introspection.
    hub.graphql("{ __typename }").by(&admin.token).data().await;
}

#[tokio::test]
async fn graphiql_is_only_served_if_enabled() {
    for (enabled, status) in [(false, 400), (true, 200)] {
        let hub = Hub::with(|config| config.graphql.graphiql = enabled).await;
        let page = hub.http.get(hub.url("/graphql")).header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), status);
    }
}

#[tokio::test]
async fn internal_errors_reveal_no_internals() {
    let (hub, admin) = hub_and_admin().await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    hub.academy.row(domain::Dataset::DiscordPractices, lesson, "2026-11-10T08:00:00Z").await;
    hub.sql("ALTER TABLE lessons RENAME TO vanished").await;
    let link = json!({"dataset": "discord_practices", "format": "csv"});
    let broken = [
        hub.graphql("{ lessons { id } }").by(&admin.token).send().await,
        hub.graphql("{ discordPractices { totalCount } }").by(&admin.token).send().await,
        ApiResponse::of(
            hub.http.post(hub.url("/admin/data-porter/export-links")).bearer_auth(&admin.token).json(&link),
        )
        .await,
    ];
    hub.sql("ALTER TABLE users RENAME TO vanished_too").await;
    let without_users = hub.graphql("{ viewer { id } }").by(&admin.token).send().await;
    for response in broken.iter().chain([&without_users]) {
        let text = response.body.to_string();
        assert_eq!(response.code(), "INTERNAL", "{text}");
        for leak in
            ["lessons\\\"", "vanished", "relation", "does not exist", "SELECT", "users", "diesel", ".rs"]
        {
            assert!(!text.contains(leak), "{text}");
        }
        let in_graphql = &response.body["errors"][0]["extensions"]["requestId"];
        let id = in_graphql.as_str().or(response.body["requestId"].as_str()).unwrap();
        assert_eq!(id.len(), 36, "{text}");
    }
}

#[tokio::test]
async fn invalid_input_is_reported_by_path_in_the_users_language() {
    let (hub, admin) = hub_and_admin().await;
    let query =
        "{ practicePackageOrders(filter: {practicePackageId: \"0\", userId: \"12abc\", dateFrom: \"ayer\",
        status: \"lost\"}) { totalCount } }";
    let request = || hub.graphql(query).by(&admin.token);
    insta::assert_json_snapshot!(request().header("accept-language", "en-GB").send().await.body["errors"]);

    let message = async |request: crate::harness::request::GraphqlRequest| {
        request.send().await.body["errors"][0]["message"].take()
    };
    let spanish = message(request()).await;
    assert!(spanish.as_str().unwrap().contains("No es un identificador"), "the hub's default: {spanish}");
    assert_eq!(message(request().header("accept-language", "fr, es;q=0.5, en;q=0.1")).await, spanish);
    hub.sql(&format!("UPDATE users SET locale = 'en' WHERE id = {}", admin.id)).await;
    let english = message(request()).await;
    assert!(english.as_str().unwrap().contains("Not an ID"), "the user's preference: {english}");
    assert_eq!(message(request().header("accept-language", "es-CO")).await, spanish);
    assert_eq!(message(hub.graphql("{ viewer { id } }")).await, "Inicia sesión o envía un token válido.");
}

#[tokio::test]
async fn invalid_ids_are_rejected_before_they_reach_the_database() {
    let (hub, admin) = hub_and_admin().await;
    for id in [
        "\"0\"",
        "\"-1\"",
        "\"1 OR 1=1\"",
        "\"\\u0000\"",
        "\"9007199254740992\"",
        "\"99999999999999999999\"",
        "\"１\"",
        "0",
        "-1",
    ] {
        let query = format!("{{ discordPractices(filter: {{courseId: {id}}}) {{ totalCount }} }}");
        let response = hub.graphql(&query).by(&admin.token).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{id}");
    }
    for search in ["\"%\"", "\"_\"", "\"\\\\\"", "\"'; DROP TABLE courses; --\"", "\"\\u0000\""] {
        let query = format!("{{ courses(search: {search}) {{ id }} lessons(search: {search}) {{ id }} }}");
        let response = hub.graphql(&query).by(&admin.token).send().await;
        let found = &response.body["data"]["courses"];
        assert!(found.is_array() || response.code() == "BAD_USER_INPUT", "{search}: {}", response.body);
    }
}

#[tokio::test]
async fn lookups_are_not_cached_between_requests() {
    let (hub, admin) = hub_and_admin().await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    hub.academy.row(domain::Dataset::CourseTeacherAssignments, lesson, "2026-11-10T08:00:00Z").await;
    let address = async |token: &str| {
        let query = format!(
            "{{ courseTeacherAssignments(filter: {{courseId: \"{}\"}}) {{ nodes {{ teacherEmail }} }} }}",
            lesson.course
        );
        hub.graphql(&query).by(token).send().await.body
    };
    assert!(address(&admin.token).await["data"].is_object());
    hub.sql("UPDATE users SET email = 'renamed@example.org' WHERE role = 'teacher'").await;
    let renamed =
        &address(&admin.token).await["data"]["courseTeacherAssignments"]["nodes"][0]["teacherEmail"];
    assert_eq!(renamed, "renamed@example.org");
    let student = hub.user(Role::Student).await;
    assert!(!address(&student.token).await.to_string().contains("renamed@example.org"));
}
