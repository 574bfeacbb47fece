//! Sign-in, session renewal and sign-out.
//!
//! The alias `session` gives the responses to sign-in and renewal the same shape.

use domain::access::CourseScope;
use domain::{Credential, Viewer};
use graphql_client::GraphQLQuery;
use serde::Deserialize;

use super::failure::Failure;
use super::names::Role;
use super::{Request, graphql_request, read_data};

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/login.graphql",
    extern_enums("Role"),
    normalization = "rust"
)]
struct Login;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/refresh_session.graphql",
    extern_enums("Role"),
    normalization = "rust"
)]
struct RefreshSession;

/// Ends the session.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/logout.graphql", normalization = "rust")]
pub struct Logout;

/// An access token with the user that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    pub token: String,
    /// Seconds until the token expires.
    pub expires_in: f64,
    pub user: CurrentUser,
}

/// The signed-in user.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentUser {
    pub name: String,
    pub email: String,
    /// The IANA name of the user's time zone.
    pub timezone: String,
    /// The IANA name of the hub's time zone, in which a date filter means a whole day.
    pub hub_timezone: String,
    /// The user as the access rules see them.
    pub viewer: Viewer,
}

/// Signs in with email and password. The server also sets the refresh cookie.
pub fn sign_in(email: String, password: String) -> Request<SignedIn> {
    graphql_request(&Login::build_query(login::Variables { email, password }), read)
}

/// Exchanges the refresh cookie for a new access token.
pub fn renew() -> Request<SignedIn> {
    graphql_request(&RefreshSession::build_query(refresh_session::Variables {}), read)
}

/// The response to both operations.
#[derive(Deserialize)]
struct Response {
    session: Session,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    access_token: String,
    expires_in: f64,
    viewer: Account,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: String,
    name: String,
    email: String,
    role: Role,
    permissions: Vec<String>,
    timezone: String,
    hub_timezone: String,
}

fn read(response: &str) -> Result<SignedIn, Failure> {
    let Response { session: Session { access_token, expires_in, viewer: account } } = read_data(response)?;
    let Account { id, name, email, role, permissions, timezone, hub_timezone } = account;
    let viewer = Viewer {
        user_id: id.parse().map_err(|_| Failure::Unreadable)?,
        role: role.0,
        manages_settings: permissions.iter().any(|permission| permission == "MANAGE_SETTINGS"),
        credential: Credential::Session,
        // The server checks which courses are assigned.
        courses: CourseScope::Any,
    };
    let user = CurrentUser { name, email, timezone, hub_timezone, viewer };
    Ok(SignedIn { token: access_token, expires_in, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_response_has_the_users_role_and_permissions() {
        let response = r#"{"data": {"session": {"accessToken": "t", "expiresIn": 900, "viewer": {"id": "7",
            "name": "Ana", "email": "ana@example.com", "role": "TEACHER_ADMIN", "permissions": ["MANAGE_SETTINGS"],
            "timezone": "America/Bogota", "hubTimezone": "UTC"}}}}"#;
        let SignedIn { user, .. } = read(response).unwrap();
        assert_eq!((user.viewer.user_id, user.viewer.role), (7, domain::Role::TeacherAdmin));
        assert!(user.viewer.manages_settings);
    }
}
