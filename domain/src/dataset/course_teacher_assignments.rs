//! Which teacher is assigned to which course.

use super::{
    COURSE, Column, ColumnKind, Description, FilterField, FilterKey, FilterKind, TeacherAdminAccess,
};
use crate::text::Text;

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "course_teacher_assignments",
    title: Text::new("Asignaciones curso-docente", "Course-teacher assignments"),
    about: Text::new(
        "La asignación vigente de un docente a un curso.",
        "One current assignment of a teacher to a course.",
    ),
    date_column: "assigned_at",
    columns: &[
        Column::new("assigned_at", ColumnKind::Timestamp, Text::new("Asignado", "Assigned at")),
        Column::new("course_id", ColumnKind::Id, Text::new("ID de curso", "Course ID")),
        Column::new("course_slug", ColumnKind::Text, Text::new("Curso", "Course")),
        Column::new("teacher_id", ColumnKind::Id, Text::new("ID de docente", "Teacher ID")),
        Column::new("teacher_email", ColumnKind::Text, Text::new("Correo del docente", "Teacher e-mail")),
        Column::new("assigned_by", ColumnKind::Id, Text::new("Asignado por", "Assigned by")),
        Column::new(
            "assigner_email",
            ColumnKind::Text,
            Text::new("Correo de quien asignó", "Assigner e-mail"),
        ),
    ],
    filters: &[COURSE, FilterField::new(FilterKey::TEACHER_ID, FilterKind::Id)],
    teacher_admin: TeacherAdminAccess::OneOf(&[FilterKey::COURSE_ID]),
    import: None,
};
