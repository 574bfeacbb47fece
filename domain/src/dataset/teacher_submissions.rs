//! Modules, lessons and packs that teachers proposed.

use super::{
    COURSE, Choice, Column, ColumnKind, DATE_FROM, DATE_TO, Description, FilterField, FilterKey, FilterKind,
    TeacherAdminAccess,
};
use crate::text::Text;

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "teacher_submissions",
    title: Text::new("Propuestas docentes", "Teacher submissions"),
    about: Text::new(
        "Una propuesta de un docente, con la historia de sus cambios de estado.",
        "One teacher's proposal, with the history of its status changes.",
    ),
    date_column: "created_at",
    columns: &[
        Column::new("submission_id", ColumnKind::Id, Text::new("ID de propuesta", "Submission ID"))
            .selected_as("id"),
        Column::new("created_at", ColumnKind::Timestamp, Text::new("Creada", "Created at")),
        Column::new("teacher_id", ColumnKind::Id, Text::new("ID de docente", "Teacher ID")),
        Column::new("teacher_email", ColumnKind::Text, Text::new("Correo del docente", "Teacher e-mail")),
        Column::new("course_id", ColumnKind::Id, Text::new("ID de curso", "Course ID")),
        Column::new("course_slug", ColumnKind::Text, Text::new("Curso", "Course")),
        Column::new("type", ColumnKind::Text, Text::new("Tipo", "Type")),
        Column::new("title", ColumnKind::Text, Text::new("Título", "Title")),
        Column::new("summary", ColumnKind::Text, Text::new("Resumen", "Summary")),
        Column::new("status", ColumnKind::Text, Text::new("Estado", "Status")),
        Column::new("feedback", ColumnKind::Text, Text::new("Comentarios", "Feedback")),
        Column::new("reviewed_by", ColumnKind::Id, Text::new("Revisada por", "Reviewed by")),
        Column::new("reviewed_at", ColumnKind::Timestamp, Text::new("Revisada", "Reviewed at")),
        Column::new("result_type", ColumnKind::Text, Text::new("Tipo de resultado", "Result type")),
        Column::new("result_id", ColumnKind::Id, Text::new("ID de resultado", "Result ID")),
        Column::new("history", ColumnKind::Json, Text::new("Historia", "History"))
            .selected_as("history { status changedBy changedAt notes }"),
    ],
    filters: &[
        DATE_FROM,
        DATE_TO,
        COURSE,
        FilterField::with_choices(
            FilterKey::STATUS,
            FilterKind::Choice,
            &[
                Choice::new("pending", Text::new("Pendiente", "Pending")),
                Choice::new("approved", Text::new("Aprobada", "Approved")),
                Choice::new("rejected", Text::new("Rechazada", "Rejected")),
            ],
        ),
        FilterField::with_choices(
            FilterKey::TYPE,
            FilterKind::Choice,
            &[
                Choice::new("module", Text::new("Módulo", "Module")),
                Choice::new("lesson", Text::new("Lección", "Lesson")),
                Choice::new("pack", Text::new("Pack", "Pack")),
            ],
        ),
        FilterField::new(FilterKey::TEACHER_ID, FilterKind::Id),
    ],
    teacher_admin: TeacherAdminAccess::OneOf(&[FilterKey::COURSE_ID]),
    import: None,
};
