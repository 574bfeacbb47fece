//! `docs/datasets.md` says what the catalogue says: this test writes it anew and fails when it had gone stale.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use domain::Dataset;
use domain::dataset::{ColumnKind, Description, FilterKey, FilterKind, TeacherAdminAccess};

#[test]
fn the_document_of_the_datasets_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/datasets.md");
    let current = document();
    let written = fs::read_to_string(&path).unwrap_or_default();
    if written != current {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, current).unwrap();
        panic!("docs/datasets.md was stale and is written anew: look it over and commit it");
    }
}

fn document() -> String {
    let mut text = String::from(
        "# The seven datasets\n\n\
         This page is made from the catalogue in `domain/src/dataset/` by a test; edit that, not this.\n\n\
         Rows come in a stable order: the date column descending, then the id descending.\n\
         A date in `date_from` or `date_to` means that whole day in the hub's time zone; both ends are inclusive.\n",
    );
    for dataset in Dataset::ALL {
        describe(&mut text, dataset.describe()).expect("a string takes whatever is written");
    }
    text
}

fn describe(text: &mut String, dataset: &Description) -> std::fmt::Result {
    writeln!(text, "\n## `{}`\n", dataset.key)?;
    writeln!(text, "{} / {}.\n{}\n", dataset.title.en, dataset.title.es, dataset.about.en)?;
    writeln!(text, "- Ordered by `{}`.", dataset.date_column)?;
    match dataset.teacher_admin {
        TeacherAdminAccess::OneOf(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", key.key())).collect();
            writeln!(text, "- A Teacher Admin must filter by {}.", keys.join(" or "))?;
        }
        TeacherAdminAccess::Never => writeln!(text, "- A Teacher Admin may not read it.")?,
    }
    if let Some(columns) = dataset.import {
        writeln!(text, "- Imported with the header `{}`.", columns.join(","))?;
    }
    writeln!(
        text,
        "\n| column | type | readable header (en) | readable header (es) |\n| --- | --- | --- | --- |"
    )?;
    for column in dataset.columns {
        let kind = kind_of_column(column.kind);
        writeln!(text, "| `{}` | {kind} | {} | {} |", column.key, column.title.en, column.title.es)?;
    }
    writeln!(text, "\n| filter | takes | known values |\n| --- | --- | --- |")?;
    for field in dataset.filters {
        let choices: Vec<String> = field.choices.iter().map(|choice| format!("`{}`", choice.value)).collect();
        writeln!(
            text,
            "| `{}` | {} | {} |",
            field.key.key(),
            kind_of_filter(field.key, field.kind),
            choices.join(", ")
        )?;
    }
    Ok(())
}

fn kind_of_column(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Id => "id",
        ColumnKind::Integer => "whole number",
        ColumnKind::Decimal => "number",
        ColumnKind::Text => "text",
        ColumnKind::Boolean => "true or false",
        ColumnKind::Timestamp => "RFC 3339 timestamp",
        ColumnKind::Json => "JSON",
    }
}

fn kind_of_filter(key: FilterKey, kind: FilterKind) -> &'static str {
    match (key, kind) {
        (_, FilterKind::Date) => "date or RFC 3339 timestamp",
        (_, FilterKind::Course) => "course id",
        (_, FilterKind::Lesson) => "lesson id",
        (key, FilterKind::Id) if key == FilterKey::PRACTICE_PACKAGE_ID => "practice pack id",
        (_, FilterKind::Id) => "user id",
        (_, FilterKind::Text) => "text; the known values are suggestions",
        (_, FilterKind::Choice) => "one of the known values",
    }
}
