//! Texts about sync runs and drivers, for people.

use domain::Driver;
use domain::text::Phrase;

use crate::models::sync_run::{DriverStats, Outage, RunReason, SyncRun};

/// The message of a run. `None` if its counts are sufficient.
pub fn message(run: &SyncRun) -> Option<Phrase> {
    let mut phrases: Vec<Phrase> = run.reason.iter().map(reason).collect();
    if !run.drivers_left_out.is_empty() {
        phrases.push(left_out(&run.drivers_left_out));
    }
    for stats in &run.drivers {
        phrases.extend(stats.outage.as_ref().map(|cause| outage(stats.driver, cause)));
        phrases.extend(not_delivered(stats));
    }
    (!phrases.is_empty()).then(|| Phrase::joined(&phrases))
}

/// Says that this process lacks the settings of enabled drivers.
pub fn left_out(drivers: &[Driver]) -> Phrase {
    let titles: Vec<&str> = drivers.iter().map(|driver| driver.title()).collect();
    let settings: Vec<&str> = drivers.iter().map(|driver| enabled_by(*driver)).collect();
    let settings = settings.join(", ");
    match titles.as_slice() {
        [one] => Phrase::new(
            format!(
                "{one} está habilitado, pero este proceso no tiene su configuración ({settings}): sus eventos siguen \
                 pendientes."
            ),
            format!(
                "{one} is enabled, but this process lacks its settings ({settings}). Its events stay pending."
            ),
        ),
        several => Phrase::new(
            format!(
                "{} están habilitados, pero este proceso no tiene su configuración ({settings}): sus eventos siguen \
                 pendientes.",
                several.join(" y ")
            ),
            format!(
                "{} are enabled, but this process lacks their settings ({settings}). Their events stay pending.",
                several.join(" and ")
            ),
        ),
    }
}

const fn enabled_by(driver: Driver) -> &'static str {
    match driver {
        Driver::Ga4 => "GA4_ENABLED",
        Driver::Mixpanel => "MIXPANEL_ENABLED",
    }
}

/// Says why no events are sent to a driver for now.
pub fn outage(driver: Driver, outage: &Outage) -> Phrase {
    let name = driver.title();
    let settings = match driver {
        Driver::Ga4 => "GA4_MEASUREMENT_ID, GA4_API_SECRET, GA4_BASE_URL",
        Driver::Mixpanel => "MIXPANEL_PROJECT_TOKEN, MIXPANEL_API_SECRET, MIXPANEL_BASE_URL",
    };
    match outage {
        Outage::Refused { http_status } => Phrase::new(
            format!("{name} rechazó la petición (HTTP {http_status}). Revisa {settings}."),
            format!("{name} rejected the request (HTTP {http_status}). Check {settings}."),
        ),
        Outage::Refusing { http_status, events } => Phrase::new(
            format!(
                "{name} rechaza eventos ({events}, HTTP {http_status}). Revisa {settings} y si hay un proxy \
                 en medio. Los eventos rechazados siguen pendientes."
            ),
            format!(
                "{name} refuses events ({events}, HTTP {http_status}). Check {settings} and any proxy in \
                 between. The refused events stay pending."
            ),
        ),
        Outage::Unreachable => Phrase::new(
            format!("{name} no responde. Los eventos pendientes se enviarán cuando vuelva."),
            format!("{name} does not respond. Pending events are sent when it recovers."),
        ),
        Outage::Down { http_status } => Phrase::new(
            format!(
                "{name} está fallando (HTTP {http_status}). Los eventos pendientes se enviarán cuando se recupere."
            ),
            format!("{name} is failing (HTTP {http_status}). Pending events are sent when it recovers."),
        ),
        Outage::Paused => Phrase::new(
            format!("{name} pidió una pausa. Los eventos pendientes se enviarán después."),
            format!("{name} asked for a pause. Pending events are sent after it."),
        ),
    }
}

fn reason(reason: &RunReason) -> Phrase {
    let (es, en) = match reason {
        RunReason::NotConfigured { settings } => {
            let settings = settings.join(", ");
            return Phrase::new(
                format!("Falta la configuración: {settings}. No se envió nada."),
                format!("Missing settings: {settings}. Nothing was sent."),
            );
        }
        RunReason::NoDriver => (
            "Ningún driver está habilitado (GA4_ENABLED, MIXPANEL_ENABLED). No se envió nada.",
            "No driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED). Nothing was sent.",
        ),
        RunReason::NothingPending => ("No hay eventos pendientes.", "No events are pending."),
        RunReason::NothingDue => (
            "A ningún evento pendiente le toca un reintento todavía.",
            "All pending events are waiting for their next retry.",
        ),
        RunReason::NothingToRetry => {
            ("No queda nada por reintentar del último lote.", "Nothing in the last batch needs a retry.")
        }
        RunReason::Interrupted => (
            "Se interrumpió porque el proceso se detuvo; el resto sigue pendiente.",
            "Interrupted because its process was stopped; the rest stays pending.",
        ),
        RunReason::OutOfTime => (
            "Se detuvo al llegar a su límite de tiempo; el resto sigue pendiente.",
            "Stopped at its time limit; the rest stays pending.",
        ),
        RunReason::Died => (
            "Su proceso murió a medias; la siguiente ejecución retomó el resto.",
            "Its process died; the next run resumed its work.",
        ),
        RunReason::Broken => (
            "Falló algo de nuestro lado; está en el registro del servidor.",
            "Something failed on our side; see the server's log.",
        ),
    };
    Phrase::new(es, en)
}

fn not_delivered(stats: &DriverStats) -> Option<Phrase> {
    let DriverStats { dead, expired, retrying, .. } = *stats;
    let list = |labels: [&str; 3]| {
        let counts = [dead, expired, retrying].into_iter().zip(labels).filter(|(count, _)| *count > 0);
        let parts: Vec<String> = counts.map(|(count, label)| format!("{count} {label}")).collect();
        format!("{}: {}.", stats.driver.title(), parts.join(", "))
    };
    (dead + expired + retrying > 0).then(|| {
        Phrase::new(
            list(["descartados", "caducados", "por reintentar"]),
            list(["dead", "expired", "to be retried"]),
        )
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use domain::sync::{SyncState, SyncTrigger};
    use domain::text::Locale;

    use super::*;

    #[test]
    fn a_message_has_the_reason_the_outage_and_the_undelivered_events() {
        let stats = DriverStats {
            dead: 2,
            retrying: 5,
            outage: Some(Outage::Down { http_status: 503 }),
            ..DriverStats::new(Driver::Mixpanel)
        };
        let run = SyncRun {
            id: 1,
            state: SyncState::Partial,
            trigger: SyncTrigger::Schedule,
            triggered_by: None,
            event_limit: None,
            drivers: vec![DriverStats { delivered: 9, ..DriverStats::new(Driver::Ga4) }, stats],
            processed: 2,
            started_at: DateTime::UNIX_EPOCH,
            finished_at: None,
            duration_ms: None,
            reason: Some(RunReason::OutOfTime),
            drivers_left_out: Vec::new(),
        };
        assert_eq!(
            message(&run).as_ref().map(|phrase| phrase.in_locale(Locale::En)),
            Some(
                "Stopped at its time limit; the rest stays pending. Mixpanel is failing (HTTP 503). Pending events are \
                 sent when it recovers. Mixpanel: 2 dead, 5 to be retried."
            )
        );
        assert!(message(&run).is_some_and(|phrase| phrase.in_locale(Locale::Es).contains("2 descartados")));
        let run = SyncRun { drivers: Vec::new(), reason: None, drivers_left_out: vec![Driver::Ga4], ..run };
        assert_eq!(
            message(&run).as_ref().map(|phrase| phrase.in_locale(Locale::En)),
            Some(
                "GA4 is enabled, but this process lacks its settings (GA4_ENABLED). Its events stay pending."
            )
        );
    }
}
