//! Signing in, renewing the session, and signing out.
//!
//! The alias `session` gives the answers to signing in and renewing one shape.

use domain::access::CourseScope;
use domain::{Credential, Viewer};
use graphql_client::GraphQLQuery;
use serde::Deserialize;

use super::failure::Failure;
use super::names::Role;
use super::{Request, document, read_data};

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

/// An access token with who it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// The access token.
    pub token: String,
    /// In how many seconds the token ends.
    pub expires_in: f64,
    /// Who it stands for.
    pub person: Person,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// The IANA name of their time zone.
    pub timezone: String,
    /// The IANA name of the hub's time zone, in which a date is a whole day.
    pub hub_timezone: String,
    /// The person as the access rules see them.
    pub viewer: Viewer,
}

/// Signs in with e-mail and password; the server also sets the refresh cookie.
pub fn sign_in(email: String, password: String) -> Request<SignedIn> {
    document(&Login::build_query(login::Variables { email, password }), read)
}

/// Trades the refresh cookie for a fresh access token.
pub fn renew() -> Request<SignedIn> {
    document(&RefreshSession::build_query(refresh_session::Variables {}), read)
}

/// What both answer.
#[derive(Deserialize)]
struct Answer {
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

fn read(answer: &str) -> Result<SignedIn, Failure> {
    let Answer { session: Session { access_token, expires_in, viewer: account } } = read_data(answer)?;
    let Account { id, name, email, role, permissions, timezone, hub_timezone } = account;
    let viewer = Viewer {
        user_id: id.parse().map_err(|_| Failure::Unreadable)?,
        role: role.0,
        manages_settings: permissions.iter().any(|permission| permission == "MANAGE_SETTINGS"),
        credential: Credential::Session,
        // Which courses are assigned is for the server to check.
        courses: CourseScope::Any,
    };
    let person = Person { name, email, timezone, hub_timezone, viewer };
    Ok(SignedIn { token: access_token, expires_in, person })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_in_is_known_with_role_and_permissions() {
        let answer = r#"{"data": {"session": {"accessToken": "t", "expiresIn": 900, "viewer": {"id": "7",
            "name": "Ana", "email": "ana@example.com", "role": "TEACHER_ADMIN", "permissions": ["MANAGE_SETTINGS"],
            "timezone": "America/Bogota", "hubTimezone": "UTC"}}}}"#;
        let SignedIn { person, .. } = read(answer).unwrap();
        assert_eq!((person.viewer.user_id, person.viewer.role), (7, domain::Role::TeacherAdmin));
        assert!(person.viewer.manages_settings);
    }
}
