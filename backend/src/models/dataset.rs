//! The row type of each dataset.

use domain::Dataset;

use super::course_teacher_assignment::CourseTeacherAssignment;
use super::discord_practice::DiscordPractice;
use super::practice_package_order::PracticePackageOrder;
use super::student_activity_snapshot::StudentActivitySnapshot;
use super::teacher_activity_snapshot::TeacherActivitySnapshot;
use super::teacher_submission::TeacherSubmission;
use super::video_player_event::VideoPlayerEvent;
use crate::source::Source;

/// Generic code that runs for a dataset known only at run time.
pub trait DatasetVisitor {
    /// The result.
    type Output;

    /// Runs for the row type.
    fn visit<S: Source>(self) -> Self::Output;
}

/// Runs the visitor for a dataset's row type.
pub fn visit<V: DatasetVisitor>(dataset: Dataset, visitor: V) -> V::Output {
    match dataset {
        Dataset::VideoPlayerEvents => visitor.visit::<VideoPlayerEvent>(),
        Dataset::StudentActivitySnapshots => visitor.visit::<StudentActivitySnapshot>(),
        Dataset::TeacherActivitySnapshots => visitor.visit::<TeacherActivitySnapshot>(),
        Dataset::DiscordPractices => visitor.visit::<DiscordPractice>(),
        Dataset::PracticePackageOrders => visitor.visit::<PracticePackageOrder>(),
        Dataset::TeacherSubmissions => visitor.visit::<TeacherSubmission>(),
        Dataset::CourseTeacherAssignments => visitor.visit::<CourseTeacherAssignment>(),
    }
}
