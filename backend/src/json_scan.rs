//! Checks in one pass, without building values, whether a text is JSON and whether it can be stored and read
//! back.
//!
//! PostgreSQL rejects null characters and unpaired surrogates, and neither it nor serde_json can read every
//! number or nesting depth that the grammar (RFC 8259) allows. Rows with such JSON must be rejected before
//! they reach the database.

/// The maximum length of a number in characters, and the maximum absolute exponent. Together they keep
/// numbers within the range of a double.
const MAX_NUMBER: usize = 150;

/// The result of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// JSON that can be stored.
    Storable,
    /// JSON, but nested too deeply.
    TooDeep,
    /// JSON, but with a number or a character that cannot be stored.
    NotStorable,
    /// Not JSON.
    NotJson,
}

/// The maximum size of the JSON in mirrored rows and platform events.
pub const MAX_BYTES: usize = 64 << 10;

/// The maximum nesting depth of the JSON in imports, mirrored rows and platform events.
pub const MAX_NESTING: usize = 64;

/// Scans a text, which may be nested at most `max_nesting` levels deep.
pub fn scan(text: &str, max_nesting: usize) -> Finding {
    let mut scan = Scan { rest: text.as_bytes(), max_nesting, finding: Finding::Storable };
    match scan.document() {
        Ok(()) => scan.finding,
        Err(NotJson) => Finding::NotJson,
    }
}

struct Scan<'a> {
    rest: &'a [u8],
    max_nesting: usize,
    finding: Finding,
}

struct NotJson;

/// A container that is not closed yet.
#[derive(Clone, Copy)]
enum Container {
    Object,
    Array,
}

impl<'a> Scan<'a> {
    fn document(&mut self) -> Result<(), NotJson> {
        let mut open = Vec::new();
        self.value(&mut open)?;
        while let Some(container) = open.last() {
            match (self.token()?, container) {
                (b']', Container::Array) | (b'}', Container::Object) => {
                    open.pop();
                }
                (b',', Container::Array) => self.value(&mut open)?,
                (b',', Container::Object) => {
                    self.key()?;
                    self.value(&mut open)?;
                }
                _ => return Err(NotJson),
            }
        }
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(NotJson) }
    }

    /// Consumes a scalar or an empty container. For another container, consumes its beginning up to the end
    /// of its first value.
    fn value(&mut self, open: &mut Vec<Container>) -> Result<(), NotJson> {
        loop {
            match self.token()? {
                b'{' => {
                    self.open(Container::Object, open);
                    if self.take(b'}') {
                        open.pop();
                        return Ok(());
                    }
                    self.key()?;
                }
                b'[' => {
                    self.open(Container::Array, open);
                    if self.take(b']') {
                        open.pop();
                        return Ok(());
                    }
                }
                b'"' => return self.string(),
                b't' => return self.literal(b"rue"),
                b'f' => return self.literal(b"alse"),
                b'n' => return self.literal(b"ull"),
                first => return self.number(first),
            }
        }
    }

    fn open(&mut self, container: Container, open: &mut Vec<Container>) {
        open.push(container);
        if open.len() > self.max_nesting {
            self.finding = Finding::TooDeep;
        }
    }

    fn key(&mut self) -> Result<(), NotJson> {
        if self.token()? != b'"' {
            return Err(NotJson);
        }
        self.string()?;
        if self.token()? == b':' { Ok(()) } else { Err(NotJson) }
    }

    /// Consumes the rest of a string after its opening quote.
    fn string(&mut self) -> Result<(), NotJson> {
        loop {
            match self.byte()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..0x20 => return Err(NotJson),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), NotJson> {
        match self.byte()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => match self.code_unit()? {
                0 | 0xdc00..=0xdfff => self.finding = Finding::NotStorable,
                0xd800..=0xdbff => {
                    let Some(after) = self.rest.strip_prefix(b"\\u") else {
                        self.finding = Finding::NotStorable;
                        return Ok(());
                    };
                    self.rest = after;
                    if !(0xdc00..=0xdfff).contains(&self.code_unit()?) {
                        self.finding = Finding::NotStorable;
                    }
                }
                _ => {}
            },
            _ => return Err(NotJson),
        }
        Ok(())
    }

    fn code_unit(&mut self) -> Result<u32, NotJson> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.byte()?).to_digit(16).ok_or(NotJson)?;
        }
        Ok(unit)
    }

    /// Consumes the rest of a number after its first byte.
    fn number(&mut self, first: u8) -> Result<(), NotJson> {
        let start = self.rest;
        let leading = if first == b'-' { self.byte()? } else { first };
        match leading {
            b'0' => {}
            b'1'..=b'9' => {
                self.digits();
            }
            _ => return Err(NotJson),
        }
        let mut exponent = &b""[..];
        if self.rest.first() == Some(&b'.') {
            self.byte()?;
            self.at_least_one_digit()?;
        }
        if let Some(b'e' | b'E') = self.rest.first() {
            self.byte()?;
            if let Some(b'+' | b'-') = self.rest.first() {
                self.byte()?;
            }
            exponent = self.at_least_one_digit()?;
        }
        let length = 1 + start.len() - self.rest.len();
        let exponent = str::from_utf8(exponent).unwrap_or_default();
        if length > MAX_NUMBER
            || (!exponent.is_empty() && exponent.parse().unwrap_or(usize::MAX) > MAX_NUMBER)
        {
            self.finding = Finding::NotStorable;
        }
        Ok(())
    }

    fn at_least_one_digit(&mut self) -> Result<&'a [u8], NotJson> {
        match self.digits() {
            [] => Err(NotJson),
            digits => Ok(digits),
        }
    }

    fn digits(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, after) = self.rest.split_at(end);
        self.rest = after;
        digits
    }

    /// Consumes the rest of `true`, `false` or `null`.
    fn literal(&mut self, end: &[u8]) -> Result<(), NotJson> {
        self.rest = self.rest.strip_prefix(end).ok_or(NotJson)?;
        Ok(())
    }

    /// Consumes this byte if it is next, after white space.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let next = self.rest.strip_prefix(&[byte]);
        self.rest = next.unwrap_or(self.rest);
        next.is_some()
    }

    /// Consumes white space and the byte after it.
    fn token(&mut self) -> Result<u8, NotJson> {
        self.skip_space();
        self.byte()
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', after @ ..] = self.rest {
            self.rest = after;
        }
    }

    fn byte(&mut self) -> Result<u8, NotJson> {
        let (first, after) = self.rest.split_first().ok_or(NotJson)?;
        self.rest = after;
        Ok(*first)
    }
}

#[cfg(test)]
mod tests;
