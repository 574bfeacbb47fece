//! GraphQL: types, queries and mutations, one file a topic; this file merges them.
//!
//! Resolvers are short: context, grant, one call, shape. They know nothing of diesel or HTTP.

pub mod account;
pub mod answer;
pub mod audit;
pub mod catalog;
mod connection;
pub mod context;
pub mod dataset;
pub mod import;
pub mod limits;
pub mod mirror;
pub mod notification;
pub mod record;
pub mod schema;
pub mod sync;
pub mod token;
mod upload;
pub mod user;

/// Everything that can be asked.
#[derive(async_graphql::MergedObject, Default)]
pub struct Query(
    account::AccountQuery,
    audit::AuditQuery,
    catalog::CatalogQuery,
    dataset::DatasetQuery,
    dataset::SeriesQuery,
    import::ImportQuery,
    notification::NotificationQuery,
    sync::SyncQuery,
    token::TokenQuery,
    user::UserQuery,
);

/// Everything that can be changed.
#[derive(async_graphql::MergedObject, Default)]
pub struct Mutation(
    account::AccountMutation,
    import::ImportMutation,
    mirror::MirrorMutation,
    notification::NotificationMutation,
    record::RecordMutation,
    sync::SyncMutation,
    token::TokenMutation,
    user::UserMutation,
);

/// Everything that can be watched.
#[derive(async_graphql::MergedSubscription, Default)]
pub struct Subscription(sync::SyncSubscription);
