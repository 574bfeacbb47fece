//! What a student did, summed up.

use super::{
    CATEGORIES, COURSE, COURSE_OR_LESSON, Column, ColumnKind, DATE_FROM, DATE_TO, Description, FilterField,
    FilterKey, FilterKind, LESSON,
};
use crate::text::Text;

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "student_activity_snapshots",
    title: Text::new("Snapshots de estudiantes", "Student snapshots"),
    about: Text::new(
        "Un resumen de la actividad de un estudiante en un momento.",
        "One summary of a student's activity at a moment.",
    ),
    date_column: "captured_at",
    columns: &[
        Column::new("captured_at", ColumnKind::Timestamp, Text::new("Capturado", "Captured at")),
        Column::new("user_id", ColumnKind::Id, Text::new("ID de estudiante", "Student ID")),
        Column::new("user_email", ColumnKind::Text, Text::new("Correo del estudiante", "Student e-mail")),
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
        FilterField::new(FilterKey::PRACTICE_PACKAGE_ID, FilterKind::Id),
        FilterField::with_choices(FilterKey::CATEGORY, FilterKind::Text, CATEGORIES),
    ],
    teacher_admin: COURSE_OR_LESSON,
    import: Some(&[
        "user_id",
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
