//! The row type of each dataset.

pub mod course_teacher_assignment;
pub mod discord_practice;
pub mod practice_package_order;
pub mod student_activity_snapshot;
pub mod teacher_activity_snapshot;
pub mod teacher_submission;
pub mod video_player_event;

use domain::Dataset;

use crate::source::Source;

use course_teacher_assignment::CourseTeacherAssignment;
use discord_practice::DiscordPractice;
use practice_package_order::PracticePackageOrder;
use student_activity_snapshot::StudentActivitySnapshot;
use teacher_activity_snapshot::TeacherActivitySnapshot;
use teacher_submission::TeacherSubmission;
use video_player_event::VideoPlayerEvent;

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
