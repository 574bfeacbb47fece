//! The control interface: the functions of this crate for scripts, as JSON on a separate port that no fault
//! affects.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /__journal`, `?service=ga4` | returns all requests and the counts |
//! | `GET /__stored`, `?duplicates=1` | returns stored events, or GA4's number of copies of each `event_uid` |
//! | `GET`, `POST /__faults` | returns or replaces the rules: a list, or `{"seed": …, "rules": […]}` |
//! | `GET`, `POST /__clock` | returns or sets the clock: `"system"`, `{"offset_seconds": …}`, `{"fixed": "…"}` |
//! | `GET`, `POST /__config` | returns or changes the configuration; omitted fields keep their values |
//! | `POST /__listen` | opens or closes a port: `{"service": "ga4", "open": false}` |
//! | `POST /__close_idle` | closes idle connections: `{"service": "ga4"}` |
//! | `POST /__reset` | deletes all requests, stored events and rules |

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::configure::{close_idle, set_open};
use crate::fault::Rule;
use crate::http::reader::Reader;
use crate::http::{Request, Response};
use crate::journal::Service;
use crate::shared::Shared;

/// Serves the control interface until the task is dropped.
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
        let response = match handle(&Request { head, body }, &shared).await {
            Ok(Some(value)) => Response::json(200, &value),
            Ok(None) => Response::empty(204),
            Err(ControlError::NotFound) => Response::json(404, &json!({"error": "unknown path or method"})),
            Err(ControlError::BadRequest(error)) => Response::json(400, &json!({"error": error})),
        };
        stream.write_all(&response.bytes()).await?;
    }
}

enum ControlError {
    NotFound,
    BadRequest(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    Seeded { seed: u64, rules: Vec<Rule> },
    Rules(Vec<Rule>),
}

#[derive(Deserialize)]
struct ListenRequest {
    service: Service,
    open: bool,
}

#[derive(Deserialize)]
struct CloseIdleRequest {
    service: Service,
}

async fn handle(request: &Request, shared: &Shared) -> Result<Option<Value>, ControlError> {
    let head = &request.head;
    let value = match (head.method.as_str(), head.path.as_str()) {
        ("GET", "/__journal") => {
            let mut entries = shared.journal.lock().entries();
            if let Some(service) = head.query_value("service") {
                let service: Service = read(json!(service).to_string().as_bytes())?;
                entries.retain(|entry| entry.service == service);
            }
            let entries: Vec<_> = entries.iter().map(AsRef::as_ref).collect();
            json!({"counts": *shared.counts.borrow(), "entries": entries})
        }
        ("GET", "/__stored") if head.has_flag("duplicates") => {
            json!({"ga4": {"copies": shared.ga4.lock().copies()}})
        }
        ("GET", "/__stored") => {
            let ga4 = shared.ga4.lock().events();
            let mixpanel = shared.mixpanel.lock();
            json!({"ga4": {"raw": ga4}, "mixpanel": {"raw": mixpanel.raw(), "deduped": mixpanel.deduped()}})
        }
        ("GET", "/__faults") => json!(shared.plan.lock().states()),
        ("POST", "/__faults") => {
            let mut plan = shared.plan.lock();
            let rules = match read(&request.body)? {
                Faults::Seeded { seed, rules } => {
                    plan.set_seed(seed);
                    rules
                }
                Faults::Rules(rules) => rules,
            };
            plan.set_rules(rules).map_err(|error| ControlError::BadRequest(error.to_string()))?;
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
            merge(&mut config, read(&request.body)?);
            shared.set_config(read(config.to_string().as_bytes())?);
            return Ok(None);
        }
        ("POST", "/__listen") => {
            let ListenRequest { service, open } = read(&request.body)?;
            set_open(shared, service, open).await;
            return Ok(None);
        }
        ("POST", "/__close_idle") => {
            let CloseIdleRequest { service } = read(&request.body)?;
            close_idle(shared, service);
            return Ok(None);
        }
        ("POST", "/__reset") => {
            shared.reset();
            return Ok(None);
        }
        _ => return Err(ControlError::NotFound),
    };
    Ok(Some(value))
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, ControlError> {
    serde_json::from_slice(json).map_err(|error| ControlError::BadRequest(error.to_string()))
}

/// Merges the fields of one object into another, at every depth.
fn merge(target: &mut Value, changes: Value) {
    match (target, changes) {
        (Value::Object(target), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, changes) => *target = changes,
    }
}
