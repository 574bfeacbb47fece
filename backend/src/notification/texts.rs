//! The texts of notifications, in Spanish and English.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::text::{Phrase, Text};

use super::{Backlog, BacklogResolved, NotificationContent, Refusing, RefusingResolved};

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
    pub fn title(&self) -> Phrase {
        match self {
            Self::Backlog(Backlog { events, .. }) => Phrase::new(
                format!("Alarma: eventos pendientes de sincronizar: {events}"),
                format!("Alarm: pending events: {events}"),
            ),
            Self::BacklogResolved(_) => Phrase::new(
                "Fin de la alarma: la sincronización está al día",
                "Alarm resolved: the sync has caught up",
            ),
            Self::Refusing(refusing) => Phrase::new(
                format!("Alarma: eventos rechazados por {}", refusing.names()),
                format!("Alarm: events rejected by {}", refusing.names()),
            ),
            Self::RefusingResolved(_) => Phrase::new(
                "Fin de la alarma: ya no se rechazan los eventos",
                "Alarm resolved: events are no longer rejected",
            ),
        }
    }

    /// What happened and what to do, in a few paragraphs. Times are in `zone`.
    pub fn paragraphs(&self, zone: Tz) -> Vec<Phrase> {
        match self {
            Self::Backlog(backlog) => vec![backlog.pending(zone), backlog.limits(), WHAT_TO_DO.into()],
            Self::BacklogResolved(resolved) => vec![resolved.pending(zone), NOTHING_TO_DO.into()],
            Self::Refusing(refusing) => vec![refusing.finding(zone), WHAT_TO_CHECK.into()],
            Self::RefusingResolved(resolved) => vec![resolved.finding(zone), NOTHING_TO_DO.into()],
        }
    }
}

impl Backlog {
    fn pending(&self, zone: Tz) -> Phrase {
        let Self { events, oldest, counted_at, threshold: _, age_minutes: _ } = self;
        let counted = format_timestamp(*counted_at, zone);
        let es = format!("Eventos del reproductor pendientes el {counted}: {events}.");
        let en = format!("Player events pending as of {counted}: {events}.");
        let Some(oldest) = oldest else { return Phrase::new(es, en) };
        let (since, age) = (format_timestamp(*oldest, zone), format_duration(*counted_at - *oldest));
        Phrase::new(
            format!("{es} El más antiguo llegó el {since} (hace {age})."),
            format!("{en} The oldest arrived on {since} ({age} ago)."),
        )
    }

    fn limits(&self) -> Phrase {
        let Self { threshold, age_minutes, events: _, oldest: _, counted_at: _ } = self;
        Phrase::new(
            format!(
                "La alarma salta a partir de {threshold} eventos (TELEMETRY_ALERT_THRESHOLD) \
                 o cuando uno espera {age_minutes} minutos (TELEMETRY_ALERT_AGE_MINUTES)."
            ),
            format!(
                "The alarm is raised at {threshold} pending events (TELEMETRY_ALERT_THRESHOLD), \
                 or when one has been pending for {age_minutes} minutes (TELEMETRY_ALERT_AGE_MINUTES)."
            ),
        )
    }
}

impl BacklogResolved {
    fn pending(&self, zone: Tz) -> Phrase {
        let Self { events, counted_at } = self;
        let counted = format_timestamp(*counted_at, zone);
        Phrase::new(
            format!("Eventos del reproductor pendientes el {counted}: {events}, por debajo de los límites."),
            format!("Player events pending as of {counted}: {events}, below the limits."),
        )
    }
}

impl Refusing {
    fn names(&self) -> String {
        self.drivers.iter().map(|driver| driver.title()).collect::<Vec<_>>().join(", ")
    }

    fn finding(&self, zone: Tz) -> Phrase {
        let (names, at) = (self.names(), format_timestamp(self.found_at, zone));
        Phrase::new(
            format!("Comprobado el {at}: en la última sincronización se rechazó todo lo enviado a {names}."),
            format!("As of {at}, everything sent in the last sync was rejected by {names}."),
        )
    }
}

impl RefusingResolved {
    fn finding(&self, zone: Tz) -> Phrase {
        let at = format_timestamp(self.found_at, zone);
        Phrase::new(
            format!("Comprobado el {at}: ningún servicio rechaza ya todo lo que se le envía."),
            format!("As of {at}, no service rejects everything that is sent to it any more."),
        )
    }
}

/// A timestamp to the minute, in an unambiguous order.
fn format_timestamp(at: DateTime<Utc>, zone: Tz) -> String {
    format!("{} ({})", at.with_timezone(&zone).format("%Y-%m-%d %H:%M"), zone.name())
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
