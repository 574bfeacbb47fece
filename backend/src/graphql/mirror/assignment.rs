//! Input for assignments of teachers to courses.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};

use super::RowInput;
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::mirror::course_teacher::Assignment;
use crate::models::mirrored::course_teacher::MirroredAssignment;
use crate::models::reference::ReferencedTable;

/// An assignment of a teacher to a course.
#[derive(InputObject)]
pub struct CourseTeacherInput {
    /// ID of the course.
    course_id: Lenient<Id>,
    /// ID of the teacher.
    teacher_id: Lenient<Id>,
    /// ID of the user who assigned the teacher.
    assigned_by: Option<Lenient<Id>>,
    /// When the teacher was assigned.
    assigned_at: Lenient<DateTime<Utc>>,
    /// Whether the teacher is no longer assigned.
    #[graphql(default_with = "Some(false)")]
    removed: Option<bool>,
}

impl RowInput for CourseTeacherInput {
    type Row = Assignment;

    fn read(self, fields: &mut Reader) -> Option<Assignment> {
        let course_id = fields.reference("courseId", ReferencedTable::Course, self.course_id.number());
        let teacher_id = fields.reference("teacherId", ReferencedTable::User, self.teacher_id.number());
        let assigned_by = fields.optional(self.assigned_by, |fields, value| {
            fields.reference("assignedBy", ReferencedTable::User, value.number())
        });
        let assigned_at = fields.timestamp("assignedAt", self.assigned_at.0);
        let assignment = MirroredAssignment {
            course_id: course_id?,
            teacher_id: teacher_id?,
            assigned_by: assigned_by?,
            assigned_at: assigned_at?,
        };
        if !self.removed.unwrap_or_default() {
            return Some(Assignment::Assigned(assignment));
        }
        let MirroredAssignment { course_id, teacher_id, assigned_by: _, assigned_at: _ } = assignment;
        Some(Assignment::Unassigned { course_id, teacher_id })
    }
}
