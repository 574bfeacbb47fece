//! Live practices on Discord.

use super::{
    COURSE, COURSE_OR_LESSON, Choice, Column, ColumnKind, DATE_FROM, DATE_TO, Description, FilterField,
    FilterKey, FilterKind, LESSON,
};
use crate::text::Text;

/// The creator of a practice.
pub const CREATOR_ID: FilterKey = FilterKey::new("creator_id", Text::new("Creador", "Creator"));

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "discord_practices",
    title: Text::new("Prácticas Discord", "Discord practices"),
    about: Text::new(
        "Una práctica en vivo en Discord, con su cupo y sus reservas.",
        "One live practice on Discord, with its seats and reservations.",
    ),
    date_column: "start_at",
    columns: &[
        Column::new("practice_id", ColumnKind::Id, Text::new("ID de práctica", "Practice ID"))
            .selected_as("id"),
        Column::new("course_id", ColumnKind::Id, Text::new("ID de curso", "Course ID")),
        Column::new("course_slug", ColumnKind::Text, Text::new("Curso", "Course")),
        Column::new("lesson_id", ColumnKind::Id, Text::new("ID de lección", "Lesson ID")),
        Column::new("lesson_title", ColumnKind::Text, Text::new("Lección", "Lesson")),
        Column::new("title", ColumnKind::Text, Text::new("Título", "Title")),
        Column::new("type", ColumnKind::Text, Text::new("Tipo", "Type")),
        Column::new("status", ColumnKind::Text, Text::new("Estado", "Status")),
        Column::new("start_at", ColumnKind::Timestamp, Text::new("Comienza", "Starts at")),
        Column::new("end_at", ColumnKind::Timestamp, Text::new("Termina", "Ends at")),
        Column::new("capacity", ColumnKind::Integer, Text::new("Cupo", "Capacity")),
        Column::new("reservations", ColumnKind::Integer, Text::new("Reservas", "Reservations")),
        Column::new("requires_package", ColumnKind::Boolean, Text::new("Requiere pack", "Requires a pack")),
        Column::new("practice_package_id", ColumnKind::Id, Text::new("ID de pack", "Pack ID")),
        Column::new("package_title", ColumnKind::Text, Text::new("Pack", "Pack")),
        Column::new("creator_id", ColumnKind::Id, Text::new("ID de creador", "Creator ID")),
        Column::new("creator_email", ColumnKind::Text, Text::new("Correo del creador", "Creator e-mail")),
        Column::new("cohort_label", ColumnKind::Text, Text::new("Cohorte", "Cohort")),
        Column::new(
            "discord_channel_url",
            ColumnKind::Text,
            Text::new("Canal de Discord", "Discord channel"),
        ),
    ],
    filters: &[
        DATE_FROM,
        DATE_TO,
        COURSE,
        LESSON,
        FilterField::with_choices(
            FilterKey::STATUS,
            FilterKind::Choice,
            &[
                Choice::new("scheduled", Text::new("Programada", "Scheduled")),
                Choice::new("cancelled", Text::new("Cancelada", "Cancelled")),
                Choice::new("completed", Text::new("Realizada", "Completed")),
            ],
        ),
        FilterField::with_choices(
            FilterKey::TYPE,
            FilterKind::Text,
            &[
                Choice::new("cohort", Text::new("Cohorte", "Cohort")),
                Choice::new("global", Text::new("Global", "Global")),
            ],
        ),
        FilterField::new(CREATOR_ID, FilterKind::Id),
    ],
    teacher_admin: COURSE_OR_LESSON,
    import: None,
};
