//! Saved exports: requests for links that their owner repeats.
//!
//! The dates of a saved export may be relative. Its options and the permissions of its owner are checked when it is saved,
//! and again each time that a link is created from it.

use domain::access::Act;
use domain::text::{Phrase, Text};
use domain::validation::UNKNOWN_ID;
use domain::{Dataset, ExportFormat, Viewer};
use serde_json::Value;

use super::json_request::json_parameters;
use super::request::{Defaults, ExportRequest, Parameters};
use crate::app::App;
use crate::auth::grant;
use crate::db::Connection;
use crate::error::{Error, InvalidField, Result};
use crate::models::saved_export::{NewSavedExport, SavedExport};

/// The maximum number of exports that a user can save.
const MAX_PER_USER: i64 = 100;

/// The maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 100;

/// The maximum size of the options as JSON.
const MAX_OPTIONS_BYTES: usize = 16 << 10;

const INVALID_NAME: Text =
    Text::new("Se acepta un nombre de 1 a 100 caracteres.", "Accepted: a name of 1 to 100 characters.");
const NAME_IN_USE: Text =
    Text::new("Ya guardaste una exportación con este nombre.", "You have saved an export with this name.");
const NOT_OPTIONS: Text = Text::new(
    "Debe ser un objeto de hasta 16 KiB con los campos de una petición de enlace, sin otro dataset ni otro formato.",
    "Must be an object of up to 16 KiB with the fields of a request for a link, without another dataset or format.",
);

/// A request to save an export.
#[derive(Clone, Debug)]
pub struct ToSave {
    pub name: String,
    pub dataset: Dataset,
    pub format: ExportFormat,
    pub options: Value,
}

/// Saves an export.
///
/// Errors: FORBIDDEN and SCOPE_REQUIRED as for a link; BAD_USER_INPUT for invalid values; CONFLICT if the user has one
/// with this name, or too many.
pub async fn save(
    app: &App,
    conn: &mut Connection,
    viewer: &Viewer,
    defaults: Defaults,
    to_save: ToSave,
) -> Result<SavedExport> {
    viewer.may(Act::SaveExports)?;
    let ToSave { name, dataset, format, options } = to_save;
    let name = name.trim();
    if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", INVALID_NAME));
    }
    let parameters = parameters(dataset.key(), format.key(), &options).map_err(in_options)?;
    let request = ExportRequest::parse(&parameters, defaults).map_err(in_options)?;
    grant::to_export(conn, viewer, dataset, request.filter).await?;
    if SavedExport::count(conn, viewer.user_id).await? >= MAX_PER_USER {
        return Err(Error::Conflict(Phrase::new(
            format!("Ya guardaste {MAX_PER_USER} exportaciones. Borra una antes."),
            format!("You have saved {MAX_PER_USER} exports. Delete one first."),
        )));
    }
    let new = NewSavedExport {
        user_id: viewer.user_id,
        name,
        dataset: dataset.key(),
        format: format.key(),
        options,
        created_at: app.clock.now(),
    };
    new.insert(conn).await?.ok_or_else(|| Error::Conflict(NAME_IN_USE.into()))
}

/// A saved export and its parameters.
///
/// Errors: BAD_USER_INPUT unless the user saved an export with this id.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: i64) -> Result<(SavedExport, Parameters)> {
    viewer.may(Act::SaveExports)?;
    let saved = SavedExport::find(conn, id, viewer.user_id).await?;
    let saved = saved.ok_or_else(|| Error::invalid("savedExport", UNKNOWN_ID))?;
    let parameters = parameters(&saved.dataset, &saved.format, &saved.options)?;
    Ok((saved, parameters))
}

fn parameters(dataset: &str, format: &str, options: &Value) -> Result<Parameters> {
    let not_options =
        || Error::Invalid(vec![InvalidField { field: String::new(), message: NOT_OPTIONS.into() }]);
    let Value::Object(mut body) = options.clone() else { return Err(not_options()) };
    if options.to_string().len() > MAX_OPTIONS_BYTES {
        return Err(not_options());
    }
    for (key, value) in [("dataset", dataset), ("format", format)] {
        let other = body.insert(key.to_owned(), value.into()).filter(|other| other != value);
        if other.is_some() {
            return Err(not_options());
        }
    }
    json_parameters(body)
}

/// The invalid fields are those of the input `options`.
fn in_options(error: Error) -> Error {
    let Error::Invalid(fields) = error else { return error };
    let fields = fields.into_iter().map(|InvalidField { field, message }| {
        let field = if field.is_empty() { "options".to_owned() } else { format!("options.{field}") };
        InvalidField { field, message }
    });
    Error::Invalid(fields.collect())
}
