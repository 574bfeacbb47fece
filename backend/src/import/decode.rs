//! Decodes a file to UTF-8: UTF-16 that starts with a byte order mark is converted, everything else is passed
//! on unchanged.

use std::io::{self, Read};

/// A byte that no UTF-8 text contains. It stands for UTF-16 that is not valid, and the reader of records
/// reports it with its line.
const INVALID: u8 = 0xFF;

/// The number of bytes to convert at a time.
const BLOCK_BYTES: usize = 16 << 10;

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Not known before the first two bytes.
    Unknown,
    /// UTF-8, or an encoding that is not accepted.
    Bytes,
    Utf16(Endianness),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endianness {
    Little,
    Big,
}

/// Reads a file as UTF-8.
#[derive(Debug)]
pub struct Utf8Reader<R> {
    source: R,
    encoding: Encoding,
    /// Bytes of the source that are not converted yet: part of a code unit, or a high surrogate.
    pending: Vec<u8>,
    /// Converted bytes, of which those before `taken` were passed on.
    converted: Vec<u8>,
    taken: usize,
}

impl<R: Read> Utf8Reader<R> {
    /// Decodes this file.
    pub fn new(source: R) -> Self {
        let (pending, converted) = (Vec::new(), Vec::new());
        Self { source, encoding: Encoding::Unknown, pending, converted, taken: 0 }
    }

    /// The file.
    pub const fn source(&self) -> &R {
        &self.source
    }

    /// The file.
    pub fn into_source(self) -> R {
        self.source
    }

    /// Reads the first two bytes to detect the encoding.
    fn detect(&mut self) -> io::Result<()> {
        self.source.by_ref().take(2).read_to_end(&mut self.pending)?;
        self.encoding = match self.pending[..] {
            [0xFF, 0xFE] => Encoding::Utf16(Endianness::Little),
            [0xFE, 0xFF] => Encoding::Utf16(Endianness::Big),
            _ => Encoding::Bytes,
        };
        match self.encoding {
            Encoding::Utf16(_) => self.pending.clear(),
            Encoding::Bytes | Encoding::Unknown => self.converted = std::mem::take(&mut self.pending),
        }
        Ok(())
    }

    /// Converts more of a file in UTF-16. Converts nothing at its end.
    fn convert(&mut self, endianness: Endianness) -> io::Result<()> {
        self.converted.clear();
        self.taken = 0;
        while self.converted.is_empty() {
            let had = self.pending.len();
            let limit = (BLOCK_BYTES - had) as u64;
            let is_at_end = self.source.by_ref().take(limit).read_to_end(&mut self.pending)? == 0;
            let (units, odd) = self.pending.as_chunks::<2>();
            let units = units.iter().map(|unit| match endianness {
                Endianness::Little => u16::from_le_bytes(*unit),
                Endianness::Big => u16::from_be_bytes(*unit),
            });
            let mut units: Vec<u16> = units.collect();
            let mut rest = odd.to_vec();
            if !is_at_end && let Some(last) = units.pop_if(|unit| (0xD800..0xDC00).contains(unit)) {
                let bytes = match endianness {
                    Endianness::Little => last.to_le_bytes(),
                    Endianness::Big => last.to_be_bytes(),
                };
                rest.splice(..0, bytes);
            }
            for decoded in char::decode_utf16(units) {
                match decoded {
                    Ok(decoded) => {
                        self.converted.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    Err(_) => self.converted.push(INVALID),
                }
            }
            if is_at_end {
                // A last byte without its other half.
                self.converted.extend(rest.iter().map(|_| INVALID));
                self.pending.clear();
                break;
            }
            self.pending = rest;
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.encoding == Encoding::Unknown {
            self.detect()?;
        }
        if self.taken == self.converted.len() {
            match self.encoding {
                Encoding::Utf16(endianness) => self.convert(endianness)?,
                Encoding::Bytes | Encoding::Unknown => return self.source.read(buffer),
            }
        }
        let rest = &self.converted[self.taken..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        self.taken += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Passes on at most some bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let limit = buffer.len().min(self.1);
            self.0.read(&mut buffer[..limit])
        }
    }

    fn decode(file: &[u8], at_a_time: usize) -> Vec<u8> {
        let mut decoded = Vec::new();
        Utf8Reader::new(Slow(file, at_a_time)).read_to_end(&mut decoded).unwrap();
        decoded
    }

    fn utf16(text: &str, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(encode).collect()
    }

    proptest! {
        #[test]
        fn utf16_is_decoded_and_other_files_are_unchanged(text in any::<String>(), at_a_time in 1..9_usize) {
            for encode in [u16::to_le_bytes, u16::to_be_bytes] {
                let decoded = decode(&utf16(&text, encode), at_a_time);
                prop_assert_eq!(String::from_utf8(decoded).unwrap(), text.as_str());
            }
            prop_assert_eq!(decode(text.as_bytes(), at_a_time), text.as_bytes());
        }
    }

    #[test]
    fn long_texts_are_decoded_whole() {
        let text = "añ€😀\r\n".repeat(10_000);
        assert_eq!(decode(&utf16(&text, u16::to_le_bytes), usize::MAX), text.as_bytes());
    }

    #[test]
    fn utf16_that_is_not_valid_becomes_bytes_that_are_not_utf8() {
        let lone_surrogate = [0xFF, 0xFE, b'a', 0, 0x00, 0xD8, b'b', 0];
        assert_eq!(decode(&lone_surrogate, 3), b"a\xFFb");
        assert_eq!(decode(&[0xFE, 0xFF, 0, b'a', 0], 1), b"a\xFF");
        assert_eq!(decode(&[0xFF, 0xFE, 0x00, 0xD8], 2), b"\xFF");
        assert_eq!(decode(b"\xFF", 1), b"\xFF");
        assert_eq!(decode(b"", 1), b"");
    }
}
