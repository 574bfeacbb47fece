//! What people type when they want the Hub.

use crate::harness::hub::Hub;

#[tokio::test]
async fn what_somebody_types_for_the_hub_leads_to_it() {
    let hub = Hub::start().await;
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (typed, page) in [
        ("/", "/en/admin/data-porter"),
        ("/es", "/es/admin/data-porter"),
        ("/en/", "/en/admin/data-porter"),
        (
            "/es/admin/data-porter/?dataset=discord_practices",
            "/es/admin/data-porter?dataset=discord_practices",
        ),
        ("/fr/admin/data-porter", "/en/admin/data-porter"),
    ] {
        let answer = client.get(hub.url(typed)).header("accept-language", "en").send().await.unwrap();
        assert_eq!(answer.status(), 303, "{typed}");
        assert_eq!(answer.headers()["location"], page, "{typed}");
    }
    for nowhere in ["/healthz/", "/graphql/", "/anything/", "/anything"] {
        assert_eq!(client.get(hub.url(nowhere)).send().await.unwrap().status(), 404, "{nowhere}");
    }
}
