//! Says before anything else what a Teacher Admin must choose, and why.

use domain::access::Denied;
use domain::filter::FilterKey;
use leptos::prelude::*;

use super::state::{Obstacle, use_export};
use crate::i18n::use_i18n;
use crate::ui::notice::{Notice, Tone};

/// The id by which the disabled button refers to the note.
pub const SCOPE_NOTE: &str = "scope-note";

/// What the rules ask for; nothing when they ask for nothing.
#[component]
pub fn ScopeNote() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let denied = Memo::new(move |_| match state.grant() {
        Err(Obstacle::Denied(denied)) => Some(denied),
        Err(Obstacle::NoDataset | Obstacle::NotTheirs(_) | Obstacle::Filters(_)) | Ok(_) => None,
    });
    let text = move |denied: Denied| {
        let words = &i18n.messages().export;
        match denied {
            Denied::ScopeRequired { one_of, .. } if one_of.contains(&FilterKey::LessonId) => {
                words.course_or_lesson_first.to_owned()
            }
            Denied::ScopeRequired { .. } => words.course_first.to_owned(),
            Denied::Role
            | Denied::ScopeUnknown
            | Denied::CourseNotAssigned
            | Denied::NeedsManageSettings
            | Denied::NotYourUser
            | Denied::NeedsTokenScope(_)
            | Denied::NeedsSignIn => denied.message(i18n.locale()),
        }
    };
    move || denied.get().map(|denied| view! { <Notice tone=Tone::Warn id=SCOPE_NOTE>{text(denied)}</Notice> })
}
