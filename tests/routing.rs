//! Redirects from the addresses that people type.

use crate::harness::hub::Hub;

#[tokio::test]
async fn typed_addresses_redirect_to_the_hub() {
    let hub = Hub::start().await;
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (typed, target) in [
        ("/", "/en/admin/data-porter"),
        ("/es", "/es/admin/data-porter"),
        ("/en/", "/en/admin/data-porter"),
        (
            "/es/admin/data-porter/?dataset=discord_practices",
            "/es/admin/data-porter?dataset=discord_practices",
        ),
        ("/fr/admin/data-porter", "/en/admin/data-porter"),
    ] {
        let response = client.get(hub.url(typed)).header("accept-language", "en").send().await.unwrap();
        assert_eq!(response.status(), 303, "{typed}");
        assert_eq!(response.headers()["location"], target, "{typed}");
    }
    for unknown in ["/healthz/", "/graphql/", "/anything/", "/anything"] {
        assert_eq!(client.get(hub.url(unknown)).send().await.unwrap().status(), 404, "{unknown}");
    }
}
