//! Names and limits. Source: the Measurement Protocol reference, "Reserved names" and "Limitations".

/// The most events in a request.
pub(super) const EVENTS: usize = 25;
/// The most parameters of an event, and the most user properties of a request.
pub(super) const PARAMS: usize = 25;
/// How far back an event may lie, in hours.
pub(super) const PAST_HOURS: i64 = 72;

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

/// Reserved on web streams, where only the libraries for apps send them.
const APP_EVENT_NAMES: &[&str] = &["ad_impression", "in_app_purchase", "screen_view"];

/// The names of enhanced measurement. Source: the support page about event names, which reserves them for custom
/// events of the web; the reference does not.
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

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameFault {
    Empty,
    TooLong,
    Reserved,
    FirstNotALetter,
    OddCharacter,
}

/// The two kinds of streams, which have other reserved names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    Web,
    App,
}

/// What is wrong with an event's name.
pub(super) fn event_name(name: &str, stream: StreamKind) -> Option<NameFault> {
    let apps_only = stream == StreamKind::Web && APP_EVENT_NAMES.contains(&name);
    if apps_only { Some(NameFault::Reserved) } else { fault(name, 40, EVENT_NAMES, EVENT_PREFIXES) }
}

/// What is wrong with a parameter's name.
pub(super) fn param_name(name: &str) -> Option<NameFault> {
    fault(name, 40, PARAM_NAMES, PARAM_PREFIXES)
}

/// What is wrong with a user property's name.
pub(super) fn property_name(name: &str) -> Option<NameFault> {
    fault(name, 24, PROPERTY_NAMES, PROPERTY_PREFIXES)
}

/// Whether a custom event shares its name with one of enhanced measurement.
pub(super) fn is_enhanced_measurement(name: &str) -> bool {
    ENHANCED_MEASUREMENT.contains(&name)
}

/// The longest text that a parameter may hold, in characters.
pub(super) fn value_limit(param: &str) -> usize {
    match param {
        "page_title" => 300,
        "page_referrer" => 420,
        "page_location" => 1000,
        _ => 100,
    }
}

/// Two positive numbers with a dot between, as gtag makes them.
pub(super) fn is_recommended_client_id(client_id: &str) -> bool {
    let is_positive =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.bytes().any(|byte| byte != b'0');
    client_id.split_once('.').is_some_and(|(left, right)| is_positive(left) && is_positive(right))
}

fn fault(name: &str, limit: usize, reserved: &[&str], prefixes: &[&str]) -> Option<NameFault> {
    let first = name.chars().next();
    if first.is_none() {
        Some(NameFault::Empty)
    } else if reserved.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix)) {
        Some(NameFault::Reserved)
    } else if !first.is_some_and(|letter| letter.is_ascii_alphabetic()) {
        Some(NameFault::FirstNotALetter)
    } else if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        Some(NameFault::OddCharacter)
    } else {
        (name.chars().count() > limit).then_some(NameFault::TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_form_length_and_reservation() {
        let web = |name: &str| event_name(name, StreamKind::Web);
        assert_eq!(web("player_progress"), None);
        assert_eq!(web(""), Some(NameFault::Empty));
        assert_eq!(web("session_start"), Some(NameFault::Reserved));
        assert_eq!(web("_hidden"), Some(NameFault::Reserved));
        assert_eq!(web("1st"), Some(NameFault::FirstNotALetter));
        assert_eq!(web("año"), Some(NameFault::OddCharacter));
        assert_eq!(web("banner-click"), Some(NameFault::OddCharacter));
        assert_eq!(web(&"x".repeat(40)), None);
        assert_eq!(web(&"x".repeat(41)), Some(NameFault::TooLong));
        assert_eq!(web("screen_view"), Some(NameFault::Reserved));
        assert_eq!(event_name("screen_view", StreamKind::App), None);
        assert_eq!(param_name("firebase_conversion"), Some(NameFault::Reserved));
        assert_eq!(property_name("user_id"), Some(NameFault::Reserved));
        assert_eq!(property_name(&"p".repeat(25)), Some(NameFault::TooLong));
    }

    #[test]
    fn a_recommended_client_id_is_two_positive_numbers() {
        let bad = ["42", "42.", ".1", "0.1", "42.x", "1.2.3", "-1.2", "guest.5"];
        assert!(is_recommended_client_id("42.1093"));
        assert!(bad.iter().all(|id| !is_recommended_client_id(id)));
    }
}
