//! Parses `Range` headers (RFC 9110, section 14). Knows nothing of files.

use std::ops::RangeInclusive;

/// The range begins after the end of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsatisfiable;

/// The first and the last requested byte of a file with `length` bytes. `None` means the whole file: the
/// header is invalid, has another unit, or requests several ranges.
pub fn parse(range: &str, length: usize) -> Result<Option<RangeInclusive<usize>>, Unsatisfiable> {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let end = length.checked_sub(1).ok_or(Unsatisfiable)?;
    match (parse_bound(first), parse_bound(last)) {
        (Bound::At(first), _) if first > end => Err(Unsatisfiable),
        (Bound::At(first), Bound::At(last)) if last >= first => Ok(Some(first..=last.min(end))),
        (Bound::At(first), Bound::Missing) => Ok(Some(first..=end)),
        (Bound::Missing, Bound::At(0)) => Err(Unsatisfiable),
        (Bound::Missing, Bound::At(count)) => Ok(Some(length.saturating_sub(count)..=end)),
        (Bound::At(_), Bound::At(_) | Bound::Invalid)
        | (Bound::Missing, Bound::Missing | Bound::Invalid)
        | (Bound::Invalid, _) => Ok(None),
    }
}

enum Bound {
    Missing,
    At(usize),
    Invalid,
}

fn parse_bound(digits: &str) -> Bound {
    match digits.trim() {
        "" => Bound::Missing,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // A number that overflows is after the end of any file.
            Bound::At(digits.parse().unwrap_or(usize::MAX))
        }
        _ => Bound::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_off_at_the_end_of_the_file() {
        for (header, range) in [
            ("bytes=0-0", 0..=0),
            ("bytes=2-5", 2..=5),
            ("bytes=2-", 2..=9),
            ("bytes=2-99999999999999999999999", 2..=9),
            ("bytes=-3", 7..=9),
            ("bytes=-30", 0..=9),
        ] {
            assert_eq!(parse(header, 10), Ok(Some(range)), "{header}");
        }
    }

    #[test]
    fn invalid_and_multiple_ranges_mean_the_whole_file() {
        for header in ["", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=1-2,4-5", "bytes=a-b", "bytes=+1-2"] {
            assert_eq!(parse(header, 10), Ok(None), "{header}");
        }
    }

    #[test]
    fn a_range_after_the_end_of_the_file_is_unsatisfiable() {
        for (header, length) in [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0)] {
            assert_eq!(parse(header, length), Err(Unsatisfiable), "{header}");
        }
    }
}
