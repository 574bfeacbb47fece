//! A connection: one request after the other, and the faults that strike before a request is read.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::exchange::{self, Arrival, Exchange};
use crate::fault::effect::{break_off, close, drip};
use crate::fault::{Fault, How, Point, Stage, Strike};
use crate::http::reader::Reader;
use crate::http::{Request, Response};
use crate::journal::Service;
use crate::shared::{Shared, Wanted};

/// What is left of a connection after a request.
#[derive(Debug)]
enum Rest {
    /// It goes on.
    Open,
    /// It goes on until somebody uses it.
    Stale(Strike),
    /// It ends.
    Ended,
}

struct Connection {
    id: u64,
    stream: TcpStream,
    reader: Reader,
    peer: IpAddr,
    service: Service,
    shared: Arc<Shared>,
}

/// Serves a connection to its end. Errors of the socket mean that the other side has gone.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, service: Service, shared: Arc<Shared>) {
    let wanted = shared.gate(service).wanted.subscribe();
    let id = shared.connect(service);
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut connection = Connection { id, stream, reader: Reader::default(), peer, service, shared };
    let mut stale = None;
    while let Ok(true) = connection.begins(wanted.clone()).await {
        if let Some(strike) = stale {
            connection.arrival().journal_fault(&strike, None);
            // A socket that cannot be reset has gone already.
            let _ = connection.stream.set_zero_linger();
            return;
        }
        match connection.exchange().await {
            Ok(Rest::Open) => {}
            Ok(Rest::Stale(strike)) => stale = Some(strike),
            Ok(Rest::Ended) | Err(_) => return,
        }
    }
}

impl Connection {
    /// Waits for a request, and says whether one begins; none does where the connection is closed meanwhile.
    async fn begins(&mut self, mut wanted: watch::Receiver<Wanted>) -> io::Result<bool> {
        if self.reader.has_bytes() {
            return Ok(true);
        }
        let mut first = [0];
        tokio::select! {
            biased;
            read = self.stream.peek(&mut first) => Ok(read? > 0),
            _ = wanted.changed() => Ok(false),
        }
    }

    fn arrival(&self) -> Arrival {
        Arrival::new(Arc::clone(&self.shared), self.service, self.id)
    }

    async fn exchange(&mut self) -> io::Result<Rest> {
        let arrival = self.arrival();
        if let Some(strike) = arrival.strike(Stage::Arrival, "", &[]) {
            arrival.journal_fault(&strike, None);
            return self.unread(&strike).await;
        }
        let (head, framing) = self.reader.head(&mut self.stream).await?;
        if let Some(strike) = arrival.strike(Stage::Head, &head.path, &[]) {
            self.reader.half_body(&mut self.stream, framing).await?;
            arrival.journal_fault(&strike, Some(head));
            return self.unread(&strike).await;
        }
        let body = self.reader.body(&mut self.stream, framing).await?;
        let wants_close = head.header_begins("connection", "close");
        let request = Request { head, body };
        let Exchange { response, strike } = exchange::decide(&arrival, request, self.peer);
        let rest = self.answer(&response, strike.as_ref()).await?;
        if wants_close && !matches!(rest, Rest::Ended) {
            close(&mut self.stream).await?;
            return Ok(Rest::Ended);
        }
        Ok(rest)
    }

    /// Carries a fault out that strikes before the request is read.
    async fn unread(&mut self, Strike { rule, .. }: &Strike) -> io::Result<Rest> {
        wait(rule.delay_millis).await;
        let nothing = Response::default();
        match &rule.fault {
            Fault::Break { at, how } => break_off(&mut self.stream, &nothing, *at, *how).await?,
            Fault::Refuse { for_millis } => {
                exchange::refuse(Arc::clone(&self.shared), self.service, *for_millis).await;
                break_off(&mut self.stream, &nothing, Point::BeforeReading, How::Reset).await?;
            }
            Fault::Answer(_)
            | Fault::ImportLie(_)
            | Fault::FailRecords { .. }
            | Fault::Drip { .. }
            | Fault::Slow
            | Fault::CloseAfterAnswer
            | Fault::ResetOnReuse => unreachable!("these strike when the request is read"),
        }
        Ok(Rest::Ended)
    }

    /// Sends the answer, or what a fault leaves of it.
    async fn answer(&mut self, response: &Response, strike: Option<&Strike>) -> io::Result<Rest> {
        let whole = response.bytes();
        let Some(strike @ Strike { rule, .. }) = strike else {
            self.stream.write_all(&whole).await?;
            return Ok(Rest::Open);
        };
        wait(rule.delay_millis).await;
        match &rule.fault {
            Fault::Break { at, how } => {
                break_off(&mut self.stream, response, *at, *how).await?;
                Ok(Rest::Ended)
            }
            Fault::Drip { every_millis } => {
                drip(&mut self.stream, &whole, Duration::from_millis(*every_millis)).await?;
                Ok(Rest::Open)
            }
            Fault::CloseAfterAnswer => {
                self.stream.write_all(&whole).await?;
                close(&mut self.stream).await?;
                Ok(Rest::Ended)
            }
            Fault::ResetOnReuse => {
                self.stream.write_all(&whole).await?;
                Ok(Rest::Stale(strike.clone()))
            }
            Fault::Answer(_)
            | Fault::ImportLie(_)
            | Fault::FailRecords { .. }
            | Fault::Slow
            | Fault::Refuse { .. } => {
                self.stream.write_all(&whole).await?;
                Ok(Rest::Open)
            }
        }
    }
}

async fn wait(millis: u64) {
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
