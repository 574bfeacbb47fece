//! Real data through the whole product: mirrored and imported by the public API, exported again, and found back value
//! for value; first by a program, then by a person in a browser.

mod page;
mod rows;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::hub::{Hub, text};
use rows::Rows;

/// How many rows one mutation takes.
const ROWS_A_CALL: usize = 1000;

/// Loads the data set from this folder into a hub of its own, and gets it out again.
pub async fn run(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let hub = timed("the hub starts, with an admin", Hub::start()).await?;
    for (file, mutation, input) in [
        ("courses.json", "mirrorCourses", "CourseInput"),
        ("lessons.json", "mirrorLessons", "LessonInput"),
        ("users.json", "mirrorUsers", "UserInput"),
    ] {
        let rows = read(&folder.join(file))?;
        let what = format!("{} rows of {file} by {mutation}", rows.len());
        timed(&what, mirror(&hub, mutation, input, &rows)).await?;
    }
    let path = folder.join("student_activity_snapshots.csv");
    let source = Rows::read(fs::File::open(&path)?)?;
    timed(&format!("{} rows of snapshots by importSnapshots", source.len()), import(&hub, &path, &source))
        .await?;
    let exported = timed("the dataset as CSV by a signed link", export(&hub)).await?;
    let compared = Instant::now();
    source.ensure_same(&exported)?;
    exported.ensure_emails(&read(&folder.join("users.json"))?)?;
    said(&format!("all {} rows found back, value for value", source.len()), compared);
    page::export_one_course(&hub, &course_with_most_rows(folder, &source)?, &source).await?;
    said("everything", began);
    Ok(())
}

/// Prints what was done and how long it took.
fn said(what: &str, began: Instant) {
    println!("oulad: {:7.2} s  {what}", began.elapsed().as_secs_f64());
}

async fn timed<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let began = Instant::now();
    let done = work.await.with_context(|| format!("Failed: {what}"))?;
    said(what, began);
    Ok(done)
}

fn read(path: &Path) -> Result<Vec<Value>> {
    let content = fs::read(path).with_context(|| format!("Reading {}", path.display()))?;
    serde_json::from_slice(&content).with_context(|| format!("Reading {}", path.display()))
}

async fn mirror(hub: &Hub, mutation: &str, input: &str, rows: &[Value]) -> Result<()> {
    let document = format!("mutation($input: [{input}!]!) {{ {mutation}(input: $input) }}");
    let mut written = 0;
    for call in rows.chunks(ROWS_A_CALL) {
        let answer = hub.graphql(&document, json!({ "input": call })).await?;
        written += answer[mutation].as_u64().context("No number of rows")?;
    }
    ensure!(written == rows.len() as u64, "{written} of {} rows were written", rows.len());
    Ok(())
}

const IMPORT: &str = "
    mutation($dataset: Dataset!, $file: Upload!) {
        importSnapshots(dataset: $dataset, file: $file) {
            state rowsRead rowsInserted rowsDuplicate rowsRejected message
            rejectedRows { line column value reason }
        }
    }";

async fn import(hub: &Hub, path: &Path, source: &Rows) -> Result<()> {
    let answer =
        hub.graphql_with_file(IMPORT, json!({ "dataset": "STUDENT_ACTIVITY_SNAPSHOTS" }), path).await?;
    let import = &answer["importSnapshots"];
    let is_whole = text(import, "/state")? == "DONE"
        && import["rowsRead"] == source.len()
        && import["rowsInserted"] == source.len();
    ensure!(is_whole, "The import did not take every row: {import}");
    Ok(())
}

async fn export(hub: &Hub) -> Result<Rows> {
    let file = json!({ "dataset": "student_activity_snapshots", "format": "csv", "headers": "keys" });
    let link = hub.link(&file).await?;
    let content = hub.download(&link).await?.bytes().await?;
    Rows::read(&content[..])
}

/// A course and what it is called.
struct Course {
    id: String,
    title: String,
}

fn course_with_most_rows(folder: &Path, source: &Rows) -> Result<Course> {
    let courses = read(&folder.join("courses.json"))?;
    let named = courses.iter().map(|course| {
        anyhow::Ok(Course {
            id: text(course, "/id")?.to_owned(),
            title: text(course, "/titles/es")?.to_owned(),
        })
    });
    let named = named.collect::<Result<Vec<_>>>()?;
    named.into_iter().max_by_key(|course| source.of_course(&course.id).len()).context("There is no course")
}
