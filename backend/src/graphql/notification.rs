//! Notifications of the viewer.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::Act;
use domain::text::Text;

use super::connection::{list_cost, page_size};
use super::context::ContextExt as _;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::models::notification::{self, NotificationFilter};
use crate::notification::{DisplayPreferences, NotificationContent};

const NO_SUCH_NOTIFICATION: Text =
    Text::new("No existe esa notificación.", "This notification does not exist.");
const UNKNOWN_TITLE: Text = Text::new("Un aviso del hub", "A notification from the hub");
const UNKNOWN_BODY: Text = Text::new(
    "La envió una versión más nueva del hub; esta no sabe mostrarla.",
    "It was sent by a newer version of the hub, and this version cannot display it.",
);

/// Notifications.
#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// The viewer's notifications, newest first, in the language of the request.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN with a player token, and with an API token without the scope READ;
    /// BAD_USER_INPUT.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only unread notifications.", default_with = "Some(false)")] unread_only: Option<
            bool,
        >,
        #[graphql(desc = "Maximum number of items, 0–500. Default 20.", default = 20)] first: Option<i32>,
    ) -> Result<Vec<Notification>> {
        let viewer = ctx.viewer_who_may(Act::ReadOwnNotifications)?;
        let limit = page_size(first.unwrap_or(20))?;
        let which =
            if unread_only.unwrap_or(false) { NotificationFilter::Unread } else { NotificationFilter::All };
        let mut conn = ctx.conn().await?;
        let rows = notification::Notification::for_user(&mut conn, viewer.user_id, which, limit).await?;
        let reader = reader(ctx)?;
        Ok(rows.into_iter().map(|row| Notification::new(row, reader)).collect())
    }
}

/// Marks notifications as read.
#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks a notification of the viewer as read. Repeating it changes nothing.
    ///
    /// Errors: UNAUTHENTICATED; FORBIDDEN with a player token, and with an API token without the scope READ;
    /// NOT_FOUND for another user's notification.
    async fn mark_notification_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the notification.")] id: Id,
    ) -> Result<Notification> {
        let viewer = ctx.viewer_who_may(Act::ReadOwnNotifications)?;
        let now = ctx.app().clock.now();
        let mut conn = ctx.conn().await?;
        let read = notification::Notification::mark_read(&mut conn, id.0, viewer.user_id, now).await?;
        let read = read.ok_or(Error::NotFound(NO_SUCH_NOTIFICATION.into()))?;
        Ok(Notification::new(read, reader(ctx)?))
    }
}

/// The language is that of the request, as for all other texts of a response.
fn reader(ctx: &Context<'_>) -> Result<DisplayPreferences> {
    let by_choice = DisplayPreferences::of(&ctx.identity()?.user, &ctx.app().config.hub);
    Ok(DisplayPreferences { locale: ctx.request().locale, ..by_choice })
}

/// A message from the hub to a user.
#[derive(SimpleObject)]
pub struct Notification {
    /// ID of the notification.
    id: Id,
    /// Kind of the notification, for programs: `telemetry_backlog`, `telemetry_backlog_gone`.
    kind: String,
    /// Title in one line.
    title: String,
    /// What happened and what to do. Paragraphs are separated by empty lines.
    body: String,
    /// When it was sent.
    created_at: DateTime<Utc>,
    /// When it was read. Null if unread.
    read_at: Option<DateTime<Utc>>,
}

impl Notification {
    fn new(row: notification::Notification, reader: DisplayPreferences) -> Self {
        let notification::Notification { id, kind, data, created_at, read_at } = row;
        let (title, body) = match NotificationContent::from_stored(&kind, &data) {
            Some(content) => {
                let DisplayPreferences { locale, zone } = reader;
                let paragraphs =
                    content.paragraphs(zone).into_iter().map(|phrase| phrase.into_locale(locale));
                (content.title().into_locale(locale), paragraphs.collect::<Vec<_>>().join("\n\n"))
            }
            None => [UNKNOWN_TITLE, UNKNOWN_BODY].map(|text| text.in_locale(reader.locale).to_owned()).into(),
        };
        Self { id: Id(id), kind, title, body, created_at, read_at }
    }
}
