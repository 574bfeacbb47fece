//! Reads the OpenMetrics text format as strictly as its specification has it, as far as the hub uses it.

use std::collections::{BTreeMap, BTreeSet};

/// Samples by name and labels, as they are written.
pub struct Exposition {
    pub text: String,
    samples: BTreeMap<String, f64>,
}

/// A family of samples: its name, its type, and what is known of it so far.
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    /// Of a histogram, by its labels but for `le`: the count in its last bucket, and the bound of that.
    buckets: BTreeMap<String, (f64, f64)>,
}

impl Exposition {
    /// Reads a text, or says where it is wrong.
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with("\n# EOF\n"), "it has no end");
        let mut samples = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut helped = "";
        let mut family: Option<Family<'_>> = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(help.len() > 10 && help.ends_with('.') && !help.ends_with(".."), "{line}");
                assert!(name.starts_with("dataporter_") && !name.ends_with("_total"), "{line}");
                assert!(names.insert(name), "a second family {name}");
                helped = name;
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!(name, helped, "a type without a help text");
                assert!(["counter", "gauge", "histogram", "info"].contains(&kind), "{line}");
                family = Some(Family { name, kind, buckets: BTreeMap::new() });
            } else if let Some(rest) = line.strip_prefix("# UNIT ") {
                let (name, unit) = rest.split_once(' ').expect(line);
                assert!(name == helped && name.ends_with(&format!("_{unit}")), "{line}");
            } else if line != "# EOF" {
                let (series, value) = line.rsplit_once(' ').expect(line);
                let value: f64 = value.parse().expect(line);
                family.as_mut().expect("a sample belongs to a family").take(series, value);
                assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {series}");
            }
        }
        Self { text: text.to_owned(), samples }
    }

    /// The value of a sample, if it is there.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.samples.get(series).copied()
    }

    /// All labels and their values, of all samples.
    pub fn labels(&self) -> BTreeSet<(String, String)> {
        self.samples.keys().flat_map(|series| labels(series)).collect()
    }
}

impl Family<'_> {
    fn take(&mut self, series: &str, value: f64) {
        let name = series.split('{').next().unwrap_or_default();
        let suffix = name.strip_prefix(self.name).expect(series);
        let suffixes: &[&str] = match self.kind {
            "counter" => &["_total"],
            "info" => &["_info"],
            "histogram" => &["_sum", "_count", "_bucket"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{series} is no sample of a {}", self.kind);
        assert!(value.is_finite() && (self.kind == "gauge" || value >= 0.0), "{series} is {value}");
        if self.kind == "histogram" {
            let (bound, mut rest): (Vec<_>, Vec<_>) =
                labels(series).into_iter().partition(|(label, _)| label == "le");
            rest.sort();
            let key = format!("{rest:?}");
            match suffix {
                "_bucket" => {
                    let bound: f64 = bound[0].1.parse().expect(series);
                    if let Some((count, before)) = self.buckets.insert(key, (value, bound)) {
                        assert!(count <= value && before < bound, "{series} is out of order");
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

/// The labels of a series; their values hold no quotes here, nor anything that is escaped.
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
