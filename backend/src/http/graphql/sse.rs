//! `POST /graphql/stream`: one subscription as server-sent events, for clients without WebSocket. Each
//! response is an event `next`, and the last event is `complete`. The token is in the `Authorization` header,
//! as in any other request. When the server shuts down, the stream ends without `complete`, so that the
//! client reconnects.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{MissedTickBehavior, interval};

use super::refusal::Refusal;
use super::subscription::{Access, RECHECK_INTERVAL, Subscriptions, may_subscribe};
use crate::app::App;
use crate::error::Error;
use crate::http::caller::{Caller, bearer_token};

/// The route.
pub fn route() -> MethodRouter<App> {
    post(subscribe)
}

async fn subscribe(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    request: Result<Json<async_graphql::Request>, JsonRejection>,
) -> Response {
    let Some(token) = bearer_token(&headers) else {
        return caller.problem(&Error::Unauthenticated).into_response();
    };
    let request = match request {
        Ok(Json(request)) => request,
        Err(JsonRejection::MissingJsonContentType(_)) => {
            return Refusal::WrongContentType.problem(&caller).into_response();
        }
        Err(rejection) => return Refusal::NotGraphql(rejection.body_text()).problem(&caller).into_response(),
    };
    if let Err(error) = caller.viewer().and_then(|viewer| Ok(may_subscribe(viewer)?)) {
        return caller.problem(&error).into_response();
    }
    let (access, shutdown) = (Access::new(app.clone(), token), app.shutdown.clone());
    let subscriptions = Subscriptions::new(app.clone(), caller.locale, &caller.request_id);
    let responses = subscriptions.responses(request, Arc::new(caller.into_data(&app)));
    let events = events(responses, access).take_until(shutdown.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

fn events(
    responses: impl Stream<Item = async_graphql::Response> + Send + 'static,
    access: Access,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let mut recheck = interval(RECHECK_INTERVAL);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events =
        stream::unfold((responses.boxed(), access, recheck), |(mut responses, access, mut recheck)| async {
            loop {
                let response = tokio::select! {
                    response = responses.next() => Some(response?),
                    _ = recheck.tick() => None,
                };
                access.check().await.ok()?;
                if let Some(response) = response {
                    let event = Event::default().event("next").json_data(&response).ok()?;
                    return Some((Ok(event), (responses, access, recheck)));
                }
            }
        });
    // Without `complete`, a client knows that the stream was interrupted.
    events.chain(stream::iter([Ok(Event::default().event("complete").data(""))]))
}
