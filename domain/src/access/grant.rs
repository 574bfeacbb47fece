//! Permission to read a dataset.

use super::{CourseScope, Denied, Role, TokenScope, Viewer};
use crate::dataset::{Dataset, FilterKey};
use crate::filter::Filter;

/// Permission to read the rows of one dataset that match one filter.
///
/// Every function that reads, counts, estimates, charts or exports rows takes a `Grant`. Only [`Grant::to_read`],
/// [`Grant::to_export`] and, on the server's command line, [`Grant::to_operate`] create one, so no code path can bypass
/// the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    dataset: Dataset,
    filter: Filter,
    courses: CourseScope,
}

impl Grant {
    /// Permission to read rows in the API.
    pub fn to_read(viewer: &Viewer, dataset: Dataset, filter: Filter) -> Result<Self, Denied> {
        Self::with_scope(viewer, dataset, filter, TokenScope::Read)
    }

    /// Permission to download rows as a file.
    pub fn to_export(viewer: &Viewer, dataset: Dataset, filter: Filter) -> Result<Self, Denied> {
        Self::with_scope(viewer, dataset, filter, TokenScope::Export)
    }

    /// Permission for commands on the server, whose users have access to the whole database anyway.
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
        if !required.is_empty() && !required.iter().any(|key| filter.is_set(*key)) {
            return Err(Denied::ScopeRequired { dataset, one_of: required });
        }
        let courses = match viewer.role {
            Role::TeacherAdmin => viewer.courses.clone(),
            Role::Admin | Role::Teacher | Role::Student | Role::Service => CourseScope::Any,
        };
        if let (CourseScope::Assigned(assigned), Some(course)) = (&courses, filter.id(FilterKey::COURSE_ID))
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

    /// The filter that rows must match.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The courses that rows must belong to, in addition to the filter.
    pub fn courses(&self) -> &CourseScope {
        &self.courses
    }
}
