//! What a Teacher Admin did, summed up; only admins read it.

use super::{
    COURSE, Choice, Column, ColumnKind, DATE_FROM, DATE_TO, Description, FilterField, FilterKey, FilterKind,
    LESSON, TeacherAdminAccess,
};
use crate::text::Text;

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "teacher_activity_snapshots",
    title: Text::new("Snapshots de Teacher Admin", "Teacher Admin snapshots"),
    about: Text::new(
        "Un resumen de la actividad de un Teacher Admin en un momento.",
        "One summary of a Teacher Admin's activity at a moment.",
    ),
    date_column: "captured_at",
    columns: &[
        Column::new("captured_at", ColumnKind::Timestamp, Text::new("Capturado", "Captured at")),
        Column::new("teacher_id", ColumnKind::Id, Text::new("ID de docente", "Teacher ID")),
        Column::new("teacher_email", ColumnKind::Text, Text::new("Correo del docente", "Teacher e-mail")),
        Column::new("course_id", ColumnKind::Id, Text::new("ID de curso", "Course ID")),
        Column::new("lesson_id", ColumnKind::Id, Text::new("ID de lección", "Lesson ID")),
        Column::new("practice_package_id", ColumnKind::Id, Text::new("ID de pack", "Pack ID")),
        Column::new("category", ColumnKind::Text, Text::new("Categoría", "Category")),
        Column::new("scope", ColumnKind::Text, Text::new("Ámbito", "Scope")),
        Column::new("value", ColumnKind::Integer, Text::new("Valor", "Value")),
        Column::new("payload", ColumnKind::Json, Text::new("Datos", "Payload")),
    ],
    filters: &[
        DATE_FROM,
        DATE_TO,
        COURSE,
        LESSON,
        FilterField::with_choices(
            FilterKey::CATEGORY,
            FilterKind::Text,
            &[
                Choice::new(
                    "practice_request_escalated",
                    Text::new("Solicitud de práctica escalada", "Practice request escalated"),
                ),
                Choice::new("custom", Text::new("Otra", "Custom")),
            ],
        ),
    ],
    teacher_admin: TeacherAdminAccess::Never,
    import: Some(&[
        "teacher_id",
        "course_id",
        "lesson_id",
        "practice_package_id",
        "category",
        "scope",
        "value",
        "payload",
        "captured_at",
    ]),
};
