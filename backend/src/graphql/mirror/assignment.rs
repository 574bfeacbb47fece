//! Assignments of teachers to courses as they are sent.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};

use super::Statement;
use super::sent::Sent;
use crate::id::Id;
use crate::mirror::Reader;
use crate::mirror::course_teacher::Assignment;
use crate::models::mirrored::course_teacher::MirroredAssignment;
use crate::models::reference::Referenced;

/// One teacher of one course.
#[derive(InputObject)]
pub struct CourseTeacherInput {
    /// The course.
    course_id: Sent<Id>,
    /// The teacher.
    teacher_id: Sent<Id>,
    /// Who assigned them.
    assigned_by: Option<Sent<Id>>,
    /// When.
    assigned_at: Sent<DateTime<Utc>>,
    /// Whether they are no longer assigned.
    #[graphql(default_with = "Some(false)")]
    removed: Option<bool>,
}

impl Statement for CourseTeacherInput {
    type Row = Assignment;

    fn read(self, fields: &mut Reader) -> Option<Assignment> {
        let course_id = fields.reference("courseId", Referenced::Course, self.course_id.number());
        let teacher_id = fields.reference("teacherId", Referenced::User, self.teacher_id.number());
        let assigned_by = fields.optional(self.assigned_by, |fields, sent| {
            fields.reference("assignedBy", Referenced::User, sent.number())
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
