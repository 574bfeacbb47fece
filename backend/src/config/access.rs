//! How far a Teacher Admin may look.

use super::kind;
use super::reader::Reader;

/// The rules of access that can be set.
#[derive(Debug)]
pub struct Access {
    /// The courses that a Teacher Admin may name.
    pub teacher_admin_scope: TeacherAdminScope,
}

/// The courses that a Teacher Admin may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeacherAdminScope {
    /// Any course that exists.
    Any,
    /// Only a course that is assigned to that person.
    Assigned,
}

impl Access {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            teacher_admin_scope: reader.setting(
                "TEACHER_ADMIN_SCOPE",
                "any",
                kind::one_of(&[("any", TeacherAdminScope::Any), ("assigned", TeacherAdminScope::Assigned)]),
                "The courses that a Teacher Admin may name: any, or only those assigned to that person.",
            ),
        }
    }
}
