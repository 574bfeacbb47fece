//! Permission to import rows into a dataset.

use super::{Act, CourseScope, Denied, Role, Viewer};
use crate::dataset::{Dataset, TeacherAdminAccess};

/// Permission to import rows into one dataset.
///
/// An import reveals how many of its rows already exist, and so does a dry run. Users can therefore import only rows that
/// they may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportGrant {
    dataset: Dataset,
    rows: ImportableRows,
}

/// The rows that a user may import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportableRows {
    /// All rows.
    All,
    /// Rows that name a course, a lesson or both, all of them within this scope.
    OfCourses(CourseScope),
}

impl ImportGrant {
    /// Permission for this viewer to import into this dataset.
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

    /// The rows that may be imported.
    pub fn rows(&self) -> &ImportableRows {
        &self.rows
    }
}

impl ImportableRows {
    /// Whether a row must name a course or a lesson.
    pub fn must_name_course_or_lesson(&self) -> bool {
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
    /// Checks whether the viewer may import rows into this dataset.
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
    fn users_import_only_what_they_may_read() {
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
    fn an_import_needs_manage_settings_for_every_dataset() {
        let mut viewer = viewer(Role::Admin, CourseScope::Any);
        viewer.manages_settings = false;
        let denied = ImportGrant::new(&viewer, Dataset::TeacherActivitySnapshots);
        assert_eq!(denied, Err(Denied::NeedsManageSettings));
    }
}
