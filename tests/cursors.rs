//! Pages by cursor: complete and free of doubles, forwards and backwards, while rows come and go.

use std::collections::HashSet;

use domain::Dataset;
use domain::access::Role;
use serde_json::json;

use crate::harness::academy::Lesson;
use crate::harness::dataset::{connection, every_field};
use crate::harness::hub::Hub;
use crate::harness::statements::Statements;

/// Three moments for many rows, so that most of them stand at the same one, on both sides of a month's end.
const MOMENTS: [&str; 3] =
    ["2026-11-01T00:00:00.000001Z", "2026-11-01T00:00:00Z", "2026-10-31T23:59:59.999999Z"];
const LATER: &str = "2026-11-02T00:00:00Z";
const EARLIER: &str = "2026-10-30T00:00:00Z";
const PAGE: usize = 4;

/// In which direction a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// Somebody who reads a dataset page by page.
struct Reader<'a> {
    hub: &'a Hub,
    token: &'a str,
    dataset: Dataset,
    lesson: Lesson,
}

#[tokio::test]
async fn pages_are_complete_and_free_of_doubles_while_rows_come_and_go() {
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
        for moment in MOMENTS {
            for _ in 0..5 {
                self.hub.academy.row(self.dataset, self.lesson, moment).await;
            }
        }
        let (there_all_along, _) = self.page(direction, 500, None).await;
        let mut seen = self.read_while_rows_come_and_go(direction).await;
        let different: HashSet<&String> = seen.iter().collect();
        assert_eq!(different.len(), seen.len(), "{direction:?} through {}: {seen:?}", self.dataset.key());
        seen.retain(|id| there_all_along.contains(id));
        assert_eq!(seen, there_all_along, "{direction:?} through {}", self.dataset.key());
    }

    /// The ids that somebody sees who reads to the end.
    ///
    /// After each page a row is added where they have been and one in the middle, and the row that their cursor names
    /// is deleted.
    async fn read_while_rows_come_and_go(&self, direction: Direction) -> Vec<String> {
        let academy = &self.hub.academy;
        let table = match self.dataset {
            Dataset::CourseTeacherAssignments => "course_teacher",
            other => other.key(),
        };
        let where_they_have_been = match direction {
            Direction::Forwards => LATER,
            Direction::Backwards => EARLIER,
        };
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let (ids, next) = self.page(direction, PAGE, cursor.as_deref()).await;
            seen.extend(ids.iter().cloned());
            let Some(next) = next else { return seen };
            assert_eq!(ids.len(), PAGE, "only the last page may be short");
            academy.row(self.dataset, self.lesson, where_they_have_been).await;
            academy.row(self.dataset, self.lesson, MOMENTS[1]).await;
            let named_by_cursor: i64 = ids[PAGE - 1].parse().unwrap();
            academy.execute(&format!("DELETE FROM {table} WHERE id = $1"), &[&named_by_cursor]).await;
            cursor = Some(next);
        }
    }

    /// The ids on a page in the order in which they are read, and the cursor for the next page if there is one.
    async fn page(
        &self,
        direction: Direction,
        size: usize,
        cursor: Option<&str>,
    ) -> (Vec<String>, Option<String>) {
        let (arguments, has_more, next) = match direction {
            Direction::Forwards => ("first: $size, after: $cursor", "hasNextPage", "endCursor"),
            Direction::Backwards => ("last: $size, before: $cursor", "hasPreviousPage", "startCursor"),
        };
        let connection = connection(self.dataset);
        let query = format!(
            "query ($size: Int!, $cursor: String) {{
                page: {connection}({arguments}) {{ nodes {{ id }} pageInfo {{ more: {has_more} next: {next} }} }}
            }}"
        );
        let variables = json!({"size": size, "cursor": cursor});
        let page = self.hub.graphql(&query).by(self.token).variables(variables).data().await["page"].take();
        let nodes = page["nodes"].as_array().unwrap().iter();
        let mut ids: Vec<String> = nodes.map(|node| node["id"].as_str().unwrap().to_owned()).collect();
        if direction == Direction::Backwards {
            ids.reverse();
        }
        let next = page["pageInfo"]["next"].as_str().filter(|_| page["pageInfo"]["more"] == true);
        (ids, next.map(str::to_owned))
    }
}

#[tokio::test]
async fn the_ends_of_a_list_are_told() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let lesson = hub.academy.lesson(hub.academy.course().await).await;
    for moment in MOMENTS {
        hub.academy.row(Dataset::DiscordPractices, lesson, moment).await;
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
async fn arguments_of_a_page_that_make_no_sense_are_refused_by_name() {
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
        let answer = hub.graphql(&query).by(&admin.token).send().await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{arguments}");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn a_page_takes_as_many_statements_for_fifty_rows_as_for_one() {
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
        // Who asks, the rows, and the e-mail addresses in them.
        assert!(fifty.len() <= 3, "{}: {fifty:#?}", dataset.key());
        assert!(!fifty.iter().any(|statement| statement.contains("count(*) FROM (SELECT")), "{fifty:#?}");
    }
}

#[tokio::test]
async fn the_number_of_all_rows_is_counted_only_when_asked_for() {
    let hub = Hub::start().await;
    let admin = hub.user(Role::Admin).await;
    let statements = Statements::of(&hub.app.pool).await;
    for (selection, counted) in [("nodes { id } pageInfo { hasNextPage }", 0), ("totalCount", 1)] {
        for dataset in Dataset::ALL {
            let query = format!("{{ {}(first: 1) {{ {selection} }} }}", connection(dataset));
            hub.graphql(&query).by(&admin.token).data().await;
            let heard = statements.take();
            let counts = heard.iter().filter(|statement| statement.starts_with("SELECT count(*) FROM"));
            assert_eq!(counts.count(), counted, "{selection} of {}: {heard:#?}", dataset.key());
        }
    }
}
