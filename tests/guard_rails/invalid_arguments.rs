//! Errors of the GraphQL library name the invalid argument, like our own errors.

use serde_json::{Value, json};

use super::hub_and_admin;

#[tokio::test]
async fn library_errors_name_the_argument_or_the_variable() {
    let (hub, admin) = hub_and_admin().await;
    let orders =
        "mutation ($input: [PracticePackageOrderInput!]!) { mirrorPracticePackageOrders(input: $input) }";
    for (query, variables, field) in [
        ("{ courses(first: \"many\") { id } }", json!({}), "first"),
        ("{ courses(first: 99999999999) { id } }", json!({}), "first"),
        (
            "query ($most: Int) {\n  courses (\n    search: \"ñ\", first : $most) { id }\n}",
            json!({"most": 3e9}),
            "first",
        ),
        ("{ datasets(locale: FR) { key } }", json!({}), "locale"),
        ("query ($in: Locale) { datasets(locale: $in) { key } }", json!({"in": "FR"}), "locale"),
        ("{ discordPractices(filter: {status: 1}) { totalCount } }", json!({}), "filter.status"),
        ("{ discordPractices(filter: {curse: 1}) { totalCount } }", json!({}), "filter.curse"),
        ("{ discordPractices(filtr: 1) { totalCount } }", json!({}), "filtr"),
        ("{ import { id } }", json!({}), "id"),
        ("query ($id: ID!) { import(id: $id) { id } }", json!({}), "$id"),
        ("{ import(id: $id) { id } }", json!({}), "$id"),
        ("query ($unused: ID) { viewer { id } }", json!({}), "$unused"),
        (orders, json!({"input": [{"id": "1", "status": 7}]}), "input[0].practicePackageId"),
    ] {
        let response = hub.graphql(query).variables(variables).by(&admin.token).send().await;
        let extensions = &response.body["errors"][0]["extensions"];
        assert_eq!(
            *extensions,
            json!({"code": "BAD_USER_INPUT", "field": field}),
            "{query}: {}",
            response.body
        );
    }
    // An unknown field is not an argument, so the error names none.
    let response = hub.graphql("{ viewer { nme } }").by(&admin.token).send().await;
    assert_eq!(response.body["errors"][0]["extensions"]["field"], Value::Null);
}

#[tokio::test]
async fn an_unknown_variable_type_is_rejected_by_name() {
    let (hub, admin) = hub_and_admin().await;
    for definition in ["$v: Nothing", "$v: Nothing = 1", "$v: [Nothing] = [1]", "$v: [[Nothing!]!]! = 1"] {
        let query = format!("query ({definition}) {{ courses(search: $v) {{ id }} }}");
        let response = hub.graphql(&query).by(&admin.token).send().await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{query}: {}", response.body);
        assert_eq!(response.body["errors"][0]["message"], "Unknown type \"Nothing\"", "{query}");
    }
}
