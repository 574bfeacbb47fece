//! What the hub told the viewer.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::text::Text;

use super::catalog::{at_most, list_cost};
use super::context::ContextExt as _;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::notification::{self, Which};
use crate::notice::{Notice, Reader};

const NO_SUCH_NOTIFICATION: Text = Text::new("No existe esa notificación.", "There is no such notification.");
const UNKNOWN_TITLE: Text = Text::new("Un aviso del hub", "A notice of the hub");
const UNKNOWN_BODY: Text = Text::new(
    "Lo escribió una versión más nueva del hub, que sabe cómo decirlo.",
    "A newer version of the hub wrote it, and knows how to put it.",
);

/// Notifications.
#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// What the hub told the viewer, newest first, in the language that they read.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN with a player token, and with an API token that lacks READ; BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that were not read yet.", default_with = "Some(false)")]
        unread_only: Option<bool>,
        #[graphql(desc = "At most so many, from 0 to 500; 20 unless told.", default = 20)] first: Option<i32>,
    ) -> Result<Vec<Notification>> {
        let viewer = ctx.viewer_who_may(Act::ReadOwnNotifications)?;
        let limit = at_most("first", first.unwrap_or(20))?;
        let which = if unread_only.unwrap_or(false) { Which::Unread } else { Which::All };
        let mut conn = ctx.conn().await?;
        let told = notification::Notification::of(&mut conn, viewer.user_id, which, limit).await?;
        let reader = reader(ctx)?;
        Ok(told.into_iter().map(|row| Notification::new(row, reader)).collect())
    }
}

/// Reading notifications.
#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Says that the viewer read a notification of theirs; saying it again changes nothing.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN with a player token, and with an API token that lacks READ; NOT_FOUND for
    /// somebody else's.
    async fn mark_notification_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: Id,
    ) -> Result<Notification> {
        let viewer = ctx.viewer_who_may(Act::ReadOwnNotifications)?;
        let now = ctx.app().clock.now();
        let mut conn = ctx.conn().await?;
        let read = notification::Notification::mark_read(&mut conn, id.0, viewer.user_id, now).await?;
        let read = read.ok_or(Error::NotFound(NO_SUCH_NOTIFICATION.into()))?;
        Ok(Notification::new(read, reader(ctx)?))
    }
}

/// The language is the request's, as that of every other text in an answer.
fn reader(ctx: &Context<'_>) -> Result<Reader> {
    let by_choice = Reader::of(&ctx.identity()?.user, &ctx.app().config.hub);
    Ok(Reader { locale: ctx.request().locale, ..by_choice })
}

/// Something that the hub told somebody.
#[derive(SimpleObject)]
pub struct Notification {
    /// Identifies the notification.
    id: Id,
    /// What it is about, for programs: `telemetry_backlog`, `telemetry_backlog_gone`.
    kind: String,
    /// What it is about, in one line.
    title: String,
    /// What happened and what to do; paragraphs are apart by an empty line.
    body: String,
    /// When it was sent.
    created_at: DateTime<Utc>,
    /// When it was read; null while it is not.
    read_at: Option<DateTime<Utc>>,
}

impl Notification {
    fn new(row: notification::Notification, reader: Reader) -> Self {
        let notification::Notification { id, kind, data, created_at, read_at } = row;
        let (title, body) = match Notice::read(&kind, &data) {
            Some(notice) => (notice.title(reader.locale), notice.paragraphs(reader).join("\n\n")),
            None => [UNKNOWN_TITLE, UNKNOWN_BODY].map(|text| text.in_locale(reader.locale).to_owned()).into(),
        };
        Self { id: Id(id), kind, title, body, created_at, read_at }
    }
}
