//! The GraphQL documents of the previews, one per dataset, each checked against the schema at compile time.

use domain::Dataset;
use graphql_client::GraphQLQuery;

use crate::api::scalars::{DateBound, DateTime, Json};

/// A GraphQL document and the name of its operation.
pub type Document = (&'static str, &'static str);

/// The document of a dataset.
pub fn document(dataset: Dataset) -> Document {
    match dataset {
        Dataset::VideoPlayerEvents => checked::<PreviewVideoPlayerEvents>((
            preview_video_player_events::QUERY,
            preview_video_player_events::OPERATION_NAME,
        )),
        Dataset::StudentActivitySnapshots => checked::<PreviewStudentActivitySnapshots>((
            preview_student_activity_snapshots::QUERY,
            preview_student_activity_snapshots::OPERATION_NAME,
        )),
        Dataset::TeacherActivitySnapshots => checked::<PreviewTeacherActivitySnapshots>((
            preview_teacher_activity_snapshots::QUERY,
            preview_teacher_activity_snapshots::OPERATION_NAME,
        )),
        Dataset::DiscordPractices => checked::<PreviewDiscordPractices>((
            preview_discord_practices::QUERY,
            preview_discord_practices::OPERATION_NAME,
        )),
        Dataset::PracticePackageOrders => checked::<PreviewPracticePackageOrders>((
            preview_practice_package_orders::QUERY,
            preview_practice_package_orders::OPERATION_NAME,
        )),
        Dataset::TeacherSubmissions => checked::<PreviewTeacherSubmissions>((
            preview_teacher_submissions::QUERY,
            preview_teacher_submissions::OPERATION_NAME,
        )),
        Dataset::CourseTeacherAssignments => checked::<PreviewCourseTeacherAssignments>((
            preview_course_teacher_assignments::QUERY,
            preview_course_teacher_assignments::OPERATION_NAME,
        )),
    }
}

/// Ties a document to the type that checks it against the schema.
#[expect(clippy::extra_unused_type_parameters, reason = "naming the type is the only purpose")]
fn checked<Q: GraphQLQuery>(document: Document) -> Document {
    document
}

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_video_player_events.graphql",
    normalization = "rust"
)]
struct PreviewVideoPlayerEvents;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_student_activity_snapshots.graphql",
    normalization = "rust"
)]
struct PreviewStudentActivitySnapshots;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_teacher_activity_snapshots.graphql",
    normalization = "rust"
)]
struct PreviewTeacherActivitySnapshots;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_discord_practices.graphql",
    normalization = "rust"
)]
struct PreviewDiscordPractices;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_practice_package_orders.graphql",
    normalization = "rust"
)]
struct PreviewPracticePackageOrders;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_teacher_submissions.graphql",
    normalization = "rust"
)]
struct PreviewTeacherSubmissions;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/preview_course_teacher_assignments.graphql",
    normalization = "rust"
)]
struct PreviewCourseTeacherAssignments;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::preview::camel_case;

    #[test]
    fn every_document_selects_every_column_of_its_dataset() {
        for dataset in Dataset::ALL {
            let words: Vec<&str> = document(dataset).0.split([' ', '\n', ':', '{', '}']).collect();
            for column in dataset.describe().columns {
                let name = camel_case(column.key);
                assert!(
                    words.contains(&name.as_str()),
                    "{name} is missing from the preview of {}",
                    dataset.key()
                );
            }
        }
    }
}
