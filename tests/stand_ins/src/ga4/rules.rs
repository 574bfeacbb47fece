//! Names and limits. Source: the Measurement Protocol reference, "Reserved names" and "Limitations".

/// Maximum number of events in a request.
pub(super) const MAX_EVENTS: usize = 25;
/// Maximum number of parameters of an event, and of user properties of a request.
pub(super) const MAX_PARAMS: usize = 25;
/// Maximum age of an event, in hours.
pub(super) const MAX_AGE_HOURS: i64 = 72;

const EVENT_NAMES: &[&str] = &[
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_clear_data",
    "app_exception",
    "app_install",
    "app_remove",
    "app_store_refund",
    "app_update",
    "app_upgrade",
    "dynamic_link_app_open",
    "dynamic_link_app_update",
    "dynamic_link_first_open",
    "error",
    "firebase_campaign",
    "firebase_in_app_message_action",
    "firebase_in_app_message_dismiss",
    "firebase_in_app_message_impression",
    "first_open",
    "first_visit",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "notification_send",
    "os_update",
    "session_start",
    "user_engagement",
];

/// Reserved on web streams, since only the app SDKs send them.
const APP_EVENT_NAMES: &[&str] = &["ad_impression", "in_app_purchase", "screen_view"];

/// The names of enhanced measurement. Source: the support page about event names, which does not allow custom
/// web events with these names. The reference allows them.
const ENHANCED_MEASUREMENT: &[&str] = &[
    "click",
    "file_download",
    "form_start",
    "form_submit",
    "page_view",
    "scroll",
    "video_start",
    "video_progress",
    "view_complete",
    "view_search_results",
];

const EVENT_PREFIXES: &[&str] = &["_", "firebase_", "ga_", "google_", "gtag."];
const PARAM_PREFIXES: &[&str] = EVENT_PREFIXES;
const PROPERTY_PREFIXES: &[&str] = &["_", "firebase_", "ga_", "google_"];
const PARAM_NAMES: &[&str] = &["firebase_conversion"];
const PROPERTY_NAMES: &[&str] = &[
    "first_open_time",
    "first_visit_time",
    "last_deep_link_referrer",
    "user_id",
    "first_open_after_install",
];

/// Why a name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameError {
    Empty,
    TooLong,
    Reserved,
    BadFirstCharacter,
    BadCharacter,
}

/// The kind of a stream. The kinds have different reserved names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    Web,
    App,
}

/// Why an event's name is invalid.
pub(super) fn event_name_error(name: &str, stream: StreamKind) -> Option<NameError> {
    let is_app_only = stream == StreamKind::Web && APP_EVENT_NAMES.contains(&name);
    if is_app_only { Some(NameError::Reserved) } else { name_error(name, 40, EVENT_NAMES, EVENT_PREFIXES) }
}

/// Why a parameter's name is invalid.
pub(super) fn param_name_error(name: &str) -> Option<NameError> {
    name_error(name, 40, PARAM_NAMES, PARAM_PREFIXES)
}

/// Why a user property's name is invalid.
pub(super) fn property_name_error(name: &str) -> Option<NameError> {
    name_error(name, 24, PROPERTY_NAMES, PROPERTY_PREFIXES)
}

/// Whether enhanced measurement uses this name.
pub(super) fn is_enhanced_measurement(name: &str) -> bool {
    ENHANCED_MEASUREMENT.contains(&name)
}

/// Maximum length of a parameter's text, in characters.
pub(super) fn max_value_chars(param: &str) -> usize {
    match param {
        "page_title" => 300,
        "page_referrer" => 420,
        "page_location" => 1000,
        _ => 100,
    }
}

/// Whether a client id consists of two positive numbers with a dot between them, like those of gtag.
pub(super) fn is_recommended_client_id(client_id: &str) -> bool {
    let is_positive =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.bytes().any(|byte| byte != b'0');
    client_id.split_once('.').is_some_and(|(left, right)| is_positive(left) && is_positive(right))
}

fn name_error(name: &str, max_chars: usize, reserved: &[&str], prefixes: &[&str]) -> Option<NameError> {
    let first = name.chars().next();
    if first.is_none() {
        Some(NameError::Empty)
    } else if reserved.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix)) {
        Some(NameError::Reserved)
    } else if !first.is_some_and(|letter| letter.is_ascii_alphabetic()) {
        Some(NameError::BadFirstCharacter)
    } else if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        Some(NameError::BadCharacter)
    } else {
        (name.chars().count() > max_chars).then_some(NameError::TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_for_characters_length_and_reservation() {
        let web = |name: &str| event_name_error(name, StreamKind::Web);
        assert_eq!(web("player_progress"), None);
        assert_eq!(web(""), Some(NameError::Empty));
        assert_eq!(web("session_start"), Some(NameError::Reserved));
        assert_eq!(web("_hidden"), Some(NameError::Reserved));
        assert_eq!(web("1st"), Some(NameError::BadFirstCharacter));
        assert_eq!(web("año"), Some(NameError::BadCharacter));
        assert_eq!(web("banner-click"), Some(NameError::BadCharacter));
        assert_eq!(web(&"x".repeat(40)), None);
        assert_eq!(web(&"x".repeat(41)), Some(NameError::TooLong));
        assert_eq!(web("screen_view"), Some(NameError::Reserved));
        assert_eq!(event_name_error("screen_view", StreamKind::App), None);
        assert_eq!(param_name_error("firebase_conversion"), Some(NameError::Reserved));
        assert_eq!(property_name_error("user_id"), Some(NameError::Reserved));
        assert_eq!(property_name_error(&"p".repeat(25)), Some(NameError::TooLong));
    }

    #[test]
    fn a_recommended_client_id_is_two_positive_numbers() {
        let invalid = ["42", "42.", ".1", "0.1", "42.x", "1.2.3", "-1.2", "guest.5"];
        assert!(is_recommended_client_id("42.1093"));
        assert!(invalid.iter().all(|id| !is_recommended_client_id(id)));
    }
}
