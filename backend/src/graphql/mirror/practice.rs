//! Input for live practices.

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use domain::dataset::{Dataset, FilterKey};
use domain::filter::Problem;

use super::RowInput;
use super::course::MAX_TITLE_CHARACTERS;
use super::package::MAX_KEYWORD_CHARACTERS;
use crate::graphql::lenient::Lenient;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::discord_practice::{MeetingToken, MirroredPractice};
use crate::models::reference::ReferencedTable;

/// One year.
const MAX_DURATION_MINUTES: i32 = 525_600;
const MAX_CAPACITY: i32 = 1_000_000;
const MAX_LABEL_CHARACTERS: usize = 200;
/// The maximum length of a URL or a meeting token.
const MAX_URL_CHARACTERS: usize = 2_000;

const DEFAULT_DURATION_MINUTES: i32 = 60;
const DEFAULT_CAPACITY: i32 = 12;
const DEFAULT_TYPE: &str = "cohort";
const DEFAULT_STATUS: &str = "scheduled";

/// A live practice on Discord.
#[derive(InputObject)]
pub struct DiscordPracticeInput {
    /// ID on the platform.
    id: Lenient<Id>,
    /// ID of the lesson.
    lesson_id: Lenient<Id>,
    /// Title, up to 500 characters.
    title: String,
    /// `cohort`, `global` or another type, up to 50 characters.
    #[graphql(name = "type", default_with = "Some(DEFAULT_TYPE.to_owned())")]
    kind: Option<String>,
    /// `scheduled`, `cancelled` or `completed`.
    #[graphql(default_with = "Some(DEFAULT_STATUS.to_owned())")]
    status: Option<String>,
    /// When it starts.
    start_at: Lenient<DateTime<Utc>>,
    /// When it ends. Default: `durationMinutes` after the start.
    end_at: Option<Lenient<DateTime<Utc>>>,
    /// Planned duration in minutes, at least 1.
    #[graphql(default_with = "Some(Lenient(Some(DEFAULT_DURATION_MINUTES)))")]
    duration_minutes: Option<Lenient<i32>>,
    /// Maximum number of participants, at least 1.
    #[graphql(default_with = "Some(Lenient(Some(DEFAULT_CAPACITY)))")]
    capacity: Option<Lenient<i32>>,
    /// Whether a reservation uses a session of a pack.
    #[graphql(default_with = "Some(false)")]
    requires_package: Option<bool>,
    /// ID of the required pack. Any pack if left out.
    practice_package_id: Option<Lenient<Id>>,
    /// ID of the user who created it.
    creator_id: Option<Lenient<Id>>,
    /// Name of the cohort, up to 200 characters.
    cohort_label: Option<String>,
    /// URL of the Discord channel, up to 2,000 characters.
    discord_channel_url: Option<String>,
    /// Secret token of the meeting, up to 2,000 characters. The Hub never reveals it.
    meeting_token: Option<String>,
}

impl RowInput for DiscordPracticeInput {
    type Row = MirroredPractice;

    fn read(self, fields: &mut Reader) -> Option<MirroredPractice> {
        let id = fields.id("id", self.id.number());
        let lesson_id = fields.reference("lessonId", ReferencedTable::Lesson, self.lesson_id.number());
        let title = fields.required_text("title", self.title, MAX_TITLE_CHARACTERS);
        let kind = fields.required_text(
            "type",
            self.kind.unwrap_or_else(|| DEFAULT_TYPE.to_owned()),
            MAX_KEYWORD_CHARACTERS,
        );
        let status = self.status.as_deref().unwrap_or(DEFAULT_STATUS);
        let status = fields.choice("status", status, Dataset::DiscordPractices, FilterKey::STATUS);
        let minutes = self.duration_minutes.map_or(Some(DEFAULT_DURATION_MINUTES), |value| value.0);
        let duration_minutes = fields.number("durationMinutes", minutes, 1, MAX_DURATION_MINUTES);
        let seats = self.capacity.map_or(Some(DEFAULT_CAPACITY), |value| value.0);
        let capacity = fields.number("capacity", seats, 1, MAX_CAPACITY);
        let start_at = fields.timestamp("startAt", self.start_at.0);
        let end_at = fields.optional(self.end_at, |fields, value| fields.timestamp("endAt", value.0));
        let end_at = match (start_at, end_at) {
            (Some(start), Some(Some(end))) if end < start => {
                fields.invalid("endAt", Problem::Reversed.message())
            }
            (_, Some(Some(end))) => Some(end),
            (Some(start), Some(None)) => {
                duration_minutes.map(|minutes| start + TimeDelta::minutes(minutes.into()))
            }
            (_, None) | (None, _) => None,
        };
        let practice_package_id = fields.optional(self.practice_package_id, |fields, value| {
            fields.reference("practicePackageId", ReferencedTable::Package, value.number())
        });
        let creator_id = fields.optional(self.creator_id, |fields, value| {
            fields.reference("creatorId", ReferencedTable::User, value.number())
        });
        let cohort_label = fields.optional_text("cohortLabel", self.cohort_label, MAX_LABEL_CHARACTERS);
        let discord_channel_url =
            fields.optional_text("discordChannelUrl", self.discord_channel_url, MAX_URL_CHARACTERS);
        let meeting_token = fields.optional_text("meetingToken", self.meeting_token, MAX_URL_CHARACTERS);
        Some(MirroredPractice {
            id: id?,
            lesson_id: lesson_id?,
            title: title?,
            kind: kind?,
            status: status?.into(),
            start_at: start_at?,
            end_at: end_at?,
            duration_minutes: duration_minutes?,
            capacity: capacity?,
            requires_package: self.requires_package.unwrap_or_default(),
            practice_package_id: practice_package_id?,
            creator_id: creator_id?,
            cohort_label: cohort_label?,
            discord_channel_url: discord_channel_url?,
            meeting_token: meeting_token?.map(|token| MeetingToken(token.into())),
        })
    }
}
