//! What learning platforms embed, before a network that does not always answer.

use super::visit::visit;

#[tokio::test]
async fn the_script_loses_nothing_doubles_nothing_and_gives_up_only_what_is_hopeless() {
    visit(async |visit| {
        visit.page.open("/es/admin/data-porter").await;
        visit.page.button("Entrar").await;
        let script = format!("return (async () => {{ {} }})()", include_str!("player_script.js"));
        let faults = visit.page.evaluate(&script).await;
        assert_eq!(faults, serde_json::json!([]));
    })
    .await;
}
