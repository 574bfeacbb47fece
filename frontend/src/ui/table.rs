//! A table that scrolls within itself, and the bones of one that is still on its way.

use leptos::prelude::*;

/// How a column's cells are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// As they come.
    Plain,
    /// To the right, as numbers are compared.
    Number,
    /// Cut off where it is too long.
    Text,
    /// As code.
    Code,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// How its cells are set.
    pub set: Set,
}

/// A cell; `None` where there is no value.
pub type Cell = Option<String>;

impl Set {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Number => "table__cell--number",
            Self::Text => "table__cell--text",
            Self::Code => "table__cell--code",
        }
    }
}

/// Whether rows are what was asked for last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// They are.
    Current,
    /// They are older, and dimmed while the next are on their way.
    Old,
}

/// A table with its rows.
#[component]
pub fn Table(
    /// What the table holds.
    caption: String,
    /// The columns.
    columns: Vec<Column>,
    /// The rows, each with a cell for each column.
    rows: Vec<Vec<Cell>>,
    /// Whether the rows are what was asked for last.
    age: Age,
) -> impl IntoView {
    let label = caption.clone();
    let sets: Vec<Set> = columns.iter().map(|column| column.set).collect();
    let cell = move |(cell, set): (Cell, &Set)| match cell {
        Some(text) => {
            let whole = matches!(set, Set::Text | Set::Code).then(|| text.clone());
            view! { <td class=set.class() title=whole>{text}</td> }.into_any()
        }
        None => view! { <td class="table__cell--absent">"–"</td> }.into_any(),
    };
    view! {
        // A region that scrolls must be within reach of the keyboard.
        <div
            class="table"
            class:table--stale=age == Age::Old
            tabindex="0"
            role="region"
            aria-label=label
            aria-busy=(age == Age::Old).to_string()
        >
            <table>
                <caption class="unseen">{caption}</caption>
                <TableHead columns=columns />
                <tbody>
                    {rows
                        .into_iter()
                        .map(|row| view! { <tr>{row.into_iter().zip(&sets).map(cell).collect_view()}</tr> })
                        .collect_view()}
                </tbody>
            </table>
        </div>
    }
}

/// A table on its way: its headings, and bones for rows.
#[component]
pub fn TableBones(
    /// What a screen reader says meanwhile.
    label: &'static str,
    /// The columns.
    columns: Vec<Column>,
    /// How many rows are expected.
    rows: usize,
) -> impl IntoView {
    let width = columns.len();
    let bone = || view! { <td><span class="table__bone"></span></td> };
    view! {
        <div class="table">
            // Not busy: what is busy is not read out.
            <span class="unseen" role="status">{label}</span>
            <table aria-hidden="true">
                <TableHead columns=columns />
                <tbody>
                    {(0..rows)
                        .map(|_| view! { <tr>{(0..width).map(|_| bone()).collect_view()}</tr> })
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
                    .map(|column| view! { <th scope="col" class=column.set.class()>{column.title}</th> })
                    .collect_view()}
            </tr>
        </thead>
    }
}
