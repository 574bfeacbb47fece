//! Why a player event is refused.

use std::time::Duration;

use domain::access::Denied;
use domain::failure::ErrorCode;
use domain::text::Text;
use domain::validation;

use crate::error::Error;
use crate::refusal::{self, Reason as _};

/// The refusal of one event.
pub type Refusal = refusal::Refusal<Reason>;

/// Why an event is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The event is another user's, and the caller may only record their own.
    NotYourUser,
    /// The user does not exist.
    UnknownUser,
    /// The lesson does not exist.
    UnknownLesson,
    /// The event is not a JSON object.
    NotAnObject,
    /// No field has this name.
    UnknownField,
    /// A required field is missing.
    Missing,
    /// Not an ID.
    NotAnId,
    /// Not a UUID.
    NotAUuid,
    /// Not a valid event name.
    BadEventName,
    /// Not a valid provider name.
    BadProvider,
    /// Not a supported video source.
    BadSource,
    /// Not a valid context tag.
    BadContextTag,
    /// Not a number of seconds.
    NotSeconds,
    /// A negative number of seconds.
    NegativeSeconds,
    /// Not a valid playback rate.
    BadPlaybackRate,
    /// Not a timestamp.
    NotAMoment,
    /// The timestamp is in the future.
    InTheFuture,
    /// The timestamp is too far in the past.
    TooOld,
    /// The metadata is not JSON.
    MetadataNotJson,
    /// The metadata exceeds the size limit.
    MetadataTooLarge,
    /// The metadata is nested too deeply.
    MetadataTooDeep,
    /// The metadata has a character or a number that PostgreSQL does not store.
    MetadataNotStorable,
    /// The user exceeded the rate limit.
    TooManyEvents,
    /// An error on our side.
    Failed,
}

/// When a user who exceeded the rate limit can retry.
pub const RETRY_AFTER: Duration = Duration::from_mins(1);

impl Refusal {
    /// The error of a request with a single event. `path` is the prefix of the field's name.
    pub fn into_error(self, path: &str) -> Error {
        match self.reason.code() {
            ErrorCode::Forbidden => Error::Denied(Denied::NotYourUser),
            ErrorCode::RateLimited => Error::TooManyRequests { retry_after: RETRY_AFTER },
            ErrorCode::Internal => Error::Internal(anyhow::anyhow!("Failed to record a player event")),
            ErrorCode::BadUserInput
            | ErrorCode::Unauthenticated
            | ErrorCode::ScopeRequired
            | ErrorCode::NotFound
            | ErrorCode::Conflict
            | ErrorCode::TooComplex
            | ErrorCode::Unavailable => {
                Error::invalid(format!("{path}{}", self.field.unwrap_or_default()), self.reason.message())
            }
        }
    }
}

impl refusal::Reason for Reason {
    fn code(self) -> ErrorCode {
        match self {
            Self::NotYourUser => ErrorCode::Forbidden,
            Self::TooManyEvents => ErrorCode::RateLimited,
            Self::Failed => ErrorCode::Internal,
            Self::UnknownUser
            | Self::UnknownLesson
            | Self::NotAnObject
            | Self::UnknownField
            | Self::Missing
            | Self::NotAnId
            | Self::NotAUuid
            | Self::BadEventName
            | Self::BadProvider
            | Self::BadSource
            | Self::BadContextTag
            | Self::NotSeconds
            | Self::NegativeSeconds
            | Self::BadPlaybackRate
            | Self::NotAMoment
            | Self::InTheFuture
            | Self::TooOld
            | Self::MetadataNotJson
            | Self::MetadataTooLarge
            | Self::MetadataTooDeep
            | Self::MetadataNotStorable => ErrorCode::BadUserInput,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::NotYourUser => "NOT_YOUR_USER",
            Self::UnknownUser => "UNKNOWN_USER",
            Self::UnknownLesson => "UNKNOWN_LESSON",
            Self::NotAnObject => "NOT_AN_OBJECT",
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::Missing => "MISSING",
            Self::NotAnId => "NOT_AN_ID",
            Self::NotAUuid => "NOT_A_UUID",
            Self::BadEventName => "BAD_EVENT_NAME",
            Self::BadProvider => "BAD_PROVIDER",
            Self::BadSource => "BAD_SOURCE",
            Self::BadContextTag => "BAD_CONTEXT_TAG",
            Self::NotSeconds => "NOT_SECONDS",
            Self::NegativeSeconds => "NEGATIVE_SECONDS",
            Self::BadPlaybackRate => "BAD_PLAYBACK_RATE",
            Self::NotAMoment => "NOT_A_MOMENT",
            Self::InTheFuture => "IN_THE_FUTURE",
            Self::TooOld => "TOO_OLD",
            Self::MetadataNotJson => "METADATA_NOT_JSON",
            Self::MetadataTooLarge => "METADATA_TOO_LARGE",
            Self::MetadataTooDeep => "METADATA_TOO_DEEP",
            Self::MetadataNotStorable => "METADATA_NOT_STORABLE",
            Self::TooManyEvents => "TOO_MANY_EVENTS",
            Self::Failed => "FAILED",
        }
    }

    fn message(self) -> Text {
        match self {
            Self::NotYourUser => Text::new(
                "Solo puedes registrar tu propio progreso. No envíes userId.",
                "You can only record your own progress. Leave out userId.",
            ),
            Self::UnknownUser => Text::new("Este usuario no existe.", "This user does not exist."),
            Self::UnknownLesson => Text::new("Esta lección no existe.", "This lesson does not exist."),
            Self::NotAnObject => {
                Text::new("Cada evento debe ser un objeto JSON.", "Each event must be a JSON object.")
            }
            Self::UnknownField => Text::new("Campo desconocido.", "Unknown field."),
            Self::Missing => Text::new("Falta este campo.", "This field is missing."),
            Self::NotAnId => validation::NOT_AN_ID,
            Self::NotAUuid => validation::NOT_A_UUID,
            Self::BadEventName => Text::new(
                "Se aceptan de 1 a 50 letras sin acento, cifras, «.», «_» y «-».",
                "Accepted: 1 to 50 unaccented letters, digits, “.”, “_” and “-”.",
            ),
            Self::BadProvider => Text::new(
                "Se acepta youtube, vimeo, cloudflare u otro texto de 1 a 20 caracteres.",
                "Accepted: youtube, vimeo, cloudflare or any other text of 1 to 20 characters.",
            ),
            Self::BadSource => {
                Text::new("Se acepta VIMEO, CLOUDFLARE o YOUTUBE.", "Accepted: VIMEO, CLOUDFLARE or YOUTUBE.")
            }
            Self::BadContextTag => {
                Text::new("Se acepta un texto de 1 a 50 caracteres.", "Accepted: text of 1 to 50 characters.")
            }
            Self::NotSeconds => Text::new(
                "Se acepta un número entero de segundos, de 0 a 2147483647.",
                "Accepted: a whole number of seconds, from 0 to 2147483647.",
            ),
            Self::NegativeSeconds => Text::new(
                "Los segundos no pueden ser negativos. Se acepta un número entero de 0 a 2147483647.",
                "Seconds cannot be negative. Accepted: a whole number from 0 to 2147483647.",
            ),
            Self::BadPlaybackRate => Text::new(
                "Se acepta un número de 0 a 100. La velocidad normal es 1.",
                "Accepted: a number from 0 to 100. Normal speed is 1.",
            ),
            Self::NotAMoment => validation::NOT_A_TIMESTAMP,
            Self::InTheFuture => Text::new(
                "Está en el futuro. Se acepta hasta 2 minutos después de la hora del servidor o de sentAt.",
                "In the future. Accepted: up to 2 minutes after the server's time or sentAt.",
            ),
            Self::TooOld => Text::new(
                "Demasiado antiguo. Se aceptan los últimos 30 días.",
                "Too old. Accepted: the last 30 days.",
            ),
            Self::MetadataNotJson => validation::NOT_JSON,
            Self::MetadataTooLarge => {
                Text::new("Se aceptan hasta 4096 bytes de JSON.", "Accepted: up to 4096 bytes of JSON.")
            }
            Self::MetadataTooDeep => Text::new(
                "Se aceptan hasta 8 niveles de anidamiento.",
                "Accepted: up to 8 levels of nesting.",
            ),
            Self::MetadataNotStorable => validation::JSON_NOT_STORABLE,
            Self::TooManyEvents => Text::new(
                "Demasiados eventos de este usuario en un minuto. Vuelve a intentarlo más tarde.",
                "Too many events from this user in one minute. Try again later.",
            ),
            Self::Failed => Text::new(
                "Algo falló de nuestro lado. Vuelve a enviar el evento con el mismo clientEventId.",
                "Something went wrong on our side. Send the event again with the same clientEventId.",
            ),
        }
    }
}
