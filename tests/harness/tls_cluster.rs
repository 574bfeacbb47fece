//! A PostgreSQL cluster that listens on TCP and has a TLS certificate.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Child;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use secrecy::SecretString;

use super::cluster::start_supervisor;

/// Creates the cluster, prints `ready`, and removes the cluster when its standard input is closed.
const SUPERVISOR_SCRIPT: &str = r#"
exec 2>>"$1/log"
echo secret >"$1/password"
"$2/initdb" -D "$1/cluster" -U postgres -A scram-sha-256 --pwfile="$1/password" -E UTF8 --locale=C.UTF-8 --no-sync >&2 &&
cp "$1/pg_hba.conf" "$1/cluster/pg_hba.conf" &&
"$2/pg_ctl" -D "$1/cluster" -l "$1/log" -w -o "-c unix_socket_directories='$1' -c listen_addresses=127.0.0.1 -c port=$3 \
  -c max_connections=20 -c autovacuum=off -c fsync=off -c ssl=$4 -c ssl_cert_file='$1/server.crt' \
  -c ssl_key_file='$1/server.key'" start >&2 &&
echo ready
read -r _
"$2/pg_ctl" -D "$1/cluster" -m immediate -w stop >&2
rm -rf "$1"
"#;

/// Whether the cluster accepts TLS connections over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsSupport {
    /// It requires TLS.
    Required,
    /// It does not support TLS.
    Unsupported,
}

/// A running cluster. Dropping it removes the cluster.
pub struct TlsCluster {
    pub port: u16,
    directory: PathBuf,
    _supervisor: Child,
}

impl TlsCluster {
    /// Starts a cluster with a certificate for `localhost`, issued by the cluster's own authority.
    pub fn start(tls: TlsSupport) -> Self {
        let directory = tempfile::Builder::new().prefix("dataporter-tls-").tempdir().unwrap().keep();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let (authority, certificate, key) = certificates();
        let (access, ssl) = match tls {
            TlsSupport::Required => ("hostssl", "on"),
            TlsSupport::Unsupported => ("hostnossl", "off"),
        };
        let files = [
            ("authority.pem", authority),
            ("other.pem", certificates().0),
            ("server.crt", certificate),
            ("server.key", key),
            ("pg_hba.conf", format!("{access} all all 127.0.0.1/32 scram-sha-256\nlocal all all trust\n")),
        ];
        for (name, content) in &files {
            fs::write(directory.join(name), content).unwrap();
        }
        fs::set_permissions(directory.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let supervisor = start_supervisor(SUPERVISOR_SCRIPT, &directory, &[&port.to_string(), ssl]);
        Self { port, directory, _supervisor: supervisor }
    }

    /// The URL of a database at these hosts and ports, with further parameters.
    pub fn url(host: &str, parameters: &str) -> SecretString {
        format!("postgres://postgres:secret@{host}/postgres?connect_timeout=5&{parameters}").into()
    }

    /// The path of the certificate of the authority that issued the cluster's certificate.
    pub fn trusted_ca(&self) -> String {
        self.directory.join("authority.pem").display().to_string()
    }

    /// The path of the certificate of an unrelated authority with the same name.
    pub fn untrusted_ca(&self) -> String {
        self.directory.join("other.pem").display().to_string()
    }
}

/// The certificate of a new authority, and a server certificate issued by it with its key, all in PEM format.
fn certificates() -> (String, String, String) {
    let key = || KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "An authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, key()).unwrap();
    let server_key = key();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&server_key, &authority).unwrap();
    (
        pem("CERTIFICATE", authority.der()),
        pem("CERTIFICATE", server.der()),
        pem("PRIVATE KEY", &server_key.serialize_der()),
    )
}

fn pem(kind: &str, content: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::prelude::BASE64_STANDARD.encode(content);
    // OpenSSL does not read longer lines.
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}
