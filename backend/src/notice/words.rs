//! The words of notices, in Spanish and English side by side.

use chrono::{DateTime, TimeDelta, Utc};
use domain::text::{Locale, Text};

use super::{Backlog, BacklogGone, Notice, Reader, Refusing, RefusingGone};

const WHAT_TO_DO: Text = Text::new(
    "Qué hacer: abre el Hub, ejecuta la sincronización y mira si alguno de los servicios de analítica falla.",
    "What to do: open the Hub, run the sync, and look whether one of the analytics services fails.",
);
const WHAT_TO_CHECK: Text = Text::new(
    "Qué hacer: revisa la dirección y las credenciales del servicio y lo que haya en medio, como un proxy; \
     `dataporter telemetry:check` las prueba. No se descarta nada: lo pendiente se enviará cuando lo acepte.",
    "What to do: check the service's address and credentials, and whatever stands in between, such as a proxy; \
     `dataporter telemetry:check` tries them out. Nothing is given up: what is pending goes out when it is taken.",
);
const NOTHING_TO_DO: Text = Text::new("No hace falta hacer nada.", "There is nothing to do.");

impl Notice {
    /// What it is about, in one line.
    pub fn title(&self, locale: Locale) -> String {
        match (self, locale) {
            (Self::Backlog(Backlog { events, .. }), Locale::Es) => {
                format!("Alarma: eventos pendientes de sincronizar: {events}")
            }
            (Self::Backlog(Backlog { events, .. }), Locale::En) => {
                format!("Alarm: events waiting for the sync: {events}")
            }
            (Self::BacklogGone(_), Locale::Es) => {
                "Fin de la alarma: la sincronización está al día".to_owned()
            }
            (Self::BacklogGone(_), Locale::En) => "End of the alarm: the sync has caught up".to_owned(),
            (Self::Refusing(refusing), Locale::Es) => {
                format!("Alarma: rechazan los eventos: {}", refusing.names())
            }
            (Self::Refusing(refusing), Locale::En) => {
                format!("Alarm: events are refused by {}", refusing.names())
            }
            (Self::RefusingGone(_), Locale::Es) => {
                "Fin de la alarma: ya no se rechazan los eventos".to_owned()
            }
            (Self::RefusingGone(_), Locale::En) => {
                "End of the alarm: events are no longer refused".to_owned()
            }
        }
    }

    /// What happened, and what to do: a few paragraphs.
    pub fn paragraphs(&self, reader: Reader) -> Vec<String> {
        let locale = reader.locale;
        match self {
            Self::Backlog(backlog) => {
                vec![backlog.waiting(reader), backlog.limits(locale), WHAT_TO_DO.in_locale(locale).to_owned()]
            }
            Self::BacklogGone(gone) => {
                vec![gone.waiting(reader), NOTHING_TO_DO.in_locale(locale).to_owned()]
            }
            Self::Refusing(refusing) => {
                vec![refusing.found(reader), WHAT_TO_CHECK.in_locale(locale).to_owned()]
            }
            Self::RefusingGone(gone) => vec![gone.found(reader), NOTHING_TO_DO.in_locale(locale).to_owned()],
        }
    }
}

impl Backlog {
    fn waiting(&self, reader: Reader) -> String {
        let Self { events, oldest, counted_at, threshold: _, age_minutes: _ } = self;
        let counted = moment(*counted_at, reader);
        let waiting = match reader.locale {
            Locale::Es => format!("Eventos del reproductor pendientes el {counted}: {events}."),
            Locale::En => format!("Player events waiting on {counted}: {events}."),
        };
        let Some(oldest) = oldest else { return waiting };
        let (since, age) = (moment(*oldest, reader), span(*counted_at - *oldest));
        match reader.locale {
            Locale::Es => format!("{waiting} El más antiguo llegó el {since} (hace {age})."),
            Locale::En => format!("{waiting} The oldest came in on {since} ({age} ago)."),
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
                "The alarm is raised from {threshold} events on (TELEMETRY_ALERT_THRESHOLD), \
                 or when one has waited for {age_minutes} minutes (TELEMETRY_ALERT_AGE_MINUTES)."
            ),
        }
    }
}

impl BacklogGone {
    fn waiting(&self, reader: Reader) -> String {
        let Self { events, counted_at } = self;
        let counted = moment(*counted_at, reader);
        match reader.locale {
            Locale::Es => {
                format!("Eventos del reproductor pendientes el {counted}: {events}, bajo los límites.")
            }
            Locale::En => format!("Player events waiting on {counted}: {events}, below the limits."),
        }
    }
}

impl Refusing {
    fn names(&self) -> String {
        self.drivers.iter().map(|driver| driver.title()).collect::<Vec<_>>().join(", ")
    }

    fn found(&self, reader: Reader) -> String {
        let (names, at) = (self.names(), moment(self.found_at, reader));
        match reader.locale {
            Locale::Es => {
                format!("En la última sincronización vista el {at} se rechazó todo lo enviado a: {names}.")
            }
            Locale::En => format!("In the last sync as of {at} everything sent was refused by: {names}."),
        }
    }
}

impl RefusingGone {
    fn found(&self, reader: Reader) -> String {
        let at = moment(self.found_at, reader);
        match reader.locale {
            Locale::Es => format!("El {at} ningún servicio rechaza ya todo lo que se le envía."),
            Locale::En => format!("On {at} no service refuses everything it is sent any more."),
        }
    }
}

/// A moment to the minute, in an order that no reader takes for another.
fn moment(at: DateTime<Utc>, reader: Reader) -> String {
    format!("{} ({})", at.with_timezone(&reader.zone).format("%Y-%m-%d %H:%M"), reader.zone.name())
}

/// A length of time to the minute, in signs that both languages share.
pub fn span(span: TimeDelta) -> String {
    let minutes = span.num_minutes().max(0);
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
    fn a_span_is_told_to_the_minute() {
        let told = [59, 60, 3 * 3600, 86_400 + 61, -5].map(|seconds| span(TimeDelta::seconds(seconds)));
        assert_eq!(told, ["0 min", "1 min", "3 h 0 min", "1 d 0 h 1 min", "0 min"]);
    }
}
