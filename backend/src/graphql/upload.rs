//! Uploaded files.
//!
//! In place of the library's own `Upload`, which ends in a panic when a client writes the library's inner name of a file
//! where no file came along.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Context as _;
use async_graphql::registry::{MetaType, MetaTypeId, Registry};
use async_graphql::{Context, InputType, InputValueError, InputValueResult, Value};
use domain::text::Text;

use crate::error::{Error, Result};
use crate::import::ReceivedFile;

/// How the library marks the place of a file in the variables; its number follows.
const MARK: &str = "#__graphql_file__:";

const NO_FILE: Text = Text::new(
    "Falta el archivo: se envía por multipart/form-data, según la especificación de peticiones multipart de GraphQL.",
    "There is no file: it is sent by multipart/form-data, as the GraphQL multipart request specification says.",
);

/// A file that came with the request.
pub struct Upload(usize);

impl Upload {
    /// The file.
    pub fn received(&self, ctx: &Context<'_>) -> Result<ReceivedFile> {
        let uploads = &ctx.query_env.uploads;
        let upload = uploads.get(self.0).ok_or_else(|| Error::invalid("file", NO_FILE))?;
        let upload = upload.try_clone().context("The received file is gone")?;
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
            description: Some("A file that comes with a multipart request.".to_owned()),
            is_valid: Some(Arc::new(|value| number(value).is_some())),
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
        number(&value).map(Self).ok_or_else(|| InputValueError::custom(NO_FILE.en))
    }

    fn to_value(&self) -> Value {
        Value::Null
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }
}

fn number(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.strip_prefix(MARK)?.parse().ok(),
        _ => None,
    }
}
