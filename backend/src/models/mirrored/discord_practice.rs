//! Live practices, as sent by the learning platform.

use std::borrow::Cow;
use std::io::Write as _;

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use secrecy::{ExposeSecret as _, SecretString};

use crate::db::Connection;
use crate::db::schema::discord_practices as practices;

/// A practice, as sent by the platform.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = practices)]
pub struct MirroredPractice {
    /// Id on the platform.
    pub id: i64,
    pub lesson_id: i64,
    pub title: String,
    /// `cohort`, `global` or another name.
    #[diesel(column_name = type_)]
    pub kind: String,
    /// `scheduled`, `cancelled` or `completed`.
    pub status: Cow<'static, str>,
    pub start_at: DateTime<Utc>,
    #[diesel(select_expression = practices::end_at.assume_not_null())]
    pub end_at: DateTime<Utc>,
    /// Planned duration.
    pub duration_minutes: i32,
    /// Number of seats.
    pub capacity: i32,
    /// Whether a reservation uses a session of a pack.
    pub requires_package: bool,
    /// Id of the pack that reservations use.
    pub practice_package_id: Option<i64>,
    pub creator_id: Option<i64>,
    pub cohort_label: Option<String>,
    pub discord_channel_url: Option<String>,
    /// Secret that gives access to the meeting.
    pub meeting_token: Option<MeetingToken>,
}

/// A secret that is stored but never displayed.
#[derive(Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct MeetingToken(pub SecretString);

impl ToSql<Text, Pg> for MeetingToken {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.expose_secret().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Text, Pg> for MeetingToken {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Pg>>::from_sql(value).map(|token| Self(token.into()))
    }
}

impl PartialEq for MeetingToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl MirroredPractice {
    /// The stored practices with these ids. Practices without an end are excluded, because the mirror did not
    /// store them.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        practices::table
            .filter(practices::id.eq_any(ids))
            .filter(practices::end_at.is_not_null())
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Inserts or updates the rows, and returns the number of new and changed rows.
    pub async fn upsert(conn: &mut Connection, rows: &[Self], now: DateTime<Utc>) -> QueryResult<usize> {
        use diesel::query_dsl::methods::FilterDsl as _;

        let changed = practices::lesson_id
            .is_distinct_from(excluded(practices::lesson_id))
            .or(practices::title.is_distinct_from(excluded(practices::title)))
            .or(practices::type_.is_distinct_from(excluded(practices::type_)))
            .or(practices::status.is_distinct_from(excluded(practices::status)))
            .or(practices::start_at.is_distinct_from(excluded(practices::start_at)))
            .or(practices::end_at.is_distinct_from(excluded(practices::end_at)))
            .or(practices::duration_minutes.is_distinct_from(excluded(practices::duration_minutes)))
            .or(practices::capacity.is_distinct_from(excluded(practices::capacity)))
            .or(practices::requires_package.is_distinct_from(excluded(practices::requires_package)))
            .or(practices::practice_package_id.is_distinct_from(excluded(practices::practice_package_id)))
            .or(practices::creator_id.is_distinct_from(excluded(practices::creator_id)))
            .or(practices::cohort_label.is_distinct_from(excluded(practices::cohort_label)))
            .or(practices::discord_channel_url.is_distinct_from(excluded(practices::discord_channel_url)))
            .or(practices::meeting_token.is_distinct_from(excluded(practices::meeting_token)));
        let with_timestamps: Vec<_> = rows
            .iter()
            .map(|row| (row, practices::created_at.eq(now), practices::updated_at.eq(now)))
            .collect();
        diesel::insert_into(practices::table)
            .values(with_timestamps)
            .on_conflict(practices::id)
            .do_update()
            .set((
                practices::lesson_id.eq(excluded(practices::lesson_id)),
                practices::title.eq(excluded(practices::title)),
                practices::type_.eq(excluded(practices::type_)),
                practices::status.eq(excluded(practices::status)),
                practices::start_at.eq(excluded(practices::start_at)),
                practices::end_at.eq(excluded(practices::end_at)),
                practices::duration_minutes.eq(excluded(practices::duration_minutes)),
                practices::capacity.eq(excluded(practices::capacity)),
                practices::requires_package.eq(excluded(practices::requires_package)),
                practices::practice_package_id.eq(excluded(practices::practice_package_id)),
                practices::creator_id.eq(excluded(practices::creator_id)),
                practices::cohort_label.eq(excluded(practices::cohort_label)),
                practices::discord_channel_url.eq(excluded(practices::discord_channel_url)),
                practices::meeting_token.eq(excluded(practices::meeting_token)),
                practices::updated_at.eq(excluded(practices::updated_at)),
            ))
            .filter(changed)
            .execute(conn)
            .await
    }
}
