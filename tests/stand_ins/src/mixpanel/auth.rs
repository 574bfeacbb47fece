//! Authentication for `/import`. Source: Mixpanel's "Authentication" and "Project secret".

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::config::{MixpanelConfig, Project, Secrets};
use crate::http::Head;

/// The project that a request to `/import` has access to. The credentials are those of a service account,
/// together with the project's id, or the project's token or secret as a username without a password.
pub(super) fn project<'a>(head: &Head, config: &'a MixpanelConfig) -> Option<&'a Project> {
    let (username, password) = basic_credentials(head)?;
    let project_id = head.query_value("project_id");
    config.projects.iter().find(|project| {
        if password.is_empty() {
            let is_secret = match config.secrets {
                Secrets::Accepted => project.api_secret == username,
                Secrets::SwitchedOff => false,
            };
            return project.token == username || is_secret;
        }
        let is_named = project_id.as_deref() == Some(project.id.as_str());
        is_named
            && project
                .service_accounts
                .iter()
                .any(|account| account.username == username && account.secret == password)
    })
}

fn basic_credentials(head: &Head) -> Option<(String, String)> {
    let (scheme, credentials) = head.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    (!username.is_empty()).then(|| (username.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PROJECT_ID, PROJECT_SECRET, PROJECT_TOKEN};

    fn is_accepted(credentials: &str, query: &str, config: &MixpanelConfig) -> bool {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        let headers = vec![("authorization".to_owned(), basic)];
        let head = Head { query: query.to_owned(), headers, ..Head::default() };
        project(&head, config).is_some()
    }

    #[test]
    fn tokens_secrets_and_service_accounts_are_accepted() {
        let config = MixpanelConfig::default();
        let account = "standin.service-account:standin0service0account0secret";
        let with_project = format!("strict=1&project_id={PROJECT_ID}");
        assert!(is_accepted(&format!("{PROJECT_TOKEN}:"), "", &config));
        assert!(is_accepted(&format!("{PROJECT_SECRET}:"), "", &config));
        assert!(is_accepted(account, &with_project, &config));
        assert!(!is_accepted(account, "strict=1", &config), "a service account requires a project id");
        assert!(!is_accepted("somebody:", "", &config));
        assert!(!is_accepted(":", "", &config));
        assert!(project(&Head::default(), &config).is_none());
    }

    #[test]
    fn secrets_that_are_switched_off_are_rejected() {
        let config = MixpanelConfig { secrets: Secrets::SwitchedOff, ..MixpanelConfig::default() };
        assert!(!is_accepted(&format!("{PROJECT_SECRET}:"), "", &config));
        assert!(is_accepted(&format!("{PROJECT_TOKEN}:"), "", &config));
    }
}
