//! Teachers' submissions as they are sent.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use domain::dataset::Dataset;
use domain::filter::FilterKey;
use serde_json::Value;

use super::Statement;
use super::course::MOST_TITLE;
use super::package::MOST_WORD;
use super::sent::Sent;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::teacher_submission::MirroredSubmission;
use crate::models::reference::Referenced;

/// The most characters of a summary or a feedback.
const MOST_PROSE: usize = 20_000;

/// A module, lesson or pack that a teacher proposed.
#[derive(InputObject)]
pub struct TeacherSubmissionInput {
    /// Its id on the platform.
    id: Sent<Id>,
    /// Who handed it in.
    teacher_id: Sent<Id>,
    /// The course that it is for.
    course_id: Option<Sent<Id>>,
    /// `module`, `lesson` or `pack`.
    #[graphql(name = "type")]
    kind: String,
    /// Its title, up to 500 characters.
    title: String,
    /// What it is about, up to 20,000 characters.
    summary: Option<String>,
    /// The proposal itself, up to 64 KiB.
    payload: Option<Value>,
    /// `pending`, `approved` or `rejected`.
    status: String,
    /// What the reviewer said, up to 20,000 characters.
    feedback: Option<String>,
    /// Who reviewed it.
    reviewed_by: Option<Sent<Id>>,
    /// When it was reviewed.
    reviewed_at: Option<Sent<DateTime<Utc>>>,
    /// What became of it: the kind of thing, up to 50 characters.
    result_type: Option<String>,
    /// What became of it: the thing's id.
    result_id: Option<Sent<Id>>,
    /// When it was handed in.
    created_at: Sent<DateTime<Utc>>,
}

impl Statement for TeacherSubmissionInput {
    type Row = MirroredSubmission;

    fn read(self, fields: &mut Reader) -> Option<MirroredSubmission> {
        let dataset = Dataset::TeacherSubmissions;
        let id = fields.id("id", self.id.number());
        let teacher_id = fields.reference("teacherId", Referenced::User, self.teacher_id.number());
        let course_id = fields.optional(self.course_id, |fields, sent| {
            fields.reference("courseId", Referenced::Course, sent.number())
        });
        let kind = fields.choice("type", &self.kind, dataset, FilterKey::Type);
        let title = fields.required_text("title", self.title, MOST_TITLE);
        let summary = fields.optional_text("summary", self.summary, MOST_PROSE);
        let payload = fields.optional(self.payload, |fields, sent| fields.json("payload", sent));
        let status = fields.choice("status", &self.status, dataset, FilterKey::Status);
        let feedback = fields.optional_text("feedback", self.feedback, MOST_PROSE);
        let reviewed_by = fields.optional(self.reviewed_by, |fields, sent| {
            fields.reference("reviewedBy", Referenced::User, sent.number())
        });
        let reviewed_at =
            fields.optional(self.reviewed_at, |fields, sent| fields.timestamp("reviewedAt", sent.0));
        let result_type = fields.optional_text("resultType", self.result_type, MOST_WORD);
        let result_id = fields.optional(self.result_id, |fields, sent| fields.id("resultId", sent.number()));
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
