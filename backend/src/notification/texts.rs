//! The texts of notifications, in Spanish and English.

use chrono::{DateTime, TimeDelta, Utc};
use domain::text::{Locale, Text};

use super::{Backlog, BacklogResolved, DisplayPreferences, NotificationContent, Refusing, RefusingResolved};

const WHAT_TO_DO: Text = Text::new(
    "Qué hacer: abre el Hub, ejecuta la sincronización y mira si alguno de los servicios de analítica falla.",
    "What to do: open the Hub, run the sync, and check whether one of the analytics services is failing.",
);
const WHAT_TO_CHECK: Text = Text::new(
    "Qué hacer: revisa la dirección y las credenciales del servicio y lo que haya en medio, como un proxy; \
     `dataporter telemetry:check` las prueba. No se descarta nada: lo pendiente se enviará cuando lo acepte.",
    "What to do: check the service's address and credentials, and anything in between, such as a proxy. \
     `dataporter telemetry:check` tests the settings. Nothing is discarded: pending events are sent once the \
     service accepts them.",
);
const NOTHING_TO_DO: Text = Text::new("No hace falta hacer nada.", "No action is needed.");

impl NotificationContent {
    /// The title, on one line.
    pub fn title(&self, locale: Locale) -> String {
        match (self, locale) {
            (Self::Backlog(Backlog { events, .. }), Locale::Es) => {
                format!("Alarma: eventos pendientes de sincronizar: {events}")
            }
            (Self::Backlog(Backlog { events, .. }), Locale::En) => {
                format!("Alarm: pending events: {events}")
            }
            (Self::BacklogResolved(_), Locale::Es) => {
                "Fin de la alarma: la sincronización está al día".to_owned()
            }
            (Self::BacklogResolved(_), Locale::En) => "Alarm resolved: the sync has caught up".to_owned(),
            (Self::Refusing(refusing), Locale::Es) => {
                format!("Alarma: eventos rechazados por {}", refusing.names())
            }
            (Self::Refusing(refusing), Locale::En) => {
                format!("Alarm: events rejected by {}", refusing.names())
            }
            (Self::RefusingResolved(_), Locale::Es) => {
                "Fin de la alarma: ya no se rechazan los eventos".to_owned()
            }
            (Self::RefusingResolved(_), Locale::En) => {
                "Alarm resolved: events are no longer rejected".to_owned()
            }
        }
    }

    /// What happened and what to do, in a few paragraphs.
    pub fn paragraphs(&self, preferences: DisplayPreferences) -> Vec<String> {
        let locale = preferences.locale;
        match self {
            Self::Backlog(backlog) => {
                vec![
                    backlog.pending(preferences),
                    backlog.limits(locale),
                    WHAT_TO_DO.in_locale(locale).to_owned(),
                ]
            }
            Self::BacklogResolved(resolved) => {
                vec![resolved.pending(preferences), NOTHING_TO_DO.in_locale(locale).to_owned()]
            }
            Self::Refusing(refusing) => {
                vec![refusing.finding(preferences), WHAT_TO_CHECK.in_locale(locale).to_owned()]
            }
            Self::RefusingResolved(resolved) => {
                vec![resolved.finding(preferences), NOTHING_TO_DO.in_locale(locale).to_owned()]
            }
        }
    }
}

impl Backlog {
    fn pending(&self, preferences: DisplayPreferences) -> String {
        let Self { events, oldest, counted_at, threshold: _, age_minutes: _ } = self;
        let counted = format_timestamp(*counted_at, preferences);
        let pending = match preferences.locale {
            Locale::Es => format!("Eventos del reproductor pendientes el {counted}: {events}."),
            Locale::En => format!("Player events pending as of {counted}: {events}."),
        };
        let Some(oldest) = oldest else { return pending };
        let (since, age) = (format_timestamp(*oldest, preferences), format_duration(*counted_at - *oldest));
        match preferences.locale {
            Locale::Es => format!("{pending} El más antiguo llegó el {since} (hace {age})."),
            Locale::En => format!("{pending} The oldest arrived on {since} ({age} ago)."),
        }
    }

    fn limits(&self, locale: Locale) -> String {
        let Self { threshold, age_minutes, events: _, oldest: _, counted_at: _ } = self;
        match locale {
            Locale::Es => format!(
                "La alarma salta a partir de {threshold} eventos (TELEMETRY_ALERT_THRESHOLD) \
                 o cuando uno espera {age_minutes} minutos (TELEMETRY_ALERT_AGE_MINUTES)."
            ),
            Locale::En => format!(
                "The alarm is raised at {threshold} pending events (TELEMETRY_ALERT_THRESHOLD), \
                 or when one has been pending for {age_minutes} minutes (TELEMETRY_ALERT_AGE_MINUTES)."
            ),
        }
    }
}

impl BacklogResolved {
    fn pending(&self, preferences: DisplayPreferences) -> String {
        let Self { events, counted_at } = self;
        let counted = format_timestamp(*counted_at, preferences);
        match preferences.locale {
            Locale::Es => {
                format!(
                    "Eventos del reproductor pendientes el {counted}: {events}, por debajo de los límites."
                )
            }
            Locale::En => format!("Player events pending as of {counted}: {events}, below the limits."),
        }
    }
}

impl Refusing {
    fn names(&self) -> String {
        self.drivers.iter().map(|driver| driver.title()).collect::<Vec<_>>().join(", ")
    }

    fn finding(&self, preferences: DisplayPreferences) -> String {
        let (names, at) = (self.names(), format_timestamp(self.found_at, preferences));
        match preferences.locale {
            Locale::Es => {
                format!(
                    "Comprobado el {at}: en la última sincronización se rechazó todo lo enviado a {names}."
                )
            }
            Locale::En => format!("As of {at}, everything sent in the last sync was rejected by {names}."),
        }
    }
}

impl RefusingResolved {
    fn finding(&self, preferences: DisplayPreferences) -> String {
        let at = format_timestamp(self.found_at, preferences);
        match preferences.locale {
            Locale::Es => format!("Comprobado el {at}: ningún servicio rechaza ya todo lo que se le envía."),
            Locale::En => format!("As of {at}, no service rejects everything that is sent to it any more."),
        }
    }
}

/// A timestamp to the minute, in an unambiguous order.
fn format_timestamp(at: DateTime<Utc>, preferences: DisplayPreferences) -> String {
    format!("{} ({})", at.with_timezone(&preferences.zone).format("%Y-%m-%d %H:%M"), preferences.zone.name())
}

/// A duration to the minute, with unit symbols that both languages share.
pub fn format_duration(duration: TimeDelta) -> String {
    let minutes = duration.num_minutes().max(0);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_formatted_to_the_minute() {
        let formatted =
            [59, 60, 3 * 3600, 86_400 + 61, -5].map(|seconds| format_duration(TimeDelta::seconds(seconds)));
        assert_eq!(formatted, ["0 min", "1 min", "3 h 0 min", "1 d 0 h 1 min", "0 min"]);
    }
}
