//! Texts of cells.

use domain::text::Phrase;

/// The maximum length of a cell in Excel, in UTF-16 units.
const MAX_UNITS: usize = 32_767;

/// A text is longer than a cell of a workbook may be.
#[derive(Debug, thiserror::Error)]
#[error("a cell of the column {column} has {units} characters, and a workbook's cell may have {MAX_UNITS}")]
pub struct CellTooLong {
    /// The key of the column.
    column: &'static str,
    units: usize,
}

impl CellTooLong {
    /// Says what is wrong, and what helps.
    pub fn phrase(&self) -> Phrase {
        let Self { column, units } = self;
        Phrase::new(
            format!(
                "Una celda de la columna {column} tiene {units} caracteres, y Excel acepta {MAX_UNITS}. Exporta en CSV, \
                 JSON o Parquet, o sin esa columna."
            ),
            format!(
                "A cell of the column {column} has {units} characters, and Excel accepts {MAX_UNITS}. Export as CSV, JSON \
                 or Parquet, or without this column."
            ),
        )
    }
}

/// Checks that Excel accepts a text of this length.
pub fn check_length(column: &'static str, text: &[u8]) -> Result<(), CellTooLong> {
    // A character has no more UTF-16 units than bytes.
    if text.len() <= MAX_UNITS {
        return Ok(());
    }
    let units = String::from_utf8_lossy(text).encode_utf16().count();
    if units > MAX_UNITS { Err(CellTooLong { column, units }) } else { Ok(()) }
}

/// Appends a text as the content of a cell.
///
/// Characters that XML cannot hold are written as `_x0001_`, and so is the first `_` of a text that looks like that
/// (ECMA-376 part 1, §22.9.2.19). XML would change CR to LF.
pub fn write(xml: &mut Vec<u8>, text: &[u8]) {
    let is_space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    xml.extend_from_slice(if is_space(text.first()) || is_space(text.last()) || text.contains(&b'\n') {
        b"<is><t xml:space=\"preserve\">"
    } else {
        b"<is><t>"
    });
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| NEEDS_CARE[usize::from(*byte)]) {
        xml.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = match rest {
            [b'&', ..] => push(xml, b"&amp;"),
            [b'<', ..] => push(xml, b"&lt;"),
            [b'>', ..] => push(xml, b"&gt;"),
            [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit) => {
                push(xml, b"_x005F_")
            }
            // U+FFFE and U+FFFF.
            [0xef, 0xbf, 0xbe, ..] => push(xml, b"_xFFFE_") + 2,
            [0xef, 0xbf, 0xbf, ..] => push(xml, b"_xFFFF_") + 2,
            [control @ 0..0x20, ..] => push(xml, format!("_x{control:04X}_").as_bytes()),
            [other, ..] => push(xml, &[*other]),
            [] => break,
        };
        rest = &rest[length..];
    }
    xml.extend_from_slice(rest);
    xml.extend_from_slice(b"</t></is>");
}

/// Appends what stands for one byte of a text, and returns the number of bytes that were read.
fn push(xml: &mut Vec<u8>, replacement: &[u8]) -> usize {
    xml.extend_from_slice(replacement);
    1
}

/// The bytes that may not be written as they are.
const NEEDS_CARE: [bool; 256] = {
    let mut needs_care = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        needs_care[control] = control != 0x09 && control != 0x0a;
        control += 1;
    }
    needs_care[b'&' as usize] = true;
    needs_care[b'<' as usize] = true;
    needs_care[b'>' as usize] = true;
    needs_care[b'_' as usize] = true;
    needs_care[0xef] = true;
    needs_care
};
