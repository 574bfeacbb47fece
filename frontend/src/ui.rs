//! Parts that pages are put together from. They know no API, no session and no text of their own.

pub mod brand;
pub mod button;
pub mod card;
pub mod combobox;
pub mod empty;
pub mod field;
pub mod meter;
pub mod notice;
pub mod panel;
pub mod segments;
pub mod select;
pub mod table;
