//! The player's demo: a video as a learning platform would embed it, and beside it what is reported to the hub.

mod reported;
mod screen;

use leptos::prelude::*;

use super::failed::Failed;
use super::heading::Heading;
use super::no_page::NoPage;
use crate::api::player::{DemoLesson, demo_lesson};
use crate::i18n::use_i18n;
use crate::latest::Latest;
use crate::ui::panel::Panel;
use reported::{Reported, ReportedEvents};
use screen::Screen;

/// The page; there is none where the hub is no demo.
#[component]
pub fn PlayerDemo() -> impl IntoView {
    let lesson = Latest::new(|| Some(()), |()| demo_lesson());
    let failure = Signal::derive(move || lesson.answer().and_then(Result::err));
    move || match lesson.answer() {
        None => ().into_any(),
        Some(Ok(Some(lesson))) => view! { <Demo lesson=lesson /> }.into_any(),
        Some(Ok(None)) => view! { <NoPage /> }.into_any(),
        Some(Err(_)) => view! {
            <Failed failure on_retry=move |()| lesson.ask_again() busy=lesson.is_asking() />
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
