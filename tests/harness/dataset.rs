//! The GraphQL names of a dataset, derived from its description.

use domain::Dataset;
use domain::dataset::Column;
use domain::names::camel_case;

/// The query field of a dataset: `videoPlayerEvents`.
pub fn connection(dataset: Dataset) -> String {
    camel_case(dataset.key())
}

/// The column with the row's own id, if the dataset has it. In GraphQL it is `id`.
pub fn id_column(dataset: Dataset) -> Option<&'static str> {
    let mut columns = dataset.describe().columns.iter();
    columns.find(|column| column.graphql_field() == "id").map(|column| column.key)
}

/// A selection of every column.
pub fn every_field(dataset: Dataset) -> String {
    dataset.describe().columns.iter().map(Column::graphql_selection).collect::<Vec<_>>().join(" ")
}
