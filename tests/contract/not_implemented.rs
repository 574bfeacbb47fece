//! The parts of the contract that the schema does not implement yet. Remove an entry once it is implemented.

/// Types by name, fields and enum values as `Type.name`, and arguments as `Type.field(argument)`.
pub const NOT_IMPLEMENTED: &[&str] = &[
    "Mutation.eraseUserData",
    "Mutation.publishPlatformEvents",
    "PlatformEventInput",
    "PlatformEventResult",
    "PracticePackagePurchasedInput",
    "PracticeRequestEscalatedInput",
    "PracticeReservedInput",
    "PracticeSessionConsumedInput",
    "ReservationCancelledInput",
];
