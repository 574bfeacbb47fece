//! Goes through JSON once, without making values of it: is it JSON, and can it be stored and read again?
//!
//! PostgreSQL takes no null characters and no halves of surrogate pairs, and neither it nor we can read every number or
//! every depth that the grammar (RFC 8259) allows. A row with such JSON must be refused before the database sees it.

/// The longest number, in characters, and the greatest exponent either way: both together stay within a double.
const MAX_NUMBER: usize = 150;

/// What a text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// JSON that can be stored.
    Storable,
    /// JSON, but nested too deep.
    TooDeep,
    /// JSON, but with a number or a character that cannot be stored.
    NotStorable,
    /// No JSON.
    NotJson,
}

/// Finds out what a text is, where JSON may be nested so deep.
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

/// A container that is open.
#[derive(Clone, Copy)]
enum Open {
    Object,
    Array,
}

impl<'a> Scan<'a> {
    fn document(&mut self) -> Result<(), NotJson> {
        let mut open = Vec::new();
        self.value(&mut open)?;
        while let Some(container) = open.last() {
            match (self.token()?, container) {
                (b']', Open::Array) | (b'}', Open::Object) => {
                    open.pop();
                }
                (b',', Open::Array) => self.value(&mut open)?,
                (b',', Open::Object) => {
                    self.key()?;
                    self.value(&mut open)?;
                }
                _ => return Err(NotJson),
            }
        }
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(NotJson) }
    }

    /// A value that is no container, or the beginning of one up to its first value's end.
    fn value(&mut self, open: &mut Vec<Open>) -> Result<(), NotJson> {
        loop {
            match self.token()? {
                b'{' => {
                    self.open(Open::Object, open);
                    if self.take(b'}') {
                        open.pop();
                        return Ok(());
                    }
                    self.key()?;
                }
                b'[' => {
                    self.open(Open::Array, open);
                    if self.take(b']') {
                        open.pop();
                        return Ok(());
                    }
                }
                b'"' => return self.string(),
                b't' => return self.word(b"rue"),
                b'f' => return self.word(b"alse"),
                b'n' => return self.word(b"ull"),
                first => return self.number(first),
            }
        }
    }

    fn open(&mut self, container: Open, open: &mut Vec<Open>) {
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

    /// The rest of a string whose first quote was taken.
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
                    let Some(behind) = self.rest.strip_prefix(b"\\u") else {
                        self.finding = Finding::NotStorable;
                        return Ok(());
                    };
                    self.rest = behind;
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

    /// The rest of a number that begins with this byte.
    fn number(&mut self, first: u8) -> Result<(), NotJson> {
        let all = self.rest;
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
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.rest.first() {
            self.byte()?;
            if let Some(b'+' | b'-') = self.rest.first() {
                self.byte()?;
            }
            exponent = self.some_digits()?;
        }
        let length = 1 + all.len() - self.rest.len();
        let exponent = str::from_utf8(exponent).unwrap_or_default();
        if length > MAX_NUMBER
            || (!exponent.is_empty() && exponent.parse().unwrap_or(usize::MAX) > MAX_NUMBER)
        {
            self.finding = Finding::NotStorable;
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Result<&'a [u8], NotJson> {
        match self.digits() {
            [] => Err(NotJson),
            digits => Ok(digits),
        }
    }

    fn digits(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, behind) = self.rest.split_at(end);
        self.rest = behind;
        digits
    }

    fn word(&mut self, end: &[u8]) -> Result<(), NotJson> {
        self.rest = self.rest.strip_prefix(end).ok_or(NotJson)?;
        Ok(())
    }

    /// Takes this byte if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let next = self.rest.strip_prefix(&[byte]);
        self.rest = next.unwrap_or(self.rest);
        next.is_some()
    }

    /// The first byte behind white space.
    fn token(&mut self) -> Result<u8, NotJson> {
        self.skip_space();
        self.byte()
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', behind @ ..] = self.rest {
            self.rest = behind;
        }
    }

    fn byte(&mut self) -> Result<u8, NotJson> {
        let (first, behind) = self.rest.split_first().ok_or(NotJson)?;
        self.rest = behind;
        Ok(*first)
    }
}

#[cfg(test)]
mod tests;
