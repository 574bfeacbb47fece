//! Pages by cursor are complete and without duplicates in both directions, while rows change.

use std::collections::HashSet;

use domain::Dataset;
use domain::access::Role;
use serde_json::json;

use crate::harness::academy::Lesson;
use crate::harness::dataset::{connection, every_field};
use crate::harness::hub::Hub;
use crate::harness::statements::Statements;

/// Three timestamps for many rows, so that most rows share one, around the end of a month.
const TIMESTAMPS: [&str; 3] =
    ["2026-11-01T00:00:00.000001Z", "2026-11-01T00:00:00Z", "2026-10-31T23:59:59.999999Z"];
const LATER: &str = "2026-11-02T00:00:00Z";
const EARLIER: &str = "2026-10-30T00:00:00Z";
const PAGE_SIZE: usize = 4;

/// The direction in which a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// Reads a dataset page by page.
struct Reader<'a> {
    hub: &'a Hub,
    token: &'a str,
    dataset: Dataset,
    lesson: Lesson,
}

#[tokio::test]
async fn pages_are_complete_without_duplicates_while_rows_change() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    for dataset in Dataset::ALL {
        let reader = Reader { hub: &hub, token: &admin.token, dataset, lesson };
        for direction in [Direction::Forwards, Direction::Backwards] {
            reader.check(direction).await;
        }
    }
}

impl Reader<'_> {
    async fn check(&self, direction: Direction) {
        for timestamp in TIMESTAMPS {
            for _ in 0..5 {
                self.hub.academy.row(self.dataset, self.lesson, timestamp).await;
            }
        }
        let (initial_ids, _) = self.page(direction, 500, None).await;
        let mut seen = self.read_while_rows_change(direction).await;
        let distinct: HashSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{direction:?} through {}: {seen:?}", self.dataset.key());
        seen.retain(|id| initial_ids.contains(id));
        assert_eq!(seen, initial_ids, "{direction:?} through {}", self.dataset.key());
    }

    /// Reads all pages, and returns the IDs.
    ///
    /// After each page, inserts a row in the part already read and one in the middle. Deletes the row of the
    /// cursor.
    async fn read_while_rows_change(&self, direction: Direction) -> Vec<String> {
        let academy = &self.hub.academy;
        let table = match self.dataset {
            Dataset::CourseTeacherAssignments => "course_teacher",
            other => other.key(),
        };
        let already_read = match direction {
            Direction::Forwards => LATER,
            Direction::Backwards => EARLIER,
        };
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let (ids, next_cursor) = self.page(direction, PAGE_SIZE, cursor.as_deref()).await;
            seen.extend(ids.iter().cloned());
            let Some(next_cursor) = next_cursor else { return seen };
            assert_eq!(ids.len(), PAGE_SIZE, "only the last page may have fewer rows");
            academy.row(self.dataset, self.lesson, already_read).await;
            academy.row(self.dataset, self.lesson, TIMESTAMPS[1]).await;
            let cursor_id: i64 = ids[PAGE_SIZE - 1].parse().unwrap();
            academy.execute(&format!("DELETE FROM {table} WHERE id = $1"), &[&cursor_id]).await;
            cursor = Some(next_cursor);
        }
    }

    /// The IDs on a page in reading order, and the cursor for the next page if there is one.
    async fn page(
        &self,
        direction: Direction,
        size: usize,
        cursor: Option<&str>,
    ) -> (Vec<String>, Option<String>) {
        let (arguments, has_more, next_cursor) = match direction {
            Direction::Forwards => ("first: $size, after: $cursor", "hasNextPage", "endCursor"),
            Direction::Backwards => ("last: $size, before: $cursor", "hasPreviousPage", "startCursor"),
        };
        let connection = connection(self.dataset);
        let query = format!(
            "query ($size: Int!, $cursor: String) {{
                page: {connection}({arguments}) {{ nodes {{ id }} pageInfo {{ more: {has_more} next: {next_cursor} }} }}
            }}"
        );
        let variables = json!({"size": size, "cursor": cursor});
        let page = self.hub.graphql(&query).by(self.token).variables(variables).data().await["page"].take();
        let nodes = page["nodes"].as_array().unwrap().iter();
        let mut ids: Vec<String> = nodes.map(|node| node["id"].as_str().unwrap().to_owned()).collect();
        if direction == Direction::Backwards {
            ids.reverse();
        }
        let next_cursor = page["pageInfo"]["next"].as_str().filter(|_| page["pageInfo"]["more"] == true);
        (ids, next_cursor.map(str::to_owned))
    }
}

#[tokio::test]
async fn page_info_marks_the_ends_of_a_list() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    for timestamp in TIMESTAMPS {
        hub.academy.row(Dataset::DiscordPractices, lesson, timestamp).await;
    }
    let ends = async |arguments: &str| {
        let query = format!(
            "{{ discordPractices({arguments}) {{
                nodes {{ startAt }} pageInfo {{ hasPreviousPage hasNextPage startCursor endCursor }}
            }} }}"
        );
        hub.graphql(&query).by(&admin.token).data().await["discordPractices"].take()
    };
    let first = ends("first: 2").await;
    let middle = first["pageInfo"]["endCursor"].as_str().unwrap();
    insta::assert_json_snapshot!(json!({
        "first: 2": first,
        "after the second": ends(&format!("first: 2, after: \"{middle}\"")).await,
        "last: 1": ends("last: 1").await,
        "last: 5": ends("last: 5").await,
        "before the second": ends(&format!("last: 2, before: \"{middle}\"")).await,
        "first: 0": ends("first: 0").await,
    }));
}

#[tokio::test]
async fn invalid_page_arguments_are_rejected_by_name() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    for (arguments, field) in [
        ("first: -1", "first"),
        ("first: 501", "first"),
        ("last: 501", "last"),
        ("first: 5, last: 5", "last"),
        ("first: 5, before: \"x\"", "before"),
        ("last: 5, after: \"x\"", "after"),
        ("after: \"x\"", "after"),
        ("after: \"\"", "after"),
        ("last: 1, before: \"AAAAAAAAAAAAAAAAAAAAAA==\"", "before"),
    ] {
        let query = format!("{{ discordPractices({arguments}) {{ nodes {{ id }} }} }}");
        let response = hub.graphql(&query).by(&admin.token).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{arguments}");
        assert_eq!(response.body["errors"][0]["extensions"]["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_page_size() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    for dataset in Dataset::ALL {
        for _ in 0..50 {
            hub.academy.row(dataset, lesson, "2026-11-10T08:00:00Z").await;
        }
    }
    let statements = Statements::of(&hub.app.pool).await;
    for dataset in Dataset::ALL {
        let page = async |rows: usize| {
            let (connection, fields) = (connection(dataset), every_field(dataset));
            let query = format!("{{ page: {connection}(first: {rows}) {{ nodes {{ {fields} }} }} }}");
            let page = hub.graphql(&query).by(&admin.token).data().await;
            assert_eq!(page["page"]["nodes"].as_array().unwrap().len(), rows, "{}", dataset.key());
            statements.take()
        };
        let (one, fifty) = (page(1).await, page(50).await);
        assert_eq!(one.len(), fifty.len(), "{}: {one:#?} {fifty:#?}", dataset.key());
        // The caller, the rows, and their e-mail addresses.
        assert!(fifty.len() <= 3, "{}: {fifty:#?}", dataset.key());
        assert!(!fifty.iter().any(|statement| statement.contains("count(*) FROM (SELECT")), "{fifty:#?}");
    }
}

#[tokio::test]
async fn rows_are_counted_only_if_the_total_is_requested() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let statements = Statements::of(&hub.app.pool).await;
    for (selection, counted) in [("nodes { id } pageInfo { hasNextPage }", 0), ("totalCount", 1)] {
        for dataset in Dataset::ALL {
            let query = format!("{{ {}(first: 1) {{ {selection} }} }}", connection(dataset));
            hub.graphql(&query).by(&admin.token).data().await;
            let recorded = statements.take();
            let counts = recorded.iter().filter(|statement| statement.starts_with("SELECT count(*) FROM"));
            assert_eq!(counts.count(), counted, "{selection} of {}: {recorded:#?}", dataset.key());
        }
    }
}
