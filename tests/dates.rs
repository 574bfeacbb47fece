//! Date bounds: a day means the whole day in the hub's time zone, a moment means that moment, and both ends are inside.

use chrono_tz::Tz;
use domain::Dataset;
use domain::access::Role;
use domain::filter::FilterKey;
use serde_json::{Value, json};

use crate::harness::ask::Answer;
use crate::harness::dataset::connection;
use crate::harness::hub::{Hub, TestUser};

/// Datasets that can be filtered by date.
fn dated() -> impl Iterator<Item = Dataset> {
    let by_date =
        |dataset: &Dataset| dataset.describe().filters.iter().any(|filter| filter.key == FilterKey::DateFrom);
    Dataset::ALL.into_iter().filter(by_date)
}

/// A hub in this time zone with a row of each dataset at each moment.
async fn hub_with_rows(zone: Tz, moments: &[&str]) -> (Hub, TestUser) {
    let hub = Hub::with(|config| config.hub.timezone = zone).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    for dataset in dated() {
        for moment in moments {
            hub.academy.row(dataset, lesson, moment).await;
        }
    }
    let admin = hub.user(Role::Admin).await;
    (hub, admin)
}

/// The moments of the rows between these bounds, oldest first, on a page and in a file alike.
async fn between(hub: &Hub, admin: &TestUser, dataset: Dataset, from: &str, to: &str) -> Vec<String> {
    let date = crate::harness::dataset::camel_case(dataset.describe().date_column);
    let query = format!(
        "query ($filter: {}) {{ rows: {}(filter: $filter) {{ totalCount nodes {{ date: {date} }} }} }}",
        filter_type(dataset),
        connection(dataset),
    );
    let variables = json!({"filter": {"dateFrom": from, "dateTo": to}});
    let page = hub.graphql(&query).by(&admin.token).variables(variables).data().await["rows"].take();
    let mut moments: Vec<String> = page["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["date"].as_str().unwrap().replace("+00:00", "Z"))
        .collect();
    moments.reverse();
    assert_eq!(page["totalCount"], moments.len());
    assert_eq!(rows_in_file(hub, admin, dataset, from, to).await, moments.len(), "{}", dataset.key());
    moments
}

fn filter_type(dataset: Dataset) -> String {
    let mut name = connection(dataset);
    name[..1].make_ascii_uppercase();
    format!("{}Filter", name.trim_end_matches('s'))
}

async fn rows_in_file(hub: &Hub, admin: &TestUser, dataset: Dataset, from: &str, to: &str) -> usize {
    let wanted = json!({
        "dataset": dataset.key(), "format": "ndjson", "filters": {"date_from": from, "date_to": to},
    });
    let request = hub.http.post(hub.url("/admin/data-porter/export-links"));
    let link = Answer::of(request.bearer_auth(&admin.token).json(&wanted)).await;
    let Value::String(address) = &link.body["url"] else { panic!("{link:?}") };
    hub.http.get(hub.url(address)).send().await.unwrap().text().await.unwrap().lines().count()
}

#[tokio::test]
async fn a_day_is_the_whole_day_in_the_hubs_time_zone() {
    let inside = ["2026-11-16T05:00:00Z", "2026-11-17T04:59:59.999999Z"];
    let (hub, admin) = hub_with_rows(
        Tz::America__Bogota,
        &["2026-11-16T04:59:59.999999Z", inside[0], inside[1], "2026-11-17T05:00:00Z"],
    )
    .await;
    for dataset in dated() {
        let found = between(&hub, &admin, dataset, "2026-11-16", "2026-11-16").await;
        assert_eq!(found, inside, "{}", dataset.key());
    }
}

#[tokio::test]
async fn a_day_is_as_long_as_the_clocks_make_it() {
    // In Madrid 29 March has 23 hours, and 25 October has 25.
    let short = ["2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"];
    let long = ["2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"];
    let (hub, admin) = hub_with_rows(
        Tz::Europe__Madrid,
        &[
            "2026-03-28T22:59:59Z",
            short[0],
            short[1],
            "2026-03-29T22:00:00Z",
            "2026-10-24T21:59:59Z",
            long[0],
            long[1],
            "2026-10-25T23:00:00Z",
        ],
    )
    .await;
    let dataset = Dataset::StudentActivitySnapshots;
    assert_eq!(between(&hub, &admin, dataset, "2026-03-29", "2026-03-29").await, short);
    assert_eq!(between(&hub, &admin, dataset, "2026-10-25", "2026-10-25").await, long);
}

#[tokio::test]
async fn a_moment_is_inside_at_either_end_and_may_stand_beside_a_day() {
    let moments = ["2026-11-15T10:00:00Z", "2026-11-15T10:00:00.000001Z", "2026-11-15T11:00:00Z"];
    let (hub, admin) = hub_with_rows(Tz::UTC, &moments).await;
    for dataset in dated() {
        let found = async |from, to| between(&hub, &admin, dataset, from, to).await;
        assert_eq!(found(moments[0], moments[2]).await, moments);
        assert_eq!(found("2026-11-15T05:00:00-05:00", "2026-11-15T10:00:00Z").await, moments[..1]);
        assert_eq!(found("2026-11-15T10:00:00.000001Z", "2026-11-15").await, moments[1..]);
    }
}

#[tokio::test]
async fn a_bound_that_is_no_date_is_refused_by_name() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for bound in ["yesterday", "2026-13-01", "2026-02-30", "2026-11-16 10:00", "20261116", "2026-11-16T10:00"]
    {
        let query = format!("{{ discordPractices(filter: {{dateTo: \"{bound}\"}}) {{ totalCount }} }}");
        let answer = hub.graphql(&query).by(&admin.token).send().await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{bound}");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], "filter.dateTo", "{bound}");
    }
    let backwards =
        "{ discordPractices(filter: {dateFrom: \"2026-11-17\", dateTo: \"2026-11-16\"}) { totalCount } }";
    assert_eq!(hub.graphql(backwards).by(&admin.token).code().await, "BAD_USER_INPUT");
}
