//! The player demo: a video embedded as on a learning platform, and a list of its events.

mod reported;
mod screen;

use leptos::prelude::*;

use super::failed::Failed;
use super::heading::Heading;
use super::not_found::NotFoundPage;
use crate::api::player::{DemoLesson, demo_lesson};
use crate::i18n::use_i18n;
use crate::latest_request::LatestRequest;
use crate::ui::panel::Panel;
use reported::{Reported, ReportedEvents};
use screen::Screen;

/// The page. On a hub that is not a demo, it is not found.
#[component]
pub fn PlayerDemo() -> impl IntoView {
    let lesson = LatestRequest::new(|| Some(()), |()| demo_lesson());
    let failure = Signal::derive(move || lesson.response().and_then(Result::err));
    move || match lesson.response() {
        None => ().into_any(),
        Some(Ok(Some(lesson))) => view! { <Demo lesson=lesson /> }.into_any(),
        Some(Ok(None)) => view! { <NotFoundPage /> }.into_any(),
        Some(Err(_)) => view! {
            <Failed failure on_retry=move |()| lesson.reload() busy=lesson.is_loading() />
        }
        .into_any(),
    }
}

#[component]
fn Demo(lesson: DemoLesson) -> impl IntoView {
    let i18n = use_i18n();
    let reported = Reported::new();
    view! {
        <Heading title=|i18n| i18n.messages().player.title lead=|i18n| i18n.messages().player.lead />
        <div class="columns">
            <Panel title=Signal::derive(move || i18n.messages().player.video)>
                <Screen lesson=lesson reported=reported />
            </Panel>
            <Panel title=Signal::derive(move || i18n.messages().player.reported)>
                <ReportedEvents reported=reported />
            </Panel>
        </div>
    }
}
