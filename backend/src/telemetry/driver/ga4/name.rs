//! Names that Google Analytics accepts: letters, digits and underscores, starting with a letter, and not
//! reserved. It silently drops other names. Source: Google's Measurement Protocol reference, and Analytics
//! Help on event names.

use std::borrow::Cow;

/// Maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 40;

/// Reserved prefixes of names.
const RESERVED_PREFIXES: [&str; 5] = ["_", "firebase_", "ga_", "google_", "gtag"];

/// Reserved event names, and those of GA4's own measurements, which must not be confused with ours.
const RESERVED: [&str; 52] = [
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_impression",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_clear_data",
    "app_exception",
    "app_install",
    "app_remove",
    "app_store_refund",
    "app_store_subscription_cancel",
    "app_store_subscription_convert",
    "app_store_subscription_renew",
    "app_update",
    "app_upgrade",
    "click",
    "dynamic_link_app_open",
    "dynamic_link_app_update",
    "dynamic_link_first_open",
    "error",
    "file_download",
    "first_open",
    "first_visit",
    "form_start",
    "form_submit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "notification_send",
    "os_update",
    "page_view",
    "purchase",
    "refund",
    "screen_view",
    "scroll",
    "session_start",
    "session_start_with_rollout",
    "user_engagement",
    "video_complete",
    "video_progress",
    "video_start",
    "view_complete",
    "view_item",
    "view_item_list",
    "view_promotion",
    "view_search_results",
    "firebase_campaign",
    "select_content",
];

/// The name under which a player event is sent.
pub fn event(event: &str) -> Cow<'static, str> {
    match event {
        "progress_tick" => "player_progress".into(),
        "play" | "pause" | "seek" | "banner_view" | "banner_click" | "cta_view" | "cta_click"
        | "resource_click" => format!("player_{event}").into(),
        other => {
            let name = slug(other);
            let name = if is_invalid(&name) {
                truncate(&format!("player_{}", name.trim_start_matches('_')))
            } else {
                name
            };
            name.into()
        }
    }
}

/// The name of a parameter for a metadata key.
pub fn parameter(key: &str) -> String {
    truncate(&format!("meta_{}", slug(key)))
}

fn is_invalid(name: &str) -> bool {
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
    !starts_with_letter
        || RESERVED.contains(&name)
        || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Replaces everything but letters and digits by underscores, and makes letters lower-case.
fn slug(text: &str) -> String {
    let to_slug = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' };
    text.chars().map(to_slug).take(MAX_NAME_CHARS).collect()
}

fn truncate(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_player_events_get_the_prefix_player() {
        assert_eq!(event("progress_tick"), "player_progress");
        assert_eq!(event("cta_click"), "player_cta_click");
    }

    #[test]
    fn reserved_and_malformed_names_are_changed() {
        assert_eq!(event("video_start"), "player_video_start");
        assert_eq!(event("click"), "player_click");
        assert_eq!(event("ga_thing"), "player_ga_thing");
        assert_eq!(event("_hidden"), "player_hidden");
        assert_eq!(event("2x.speed"), "player_2x_speed");
        assert_eq!(event("Quiz.Answer-Sent"), "quiz_answer_sent");
    }

    proptest! {
        #[test]
        fn every_event_name_is_valid(text in "[A-Za-z0-9._-]{1,50}") {
            let name = event(&text);
            prop_assert!(name.len() <= MAX_NAME_CHARS && !is_invalid(&name), "{name}");
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        }
    }
}
