//! The Hub's page and files, packed into the binary when it was built.
//!
//! Every file but the page has its content's hash in its name, so browsers may keep it for ever; the page itself is
//! asked for anew each time.

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::CookieJar;
use domain::Locale;
use domain::failure::ErrorCode;

use super::packed::File;
use super::problem::Problem;
use crate::app::App;

include!(concat!(env!("OUT_DIR"), "/hub_files.rs"));

/// The name of the page among the files.
const PAGE: &str = "index.html";
/// The cookie in which the Hub keeps the language that a person chose there.
const LOCALE_COOKIE: &str = "locale";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/{file}", get(file))
        .route("/{locale}/", get(language))
        .route("/{locale}/admin/data-porter", get(page))
        .route("/{locale}/admin/data-porter/", get(start))
        .route("/{locale}/admin/data-porter/{*section}", get(page))
}

/// Leads to the Hub in the language that was chosen there, else in the browser's.
async fn home(State(app): State<App>, headers: HeaderMap) -> impl IntoResponse {
    // Where it leads is a matter of who asks.
    ([(CACHE_CONTROL, "no-store")], Redirect::to(&address(preferred(&app, &headers))))
}

/// Leads from a language to its page; other addresses that end in a slash are nothing.
async fn language(app: State<App>, tag: Path<String>, query: RawQuery, headers: HeaderMap) -> Response {
    if spoken(&tag).is_some() { start(app, tag, query, headers).await.into_response() } else { nothing() }
}

/// Leads from what somebody typed for the Hub to its page, in the language that they typed.
async fn start(
    State(app): State<App>,
    Path(tag): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Redirect {
    let page = address(spoken(&tag).unwrap_or_else(|| preferred(&app, &headers)));
    match query {
        Some(query) => Redirect::to(&format!("{page}?{query}")),
        None => Redirect::to(&page),
    }
}

/// The language whose exact tag this is: pages are in no other place than under those.
pub fn spoken(tag: &str) -> Option<Locale> {
    Locale::ALL.into_iter().find(|locale| locale.tag() == tag)
}

fn address(locale: Locale) -> String {
    format!("/{}/admin/data-porter", locale.tag())
}

/// The language that was chosen in the Hub, else the browser's, else the hub's.
pub fn preferred(app: &App, headers: &HeaderMap) -> Locale {
    let chosen = headers.contains_key(COOKIE).then(|| CookieJar::from_headers(headers));
    let chosen = chosen.and_then(|cookies| Locale::parse(cookies.get(LOCALE_COOKIE)?.value()));
    let asked_for = || Locale::preferred(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?);
    chosen.or_else(asked_for).unwrap_or(app.config.hub.locale)
}

async fn page(State(app): State<App>, Path(path): Path<Vec<String>>, headers: HeaderMap) -> Response {
    if path.first().and_then(|tag| spoken(tag)).is_none() {
        return Redirect::to(&address(preferred(&app, &headers))).into_response();
    }
    app_page(&headers)
}

/// The app's page, which shows what belongs at the address.
pub fn app_page(headers: &HeaderMap) -> Response {
    match FILES.iter().find(|file| file.name == PAGE) {
        Some(file) => {
            let mut response = file.answer(headers, "no-cache");
            if let Ok(policy) = HeaderValue::try_from(policy()) {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
            response
        }
        None => Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotFound, NOT_BUILT).into_response(),
    }
}

const NOT_BUILT: &str = "This server was built without the Hub. Run `make frontend` and build it again.";

/// Nothing from elsewhere, no code in the page but what it was built with, and never inside a foreign frame.
fn policy() -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{INLINE_SCRIPTS}; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; media-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    if let Some(locale) = spoken(&name) {
        return Redirect::to(&address(locale)).into_response();
    }
    match FILES.iter().find(|file| file.name == name && file.name != PAGE) {
        Some(file) => file.answer(&headers, "public, max-age=31536000, immutable"),
        None => nothing(),
    }
}

fn nothing() -> Response {
    Problem::of(ErrorCode::NotFound, "There is nothing at this address.").into_response()
}
