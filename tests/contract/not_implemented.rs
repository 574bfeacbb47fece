//! The parts of the contract that the schema does not implement yet. Remove an entry once it is implemented.

/// Types by name, fields and enum values as `Type.name`, and arguments as `Type.field(argument)`.
pub const NOT_IMPLEMENTED: &[&str] = &[
    "AuditEvent",
    "AuditEventConnection",
    "AuditEventEdge",
    "BacklogPoint",
    "CallToAction",
    "DeliveryCount",
    "LessonActivity",
    "LessonInsight",
    "LessonWeek",
    "Mutation.changePassword",
    "Mutation.createUser",
    "Mutation.endOtherSessions",
    "Mutation.endSession",
    "Mutation.requestPasswordReset",
    "Mutation.resetPassword",
    "NewUserInput",
    "Query.auditEvents",
    "Query.backlogSeries",
    "Query.deliverySeries",
    "Query.lessonInsight",
    "Query.sessions",
    "Query.topLessons",
    "SignIn",
];
