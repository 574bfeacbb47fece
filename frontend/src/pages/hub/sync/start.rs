//! Starting a run, or the last batch once more, for those who manage the settings.

use domain::failure::ErrorCode;
use leptos::prelude::*;

use super::feed::use_feed;
use crate::api::failure::Failure;
use crate::api::sync::report::{Run, RunState};
use crate::api::sync::{retry, run};
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::button::{ActionButton, Look, SubmitButton};
use crate::ui::field::{Field, field_id, words_id};
use crate::ui::notice::{Notice, Tone};

/// How many events a run may be told to take.
const LIMITS: std::ops::RangeInclusive<i64> = 1..=100_000;
/// The limit unless another one is typed.
const USUAL_LIMIT: &str = "500";
/// The id of what says why no run can be started now.
const UNDER_WAY: &str = "run-under-way";

/// What is started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Run,
    Retry,
}

/// The form.
#[component]
pub fn Start() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let limit = RwSignal::new(USUAL_LIMIT.to_owned());
    let tried = RwSignal::new(false);
    let number = move || limit.with(|limit| limit.trim().parse().ok().filter(|it| LIMITS.contains(it)));
    let is_wrong = move || tried.get() && number().is_none();
    let chosen = RwSignal::new(What::Run);
    let start = Action::new_local(move |limit: &i64| {
        let request = match chosen.get_untracked() {
            What::Run => run(*limit),
            What::Retry => retry(*limit),
        };
        session.ask(request)
    });
    let begin = move |what| {
        tried.set(true);
        if let Some(limit) = untrack(number)
            && !start.pending().get_untracked()
        {
            chosen.set(what);
            start.dispatch(limit);
        }
    };
    let is_starting = move |what| start.pending().get() && chosen.get() == what;
    let is_running = Memo::new(move |_| feed.running().is_some());
    let answer = Memo::new(move |_| start.value().get().filter(|_| !start.pending().get()));
    let is_conflict = move |failure: &Failure| match failure {
        Failure::Refused(refusal) => refusal.code == ErrorCode::Conflict,
        Failure::Unreachable | Failure::Unreadable => false,
    };
    let refused = Memo::new(move |_| answer.get().and_then(Result::err));
    let id = field_id();
    view! {
        <form
            class="form"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                begin(What::Run);
            }
        >
            <Field
                id=id.clone()
                label=Signal::derive(move || i18n.messages().sync.limit)
                hint=Signal::derive(move || Some(i18n.messages().sync.limit_hint.to_owned()))
                error=Signal::derive(move || is_wrong().then(|| i18n.messages().sync.limit_wrong.to_owned()))
            >
                <input
                    id=id.clone()
                    class="field__control"
                    type="number"
                    min=*LIMITS.start()
                    max=*LIMITS.end()
                    step="1"
                    inputmode="numeric"
                    autocomplete="off"
                    aria-describedby=words_id(&id)
                    aria-invalid=move || is_wrong().to_string()
                    bind:value=limit
                />
            </Field>
            <div class="form__row">
                <SubmitButton
                    busy=Signal::derive(move || is_starting(What::Run))
                    disabled=is_running
                    described_by=UNDER_WAY
                >
                    {move || {
                        let words = &i18n.messages().sync;
                        if is_starting(What::Run) { words.starting } else { words.start }
                    }}
                </SubmitButton>
                <ActionButton
                    look=Look::Quiet
                    busy=Signal::derive(move || is_starting(What::Retry))
                    disabled=is_running
                    described_by=UNDER_WAY
                    on_press=move |()| begin(What::Retry)
                >
                    {move || i18n.messages().sync.retry}
                </ActionButton>
            </div>
            <Show when=move || is_running.get()>
                <p class="soft" id=UNDER_WAY>
                    {move || i18n.messages().sync.goes_on} " " {move || i18n.messages().sync.goes_on_help}
                </p>
            </Show>
        </form>
        <Failed failure=Signal::derive(move || refused.get().filter(|failure| !is_conflict(failure))) />
        {move || refused.get().filter(is_conflict).map(|_| {
            let words = &i18n.messages().sync;
            view! { <Notice tone=Tone::Warn help=words.conflict_help>{words.conflict}</Notice> }
        })}
        <Outcome run=Signal::derive(move || answer.get().and_then(Result::ok)) />
    }
}

/// What became of the run that was started here.
#[component]
fn Outcome(run: Signal<Option<Run>>) -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    // The server answers before a long run has ended; how it ended is told like everything else of the sync.
    let run = Memo::new(move |_| {
        let started = run.get()?;
        let last = feed.status(|status| status.last_run.clone()).flatten();
        Some(last.filter(|last| last.id == started.id).unwrap_or(started))
    });
    move || {
        let Run { state, processed, message, .. } = run.get()?;
        let words = &i18n.messages().sync;
        let ended = (words.ended)(&(words.events)(processed, &feed.format().count(processed)));
        let (tone, what, help) = match state {
            RunState::Running => (Tone::Ok, words.goes_on.to_owned(), None),
            RunState::Success => (Tone::Ok, ended, message),
            RunState::Skipped => (Tone::Warn, message.unwrap_or_else(|| words.skipped.to_owned()), None),
            RunState::Partial => {
                let help = Some(words.partial_help.to_owned());
                (Tone::Warn, message.unwrap_or(ended), help)
            }
            RunState::Failed => (Tone::Bad, message.unwrap_or(ended), Some(words.failed_help.to_owned())),
            RunState::Unknown => (Tone::Warn, message.unwrap_or(ended), None),
        };
        Some(match help {
            Some(help) => view! { <Notice tone help=help>{what}</Notice> }.into_any(),
            None => view! { <Notice tone>{what}</Notice> }.into_any(),
        })
    }
}
