//! The video with the script attached to it, and the lesson that it counts for.

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
use crate::latest::Latest;
use crate::pages::failed::Failed;
use crate::player::{self, Attachment};
use crate::session::{Session, use_session};
use crate::ui::field::{Field, field_id};
use crate::ui::select::{Choice, Select};

/// How many lessons are offered.
const OFFERED: i64 = 100;

/// The video.
#[component]
pub fn Screen(
    /// The lesson for whoever may not list them.
    lesson: DemoLesson,
    /// What takes the news of events.
    reported: Reported,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let may_choose = Memo::new(move |_| session.may(Act::BrowseCourses));
    let offered = Latest::new(move || may_choose.get().then_some(()), move |()| offer(session));
    let only = Choice::new(lesson.lesson_id, lesson.title);
    let choices = Memo::new(move |_| match offered.newest() {
        Some(((), Ok(offered))) if !offered.is_empty() => offered,
        None if may_choose.get() => Vec::new(),
        Some(_) | None => vec![only.clone()],
    });
    let picked = RwSignal::new(None::<String>);
    let first = move || choices.with(|choices| choices.first().map(|first| first.value().to_owned()));
    let chosen = Memo::new(move |_| picked.get().or_else(first));

    let script = Latest::new(
        || Some(()),
        |()| async { if player::load().await { Ok(()) } else { Err(Failure::Unreachable) } },
    );
    let video = NodeRef::<html::Video>::new();
    Effect::new(move |before: Option<Option<Attachment>>| {
        // One lesson's events are over before the next one's begin.
        drop(before);
        script.answer()?.ok()?;
        let (video, lesson_id) = (video.get()?, chosen.get()?);
        let last = Rc::new(RefCell::new(None));
        let token = move || token(session, Rc::clone(&last));
        Attachment::new(&video, &lesson_id, token, move |news| reported.take(news))
    });

    let id = field_id();
    let hint = move || {
        let words = &i18n.messages().player;
        let hint = if may_choose.get() { words.lesson_hint } else { words.lesson_fixed };
        Some(hint.to_owned())
    };
    let token_words = move || {
        let words = &i18n.messages().player;
        if session.may(Act::RecordForAnybody) { words.token_issued } else { words.token_own }
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
            failure=Signal::derive(move || script.answer().and_then(Result::err))
            on_retry=move |()| script.ask_again()
            busy=script.is_asking()
        />
        <Field
            id=id.clone()
            label=Signal::derive(move || i18n.messages().player.lesson)
            hint=Signal::derive(hint)
        >
            <Select
                id=id
                choices=choices
                chosen=Signal::derive(move || chosen.get().unwrap_or_default())
                on_choose=move |id| picked.set(Some(id))
            />
        </Field>
        <p class="soft">{token_words}</p>
    }
}

/// The lessons to choose from.
async fn offer(session: Session) -> Result<Vec<Choice>, Failure> {
    let variables = lessons::Variables { course_id: None, search: None, first: OFFERED };
    let found = session.run::<Lessons>(variables).await?.lessons;
    let choice = |lesson: lessons::LessonsLessons| {
        Choice::new(lesson.id, format!("{} · {}", lesson.title, lesson.course.title))
    };
    Ok(found.into_iter().map(choice).collect())
}

/// A token for the player: an admin has one issued, as a learning platform's server does; others lend it their own. It
/// is asked for again when the last one is no longer good.
async fn token(session: Session, last: Rc<RefCell<Option<String>>>) -> Option<String> {
    let token = if untrack(|| session.may(Act::RecordForAnybody)) {
        let user_id = untrack(|| session.person())?.viewer.user_id.to_string();
        let issued = session.run::<IssuePlayerToken>(issue_player_token::Variables { user_id }).await;
        issued.ok()?.issue_player_token.token
    } else {
        let refused = last.borrow().clone();
        session.access_token(refused).await.ok()??
    };
    last.replace(Some(token.clone()));
    Some(token)
}
