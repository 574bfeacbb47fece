//! The form that starts a run or retries the last batch, for users who manage the settings.

use domain::failure::ErrorCode;
use leptos::prelude::*;

use super::feed::use_feed;
use crate::api::failure::Failure;
use crate::api::sync::report::{Run, RunState};
use crate::api::sync::{retry_last_batch, start_run};
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::button::{ActionButton, SubmitButton, Variant};
use crate::ui::field::{Field, description_id, field_id};
use crate::ui::notice::{Notice, Tone};

/// The range of a run's event limit.
const LIMITS: std::ops::RangeInclusive<i64> = 1..=100_000;
/// The default event limit.
const DEFAULT_LIMIT: &str = "500";
/// The id of the text that says why no run can be started now.
const RUN_IN_PROGRESS_ID: &str = "run-in-progress";

/// What the form starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StartAction {
    Run,
    Retry,
}

/// The form.
#[component]
pub fn Start() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let feed = use_feed();
    let limit = RwSignal::new(DEFAULT_LIMIT.to_owned());
    let was_submitted = RwSignal::new(false);
    let number =
        move || limit.with(|limit| limit.trim().parse().ok().filter(|number| LIMITS.contains(number)));
    let is_invalid = move || was_submitted.get() && number().is_none();
    let selected_action = RwSignal::new(StartAction::Run);
    let start = Action::new_local(move |limit: &i64| {
        let request = match selected_action.get_untracked() {
            StartAction::Run => start_run(*limit),
            StartAction::Retry => retry_last_batch(*limit),
        };
        session.send(request)
    });
    let submit = move |action| {
        was_submitted.set(true);
        if let Some(limit) = untrack(number)
            && !start.pending().get_untracked()
        {
            selected_action.set(action);
            start.dispatch(limit);
        }
    };
    let is_starting = move |action| start.pending().get() && selected_action.get() == action;
    let is_running = Memo::new(move |_| feed.running().is_some());
    let response = Memo::new(move |_| start.value().get().filter(|_| !start.pending().get()));
    let is_conflict = move |failure: &Failure| match failure {
        Failure::Api(error) => error.code == ErrorCode::Conflict,
        Failure::Unreachable | Failure::Unreadable => false,
    };
    let failure = Memo::new(move |_| response.get().and_then(Result::err));
    let id = field_id();
    view! {
        <form
            class="form"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                submit(StartAction::Run);
            }
        >
            <Field
                id=id.clone()
                label=Signal::derive(move || i18n.messages().sync.limit)
                hint=Signal::derive(move || Some(i18n.messages().sync.limit_hint.to_owned()))
                error=Signal::derive(move || is_invalid().then(|| i18n.messages().sync.limit_wrong.to_owned()))
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
                    aria-describedby=description_id(&id)
                    aria-invalid=move || is_invalid().to_string()
                    bind:value=limit
                />
            </Field>
            <div class="form__row">
                <SubmitButton
                    busy=Signal::derive(move || is_starting(StartAction::Run))
                    disabled=is_running
                    described_by=RUN_IN_PROGRESS_ID
                >
                    {move || {
                        let texts = &i18n.messages().sync;
                        if is_starting(StartAction::Run) { texts.starting } else { texts.start }
                    }}
                </SubmitButton>
                <ActionButton
                    variant=Variant::Quiet
                    busy=Signal::derive(move || is_starting(StartAction::Retry))
                    disabled=is_running
                    described_by=RUN_IN_PROGRESS_ID
                    on_press=move |()| submit(StartAction::Retry)
                >
                    {move || i18n.messages().sync.retry}
                </ActionButton>
            </div>
            <Show when=move || is_running.get()>
                <p class="muted" id=RUN_IN_PROGRESS_ID>
                    {move || i18n.messages().sync.in_progress}
                    " "
                    {move || i18n.messages().sync.in_progress_help}
                </p>
            </Show>
        </form>
        <Failed failure=Signal::derive(move || failure.get().filter(|failure| !is_conflict(failure))) />
        {move || failure.get().filter(is_conflict).map(|_| {
            let texts = &i18n.messages().sync;
            view! { <Notice tone=Tone::Warn help=texts.conflict_help>{texts.conflict}</Notice> }
        })}
        <Outcome run=Signal::derive(move || response.get().and_then(Result::ok)) />
    }
}

/// The outcome of the run that was started here.
#[component]
fn Outcome(run: Signal<Option<Run>>) -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    // The response may arrive before the run has finished. The outcome is then taken from the live status.
    let run = Memo::new(move |_| {
        let started = run.get()?;
        let last = feed.status(|status| status.last_run.clone()).flatten();
        Some(last.filter(|last| last.id == started.id).unwrap_or(started))
    });
    move || {
        let Run { state, processed, message, .. } = run.get()?;
        let texts = &i18n.messages().sync;
        let finished = (texts.run_finished)(&(texts.events)(processed, &feed.format().count(processed)));
        let (tone, message, help) = match state {
            RunState::Running => (Tone::Ok, texts.in_progress.to_owned(), None),
            RunState::Success => (Tone::Ok, finished, message),
            RunState::Skipped => (Tone::Warn, message.unwrap_or_else(|| texts.skipped.to_owned()), None),
            RunState::Partial => {
                let help = Some(texts.partial_help.to_owned());
                (Tone::Warn, message.unwrap_or(finished), help)
            }
            RunState::Failed => (Tone::Bad, message.unwrap_or(finished), Some(texts.failed_help.to_owned())),
            RunState::Unknown => (Tone::Warn, message.unwrap_or(finished), None),
        };
        Some(match help {
            Some(help) => view! { <Notice tone help=help>{message}</Notice> }.into_any(),
            None => view! { <Notice tone>{message}</Notice> }.into_any(),
        })
    }
}
