//! The data of a person, to give it to them: a ZIP archive with a file of each dataset that has only the rows about the person,
//! and a JSON file with what belongs to no dataset.

mod archive;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::dataset::Column;
use domain::filter::parse_id;
use domain::text::Text;
use domain::{Dataset, Grant, Viewer};

use self::archive::Archive;
use super::any_source;
use super::request::{Defaults, ExportRequest, Parameters};
use super::run::Export;
use crate::app::App;
use crate::auth::account::USER_NOT_FOUND;
use crate::db::Connection;
use crate::error::{Error, InvalidField, Result};
use crate::models::user::User;

/// The path of the links to archives.
pub const PATH: &str = "/admin/data-porter/person";

/// The media type of an archive.
pub const MEDIA_TYPE: &str = "application/zip";

/// The parameter that is the id of the person. The audit log has it among the filters.
pub const PERSON: &str = "person";

/// The options of the files in an archive.
const OPTIONS: [&str; 7] = ["format", "locale", "timezone", "headers", "delimiter", "decimal", "bom"];

const UNKNOWN_OPTION: Text = Text::new(
    "Campo desconocido. Se acepta person, format, locale, timezone, headers, delimiter, decimal y bom.",
    "Unknown field. Accepted: person, format, locale, timezone, headers, delimiter, decimal and bom.",
);
const ACCEPTED_PERSON: Text =
    Text::new("Se acepta el identificador de una persona.", "Accepted: the ID of a person.");

/// A request for the data of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRequest {
    /// The id of the person.
    pub person: i64,
    /// The request for the file of one dataset. The others have the same options.
    file: ExportRequest,
}

impl PersonRequest {
    /// Parses the parameters: `person`, and options of export links. The default format is CSV.
    ///
    /// Reports all errors at once, with one message per field.
    pub fn parse(parameters: Parameters, defaults: Defaults) -> Result<Self> {
        let mut person = None;
        let mut invalid = Vec::new();
        let mut reject = |field: String, message: Text| {
            invalid.push(InvalidField { field, message: message.into() });
        };
        let mut options = vec![("dataset".to_owned(), Dataset::ALL[0].key().to_owned())];
        for (key, value) in parameters {
            if key == PERSON && person.is_none() {
                person = Some(parse_id(&value).ok());
            } else if OPTIONS.contains(&key.as_str()) {
                options.push((key, value));
            } else {
                reject(key, UNKNOWN_OPTION);
            }
        }
        let person = person.flatten();
        if person.is_none() {
            reject(PERSON.to_owned(), ACCEPTED_PERSON);
        }
        if !options.iter().any(|(key, _)| key == "format") {
            options.push(("format".to_owned(), "csv".to_owned()));
        }
        match (ExportRequest::parse(&options, defaults), person) {
            (Ok(file), Some(person)) if invalid.is_empty() => Ok(Self { person, file }),
            (Err(Error::Invalid(fields)), _) => {
                invalid.extend(fields);
                Err(Error::Invalid(invalid))
            }
            (Err(error), _) => Err(error),
            (Ok(_), _) => Err(Error::Invalid(invalid)),
        }
    }

    /// The request as parameters that [`Self::parse`] reads back, with every option set.
    pub fn parameters(&self) -> Parameters {
        let options = self.file.parameters().into_iter().filter(|(key, _)| OPTIONS.contains(&key.as_str()));
        std::iter::once((PERSON.to_owned(), self.person.to_string())).chain(options).collect()
    }

    /// The name of an archive that was requested at this time.
    pub fn filename(&self, at: DateTime<Utc>) -> String {
        super::link::filename(&format!("person_{}", self.person), "zip", at, self.file.timezone)
    }

    /// The person, who must exist.
    pub async fn find_person(&self, conn: &mut Connection) -> Result<User> {
        User::find(conn, self.person).await?.ok_or(Error::NotFound(USER_NOT_FOUND.into()))
    }

    fn timezone(&self) -> Tz {
        self.file.timezone
    }

    fn file(&self, dataset: Dataset) -> ExportRequest {
        ExportRequest { dataset, columns: columns(dataset), ..self.file.clone() }
    }
}

/// The columns without the e-mail addresses of other people. Empty if these are all columns.
fn columns(dataset: Dataset) -> Vec<&'static str> {
    let others = any_source::of(dataset).emails().get(1..).unwrap_or_default();
    if others.is_empty() {
        return Vec::new();
    }
    let is_own = |column: &&Column| !others.iter().any(|(key, _)| *key == column.key);
    dataset.describe().columns.iter().filter(is_own).map(|column| column.key).collect()
}

/// An authorised export of the data of a person.
#[derive(Debug)]
pub struct PersonExport {
    /// Who exports. `None` on the command line.
    user_id: Option<i64>,
    /// The IP address of the client.
    address: Option<IpAddr>,
    request: PersonRequest,
    /// One for each dataset.
    grants: Vec<Grant>,
}

impl PersonExport {
    /// An export by a user.
    pub fn new(viewer: &Viewer, address: Option<IpAddr>, request: PersonRequest) -> Result<Self> {
        let grants = Dataset::ALL.map(|dataset| Grant::to_export_person(viewer, dataset, request.person));
        let grants = grants.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { user_id: Some(viewer.user_id), address, request, grants })
    }

    /// An export on the command line.
    pub fn on_command_line(request: PersonRequest) -> Self {
        let grant = |dataset| Grant::to_operate(dataset, domain::Filter::default()).about(request.person);
        let grants = Dataset::ALL.map(grant).to_vec();
        Self { user_id: None, address: None, request, grants }
    }

    /// Starts the export. Errors after it has started interrupt the archive.
    ///
    /// Errors: NOT_FOUND; a server that is busy with other exports.
    pub async fn start(self, app: &App) -> Result<Archive> {
        Archive::start(app, self).await
    }

    /// The exports of the files, in order.
    fn files(self) -> impl Iterator<Item = Export> {
        let Self { user_id, address, request, grants } = self;
        let export =
            move |grant: Grant| Export { user_id, address, request: request.file(grant.dataset()), grant };
        grants.into_iter().map(export)
    }
}

#[cfg(test)]
mod tests {
    use domain::Locale;

    use super::*;

    fn parse(parameters: &[(&str, &str)]) -> Result<PersonRequest> {
        let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let today = DateTime::UNIX_EPOCH.date_naive();
        let defaults = Defaults { locale: Locale::Es, timezone: Tz::UTC, today };
        PersonRequest::parse(parameters.collect(), defaults)
    }

    #[test]
    fn the_parameters_are_read_back() {
        let request = parse(&[("person", "42"), ("delimiter", ";"), ("timezone", "America/Bogota")]).unwrap();
        let parameters = request.parameters();
        assert!(parameters.contains(&("format".to_owned(), "csv".to_owned())), "{parameters:?}");
        let defaults =
            Defaults { locale: Locale::En, timezone: Tz::UTC, today: DateTime::UNIX_EPOCH.date_naive() };
        assert_eq!(PersonRequest::parse(parameters, defaults).unwrap(), request);
        let at = DateTime::from_timestamp(1_763_286_600, 0).unwrap();
        assert_eq!(request.filename(at), "person_42_20251116_045000.zip");
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let rejected = parse(&[("person", "0"), ("format", "pdf"), ("columns", "event"), ("person", "1")]);
        let Err(Error::Invalid(fields)) = rejected else { panic!("{rejected:?}") };
        let fields: Vec<&str> = fields.iter().map(|invalid| invalid.field.as_str()).collect();
        assert_eq!(fields, ["columns", "person", "person", "format"]);
    }

    #[test]
    fn addresses_of_others_are_left_out() {
        let assignments = columns(Dataset::CourseTeacherAssignments);
        assert!(assignments.contains(&"teacher_email") && !assignments.contains(&"assigner_email"));
        let orders = columns(Dataset::PracticePackageOrders);
        assert!(orders.contains(&"user_email") && !orders.contains(&"teacher_email"));
        assert!(columns(Dataset::VideoPlayerEvents).is_empty());
    }
}
