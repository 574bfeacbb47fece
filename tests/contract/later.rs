//! What of the contract is still to be built. The list shrinks: what the schema has must not stand here.

/// Types by name, fields and enumeration values as `Type.name`, arguments as `Type.field(argument)`.
pub const LATER: &[&str] = &[
    "Mutation.eraseUserData",
    "Mutation.markNotificationRead",
    "Mutation.publishPlatformEvents",
    "Mutation.undoImport",
    "Notification",
    "PlatformEventInput",
    "PlatformEventResult",
    "PracticePackagePurchasedInput",
    "PracticeRequestEscalatedInput",
    "PracticeReservedInput",
    "PracticeSessionConsumedInput",
    "Query.notifications",
    "ReservationCancelledInput",
    "Subscription.importProgress",
];
