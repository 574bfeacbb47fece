//! The access rules that can be configured.

use super::kind;
use super::reader::Reader;

/// The access rules that can be configured.
#[derive(Debug)]
pub struct Access {
    pub teacher_admin_scope: TeacherAdminScope,
}

/// The courses that a Teacher Admin may filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeacherAdminScope {
    /// Any course.
    Any,
    /// Only courses assigned to that person.
    Assigned,
}

impl Access {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            teacher_admin_scope: reader.setting(
                "TEACHER_ADMIN_SCOPE",
                "any",
                kind::one_of(&[("any", TeacherAdminScope::Any), ("assigned", TeacherAdminScope::Assigned)]),
                "The courses that a Teacher Admin may filter by: any, or only those assigned to that person.",
            ),
        }
    }
}
