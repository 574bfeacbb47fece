//! The parts of a workbook: where they are, and what the sheet needs of the others.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek};

use chrono_tz::Tz;
use quick_xml::events::Event;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::number_format::{self, is_date_format};
use super::strings::Strings;
use super::xml::{Budget, MAX_TOKEN_BYTES, Xml, XmlError, attribute};
use super::{MAX_FILES, WorkbookOptions};
use crate::import::file_problem::FileProblem;
use crate::import::read_error::ReadError;
use crate::spreadsheet::serial_date::{Dates, Epoch, Precision};
use crate::spreadsheet::{SHEETS_PROPERTY, TIME_ZONE_PROPERTY};

/// The maximum size of each part but the sheet and its strings, uncompressed.
const MAX_PART_BYTES: u64 = 64 << 20;

/// The maximum number of cell formats, as in Excel.
const MAX_FORMATS: usize = 65_490;

/// A workbook as an archive.
pub struct Package<R> {
    archive: ZipArchive<BufReader<R>>,
    budget: Budget,
    max_text_bytes: u64,
    /// The time zone of dates with a time, if the workbook does not tell.
    default_zone: Tz,
}

/// What is known of a workbook before its sheet is read.
pub struct Contents {
    /// The paths of the sheets to read, in order.
    pub sheet_paths: Vec<String>,
    /// Whether a cell with this format is a date, by the number of the format.
    pub date_formats: Vec<bool>,
    pub dates: Dates,
    pub strings: Strings,
    /// What may still be read of the workbook.
    pub budget: Budget,
}

/// A relationship of a part.
struct Relationship {
    kind: String,
    target: String,
}

/// The relationships of a part by their ids.
type Relationships = HashMap<String, Relationship>;

/// The properties of our exports. Other workbooks have none of them.
#[derive(Debug, Default)]
struct Properties {
    /// The time zone of dates with a time.
    zone: Option<Tz>,
    /// The number of sheets that the rows are on.
    sheets: usize,
}

/// The target of the relationship of this kind.
fn target(relationships: &Relationships, kind: &str) -> Option<String> {
    let found = relationships.values().find(|relationship| relationship.kind == kind);
    found.map(|relationship| relationship.target.clone())
}

impl<R: Read + Seek> Package<R> {
    /// Opens a workbook.
    pub fn open(file: R, options: &WorkbookOptions) -> Result<Self, ReadError> {
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|_| FileProblem::BrokenWorkbook)?;
        let max_text_bytes = u64::try_from(options.max_row_bytes).unwrap_or(u64::MAX);
        let (budget, default_zone) = (Budget::new(options.max_bytes), options.zone);
        Ok(Self { archive, budget, max_text_bytes, default_zone })
    }

    /// A part that must exist.
    pub fn part(&mut self, path: &str) -> Result<ZipFile<'_, BufReader<R>>, ReadError> {
        self.archive.by_name(path).map_err(|_| FileProblem::BrokenWorkbook.into())
    }

    /// Reads the parts that the sheet needs.
    pub fn contents(&mut self) -> Result<Contents, ReadError> {
        let Ok(root) = self.relationships("_rels/.rels", "") else {
            return Err(FileProblem::NotAWorkbook.into());
        };
        let Some(workbook) = target(&root, "officeDocument") else {
            return Err(FileProblem::NotAWorkbook.into());
        };
        let properties = match target(&root, "custom-properties") {
            Some(path) => self.properties(&path)?,
            None => Properties::default(),
        };
        let (folder, name) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let relationships = self.relationships(&format!("{folder}_rels/{name}.rels"), &folder)?;
        let (sheets, epoch) = self.workbook(&workbook)?;
        let sheets = sheets
            .iter()
            .filter_map(|id| relationships.get(id).filter(|relationship| relationship.kind == "worksheet"));
        let sheet_paths: Vec<String> =
            sheets.take(properties.sheets.max(1)).map(|sheet| sheet.target.clone()).collect();
        if sheet_paths.is_empty() {
            return Err(FileProblem::NotAWorkbook.into());
        }
        let dates = match properties.zone {
            Some(zone) => Dates { epoch, zone, precision: Precision::Microseconds },
            None => Dates { epoch, zone: self.default_zone, precision: Precision::Milliseconds },
        };
        let date_formats = match target(&relationships, "styles") {
            Some(path) => self.date_formats(&path)?,
            None => Vec::new(),
        };
        let strings = match target(&relationships, "sharedStrings") {
            Some(path) if self.archive.index_for_name(&path).is_some() => {
                let (budget, max_text_bytes) = (self.budget.clone(), self.max_text_bytes);
                Strings::read(Xml::new(self.part(&path)?, &budget, u64::MAX, max_text_bytes))?
            }
            _ => Strings::default(),
        };
        Ok(Contents { sheet_paths, date_formats, dates, strings, budget: self.budget.clone() })
    }

    fn xml(&mut self, path: &str) -> Result<Xml<ZipFile<'_, BufReader<R>>>, ReadError> {
        let budget = self.budget.clone();
        Ok(Xml::new(self.part(path)?, &budget, MAX_PART_BYTES, MAX_TOKEN_BYTES))
    }

    /// The relationships in a part. Targets are relative to `folder`.
    fn relationships(&mut self, path: &str, folder: &str) -> Result<Relationships, ReadError> {
        let (mut xml, mut buffer) = (self.xml(path)?, Vec::new());
        let mut relationships = Relationships::new();
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                    let required = |name| attribute(&element, name)?.ok_or(XmlError::Broken);
                    let (kind, target) = (required("Type")?, required("Target")?);
                    let relationship = Relationship {
                        kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                        target: target
                            .strip_prefix('/')
                            .map_or_else(|| format!("{folder}{target}"), str::to_owned),
                    };
                    let is_repeated = relationships.insert(required("Id")?, relationship).is_some();
                    if is_repeated || relationships.len() > MAX_FILES {
                        return Err(FileProblem::BrokenWorkbook.into());
                    }
                }
                Event::Eof => return Ok(relationships),
                _ => {}
            }
        }
    }

    /// The properties that our exports have.
    fn properties(&mut self, path: &str) -> Result<Properties, ReadError> {
        let (mut xml, mut buffer) = (self.xml(path)?, Vec::new());
        let (mut properties, mut name) = (Properties::default(), None);
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) if element.local_name().as_ref() == "property" => {
                    name = attribute(&element, "name")?;
                }
                Event::Text(text) => match name.as_deref() {
                    Some(TIME_ZONE_PROPERTY) => properties.zone = text.xml10_content().trim().parse().ok(),
                    Some(SHEETS_PROPERTY) => {
                        properties.sheets = text.xml10_content().trim().parse().unwrap_or_default();
                    }
                    Some(_) | None => {}
                },
                Event::End(element) if element.local_name().as_ref() == "property" => name = None,
                Event::Eof => return Ok(properties),
                _ => {}
            }
        }
    }

    /// The relationship ids of the visible sheets, and how the workbook counts days.
    fn workbook(&mut self, path: &str) -> Result<(Vec<String>, Epoch), ReadError> {
        let (mut xml, mut buffer) = (self.xml(path)?, Vec::new());
        let (mut sheets, mut epoch) = (Vec::new(), Epoch::Year1900);
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) if element.local_name().as_ref() == "sheet" => {
                    let is_visible = attribute(&element, "state")?.is_none_or(|state| state == "visible");
                    if is_visible {
                        sheets.push(attribute(&element, "id")?.ok_or(XmlError::Broken)?);
                        if sheets.len() > MAX_FILES {
                            return Err(FileProblem::BrokenWorkbook.into());
                        }
                    }
                }
                Event::Start(element) if element.local_name().as_ref() == "workbookPr" => {
                    if matches!(attribute(&element, "date1904")?.as_deref(), Some("1" | "true")) {
                        epoch = Epoch::Year1904;
                    }
                }
                Event::Eof => return Ok((sheets, epoch)),
                _ => {}
            }
        }
    }

    /// Whether each cell format is that of a date.
    fn date_formats(&mut self, path: &str) -> Result<Vec<bool>, ReadError> {
        let (mut xml, mut buffer) = (self.xml(path)?, Vec::new());
        let (mut own_formats, mut date_formats, mut is_in_cell_formats) = (HashMap::new(), Vec::new(), false);
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "numFmt" => {
                        let id = attribute(&element, "numFmtId")?;
                        let code = attribute(&element, "formatCode")?.unwrap_or_default();
                        own_formats.insert(id, is_date_format(&code));
                    }
                    "cellXfs" => is_in_cell_formats = true,
                    "xf" if is_in_cell_formats => {
                        let id = attribute(&element, "numFmtId")?;
                        let own = own_formats.get(&id).copied();
                        let built_in =
                            || id.and_then(|id| id.parse().ok()).is_some_and(number_format::is_built_in_date);
                        date_formats.push(own.unwrap_or_else(built_in));
                    }
                    _ => {}
                },
                Event::End(element) if element.local_name().as_ref() == "cellXfs" => {
                    is_in_cell_formats = false
                }
                Event::Eof => return Ok(date_formats),
                _ => {}
            }
            if own_formats.len().max(date_formats.len()) > MAX_FORMATS {
                return Err(FileProblem::BrokenWorkbook.into());
            }
        }
    }
}
