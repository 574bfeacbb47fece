//! Exports in a browser: signs in to the Hub, selects the dataset and a course by its title, and downloads
//! the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::Dataset;
use domain::dataset::FilterKey;

use super::{Course, Rows, report};
use crate::browser::Browser;
use crate::hub::{EMAIL, Hub, PASSWORD};

/// How long a download may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(1);

/// Exports one course in the browser, and compares the downloaded file with the source.
pub async fn export_one_course(hub: &Hub, course: &Course, source: &Rows) -> Result<()> {
    let began = Instant::now();
    let downloads = hub.directory().join("downloads");
    fs::create_dir(&downloads)?;
    let browser = Browser::start(&hub.directory(), &downloads).await?;
    let saved = save(&browser, hub, course, &downloads).await;
    if let (Err(_), Ok(screenshot)) = (&saved, browser.screenshot().await) {
        let path = std::env::temp_dir().join("dataporter-oulad-failed.png");
        fs::write(&path, screenshot)?;
        eprintln!("Screenshot of the page: {}", path.display());
    }
    browser.close().await?;
    // The page is in Spanish, whose spreadsheets separate by semicolons.
    let exported = Rows::read(fs::File::open(saved?)?, b';')?;
    source.ensure_same_of_course(&course.id, &exported)?;
    report(&format!("download {} rows of “{}” in Chromium", exported.len(), course.title), began);
    Ok(())
}

async fn save(browser: &Browser, hub: &Hub, course: &Course, downloads: &Path) -> Result<PathBuf> {
    let Course { title, .. } = course;
    let dataset = Dataset::StudentActivitySnapshots.describe().title.es;
    let course_label = FilterKey::COURSE_ID.title().es;
    let course_field = format!("//input[@id = //label[normalize-space() = '{course_label}']/@for]");
    browser.open(&format!("{}/es/admin/data-porter", hub.address)).await?;
    browser.fill("//input[@name = 'email']", EMAIL).await?;
    browser.fill("//input[@name = 'password']", PASSWORD).await?;
    browser.click("//button[@type = 'submit']").await?;
    browser.click(&format!("//button[@aria-pressed][normalize-space() = '{dataset}']")).await?;
    browser.fill(&course_field, title).await?;
    browser.click(&format!("//li[@role = 'option'][starts-with(normalize-space(), '{title}')]")).await?;
    // Waits until the preview shows rows of the course.
    browser.find("//*[@role = 'region'][@aria-busy = 'false']//tbody/tr/td").await?;
    let button =
        "//form[.//fieldset]//button[@type = 'submit'][not(@disabled)][not(@aria-disabled = 'true')]";
    browser.click(button).await?;
    wait_for_download(downloads).await
}

/// Waits until the only file is downloaded completely.
async fn wait_for_download(folder: &Path) -> Result<PathBuf> {
    let began = Instant::now();
    while began.elapsed() < DOWNLOAD_TIMEOUT {
        let files: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        let is_complete = |path: &Path| path.extension().is_some_and(|extension| extension == "csv");
        if let [file] = &files[..]
            && is_complete(file)
        {
            let name = file.file_name().context("The file has no name")?.to_string_lossy().into_owned();
            anyhow::ensure!(name.starts_with("student_activity_snapshots_"), "Unexpected file name: {name}");
            return Ok(file.clone());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("No file was downloaded")
}
