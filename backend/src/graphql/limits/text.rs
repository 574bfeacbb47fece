//! Measures the length and nesting of a document before it is parsed.
//!
//! The text is read byte by byte, without recursion or allocation, and by the same lexical rules as the
//! parser's. Every bracket that the parser recognizes counts, and brackets in strings and comments do not.

/// The size of a document's text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TextSize {
    pub bytes: u64,
    /// The maximum number of parentheses, brackets and braces that are open at once.
    pub open_brackets: u64,
    /// In bytes.
    pub longest_name: u64,
}

impl TextSize {
    /// Measures a document. If it is invalid, the measurement is correct up to where the parser stops.
    pub fn of(document: &str) -> Self {
        let text = document.as_bytes();
        let mut size = Self { bytes: to_u64(text.len()), ..Self::default() };
        let mut open = 0_u64;
        let mut block_strings = BlockStrings::MayEnd;
        let mut position = 0;
        while let Some(byte) = text.get(position) {
            position = match byte {
                b'(' | b'[' | b'{' => {
                    open += 1;
                    size.open_brackets = size.open_brackets.max(open);
                    position + 1
                }
                b')' | b']' | b'}' => {
                    open = open.saturating_sub(1);
                    position + 1
                }
                b'#' => end_of_run(text, position, |byte| !is_line_end(byte)),
                b'"' => end_of_string(text, position, &mut block_strings),
                byte if is_name_byte(*byte) => {
                    let end = end_of_run(text, position, is_name_byte);
                    // A name does not start with a digit. A number does.
                    if !byte.is_ascii_digit() {
                        size.longest_name = size.longest_name.max(to_u64(end - position));
                    }
                    end
                }
                _ => position + 1,
            };
        }
        size
    }
}

/// Whether a block string can have an end. If one is unterminated, all later ones are too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlockStrings {
    MayEnd,
    Unterminated,
}

/// The position after the string that starts here.
fn end_of_string(text: &[u8], start: usize, block_strings: &mut BlockStrings) -> usize {
    if text[start..].starts_with(TRIPLE_QUOTES) {
        let end = match block_strings {
            BlockStrings::MayEnd => end_of_block(text, start + TRIPLE_QUOTES.len()),
            BlockStrings::Unterminated => None,
        };
        return end.unwrap_or_else(|| {
            // The parser then reads two quotes as an empty string and continues after them.
            *block_strings = BlockStrings::Unterminated;
            start + 2
        });
    }
    let mut position = start + 1;
    while let Some(byte) = text.get(position) {
        match byte {
            b'"' => return position + 1,
            // A string cannot contain a line break. The parser stops there with an error.
            byte if is_line_end(*byte) => return position,
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    text.len()
}

const TRIPLE_QUOTES: &[u8] = br#"""""#;
const ESCAPED_TRIPLE_QUOTES: &[u8] = br#"\""""#;

/// The position after the block string with content that starts here. `None` if it is unterminated.
fn end_of_block(text: &[u8], content: usize) -> Option<usize> {
    let mut position = content;
    while position < text.len() {
        let rest = &text[position..];
        if rest.starts_with(TRIPLE_QUOTES) {
            return Some(position + TRIPLE_QUOTES.len());
        }
        position += if rest.starts_with(ESCAPED_TRIPLE_QUOTES) { ESCAPED_TRIPLE_QUOTES.len() } else { 1 };
    }
    None
}

/// The position of the first byte from `start` on that does not match.
fn end_of_run(text: &[u8], start: usize, matches: impl Fn(u8) -> bool) -> usize {
    text[start..].iter().position(|byte| !matches(*byte)).map_or(text.len(), |length| start + length)
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn to_u64(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
