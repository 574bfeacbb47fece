//! The video with the player script attached to it, and the choice of its lesson.

use std::cell::RefCell;
use std::rc::Rc;

use domain::access::Act;
use leptos::html;
use leptos::prelude::*;

use super::reported::Reported;
use crate::api::courses::{Lessons, lessons};
use crate::api::failure::Failure;
use crate::api::player::{DemoLesson, IssuePlayerToken, issue_player_token};
use crate::i18n::use_i18n;
use crate::latest_request::LatestRequest;
use crate::pages::failed::Failed;
use crate::player::{self, AttachedPlayer};
use crate::session::{Session, use_session};
use crate::ui::field::{Field, field_id};
use crate::ui::select::{Choice, Select};

/// Maximum number of lessons to choose from.
const MAX_LESSONS: i64 = 100;

/// The video.
#[component]
pub fn Screen(
    /// The lesson for users who may not list lessons.
    lesson: DemoLesson,
    /// Receives the events' state changes.
    reported: Reported,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let may_choose = Memo::new(move |_| session.may(Act::BrowseCourses));
    let available =
        LatestRequest::new(move || may_choose.get().then_some(()), move |()| list_lessons(session));
    let demo_lesson = Choice::new(lesson.lesson_id, lesson.title);
    let choices = Memo::new(move |_| match available.last_response() {
        Some(((), Ok(available))) if !available.is_empty() => available,
        None if may_choose.get() => Vec::new(),
        Some(_) | None => vec![demo_lesson.clone()],
    });
    let picked = RwSignal::new(None::<String>);
    let first = move || choices.with(|choices| choices.first().map(|first| first.value().to_owned()));
    let selected = Memo::new(move |_| picked.get().or_else(first));

    let script = LatestRequest::new(
        || Some(()),
        |()| async { if player::load().await { Ok(()) } else { Err(Failure::Unreachable) } },
    );
    let video = NodeRef::<html::Video>::new();
    Effect::new(move |previous: Option<Option<AttachedPlayer>>| {
        // Detach from the previous lesson before attaching for the next.
        drop(previous);
        script.response()?.ok()?;
        let (video, lesson_id) = (video.get()?, selected.get()?);
        let last_token = Rc::new(RefCell::new(None));
        let token = move || token(session, Rc::clone(&last_token));
        AttachedPlayer::new(&video, &lesson_id, token, move |update| reported.apply(update))
    });

    let id = field_id();
    let hint = move || {
        let texts = &i18n.messages().player;
        let hint = if may_choose.get() { texts.lesson_hint } else { texts.lesson_fixed };
        Some(hint.to_owned())
    };
    let token_text = move || {
        let texts = &i18n.messages().player;
        if session.may(Act::RecordForAnybody) { texts.token_issued } else { texts.token_own }
    };
    view! {
        <video
            class="video"
            node_ref=video
            src="/player/demo.webm"
            controls=true
            playsinline=true
            preload="metadata"
            aria-label=move || i18n.messages().player.video
        ></video>
        <Failed
            failure=Signal::derive(move || script.response().and_then(Result::err))
            on_retry=move |()| script.reload()
            busy=script.is_loading()
        />
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.messages().player.lesson)
            hint=Signal::derive(hint)
        >
            <Select
                id=id
                choices=choices
                selected=Signal::derive(move || selected.get().unwrap_or_default())
                on_select=move |id| picked.set(Some(id))
            />
        </Field>
        <p class="muted">{token_text}</p>
    }
}

/// Lists the lessons to choose from.
async fn list_lessons(session: Session) -> Result<Vec<Choice>, Failure> {
    let variables = lessons::Variables { course_id: None, search: None, first: MAX_LESSONS };
    let found = session.run::<Lessons>(variables).await?.lessons;
    let choice = |lesson: lessons::LessonsLessons| {
        Choice::new(lesson.id, format!("{} · {}", lesson.title, lesson.course.title))
    };
    Ok(found.into_iter().map(choice).collect())
}

/// A token for the player. For an admin, a player token is issued, as for a learning platform. Other users
/// use their own access token. The script calls this again when the last token was rejected.
async fn token(session: Session, last_token: Rc<RefCell<Option<String>>>) -> Option<String> {
    let token = if untrack(|| session.may(Act::RecordForAnybody)) {
        let user_id = untrack(|| session.user())?.viewer.user_id.to_string();
        let issued = session.run::<IssuePlayerToken>(issue_player_token::Variables { user_id }).await;
        issued.ok()?.issue_player_token.token
    } else {
        let rejected = last_token.borrow().clone();
        session.access_token(rejected).await.ok()??
    };
    last_token.replace(Some(token.clone()));
    Some(token)
}
