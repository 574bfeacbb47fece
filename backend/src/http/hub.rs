//! The Hub's page and files, which are embedded in the binary at build time.
//!
//! Every file except the page has a content hash in its name, so browsers may cache it forever. The page
//! itself is revalidated each time.

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::CookieJar;
use domain::Locale;
use domain::failure::ErrorCode;

use super::embedded_files::File;
use super::problem::{self, Problem};
use crate::app::App;

include!(concat!(env!("OUT_DIR"), "/hub_files.rs"));

/// The name of the page among the files.
const PAGE: &str = "index.html";
/// The cookie in which the Hub stores the language that a person chose.
const LOCALE_COOKIE: &str = "locale";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/{file}", get(file))
        .route("/{locale}/", get(locale_root))
        .route("/{locale}/admin/data-porter", get(page))
        .route("/{locale}/admin/data-porter/", get(redirect_to_page))
        .route("/{locale}/admin/data-porter/{*section}", get(page))
}

/// Redirects to the Hub in the chosen language, otherwise in the browser's.
async fn home(State(app): State<App>, headers: HeaderMap) -> impl IntoResponse {
    // The target depends on the caller, so it must not be cached.
    ([(CACHE_CONTROL, "no-store")], Redirect::to(&page_path(preferred_locale(&app, &headers))))
}

/// Redirects from a language to its page. Other paths that end in a slash do not exist.
async fn locale_root(app: State<App>, tag: Path<String>, query: RawQuery, headers: HeaderMap) -> Response {
    if locale_from_tag(&tag).is_some() {
        redirect_to_page(app, tag, query, headers).await.into_response()
    } else {
        problem::not_found().into_response()
    }
}

/// Redirects from a variant of the page's path to the page, in the language of the path.
async fn redirect_to_page(
    State(app): State<App>,
    Path(tag): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Redirect {
    let page = page_path(locale_from_tag(&tag).unwrap_or_else(|| preferred_locale(&app, &headers)));
    match query {
        Some(query) => Redirect::to(&format!("{page}?{query}")),
        None => Redirect::to(&page),
    }
}

/// The language with exactly this tag. Paths contain no other spelling.
pub fn locale_from_tag(tag: &str) -> Option<Locale> {
    Locale::ALL.into_iter().find(|locale| locale.tag() == tag)
}

fn page_path(locale: Locale) -> String {
    format!("/{}/admin/data-porter", locale.tag())
}

/// The language that was chosen in the Hub, otherwise the browser's, otherwise the configured one.
pub fn preferred_locale(app: &App, headers: &HeaderMap) -> Locale {
    let chosen = headers.contains_key(COOKIE).then(|| CookieJar::from_headers(headers));
    let chosen = chosen.and_then(|cookies| Locale::parse(cookies.get(LOCALE_COOKIE)?.value()));
    let requested = || Locale::preferred(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?);
    chosen.or_else(requested).unwrap_or(app.config.hub.locale)
}

async fn page(State(app): State<App>, Path(path): Path<Vec<String>>, headers: HeaderMap) -> Response {
    if path.first().and_then(|tag| locale_from_tag(tag)).is_none() {
        return Redirect::to(&page_path(preferred_locale(&app, &headers))).into_response();
    }
    app_page(&headers)
}

/// The app's page, which routes by the URL in the browser.
pub fn app_page(headers: &HeaderMap) -> Response {
    match FILES.iter().find(|file| file.name == PAGE) {
        Some(file) => {
            let mut response = file.respond(headers, "no-cache");
            if let Ok(policy) = HeaderValue::try_from(content_security_policy()) {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
            response
        }
        None => Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotFound, NOT_BUILT).into_response(),
    }
}

const NOT_BUILT: &str = "This server was built without the Hub. Run `make frontend` and rebuild it.";

/// Allows only our own resources and the inline scripts of the build, and no framing by other sites.
fn content_security_policy() -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{INLINE_SCRIPTS}; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; media-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    if let Some(locale) = locale_from_tag(&name) {
        return Redirect::to(&page_path(locale)).into_response();
    }
    match FILES.iter().find(|file| file.name == name && file.name != PAGE) {
        Some(file) => file.respond(&headers, "public, max-age=31536000, immutable"),
        None => problem::not_found().into_response(),
    }
}
