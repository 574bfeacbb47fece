//! The only way to a dataset's rows.

use super::{CourseScope, Denied, Role, TokenScope, Viewer};
use crate::dataset::Dataset;
use crate::filter::Filter;

/// Leave to read the rows of one dataset that pass one filter.
///
/// Whatever reads, counts, estimates, charts or exports rows takes a `Grant`, and only [`Grant::to_read`],
/// [`Grant::to_export`] and, on the server's own command line, [`Grant::to_operate`] make one: no path can pass the
/// rules by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    dataset: Dataset,
    filter: Filter,
    courses: CourseScope,
}

impl Grant {
    /// Leave to read rows on a page.
    pub fn to_read(viewer: &Viewer, dataset: Dataset, filter: Filter) -> Result<Self, Denied> {
        Self::with_scope(viewer, dataset, filter, TokenScope::Read)
    }

    /// Leave to take rows away in a file.
    pub fn to_export(viewer: &Viewer, dataset: Dataset, filter: Filter) -> Result<Self, Denied> {
        Self::with_scope(viewer, dataset, filter, TokenScope::Export)
    }

    /// Leave for whoever runs the server's commands, and so has the whole database at hand.
    pub fn to_operate(dataset: Dataset, filter: Filter) -> Self {
        Self { dataset, filter, courses: CourseScope::Any }
    }

    fn with_scope(
        viewer: &Viewer,
        dataset: Dataset,
        filter: Filter,
        scope: TokenScope,
    ) -> Result<Self, Denied> {
        if !viewer.role_reads(dataset) {
            return Err(Denied::Role);
        }
        if !viewer.holds(scope) {
            return Err(viewer.lacks(scope));
        }
        let required = viewer.required_scope(dataset);
        if !required.is_empty() && !required.iter().any(|key| filter.value(*key).is_some()) {
            return Err(Denied::ScopeRequired { dataset, one_of: required });
        }
        let courses = match viewer.role {
            Role::TeacherAdmin => viewer.courses.clone(),
            Role::Admin | Role::Teacher | Role::Student | Role::Service => CourseScope::Any,
        };
        if let (CourseScope::Assigned(assigned), Some(course)) = (&courses, filter.course_id)
            && !assigned.contains(&course)
        {
            return Err(Denied::CourseNotAssigned);
        }
        Ok(Self { dataset, filter, courses })
    }

    /// The dataset.
    pub fn dataset(&self) -> Dataset {
        self.dataset
    }

    /// What the rows must pass.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The courses that the rows must belong to, whatever the filter says.
    pub fn courses(&self) -> &CourseScope {
        &self.courses
    }
}
