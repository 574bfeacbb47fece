//! Any dataset's source behind one face, for code that learns at run time which dataset it is about.

use std::marker::PhantomData;

use chrono_tz::Tz;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::{Dataset, Grant};
use futures_util::future::BoxFuture;

use super::{RawRows, ReadQuery as _, Seek, Source, estimate};
use crate::models::course_teacher_assignment::CourseTeacherAssignment;
use crate::models::discord_practice::DiscordPractice;
use crate::models::practice_package_order::PracticePackageOrder;
use crate::models::student_activity_snapshot::StudentActivitySnapshot;
use crate::models::teacher_activity_snapshot::TeacherActivitySnapshot;
use crate::models::teacher_submission::TeacherSubmission;
use crate::models::video_player_event::VideoPlayerEvent;

/// A dataset's source.
pub trait AnySource: Send + Sync {
    /// See [`Source::FIELDS`].
    fn fields(&self) -> &'static [&'static str];

    /// See [`Source::EMAILS`].
    fn emails(&self) -> &'static [(&'static str, &'static str)];

    /// See [`estimate`].
    fn estimate<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &'a Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<i64>>;

    /// All rows in the stable order.
    fn stream<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<RawRows<'a>>>;
}

struct Of<S>(PhantomData<fn() -> S>);

impl<S: Source> AnySource for Of<S> {
    fn fields(&self) -> &'static [&'static str] {
        S::FIELDS
    }

    fn emails(&self) -> &'static [(&'static str, &'static str)] {
        S::EMAILS
    }

    fn estimate<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &'a Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<i64>> {
        Box::pin(estimate::<S>(conn, grant, zone))
    }

    fn stream<'a>(
        &self,
        conn: &'a mut AsyncPgConnection,
        grant: &Grant,
        zone: Tz,
    ) -> BoxFuture<'a, QueryResult<RawRows<'a>>> {
        let query = S::query(grant, zone, Seek::First);
        Box::pin(query.stream(conn))
    }
}

/// The source of a dataset.
pub fn of(dataset: Dataset) -> &'static dyn AnySource {
    match dataset {
        Dataset::VideoPlayerEvents => &Of::<VideoPlayerEvent>(PhantomData),
        Dataset::StudentActivitySnapshots => &Of::<StudentActivitySnapshot>(PhantomData),
        Dataset::TeacherActivitySnapshots => &Of::<TeacherActivitySnapshot>(PhantomData),
        Dataset::DiscordPractices => &Of::<DiscordPractice>(PhantomData),
        Dataset::PracticePackageOrders => &Of::<PracticePackageOrder>(PhantomData),
        Dataset::TeacherSubmissions => &Of::<TeacherSubmission>(PhantomData),
        Dataset::CourseTeacherAssignments => &Of::<CourseTeacherAssignment>(PhantomData),
    }
}
