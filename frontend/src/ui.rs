//! Reusable components. They know nothing of the API and the session, and contain no texts.

pub mod brand;
pub mod button;
pub mod card;
pub mod combobox;
pub mod confirm;
pub mod empty;
pub mod field;
pub mod meter;
pub mod notice;
pub mod panel;
pub mod segments;
pub mod select;
pub mod table;
