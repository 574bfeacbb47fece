//! A strict parser for the part of the OpenMetrics text format that the hub uses.

use std::collections::{BTreeMap, BTreeSet};

/// Samples by series, as written with name and labels.
pub struct Exposition {
    pub text: String,
    samples: BTreeMap<String, f64>,
}

/// A metric family while it is parsed.
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    /// For a histogram: the count and the bound of the last bucket, by the labels except `le`.
    buckets: BTreeMap<String, (f64, f64)>,
}

impl Exposition {
    /// Parses a text. Panics with the line that is invalid.
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with("\n# EOF\n"), "the text does not end with # EOF");
        let mut samples = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut help_name = "";
        let mut family: Option<Family<'_>> = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(help.len() > 10 && help.ends_with('.') && !help.ends_with(".."), "{line}");
                assert!(name.starts_with("dataporter_") && !name.ends_with("_total"), "{line}");
                assert!(names.insert(name), "duplicate family {name}");
                help_name = name;
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!(name, help_name, "a type without a help text");
                assert!(["counter", "gauge", "histogram", "info"].contains(&kind), "{line}");
                family = Some(Family { name, kind, buckets: BTreeMap::new() });
            } else if let Some(rest) = line.strip_prefix("# UNIT ") {
                let (name, unit) = rest.split_once(' ').expect(line);
                assert!(name == help_name && name.ends_with(&format!("_{unit}")), "{line}");
            } else if line != "# EOF" {
                let (series, value) = line.rsplit_once(' ').expect(line);
                let value: f64 = value.parse().expect(line);
                family.as_mut().expect("a sample follows its family").check(series, value);
                assert!(samples.insert(series.to_owned(), value).is_none(), "duplicate series {series}");
            }
        }
        Self { text: text.to_owned(), samples }
    }

    /// The value of a sample, if the series exists.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.samples.get(series).copied()
    }

    /// The labels of all samples with their values.
    pub fn labels(&self) -> BTreeSet<(String, String)> {
        self.samples.keys().flat_map(|series| labels(series)).collect()
    }
}

impl Family<'_> {
    fn check(&mut self, series: &str, value: f64) {
        let name = series.split('{').next().unwrap_or_default();
        let suffix = name.strip_prefix(self.name).expect(series);
        let suffixes: &[&str] = match self.kind {
            "counter" => &["_total"],
            "info" => &["_info"],
            "histogram" => &["_sum", "_count", "_bucket"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{series} is not a sample of a {}", self.kind);
        assert!(value.is_finite() && (self.kind == "gauge" || value >= 0.0), "{series} is {value}");
        if self.kind == "histogram" {
            let (bound, mut rest): (Vec<_>, Vec<_>) =
                labels(series).into_iter().partition(|(label, _)| label == "le");
            rest.sort();
            let key = format!("{rest:?}");
            match suffix {
                "_bucket" => {
                    let bound: f64 = bound[0].1.parse().expect(series);
                    if let Some((count, last_bound)) = self.buckets.insert(key, (value, bound)) {
                        assert!(count <= value && last_bound < bound, "{series} is out of order");
                    }
                }
                "_count" => {
                    self.buckets.insert(format!("{key} count"), (value, 0.0));
                }
                _ => {}
            }
        }
    }
}

/// The labels of a series. Quotes and escapes in values are not supported.
fn labels(series: &str) -> Vec<(String, String)> {
    let Some((_, rest)) = series.split_once('{') else { return Vec::new() };
    let inner = rest.strip_suffix("\"}").expect(series);
    let pair = |pair: &str| {
        let (label, value) = pair.split_once("=\"").expect(series);
        assert!(label.chars().all(|char| char.is_ascii_lowercase() || char == '_'), "{series}");
        assert!(!value.contains(['"', '\\']), "{series}");
        (label.to_owned(), value.to_owned())
    };
    inner.split("\",").map(pair).collect()
}
