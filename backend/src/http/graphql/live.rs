//! Subscriptions, whichever way they come in: who may have them, and for how long.
//!
//! A connection that stays open proves once who is behind it. What they may see is asked anew before each message and
//! every few seconds between, so that a token that expired or was revoked, a role or an account that was taken away ends
//! what is under way.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Request, Response, ServerError};
use domain::Locale;
use domain::access::Act;
use domain::text::Text;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tracing::warn;

use crate::app::App;
use crate::auth::identity::Identity;
use crate::error::Error;
use crate::graphql::answer::{self, Asked, Suggestions};
use crate::graphql::context::AuthState;
use crate::graphql::limits;
use crate::http::caller;

/// What may be seen is asked anew no less often.
pub const ASKED_ANEW: Duration = Duration::from_secs(10);

const ONLY_SUBSCRIPTIONS: Text = Text::new(
    "Por aquí solo se aceptan suscripciones; las consultas y los cambios van por POST a /graphql.",
    "Only subscriptions are taken here; queries and mutations go by POST to /graphql.",
);

/// Why somebody is not, or no longer, let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// The token is not good, or not any more.
    Unauthenticated,
    /// They may not see what is sent here.
    Forbidden,
}

/// Whoever is behind a token, for as long as it is good.
#[derive(Clone)]
pub struct Access {
    app: App,
    token: Arc<str>,
}

impl Access {
    /// For a token that was looked at just now.
    pub fn new(app: App, token: &str) -> Self {
        Self { app, token: token.into() }
    }

    /// Lets somebody in by their token, and says who they are.
    pub async fn admit(app: App, token: &str) -> Result<(Self, Identity), CutOff> {
        let identity = caller::find(&app, token).await.ok().flatten().ok_or(CutOff::Unauthenticated)?;
        identity.viewer.may(Act::SeeSync).map_err(|_| CutOff::Forbidden)?;
        Ok((Self::new(app, token), identity))
    }

    /// Whether it is good now. Where the database does not say, nobody is cut off: nothing comes from it either.
    pub async fn ask(&self) -> Result<(), CutOff> {
        match caller::find(&self.app, &self.token).await {
            Ok(Some(identity)) => identity.viewer.may(Act::SeeSync).map_err(|_| CutOff::Forbidden),
            Ok(None) => Err(CutOff::Unauthenticated),
            Err(Error::Unavailable) => Ok(()),
            Err(error) => {
                warn!(code = error.code().as_str(), "Whether a subscription may go on cannot be seen");
                Ok(())
            }
        }
    }
}

/// Carries subscriptions out, and nothing else.
#[derive(Clone)]
pub struct Subscriptions {
    app: App,
    locale: Locale,
    request_id: Arc<str>,
}

impl Subscriptions {
    /// For somebody who reads this language.
    pub fn new(app: App, locale: Locale, request_id: &str) -> Self {
        Self { app, locale, request_id: request_id.into() }
    }

    /// The answers to a request.
    pub fn answers(&self, mut request: Request, data: Arc<Data>) -> BoxStream<'static, Response> {
        let auth = AuthState::in_data([&*data]);
        let asked = Asked {
            document: request.query.clone(),
            locale: self.locale,
            request_id: self.request_id.to_string(),
            suggestions: Suggestions::for_caller(auth, &self.app.config.graphql),
        };
        let is_one = match limits::parse(&mut request, auth) {
            Ok(document) => document
                .operations
                .iter()
                .all(|(_, operation)| operation.node.ty == OperationType::Subscription),
            // Too much at once, or not GraphQL at all: let the answer say what and where.
            Err(_) => true,
        };
        let answers = if is_one {
            self.app.schema.execute_stream_with_session_data(request, data)
        } else {
            let error = Error::invalid("query", ONLY_SUBSCRIPTIONS);
            let mut refused = ServerError::new("", None);
            refused.source = Some(Arc::new(error));
            stream::iter([Response::from_errors(vec![refused])]).boxed()
        };
        answers.map(move |response| answer::finish(response, &asked)).boxed()
    }
}

impl Executor for Subscriptions {
    async fn execute(&self, request: Request) -> Response {
        let mut answers = self.answers(request, Arc::default());
        answers.next().await.unwrap_or_default()
    }

    fn execute_stream(&self, request: Request, data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.answers(request, data.unwrap_or_default())
    }
}
