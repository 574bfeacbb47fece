//! The statuses of practices, of reservations of their seats, and of orders of practice packs.

use crate::dataset::{Column, ColumnKind};
use crate::text::Text;
use crate::unknown_name::UnknownName;

/// The status of a practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PracticeStatus {
    /// It is planned.
    Scheduled,
    /// It does not take place.
    Cancelled,
    /// It has taken place.
    Completed,
}

impl PracticeStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Scheduled, Self::Cancelled, Self::Completed];

    /// The status's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }
}

impl TryFrom<String> for PracticeStatus {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|status| status.key() == key).ok_or(UnknownName(key))
    }
}

/// The status of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationStatus {
    /// It is not confirmed yet, but takes a seat.
    Pending,
    /// The seat is the student's.
    Confirmed,
    /// The student took part.
    Attended,
    /// The student gave the seat back.
    Cancelled,
}

impl ReservationStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Attended, Self::Cancelled];

    /// The status's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Attended => "attended",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }

    /// Whether the reservation takes a seat.
    pub const fn takes_seat(self) -> bool {
        match self {
            Self::Pending | Self::Confirmed | Self::Attended => true,
            Self::Cancelled => false,
        }
    }
}

impl TryFrom<String> for ReservationStatus {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::parse(&key).ok_or(UnknownName(key))
    }
}

/// What the Hub shows of the reservations of a practice.
pub const RESERVATION_COLUMNS: &[Column] = &[
    Column::new("id", ColumnKind::Id, Text::new("ID de reserva", "Reservation ID")),
    Column::new("user_id", ColumnKind::Id, Text::new("ID de estudiante", "Student ID")),
    Column::new("user_email", ColumnKind::Text, Text::new("Correo del estudiante", "Student e-mail")),
    Column::new("status", ColumnKind::Text, Text::new("Estado", "Status")),
    Column::new("order_id", ColumnKind::Id, Text::new("ID de pedido", "Order ID")),
    Column::new("reserved_at", ColumnKind::Timestamp, Text::new("Reservada", "Reserved at")),
    Column::new("cancelled_at", ColumnKind::Timestamp, Text::new("Cancelada", "Cancelled at")),
    Column::new("attended_at", ColumnKind::Timestamp, Text::new("Asistió hasta", "Attended until")),
];

/// The status of an order of a practice pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    /// It is not paid yet.
    Pending,
    /// It is paid, and its sessions can be used.
    Paid,
    /// It is cancelled.
    Cancelled,
    /// Its sessions are used up.
    Completed,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Paid, Self::Cancelled, Self::Completed];

    /// The status's name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }
}

impl TryFrom<String> for OrderStatus {
    type Error = UnknownName;

    fn try_from(key: String) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|status| status.key() == key).ok_or(UnknownName(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, FilterKey};

    fn choices(dataset: Dataset) -> Vec<&'static str> {
        let filter = dataset.describe().filter(FilterKey::STATUS).unwrap();
        filter.choices.iter().map(|choice| choice.value).collect()
    }

    #[test]
    fn the_filters_of_the_datasets_offer_each_status() {
        assert_eq!(choices(Dataset::DiscordPractices), PracticeStatus::ALL.map(PracticeStatus::key));
        assert_eq!(choices(Dataset::PracticePackageOrders), OrderStatus::ALL.map(OrderStatus::key));
    }

    #[test]
    fn each_status_has_its_own_name() {
        for status in PracticeStatus::ALL {
            assert_eq!(PracticeStatus::try_from(status.key().to_owned()).ok(), Some(status));
        }
        for status in ReservationStatus::ALL {
            assert_eq!(ReservationStatus::try_from(status.key().to_owned()).ok(), Some(status));
        }
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::try_from(status.key().to_owned()).ok(), Some(status));
        }
    }
}
