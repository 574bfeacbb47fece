//! Files as other programs read them: openpyxl, pyarrow, duckdb and LibreOffice, which `make setup` installs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use domain::Dataset;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::download::Exporter;

/// A folder with exported files.
struct Files {
    exporter: Exporter,
    folder: TempDir,
}

impl Files {
    async fn of_sample_rows() -> Self {
        Self { exporter: Exporter::with_sample_rows().await, folder: TempDir::new().unwrap() }
    }

    /// Exports a dataset to a file.
    async fn export(&self, name: &str, dataset: Dataset, options: Value) -> PathBuf {
        let mut request = options;
        request["dataset"] = json!(dataset.key());
        let response = self.exporter.follow(&self.exporter.link_path(&request).await).await;
        assert_eq!(response.status(), 200);
        let path = self.folder.path().join(name);
        fs::write(&path, response.bytes().await.unwrap()).unwrap();
        path
    }

    /// Saves a file as a workbook with LibreOffice in a language, which reads CSV with this delimiter.
    async fn save_with_libreoffice(&self, file: &Path, language: &str, delimiter: char) -> PathBuf {
        let out = self.folder.path().join(format!("{language}{}", u32::from(delimiter)));
        let profile = format!("-env:UserInstallation=file://{}/profile", self.folder.path().display());
        let mut command = Command::new(tool("LIBREOFFICE"));
        command.args(["--headless", "--norestore", &profile]);
        if file.extension().is_some_and(|extension| extension == "csv") {
            // Delimiter, quote, UTF-8, first line, formats of columns, language, quoted cells as text, numbers detected.
            let locale = if language == "es_ES" { 3082 } else { 1033 };
            let tokens = format!("{},34,76,1,,{locale},false,true", u32::from(delimiter));
            command.arg(format!("--infilter=Text - txt - csv (StarCalc):{tokens}"));
        }
        command.args(["--convert-to", "xlsx", "--outdir"]).arg(&out).arg(file);
        let output = command.env("LC_ALL", format!("{language}.UTF-8")).output().await.unwrap();
        let saved = out.join(file.with_extension("xlsx").file_name().unwrap());
        assert!(saved.exists(), "{output:?}");
        saved
    }
}

/// The program in an environment variable of scripts/env.sh.
fn tool(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(program) if !program.is_empty() => program,
        Ok(_) | Err(_) => panic!("{variable} is not set: run `make setup`, and the tests with `make test`"),
    }
}

async fn compare(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/exports/compare.py");
    let mut command = Command::new(tool("TEST_PYTHON"));
    command.arg(script).args(arguments.iter().map(AsRef::as_ref));
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

#[tokio::test]
async fn pyarrow_and_duckdb_read_every_dataset() {
    let files = Files::of_sample_rows().await;
    let mut schemas = String::new();
    for dataset in Dataset::ALL {
        let parquet = files.export("export.parquet", dataset, json!({"format": "parquet"})).await;
        let ndjson =
            files.export("export.ndjson", dataset, json!({"format": "ndjson", "timezone": "UTC"})).await;
        let facts = compare(&[&"parquet", &parquet, &ndjson]).await;
        assert_eq!(facts["codecs"], json!(["ZSTD"]));
        schemas += &format!("{}: {}\n", dataset.key(), facts["schema"]);
    }
    insta::assert_snapshot!(schemas);
}

#[tokio::test]
async fn openpyxl_and_libreoffice_read_every_dataset() {
    let files = Files::of_sample_rows().await;
    for dataset in Dataset::ALL {
        let options = |format: &str| json!({"format": format, "locale": "es", "timezone": "UTC", "names": 1});
        let csv = files.export("export.csv", dataset, options("csv")).await;
        let workbook = files.export(&format!("{}.xlsx", dataset.key()), dataset, options("xlsx")).await;
        let facts = compare(&[&"xlsx", &workbook, &csv]).await;
        assert_eq!((&facts["title"], &facts["frozen"]), (&json!(dataset.describe().title.es), &json!("A2")));
        let rows = fs::read_to_string(&csv).unwrap().lines().count();
        let range = facts["filter"].as_str().unwrap();
        assert!(range.starts_with("A1:") && rows > 1, "{range} of {rows} rows");
        assert!(facts["kinds"].as_array().unwrap().contains(&json!("d")), "{facts}: timestamps are dates");
        if matches!(dataset, Dataset::VideoPlayerEvents | Dataset::TeacherSubmissions) {
            for language in ["es_ES", "en_US"] {
                let saved = files.save_with_libreoffice(&workbook, language, ',').await;
                compare(&[&"xlsx", &saved, &csv]).await;
            }
        }
    }
}

#[tokio::test]
async fn no_spreadsheet_finds_a_formula_in_a_csv_file() {
    let files = Files::of_sample_rows().await;
    let attack = "UPDATE teacher_submissions SET title = 'a;=1+1', summary = E'x,=2+2\\n=3+3\\r\\n@SUM(1)\\t+4', \
        feedback = '=cmd|'' /C calc''!A0'";
    files.exporter.hub.sql(attack).await;
    for delimiter in [",", ";"] {
        let options = json!({"format": "csv", "delimiter": delimiter, "bom": 1});
        let csv = files.export(&format!("{delimiter}.csv"), Dataset::TeacherSubmissions, options).await;
        for language in ["es_ES", "en_US"] {
            for separator in [',', ';'] {
                let saved = files.save_with_libreoffice(&csv, language, separator).await;
                let cells = compare(&[&"formulas", &saved]).await;
                assert!(cells.as_u64().unwrap() > 5, "{cells}");
            }
        }
    }
}
