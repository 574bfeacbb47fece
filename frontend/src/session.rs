//! Who is signed in, and requests in their name.
//!
//! The access token lives in memory only; the refresh token is in a cookie that no script can read. A token is renewed
//! before it ends, and once more when the server no longer takes it.

mod lock;

use domain::Locale;
use domain::access::Act;
use graphql_client::GraphQLQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::failure::Failure;
use crate::api::sign_in::{Logout, Person, SignedIn, logout, renew, sign_in};
use crate::api::{self, Caller, Letter, Request};

/// Where somebody stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Not known yet.
    Checking,
    /// Nobody is signed in.
    SignedOut(Ending),
    /// Somebody is.
    SignedIn(Person),
    /// It could not be found out.
    Unknown(Failure),
}

/// How it came that nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nobody was.
    Never,
    /// They signed out.
    Asked,
    /// The session ended by itself.
    Expired,
}

/// The session of this tab.
#[derive(Clone, Copy)]
pub struct Session {
    standing: RwSignal<Standing>,
    token: StoredValue<Option<String>>,
    locale: Signal<Locale>,
}

/// How long before its end a token is renewed, in seconds.
const RENEW_EARLY: f64 = 60.0;
/// The shortest and the longest wait before a token is renewed, in seconds.
const RENEW_AFTER: (f64, f64) = (30.0, 3_600.0);

/// The session around a component.
pub fn use_session() -> Session {
    expect_context()
}

impl Session {
    /// Gives the session, which asks the server in a language, to everything below, and finds out whether somebody is still signed in.
    pub fn provide(locale: Signal<Locale>) -> Self {
        let session =
            Self { standing: RwSignal::new(Standing::Checking), token: StoredValue::new(None), locale };
        provide_context(session);
        spawn_local(session.restore());
        session
    }

    /// Where they stand, tracked.
    pub fn standing(self) -> Standing {
        self.standing.get()
    }

    /// Who is signed in, tracked.
    pub fn person(self) -> Option<Person> {
        self.standing.with(|standing| match standing {
            Standing::SignedIn(person) => Some(person.clone()),
            Standing::Checking | Standing::SignedOut(_) | Standing::Unknown(_) => None,
        })
    }

    /// Whether whoever is signed in may do this, tracked.
    pub fn may(self, act: Act) -> bool {
        self.person().is_some_and(|person| person.viewer.may(act).is_ok())
    }

    /// The time zone of whoever is signed in, tracked.
    pub fn timezone(self) -> String {
        self.person().map_or_else(|| "UTC".to_owned(), |person| person.timezone)
    }

    /// Shows and exports dates in another time zone from now on.
    pub fn move_to(self, timezone: String) {
        self.standing.update(|standing| {
            if let Standing::SignedIn(person) = standing {
                person.timezone = timezone;
            }
        });
    }

    /// Finds out by the refresh cookie whether somebody is signed in.
    pub async fn restore(self) {
        if let Err(failure) = self.renew(None).await {
            self.standing.set(if failure.is_unauthenticated() {
                Standing::SignedOut(Ending::Never)
            } else {
                Standing::Unknown(failure)
            });
        }
    }

    /// Signs in.
    pub async fn sign_in(self, email: String, password: String) -> Result<(), Failure> {
        let request = sign_in(email, password);
        let answer = api::post(&self.caller(), &request.letter).await?;
        self.accept((request.read)(&answer)?);
        Ok(())
    }

    /// Signs out; whoever cannot reach the server stays signed in, and is told so.
    pub async fn sign_out(self) -> Result<(), Failure> {
        match self.run::<Logout>(logout::Variables {}).await {
            Err(failure) if !failure.is_unauthenticated() => Err(failure),
            Ok(_) | Err(_) => {
                self.end(Ending::Asked);
                Ok(())
            }
        }
    }

    /// Runs an operation in the name of whoever is signed in.
    pub async fn run<Q: GraphQLQuery>(self, variables: Q::Variables) -> Result<Q::ResponseData, Failure> {
        self.ask(api::operation::<Q>(variables)).await
    }

    /// Asks for something in the name of whoever is signed in.
    pub async fn ask<T>(self, request: Request<T>) -> Result<T, Failure> {
        (request.read)(&self.exchange(request.letter).await?)
    }

    /// An access token for others to use in the name of whoever is signed in: another one than the one refused.
    pub async fn access_token(self, refused: Option<String>) -> Result<Option<String>, Failure> {
        if self.token.get_value() == refused {
            self.replace(refused).await?;
        }
        Ok(self.token.get_value())
    }

    /// Sends a letter and, when the token is no longer good, once more with a fresh one of the same person's.
    async fn exchange(self, letter: Letter) -> Result<String, Failure> {
        let (caller, asker) = (self.caller(), self.user_id());
        match api::post(&caller, &letter).await {
            Err(failure) if failure.is_unauthenticated() => {
                self.replace(caller.token).await?;
                // Another tab may have signed somebody else in, who has not asked for this.
                if self.user_id() != asker {
                    return Err(failure);
                }
                api::post(&self.caller(), &letter).await
            }
            answer => answer,
        }
    }

    /// Replaces a token that is no longer good; where that cannot be done, the session has ended.
    async fn replace(self, stale: Option<String>) -> Result<(), Failure> {
        let renewed = self.renew(stale).await;
        if renewed.as_ref().is_err_and(Failure::is_unauthenticated) {
            self.end(Ending::Expired);
        }
        renewed
    }

    /// Trades the refresh cookie for a fresh token, unless somebody else has replaced the stale one meanwhile.
    async fn renew(self, stale: Option<String>) -> Result<(), Failure> {
        lock::alone(async move {
            if self.token.get_value() != stale {
                return Ok(());
            }
            let caller = Caller { token: None, ..self.caller() };
            let request = renew();
            let answer = api::post(&caller, &request.letter).await?;
            self.accept((request.read)(&answer)?);
            Ok(())
        })
        .await
    }

    fn accept(self, signed_in: SignedIn) {
        let SignedIn { token, expires_in, person } = signed_in;
        self.token.set_value(Some(token.clone()));
        let standing = Standing::SignedIn(person);
        // The same person again is no news: what they are reading stays as it is.
        if self.standing.with_untracked(|before| *before != standing) {
            self.standing.set(standing);
        }
        let wait = (expires_in - RENEW_EARLY).clamp(RENEW_AFTER.0, RENEW_AFTER.1);
        set_timeout(
            move || {
                spawn_local(async move {
                    // What fails here is tried again by the next request, and explained there.
                    drop(self.renew(Some(token)).await);
                });
            },
            std::time::Duration::from_secs_f64(wait),
        );
    }

    fn end(self, ending: Ending) {
        self.token.set_value(None);
        self.standing.set(Standing::SignedOut(ending));
    }

    fn user_id(self) -> Option<i64> {
        untrack(|| self.person()).map(|person| person.viewer.user_id)
    }

    fn caller(self) -> Caller {
        Caller { token: self.token.get_value(), locale: self.locale.get_untracked() }
    }
}
