//! Closed ports, stale connections, and counts of connections.

use std::io::ErrorKind;

use stand_ins::Service;
use stand_ins::fault::{Fault, Rule};

use crate::client::{Client, collect, send_request, stand_ins};

#[tokio::test]
async fn a_closed_port_refuses_connections_until_it_is_opened() {
    let stand_ins = stand_ins().await;
    let ga4 = stand_ins.addresses().ga4;
    let mut idle = Client::connect(ga4).await.unwrap();
    idle.send_request(&collect("vpe-1")).await.unwrap();
    stand_ins.refuse_connections(Service::Ga4).await;
    assert_eq!(Client::connect(ga4).await.err().unwrap().kind(), ErrorKind::ConnectionRefused);
    assert!(idle.read_to_end().await.1.is_ok(), "idle connections are closed too");
    stand_ins.accept_connections(Service::Ga4).await;
    assert_eq!(send_request(ga4, &collect("vpe-1")).await.unwrap().status, 204);
}

#[tokio::test]
async fn a_rule_can_close_the_port_for_some_time() {
    let stand_ins = stand_ins().await;
    let ga4 = stand_ins.addresses().ga4;
    stand_ins.set_faults([Rule::new(Service::Ga4, Fault::Refuse { for_millis: 100 }).times(1)]).unwrap();
    assert_eq!(send_request(ga4, &collect("vpe-1")).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut refused = 0;
    let response = loop {
        match send_request(ga4, &collect("vpe-1")).await {
            Ok(response) => break response,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => refused += 1,
            Err(_) => {}
        }
        tokio::task::yield_now().await;
    };
    assert!(refused > 0);
    assert_eq!(response.status, 204);
}

#[tokio::test]
async fn a_kept_connection_can_be_closed_or_reset() {
    let stand_ins = stand_ins().await;
    let ga4 = stand_ins.addresses().ga4;
    stand_ins.set_faults([Rule::new(Service::Ga4, Fault::CloseAfterAnswer)]).unwrap();
    let mut client = Client::connect(ga4).await.unwrap();
    assert_eq!(client.send_request(&collect("vpe-1")).await.unwrap().status, 204);
    assert!(client.read_to_end().await.1.is_ok());

    stand_ins.set_faults([Rule::new(Service::Ga4, Fault::ResetOnReuse)]).unwrap();
    let mut client = Client::connect(ga4).await.unwrap();
    assert_eq!(client.send_request(&collect("vpe-2")).await.unwrap().status, 204);
    assert_eq!(client.send_request(&collect("vpe-3")).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(stand_ins.ga4_copies_by_event_uid().into_keys().collect::<Vec<_>>(), ["vpe-1", "vpe-2"]);
    let last = stand_ins.journal().pop().unwrap();
    assert_eq!(
        (last.status, last.fault.as_ref().map(|injected| &injected.fault)),
        (None, Some(&Fault::ResetOnReuse))
    );
}

#[tokio::test]
async fn closing_idle_connections_leaves_busy_ones_open() {
    let stand_ins = stand_ins().await;
    let mut idle = Client::connect(stand_ins.addresses().ga4).await.unwrap();
    idle.send_request(&collect("vpe-1")).await.unwrap();
    let mut busy = Client::connect(stand_ins.addresses().ga4).await.unwrap();
    let request = collect("vpe-2");
    busy.send(&request[..20]).await.unwrap();
    stand_ins.until(|counts| counts.ga4.in_flight == 1).await;
    stand_ins.close_idle_connections(Service::Ga4);
    assert!(idle.read_to_end().await.1.is_ok());
    assert_eq!(busy.send_request(&request[20..]).await.unwrap().status, 204);
}

#[tokio::test]
async fn concurrent_requests_are_counted() {
    let stand_ins = stand_ins().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(stand_ins.addresses().ga4).await.unwrap();
        client.send(&collect("vpe-1")[..20]).await.unwrap();
        clients.push(client);
    }
    stand_ins.until(|counts| counts.ga4.in_flight == 3).await;
    for client in &mut clients {
        client.send_request(&collect("vpe-1")[20..]).await.unwrap();
    }
    let counts = stand_ins.until(|counts| counts.ga4.in_flight == 0).await.ga4;
    assert_eq!((counts.requests, counts.most_in_flight, counts.connections), (3, 3, 3));
    let in_flight: Vec<u64> = stand_ins.requests(Service::Ga4).iter().map(|entry| entry.in_flight).collect();
    assert_eq!(in_flight, [1, 2, 3]);
}
