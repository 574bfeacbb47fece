//! What the video player reported.

use super::{
    COURSE, COURSE_OR_LESSON, Choice, Column, ColumnKind, DATE_FROM, DATE_TO, Description, FilterField,
    FilterKey, FilterKind, LESSON,
};
use crate::text::Text;

/// A kind of player event.
pub const EVENT: FilterKey = FilterKey::new("event", Text::new("Evento", "Event"));
/// A video provider.
pub const PROVIDER: FilterKey = FilterKey::new("provider", Text::new("Proveedor", "Provider"));

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "video_player_events",
    title: Text::new("Eventos del reproductor", "Player events"),
    about: Text::new(
        "Un evento que envió el reproductor de vídeo.",
        "One event that the video player reported.",
    ),
    date_column: "recorded_at",
    columns: &[
        Column::new("recorded_at", ColumnKind::Timestamp, Text::new("Registrado", "Recorded at")),
        Column::new("user_id", ColumnKind::Id, Text::new("ID de estudiante", "Student ID")),
        Column::new("user_email", ColumnKind::Text, Text::new("Correo del estudiante", "Student e-mail")),
        Column::new("course_id", ColumnKind::Id, Text::new("ID de curso", "Course ID")),
        Column::new("lesson_id", ColumnKind::Id, Text::new("ID de lección", "Lesson ID")),
        Column::new("event", ColumnKind::Text, Text::new("Evento", "Event")),
        Column::new("provider", ColumnKind::Text, Text::new("Proveedor", "Provider")),
        Column::new(
            "playback_seconds",
            ColumnKind::Integer,
            Text::new("Segundo de reproducción", "Playback second"),
        ),
        Column::new("watched_seconds", ColumnKind::Integer, Text::new("Segundos vistos", "Watched seconds")),
        Column::new("video_duration", ColumnKind::Integer, Text::new("Duración del vídeo", "Video duration")),
        Column::new("playback_rate", ColumnKind::Decimal, Text::new("Velocidad", "Playback rate")),
        Column::new("context_tag", ColumnKind::Text, Text::new("Contexto", "Context")),
        Column::new("metadata", ColumnKind::Json, Text::new("Metadatos", "Metadata")),
        Column::new("synced_at", ColumnKind::Timestamp, Text::new("Sincronizado", "Synced at")),
    ],
    filters: &[
        DATE_FROM,
        DATE_TO,
        COURSE,
        LESSON,
        FilterField::with_choices(EVENT, FilterKind::Text, EVENTS),
        FilterField::with_choices(PROVIDER, FilterKind::Text, PROVIDERS),
    ],
    teacher_admin: COURSE_OR_LESSON,
    import: None,
};

/// The events that our own player sends; others are taken too.
const EVENTS: &[Choice] = &[
    Choice::new("progress_tick", Text::new("Avance", "Progress tick")),
    Choice::new("play", Text::new("Reproducir", "Play")),
    Choice::new("pause", Text::new("Pausar", "Pause")),
    Choice::new("seek", Text::new("Saltar", "Seek")),
    Choice::new("banner_view", Text::new("Ver banner", "Banner view")),
    Choice::new("banner_click", Text::new("Clic en banner", "Banner click")),
    Choice::new("cta_view", Text::new("Ver llamada a la acción", "Call-to-action view")),
    Choice::new("cta_click", Text::new("Clic en llamada a la acción", "Call-to-action click")),
    Choice::new("resource_click", Text::new("Clic en recurso", "Resource click")),
];

/// The usual providers; others are taken too.
const PROVIDERS: &[Choice] = &[
    Choice::new("youtube", Text::new("YouTube", "YouTube")),
    Choice::new("vimeo", Text::new("Vimeo", "Vimeo")),
    Choice::new("cloudflare", Text::new("Cloudflare", "Cloudflare")),
];
