//! Date filters: a date covers the whole day in the hub's time zone, and both bounds are inclusive.

use chrono_tz::Tz;
use domain::Dataset;
use domain::access::Role;
use domain::dataset::FilterKey;
use serde_json::{Value, json};

use crate::harness::dataset::connection;
use crate::harness::hub::{Hub, TestUser};
use crate::harness::request::ApiResponse;

/// The datasets that can be filtered by date.
fn date_filtered_datasets() -> impl Iterator<Item = Dataset> {
    let by_date = |dataset: &Dataset| {
        dataset.describe().filters.iter().any(|filter| filter.key == FilterKey::DATE_FROM)
    };
    Dataset::ALL.into_iter().filter(by_date)
}

/// A hub in this time zone with a row of each dataset at each timestamp.
async fn hub_with_rows(zone: Tz, timestamps: &[&str]) -> (Hub, TestUser) {
    let hub = Hub::with(|config| config.hub.timezone = zone).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    for dataset in date_filtered_datasets() {
        for timestamp in timestamps {
            hub.academy.row(dataset, lesson, timestamp).await;
        }
    }
    let admin = hub.user(Role::Admin).await;
    (hub, admin)
}

/// The timestamps of the rows within these bounds, oldest first, after checking that page and file agree.
async fn timestamps_between(
    hub: &Hub,
    admin: &TestUser,
    dataset: Dataset,
    from: &str,
    to: &str,
) -> Vec<String> {
    let date = domain::names::camel_case(dataset.describe().date_column);
    let query = format!(
        "query ($filter: {}) {{ rows: {}(filter: $filter) {{ totalCount nodes {{ date: {date} }} }} }}",
        filter_type(dataset),
        connection(dataset),
    );
    let variables = json!({"filter": {"dateFrom": from, "dateTo": to}});
    let page = hub.graphql(&query).by(&admin.token).variables(variables).data().await["rows"].take();
    let mut timestamps: Vec<String> = page["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["date"].as_str().unwrap().replace("+00:00", "Z"))
        .collect();
    timestamps.reverse();
    assert_eq!(page["totalCount"], timestamps.len());
    assert_eq!(rows_in_file(hub, admin, dataset, from, to).await, timestamps.len(), "{}", dataset.key());
    timestamps
}

fn filter_type(dataset: Dataset) -> String {
    let mut name = connection(dataset);
    name[..1].make_ascii_uppercase();
    format!("{}Filter", name.trim_end_matches('s'))
}

async fn rows_in_file(hub: &Hub, admin: &TestUser, dataset: Dataset, from: &str, to: &str) -> usize {
    let body = json!({
        "dataset": dataset.key(), "format": "ndjson", "filters": {"date_from": from, "date_to": to},
    });
    let request = hub.http.post(hub.url("/admin/data-porter/export-links"));
    let link = ApiResponse::of(request.bearer_auth(&admin.token).json(&body)).await;
    let Value::String(path) = &link.body["url"] else { panic!("{link:?}") };
    hub.http.get(hub.url(path)).send().await.unwrap().text().await.unwrap().lines().count()
}

#[tokio::test]
async fn a_date_covers_the_whole_day_in_the_hubs_time_zone() {
    let included = ["2026-11-16T05:00:00Z", "2026-11-17T04:59:59.999999Z"];
    let (hub, admin) = hub_with_rows(
        Tz::America__Bogota,
        &["2026-11-16T04:59:59.999999Z", included[0], included[1], "2026-11-17T05:00:00Z"],
    )
    .await;
    for dataset in date_filtered_datasets() {
        let found = timestamps_between(&hub, &admin, dataset, "2026-11-16", "2026-11-16").await;
        assert_eq!(found, included, "{}", dataset.key());
    }
}

#[tokio::test]
async fn a_date_follows_daylight_saving_time() {
    // In Madrid, 29 March has 23 hours and 25 October has 25.
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
    assert_eq!(timestamps_between(&hub, &admin, dataset, "2026-03-29", "2026-03-29").await, short);
    assert_eq!(timestamps_between(&hub, &admin, dataset, "2026-10-25", "2026-10-25").await, long);
}

#[tokio::test]
async fn timestamp_bounds_are_inclusive_and_mix_with_dates() {
    let timestamps = ["2026-11-15T10:00:00Z", "2026-11-15T10:00:00.000001Z", "2026-11-15T11:00:00Z"];
    let (hub, admin) = hub_with_rows(Tz::UTC, &timestamps).await;
    for dataset in date_filtered_datasets() {
        let found = async |from, to| timestamps_between(&hub, &admin, dataset, from, to).await;
        assert_eq!(found(timestamps[0], timestamps[2]).await, timestamps);
        assert_eq!(found("2026-11-15T05:00:00-05:00", "2026-11-15T10:00:00Z").await, timestamps[..1]);
        assert_eq!(found("2026-11-15T10:00:00.000001Z", "2026-11-15").await, timestamps[1..]);
    }
}

#[tokio::test]
async fn an_invalid_date_bound_is_rejected_with_its_field() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for bound in ["yesterday", "2026-13-01", "2026-02-30", "2026-11-16 10:00", "20261116", "2026-11-16T10:00"]
    {
        let query = format!("{{ discordPractices(filter: {{dateTo: \"{bound}\"}}) {{ totalCount }} }}");
        let response = hub.graphql(&query).by(&admin.token).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{bound}");
        assert_eq!(response.body["errors"][0]["extensions"]["field"], "filter.dateTo", "{bound}");
    }
    let reversed =
        "{ discordPractices(filter: {dateFrom: \"2026-11-17\", dateTo: \"2026-11-16\"}) { totalCount } }";
    assert_eq!(hub.graphql(reversed).by(&admin.token).code().await, "BAD_USER_INPUT");
}
