//! A GraphQL request and its answer.

use serde_json::{Value, json};

/// A GraphQL request to be sent, from nobody yet.
pub struct Ask {
    request: reqwest::RequestBuilder,
    body: Value,
}

/// An answer of the GraphQL endpoint: a response, or a problem document.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    /// What `Set-Cookie` says, if anything.
    pub cookie: Option<String>,
}

impl Ask {
    /// To be sent by this request.
    pub fn new(request: reqwest::RequestBuilder, query: &str) -> Self {
        Self { request, body: json!({ "query": query }) }
    }

    /// Who asks.
    pub fn by(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }

    /// The variables of the query.
    pub fn variables(mut self, variables: Value) -> Self {
        self.body["variables"] = variables;
        self
    }

    /// A header beside the usual ones.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends it, and reads the answer, which is JSON whatever it says.
    pub async fn send(self) -> Answer {
        Answer::of(self.request.json(&self.body)).await
    }

    /// The data of the answer, which must hold no error.
    pub async fn data(self) -> Value {
        let Answer { mut body, .. } = self.send().await;
        assert!(body["errors"].is_null(), "{body}");
        body["data"].take()
    }

    /// The code of the first error, which there must be.
    pub async fn code(self) -> String {
        self.send().await.code()
    }
}

impl Answer {
    /// Sends any request whose answer is JSON.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the hub answers");
        let status = response.status().as_u16();
        let cookie =
            response.headers().get("set-cookie").map(|value| value.to_str().expect("ASCII").to_owned());
        Self { status, body: response.json().await.expect("the answer is JSON"), cookie }
    }

    /// The code of the first error, which there must be.
    pub fn code(&self) -> String {
        let problem = self.body["code"].as_str();
        let code = problem.or_else(|| self.body["errors"][0]["extensions"]["code"].as_str());
        code.unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }
}
