//! What somebody may import: into which dataset, and rows of which courses.

use super::{Act, CourseScope, Denied, Role, Viewer};
use crate::dataset::{Dataset, TeacherAdminAccess};

/// Leave to import rows into one dataset.
///
/// An import tells how many of its rows are there already, a dry run too. So nobody imports rows that they could not
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportGrant {
    dataset: Dataset,
    rows: ImportableRows,
}

/// Which rows somebody may import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportableRows {
    /// Any.
    All,
    /// Those that name a course or a lesson; both must be within this scope where both are named.
    OfCourses(CourseScope),
}

impl ImportGrant {
    /// Leave for this viewer to import into this dataset.
    pub fn new(viewer: &Viewer, dataset: Dataset) -> Result<Self, Denied> {
        viewer.may_import(dataset)?;
        let rows = match viewer.role {
            Role::TeacherAdmin => ImportableRows::OfCourses(viewer.courses.clone()),
            Role::Admin | Role::Teacher | Role::Student | Role::Service => ImportableRows::All,
        };
        Ok(Self { dataset, rows })
    }

    /// The dataset.
    pub fn dataset(&self) -> Dataset {
        self.dataset
    }

    /// Which rows may be imported.
    pub fn rows(&self) -> &ImportableRows {
        &self.rows
    }
}

impl ImportableRows {
    /// Whether a row must name a course or a lesson.
    pub fn must_name_a_place(&self) -> bool {
        match self {
            Self::All => false,
            Self::OfCourses(_) => true,
        }
    }

    /// The courses that a row, its lesson and its practice pack may belong to.
    pub fn courses(&self) -> &CourseScope {
        match self {
            Self::All => &CourseScope::Any,
            Self::OfCourses(courses) => courses,
        }
    }
}

impl Viewer {
    /// Whether the viewer may import rows into this dataset.
    pub fn may_import(&self, dataset: Dataset) -> Result<(), Denied> {
        self.may(Act::Import)?;
        match (self.role, dataset.describe().teacher_admin) {
            (Role::TeacherAdmin, TeacherAdminAccess::Never) => Err(Denied::Role),
            (Role::TeacherAdmin, TeacherAdminAccess::OneOf(_))
            | (Role::Admin | Role::Teacher | Role::Student | Role::Service, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Credential;

    fn viewer(role: Role, courses: CourseScope) -> Viewer {
        Viewer { user_id: 1, role, manages_settings: true, credential: Credential::Session, courses }
    }

    #[test]
    fn nobody_imports_what_they_could_not_read() {
        for dataset in Dataset::ALL {
            for role in [Role::Admin, Role::TeacherAdmin, Role::Service] {
                let viewer = viewer(role, CourseScope::Any);
                assert_eq!(
                    viewer.may_import(dataset).is_ok(),
                    viewer.may_see(dataset),
                    "{role:?} {dataset:?}"
                );
            }
        }
        let assigned = CourseScope::Assigned(vec![7]);
        let theirs = ImportGrant::new(
            &viewer(Role::TeacherAdmin, assigned.clone()),
            Dataset::StudentActivitySnapshots,
        );
        assert_eq!(theirs.unwrap().rows(), &ImportableRows::OfCourses(assigned));
    }

    #[test]
    fn an_import_needs_the_permission_whatever_the_dataset() {
        let mut viewer = viewer(Role::Admin, CourseScope::Any);
        viewer.manages_settings = false;
        let denied = ImportGrant::new(&viewer, Dataset::TeacherActivitySnapshots);
        assert_eq!(denied, Err(Denied::NeedsManageSettings));
    }
}
