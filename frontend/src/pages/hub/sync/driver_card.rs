//! The status of one analytics service.

use leptos::prelude::*;

use super::feed::use_feed;
use crate::api::sync::report::Driver;
use crate::i18n::use_i18n;
use crate::ui::card::{Card, CardContent, Status};

/// The card.
#[component]
pub fn DriverCard(
    /// The service.
    driver: Driver,
) -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let content = move || {
        let texts = &i18n.messages().sync;
        let (format, time_format) = (feed.format(), feed.time_format());
        let status = feed.driver(driver)?;
        let (card_status, state) = match (status.enabled, status.configured) {
            (false, _) => (Status::Off, texts.off),
            (true, false) => (Status::Warning, texts.setting_missing),
            (true, true) => (Status::Ok, texts.active),
        };
        let text = match card_status {
            Status::Off => (texts.enable_with)(driver.enable_setting()),
            Status::Warning => match (&status.missing_setting, &status.problem) {
                (Some(setting), _) => (texts.set_setting)(setting),
                (None, problem) => problem.clone().unwrap_or_default(),
            },
            Status::Ok => {
                let pending = (texts.pending_label)(status.pending);
                let delivery = status.last_delivered_at.as_ref().map_or_else(
                    || texts.no_delivery.to_owned(),
                    |timestamp| (texts.last_delivery)(&time_format.minute(timestamp)),
                );
                format!("{pending} · {delivery}")
            }
        };
        Some(CardContent {
            status: Some(card_status),
            title: format!("{} · {state}", driver.name()),
            figure: if status.enabled { format.count(status.pending) } else { "–".to_owned() },
            text,
            problem: (status.dead > 0).then(|| (texts.dead)(status.dead, &format.count(status.dead))),
            ..CardContent::default()
        })
    };
    view! { <Card content=Signal::derive(content) /> }
}
