//! TLS connections to the database, configured by `sslmode` and `sslrootcert` in its URL.

use std::time::Duration;

use backend::db::{self, Connection};
use diesel::sql_types::{BigInt, Bool};
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::StreamExt as _;
use secrecy::SecretString;
use tokio::time::timeout;

use crate::harness::tls_cluster::{TlsCluster, TlsSupport};

#[derive(QueryableByName)]
struct Encrypted {
    #[diesel(sql_type = Bool)]
    ssl: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Whether a connection to this URL is encrypted, or the error if it fails.
async fn is_encrypted(url: &SecretString) -> Result<bool, String> {
    let mut conn = db::connect(url).await.map_err(|error| error.to_string())?;
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let found: Encrypted = sql_query(query).get_result(&mut conn).await.map_err(|error| error.to_string())?;
    Ok(found.ssl)
}

async fn count(conn: &mut Connection, query: &str) -> i64 {
    sql_query(query).get_result::<Count>(conn).await.unwrap().count
}

#[tokio::test]
async fn each_sslmode_accepts_the_same_certificates_as_libpq() {
    let cluster = TlsCluster::start(TlsSupport::Required);
    let (by_name, by_ip) = (format!("localhost:{}", cluster.port), format!("127.0.0.1:{}", cluster.port));
    let (trusted_ca, untrusted_ca) = (cluster.trusted_ca(), cluster.untrusted_ca());
    let accepted = [
        (&by_ip, "sslmode=prefer".to_owned()),
        (&by_ip, String::new()),
        (&by_ip, "sslmode=require".to_owned()),
        (&by_ip, format!("sslmode=require&sslrootcert={trusted_ca}")),
        (&by_ip, format!("sslmode=verify-ca&sslrootcert={trusted_ca}")),
        (&by_name, format!("sslmode=verify-full&sslrootcert={trusted_ca}")),
        (&by_name, format!("sslmode=verify-full&sslrootcert={trusted_ca}&channel_binding=require")),
        (&by_name, format!("sslmode=verify-full&sslrootcert={trusted_ca}&hostaddr=127.0.0.1")),
    ];
    for (host, parameters) in accepted {
        assert_eq!(is_encrypted(&TlsCluster::url(host, &parameters)).await, Ok(true), "{host} {parameters}");
    }
    let rejected = [
        (&by_ip, "sslmode=disable".to_owned()),
        (&by_ip, format!("sslmode=verify-full&sslrootcert={trusted_ca}")),
        (&by_name, format!("sslmode=verify-full&sslrootcert={untrusted_ca}")),
        (&by_ip, format!("sslmode=verify-ca&sslrootcert={untrusted_ca}")),
        (&by_ip, format!("sslmode=require&sslrootcert={untrusted_ca}")),
        (&by_name, "sslmode=verify-full".to_owned()),
        (&by_ip, "sslmode=verify-ca".to_owned()),
        (&by_name, "sslrootcert=system".to_owned()),
        (&by_name, "sslmode=require&sslrootcert=system".to_owned()),
        (&by_name, "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned()),
        (&by_name, "sslmode=whatever".to_owned()),
    ];
    for (host, parameters) in rejected {
        let result = is_encrypted(&TlsCluster::url(host, &parameters)).await;
        assert!(result.is_err(), "{host} {parameters}: {result:?}");
    }
}

#[tokio::test]
async fn statements_notifications_and_cancellation_use_tls() {
    let cluster = TlsCluster::start(TlsSupport::Required);
    let parameters = format!("sslmode=verify-full&sslrootcert={}", cluster.trusted_ca());
    let url = TlsCluster::url(&format!("localhost:{}", cluster.port), &parameters);
    let (mut listener, mut other) = (db::connect(&url).await.unwrap(), db::connect(&url).await.unwrap());
    listener.batch_execute("LISTEN news").await.unwrap();
    other.batch_execute("NOTIFY news, 'heard'").await.unwrap();
    let notification = {
        let mut notifications = std::pin::pin!(listener.notifications());
        timeout(Duration::from_secs(10), notifications.next()).await.unwrap()
    };
    assert_eq!(notification.unwrap().payload, "heard");

    let timed_out = timeout(Duration::from_millis(300), listener.batch_execute("SELECT pg_sleep(60)")).await;
    assert!(timed_out.is_err());
    // The server accepts the cancel request over TLS only. It closes the connection as soon as it has read
    // the request, so this side may see an error.
    listener.cancel().await.ok();
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active'";
    for _ in 0..200 {
        if count(&mut other, running).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the statement was not cancelled");
}

#[tokio::test]
async fn without_server_tls_only_prefer_and_disable_connect() {
    let cluster = TlsCluster::start(TlsSupport::Unsupported);
    let host = format!("localhost:{}", cluster.port);
    for parameters in ["sslmode=prefer", "sslmode=disable", ""] {
        assert_eq!(is_encrypted(&TlsCluster::url(&host, parameters)).await, Ok(false), "{parameters}");
    }
    let trusted_ca = cluster.trusted_ca();
    for parameters in ["sslmode=require", &format!("sslmode=verify-full&sslrootcert={trusted_ca}")] {
        let result = is_encrypted(&TlsCluster::url(&host, parameters)).await;
        assert!(
            result.as_ref().is_err_and(|error| error.contains("offers no TLS")),
            "{parameters}: {result:?}"
        );
    }
}

#[tokio::test]
async fn prefer_does_not_fall_back_to_a_plain_text_server() {
    let (tls, plain) = (TlsCluster::start(TlsSupport::Required), TlsCluster::start(TlsSupport::Unsupported));
    let servers = format!("localhost:{},localhost:{}", tls.port, plain.port);
    // The first server offers TLS and then rejects the password.
    let url = format!("postgres://postgres:wrong@{servers}/postgres?sslmode=prefer&connect_timeout=5");
    let result = is_encrypted(&url.into()).await;
    assert!(result.as_ref().is_err_and(|error| error.contains("offers no TLS")), "{result:?}");
    let second_result =
        is_encrypted(&TlsCluster::url(&servers, "sslmode=prefer&target_session_attrs=read-only")).await;
    assert!(second_result.as_ref().is_err_and(|error| error.contains("offers no TLS")), "{second_result:?}");
}
