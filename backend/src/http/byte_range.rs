//! Which part of a file a `Range` header asks for (RFC 9110, 14). Knows nothing of files.

use std::ops::RangeInclusive;

/// The part begins behind the file's end.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsatisfiable;

/// The first and the last byte that are asked for, of so many. `None` where the whole file is the answer: to what is no
/// range of bytes, and to several at once.
pub fn read(range: &str, length: usize) -> Result<Option<RangeInclusive<usize>>, Unsatisfiable> {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let end = length.checked_sub(1).ok_or(Unsatisfiable)?;
    match (place(first), place(last)) {
        (Place::At(first), _) if first > end => Err(Unsatisfiable),
        (Place::At(first), Place::At(last)) if last >= first => Ok(Some(first..=last.min(end))),
        (Place::At(first), Place::Open) => Ok(Some(first..=end)),
        (Place::Open, Place::At(0)) => Err(Unsatisfiable),
        (Place::Open, Place::At(count)) => Ok(Some(length.saturating_sub(count)..=end)),
        (Place::At(_), Place::At(_) | Place::Wrong)
        | (Place::Open, Place::Open | Place::Wrong)
        | (Place::Wrong, _) => Ok(None),
    }
}

enum Place {
    Open,
    At(usize),
    Wrong,
}

fn place(digits: &str) -> Place {
    match digits.trim() {
        "" => Place::Open,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // A number too large to be held is behind every end.
            Place::At(digits.parse().unwrap_or(usize::MAX))
        }
        _ => Place::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_with_the_file() {
        for (asked, part) in [
            ("bytes=0-0", 0..=0),
            ("bytes=2-5", 2..=5),
            ("bytes=2-", 2..=9),
            ("bytes=2-99999999999999999999999", 2..=9),
            ("bytes=-3", 7..=9),
            ("bytes=-30", 0..=9),
        ] {
            assert_eq!(read(asked, 10), Ok(Some(part)), "{asked}");
        }
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_answered_with_the_whole() {
        for asked in ["", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=1-2,4-5", "bytes=a-b", "bytes=+1-2"] {
            assert_eq!(read(asked, 10), Ok(None), "{asked}");
        }
    }

    #[test]
    fn what_begins_behind_the_end_cannot_be_had() {
        for (asked, length) in [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0)] {
            assert_eq!(read(asked, length), Err(Unsatisfiable), "{asked}");
        }
    }
}
