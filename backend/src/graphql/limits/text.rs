//! How long and how deeply nested the text of a document is, found before anything parses it.
//!
//! The text is read byte by byte, without recursion and without memory, and by the very grammar of the parser: whatever
//! the parser takes for a bracket counts, and whatever stands in a string or a comment does not.

/// How much there is to parse.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TextSize {
    pub bytes: u64,
    /// The most parentheses, brackets and braces that are open at once.
    pub open_brackets: u64,
    /// In bytes.
    pub longest_name: u64,
}

impl TextSize {
    /// Of a document. Where it is no GraphQL, what the parser gets to is measured rightly all the same.
    pub fn of(document: &str) -> Self {
        let text = document.as_bytes();
        let mut size = Self { bytes: count(text.len()), ..Self::default() };
        let mut open = 0_u64;
        let mut blocks = BlockStrings::MayEnd;
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            at = match byte {
                b'(' | b'[' | b'{' => {
                    open += 1;
                    size.open_brackets = size.open_brackets.max(open);
                    at + 1
                }
                b')' | b']' | b'}' => {
                    open = open.saturating_sub(1);
                    at + 1
                }
                b'#' => end_of(text, at, |byte| !is_line_end(byte)),
                b'"' => end_of_string(text, at, &mut blocks),
                byte if is_name(*byte) => {
                    let end = end_of(text, at, is_name);
                    // Names do not begin with a digit, numbers do.
                    if !byte.is_ascii_digit() {
                        size.longest_name = size.longest_name.max(count(end - at));
                    }
                    end
                }
                _ => at + 1,
            };
        }
        size
    }
}

/// Whether a block string that begins here can have an end; where one has none, no later one has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockStrings {
    MayEnd,
    NeverEnd,
}

/// Behind the string that begins here.
fn end_of_string(text: &[u8], begin: usize, blocks: &mut BlockStrings) -> usize {
    if text[begin..].starts_with(QUOTES) {
        let end = match blocks {
            BlockStrings::MayEnd => end_of_block(text, begin + QUOTES.len()),
            BlockStrings::NeverEnd => None,
        };
        return end.unwrap_or_else(|| {
            // The parser takes two quotes for an empty string then, and goes on behind them.
            *blocks = BlockStrings::NeverEnd;
            begin + 2
        });
    }
    let mut at = begin + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            // No string goes on in the next line; the parser gets no further.
            byte if is_line_end(*byte) => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

const QUOTES: &[u8] = br#"""""#;
const ESCAPED_QUOTES: &[u8] = br#"\""""#;

/// Behind the block string whose content begins here, if it has an end.
fn end_of_block(text: &[u8], content: usize) -> Option<usize> {
    let mut at = content;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(QUOTES) {
            return Some(at + QUOTES.len());
        }
        at += if rest.starts_with(ESCAPED_QUOTES) { ESCAPED_QUOTES.len() } else { 1 };
    }
    None
}

/// The first byte from here on that is not like this.
fn end_of(text: &[u8], begin: usize, goes_on: impl Fn(u8) -> bool) -> usize {
    text[begin..].iter().position(|byte| !goes_on(*byte)).map_or(text.len(), |length| begin + length)
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
