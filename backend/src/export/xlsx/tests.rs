use std::io::{Cursor, Read as _};

use domain::Locale;
use zip::ZipArchive;

use super::*;
use crate::export::writing;

const MICROS_OF_2026_11_16_09_00: i64 = 848_134_800_000_000;

/// The parts of a workbook with one row, whose columns are `recorded_at`, `user_id`, `event` and `playback_rate`.
fn workbook(options: &[(&str, &str)], cells: [Cell<'_>; 4]) -> Result<Vec<(String, String)>> {
    let fixed = [
        ("dataset", "video_player_events"),
        ("format", "xlsx"),
        ("timezone", "Europe/Madrid"),
        ("columns", "recorded_at,user_id,event,playback_rate"),
    ];
    let request = writing::request(&[&fixed, options].concat());
    let columns = writing::columns(&request);
    let mut rows = XlsxRows::new(&request, &columns);
    let mut out = Vec::new();
    rows.begin(&mut out)?;
    assert!(out.starts_with(b"PK"), "the first bytes are written before the first row");
    for (index, cell) in cells.into_iter().enumerate() {
        rows.cell(index, columns[index].column.kind, cell)?;
    }
    rows.end_row(&mut out)?;
    rows.end(&mut out)?;
    parts(out)
}

/// The names and contents of a workbook's parts.
fn parts(workbook: Vec<u8>) -> Result<Vec<(String, String)>> {
    let mut archive = ZipArchive::new(Cursor::new(workbook))?;
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index)?;
        let mut content = String::new();
        part.read_to_string(&mut content)?;
        parts.push((part.name()?.into_owned(), content));
    }
    Ok(parts)
}

/// The row of a sheet after its header.
fn row(parts: &[(String, String)]) -> &str {
    let sheet = &parts.iter().find(|(path, _)| path == "xl/worksheets/sheet1.xml").unwrap().1;
    sheet.split_once("<row r=\"2\">").unwrap().1.split_once("</row>").unwrap().0
}

#[test]
fn cells_have_types() {
    let cells = [
        Cell::Timestamp(MICROS_OF_2026_11_16_09_00),
        Cell::Integer(7),
        Cell::Text("=1;-2 <&> \u{1}_x0041_\r\n".as_bytes()),
        Cell::Decimal(1.25),
    ];
    let parts = workbook(&[], cells).unwrap();
    let expected = "<c r=\"A2\" s=\"1\"><v>46342.416666666664</v></c><c r=\"B2\"><v>7</v></c>\
         <c r=\"C2\" t=\"inlineStr\"><is><t xml:space=\"preserve\">'=1;'-2 &lt;&amp;&gt; _x0001__x005F_x0041__x000D_\n</t></is></c>\
         <c r=\"D2\"><v>1.25</v></c>";
    assert_eq!(row(&parts), expected);
    let names: Vec<&str> = parts.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names[0], "xl/worksheets/sheet1.xml");
    let text = |path: &str| &parts.iter().find(|(known, _)| known == path).unwrap().1;
    assert!(text("xl/worksheets/sheet1.xml").contains("state=\"frozen\""));
    assert!(text("xl/worksheets/sheet1.xml").ends_with("<autoFilter ref=\"A1:D2\"/></worksheet>"));
    assert!(text("xl/workbook.xml").contains("name=\"Player events\""));
    assert!(text("docProps/custom.xml").contains("Europe/Madrid"));
}

#[test]
fn what_a_type_cannot_hold_is_a_text() {
    let cells =
        |micros| [Cell::Timestamp(micros), Cell::Integer(1 << 53), Cell::Null, Cell::Decimal(f64::NAN)];
    let texts = |options: &[(&str, &str)], micros| {
        let parts = workbook(options, cells(micros)).unwrap();
        let row = row(&parts);
        assert_eq!(row.matches("inlineStr").count(), row.matches("<c ").count(), "{row}");
        row.split("<t>").skip(1).map(|text| text.split_once('<').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    // 2026-10-25 02:30 happened twice in Madrid.
    let twice = texts(&[], 846_203_400_000_000);
    assert_eq!(twice, ["2026-10-25T02:30:00+02:00", "9007199254740992", "NaN"]);
    let keys = texts(&[("headers", "keys")], MICROS_OF_2026_11_16_09_00);
    assert_eq!(keys[0], "2026-11-16T10:00:00+01:00");
}

#[test]
fn a_text_longer_than_a_cell_is_an_error() {
    let with_text =
        |text: &str| workbook(&[], [Cell::Null, Cell::Null, Cell::Text(text.as_bytes()), Cell::Null]);
    for fits in ["x".repeat(32_767), "ñ".repeat(32_767), "😀".repeat(16_383)] {
        assert!(with_text(&fits).is_ok());
    }
    // The guard counts.
    for too_long in ["x".repeat(32_768), "😀".repeat(16_384), format!("={}", "x".repeat(32_766))] {
        let error = with_text(&too_long).unwrap_err();
        let error = error.downcast::<CellTooLong>().unwrap();
        assert!(
            error.phrase().in_locale(Locale::En).contains("column event has 32768 characters"),
            "{error}"
        );
    }
}

#[test]
fn a_sheet_that_is_too_large_is_followed_by_another() {
    const SHEET_BYTES: u64 = 100_000;
    let request =
        writing::request(&[("dataset", "video_player_events"), ("format", "xlsx"), ("columns", "event")]);
    let columns = writing::columns(&request);
    let mut rows = XlsxRows::new(&request, &columns).with_sheet_limits(1_000, SHEET_BYTES);
    let mut out = Vec::new();
    rows.begin(&mut out).unwrap();
    for _ in 0..500 {
        rows.cell(0, ColumnKind::Text, Cell::Text("x".repeat(1_000).as_bytes())).unwrap();
        rows.end_row(&mut out).unwrap();
    }
    rows.end(&mut out).unwrap();
    let parts = parts(out).unwrap();
    let sheets: Vec<_> = parts.iter().filter(|(path, _)| path.starts_with("xl/worksheets/")).collect();
    // Each sheet has a header, and what is not compressed yet may be above its limit.
    let most = usize::try_from(SHEET_BYTES).unwrap() + 2 * XML_BYTES;
    assert!(sheets.len() > 3 && sheets.iter().all(|(_, sheet)| sheet.len() < most), "{}", sheets.len());
    let written: usize = sheets.iter().map(|(_, sheet)| sheet.matches("<row ").count() - 1).sum();
    assert_eq!(written, 500);
}
