//! The parts of a workbook beside its rows.

use std::fmt::Write as _;

use domain::dataset::ColumnKind;

use crate::export::cell::write_integer;
use crate::spreadsheet::{SHEETS_PROPERTY, TIME_ZONE_PROPERTY};

/// The attributes of a cell with a text, which is stored in the cell itself.
pub const TEXT_ATTRIBUTES: &str = " t=\"inlineStr\"";
/// The attributes of a cell of the header.
pub const HEADER_ATTRIBUTES: &str = " t=\"inlineStr\" s=\"2\"";
/// The attributes of a cell with a date.
pub const DATE_ATTRIBUTES: &str = " s=\"1\"";
/// The attributes of a cell with a truth value.
pub const BOOLEAN_ATTRIBUTES: &str = " t=\"b\"";

/// The maximum length of a sheet's name.
const MAX_NAME_CHARS: usize = 31;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONSHIPS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const CONTENT: &str = "application/vnd.openxmlformats-officedocument";

/// Cell formats: 0 for values, 1 for dates, 2 for the header.
const STYLES: &str = "\
    <numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/></numFmts>\
    <fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
        <font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
    <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>\
        <fill><patternFill patternType=\"gray125\"/></fill></fills>\
    <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
    <cellXfs count=\"3\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
        <xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
        <xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/></cellXfs>\
    <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>";

/// The path of a sheet, numbered from 1.
pub fn sheet_path(number: usize) -> String {
    format!("xl/worksheets/sheet{number}.xml")
}

/// Appends what comes before the rows of a sheet: the header is frozen, and columns are as wide as their kind needs.
pub fn begin_sheet(xml: &mut Vec<u8>, columns: impl Iterator<Item = ColumnKind>) {
    xml.extend_from_slice(DECLARATION.as_bytes());
    xml.extend_from_slice(b"<worksheet xmlns=\"");
    xml.extend_from_slice(MAIN.as_bytes());
    xml.extend_from_slice(
        b"\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" \
          activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><cols>",
    );
    for (index, kind) in columns.enumerate() {
        let (number, width) = (index + 1, width(kind));
        let column = format!("<col min=\"{number}\" max=\"{number}\" width=\"{width}\" customWidth=\"1\"/>");
        xml.extend_from_slice(column.as_bytes());
    }
    xml.extend_from_slice(b"</cols><sheetData>");
}

/// The width of a column in characters.
const fn width(kind: ColumnKind) -> u8 {
    match kind {
        ColumnKind::Id | ColumnKind::Integer | ColumnKind::Decimal | ColumnKind::Boolean => 14,
        ColumnKind::Timestamp => 20,
        ColumnKind::Text => 24,
        ColumnKind::Json => 40,
    }
}

/// Appends what comes after the last row of a sheet: rows can be filtered by each column.
pub fn end_sheet(xml: &mut Vec<u8>, columns: usize, rows: u32) {
    xml.extend_from_slice(b"</sheetData><autoFilter ref=\"A1:");
    write_column(xml, columns.saturating_sub(1));
    write_integer(xml, rows.into());
    xml.extend_from_slice(b"\"/></worksheet>");
}

/// Appends the letters of a column: A to Z, then AA.
pub fn write_column(xml: &mut Vec<u8>, index: usize) {
    if index >= 26 {
        write_column(xml, index / 26 - 1);
    }
    xml.push(b'A' + u8::try_from(index % 26).unwrap_or_default());
}

/// The path and content of each part but the sheets. `sheets` has the number of rows of each.
pub fn all(title: &str, sheets: &[u32], columns: usize, timezone: &str) -> [(&'static str, String); 6] {
    [
        ("xl/workbook.xml", workbook(title, sheets, columns)),
        ("xl/_rels/workbook.xml.rels", workbook_relationships(sheets.len())),
        ("xl/styles.xml", format!("{DECLARATION}<styleSheet xmlns=\"{MAIN}\">{STYLES}</styleSheet>")),
        ("docProps/custom.xml", properties(sheets.len(), timezone)),
        ("_rels/.rels", root_relationships()),
        ("[Content_Types].xml", content_types(sheets.len())),
    ]
}

fn workbook(title: &str, sheets: &[u32], columns: usize) -> String {
    let (mut list, mut names) = (String::new(), String::new());
    let mut last_column = Vec::new();
    write_column(&mut last_column, columns.saturating_sub(1));
    let last_column = String::from_utf8_lossy(&last_column);
    for (index, rows) in sheets.iter().enumerate() {
        let (number, name) = (index + 1, sheet_name(title, index + 1));
        // Writing to a string does not fail.
        let _ = write!(list, "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
        let _ = write!(
            names,
            "<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"{index}\" hidden=\"1\">'{name}'!\
             $A$1:${last_column}${rows}</definedName>"
        );
    }
    format!(
        "{DECLARATION}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONSHIPS}\"><bookViews><workbookView/></bookViews>\
         <sheets>{list}</sheets><definedNames>{names}</definedNames></workbook>"
    )
}

/// The name of a sheet: the title of the dataset, which has no characters that names may not have, and a number from the
/// second sheet on.
fn sheet_name(title: &str, number: usize) -> String {
    let suffix = if number == 1 { String::new() } else { format!(" {number}") };
    let kept = title.chars().take(MAX_NAME_CHARS - suffix.chars().count());
    format!("{}{suffix}", kept.collect::<String>())
}

fn relationships(list: &str) -> String {
    format!("{DECLARATION}<Relationships xmlns=\"{PACKAGE}/relationships\">{list}</Relationships>")
}

fn workbook_relationships(sheets: usize) -> String {
    let mut list = String::new();
    for number in 1..=sheets {
        let _ = write!(
            list,
            "<Relationship Id=\"rId{number}\" Type=\"{RELATIONSHIPS}/worksheet\" \
             Target=\"worksheets/sheet{number}.xml\"/>"
        );
    }
    let styles = sheets + 1;
    let _ = write!(
        list,
        "<Relationship Id=\"rId{styles}\" Type=\"{RELATIONSHIPS}/styles\" Target=\"styles.xml\"/>"
    );
    relationships(&list)
}

fn root_relationships() -> String {
    relationships(&format!(
        "<Relationship Id=\"rId1\" Type=\"{RELATIONSHIPS}/officeDocument\" Target=\"xl/workbook.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{RELATIONSHIPS}/custom-properties\" Target=\"docProps/custom.xml\"/>"
    ))
}

/// The properties by which an import recognizes the file (ECMA-376 part 1, §22.3).
fn properties(sheets: usize, timezone: &str) -> String {
    let format = "fmtid=\"{D5CDD505-2E9C-101B-9397-08002B2CF9AE}\"";
    let properties = "http://schemas.openxmlformats.org/officeDocument/2006";
    format!(
        "{DECLARATION}<Properties xmlns=\"{properties}/custom-properties\" xmlns:vt=\"{properties}/docPropsVTypes\">\
         <property {format} pid=\"2\" name=\"{TIME_ZONE_PROPERTY}\"><vt:lpwstr>{timezone}</vt:lpwstr></property>\
         <property {format} pid=\"3\" name=\"{SHEETS_PROPERTY}\"><vt:i4>{sheets}</vt:i4></property></Properties>"
    )
}

fn content_types(sheets: usize) -> String {
    let mut list = String::new();
    for number in 1..=sheets {
        let path = sheet_path(number);
        let _ = write!(
            list,
            "<Override PartName=\"/{path}\" ContentType=\"{CONTENT}.spreadsheetml.worksheet+xml\"/>"
        );
    }
    format!(
        "{DECLARATION}<Types xmlns=\"{PACKAGE}/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{CONTENT}.spreadsheetml.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{CONTENT}.spreadsheetml.styles+xml\"/>\
         <Override PartName=\"/docProps/custom.xml\" ContentType=\"{CONTENT}.custom-properties+xml\"/>{list}</Types>"
    )
}

#[cfg(test)]
mod tests {
    use domain::{Dataset, Locale};

    use super::*;

    #[test]
    fn columns_have_letters() {
        for (index, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            let mut column = Vec::new();
            write_column(&mut column, index);
            assert_eq!(column, letters.as_bytes());
        }
    }

    #[test]
    fn names_of_sheets_are_valid() {
        for title in Dataset::ALL.map(|dataset| dataset.describe().title) {
            for locale in Locale::ALL {
                let title = title.in_locale(locale);
                assert!(
                    !title.contains(['[', ']', ':', '*', '?', '/', '\\', '\'', '&', '<', '"']),
                    "{title}"
                );
                for number in [1, 2, 10_000] {
                    assert!(sheet_name(title, number).chars().count() <= MAX_NAME_CHARS);
                }
                assert_ne!(sheet_name(title, 1), sheet_name(title, 2));
            }
        }
    }
}
