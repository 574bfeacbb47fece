//! HTTP requests: the time until each response started, by method, route and status.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::request_histogram;

/// The route label of requests that match no route.
const NO_ROUTE: &str = "none";

/// Metrics of HTTP requests. Cheap to clone.
///
/// There are only a few dozen series, because routes are templates and there are few methods and statuses. A
/// linear search that compares statuses first costs less than hashing a route, and allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<RwLock<Vec<Series>>>);

#[derive(Debug)]
struct Series {
    labels: Labels,
    seconds: Histogram,
}

#[derive(Debug, EncodeLabelSet)]
struct Labels {
    status: u16,
    method: &'static str,
    route: String,
}

impl Requests {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let requests = Self::default();
        registry.register_collector(Box::new(requests.clone()));
        requests
    }

    /// Counts a request. `route` is the matched route template, never the path, which the client chooses.
    pub fn observe(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let (method, route, status) = (method_label(method), route.unwrap_or(NO_ROUTE), status.as_u16());
        let took = took.as_secs_f64();
        let matches_labels = |series: &&Series| {
            let Labels { status: its_status, method: its_method, route: its_route } = &series.labels;
            *its_status == status && *its_method == method && its_route == route
        };
        if let Some(series) = self.0.read().iter().find(matches_labels) {
            series.seconds.observe(took);
            return;
        }
        let mut series_list = self.0.write();
        // Another request may have added the series in the meantime.
        if let Some(series) = series_list.iter().find(matches_labels) {
            series.seconds.observe(took);
            return;
        }
        let labels = Labels { status, method, route: route.to_owned() };
        let series = Series { labels, seconds: request_histogram() };
        series.seconds.observe(took);
        series_list.push(series);
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut family = encoder.encode_descriptor(
            "http_request_duration",
            "Time until the response to a request started, by method, route and status.",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for Series { labels, seconds } in self.0.read().iter() {
            seconds.encode(family.encode_family(labels)?)?;
        }
        Ok(())
    }
}

/// Unknown methods share one label value, because clients can invent any number of them.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_route_and_status_has_its_own_series() {
        let requests = Requests::default();
        let unknown = Method::from_bytes(b"BREW").unwrap();
        for (method, route, status) in [
            (&Method::GET, Some("/a/{id}"), StatusCode::OK),
            (&Method::GET, Some("/a/{id}"), StatusCode::OK),
            (&Method::GET, Some("/a/{id}"), StatusCode::NOT_FOUND),
            (&Method::POST, Some("/a/{id}"), StatusCode::OK),
            (&unknown, None, StatusCode::OK),
        ] {
            requests.observe(method, route, status, Duration::from_millis(3));
        }
        let series_list = requests.0.read();
        let series: Vec<_> = series_list
            .iter()
            .map(|Series { labels, .. }| (labels.method, labels.route.as_str(), labels.status))
            .collect();
        assert_eq!(
            series,
            [
                ("GET", "/a/{id}", 200),
                ("GET", "/a/{id}", 404),
                ("POST", "/a/{id}", 200),
                ("other", "none", 200)
            ]
        );
    }
}
