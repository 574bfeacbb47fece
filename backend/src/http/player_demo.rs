//! The page on which the demo academy plays a video, embedded as in a real academy. It exists only with the
//! demo's data.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use domain::Locale;
use serde::Serialize;

use super::caller::Caller;
use super::hub::{app_page, locale_from_tag};
use super::problem;
use crate::app::App;
use crate::demo;
use crate::error::Result;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/{locale}/player-demo", get(page)).route("/player/demo.json", get(lesson))
}

/// The lesson that the demo plays. It is public because students cannot list lessons; a real learning
/// platform knows which lesson it shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DemoLesson {
    lesson_id: String,
    title: String,
    course: String,
}

async fn page(
    State(app): State<App>,
    Path(tag): Path<String>,
    caller: Caller,
    mut headers: HeaderMap,
) -> Response {
    if locale_from_tag(&tag).is_none() {
        return problem::not_found().into_response();
    }
    match find(&app, caller.locale).await {
        Ok(Some(_)) => app_page(&headers),
        Ok(None) => {
            // The app shows a "not found" page. Browsers must not cache it as the real page.
            headers.remove(IF_NONE_MATCH);
            let mut response = app_page(&headers);
            if response.status() == StatusCode::OK {
                *response.status_mut() = StatusCode::NOT_FOUND;
            }
            response.headers_mut().remove(ETAG);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => caller.problem(&error).into_response(),
    }
}

async fn lesson(State(app): State<App>, caller: Caller) -> Response {
    match find(&app, caller.locale).await {
        Ok(Some(lesson)) => ([(CACHE_CONTROL, "no-store")], Json(lesson)).into_response(),
        Ok(None) => problem::not_found().into_response(),
        Err(error) => caller.problem(&error).into_response(),
    }
}

async fn find(app: &App, locale: Locale) -> Result<Option<DemoLesson>> {
    let lesson = demo::first_lesson(&mut *app.pool.get().await?).await?;
    Ok(lesson.map(|lesson| DemoLesson {
        lesson_id: lesson.id.0.to_string(),
        course: lesson.course.title(locale),
        title: lesson.title,
    }))
}
