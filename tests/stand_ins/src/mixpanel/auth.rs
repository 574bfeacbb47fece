//! Who may import. Source: Mixpanel's "Authentication" and "Project secret".

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::config::{MixpanelConfig, Project, Secrets};
use crate::http::Head;

/// The project that a request to `/import` opens: by a service account that names it, or with no password by its token
/// or, until they are switched off, its secret.
pub(super) fn project<'a>(head: &Head, config: &'a MixpanelConfig) -> Option<&'a Project> {
    let (user, password) = basic(head)?;
    let named = head.query_value("project_id");
    config.projects.iter().find(|project| {
        if password.is_empty() {
            let secret_opens = match config.secrets {
                Secrets::Accepted => project.api_secret == user,
                Secrets::SwitchedOff => false,
            };
            return project.token == user || secret_opens;
        }
        let is_named = named.as_deref() == Some(project.id.as_str());
        is_named && project.service_accounts.iter().any(|one| one.username == user && one.secret == password)
    })
}

fn basic(head: &Head) -> Option<(String, String)> {
    let (scheme, credentials) = head.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    (!user.is_empty()).then(|| (user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PROJECT_ID, PROJECT_SECRET, PROJECT_TOKEN};

    fn opens(credentials: &str, query: &str, config: &MixpanelConfig) -> bool {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        let headers = vec![("authorization".to_owned(), basic)];
        let head = Head { query: query.to_owned(), headers, ..Head::default() };
        project(&head, config).is_some()
    }

    #[test]
    fn tokens_secrets_and_service_accounts_open_a_project() {
        let config = MixpanelConfig::default();
        let account = "standin.service-account:standin0service0account0secret";
        let named = format!("strict=1&project_id={PROJECT_ID}");
        assert!(opens(&format!("{PROJECT_TOKEN}:"), "", &config));
        assert!(opens(&format!("{PROJECT_SECRET}:"), "", &config));
        assert!(opens(account, &named, &config));
        assert!(!opens(account, "strict=1", &config), "a service account names its project");
        assert!(!opens("somebody:", "", &config));
        assert!(!opens(":", "", &config));
        assert!(project(&Head::default(), &config).is_none());
    }

    #[test]
    fn secrets_that_are_switched_off_open_nothing() {
        let config = MixpanelConfig { secrets: Secrets::SwitchedOff, ..MixpanelConfig::default() };
        assert!(!opens(&format!("{PROJECT_SECRET}:"), "", &config));
        assert!(opens(&format!("{PROJECT_TOKEN}:"), "", &config));
    }
}
