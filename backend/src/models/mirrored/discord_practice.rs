//! Live practices as the learning platform states them.

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

/// What the platform says of one practice.
#[derive(Debug, PartialEq, Insertable, Queryable, Selectable)]
#[diesel(table_name = practices)]
pub struct MirroredPractice {
    /// Its id on the platform.
    pub id: i64,
    /// The lesson that is practised.
    pub lesson_id: i64,
    /// Its title.
    pub title: String,
    /// `cohort`, `global` or another name.
    #[diesel(column_name = type_)]
    pub kind: String,
    /// `scheduled`, `cancelled` or `completed`.
    pub status: Cow<'static, str>,
    /// When it starts.
    pub start_at: DateTime<Utc>,
    /// When it ends.
    #[diesel(select_expression = practices::end_at.assume_not_null())]
    pub end_at: DateTime<Utc>,
    /// How long it was planned to be.
    pub duration_minutes: i32,
    /// How many may take part.
    pub capacity: i32,
    /// Whether a seat costs a session of a pack.
    pub requires_package: bool,
    /// The pack that is meant.
    pub practice_package_id: Option<i64>,
    /// Who planned it.
    pub creator_id: Option<i64>,
    /// The cohort that it is for.
    pub cohort_label: Option<String>,
    /// Where it takes place.
    pub discord_channel_url: Option<String>,
    /// What opens the meeting.
    pub meeting_token: Option<MeetingToken>,
}

/// A secret that goes into the database and is shown nowhere.
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
    /// Those of these practices that are stored. One without an end was not stored by the mirror, and is left out.
    pub async fn stored(conn: &mut Connection, ids: &[i64]) -> QueryResult<Vec<Self>> {
        practices::table
            .filter(practices::id.eq_any(ids))
            .filter(practices::end_at.is_not_null())
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Stores the rows and answers with how many were new or changed.
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
        let stamped: Vec<_> = rows
            .iter()
            .map(|row| (row, practices::created_at.eq(now), practices::updated_at.eq(now)))
            .collect();
        diesel::insert_into(practices::table)
            .values(stamped)
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
