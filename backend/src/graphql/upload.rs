//! Uploaded files.
//!
//! Replaces the library's own `Upload`, which panics if a client sends the library's internal reference to a
//! file, but no file.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Context as _;
use async_graphql::registry::{MetaType, MetaTypeId, Registry};
use async_graphql::{Context, InputType, InputValueError, InputValueResult, Value};
use domain::text::Text;

use crate::error::{Error, Result};
use crate::import::ReceivedFile;

/// The library's reference to a file in the variables. The index of the file follows.
const FILE_MARKER: &str = "#__graphql_file__:";

const MISSING_FILE: Text = Text::new(
    "Falta el archivo. Envíalo como multipart/form-data según la especificación de peticiones multipart de GraphQL.",
    "The file is missing. Send it as multipart/form-data according to the GraphQL multipart request specification.",
);

/// A file of a multipart request, by its index.
pub struct Upload(usize);

impl Upload {
    /// The file. Error: the request contains no such file.
    pub fn received_file(&self, ctx: &Context<'_>) -> Result<ReceivedFile> {
        let uploads = &ctx.query_env.uploads;
        let upload = uploads.get(self.0).ok_or_else(|| Error::invalid("file", MISSING_FILE))?;
        let upload = upload.try_clone().context("Failed to open the uploaded file")?;
        Ok(ReceivedFile { name: upload.filename, content: upload.content })
    }
}

impl InputType for Upload {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Upload")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Scalar, |_| MetaType::Scalar {
            name: Self::type_name().into_owned(),
            description: Some("A file in a multipart request.".to_owned()),
            is_valid: Some(Arc::new(|value| file_index(value).is_some())),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: Some(
                "https://github.com/jaydenseric/graphql-multipart-request-spec".to_owned(),
            ),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let value = value.unwrap_or_default();
        file_index(&value).map(Self).ok_or_else(|| InputValueError::custom(MISSING_FILE.en))
    }

    fn to_value(&self) -> Value {
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }
}

fn file_index(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.strip_prefix(FILE_MARKER)?.parse().ok(),
        _ => None,
    }
}
