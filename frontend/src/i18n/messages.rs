//! The phrases that the Hub needs, each with its place on the page.

use super::sync::Sync;

/// All phrases of one language.
pub struct Messages {
    /// What every page has.
    pub frame: Frame,
    /// Signing in.
    pub sign_in: SignIn,
    /// The export page.
    pub export: Export,
    /// The filters of the export page.
    pub filters: Filters,
    /// The record of exports.
    pub records: Records,
    /// The sync with the analytics services.
    pub sync: Sync,
    /// The account page.
    pub account: Account,
    /// API tokens on the account page.
    pub tokens: Tokens,
    /// The player's demo.
    pub player: Player,
    /// What went wrong.
    pub failures: Failures,
}

/// What every page has.
pub struct Frame {
    pub skip: &'static str,
    pub sections: &'static str,
    pub language: &'static str,
    pub theme: &'static str,
    pub theme_system: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub sign_out: &'static str,
    pub loading: &'static str,
    pub retry: &'static str,
    pub retrying: &'static str,
    pub no_page: &'static str,
    pub no_page_help: &'static str,
    pub to_start: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
}

/// Signing in.
pub struct SignIn {
    pub title: &'static str,
    pub lead: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    pub submit: &'static str,
    pub email_missing: &'static str,
    pub email_wrong: &'static str,
    pub password_missing: &'static str,
    pub wrong: &'static str,
    pub wrong_help: &'static str,
    pub ended: &'static str,
    pub signed_out: &'static str,
}

/// The export page.
pub struct Export {
    pub title: &'static str,
    pub lead: &'static str,
    pub panel: &'static str,
    pub dataset: &'static str,
    pub none_readable: &'static str,
    pub none_readable_help: &'static str,
    pub not_yours: fn(&str) -> String,
    pub not_yours_help: &'static str,
    pub course_first: &'static str,
    pub course_or_lesson_first: &'static str,
    pub preview: fn(&str) -> String,
    pub waiting_for_scope: &'static str,
    pub waiting_for_scope_help: &'static str,
    pub waiting_for_course_or_lesson_help: &'static str,
    pub waiting_for_filters: &'static str,
    pub waiting_for_filters_help: &'static str,
    pub no_rows: &'static str,
    pub no_rows_help: &'static str,
    pub about_rows: fn(&str) -> String,
    pub exact_rows: fn(usize, &str) -> String,
    pub shown_rows: fn(usize) -> String,
    pub counting: &'static str,
    pub format: &'static str,
    pub download: &'static str,
    pub preparing: &'static str,
    pub started: fn(&str) -> String,
    pub csv_options: &'static str,
    pub headers: &'static str,
    pub headers_labels: &'static str,
    pub headers_keys: &'static str,
    pub delimiter: &'static str,
    pub delimiter_comma: &'static str,
    pub delimiter_semicolon: &'static str,
    pub decimal: &'static str,
    pub decimal_point: &'static str,
    pub decimal_comma: &'static str,
    pub bom: &'static str,
}

/// The filters of the export page.
pub struct Filters {
    pub title: &'static str,
    pub dates: &'static str,
    pub dates_all: &'static str,
    pub dates_today: &'static str,
    pub dates_last_7: &'static str,
    pub dates_last_30: &'static str,
    pub dates_this_month: &'static str,
    pub dates_custom: &'static str,
    pub dates_zone: fn(&str) -> String,
    pub all_courses: &'static str,
    pub all_lessons: &'static str,
    pub all: &'static str,
    pub any_id: &'static str,
    pub searching: &'static str,
    pub no_match: &'static str,
    pub matches: fn(usize) -> String,
    pub by_id: fn(&str) -> String,
    pub clear_all: &'static str,
    pub clear_one: fn(&str) -> String,
    pub required: &'static str,
    pub required_one: fn(&[&str]) -> String,
}

/// The record of exports.
pub struct Records {
    pub title: &'static str,
    pub lead: &'static str,
    pub panel: &'static str,
    pub when: &'static str,
    pub who: &'static str,
    pub dataset: &'static str,
    pub format: &'static str,
    pub filters: &'static str,
    pub rows: &'static str,
    pub bytes: &'static str,
    pub duration: &'static str,
    pub outcome: &'static str,
    pub sha256: &'static str,
    pub complete: &'static str,
    pub aborted: &'static str,
    pub failed: &'static str,
    pub unknown: &'static str,
    pub running: &'static str,
    pub no_filters: &'static str,
    pub none: &'static str,
    pub none_help: &'static str,
    pub more: &'static str,
}

/// The account page.
pub struct Account {
    pub title: &'static str,
    pub lead: &'static str,
    pub profile: &'static str,
    pub name: &'static str,
    pub email: &'static str,
    pub role: &'static str,
    pub role_admin: &'static str,
    pub role_teacher_admin: &'static str,
    pub role_teacher: &'static str,
    pub role_student: &'static str,
    pub role_service: &'static str,
    pub preferences: &'static str,
    pub timezone: &'static str,
    pub timezone_hint: &'static str,
    pub timezone_missing: &'static str,
    pub save: &'static str,
    pub saved: &'static str,
}

/// API tokens on the account page.
pub struct Tokens {
    pub title: &'static str,
    pub lead: &'static str,
    pub none: &'static str,
    pub none_help: &'static str,
    pub new: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub scopes: &'static str,
    pub scope_read: &'static str,
    pub scope_export: &'static str,
    pub scope_import: &'static str,
    pub scope_sync: &'static str,
    pub scope_record: &'static str,
    pub scope_platform: &'static str,
    pub name_missing: &'static str,
    pub scope_missing: &'static str,
    pub expiry: &'static str,
    pub expires_never: &'static str,
    pub expires_in: fn(u32) -> String,
    pub create: &'static str,
    pub created: &'static str,
    pub secret: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub not_copied: &'static str,
    pub done: &'static str,
    pub used: fn(&str) -> String,
    pub never_used: &'static str,
    pub expires: fn(&str) -> String,
    pub active: &'static str,
    pub expired: &'static str,
    pub revoked: &'static str,
    pub revoke: fn(&str) -> String,
    pub revoke_short: &'static str,
    pub revoke_sure: &'static str,
    pub revoke_yes: &'static str,
    pub revoke_done: fn(&str) -> String,
    pub cancel: &'static str,
}

/// The player's demo.
pub struct Player {
    pub title: &'static str,
    pub lead: &'static str,
    pub video: &'static str,
    pub lesson: &'static str,
    pub lesson_hint: &'static str,
    pub lesson_fixed: &'static str,
    pub token_issued: &'static str,
    pub token_own: &'static str,
    pub reported: &'static str,
    pub none: &'static str,
    pub none_help: &'static str,
    pub owed: fn(usize) -> String,
    pub event: &'static str,
    pub position: &'static str,
    pub state: &'static str,
    pub waiting: &'static str,
    pub again: &'static str,
    pub recorded: &'static str,
    pub rejected: &'static str,
    pub offline: &'static str,
    pub offline_help: &'static str,
}

/// What went wrong, each with what helps.
pub struct Failures {
    pub unreachable: &'static str,
    pub unreachable_help: &'static str,
    pub unreadable: &'static str,
    pub unreadable_help: &'static str,
    pub unauthenticated: &'static str,
    pub unauthenticated_help: &'static str,
    pub forbidden: &'static str,
    pub forbidden_help: &'static str,
    pub scope: &'static str,
    pub scope_help: &'static str,
    pub input: &'static str,
    pub input_help: &'static str,
    pub not_found: &'static str,
    pub not_found_help: &'static str,
    pub conflict: &'static str,
    pub conflict_help: &'static str,
    pub rate_limited: &'static str,
    pub rate_limited_help: fn(u64) -> String,
    pub too_complex: &'static str,
    pub internal: &'static str,
    pub internal_help: fn(Option<&str>) -> String,
}
