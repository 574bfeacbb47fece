//! Channel binding: ties a password login to the server's certificate, by `tls-server-end-point` of RFC 5929.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Signature algorithm identifiers (DER-encoded OIDs without their last byte, which selects the hash
/// function).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The certificate's hash, with the hash function of its signature. `None` if the signature uses none or an
/// unknown one.
pub(super) fn certificate_hash(certificate: &[u8]) -> Option<Vec<u8>> {
    let (content, _) = element(certificate, SEQUENCE)?;
    let (_signed, rest) = element(content, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    let (identifier, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    let (family, kind) = identifier.split_last().map(|(last, family)| (family, *last))?;
    match (family, kind) {
        // RFC 5929 replaces MD5 and SHA-1, which are too weak, with SHA-256.
        (RSA, 0x04 | 0x05 | 0x0b) | (ECDSA, 0x02) => Some(Sha256::digest(certificate).to_vec()),
        _ if identifier == ECDSA_WITH_SHA1 => Some(Sha256::digest(certificate).to_vec()),
        (RSA, 0x0c) | (ECDSA, 0x03) => Some(Sha384::digest(certificate).to_vec()),
        (RSA, 0x0d) | (ECDSA, 0x04) => Some(Sha512::digest(certificate).to_vec()),
        _ => None,
    }
}

/// Splits a DER element of this kind into its content and the bytes after it.
fn element(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&short, rest) = rest.split_first()?;
    if found != kind {
        return None;
    }
    let (length, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (long, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
        let length = long.iter().try_fold(0_usize, |length, &byte| {
            length.checked_mul(256).map(|length| length + usize::from(byte))
        })?;
        (length, rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_signatures_and_an_invalid_certificate_has_none() {
        let certificate = |last: u8| {
            let identifier = [[OBJECT_IDENTIFIER, 8].as_slice(), &ECDSA[..7], &[last]].concat();
            let algorithm = [[SEQUENCE, 10].as_slice(), &identifier].concat();
            let content = [[SEQUENCE, 0].as_slice(), &algorithm].concat();
            [[SEQUENCE, 14].as_slice(), &content].concat()
        };
        let lengths: Vec<_> =
            [2, 3, 4, 9].map(|kind| certificate_hash(&certificate(kind)).map(|hash| hash.len())).into();
        assert_eq!(lengths, [Some(32), Some(48), Some(64), None]);
        for cut in 0..certificate(2).len() {
            assert_eq!(certificate_hash(&certificate(2)[..cut]), None);
        }
    }
}
