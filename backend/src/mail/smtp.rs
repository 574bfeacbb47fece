//! An SMTP session: opened once, then used for one mail after another. Each step has a time limit.

use std::net::IpAddr;
use std::time::Duration;

use lettre::address::Address;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::error::MailError;
use crate::config::mail::smtp_server::{Encryption, Login, SmtpServer};
use crate::outbound;

/// An open SMTP session.
pub(super) struct SmtpSession {
    connection: AsyncSmtpConnection,
    time_limit: Duration,
}

impl SmtpSession {
    /// Connects and authenticates. `name` is the host name to send with `EHLO`.
    pub async fn open(server: &SmtpServer, name: &str, time_limit: Duration) -> Result<Self, MailError> {
        outbound::install_crypto_provider();
        let opened = timeout(time_limit, connect(server, &client_id(name), time_limit)).await;
        let connection = opened
            .map_err(|_| MailError::timed_out(time_limit))?
            .map_err(|error| MailError::of_server(&error))?;
        Ok(Self { connection, time_limit })
    }

    /// Sends one mail.
    pub async fn send(&mut self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), MailError> {
        let time_limit = self.time_limit;
        timeout(time_limit, self.transmit(from, to, mail))
            .await
            .map_err(|_| MailError::timed_out(time_limit))?
    }

    /// Ends the session, waiting two seconds at most.
    pub async fn close(mut self) {
        timeout(self.time_limit.min(Duration::from_secs(2)), self.connection.abort()).await.ok();
    }

    async fn transmit(&mut self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), MailError> {
        let mut parameters = Vec::new();
        let international = [from, to].iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii());
        if international {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(MailError::Permanent(
                    "The address is not ASCII, and the mail server does not support SMTPUTF8".into(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // The sender is the same in every mail, so no mail is at fault if the server rejects it.
        let sender = self.connection.command(Mail::new(Some(from.clone()), parameters)).await;
        sender.map_err(|error| MailError::of_server(&error))?;
        let accepted = async {
            self.connection.command(Rcpt::new(to.clone(), vec![])).await?;
            self.connection.command(Data).await?;
            self.connection.message(mail).await
        };
        match accepted.await {
            Ok(_) => Ok(()),
            Err(error) => {
                let mail_error = MailError::of_mail(&error);
                if !matches!(mail_error, MailError::Unavailable(_)) {
                    // The next mail must not inherit the state of this one.
                    self.connection.command(Rset).await.map_err(|error| MailError::of_server(&error))?;
                }
                Err(mail_error)
            }
        }
    }
}

async fn connect(
    server: &SmtpServer,
    name: &ClientId,
    time_limit: Duration,
) -> Result<AsyncSmtpConnection, smtp::Error> {
    let SmtpServer { host, port, encryption, login } = server;
    let tls = || TlsParameters::new(host.clone());
    let implicit_tls = match encryption {
        Encryption::Tls => Some(tls()?),
        Encryption::StartTls | Encryption::StartTlsIfOffered | Encryption::Plain => None,
    };
    let address = (host.as_str(), *port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(time_limit), name, implicit_tls, None).await?;
    let use_starttls = match encryption {
        Encryption::StartTls => true,
        Encryption::StartTlsIfOffered => connection.can_starttls(),
        Encryption::Tls | Encryption::Plain => false,
    };
    if use_starttls {
        connection.starttls(tls()?, name).await?;
    }
    if let Some(Login { user, password }) = login {
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
    }
    Ok(connection)
}

fn client_id(name: &str) -> ClientId {
    match name.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(name.to_owned()),
    }
}
