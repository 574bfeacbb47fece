//! Permission to read a dataset.

use super::{Act, CourseScope, Denied, Role, TokenScope, Viewer};
use crate::dataset::{Dataset, FilterKey};
use crate::filter::Filter;

/// Permission to read the rows of one dataset that match one filter.
///
/// Every function that reads, counts, estimates, charts or exports rows takes a `Grant`. Only [`Grant::to_read`],
/// [`Grant::to_export`], [`Grant::to_export_person`] and, on the server's command line, [`Grant::to_operate`] create one, so
/// no code path can bypass the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    dataset: Dataset,
    filter: Filter,
    courses: CourseScope,
    person: Option<i64>,
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
        Self { dataset, filter, courses: CourseScope::Any, person: None }
    }

    /// Permission to download the rows about one person, for that person, as a file.
    pub fn to_export_person(viewer: &Viewer, dataset: Dataset, person: i64) -> Result<Self, Denied> {
        viewer.may(Act::ManageUsers)?;
        Ok(Self::to_operate(dataset, Filter::default()).about(person))
    }

    /// The same permission, but only for the rows about this person.
    #[must_use]
    pub fn about(self, person: i64) -> Self {
        Self { person: Some(person), ..self }
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
        Ok(Self { dataset, filter, courses, person: None })
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

    /// The id of the person whom rows must be about, in addition to the filter.
    pub fn person(&self) -> Option<i64> {
        self.person
    }
}
