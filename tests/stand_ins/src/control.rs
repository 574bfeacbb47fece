//! The same as the functions of this crate, for scripts: JSON on a port of its own, so that no fault is in the way.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /__journal`, `?service=ga4` | tells every request and the figures |
//! | `GET /__stored`, `?duplicates=1` | tells what is kept, or of GA4 how many copies of each `event_uid` |
//! | `GET`, `POST /__faults` | tells or takes the rules: a list, or `{"seed": …, "rules": […]}` |
//! | `GET`, `POST /__clock` | tells or sets the clock: `"system"`, `{"offset_seconds": …}`, `{"fixed": "…"}` |
//! | `GET`, `POST /__config` | tells or changes the configuration; what is left out stays |
//! | `POST /__listen` | opens or closes a port: `{"service": "ga4", "open": false}` |
//! | `POST /__close_idle` | closes idle connections: `{"service": "ga4"}` |
//! | `POST /__reset` | forgets all that came in and all faults |

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::fault::Rule;
use crate::http::reader::Reader;
use crate::http::{Request, Response};
use crate::journal::Service;
use crate::shared::Shared;
use crate::steer::{close_idle, set_open};
use crate::unpoisoned::lock;

/// Serves the control side until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(run(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn run(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut reader = Reader::default();
    loop {
        let (head, framing) = reader.head(&mut stream).await?;
        let body = reader.body(&mut stream, framing).await?;
        let response = match answer(&Request { head, body }, &shared).await {
            Ok(Some(value)) => Response::json(200, &value),
            Ok(None) => Response::empty(204),
            Err(Refusal::NoSuchThing) => Response::json(404, &json!({"error": "no such thing to control"})),
            Err(Refusal::Bad(error)) => Response::json(400, &json!({"error": error})),
        };
        stream.write_all(&response.bytes()).await?;
    }
}

enum Refusal {
    NoSuchThing,
    Bad(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    Seeded { seed: u64, rules: Vec<Rule> },
    Rules(Vec<Rule>),
}

#[derive(Deserialize)]
struct Port {
    service: Service,
    open: bool,
}

#[derive(Deserialize)]
struct OfService {
    service: Service,
}

async fn answer(request: &Request, shared: &Shared) -> Result<Option<Value>, Refusal> {
    let head = &request.head;
    let told = match (head.method.as_str(), head.path.as_str()) {
        ("GET", "/__journal") => {
            let mut entries = lock(&shared.journal).entries();
            if let Some(service) = head.query_value("service") {
                let service: Service = read(json!(service).to_string().as_bytes())?;
                entries.retain(|entry| entry.service == service);
            }
            let entries: Vec<_> = entries.iter().map(AsRef::as_ref).collect();
            json!({"counts": *shared.counts.borrow(), "entries": entries})
        }
        ("GET", "/__stored") if head.switched_on("duplicates") => {
            json!({"ga4": {"copies": lock(&shared.ga4).copies()}})
        }
        ("GET", "/__stored") => {
            let ga4 = lock(&shared.ga4).events();
            let mixpanel = lock(&shared.mixpanel);
            json!({"ga4": {"raw": ga4}, "mixpanel": {"raw": mixpanel.raw(), "deduped": mixpanel.deduped()}})
        }
        ("GET", "/__faults") => json!(lock(&shared.plan).states()),
        ("POST", "/__faults") => {
            let mut plan = lock(&shared.plan);
            let rules = match read(&request.body)? {
                Faults::Seeded { seed, rules } => {
                    plan.set_seed(seed);
                    rules
                }
                Faults::Rules(rules) => rules,
            };
            plan.set_rules(rules).map_err(|error| Refusal::Bad(error.to_string()))?;
            return Ok(None);
        }
        ("GET", "/__clock") => json!({"setting": shared.clock.setting(), "now": shared.clock.now()}),
        ("POST", "/__clock") => {
            shared.clock.set(read(&request.body)?);
            return Ok(None);
        }
        ("GET", "/__config") => json!(*shared.config()),
        ("POST", "/__config") => {
            let mut config = json!(*shared.config());
            overlay(&mut config, read(&request.body)?);
            shared.set_config(read(config.to_string().as_bytes())?);
            return Ok(None);
        }
        ("POST", "/__listen") => {
            let Port { service, open } = read(&request.body)?;
            set_open(shared, service, open).await;
            return Ok(None);
        }
        ("POST", "/__close_idle") => {
            let OfService { service } = read(&request.body)?;
            close_idle(shared, service);
            return Ok(None);
        }
        ("POST", "/__reset") => {
            shared.reset();
            return Ok(None);
        }
        _ => return Err(Refusal::NoSuchThing),
    };
    Ok(Some(told))
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| Refusal::Bad(error.to_string()))
}

/// Puts the fields of one object over those of another, at every depth.
fn overlay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                overlay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}
