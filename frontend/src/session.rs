//! The user's session, and requests with its access token.
//!
//! The access token is kept in memory only. The refresh token is in a cookie that scripts cannot read. The
//! access token is renewed before it expires, and when the server rejects it.

mod lock;

use domain::Locale;
use domain::access::Act;
use graphql_client::GraphQLQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::failure::Failure;
use crate::api::sign_in::{CurrentUser, Logout, SignedIn, logout, renew, sign_in};
use crate::api::{self, Caller, RawRequest, Request};

/// Whether a user is signed in.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthState {
    /// The session is being restored.
    Checking,
    /// No user is signed in.
    SignedOut(SignOutReason),
    /// A user is signed in.
    SignedIn(CurrentUser),
    /// The session could not be restored.
    Unknown(Failure),
}

/// Why no user is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutReason {
    /// There was no session.
    Never,
    /// The user signed out.
    Requested,
    /// The session expired or was ended elsewhere.
    Expired,
}

/// The session of this tab.
#[derive(Clone, Copy)]
pub struct Session {
    auth_state: RwSignal<AuthState>,
    token: StoredValue<Option<String>>,
    locale: Signal<Locale>,
}

/// How long before its expiry a token is renewed, in seconds.
const RENEW_BEFORE_EXPIRY_SECONDS: f64 = 60.0;
/// The minimum and the maximum delay before a token is renewed, in seconds.
const RENEWAL_DELAY_LIMITS_SECONDS: (f64, f64) = (30.0, 3_600.0);

/// The session from the context.
pub fn use_session() -> Session {
    expect_context()
}

impl Session {
    /// Provides the session as context and starts to restore it. Its requests ask for messages in `locale`.
    pub fn provide(locale: Signal<Locale>) -> Self {
        let session =
            Self { auth_state: RwSignal::new(AuthState::Checking), token: StoredValue::new(None), locale };
        provide_context(session);
        spawn_local(session.restore());
        session
    }

    /// Whether a user is signed in; tracked.
    pub fn auth_state(self) -> AuthState {
        self.auth_state.get()
    }

    /// The signed-in user; tracked.
    pub fn user(self) -> Option<CurrentUser> {
        self.auth_state.with(|auth_state| match auth_state {
            AuthState::SignedIn(user) => Some(user.clone()),
            AuthState::Checking | AuthState::SignedOut(_) | AuthState::Unknown(_) => None,
        })
    }

    /// Whether the signed-in user may do this; tracked.
    pub fn may(self, act: Act) -> bool {
        self.user().is_some_and(|user| user.viewer.may(act).is_ok())
    }

    /// The signed-in user's time zone; tracked.
    pub fn timezone(self) -> String {
        self.user().map_or_else(|| "UTC".to_owned(), |user| user.timezone)
    }

    /// Changes the time zone in which dates are shown and exported.
    pub fn set_timezone(self, timezone: String) {
        self.auth_state.update(|auth_state| {
            if let AuthState::SignedIn(user) = auth_state {
                user.timezone = timezone;
            }
        });
    }

    /// Restores the session with the refresh cookie.
    pub async fn restore(self) {
        if let Err(failure) = self.renew(None).await {
            self.auth_state.set(if failure.is_unauthenticated() {
                AuthState::SignedOut(SignOutReason::Never)
            } else {
                AuthState::Unknown(failure)
            });
        }
    }

    /// Signs in.
    pub async fn sign_in(self, email: String, password: String) -> Result<(), Failure> {
        let request = sign_in(email, password);
        let response = api::post(&self.caller(), &request.raw).await?;
        self.accept((request.read)(&response)?);
        Ok(())
    }

    /// Signs out. If the server cannot be reached, the user stays signed in.
    pub async fn sign_out(self) -> Result<(), Failure> {
        match self.run::<Logout>(logout::Variables {}).await {
            Err(failure) if !failure.is_unauthenticated() => Err(failure),
            Ok(_) | Err(_) => {
                self.end(SignOutReason::Requested);
                Ok(())
            }
        }
    }

    /// Runs a GraphQL operation as the signed-in user.
    pub async fn run<Q: GraphQLQuery>(self, variables: Q::Variables) -> Result<Q::ResponseData, Failure> {
        self.send(api::operation::<Q>(variables)).await
    }

    /// Sends a request as the signed-in user.
    pub async fn send<T>(self, request: Request<T>) -> Result<T, Failure> {
        (request.read)(&self.post(request.raw).await?)
    }

    /// The access token, for use outside this module. It is renewed first if it is the rejected one.
    pub async fn access_token(self, rejected: Option<String>) -> Result<Option<String>, Failure> {
        if self.token.get_value() == rejected {
            self.replace_token(rejected).await?;
        }
        Ok(self.token.get_value())
    }

    /// Sends a request. If the server rejects the token, renews it and sends the request once more.
    async fn post(self, raw: RawRequest) -> Result<String, Failure> {
        let (caller, requester) = (self.caller(), self.user_id());
        match api::post(&caller, &raw).await {
            Err(failure) if failure.is_unauthenticated() => {
                self.replace_token(caller.token).await?;
                // Another user may have signed in in another tab. The request is not theirs.
                if self.user_id() != requester {
                    return Err(failure);
                }
                api::post(&self.caller(), &raw).await
            }
            response => response,
        }
    }

    /// Replaces a rejected token. If that fails as unauthenticated, the session has expired.
    async fn replace_token(self, stale: Option<String>) -> Result<(), Failure> {
        let renewed = self.renew(stale).await;
        if renewed.as_ref().is_err_and(Failure::is_unauthenticated) {
            self.end(SignOutReason::Expired);
        }
        renewed
    }

    /// Exchanges the refresh cookie for a new token, unless the stale token was already replaced.
    async fn renew(self, stale: Option<String>) -> Result<(), Failure> {
        lock::with_lock(async move {
            if self.token.get_value() != stale {
                return Ok(());
            }
            let caller = Caller { token: None, ..self.caller() };
            let request = renew();
            let response = api::post(&caller, &request.raw).await?;
            self.accept((request.read)(&response)?);
            Ok(())
        })
        .await
    }

    fn accept(self, signed_in: SignedIn) {
        let SignedIn { token, expires_in, user } = signed_in;
        self.token.set_value(Some(token.clone()));
        let auth_state = AuthState::SignedIn(user);
        // If the user is unchanged, the page must not be rendered again.
        if self.auth_state.with_untracked(|current| *current != auth_state) {
            self.auth_state.set(auth_state);
        }
        let delay = (expires_in - RENEW_BEFORE_EXPIRY_SECONDS)
            .clamp(RENEWAL_DELAY_LIMITS_SECONDS.0, RENEWAL_DELAY_LIMITS_SECONDS.1);
        set_timeout(
            move || {
                spawn_local(async move {
                    // If this fails, the next request retries it and reports the failure.
                    drop(self.renew(Some(token)).await);
                });
            },
            std::time::Duration::from_secs_f64(delay),
        );
    }

    fn end(self, reason: SignOutReason) {
        self.token.set_value(None);
        self.auth_state.set(AuthState::SignedOut(reason));
    }

    fn user_id(self) -> Option<i64> {
        untrack(|| self.user()).map(|user| user.viewer.user_id)
    }

    fn caller(self) -> Caller {
        Caller { token: self.token.get_value(), locale: self.locale.get_untracked() }
    }
}
