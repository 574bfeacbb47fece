//! A dataset's names in GraphQL, derived from its description.

use domain::Dataset;

/// The query field of a dataset: `videoPlayerEvents`.
pub fn connection(dataset: Dataset) -> String {
    camel_case(dataset.key())
}

/// The column that is the row's own id, where the dataset shows it: `id` in GraphQL.
pub fn own_id(dataset: Dataset) -> Option<&'static str> {
    match dataset {
        Dataset::DiscordPractices => Some("practice_id"),
        Dataset::PracticePackageOrders => Some("order_id"),
        Dataset::TeacherSubmissions => Some("submission_id"),
        Dataset::VideoPlayerEvents
        | Dataset::StudentActivitySnapshots
        | Dataset::TeacherActivitySnapshots
        | Dataset::CourseTeacherAssignments => None,
    }
}

/// The GraphQL field of a column.
pub fn field(dataset: Dataset, column: &str) -> String {
    if own_id(dataset) == Some(column) { "id".to_owned() } else { camel_case(column) }
}

/// Every column, as a selection.
pub fn every_field(dataset: Dataset) -> String {
    let fields = dataset.describe().columns.iter().map(|column| match column.key {
        "history" => "history { status changedBy changedAt notes }".to_owned(),
        key => field(dataset, key),
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// `date_from` as `dateFrom`.
pub fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1);
        name + &head.to_uppercase() + tail
    })
}
