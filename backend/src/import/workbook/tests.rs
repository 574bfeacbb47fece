use std::io::{Cursor, Write as _};

use chrono_tz::Tz::{Europe__Madrid, UTC};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::super::cell_problem::CellProblem;
use super::super::row::validate;
use super::super::rows::tests::{OPTIONS, RULES, read_file, read_rows, split};
use super::super::rows::{self, ReadOptions};
use super::*;

/// The parts of a workbook but for its sheet and strings.
const PARTS: [(&str, &str); 3] = [
    (
        "_rels/.rels",
        "<Relationships><Relationship Id='r' Type='x/officeDocument' Target='xl/workbook.xml'/></Relationships>",
    ),
    (
        "xl/workbook.xml",
        "<workbook><sheets><sheet name='Hidden' state='hidden' r:id='r1'/><sheet name='Data' r:id='r2'/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/sheet1.xml'/>\
         <Relationship Id='r2' Type='x/worksheet' Target='/xl/worksheets/sheet2.xml'/>\
         <Relationship Id='r3' Type='x/sharedStrings' Target='sharedStrings.xml'/></Relationships>",
    ),
];
const SHEET: &str = "xl/worksheets/sheet2.xml";
const STRINGS: &str = "xl/sharedStrings.xml";

/// A workbook of these parts.
fn pack<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, content) in parts {
        archive.start_file(path, options).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A workbook with this sheet.
fn with_sheet(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    pack(PARTS.into_iter().chain([(SHEET, &*sheet)]))
}

fn problem(file: &[u8]) -> FileProblem {
    read_file(file, 64, UTC).unwrap_err()
}

/// A row of texts.
fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| format!("<c t='inlineStr'><is><t>{cell}</t></is></c>"));
    format!("<row>{}</row>", cells.collect::<String>())
}

#[test]
fn typed_cells_are_read_as_people_write_them() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let (date, time) =
        (Format::new().set_num_format("dd/mm/yyyy"), Format::new().set_num_format("d/m/yy hh:mm"));
    for (column, title) in
        ["ID de estudiante", "Categoría", "Valor", "Capturado", "Datos"].into_iter().enumerate()
    {
        sheet.write(2, u16::try_from(column).unwrap(), title).unwrap();
    }
    sheet.write(3, 0, 7).unwrap();
    sheet.write(3, 1, "'=sum").unwrap();
    sheet.write_formula(3, 2, Formula::new("1+2").set_result("3")).unwrap();
    sheet.write_with_format(3, 3, ExcelDateTime::from_ymd(2025, 11, 16).unwrap(), &date).unwrap();
    sheet.write(3, 4, "{\"a\": \"ñ & <b>\"}").unwrap();
    sheet.write(5, 0, 8.0).unwrap();
    let moment = ExcelDateTime::from_ymd(2025, 7, 15).unwrap().and_hms(9, 30, 0).unwrap();
    sheet.write_with_format(5, 3, moment, &time).unwrap();
    sheet.write(6, 0, 9).unwrap();
    sheet.write(6, 3, 45_977.5).unwrap();
    sheet.write(7, 0, 9.5).unwrap();
    sheet.write(8, 0, 9).unwrap();
    sheet.write(8, 2, true).unwrap();
    sheet.write(9, 0, 10).unwrap();
    sheet.write(9, 5, "x").unwrap();
    sheet.write_blank(10, 0, &date).unwrap();
    workbook.add_worksheet().write(0, 0, "not read").unwrap();
    let file = workbook.save_to_buffer().unwrap();

    let (good, rejected) = split(read_rows(&file, Europe__Madrid));
    let at = |row: usize| good[row].captured_at.unwrap().to_rfc3339();
    assert_eq!((good.len(), good[0].line, good[0].person_id, good[0].value), (2, 4, 7, Some(3)));
    assert_eq!((&*good[0].category, at(0).as_str()), ("=sum", "2025-11-15T23:00:00+00:00"));
    assert_eq!(good[0].payload.as_deref(), Some("{\"a\": \"ñ & <b>\"}"));
    assert_eq!((good[1].line, good[1].person_id, at(1).as_str()), (6, 8, "2025-07-15T07:30:00+00:00"));
    let problems = [
        (7, CellProblem::SerialDate),
        (8, CellProblem::Fraction),
        (9, CellProblem::NotAValue),
        (10, CellProblem::WrongCellCount),
    ];
    assert_eq!(rejected, problems);
}

proptest! {
    #[test]
    fn texts_are_read_exactly(
        texts in prop::collection::vec(("[a-z=<>&\"ñ😀\u{1}_x0][a-z <>&\"'\n\r\tñ😀_x0D\u{1}]{0,12}x", 0..i32::MAX), 1..6),
    ) {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write_row(0, 0, ["user_id", "scope", "value"]).unwrap();
        for (index, (text, value)) in texts.iter().enumerate() {
            let row = u32::try_from(index).unwrap() + 1;
            sheet.write(row, 0, 7).unwrap();
            sheet.write(row, 1, text).unwrap();
            sheet.write(row, 2, *value).unwrap();
        }
        let (good, rejected) = split(read_rows(&workbook.save_to_buffer().unwrap(), UTC));
        prop_assert_eq!(rejected, vec![]);
        let read: Vec<(String, i32)> =
            good.into_iter().map(|row| (row.scope.unwrap().into_owned(), row.value.unwrap())).collect();
        let expected: Vec<(String, i32)> =
            texts.into_iter().map(|(text, value)| (text.trim().to_owned(), value)).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn damaged_workbooks_are_errors_or_valid(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut file = with_sheet(&[row(&["user_id", "value"]), row(&["7", "1"])].concat());
        let at = at.index(file.len());
        if cut {
            file.truncate(at);
        } else {
            file[at] = byte;
        }
        // Other bytes may still be a workbook with these rows, or a file of another type.
        let _ = read_file(&file, 64, UTC);
    }
}

#[test]
fn cells_without_a_usable_value_reject_their_row() {
    let rows = [
        row(&["user_id", "value", "scope"]),
        "<row><c><v>7</v></c><c><f>A2*2</f><v></v></c></row>".to_owned(),
        "<row><c><v>7</v></c><c><v>1</v></c><c t='e'><v>#N/A</v></c></row>".to_owned(),
        "<row><c><v>7</v></c><c><f>1+1</f><v>2</v></c></row>".to_owned(),
        "<row><c><f>A2</f></c></row>".to_owned(),
    ];
    let (good, rejected) = split(read_rows(&with_sheet(&rows.concat()), UTC));
    assert_eq!(
        rejected,
        [(2, CellProblem::NoResult), (3, CellProblem::ErrorValue), (5, CellProblem::NoResult)]
    );
    assert_eq!((good.len(), good[0].value), (1, Some(2)));
}

#[test]
fn texts_of_many_tokens_and_deep_elements_are_limited() {
    let header = row(&["user_id", "scope"]);
    let part = format!("{}&amp;", "x".repeat(1_000));
    let long = with_sheet(&format!(
        "{header}<row><c><v>7</v></c><c t='str'><v>{}</v></c></row>",
        part.repeat(2_000)
    ));
    assert_eq!(read_limited(&long, 1 << 30, 1 << 20), Err(FileProblem::SheetRowTooLong(2, 1 << 20)));
    let string = format!("<sst><si>{}</si></sst>", format!("<t>{part}</t>").repeat(2_000));
    let sheet = "<worksheet><sheetData/></worksheet>";
    let file = pack(PARTS.into_iter().chain([(SHEET, sheet), (STRINGS, &*string)]));
    assert_eq!(read_limited(&file, 1 << 30, 1 << 20), Err(FileProblem::BrokenWorkbook));
    assert_eq!(
        problem(&with_sheet(&format!("{header}<row>{}", "<a>".repeat(100_000)))),
        FileProblem::BrokenWorkbook
    );
}

#[test]
fn a_sheet_with_a_wrong_checksum_is_refused() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let sheet =
        format!("<worksheet><sheetData>{}{}</sheetData></worksheet>", row(&["user_id"]), row(&["7777"]));
    for (path, content) in PARTS.into_iter().chain([(SHEET, &*sheet)]) {
        archive.start_file(path, options).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    let mut file = archive.finish().unwrap().into_inner();
    assert_eq!(split(read_rows(&file, UTC)).0.len(), 1);
    let at = file.windows(4).position(|bytes| bytes == b"7777").unwrap();
    file[at] = b'8';
    assert_eq!(problem(&file), FileProblem::BrokenWorkbook);
}

#[test]
fn the_first_visible_sheet_is_read() {
    let hidden = "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>";
    let rows = [row(&["user_id", "value"]), "<row/><row><c/></row>".to_owned(), row(&["7", "1"])].concat();
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let file = pack(PARTS.into_iter().chain([("xl/worksheets/sheet1.xml", hidden), (SHEET, &*sheet)]));
    let (good, _) = split(read_rows(&file, UTC));
    assert_eq!((good.len(), good[0].line, good[0].value), (1, 4, Some(1)));
}

#[test]
fn archives_that_are_no_workbooks_are_told_apart() {
    assert_eq!(
        problem(&pack([("mimetype", "application/vnd.oasis.opendocument.spreadsheet")])),
        FileProblem::NotAWorkbook
    );
    assert_eq!(problem(b"PK\x03\x04 and nothing else"), FileProblem::BrokenWorkbook);
    assert_eq!(problem(&pack(PARTS)), FileProblem::BrokenWorkbook);
    assert_eq!(problem(&with_sheet("")), FileProblem::Empty);
    let header = row(&["user_id", "value"]);
    for rest in [
        "<row r='1'><c><v>7</v></c></row>",
        "<row><c r='B2'><v>7</v></c><c r='A2'><v>7</v></c></row>",
        "<row><c r='XFE2'><v>7</v></c></row>",
        "<row><c t='s'><v>0</v></c></row>",
        "<row><c t='q'><v>0</v></c></row>",
        "<row><c><v>7</v></c>",
    ] {
        assert_eq!(problem(&with_sheet(&format!("{header}{rest}"))), FileProblem::BrokenWorkbook, "{rest}");
    }
    let cut = with_sheet(&header);
    assert_eq!(problem(&cut[..cut.len() - 30]), FileProblem::BrokenWorkbook);
}

/// Reads a workbook with these limits.
fn read_limited(file: &[u8], max_uncompressed_bytes: u64, max_row_bytes: usize) -> Result<(), FileProblem> {
    let size_bytes = file.len() as u64;
    let options = ReadOptions { max_row_bytes, max_uncompressed_bytes, size_bytes, ..OPTIONS };
    match rows::read(Cursor::new(file), &options, |row| {
        validate(&row.record, row.header, &RULES).map(drop).ok();
        Ok(())
    }) {
        Ok(_) => Ok(()),
        Err(ReadError::InvalidFile(problem)) => Err(problem),
        Err(ReadError::Io(error)) => panic!("{error}"),
    }
}

#[test]
fn workbooks_that_grow_beyond_a_limit_are_refused() {
    let header = row(&["user_id", "scope"]);
    let many_rows = format!("{header}{}", row(&["7", "x"]).repeat(20_000));
    let file = with_sheet(&many_rows);
    assert!(file.len() < 30_000, "{}", file.len());
    assert_eq!(read_limited(&file, 4 << 20, 1 << 20), Ok(()));
    assert_eq!(read_limited(&file, 1 << 20, 1 << 20), Err(FileProblem::WorkbookTooLarge));

    let long = "x".repeat(3 << 20);
    for cells in [vec!["7", &long], vec!["7", &long[..700_000], &long[..700_000]]] {
        let file = with_sheet(&format!("{header}{}", row(&cells)));
        assert_eq!(read_limited(&file, 1 << 30, 1 << 20), Err(FileProblem::SheetRowTooLong(2, 1 << 20)));
    }
    let attribute = with_sheet(&format!("{header}<row r='2' x='{long}'/>"));
    assert_eq!(read_limited(&attribute, 1 << 30, 1 << 20), Err(FileProblem::SheetRowTooLong(1, 1 << 20)));

    let strings = format!("<sst uniqueCount='9999999999999'><si><t>{long}</t></si></sst>");
    let sheet = "<worksheet><sheetData/></worksheet>";
    let file = pack(PARTS.into_iter().chain([(SHEET, sheet), (STRINGS, &*strings)]));
    assert_eq!(read_limited(&file, 1 << 30, 1 << 20), Err(FileProblem::BrokenWorkbook));
    assert_eq!(read_limited(&file, 1 << 20, 8 << 20), Err(FileProblem::WorkbookTooLarge));
    assert_eq!(read_limited(&file, 1 << 30, 8 << 20), Err(FileProblem::Empty));
}

#[test]
fn strings_count_each_time_that_a_row_repeats_them() {
    let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1_000));
    let repeated = "<row><c><v>7</v></c><c t='s'><v>0</v></c></row>".repeat(10_000);
    let sheet =
        format!("<worksheet><sheetData>{}{repeated}</sheetData></worksheet>", row(&["user_id", "scope"]));
    let file = pack(PARTS.into_iter().chain([(SHEET, &*sheet), (STRINGS, &*strings)]));
    assert_eq!(read_limited(&file, 12 << 20, 1 << 20), Ok(()));
    assert_eq!(read_limited(&file, 8 << 20, 1 << 20), Err(FileProblem::WorkbookTooLarge));
}

#[test]
fn numbers_of_sheets_and_relationships_are_limited() {
    let [root, workbook, relationships] = PARTS;
    let many = (0..=MAX_FILES).map(|id| format!("<Relationship Id='{id}' Type='a' Target='b'/>"));
    let many = format!("<Relationships>{}</Relationships>", many.collect::<String>());
    assert_eq!(problem(&pack([root, workbook, (relationships.0, &many)])), FileProblem::BrokenWorkbook);
    let many = format!("<workbook><sheets>{}</sheets></workbook>", "<sheet id='x'/>".repeat(MAX_FILES + 1));
    assert_eq!(problem(&pack([root, (workbook.0, &many), relationships])), FileProblem::BrokenWorkbook);
    let enough = format!("<workbook><sheets>{}</sheets></workbook>", "<sheet id='x'/>".repeat(MAX_FILES));
    assert_eq!(problem(&pack([root, (workbook.0, &enough), relationships])), FileProblem::NotAWorkbook);
}

#[test]
fn the_directory_of_an_archive_is_measured_before_it_is_opened() {
    let entry = |name: u16, comment: u16| {
        let mut entry = vec![0; ENTRY_BYTES];
        entry[..4].copy_from_slice(ENTRY_SIGNATURE);
        entry[28..30].copy_from_slice(&name.to_le_bytes());
        entry[32..34].copy_from_slice(&comment.to_le_bytes());
        entry
    };
    // An entry may seem to begin within another one.
    let directory =
        [b"PPK\x01".to_vec(), entry(3, 0)[..30].to_vec(), entry(5, 500), b"rest".to_vec()].concat();
    for size in 1..directory.len() {
        let mut meter = DirectoryMeter::default();
        for part in directory.chunks(size) {
            meter.write_all(part).unwrap();
        }
        assert_eq!(meter.files, 2, "{size}");
        assert!(meter.bytes >= 2 * ENTRY_BYTES + 508, "{size}");
    }
    for (entries, is_accepted) in [(MAX_FILES, true), (MAX_FILES + 1, false)] {
        let mut meter = DirectoryMeter::default();
        (0..entries).for_each(|_| meter.write_all(&entry(9, 0)).unwrap());
        assert_eq!(meter.check().is_ok(), is_accepted);
    }
    let mut meter = DirectoryMeter::default();
    (0..100).for_each(|_| meter.write_all(&entry(9, u16::MAX)).unwrap());
    assert_eq!(meter.check(), Err(FileProblem::BrokenWorkbook));
    let many = (0..=MAX_FILES).map(|number| format!("{number}")).collect::<Vec<_>>();
    assert_eq!(problem(&pack(many.iter().map(|name| (name.as_str(), "")))), FileProblem::BrokenWorkbook);
}
