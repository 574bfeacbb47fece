//! A connection: reads requests, sends responses, and injects the faults that happen before a request is
//! read.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::exchange::{self, Arrival, Exchange};
use crate::fault::effect::{close, drip, interrupt};
use crate::fault::{BreakMode, Fault, MatchedRule, Point, Stage};
use crate::http::reader::Reader;
use crate::http::{Request, Response};
use crate::journal::Service;
use crate::shared::{DesiredState, Shared};

/// The state of a connection after a request.
#[derive(Debug)]
enum ConnectionState {
    Open,
    /// It is reset by the next request on it.
    Stale(MatchedRule),
    Closed,
}

struct Connection {
    id: u64,
    stream: TcpStream,
    reader: Reader,
    peer: IpAddr,
    service: Service,
    shared: Arc<Shared>,
}

/// Serves a connection until it is closed. A socket error means that the client has closed it.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, service: Service, shared: Arc<Shared>) {
    let desired = shared.port_control(service).desired.subscribe();
    let id = shared.count_connection(service);
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut connection = Connection { id, stream, reader: Reader::default(), peer, service, shared };
    let mut stale = None;
    while let Ok(true) = connection.wait_for_request(desired.clone()).await {
        if let Some(matched) = stale {
            connection.arrival().journal_fault(&matched, None);
            // An error means that the socket is closed already.
            let _ = connection.stream.set_zero_linger();
            return;
        }
        match connection.exchange().await {
            Ok(ConnectionState::Open) => {}
            Ok(ConnectionState::Stale(matched)) => stale = Some(matched),
            Ok(ConnectionState::Closed) | Err(_) => return,
        }
    }
}

impl Connection {
    /// Waits for the first byte of a request. Returns false if the connection is closed instead.
    async fn wait_for_request(&mut self, mut desired: watch::Receiver<DesiredState>) -> io::Result<bool> {
        if self.reader.has_bytes() {
            return Ok(true);
        }
        let mut first = [0];
        tokio::select! {
            biased;
            read = self.stream.peek(&mut first) => Ok(read? > 0),
            _ = desired.changed() => Ok(false),
        }
    }

    fn arrival(&self) -> Arrival {
        Arrival::new(Arc::clone(&self.shared), self.service, self.id)
    }

    async fn exchange(&mut self) -> io::Result<ConnectionState> {
        let arrival = self.arrival();
        if let Some(matched) = arrival.match_rule(Stage::Arrival, "", &[]) {
            arrival.journal_fault(&matched, None);
            return self.fail_before_reading(&matched).await;
        }
        let (head, framing) = self.reader.head(&mut self.stream).await?;
        if let Some(matched) = arrival.match_rule(Stage::Head, &head.path, &[]) {
            self.reader.half_body(&mut self.stream, framing).await?;
            arrival.journal_fault(&matched, Some(head));
            return self.fail_before_reading(&matched).await;
        }
        let body = self.reader.body(&mut self.stream, framing).await?;
        let wants_close = head.header_starts_with("connection", "close");
        let request = Request { head, body };
        let Exchange { response, matched } = exchange::handle(&arrival, request, self.peer);
        let state = self.send_response(&response, matched.as_ref()).await?;
        if wants_close && !matches!(state, ConnectionState::Closed) {
            close(&mut self.stream).await?;
            return Ok(ConnectionState::Closed);
        }
        Ok(state)
    }

    /// Injects a fault that happens before the request is read.
    async fn fail_before_reading(
        &mut self,
        MatchedRule { rule, .. }: &MatchedRule,
    ) -> io::Result<ConnectionState> {
        delay(rule.delay_millis).await;
        let empty = Response::default();
        match &rule.fault {
            Fault::Break { at, how } => interrupt(&mut self.stream, &empty, *at, *how).await?,
            Fault::Refuse { for_millis } => {
                exchange::close_port_for(Arc::clone(&self.shared), self.service, *for_millis).await;
                interrupt(&mut self.stream, &empty, Point::BeforeReading, BreakMode::Reset).await?;
            }
            Fault::Answer(_)
            | Fault::ImportLie(_)
            | Fault::FailRecords { .. }
            | Fault::Drip { .. }
            | Fault::Slow
            | Fault::CloseAfterAnswer
            | Fault::ResetOnReuse => unreachable!("these faults happen after the request is read"),
        }
        Ok(ConnectionState::Closed)
    }

    /// Sends the response, or as much of it as a fault allows.
    async fn send_response(
        &mut self,
        response: &Response,
        matched: Option<&MatchedRule>,
    ) -> io::Result<ConnectionState> {
        let bytes = response.bytes();
        let Some(matched @ MatchedRule { rule, .. }) = matched else {
            self.stream.write_all(&bytes).await?;
            return Ok(ConnectionState::Open);
        };
        delay(rule.delay_millis).await;
        match &rule.fault {
            Fault::Break { at, how } => {
                interrupt(&mut self.stream, response, *at, *how).await?;
                Ok(ConnectionState::Closed)
            }
            Fault::Drip { every_millis } => {
                drip(&mut self.stream, &bytes, Duration::from_millis(*every_millis)).await?;
                Ok(ConnectionState::Open)
            }
            Fault::CloseAfterAnswer => {
                self.stream.write_all(&bytes).await?;
                close(&mut self.stream).await?;
                Ok(ConnectionState::Closed)
            }
            Fault::ResetOnReuse => {
                self.stream.write_all(&bytes).await?;
                Ok(ConnectionState::Stale(matched.clone()))
            }
            Fault::Answer(_)
            | Fault::ImportLie(_)
            | Fault::FailRecords { .. }
            | Fault::Slow
            | Fault::Refuse { .. } => {
                self.stream.write_all(&bytes).await?;
                Ok(ConnectionState::Open)
            }
        }
    }
}

async fn delay(millis: u64) {
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
