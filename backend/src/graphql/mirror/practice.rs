//! Live practices as they are sent.

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Text;
use domain::dataset::Dataset;
use domain::filter::FilterKey;

use super::Statement;
use super::course::MOST_TITLE;
use super::package::MOST_WORD;
use super::sent::Sent;
use crate::id::Id;
use crate::mirror::Reader;
use crate::models::mirrored::discord_practice::{MeetingToken, MirroredPractice};
use crate::models::reference::Referenced;

/// The most minutes of a practice: a year.
const MOST_MINUTES: i32 = 525_600;
/// The most seats of a practice.
const MOST_SEATS: i32 = 1_000_000;
/// The most characters of a cohort's name.
const MOST_LABEL: usize = 200;
/// The most characters of an address or a token.
const MOST_ADDRESS: usize = 2_000;

/// What a practice has that leaves them out.
const DURATION_MINUTES: i32 = 60;
const CAPACITY: i32 = 12;
const TYPE: &str = "cohort";
const STATUS: &str = "scheduled";

const ENDS_TOO_EARLY: Text = Text::new("El final es anterior al comienzo.", "The end is before the start.");

/// A live practice on Discord.
#[derive(InputObject)]
pub struct DiscordPracticeInput {
    /// Its id on the platform.
    id: Sent<Id>,
    /// The lesson that is practised.
    lesson_id: Sent<Id>,
    /// Its title, up to 500 characters.
    title: String,
    /// `cohort`, `global` or another word, up to 50 characters.
    #[graphql(name = "type", default_with = "Some(TYPE.to_owned())")]
    kind: Option<String>,
    /// `scheduled`, `cancelled` or `completed`.
    #[graphql(default_with = "Some(STATUS.to_owned())")]
    status: Option<String>,
    /// When it starts.
    start_at: Sent<DateTime<Utc>>,
    /// When it ends; `durationMinutes` after the start where it is left out.
    end_at: Option<Sent<DateTime<Utc>>>,
    /// How long it is planned to be, in minutes.
    #[graphql(default_with = "Some(Sent(Some(DURATION_MINUTES)))")]
    duration_minutes: Option<Sent<i32>>,
    /// How many may take part, from 1 on.
    #[graphql(default_with = "Some(Sent(Some(CAPACITY)))")]
    capacity: Option<Sent<i32>>,
    /// Whether a seat costs a session of a pack.
    #[graphql(default_with = "Some(false)")]
    requires_package: Option<bool>,
    /// The pack that is meant; any, where it is left out.
    practice_package_id: Option<Sent<Id>>,
    /// Who planned it.
    creator_id: Option<Sent<Id>>,
    /// The cohort that it is for, up to 200 characters.
    cohort_label: Option<String>,
    /// Where it takes place, up to 2,000 characters.
    discord_channel_url: Option<String>,
    /// The secret that opens the meeting, up to 2,000 characters. It is never given out.
    meeting_token: Option<String>,
}

impl Statement for DiscordPracticeInput {
    type Row = MirroredPractice;

    fn read(self, fields: &mut Reader) -> Option<MirroredPractice> {
        let id = fields.id("id", self.id.number());
        let lesson_id = fields.reference("lessonId", Referenced::Lesson, self.lesson_id.number());
        let title = fields.required_text("title", self.title, MOST_TITLE);
        let kind = fields.required_text("type", self.kind.unwrap_or_else(|| TYPE.to_owned()), MOST_WORD);
        let status = self.status.as_deref().unwrap_or(STATUS);
        let status = fields.choice("status", status, Dataset::DiscordPractices, FilterKey::Status);
        let minutes = self.duration_minutes.map_or(Some(DURATION_MINUTES), |sent| sent.0);
        let duration_minutes = fields.number("durationMinutes", minutes, 1, MOST_MINUTES);
        let seats = self.capacity.map_or(Some(CAPACITY), |sent| sent.0);
        let capacity = fields.number("capacity", seats, 1, MOST_SEATS);
        let start_at = fields.timestamp("startAt", self.start_at.0);
        let end_at = fields.optional(self.end_at, |fields, sent| fields.timestamp("endAt", sent.0));
        let end_at = match (start_at, end_at) {
            (Some(start), Some(Some(end))) if end < start => fields.invalid("endAt", ENDS_TOO_EARLY),
            (_, Some(Some(end))) => Some(end),
            (Some(start), Some(None)) => {
                duration_minutes.map(|minutes| start + TimeDelta::minutes(minutes.into()))
            }
            (_, None) | (None, _) => None,
        };
        let practice_package_id = fields.optional(self.practice_package_id, |fields, sent| {
            fields.reference("practicePackageId", Referenced::Package, sent.number())
        });
        let creator_id = fields.optional(self.creator_id, |fields, sent| {
            fields.reference("creatorId", Referenced::User, sent.number())
        });
        let cohort_label = fields.optional_text("cohortLabel", self.cohort_label, MOST_LABEL);
        let discord_channel_url =
            fields.optional_text("discordChannelUrl", self.discord_channel_url, MOST_ADDRESS);
        let meeting_token = fields.optional_text("meetingToken", self.meeting_token, MOST_ADDRESS);
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
