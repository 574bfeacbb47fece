//! The GraphQL names of a dataset, derived from its description.

use domain::Dataset;

/// The query field of a dataset: `videoPlayerEvents`.
pub fn connection(dataset: Dataset) -> String {
    camel_case(dataset.key())
}

/// The column with the row's own id, if the dataset has it. In GraphQL it is `id`.
pub fn id_column(dataset: Dataset) -> Option<&'static str> {
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
    if id_column(dataset) == Some(column) { "id".to_owned() } else { camel_case(column) }
}

/// A selection of every column.
pub fn every_field(dataset: Dataset) -> String {
    let fields = dataset.describe().columns.iter().map(|column| match column.key {
        "history" => "history { status changedBy changedAt notes }".to_owned(),
        key => field(dataset, key),
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// Converts `date_from` to `dateFrom`.
pub fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1);
        name + &head.to_uppercase() + tail
    })
}
