//! Orders of practice packs.

use super::{
    COURSE, COURSE_OR_LESSON, Choice, Column, ColumnKind, DATE_FROM, DATE_TO, Description, FilterField,
    FilterKey, FilterKind, LESSON,
};
use crate::text::Text;

/// The student who ordered.
pub const USER_ID: FilterKey = FilterKey::new("user_id", Text::new("Estudiante", "Student"));

/// The dataset as plain data.
pub(super) const DATASET: Description = Description {
    key: "practice_package_orders",
    title: Text::new("Pedidos de packs", "Pack orders"),
    about: Text::new(
        "Un pedido de un pack de prácticas, con las sesiones que le quedan.",
        "One order of a practice pack, with the sessions that are left.",
    ),
    date_column: "created_at",
    columns: &[
        Column::new("order_id", ColumnKind::Id, Text::new("ID de pedido", "Order ID")).selected_as("id"),
        Column::new("user_id", ColumnKind::Id, Text::new("ID de estudiante", "Student ID")),
        Column::new("user_email", ColumnKind::Text, Text::new("Correo del estudiante", "Student e-mail")),
        Column::new("practice_package_id", ColumnKind::Id, Text::new("ID de pack", "Pack ID")),
        Column::new("package_title", ColumnKind::Text, Text::new("Pack", "Pack")),
        Column::new("teacher_id", ColumnKind::Id, Text::new("ID de docente", "Teacher ID")),
        Column::new("teacher_email", ColumnKind::Text, Text::new("Correo del docente", "Teacher e-mail")),
        Column::new("course_id", ColumnKind::Id, Text::new("ID de curso", "Course ID")),
        Column::new("course_slug", ColumnKind::Text, Text::new("Curso", "Course")),
        Column::new("lesson_id", ColumnKind::Id, Text::new("ID de lección", "Lesson ID")),
        Column::new("status", ColumnKind::Text, Text::new("Estado", "Status")),
        Column::new(
            "sessions_remaining",
            ColumnKind::Integer,
            Text::new("Sesiones restantes", "Sessions remaining"),
        ),
        Column::new("paid_at", ColumnKind::Timestamp, Text::new("Pagado", "Paid at")),
        Column::new(
            "payment_reference",
            ColumnKind::Text,
            Text::new("Referencia de pago", "Payment reference"),
        ),
        Column::new("created_at", ColumnKind::Timestamp, Text::new("Creado", "Created at")),
        Column::new("updated_at", ColumnKind::Timestamp, Text::new("Actualizado", "Updated at")),
        Column::new("meta", ColumnKind::Json, Text::new("Metadatos", "Metadata")),
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
                Choice::new("pending", Text::new("Pendiente", "Pending")),
                Choice::new("paid", Text::new("Pagado", "Paid")),
                Choice::new("cancelled", Text::new("Cancelado", "Cancelled")),
                Choice::new("completed", Text::new("Completado", "Completed")),
            ],
        ),
        FilterField::new(FilterKey::PRACTICE_PACKAGE_ID, FilterKind::Id),
        FilterField::new(USER_ID, FilterKind::Id),
    ],
    teacher_admin: COURSE_OR_LESSON,
    import: None,
};
