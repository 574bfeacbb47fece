//! The download: the file's format, its row count, and the button.

use domain::ExportFormat;
use leptos::prelude::*;

use super::csv_options::CsvOptions;
use super::scope_note::SCOPE_NOTE_ID;
use super::state::{Rows, use_export};
use crate::address::FileFormat;
use crate::api::links::{FileRequest, link};
use crate::api::preview::Preview;
use crate::browser;
use crate::i18n;
use crate::i18n::use_i18n;
use crate::pages::failed::Failed;
use crate::session::use_session;
use crate::ui::button::SubmitButton;
use crate::ui::notice::{Notice, Tone};
use crate::ui::segments::{Segment, Segments};

/// The download form.
#[component]
pub fn Download() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let state = use_export();
    let download = Action::new_local(move |file: &FileRequest| {
        let request = link(file);
        async move {
            let link = session.send(request).await?;
            browser::download(&link.url, &link.filename);
            Ok(link.filename)
        }
    });
    let failure = Signal::derive(move || download.value().get().and_then(Result::err));
    let started = Memo::new(move |_| download.value().get().and_then(Result::ok));
    // The message about the last file does not apply to a new selection.
    Effect::new(move |_| {
        state.page();
        download.clear();
    });
    let formats = Signal::derive(|| {
        let named = |format: ExportFormat| Segment::new(format.key(), format.key().to_ascii_uppercase());
        ExportFormat::ALL.into_iter().map(named).collect::<Vec<_>>()
    });
    let choose_format = move |key: String| {
        state.change(|page| page.format = ExportFormat::parse(&key).map(FileFormat).unwrap_or_default());
    };
    view! {
        <Show when=move || state.page().format == FileFormat(ExportFormat::Csv)>
            <CsvOptions />
        </Show>
        <form
            class="bar"
            on:submit=move |event| {
                event.prevent_default();
                if let Some(file) = state.current_file() {
                    download.dispatch(file);
                }
            }
        >
            <RowCount />
            <Segments
                label=Signal::derive(move || i18n.messages().export.format)
                segments=formats
                selected=Signal::derive(move || state.page().format.0.key().to_owned())
                on_select=choose_format
            />
            <SubmitButton
                busy=download.pending()
                disabled=Signal::derive(move || state.grant().is_err())
                described_by=SCOPE_NOTE_ID
            >
                {move || {
                    let texts = &i18n.messages().export;
                    if download.pending().get() { texts.preparing } else { texts.download }
                }}
            </SubmitButton>
        </form>
        <Failed failure />
        {move || started.get().map(|file| view! {
            <Notice tone=Tone::Ok>{move || (i18n.messages().export.download_started)(&file)}</Notice>
        })}
    }
}

/// The file's row count: exact if the preview shows all rows, otherwise an estimate.
#[component]
fn RowCount() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let state = use_export();
    let text = move || {
        let texts = &i18n.messages().export;
        let format = i18n::format::Format::new(i18n.locale(), &session.timezone());
        // The file has the practices, not the reservations of the one that is shown.
        if state.practice().is_some() {
            return None;
        }
        let (rows, has_more) = match state.rows() {
            Rows::Loaded(Preview { rows, has_more }) => (rows, has_more),
            Rows::Loading | Rows::Stale(_) if state.grant().is_ok() => {
                return Some(texts.counting.to_owned());
            }
            Rows::Loading | Rows::Stale(_) | Rows::Failed(_) => return None,
        };
        let count = rows.len();
        if !has_more {
            return Some((texts.exact_rows)(count, &count.to_string()));
        }
        let shown = (texts.shown_rows)(count);
        match state.estimate() {
            Some(Ok(rows)) => {
                let about = format.count(rows);
                Some(format!("{} · {shown}", (texts.about_rows)(&about)))
            }
            Some(Err(_)) => Some(shown),
            None => Some(texts.counting.to_owned()),
        }
    };
    view! { <span class="muted bar__count" role="status">{text}</span> }
}
