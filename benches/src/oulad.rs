//! Processes a real data set: mirrors and imports it through the public API, exports it again, and compares
//! every value. The export is done through the API first, and then in a browser.

mod page;
mod rows;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::hub::{Hub, text};
use rows::Rows;

/// Rows per mutation.
const BATCH_SIZE: usize = 1000;

/// Loads the data set from this folder into a new hub, and exports it again.
pub async fn run(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let hub = timed("start the hub and create an admin", Hub::start()).await?;
    for (file, mutation, input) in [
        ("courses.json", "mirrorCourses", "CourseInput"),
        ("lessons.json", "mirrorLessons", "LessonInput"),
        ("users.json", "mirrorUsers", "UserInput"),
    ] {
        let rows = read(&folder.join(file))?;
        let label = format!("mirror {} rows of {file} with {mutation}", rows.len());
        timed(&label, mirror(&hub, mutation, input, &rows)).await?;
    }
    let path = folder.join("student_activity_snapshots.csv");
    let source = Rows::read(fs::File::open(&path)?, b',')?;
    timed(&format!("import {} snapshots with importSnapshots", source.len()), import(&hub, &path, &source))
        .await?;
    let exported = timed("export the dataset as CSV through a signed link", export(&hub)).await?;
    let comparison_started = Instant::now();
    source.ensure_same(&exported)?;
    exported.ensure_emails(&read(&folder.join("users.json"))?)?;
    report(&format!("compare all {} rows", source.len()), comparison_started);
    for format in ["csv", "json", "ndjson", "xlsx"] {
        let label = format!("export as {format} and import the file again");
        timed(&label, reimport(&hub, format, &source)).await?;
    }
    page::export_one_course(&hub, &course_with_most_rows(folder, &source)?, &source).await?;
    report("total", began);
    Ok(())
}

/// Prints a step and its duration.
fn report(label: &str, began: Instant) {
    println!("oulad: {:7.2} s  {label}", began.elapsed().as_secs_f64());
}

async fn timed<T>(label: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let began = Instant::now();
    let done = work.await.with_context(|| format!("Step failed: {label}"))?;
    report(label, began);
    Ok(done)
}

fn read(path: &Path) -> Result<Vec<Value>> {
    let content = fs::read(path).with_context(|| format!("Failed to read {}", path.display()))?;
    serde_json::from_slice(&content).with_context(|| format!("Failed to read {}", path.display()))
}

async fn mirror(hub: &Hub, mutation: &str, input: &str, rows: &[Value]) -> Result<()> {
    let document = format!("mutation($input: [{input}!]!) {{ {mutation}(input: $input) }}");
    let mut written = 0;
    for batch in rows.chunks(BATCH_SIZE) {
        let response = hub.graphql(&document, json!({ "input": batch })).await?;
        written += response[mutation].as_u64().context("The response has no row count")?;
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
    let response =
        hub.graphql_with_file(IMPORT, json!({ "dataset": "STUDENT_ACTIVITY_SNAPSHOTS" }), path).await?;
    let import = &response["importSnapshots"];
    let is_complete = text(import, "/state")? == "DONE"
        && import["rowsRead"] == source.len()
        && import["rowsInserted"] == source.len();
    ensure!(is_complete, "The import did not insert every row: {import}");
    Ok(())
}

/// Exports the dataset in a format and imports the file, of which every row exists.
async fn reimport(hub: &Hub, format: &str, source: &Rows) -> Result<()> {
    let link = hub.link(&json!({ "dataset": "student_activity_snapshots", "format": format })).await?;
    let path = hub.directory().join(format!("exported.{format}"));
    fs::write(&path, hub.download(&link).await?.bytes().await?)?;
    let response =
        hub.graphql_with_file(IMPORT, json!({ "dataset": "STUDENT_ACTIVITY_SNAPSHOTS" }), &path).await?;
    let import = &response["importSnapshots"];
    let is_complete = text(import, "/state")? == "DONE" && import["rowsDuplicate"] == source.len();
    ensure!(is_complete, "The exported rows are not those that exist: {import}");
    Ok(())
}

async fn export(hub: &Hub) -> Result<Rows> {
    let file = json!({ "dataset": "student_activity_snapshots", "format": "csv", "headers": "keys" });
    let link = hub.link(&file).await?;
    let content = hub.download(&link).await?.bytes().await?;
    Rows::read(&content[..], b',')
}

/// A course of the data set.
struct Course {
    id: String,
    title: String,
}

fn course_with_most_rows(folder: &Path, source: &Rows) -> Result<Course> {
    let courses = read(&folder.join("courses.json"))?;
    let titled = courses.iter().map(|course| {
        anyhow::Ok(Course {
            id: text(course, "/id")?.to_owned(),
            title: text(course, "/titles/es")?.to_owned(),
        })
    });
    let titled = titled.collect::<Result<Vec<_>>>()?;
    titled
        .into_iter()
        .max_by_key(|course| source.of_course(&course.id).len())
        .context("The data set has no course")
}
