//! TLS to the database, as `sslmode` and `sslrootcert` in its address ask for.

use std::time::Duration;

use backend::db::{self, Connection};
use diesel::sql_types::{BigInt, Bool};
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::StreamExt as _;
use secrecy::SecretString;
use tokio::time::timeout;

use crate::harness::tls_cluster::{Speaks, TlsCluster};

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

/// Whether a connection to this address is encrypted, or why there is none.
async fn encrypted(url: &SecretString) -> Result<bool, String> {
    let mut conn = db::connect(url).await.map_err(|error| error.to_string())?;
    let question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let found: Encrypted =
        sql_query(question).get_result(&mut conn).await.map_err(|error| error.to_string())?;
    Ok(found.ssl)
}

async fn count(conn: &mut Connection, question: &str) -> i64 {
    sql_query(question).get_result::<Count>(conn).await.unwrap().count
}

#[tokio::test]
async fn each_sslmode_believes_what_libpq_believes() {
    let cluster = TlsCluster::start(Speaks::TlsOnly);
    let (name, number) = (format!("localhost:{}", cluster.port), format!("127.0.0.1:{}", cluster.port));
    let (authority, forger) = (cluster.authority(), cluster.forger());
    let good = [
        (&number, "sslmode=prefer".to_owned()),
        (&number, String::new()),
        (&number, "sslmode=require".to_owned()),
        (&number, format!("sslmode=require&sslrootcert={authority}")),
        (&number, format!("sslmode=verify-ca&sslrootcert={authority}")),
        (&name, format!("sslmode=verify-full&sslrootcert={authority}")),
        (&name, format!("sslmode=verify-full&sslrootcert={authority}&channel_binding=require")),
        (&name, format!("sslmode=verify-full&sslrootcert={authority}&hostaddr=127.0.0.1")),
    ];
    for (host, parameters) in good {
        assert_eq!(encrypted(&TlsCluster::url(host, &parameters)).await, Ok(true), "{host} {parameters}");
    }
    let bad = [
        (&number, "sslmode=disable".to_owned()),
        (&number, format!("sslmode=verify-full&sslrootcert={authority}")),
        (&name, format!("sslmode=verify-full&sslrootcert={forger}")),
        (&number, format!("sslmode=verify-ca&sslrootcert={forger}")),
        (&number, format!("sslmode=require&sslrootcert={forger}")),
        (&name, "sslmode=verify-full".to_owned()),
        (&number, "sslmode=verify-ca".to_owned()),
        (&name, "sslrootcert=system".to_owned()),
        (&name, "sslmode=require&sslrootcert=system".to_owned()),
        (&name, "sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned()),
        (&name, "sslmode=whatever".to_owned()),
    ];
    for (host, parameters) in bad {
        let refused = encrypted(&TlsCluster::url(host, &parameters)).await;
        assert!(refused.is_err(), "{host} {parameters}: {refused:?}");
    }
}

#[tokio::test]
async fn statements_notifications_and_cancelling_all_go_by_tls() {
    let cluster = TlsCluster::start(Speaks::TlsOnly);
    let parameters = format!("sslmode=verify-full&sslrootcert={}", cluster.authority());
    let url = TlsCluster::url(&format!("localhost:{}", cluster.port), &parameters);
    let (mut listener, mut other) = (db::connect(&url).await.unwrap(), db::connect(&url).await.unwrap());
    listener.batch_execute("LISTEN news").await.unwrap();
    other.batch_execute("NOTIFY news, 'heard'").await.unwrap();
    let heard = {
        let mut notifications = std::pin::pin!(listener.notifications());
        timeout(Duration::from_secs(10), notifications.next()).await.unwrap()
    };
    assert_eq!(heard.unwrap().payload, "heard");

    let asleep = timeout(Duration::from_millis(300), listener.batch_execute("SELECT pg_sleep(60)")).await;
    assert!(asleep.is_err());
    // The server takes nothing in plain text, not even this.
    // It closes the line as soon as it has read it, which may be before we do.
    listener.cancel().await.ok();
    let at_work =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active'";
    for _ in 0..200 {
        if count(&mut other, at_work).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the statement was not stopped");
}

#[tokio::test]
async fn without_tls_on_the_server_only_prefer_and_disable_go_on() {
    let cluster = TlsCluster::start(Speaks::PlainText);
    let host = format!("localhost:{}", cluster.port);
    for parameters in ["sslmode=prefer", "sslmode=disable", ""] {
        assert_eq!(encrypted(&TlsCluster::url(&host, parameters)).await, Ok(false), "{parameters}");
    }
    let authority = cluster.authority();
    for parameters in ["sslmode=require", &format!("sslmode=verify-full&sslrootcert={authority}")] {
        let refused = encrypted(&TlsCluster::url(&host, parameters)).await;
        assert!(
            refused.as_ref().is_err_and(|why| why.contains("offers no TLS")),
            "{parameters}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn prefer_does_not_go_on_to_another_server_in_plain_text_once_one_offered_tls() {
    let (safe, plain) = (TlsCluster::start(Speaks::TlsOnly), TlsCluster::start(Speaks::PlainText));
    let servers = format!("localhost:{},localhost:{}", safe.port, plain.port);
    // The first one offers TLS and then refuses the session.
    let url = format!("postgres://postgres:wrong@{servers}/postgres?sslmode=prefer&connect_timeout=5");
    let refused = encrypted(&url.into()).await;
    assert!(refused.as_ref().is_err_and(|why| why.contains("offers no TLS")), "{refused:?}");
    let fallen_back =
        encrypted(&TlsCluster::url(&servers, "sslmode=prefer&target_session_attrs=read-only")).await;
    assert!(fallen_back.as_ref().is_err_and(|why| why.contains("offers no TLS")), "{fallen_back:?}");
}
