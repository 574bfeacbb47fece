//! Why a player event is not recorded.

use std::borrow::Cow;
use std::time::Duration;

use domain::access::Denied;
use domain::failure::ErrorCode;
use domain::text::Text;

use crate::error::Error;

/// One event that is not recorded, which says nothing about the others of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that it breaks.
    pub reason: Reason,
    /// The field that is wrong, as its sender calls it; nothing when it is the event as a whole.
    pub field: Option<Cow<'static, str>>,
}

/// The rule that an event breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is somebody else's, and the caller may record their own only.
    NotYourUser,
    /// There is no such user.
    UnknownUser,
    /// There is no such lesson.
    UnknownLesson,
    /// It is no JSON object.
    NotAnObject,
    /// There is no field of this name.
    UnknownField,
    /// The field is needed and not there.
    Missing,
    /// Not an ID.
    NotAnId,
    /// Not a UUID.
    NotAUuid,
    /// Not the name of an event.
    BadEventName,
    /// Not the name of a provider.
    BadProvider,
    /// Not one of the sources of videos.
    BadSource,
    /// Not the tag of a part of the page.
    BadContextTag,
    /// Not a number of seconds.
    NotSeconds,
    /// Seconds below zero.
    NegativeSeconds,
    /// Not a speed of playback.
    BadPlaybackRate,
    /// Not a moment.
    NotAMoment,
    /// It has not happened yet.
    InTheFuture,
    /// It happened too long ago.
    TooOld,
    /// Metadata that is no JSON.
    MetadataNotJson,
    /// More metadata than is kept.
    MetadataTooLarge,
    /// Metadata that is nested too deep.
    MetadataTooDeep,
    /// Metadata with a character or number that cannot be stored.
    MetadataNotStorable,
    /// More events of one user than are taken in a minute.
    TooManyEvents,
    /// A fault of ours.
    Failed,
}

/// When a user who sent too many events may go on.
pub const NEXT_MINUTE: Duration = Duration::from_mins(1);

impl Refusal {
    /// The field breaks the rule.
    pub fn of(field: &'static str, reason: Reason) -> Self {
        Self { reason, field: Some(Cow::Borrowed(field)) }
    }

    /// The event as a whole breaks the rule.
    pub const fn of_event(reason: Reason) -> Self {
        Self { reason, field: None }
    }

    /// The error of a request that holds this event alone; `path` stands before the field's name.
    pub fn into_error(self, path: &str) -> Error {
        match self.reason.code() {
            ErrorCode::Forbidden => Error::Denied(Denied::NotYourUser),
            ErrorCode::RateLimited => Error::TooManyRequests { retry_after: NEXT_MINUTE },
            ErrorCode::Internal => Error::Internal(anyhow::anyhow!("A player event could not be recorded")),
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

impl Reason {
    /// The code that clients see. With `RATE_LIMITED` and `INTERNAL` the event may be sent again.
    pub const fn code(self) -> ErrorCode {
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

    /// The rule's name, by which a program tells one from the other.
    pub const fn key(self) -> &'static str {
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

    /// What is wrong and what is accepted.
    pub const fn message(self) -> Text {
        match self {
            Self::NotYourUser => Text::new(
                "Solo puedes registrar tu propio progreso; deja userId en blanco.",
                "You can only record your own progress. Leave out userId.",
            ),
            Self::UnknownUser => Text::new("No existe este usuario.", "There is no such user."),
            Self::UnknownLesson => Text::new("No existe esta lección.", "There is no such lesson."),
            Self::NotAnObject => Text::new("Un evento es un objeto JSON.", "An event is a JSON object."),
            Self::UnknownField => {
                Text::new("No hay ningún campo con este nombre.", "There is no field of this name.")
            }
            Self::Missing => Text::new("Falta este campo.", "This field is missing."),
            Self::NotAnId => Text::new(
                "No es un id. Se acepta un número entero desde 1.",
                "Not an ID. Accepted: a whole number, 1 or greater.",
            ),
            Self::NotAUuid => Text::new(
                "No es un UUID, como 0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60.",
                "Not a UUID, such as 0d0f7a5e-8f0e-4c0b-9d5f-3c8b1a2e4f60.",
            ),
            Self::BadEventName => Text::new(
                "Se aceptan de 1 a 50 letras sin acento, cifras, «.», «_» y «-».",
                "Accepted: 1 to 50 unaccented letters, digits, “.”, “_” and “-”.",
            ),
            Self::BadProvider => Text::new(
                "Se acepta youtube, vimeo, cloudflare u otro texto de 1 a 20 caracteres.",
                "Accepted: youtube, vimeo, cloudflare or another text of 1 to 20 characters.",
            ),
            Self::BadSource => {
                Text::new("Se acepta VIMEO, CLOUDFLARE o YOUTUBE.", "Accepted: VIMEO, CLOUDFLARE or YOUTUBE.")
            }
            Self::BadContextTag => Text::new(
                "Se acepta un texto de 1 a 50 caracteres.",
                "Accepted: a text of 1 to 50 characters.",
            ),
            Self::NotSeconds => Text::new(
                "Se acepta un número entero de segundos, de 0 a 2147483647.",
                "Accepted: a whole number of seconds, from 0 to 2147483647.",
            ),
            Self::NegativeSeconds => Text::new(
                "Los segundos no pueden ser negativos. Se acepta un número entero de 0 a 2147483647.",
                "Seconds cannot be negative. Accepted: a whole number from 0 to 2147483647.",
            ),
            Self::BadPlaybackRate => Text::new(
                "Se acepta un número de 0 a 100, siendo 1 lo normal.",
                "Accepted: a number from 0 to 100, 1 being normal.",
            ),
            Self::NotAMoment => Text::new(
                "No es un momento. Se acepta RFC 3339, como 2026-11-16T09:00:00Z.",
                "Not a timestamp. Accepted: RFC 3339, such as 2026-11-16T09:00:00Z.",
            ),
            Self::InTheFuture => Text::new(
                "Está en el futuro. Se acepta hasta 2 minutos por delante de nuestro reloj, o de sentAt.",
                "It is in the future. Accepted: up to 2 minutes ahead of our clock, or of sentAt.",
            ),
            Self::TooOld => Text::new("Pasó hace más de 30 días.", "It happened more than 30 days ago."),
            Self::MetadataNotJson => Text::new("No es JSON.", "Not JSON."),
            Self::MetadataTooLarge => {
                Text::new("Se aceptan hasta 4096 bytes de JSON.", "Accepted: up to 4096 bytes of JSON.")
            }
            Self::MetadataTooDeep => {
                Text::new("Se aceptan hasta 8 niveles de JSON.", "Accepted: up to 8 levels of JSON.")
            }
            Self::MetadataNotStorable => Text::new(
                "El JSON contiene un número fuera de rango o un carácter que no se puede guardar.",
                "The JSON contains a number out of range or a character that cannot be stored.",
            ),
            Self::TooManyEvents => Text::new(
                "Demasiados eventos de este usuario en un minuto. Vuelve a enviarlo más tarde.",
                "Too many events of this user within a minute. Send it again later.",
            ),
            Self::Failed => Text::new(
                "Algo falló de nuestro lado. Vuelve a enviarlo con el mismo clientEventId.",
                "Something failed on our side. Send it again with the same clientEventId.",
            ),
        }
    }
}
