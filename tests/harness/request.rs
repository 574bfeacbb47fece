//! Requests to the API and their responses.

use serde_json::{Value, json};

/// A GraphQL request, anonymous unless [`Self::by`] sets a token.
pub struct GraphqlRequest {
    request: reqwest::RequestBuilder,
    body: Value,
}

/// A response with a JSON body: a GraphQL response or a problem document.
#[derive(Debug)]
pub struct ApiResponse {
    pub status: u16,
    pub body: Value,
    /// The `Set-Cookie` header.
    pub cookie: Option<String>,
}

impl GraphqlRequest {
    /// Makes a GraphQL request from an HTTP request.
    pub fn new(request: reqwest::RequestBuilder, query: &str) -> Self {
        Self { request, body: json!({ "query": query }) }
    }

    /// Sets the bearer token.
    pub fn by(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }

    /// Sets the variables of the query.
    pub fn variables(mut self, variables: Value) -> Self {
        self.body["variables"] = variables;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends the request and reads the response, which is JSON even if it reports errors.
    pub async fn send(self) -> ApiResponse {
        ApiResponse::of(self.request.json(&self.body)).await
    }

    /// Sends the request and returns the response's data. Panics if the response has errors.
    pub async fn data(self) -> Value {
        let ApiResponse { mut body, .. } = self.send().await;
        assert!(body["errors"].is_null(), "{body}");
        body["data"].take()
    }

    /// Sends the request and returns the code of the first error. Panics if there is none.
    pub async fn code(self) -> String {
        self.send().await.code()
    }
}

impl ApiResponse {
    /// Sends a request whose response is JSON.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the hub responds");
        let status = response.status().as_u16();
        let cookie = response
            .headers()
            .get("set-cookie")
            .map(|value| value.to_str().expect("the cookie is ASCII").to_owned());
        Self { status, body: response.json().await.expect("the response is JSON"), cookie }
    }

    /// The code of the first error. Panics if there is none.
    pub fn code(&self) -> String {
        let problem = self.body["code"].as_str();
        let code = problem.or_else(|| self.body["errors"][0]["extensions"]["code"].as_str());
        code.unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }
}
