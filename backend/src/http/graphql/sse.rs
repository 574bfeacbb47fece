//! `POST /graphql/stream`: one subscription as server-sent events, for whoever has no WebSocket: an event `next` for each
//! answer and `complete` at the end. The token stands in the header, as in any other request. A server that is told to
//! end ends the stream without `complete`, so that its client comes again.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use domain::access::Act;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{MissedTickBehavior, interval};

use super::live::{ASKED_ANEW, Access, Subscriptions};
use super::refusal::Refusal;
use crate::app::App;
use crate::error::Error;
use crate::http::caller::{Caller, bearer};

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
    let Some(token) = bearer(&headers) else {
        return caller.problem(&Error::Unauthenticated).into_response();
    };
    let request = match request {
        Ok(Json(request)) => request,
        Err(JsonRejection::MissingJsonContentType(_)) => {
            return Refusal::WrongContentType.problem(&caller).into_response();
        }
        Err(rejection) => return Refusal::NotGraphql(rejection.body_text()).problem(&caller).into_response(),
    };
    if let Err(error) = caller.viewer().and_then(|viewer| Ok(viewer.may(Act::SeeSync)?)) {
        return caller.problem(&error).into_response();
    }
    let (access, ending) = (Access::new(app.clone(), token), app.ending.clone());
    let subscriptions = Subscriptions::new(app.clone(), caller.locale, &caller.request_id);
    let answers = subscriptions.answers(request, Arc::new(caller.into_data(&app)));
    let events = events(answers, access).take_until(ending.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

fn events(
    answers: impl Stream<Item = async_graphql::Response> + Send + 'static,
    access: Access,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let mut asking = interval(ASKED_ANEW);
    asking.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let answered =
        stream::unfold((answers.boxed(), access, asking), |(mut answers, access, mut asking)| async {
            loop {
                let answer = tokio::select! {
                    answer = answers.next() => Some(answer?),
                    _ = asking.tick() => None,
                };
                access.ask().await.ok()?;
                if let Some(answer) = answer {
                    let event = Event::default().event("next").json_data(&answer).ok()?;
                    return Some((Ok(event), (answers, access, asking)));
                }
            }
        });
    // A client that sees no `complete` knows that there would have been more.
    answered.chain(stream::iter([Ok(Event::default().event("complete").data(""))]))
}
