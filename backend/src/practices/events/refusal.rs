//! Why a platform event is refused.

use domain::failure::ErrorCode;
use domain::text::Text;
use domain::validation;

use crate::refusal;

/// The refusal of one event. It changes nothing, and other events are not affected.
pub type Refusal = refusal::Refusal<Reason>;

/// Why an event is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The event is not a JSON object with one kind of event.
    NotAnEvent,
    /// No field has this name.
    UnknownField,
    /// A required field is missing.
    Missing,
    /// Not an ID.
    NotAnId,
    /// Not a UUID.
    NotAUuid,
    /// Not a timestamp.
    NotATimestamp,
    /// The timestamp is in the future.
    InTheFuture,
    /// Not the status of a new reservation.
    BadStatus,
    /// Not a valid payment reference.
    BadPaymentReference,
    /// Not a number of requests.
    BadPendingRequests,
    /// Not a list of recipients.
    BadRecipients,
    /// The additional data is not JSON.
    MetaNotJson,
    /// The additional data exceeds the size limit.
    MetaTooLarge,
    /// The additional data is nested too deeply.
    MetaTooDeep,
    /// The additional data has a character or a number that PostgreSQL does not store.
    MetaNotStorable,
    /// The practice does not exist.
    UnknownPractice,
    /// The user does not exist, or their data was erased.
    UnknownUser,
    /// The pack does not exist.
    UnknownPackage,
    /// The order does not exist.
    UnknownOrder,
    /// The lesson does not exist.
    UnknownLesson,
    /// The practice is cancelled.
    PracticeCancelled,
    /// The practice had ended.
    PracticeEnded,
    /// All seats are taken.
    PracticeFull,
    /// The student has a seat already.
    AlreadyReserved,
    /// The reservation's id belongs to another reservation.
    ReservationIdTaken,
    /// The student has no order with sessions left.
    NoSessionsLeft,
    /// The order is not paid, or cancelled.
    OrderNotPaid,
    /// The order is another user's.
    OrderOfAnotherUser,
    /// The order is of another pack.
    OrderOfAnotherPackage,
    /// The purchase was reported before.
    AlreadyPurchased,
    /// The order is cancelled.
    OrderCancelled,
    /// The student has no reservation.
    NoReservation,
    /// The reservation is cancelled already.
    AlreadyCancelled,
    /// The student's attendance is recorded already.
    AlreadyAttended,
    /// An error on our side.
    Failed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 35] = [
        Self::NotAnEvent,
        Self::UnknownField,
        Self::Missing,
        Self::NotAnId,
        Self::NotAUuid,
        Self::NotATimestamp,
        Self::InTheFuture,
        Self::BadStatus,
        Self::BadPaymentReference,
        Self::BadPendingRequests,
        Self::BadRecipients,
        Self::MetaNotJson,
        Self::MetaTooLarge,
        Self::MetaTooDeep,
        Self::MetaNotStorable,
        Self::UnknownPractice,
        Self::UnknownUser,
        Self::UnknownPackage,
        Self::UnknownOrder,
        Self::UnknownLesson,
        Self::PracticeCancelled,
        Self::PracticeEnded,
        Self::PracticeFull,
        Self::AlreadyReserved,
        Self::ReservationIdTaken,
        Self::NoSessionsLeft,
        Self::OrderNotPaid,
        Self::OrderOfAnotherUser,
        Self::OrderOfAnotherPackage,
        Self::AlreadyPurchased,
        Self::OrderCancelled,
        Self::NoReservation,
        Self::AlreadyCancelled,
        Self::AlreadyAttended,
        Self::Failed,
    ];
}

impl refusal::Reason for Reason {
    fn code(self) -> ErrorCode {
        match self {
            Self::NotAnEvent
            | Self::UnknownField
            | Self::Missing
            | Self::NotAnId
            | Self::NotAUuid
            | Self::NotATimestamp
            | Self::InTheFuture
            | Self::BadStatus
            | Self::BadPaymentReference
            | Self::BadPendingRequests
            | Self::BadRecipients
            | Self::MetaNotJson
            | Self::MetaTooLarge
            | Self::MetaTooDeep
            | Self::MetaNotStorable
            | Self::UnknownPractice
            | Self::UnknownUser
            | Self::UnknownPackage
            | Self::UnknownOrder
            | Self::UnknownLesson => ErrorCode::BadUserInput,
            Self::PracticeCancelled
            | Self::PracticeEnded
            | Self::PracticeFull
            | Self::AlreadyReserved
            | Self::ReservationIdTaken
            | Self::NoSessionsLeft
            | Self::OrderNotPaid
            | Self::OrderOfAnotherUser
            | Self::OrderOfAnotherPackage
            | Self::AlreadyPurchased
            | Self::OrderCancelled
            | Self::NoReservation
            | Self::AlreadyCancelled
            | Self::AlreadyAttended => ErrorCode::Conflict,
            Self::Failed => ErrorCode::Internal,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::NotAnEvent => "NOT_AN_EVENT",
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::Missing => "MISSING",
            Self::NotAnId => "NOT_AN_ID",
            Self::NotAUuid => "NOT_A_UUID",
            Self::NotATimestamp => "NOT_A_TIMESTAMP",
            Self::InTheFuture => "IN_THE_FUTURE",
            Self::BadStatus => "BAD_STATUS",
            Self::BadPaymentReference => "BAD_PAYMENT_REFERENCE",
            Self::BadPendingRequests => "BAD_PENDING_REQUESTS",
            Self::BadRecipients => "BAD_RECIPIENTS",
            Self::MetaNotJson => "META_NOT_JSON",
            Self::MetaTooLarge => "META_TOO_LARGE",
            Self::MetaTooDeep => "META_TOO_DEEP",
            Self::MetaNotStorable => "META_NOT_STORABLE",
            Self::UnknownPractice => "UNKNOWN_PRACTICE",
            Self::UnknownUser => "UNKNOWN_USER",
            Self::UnknownPackage => "UNKNOWN_PACKAGE",
            Self::UnknownOrder => "UNKNOWN_ORDER",
            Self::UnknownLesson => "UNKNOWN_LESSON",
            Self::PracticeCancelled => "PRACTICE_CANCELLED",
            Self::PracticeEnded => "PRACTICE_ENDED",
            Self::PracticeFull => "PRACTICE_FULL",
            Self::AlreadyReserved => "ALREADY_RESERVED",
            Self::ReservationIdTaken => "RESERVATION_ID_TAKEN",
            Self::NoSessionsLeft => "NO_SESSIONS_LEFT",
            Self::OrderNotPaid => "ORDER_NOT_PAID",
            Self::OrderOfAnotherUser => "ORDER_OF_ANOTHER_USER",
            Self::OrderOfAnotherPackage => "ORDER_OF_ANOTHER_PACKAGE",
            Self::AlreadyPurchased => "ALREADY_PURCHASED",
            Self::OrderCancelled => "ORDER_CANCELLED",
            Self::NoReservation => "NO_RESERVATION",
            Self::AlreadyCancelled => "ALREADY_CANCELLED",
            Self::AlreadyAttended => "ALREADY_ATTENDED",
            Self::Failed => "FAILED",
        }
    }

    fn message(self) -> Text {
        match self {
            Self::NotAnEvent => Text::new(
                "Cada evento debe ser un objeto JSON con exactamente un campo: practiceReserved, reservationCancelled, \
                 practicePackagePurchased, practiceSessionConsumed o practiceRequestEscalated.",
                "Each event must be a JSON object with exactly one field: practiceReserved, reservationCancelled, \
                 practicePackagePurchased, practiceSessionConsumed or practiceRequestEscalated.",
            ),
            Self::UnknownField => Text::new("Campo desconocido.", "Unknown field."),
            Self::Missing => Text::new("Falta este campo.", "This field is missing."),
            Self::NotAnId => validation::NOT_AN_ID,
            Self::NotAUuid => validation::NOT_A_UUID,
            Self::NotATimestamp => validation::NOT_A_TIMESTAMP,
            Self::InTheFuture => Text::new(
                "Está en el futuro. Se acepta hasta 2 minutos después de la hora del servidor.",
                "In the future. Accepted: up to 2 minutes after the server's time.",
            ),
            Self::BadStatus => Text::new("Se acepta confirmed o pending.", "Accepted: confirmed or pending."),
            Self::BadPaymentReference => Text::new(
                "Se acepta un texto de hasta 200 caracteres.",
                "Accepted: text of up to 200 characters.",
            ),
            Self::BadPendingRequests => Text::new(
                "Se acepta un número entero de 0 a 2147483647.",
                "Accepted: a whole number from 0 to 2147483647.",
            ),
            Self::BadRecipients => Text::new(
                "Se acepta una lista de 1 a 100 identificadores de usuarios.",
                "Accepted: a list of 1 to 100 IDs of users.",
            ),
            Self::MetaNotJson => validation::NOT_JSON,
            Self::MetaTooLarge => validation::JSON_TOO_LARGE,
            Self::MetaTooDeep => Text::new(
                "Se aceptan hasta 64 niveles de anidamiento.",
                "Accepted: up to 64 levels of nesting.",
            ),
            Self::MetaNotStorable => validation::JSON_NOT_STORABLE,
            Self::UnknownPractice => Text::new("Esta práctica no existe.", "This practice does not exist."),
            Self::UnknownUser => Text::new("Este usuario no existe.", "This user does not exist."),
            Self::UnknownPackage => Text::new("Este pack no existe.", "This pack does not exist."),
            Self::UnknownOrder => Text::new("Este pedido no existe.", "This order does not exist."),
            Self::UnknownLesson => Text::new("Esta lección no existe.", "This lesson does not exist."),
            Self::PracticeCancelled => Text::new("La práctica está cancelada.", "The practice is cancelled."),
            Self::PracticeEnded => {
                Text::new("La práctica ya había terminado.", "The practice had already ended.")
            }
            Self::PracticeFull => {
                Text::new("Todos los lugares están ocupados.", "All seats of the practice are taken.")
            }
            Self::AlreadyReserved => Text::new(
                "El estudiante ya tiene un lugar en la práctica.",
                "The student already has a seat in the practice.",
            ),
            Self::ReservationIdTaken => {
                Text::new("Este identificador es de otra reserva.", "This is the ID of another reservation.")
            }
            Self::NoSessionsLeft => Text::new(
                "No quedan sesiones de un pedido pagado que sirva.",
                "No suitable paid order has sessions left.",
            ),
            Self::OrderNotPaid => Text::new("El pedido no está pagado.", "The order is not paid."),
            Self::OrderOfAnotherUser => {
                Text::new("El pedido es de otro usuario.", "The order is another user’s.")
            }
            Self::OrderOfAnotherPackage => {
                Text::new("El pedido es de otro pack.", "The order is of another pack.")
            }
            Self::AlreadyPurchased => Text::new(
                "La compra de este pedido ya se registró.",
                "The purchase of this order is recorded already.",
            ),
            Self::OrderCancelled => Text::new("El pedido está cancelado.", "The order is cancelled."),
            Self::NoReservation => Text::new(
                "El estudiante no tiene ninguna reserva en la práctica.",
                "The student has no reservation in the practice.",
            ),
            Self::AlreadyCancelled => {
                Text::new("La reserva ya está cancelada.", "The reservation is cancelled already.")
            }
            Self::AlreadyAttended => Text::new(
                "La asistencia del estudiante ya se registró.",
                "The student’s attendance is recorded already.",
            ),
            Self::Failed => Text::new(
                "Algo falló de nuestro lado. Vuelve a enviar el evento con el mismo eventId.",
                "Something went wrong on our side. Send the event again with the same eventId.",
            ),
        }
    }
}
