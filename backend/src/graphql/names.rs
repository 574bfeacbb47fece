//! GraphQL names of the domain's enumerations; the compiler keeps each in step with its twin.

use async_graphql::Enum;
use domain::access::{Role, TokenScope};
use domain::{Dataset, ExportFormat, Locale};

use crate::models::export_audit::Outcome;
use crate::models::user::User;

/// One of the seven datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "Dataset", remote = "Dataset")]
pub enum DatasetName {
    /// What the video player reported.
    VideoPlayerEvents,
    /// What students did, summed up.
    StudentActivitySnapshots,
    /// What Teacher Admins did, summed up.
    TeacherActivitySnapshots,
    /// Live practices on Discord.
    DiscordPractices,
    /// Orders of practice packs.
    PracticePackageOrders,
    /// Modules, lessons and packs that teachers proposed.
    TeacherSubmissions,
    /// Which teacher is assigned to which course.
    CourseTeacherAssignments,
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ExportFormat", remote = "ExportFormat")]
pub enum FormatName {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// An Excel workbook.
    Xlsx,
    /// An Apache Parquet file.
    Parquet,
}

/// A language of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "Locale", remote = "Locale")]
pub enum LocaleName {
    /// Spanish.
    Es,
    /// English.
    En,
}

/// What a user is in the academy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "Role", remote = "Role")]
pub enum RoleName {
    /// Sees and manages everything.
    Admin,
    /// Sees what concerns one course or lesson at a time.
    TeacherAdmin,
    /// Teaches; reads no dataset.
    Teacher,
    /// Learns; records their own player events.
    Student,
    /// The learning platform itself, or another program.
    Service,
}

/// A permission beside the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Permission {
    /// Import snapshots, run the sync.
    ManageSettings,
}

impl Permission {
    /// What this user holds.
    pub fn of(user: &User) -> Vec<Self> {
        if user.manages_settings() { vec![Self::ManageSettings] } else { Vec::new() }
    }
}

/// What an API token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "TokenScope", remote = "TokenScope")]
pub enum ScopeName {
    /// Reading datasets, statuses and lists.
    Read,
    /// Making export links.
    Export,
    /// Importing snapshots and undoing imports.
    Import,
    /// Running and retrying the sync.
    Sync,
    /// Recording progress and player events.
    Record,
    /// Mirroring platform data and publishing platform events.
    Platform,
}

/// How an export ended, or that it has not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ExportOutcome")]
pub enum OutcomeName {
    /// It is under way.
    Running,
    /// The reader has the whole file.
    Complete,
    /// The reader went away, or the server did.
    Aborted,
    /// Something failed.
    Failed,
}

impl From<Outcome> for OutcomeName {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::Aborted => Self::Aborted,
            Outcome::Failed => Self::Failed,
        }
    }
}
