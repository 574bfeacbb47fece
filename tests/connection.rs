//! Settings of every database connection, no matter how the server is configured.

use diesel::define_sql_function;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;

use crate::harness::database::TestDatabase;

define_sql_function!(fn current_setting(name: Text) -> Text);

#[tokio::test]
async fn connections_use_utc_and_custom_query_plans() {
    let database = TestDatabase::new().await;
    let mut conn = database.pool.get().await.expect("the pool connects");
    let expected = [
        ("application_name", "dataporter"),
        ("TimeZone", "UTC"),
        ("plan_cache_mode", "force_custom_plan"),
        ("jit", "off"),
    ];
    for (setting, expected) in expected {
        let found: String =
            diesel::select(current_setting(setting)).get_result(&mut conn).await.expect("the setting exists");
        assert_eq!(found, expected, "{setting}");
    }
}

#[tokio::test]
async fn the_table_owner_is_not_a_superuser() {
    let database = TestDatabase::new().await;
    let mut conn = database.pool.get().await.expect("the pool connects");
    let superuser: String = diesel::select(current_setting("is_superuser"))
        .get_result(&mut conn)
        .await
        .expect("the setting exists");
    assert_eq!(superuser, "off");
}
