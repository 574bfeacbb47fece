//! The GraphQL API: types, queries and mutations, one file per topic. This file merges them.
//!
//! Resolvers are short: they check the caller's permission, make one call, and convert the result. They know
//! nothing of diesel or HTTP.

pub mod account;
pub mod audit;
pub mod catalog;
mod connection;
pub mod context;
pub mod dataset;
pub mod estimate;
mod event_id;
pub mod import;
mod lenient;
pub mod limits;
pub mod mirror;
pub mod notification;
pub mod platform_event;
pub mod record;
pub mod reservation;
pub mod response;
pub mod saved_export;
pub mod schema;
pub mod sync;
pub mod token;
mod upload;
pub mod user;

/// The query root.
#[derive(async_graphql::MergedObject, Default)]
pub struct Query(
    account::AccountQuery,
    audit::AuditQuery,
    catalog::CatalogQuery,
    dataset::DatasetQuery,
    dataset::SeriesQuery,
    estimate::EstimateQuery,
    import::ImportQuery,
    notification::NotificationQuery,
    reservation::ReservationQuery,
    saved_export::SavedExportQuery,
    sync::SyncQuery,
    token::TokenQuery,
    user::UserQuery,
);

/// The mutation root.
#[derive(async_graphql::MergedObject, Default)]
pub struct Mutation(
    account::AccountMutation,
    import::ImportMutation,
    mirror::MirrorMutation,
    notification::NotificationMutation,
    platform_event::PlatformEventMutation,
    record::RecordMutation,
    saved_export::SavedExportMutation,
    sync::SyncMutation,
    token::TokenMutation,
    user::UserMutation,
);

/// The subscription root.
#[derive(async_graphql::MergedSubscription, Default)]
pub struct Subscription(sync::SyncSubscription, import::ImportSubscription);
