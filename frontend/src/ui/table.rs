//! A table in a scrollable region, and its skeleton while it is loading.

use leptos::prelude::*;

/// The style of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellStyle {
    /// Plain text.
    Plain,
    /// Right-aligned numbers.
    Number,
    /// Long text, truncated.
    Text,
    /// Code, truncated.
    Code,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub title: String,
    pub style: CellStyle,
}

/// A cell, `None` if there is no value.
pub type Cell = Option<String>;

impl CellStyle {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Number => "table__cell--number",
            Self::Text => "table__cell--text",
            Self::Code => "table__cell--code",
        }
    }
}

/// Whether the rows belong to the latest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// They do.
    Current,
    /// They belong to an older request, and are dimmed while the latest one is loading.
    Stale,
}

/// A table with its rows.
#[component]
pub fn Table(
    caption: String,
    columns: Vec<Column>,
    /// The rows, each with one cell per column.
    rows: Vec<Vec<Cell>>,
    /// Whether the rows belong to the latest request.
    freshness: Freshness,
    /// Where the first cell of each row leads.
    #[prop(optional)]
    links: Vec<String>,
) -> impl IntoView {
    let label = caption.clone();
    let styles: Vec<CellStyle> = columns.iter().map(|column| column.style).collect();
    let cell = move |(cell, style): (Cell, &CellStyle)| match cell {
        Some(text) => {
            let full_text = matches!(style, CellStyle::Text | CellStyle::Code).then(|| text.clone());
            view! { <td class=style.class() title=full_text>{text}</td> }.into_any()
        }
        None => view! { <td class="table__cell--absent">"–"</td> }.into_any(),
    };
    view! {
        // A scrollable region must be focusable, so that it can be scrolled with the keyboard.
        <div
            class="table"
            class:table--stale=freshness == Freshness::Stale
            tabindex="0"
            role="region"
            aria-label=label
            aria-busy=(freshness == Freshness::Stale).to_string()
        >
            <table>
                <caption class="visually-hidden">{caption}</caption>
                <TableHead columns=columns />
                <tbody>
                    {rows
                        .into_iter()
                        .enumerate()
                        .map(|(index, mut row)| {
                            let link = links.get(index).cloned();
                            let linked = link.map(|href| {
                                let text = row.remove(0);
                                view! { <td><a href=href>{text}</a></td> }
                            });
                            let styles = &styles[usize::from(linked.is_some())..];
                            view! { <tr>{linked}{row.into_iter().zip(styles).map(cell).collect_view()}</tr> }
                        })
                        .collect_view()}
                </tbody>
            </table>
        </div>
    }
}

/// The skeleton of a table: its header and placeholders for its rows.
#[component]
pub fn TableSkeleton(
    /// The text for screen readers.
    label: &'static str,
    columns: Vec<Column>,
    /// The expected number of rows.
    rows: usize,
) -> impl IntoView {
    let width = columns.len();
    let placeholder = || view! { <td><span class="table__skeleton"></span></td> };
    view! {
        <div class="table">
            // Without `aria-busy`, since screen readers do not announce busy elements.
            <span class="visually-hidden" role="status">{label}</span>
            <table aria-hidden="true">
                <TableHead columns=columns />
                <tbody>
                    {(0..rows)
                        .map(|_| view! { <tr>{(0..width).map(|_| placeholder()).collect_view()}</tr> })
                        .collect_view()}
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn TableHead(columns: Vec<Column>) -> impl IntoView {
    view! {
        <thead>
            <tr>
                {columns
                    .into_iter()
                    .map(|column| view! { <th scope="col" class=column.style.class()>{column.title}</th> })
                    .collect_view()}
            </tr>
        </thead>
    }
}
