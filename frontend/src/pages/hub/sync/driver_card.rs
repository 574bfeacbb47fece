//! How it stands with one analytics service.

use leptos::prelude::*;

use super::feed::use_feed;
use crate::api::sync::report::Driver;
use crate::i18n::use_i18n;
use crate::ui::card::{Card, Face, Sign};

/// The card.
#[component]
pub fn DriverCard(
    /// The service.
    driver: Driver,
) -> impl IntoView {
    let i18n = use_i18n();
    let feed = use_feed();
    let face = move || {
        let words = &i18n.messages().sync;
        let (format, moments) = (feed.format(), feed.moments());
        let status = feed.driver(driver)?;
        let (sign, state) = match (status.enabled, status.configured) {
            (false, _) => (Sign::Grey, words.off),
            (true, false) => (Sign::Amber, words.lacking),
            (true, true) => (Sign::Green, words.active),
        };
        let told = match sign {
            Sign::Grey => (words.enable)(driver.switch()),
            Sign::Amber => match (status.missing_setting(), &status.problem) {
                (Some(setting), _) => (words.define)(setting),
                (None, problem) => problem.clone().unwrap_or_default(),
            },
            Sign::Green => {
                let pending = (words.pending_there)(status.pending);
                let delivery = status.last_delivered_at.as_ref().map_or_else(
                    || words.no_delivery.to_owned(),
                    |moment| (words.last_delivery)(&moments.minute(moment)),
                );
                format!("{pending} · {delivery}")
            }
        };
        Some(Face {
            sign: Some(sign),
            title: format!("{} · {state}", driver.name()),
            figure: if status.enabled { format.count(status.pending) } else { "–".to_owned() },
            words: told,
            fault: (status.dead > 0).then(|| (words.dead)(status.dead, &format.count(status.dead))),
            ..Face::default()
        })
    };
    view! { <Card face=Signal::derive(face) /> }
}
