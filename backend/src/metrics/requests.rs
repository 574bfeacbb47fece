//! HTTP requests: how long each took until its answer began, by method, route and status.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::of_a_request;
use crate::unpoisoned;

/// Stands for the route of a request that none was found for.
const NO_ROUTE: &str = "none";

/// HTTP requests; cheap to clone.
///
/// There are a few dozen series: routes are templates, methods those below, and statuses our own. They are compared one
/// after the other, numbers first, which costs less than to hash a route, and a series that is there already costs no
/// allocation.
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

    /// Counts a request. The route is the template that its path fits, never the path, which anybody can choose.
    pub fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let (method, route, status) = (name(method), route.unwrap_or(NO_ROUTE), status.as_u16());
        let took = took.as_secs_f64();
        let is_it = |series: &&Series| {
            let Labels { status: its_status, method: its_method, route: its_route } = &series.labels;
            *its_status == status && *its_method == method && its_route == route
        };
        if let Some(series) = unpoisoned::read(&self.0).iter().find(is_it) {
            series.seconds.observe(took);
            return;
        }
        let mut all = unpoisoned::write(&self.0);
        // Somebody else may have been faster.
        if let Some(series) = all.iter().find(is_it) {
            series.seconds.observe(took);
            return;
        }
        let labels = Labels { status, method, route: route.to_owned() };
        let series = Series { labels, seconds: of_a_request() };
        series.seconds.observe(took);
        all.push(series);
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut family = encoder.encode_descriptor(
            "http_request_duration",
            "How long requests took until their answers began, by method, route and status.",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for Series { labels, seconds } in unpoisoned::read(&self.0).iter() {
            seconds.encode(family.encode_family(labels)?)?;
        }
        Ok(())
    }
}

/// Methods that nobody serves are one: anybody can make some up.
fn name(method: &Method) -> &'static str {
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
    fn a_series_is_a_method_a_route_and_a_status() {
        let requests = Requests::default();
        let made_up = Method::from_bytes(b"BREW").unwrap();
        for (method, route, status) in [
            (&Method::GET, Some("/a/{id}"), StatusCode::OK),
            (&Method::GET, Some("/a/{id}"), StatusCode::OK),
            (&Method::GET, Some("/a/{id}"), StatusCode::NOT_FOUND),
            (&Method::POST, Some("/a/{id}"), StatusCode::OK),
            (&made_up, None, StatusCode::OK),
        ] {
            requests.answered(method, route, status, Duration::from_millis(3));
        }
        let all = requests.0.read().unwrap();
        let series: Vec<_> = all
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
