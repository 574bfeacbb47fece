//! The player script that learning platforms embed, and its demo page.

use backend::auth::password::Passwords;
use backend::demo::{self, Options};
use reqwest::StatusCode;
use serde_json::Value;

use crate::harness::hub::{Hub, NOW};

const SCRIPT: &str = "/player/dataporter-player.js";
const CLIP: &str = "/player/demo.webm";

#[tokio::test]
async fn any_site_may_load_the_script_and_cache_it_for_minutes() {
    let hub = Hub::start().await;
    let script = hub.http.get(hub.url(SCRIPT)).send().await.unwrap();
    let header = |name: &str| script.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("cache-control"), "public, max-age=300");
    let etag = header("etag");
    let text = script.text().await.unwrap();
    assert!(text.contains("globalThis.DataPorterPlayer"));
    assert!(text.len() < 6_000, "{} bytes", text.len());
    let revalidated = hub.http.get(hub.url(SCRIPT)).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(revalidated.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_script_is_served_compressed() {
    let hub = Hub::start().await;
    let client = reqwest::Client::builder().no_proxy().no_brotli().no_gzip().build().unwrap();
    let script = client.get(hub.url(SCRIPT)).header("accept-encoding", "gzip, br").send().await.unwrap();
    assert_eq!(script.headers()["content-encoding"], "br");
    assert!(script.bytes().await.unwrap().len() < 3_000);
}

#[tokio::test]
async fn the_clip_supports_range_requests() {
    let hub = Hub::start().await;
    let whole = hub.http.get(hub.url(CLIP)).send().await.unwrap();
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    assert_eq!(whole.headers()["content-type"], "video/webm");
    let etag = whole.headers()["etag"].clone();
    let whole = whole.bytes().await.unwrap();
    assert!(whole.len() <= 250_000, "{} bytes", whole.len());

    let part = hub.http.get(hub.url(CLIP)).header("range", "bytes=1000-1999").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], format!("bytes 1000-1999/{}", whole.len()));
    assert_eq!(part.bytes().await.unwrap(), whole[1000..2000]);

    let request_range = |range: &'static str| hub.http.get(hub.url(CLIP)).header("range", range);
    let past_the_end = request_range("bytes=9999999-").send().await.unwrap();
    assert_eq!(past_the_end.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let same = request_range("bytes=0-9").header("if-range", etag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::PARTIAL_CONTENT);
    let changed = request_range("bytes=0-9").header("if-range", "\"another\"").send().await.unwrap();
    assert_eq!(changed.bytes().await.unwrap(), whole);
}

#[tokio::test]
async fn the_demo_page_exists_only_with_demo_data() {
    let hub = Hub::start().await;
    let status = async |path: &str| hub.http.get(hub.url(path)).send().await.unwrap().status();
    for path in ["/es/player-demo", "/en/player-demo", "/player/demo.json"] {
        assert_eq!(status(path).await, StatusCode::NOT_FOUND, "{path}");
    }
    let absent = hub.http.get(hub.url("/es/player-demo")).send().await.unwrap();
    assert_eq!(absent.headers()["content-type"], "text/html; charset=utf-8");
    assert!(!absent.headers().contains_key("etag"));

    let options = Options { students: 1, events: 1, seed: 7, now: NOW, zone: chrono_tz::Tz::America__Bogota };
    let mut conn = hub.database.pool.get().await.unwrap();
    demo::fill(&mut conn, &Passwords::new().unwrap(), options).await.unwrap();
    for path in ["/es/player-demo", "/en/player-demo"] {
        assert_eq!(status(path).await, StatusCode::OK, "{path}");
    }
    assert_eq!(status("/fr/player-demo").await, StatusCode::NOT_FOUND);
    let lesson: Value =
        hub.http.get(hub.url("/player/demo.json")).send().await.unwrap().json().await.unwrap();
    let row = "SELECT title FROM lessons WHERE id = (SELECT min(id) FROM lessons)";
    let title: String = hub.database.client().await.query_one(row, &[]).await.unwrap().get(0);
    assert_eq!(lesson["title"], title);
}
