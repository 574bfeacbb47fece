//! Input for teachers' submissions.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use domain::dataset::{Dataset, FilterKey};
use serde_json::Value;

use super::RowInput;
use super::course::MAX_TITLE_CHARACTERS;
use super::package::MAX_KEYWORD_CHARACTERS;
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::teacher_submission::MirroredSubmission;
use crate::models::reference::ReferencedTable;

/// The maximum length of a summary or of feedback.
const MAX_LONG_TEXT_CHARACTERS: usize = 20_000;

/// A module, lesson or pack that a teacher proposed.
#[derive(InputObject)]
pub struct TeacherSubmissionInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// ID of the teacher who submitted it.
    teacher_id: Lenient<Id>,
    /// ID of the course that it is for.
    course_id: Option<Lenient<Id>>,
    /// `module`, `lesson` or `pack`.
    #[graphql(name = "type")]
    kind: String,
    /// Title, up to 500 characters.
    title: String,
    /// Summary, up to 20,000 characters.
    summary: Option<String>,
    /// Content of the proposal, up to 64 KiB of JSON.
    payload: Option<Value>,
    /// `pending`, `approved` or `rejected`.
    status: String,
    /// Feedback of the reviewer, up to 20,000 characters.
    feedback: Option<String>,
    /// ID of the user who reviewed it.
    reviewed_by: Option<Lenient<Id>>,
    /// When it was reviewed.
    reviewed_at: Option<Lenient<DateTime<Utc>>>,
    /// Type of the resulting object, up to 50 characters.
    result_type: Option<String>,
    /// ID of the resulting object.
    result_id: Option<Lenient<Id>>,
    /// When it was submitted.
    created_at: Lenient<DateTime<Utc>>,
}

impl RowInput for TeacherSubmissionInput {
    type Row = MirroredSubmission;

    fn read(self, fields: &mut Reader) -> Option<MirroredSubmission> {
        let dataset = Dataset::TeacherSubmissions;
        let id = fields.id("id", self.id.number());
        let teacher_id = fields.reference("teacherId", ReferencedTable::User, self.teacher_id.number());
        let course_id = fields.optional(self.course_id, |fields, value| {
            fields.reference("courseId", ReferencedTable::Course, value.number())
        });
        let kind = fields.choice("type", &self.kind, dataset, FilterKey::TYPE);
        let title = fields.required_text("title", self.title, MAX_TITLE_CHARACTERS);
        let summary = fields.optional_text("summary", self.summary, MAX_LONG_TEXT_CHARACTERS);
        let payload = fields.optional(self.payload, |fields, value| fields.json("payload", value));
        let status = fields.choice("status", &self.status, dataset, FilterKey::STATUS);
        let feedback = fields.optional_text("feedback", self.feedback, MAX_LONG_TEXT_CHARACTERS);
        let reviewed_by = fields.optional(self.reviewed_by, |fields, value| {
            fields.reference("reviewedBy", ReferencedTable::User, value.number())
        });
        let reviewed_at =
            fields.optional(self.reviewed_at, |fields, value| fields.timestamp("reviewedAt", value.0));
        let result_type = fields.optional_text("resultType", self.result_type, MAX_KEYWORD_CHARACTERS);
        let result_id =
            fields.optional(self.result_id, |fields, value| fields.id("resultId", value.number()));
        let created_at = fields.timestamp("createdAt", self.created_at.0);
        Some(MirroredSubmission {
            id: id?,
            teacher_id: teacher_id?,
            course_id: course_id?,
            kind: kind?.into(),
            title: title?,
            summary: summary?,
            payload: payload?,
            status: status?.into(),
            feedback: feedback?,
            reviewed_by: reviewed_by?,
            reviewed_at: reviewed_at?,
            result_type: result_type?,
            result_id: result_id?,
            created_at: created_at?,
        })
    }
}
