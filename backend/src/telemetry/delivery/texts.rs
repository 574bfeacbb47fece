//! What there is to say of a run of the sync, and of a driver, in its reader's language.

use domain::text::Locale;

use crate::models::driver::Driver;
use crate::models::sync_run::{Note, Share, SyncRun, Trouble};

/// What a person should know of a run; nothing where its counts say all.
pub fn message(run: &SyncRun, locale: Locale) -> Option<String> {
    let mut said: Vec<String> = run.note.iter().map(|note| note_in(note, locale)).collect();
    if !run.drivers_left_out.is_empty() {
        said.push(left_out(&run.drivers_left_out, locale));
    }
    for share in &run.shares {
        said.extend(share.trouble.as_ref().map(|found| trouble(share.driver, found, locale)));
        said.extend(left_over(share, locale));
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// That drivers are enabled whose settings a process does not have.
pub fn left_out(drivers: &[Driver], locale: Locale) -> String {
    let titles: Vec<&str> = drivers.iter().map(|driver| driver.title()).collect();
    let settings: Vec<&str> = drivers.iter().map(|driver| enabled_by(*driver)).collect();
    let settings = settings.join(", ");
    match (titles.as_slice(), locale) {
        ([one], Locale::Es) => format!(
            "{one} está habilitado, pero este proceso no tiene su configuración ({settings}): sus eventos siguen pendientes."
        ),
        ([one], Locale::En) => format!(
            "{one} is enabled, but this process does not have its settings ({settings}): its events stay pending."
        ),
        (several, Locale::Es) => format!(
            "{} están habilitados, pero este proceso no tiene su configuración ({settings}): sus eventos siguen pendientes.",
            several.join(" y ")
        ),
        (several, Locale::En) => format!(
            "{} are enabled, but this process does not have their settings ({settings}): their events stay pending.",
            several.join(" and ")
        ),
    }
}

const fn enabled_by(driver: Driver) -> &'static str {
    match driver {
        Driver::Ga4 => "GA4_ENABLED",
        Driver::Mixpanel => "MIXPANEL_ENABLED",
    }
}

/// What keeps a driver from taking anything.
pub fn trouble(driver: Driver, trouble: &Trouble, locale: Locale) -> String {
    let name = driver.title();
    let settings = match driver {
        Driver::Ga4 => "GA4_MEASUREMENT_ID, GA4_API_SECRET, GA4_BASE_URL",
        Driver::Mixpanel => "MIXPANEL_PROJECT_TOKEN, MIXPANEL_API_SECRET, MIXPANEL_BASE_URL",
    };
    match (trouble, locale) {
        (Trouble::Refused { http_status }, Locale::Es) => {
            format!("{name} no nos deja entrar (respondió {http_status}): revisa {settings}.")
        }
        (Trouble::Refused { http_status }, Locale::En) => {
            format!("{name} does not let us in (it answered {http_status}): check {settings}.")
        }
        (Trouble::Refusing { http_status, events }, Locale::Es) => {
            format!(
                "{name} rechaza lo que se le envía ({events} eventos, respondió {http_status}): revisa {settings} y \
                 lo que haya en medio. Lo rechazado sigue pendiente."
            )
        }
        (Trouble::Refusing { http_status, events }, Locale::En) => {
            format!(
                "{name} refuses what it is sent ({events} events, it answered {http_status}): check {settings} and \
                 whatever stands in between. What it refused stays pending."
            )
        }
        (Trouble::Unreachable, Locale::Es) => {
            format!("{name} no responde; lo pendiente se enviará cuando vuelva.")
        }
        (Trouble::Unreachable, Locale::En) => {
            format!("{name} does not answer; what is pending goes out when it is back.")
        }
        (Trouble::Down { http_status }, Locale::Es) => {
            format!("{name} tiene problemas (respondió {http_status}); lo pendiente se enviará cuando pasen.")
        }
        (Trouble::Down { http_status }, Locale::En) => {
            format!(
                "{name} is in trouble (it answered {http_status}); what is pending goes out when that is over."
            )
        }
        (Trouble::Paused, Locale::Es) => format!("{name} pidió una pausa; lo pendiente se enviará después."),
        (Trouble::Paused, Locale::En) => {
            format!("{name} asked for a pause; what is pending goes out after it.")
        }
    }
}

fn note_in(note: &Note, locale: Locale) -> String {
    let said = match (note, locale) {
        (Note::NotConfigured { settings }, Locale::Es) => {
            return format!("Falta la configuración: {}. No se tocó nada.", settings.join(", "));
        }
        (Note::NotConfigured { settings }, Locale::En) => {
            return format!("Settings are missing: {}. Nothing was touched.", settings.join(", "));
        }
        (Note::NoDriver, Locale::Es) => {
            "Ningún driver está habilitado (GA4_ENABLED, MIXPANEL_ENABLED); no se tocó ningún evento."
        }
        (Note::NoDriver, Locale::En) => {
            "No driver is enabled (GA4_ENABLED, MIXPANEL_ENABLED); no event was touched."
        }
        (Note::NothingPending, Locale::Es) => "No hay eventos pendientes.",
        (Note::NothingPending, Locale::En) => "No event is pending.",
        (Note::NothingDue, Locale::Es) => "A nada de lo pendiente le toca todavía.",
        (Note::NothingDue, Locale::En) => "Nothing of what is pending is due yet.",
        (Note::NothingToRetry, Locale::Es) => "El último lote no debe nada.",
        (Note::NothingToRetry, Locale::En) => "The last batch owes nothing.",
        (Note::Interrupted, Locale::Es) => {
            "Se interrumpió al apagarse el proceso; lo que falta sigue pendiente."
        }
        (Note::Interrupted, Locale::En) => {
            "It was interrupted when its process ended; what is left stays pending."
        }
        (Note::OutOfTime, Locale::Es) => "Se agotó su tiempo; lo que falta sigue pendiente.",
        (Note::OutOfTime, Locale::En) => "Its time was over; what is left stays pending.",
        (Note::Died, Locale::Es) => {
            "Su proceso murió a medias; la siguiente ejecución siguió con lo que faltaba."
        }
        (Note::Died, Locale::En) => {
            "Its process died in the middle; the next run went on with what was left."
        }
        (Note::Broken, Locale::Es) => "Falló algo de nuestro lado; está en el registro del servidor.",
        (Note::Broken, Locale::En) => "Something failed on our side; it is in the server's log.",
    };
    said.to_owned()
}

fn left_over(share: &Share, locale: Locale) -> Option<String> {
    let name = share.driver.title();
    let Share { dead, expired, retrying, .. } = *share;
    let parts = match locale {
        Locale::Es => [(dead, "descartados"), (expired, "demasiado antiguos"), (retrying, "se reintentarán")],
        Locale::En => [(dead, "given up"), (expired, "too old"), (retrying, "to be tried again")],
    };
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| format!("{name}: {}.", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::models::sync_run::{SyncState, SyncTrigger};

    #[test]
    fn a_run_says_what_was_left_and_why() {
        let share = Share {
            dead: 2,
            retrying: 5,
            trouble: Some(Trouble::Down { http_status: 503 }),
            ..Share::new(Driver::Mixpanel)
        };
        let run = SyncRun {
            id: 1,
            state: SyncState::Partial,
            trigger: SyncTrigger::Schedule,
            triggered_by: None,
            event_limit: None,
            shares: vec![Share { delivered: 9, ..Share::new(Driver::Ga4) }, share],
            processed: 2,
            started_at: DateTime::UNIX_EPOCH,
            finished_at: None,
            duration_ms: None,
            note: Some(Note::OutOfTime),
            drivers_left_out: Vec::new(),
        };
        assert_eq!(
            message(&run, Locale::En).as_deref(),
            Some(
                "Its time was over; what is left stays pending. Mixpanel is in trouble (it answered 503); what is \
                 pending goes out when that is over. Mixpanel: 2 given up, 5 to be tried again."
            )
        );
        assert!(message(&run, Locale::Es).is_some_and(|said| said.contains("2 descartados")));
        let run = SyncRun { shares: Vec::new(), note: None, drivers_left_out: vec![Driver::Ga4], ..run };
        assert_eq!(
            message(&run, Locale::En).as_deref(),
            Some(
                "GA4 is enabled, but this process does not have its settings (GA4_ENABLED): its events stay pending."
            )
        );
    }
}
