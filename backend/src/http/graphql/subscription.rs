//! Subscriptions over any transport: authorization and execution.
//!
//! The client authenticates once per connection. Authorization is checked again before each message and every
//! few seconds, so a subscription ends when its token expires or is revoked, or when the user is demoted or
//! deactivated.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Request, Response, ServerError};
use domain::access::{Act, Denied};
use domain::text::Text;
use domain::{Locale, Viewer};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tracing::warn;

use crate::app::App;
use crate::auth::identity::Identity;
use crate::error::Error;
use crate::graphql::context::AuthState;
use crate::graphql::limits;
use crate::graphql::response::{self, ResponseContext, Suggestions};
use crate::http::caller;

/// How often authorization is checked between messages.
pub const RECHECK_INTERVAL: Duration = Duration::from_secs(10);

const ONLY_SUBSCRIPTIONS: Text = Text::new(
    "Aquí solo se aceptan suscripciones. Envía las consultas y mutaciones por POST a /graphql.",
    "Only subscriptions are accepted here. Send queries and mutations by POST to /graphql.",
);

/// Why a subscription is refused or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// The token is not valid, or no longer valid.
    Unauthenticated,
    /// The user may use no subscription.
    Forbidden,
}

/// A token whose access is checked for as long as a subscription lasts.
#[derive(Clone)]
pub struct Access {
    app: App,
    token: Arc<str>,
}

impl Access {
    /// For a token that has just been checked.
    pub fn new(app: App, token: &str) -> Self {
        Self { app, token: token.into() }
    }

    /// Authenticates a client by its token.
    pub async fn authenticate(app: App, token: &str) -> Result<(Self, Identity), AccessError> {
        let identity =
            caller::authenticate(&app, token).await.ok().flatten().ok_or(AccessError::Unauthenticated)?;
        may_subscribe(&identity.viewer).map_err(|_| AccessError::Forbidden)?;
        Ok((Self::new(app, token), identity))
    }

    /// Whether the token still has access. If the check fails, the subscription continues: while the database
    /// is unavailable, it receives no data either.
    pub async fn check(&self) -> Result<(), AccessError> {
        match caller::authenticate(&self.app, &self.token).await {
            Ok(Some(identity)) => may_subscribe(&identity.viewer).map_err(|_| AccessError::Forbidden),
            Ok(None) => Err(AccessError::Unauthenticated),
            Err(Error::Unavailable) => Ok(()),
            Err(error) => {
                warn!(
                    code = error.code().as_str(),
                    "Failed to check whether a subscription still has access"
                );
                Ok(())
            }
        }
    }
}

/// Checks whether a user may use any subscription. Each one checks its own act when it starts. The progress of an import
/// checks it again, since a user who still sees the sync may no longer import.
pub fn may_subscribe(viewer: &Viewer) -> Result<(), Denied> {
    viewer.may(Act::SeeSync).or_else(|denied| viewer.may(Act::Import).map_err(|_| denied))
}

/// Executes subscriptions, and rejects queries and mutations.
#[derive(Clone)]
pub struct Subscriptions {
    app: App,
    locale: Locale,
    request_id: Arc<str>,
}

impl Subscriptions {
    /// For a client with this language.
    pub fn new(app: App, locale: Locale, request_id: &str) -> Self {
        Self { app, locale, request_id: request_id.into() }
    }

    /// The responses to a request.
    pub fn responses(&self, mut request: Request, data: Arc<Data>) -> BoxStream<'static, Response> {
        let auth = AuthState::in_data([&*data]);
        let context = ResponseContext {
            document: request.query.clone(),
            locale: self.locale,
            request_id: self.request_id.to_string(),
            suggestions: Suggestions::for_caller(auth, &self.app.config.graphql),
        };
        let responses = match limits::executed_operation(&mut request, auth) {
            Some(OperationType::Subscription) | None => {
                self.app.schema.execute_stream_with_session_data(request, data)
            }
            Some(OperationType::Query | OperationType::Mutation) => {
                let error = Error::invalid("query", ONLY_SUBSCRIPTIONS);
                let mut server_error = ServerError::new("", None);
                server_error.source = Some(Arc::new(error));
                stream::iter([Response::from_errors(vec![server_error])]).boxed()
            }
        };
        responses.map(move |response| response::finish(response, &context)).boxed()
    }
}

impl Executor for Subscriptions {
    async fn execute(&self, request: Request) -> Response {
        let mut responses = self.responses(request, Arc::default());
        responses.next().await.unwrap_or_default()
    }

    fn execute_stream(&self, request: Request, data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.responses(request, data.unwrap_or_default())
    }
}
