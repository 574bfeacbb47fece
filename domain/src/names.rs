//! Machine names in the spelling of GraphQL.

/// `course_id` as `courseId`.
pub fn camel_case(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    let mut is_start_of_word = false;
    for character in key.chars() {
        match character {
            '_' => is_start_of_word = true,
            _ if is_start_of_word => {
                name.extend(character.to_uppercase());
                is_start_of_word = false;
            }
            _ => name.push(character),
        }
    }
    name
}

/// `courseId` as `course_id`.
pub fn snake_case(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            key.push('_');
        }
        key.push(character.to_ascii_lowercase());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, FilterKey};

    #[test]
    fn every_machine_name_survives_the_way_to_graphql_and_back() {
        let columns = Dataset::ALL.into_iter().flat_map(|dataset| dataset.describe().columns);
        let filters = FilterKey::all().into_iter().map(FilterKey::key);
        for key in columns.map(|column| column.key).chain(filters).chain(Dataset::ALL.map(Dataset::key)) {
            assert_eq!(snake_case(&camel_case(key)), key);
        }
        assert_eq!(camel_case("practice_package_id"), "practicePackageId");
    }
}
