//! A notice that says what a Teacher Admin must choose first, and why.

use domain::access::Denied;
use domain::dataset::FilterKey;
use leptos::prelude::*;

use super::state::{Blocker, use_export};
use crate::i18n::use_i18n;
use crate::ui::notice::{Notice, Tone};

/// The note's id, to which the disabled button refers.
pub const SCOPE_NOTE_ID: &str = "scope-note";

/// The notice. Shows nothing if the access rules permit the export.
#[component]
pub fn ScopeNote() -> impl IntoView {
    let i18n = use_i18n();
    let state = use_export();
    let denied = Memo::new(move |_| match state.grant() {
        Err(Blocker::Denied(denied)) => Some(denied),
        Err(Blocker::NoDataset | Blocker::NotAllowed(_) | Blocker::Filters(_)) | Ok(_) => None,
    });
    let text = move |denied: Denied| {
        let texts = &i18n.messages().export;
        match denied {
            Denied::ScopeRequired { one_of, .. } if one_of.contains(&FilterKey::LESSON_ID) => {
                texts.course_or_lesson_first.to_owned()
            }
            Denied::ScopeRequired { .. } => texts.course_first.to_owned(),
            Denied::Role
            | Denied::ScopeUnknown
            | Denied::CourseNotAssigned
            | Denied::NeedsManageSettings
            | Denied::NotYourUser
            | Denied::NeedsTokenScope(_)
            | Denied::NeedsSignIn => denied.message().in_locale(i18n.locale()).to_owned(),
        }
    };
    move || {
        denied.get().map(|denied| view! { <Notice tone=Tone::Warn id=SCOPE_NOTE_ID>{text(denied)}</Notice> })
    }
}
