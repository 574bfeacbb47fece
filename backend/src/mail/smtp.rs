//! A conversation with the mail server: opened once, then a mail after the other, each step within a time limit.

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

use super::trouble::Trouble;
use crate::config::mail::smtp_server::{Encryption, Login, SmtpServer};
use crate::outbound;

/// An open conversation.
pub(super) struct Conversation {
    connection: AsyncSmtpConnection,
    limit: Duration,
}

impl Conversation {
    /// Connects and signs in; `name` is who we say that we are.
    pub async fn open(server: &SmtpServer, name: &str, limit: Duration) -> Result<Self, Trouble> {
        outbound::choose_cryptography();
        let opened = timeout(limit, connect(server, &client_id(name), limit)).await;
        let connection =
            opened.map_err(|_| Trouble::of_silence(limit))?.map_err(|error| Trouble::of_server(&error))?;
        Ok(Self { connection, limit })
    }

    /// Has the server take one mail.
    pub async fn send(&mut self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), Trouble> {
        let limit = self.limit;
        timeout(limit, self.hand_over(from, to, mail)).await.map_err(|_| Trouble::of_silence(limit))?
    }

    /// Takes leave, without waiting for long.
    pub async fn close(mut self) {
        timeout(self.limit.min(Duration::from_secs(2)), self.connection.abort()).await.ok();
    }

    async fn hand_over(&mut self, from: &Address, to: &Address, mail: &[u8]) -> Result<(), Trouble> {
        let mut parameters = Vec::new();
        let international = [from, to].iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii());
        if international {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Trouble::Refused(
                    "The mail server takes no such address: it has no SMTPUTF8".into(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // The sender is the same for everybody's mail.
        let sender = self.connection.command(Mail::new(Some(from.clone()), parameters)).await;
        sender.map_err(|error| Trouble::of_server(&error))?;
        let taken = async {
            self.connection.command(Rcpt::new(to.clone(), vec![])).await?;
            self.connection.command(Data).await?;
            self.connection.message(mail).await
        };
        match taken.await {
            Ok(_) => Ok(()),
            Err(error) => {
                let trouble = Trouble::of_mail(&error);
                if !matches!(trouble, Trouble::Unreachable(_)) {
                    // So that the next mail finds nothing of this one.
                    self.connection.command(Rset).await.map_err(|error| Trouble::of_server(&error))?;
                }
                Err(trouble)
            }
        }
    }
}

async fn connect(
    server: &SmtpServer,
    name: &ClientId,
    limit: Duration,
) -> Result<AsyncSmtpConnection, smtp::Error> {
    let SmtpServer { host, port, encryption, login } = server;
    let tls = || TlsParameters::new(host.clone());
    let wrapped = match encryption {
        Encryption::Tls => Some(tls()?),
        Encryption::StartTls | Encryption::StartTlsIfOffered | Encryption::Plain => None,
    };
    let address = (host.as_str(), *port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(limit), name, wrapped, None).await?;
    let upgrade = match encryption {
        Encryption::StartTls => true,
        Encryption::StartTlsIfOffered => connection.can_starttls(),
        Encryption::Tls | Encryption::Plain => false,
    };
    if upgrade {
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
