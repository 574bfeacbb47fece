//! Signing in, renewing the session, and signing out.

use domain::access::CourseScope;
use domain::{Credential, Viewer};
use graphql_client::GraphQLQuery;

use super::names::Role;
use super::scalars::DateTime;

/// Signs in with e-mail and password; the server also sets the refresh cookie.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/login.graphql",
    extern_enums("Role"),
    response_derives = "Debug, PartialEq",
    normalization = "rust"
)]
pub struct Login;

/// Trades the refresh cookie for a fresh access token.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../schema.graphql",
    query_path = "graphql/refresh_session.graphql",
    extern_enums("Role"),
    response_derives = "Debug, PartialEq",
    normalization = "rust"
)]
pub struct RefreshSession;

/// Ends the session.
#[derive(GraphQLQuery)]
#[graphql(schema_path = "../schema.graphql", query_path = "graphql/logout.graphql", normalization = "rust")]
pub struct Logout;

/// An access token with who it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedIn {
    /// The access token.
    pub token: String,
    /// When the token ends, as RFC 3339 text.
    pub expires_at: String,
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
    /// The person as the access rules see them.
    pub viewer: Viewer,
}

/// The person as the rules see them. Which courses are assigned is for the server to check.
fn viewer(id: &str, role: Role, manages_settings: bool) -> Viewer {
    Viewer {
        user_id: id.parse().unwrap_or_default(),
        role: role.0,
        manages_settings,
        credential: Credential::Session,
        courses: CourseScope::Any,
    }
}

impl From<login::ResponseData> for SignedIn {
    fn from(answer: login::ResponseData) -> Self {
        let login::LoginLogin { access_token, expires_at, viewer: person } = answer.login;
        let manages_settings = person.permissions.contains(&login::Permission::ManageSettings);
        Self {
            token: access_token,
            expires_at,
            person: Person {
                viewer: viewer(&person.id, person.role, manages_settings),
                name: person.name,
                email: person.email,
                timezone: person.timezone,
            },
        }
    }
}

impl From<refresh_session::ResponseData> for SignedIn {
    fn from(answer: refresh_session::ResponseData) -> Self {
        let session = answer.refresh_session;
        let person = session.viewer;
        let manages_settings = person.permissions.contains(&refresh_session::Permission::ManageSettings);
        Self {
            token: session.access_token,
            expires_at: session.expires_at,
            person: Person {
                viewer: viewer(&person.id, person.role, manages_settings),
                name: person.name,
                email: person.email,
                timezone: person.timezone,
            },
        }
    }
}
