//! The strings of a workbook, which its cells refer to by number.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::FileExt as _;

use quick_xml::events::Event;

use super::xml::{Xml, XmlError, push_text};
use crate::import::file_problem::FileProblem;
use crate::import::read_error::ReadError;

/// The maximum size of the strings in memory. More go to a temporary file.
const MAX_BYTES_IN_MEMORY: usize = 8 << 20;

/// The maximum number of strings. Their positions are in memory.
const MAX_STRINGS: usize = 4 << 20;

/// All strings.
#[derive(Debug, Default)]
pub struct Strings {
    /// The first strings, concatenated.
    in_memory: String,
    /// The others, concatenated.
    on_disk: Option<File>,
    /// The end of each string in all of them.
    ends: Vec<u64>,
}

impl Strings {
    /// Reads the part with the strings.
    pub fn read(mut xml: Xml<impl Read>) -> Result<Self, ReadError> {
        let mut strings = Self::default();
        // Strings that are not in the file yet.
        let mut pending = Vec::new();
        let (mut buffer, mut text) = (Vec::new(), String::new());
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) if element.local_name().as_ref() == "si" => {
                    text.clear();
                    read_text(&mut xml, &mut buffer, "si", &mut text)?;
                    strings.push(&text, &mut pending)?;
                    if strings.ends.len() > MAX_STRINGS {
                        return Err(FileProblem::WorkbookTooLarge.into());
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        strings.write(&mut pending)?;
        Ok(strings)
    }

    fn push(&mut self, text: &str, pending: &mut Vec<u8>) -> io::Result<()> {
        if self.on_disk.is_none() && self.in_memory.len() + text.len() > MAX_BYTES_IN_MEMORY {
            self.on_disk = Some(tempfile::tempfile()?);
        }
        self.ends.push(self.ends.last().unwrap_or(&0) + text.len() as u64);
        if self.on_disk.is_none() {
            self.in_memory.push_str(text);
            return Ok(());
        }
        pending.extend_from_slice(text.as_bytes());
        if pending.len() >= MAX_BYTES_IN_MEMORY { self.write(pending) } else { Ok(()) }
    }

    fn write(&mut self, pending: &mut Vec<u8>) -> io::Result<()> {
        if let Some(file) = &mut self.on_disk {
            file.write_all(pending)?;
        }
        *pending = Vec::new();
        Ok(())
    }

    /// Adds the string with this number to a text.
    pub fn append(&self, number: usize, text: &mut String) -> Result<(), ReadError> {
        let start = if number == 0 { Some(0) } else { self.ends.get(number - 1).copied() };
        let (Some(start), Some(end)) = (start, self.ends.get(number).copied()) else {
            return Err(FileProblem::BrokenWorkbook.into());
        };
        let position = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let in_memory = self.in_memory.len() as u64;
        if let Some(found) = self.in_memory.get(position(start)..position(end)) {
            text.push_str(found);
        } else if let Some(file) = &self.on_disk {
            let mut found = vec![0; position(end - start)];
            file.read_exact_at(&mut found, start - in_memory)?;
            text.push_str(&String::from_utf8_lossy(&found));
        }
        Ok(())
    }
}

/// Adds the text up to the end of this element: that of its `t` elements, but for hints on pronunciation.
pub fn read_text(
    xml: &mut Xml<impl Read>,
    buffer: &mut Vec<u8>,
    element: &str,
    text: &mut String,
) -> Result<(), XmlError> {
    let (mut is_in_text, mut is_in_hint) = (false, false);
    let mut found = String::new();
    loop {
        let token = xml.next(buffer)?;
        match &token {
            Event::Start(start) => match start.local_name().as_ref() {
                "t" => is_in_text = true,
                "rPh" => is_in_hint = true,
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "t" => is_in_text = false,
                "rPh" => is_in_hint = false,
                name if name == element => break,
                _ => {}
            },
            Event::Eof => return Err(XmlError::Broken),
            token if is_in_text && !is_in_hint => push_text(&mut found, token, xml.max_token_bytes())?,
            _ => {}
        }
    }
    push_unescaped(&found, text);
    Ok(())
}

/// Adds a text in which `_x000D_` stands for the character with this number, since XML cannot hold all characters
/// (ECMA-376 part 1, §22.9.2.19).
pub fn push_unescaped(mut rest: &str, text: &mut String) {
    while let Some(at) = rest.find("_x") {
        let escaped = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let is_hex = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = escaped.filter(is_hex).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let character = number.and_then(char::from_u32);
        text.push_str(&rest[..at]);
        if let Some(character) = character {
            text.push(character);
            rest = &rest[at + 7..];
        } else {
            text.push_str("_x");
            rest = &rest[at + 2..];
        }
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::super::xml::Budget;
    use super::*;

    fn read(document: &str) -> Result<Strings, ReadError> {
        Strings::read(Xml::new(document.as_bytes(), &Budget::new(u64::MAX), u64::MAX, 1 << 20))
    }

    fn get(strings: &Strings, number: usize) -> String {
        let mut text = String::new();
        strings.append(number, &mut text).unwrap();
        text
    }

    #[test]
    fn strings_may_have_formats_and_hints() {
        let strings = read(
            "<sst uniqueCount='999999999999'><si><t xml:space='preserve'> a &amp;&#10;b_x000D__x005F_x0041_ </t></si><si/>\
             <si><r><rPr><b/></rPr><t>bold</t></r><r><t>ñ</t></r><rPh><t>hint</t></rPh></si></sst>",
        )
        .unwrap();
        assert_eq!(get(&strings, 0), " a &\nb\r_x0041_ ");
        assert_eq!((get(&strings, 1), get(&strings, 2)), (String::new(), "boldñ".to_owned()));
        assert!(strings.append(3, &mut String::new()).is_err());
    }

    #[test]
    fn many_strings_are_kept_on_disk() {
        let strings: Vec<String> = (0..60).map(|number| format!("{number}{}", "ñ".repeat(300_000))).collect();
        let items = strings.join("</t></si><si><t>");
        let read = read(&format!("<sst><si><t>{items}</t></si></sst>")).unwrap();
        assert!(read.on_disk.is_some() && read.in_memory.len() > 1 << 20);
        for (number, text) in strings.iter().enumerate() {
            assert!(get(&read, number) == *text, "{number}");
        }
    }

    #[test]
    fn cut_and_unknown_contents_are_errors() {
        for document in ["<sst><si><t>a", "<sst><si><t>&unknown;</t></si></sst>", "<sst><si><t>a</si></sst>"]
        {
            let Err(ReadError::InvalidFile(problem)) = read(document) else { panic!("{document}") };
            assert_eq!(problem, FileProblem::BrokenWorkbook);
        }
    }
}
