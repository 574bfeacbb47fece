//! Reads XML as a stream, within a limit for each token and for all of it.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::import::file_problem::FileProblem;
use crate::import::read_error::ReadError;

/// The maximum length of a token in the small parts of a workbook, in bytes.
pub const MAX_TOKEN_BYTES: u64 = 1 << 20;

/// The maximum number of elements in one another. A sheet has about six.
const MAX_DEPTH: usize = 32;

/// The number of bytes that may still be read of a workbook. All of its parts share it, and so do the texts of its rows,
/// which may repeat a string of the workbook.
#[derive(Clone, Debug)]
pub struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// A budget of this many bytes.
    pub fn new(bytes: u64) -> Self {
        Self(Rc::new(Cell::new(bytes)))
    }

    /// The number of bytes that are left.
    pub fn left(&self) -> u64 {
        self.0.get()
    }

    /// Uses some of the bytes, or fails if there are not as many.
    pub fn take(&self, bytes: usize) -> Result<(), XmlError> {
        let left = self.left().checked_sub(bytes as u64).ok_or(XmlError::TooLarge)?;
        self.0.set(left);
        Ok(())
    }
}

/// Reads the tokens of an XML document.
pub struct Xml<R: Read> {
    reader: Reader<BufReader<Limited<R>>>,
    /// The number of elements that are open.
    depth: usize,
    max_token_bytes: u64,
}

/// Why a token could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// The document is not valid.
    Broken,
    /// The document is larger than its limit.
    TooLarge,
    /// The token is longer than its limit.
    TokenTooLong,
    /// The operating system failed to read the file, with this error.
    System(i32),
}

impl From<XmlError> for ReadError {
    fn from(error: XmlError) -> Self {
        match error {
            XmlError::Broken | XmlError::TokenTooLong => FileProblem::BrokenWorkbook.into(),
            XmlError::TooLarge => FileProblem::WorkbookTooLarge.into(),
            XmlError::System(code) => io::Error::from_raw_os_error(code).into(),
        }
    }
}

/// Limits the number of bytes, in total and for one token.
struct Limited<R> {
    inner: R,
    budget: Budget,
    max_bytes: u64,
    bytes_read: u64,
    left_of_token: u64,
    exceeded: Option<XmlError>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes_read += read as u64;
        let exceeded = if self.budget.take(read).is_err() || self.bytes_read > self.max_bytes {
            XmlError::TooLarge
        } else if let Some(left) = self.left_of_token.checked_sub(read as u64) {
            self.left_of_token = left;
            return Ok(read);
        } else {
            XmlError::TokenTooLong
        };
        self.exceeded = Some(exceeded);
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

impl<R: Read> Xml<R> {
    /// Reads a document of at most `max_bytes` from the budget, with tokens of about `max_token_bytes` at most.
    pub fn new(document: R, budget: &Budget, max_bytes: u64, max_token_bytes: u64) -> Self {
        let (budget, left_of_token) = (budget.clone(), max_token_bytes);
        let limited =
            Limited { inner: document, budget, max_bytes, bytes_read: 0, left_of_token, exceeded: None };
        let mut reader = Reader::from_reader(BufReader::new(limited));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0, max_token_bytes }
    }

    /// The maximum length of a token, and of a text of several tokens.
    pub const fn max_token_bytes(&self) -> u64 {
        self.max_token_bytes
    }

    /// The number of bytes read.
    pub fn bytes_read(&self) -> u64 {
        self.reader.get_ref().get_ref().bytes_read
    }

    /// The next token, for which `buffer` is used. An empty element has a start and an end.
    pub fn next<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Event<'b>, XmlError> {
        buffer.clear();
        self.reader.get_mut().get_mut().left_of_token = self.max_token_bytes;
        let token = self
            .reader
            .read_event_into(buffer)
            .map_err(|error| self.reader.get_ref().get_ref().exceeded.unwrap_or_else(|| explain(&error)))?;
        match token {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MAX_DEPTH { Err(XmlError::Broken) } else { Ok(token) }
    }
}

/// Contents that cannot be unpacked are I/O errors too, but not of the operating system.
fn explain(error: &quick_xml::Error) -> XmlError {
    match error {
        quick_xml::Error::Io(error) => error.raw_os_error().map_or(XmlError::Broken, XmlError::System),
        _ => XmlError::Broken,
    }
}

/// Adds the text of a token, if it is text. The whole text may have `max_bytes`.
pub fn push_text(text: &mut String, token: &Event<'_>, max_bytes: u64) -> Result<(), XmlError> {
    match token {
        Event::Text(token) => text.push_str(&token.xml10_content()),
        Event::CData(token) => text.push_str(&token.xml10_content()),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(character)) => text.push(character),
            Ok(None) => {
                let name = reference.xml10_content();
                text.push_str(resolve_predefined_entity(&name).ok_or(XmlError::Broken)?);
            }
            Err(_) => return Err(XmlError::Broken),
        },
        _ => {}
    }
    if text.len() as u64 > max_bytes { Err(XmlError::TokenTooLong) } else { Ok(()) }
}

/// The value of an attribute, by its name without prefix.
pub fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, XmlError> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| XmlError::Broken)?;
        if attribute.key.local_name().as_ref() == name {
            return Ok(Some(
                attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|_| XmlError::Broken)?
                    .into_owned(),
            ));
        }
    }
    Ok(None)
}
