//! The bytes of a journal, as pure functions.
//!
//! A header (magic, format version, and a record that names the target and the node), then
//! records: length (4 bytes, big-endian), CRC-32 of length and payload (4 bytes, big-endian),
//! payload (JSON).
//!
//! A crash may tear the last write, so damage at the end is cut off: nothing behind the last
//! `Sync` was promised to anyone. Damage with a whole record behind it is no torn write; to cut
//! there would silently forget what was promised, so it is an error. A length that is damaged
//! may point behind the end of the file, where it looks like a torn write: therefore whole
//! records are looked for at every later offset, not only where the length says.

use serde::{Deserialize, Serialize};
use std::ops::Range;

const MAGIC: &[u8; 8] = b"QUORATE\n";
const VERSION: u32 = 1;
/// Length and checksum.
const HEAD: usize = 8;

/// The largest payload of one record.
pub(super) const RECORD_BYTES_MAX: usize = 64 << 20;

/// Whose journal it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) target: String,
    pub(super) node: u16,
}

/// What a journal's bytes hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where the payloads are, the header's not among them.
    pub(super) payloads: Vec<Range<usize>>,
    /// How many bytes are whole; what follows is a torn tail. 0 if even the header is torn.
    pub(super) whole: usize,
}

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is not this node's journal, or no journal at all; a sentence.
    Foreign(String),
    /// The record with this number (from 0), at this offset, is damaged, and whole ones follow.
    Middle { record: usize, offset: usize },
}

/// The first bytes of the journal of `owner`.
pub(super) fn header(owner: &Owner) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_be_bytes());
    let node = owner.node;
    let target = serde_json::Value::from(owner.target.as_str());
    put(&mut bytes, format!(r#"{{"target":{target},"node":{node}}}"#).as_bytes());
    bytes
}

/// Appends one record.
pub(super) fn put(bytes: &mut Vec<u8>, payload: &[u8]) {
    let length = (payload.len() as u32).to_be_bytes();
    bytes.extend(length);
    bytes.extend(checksum(length, payload).to_be_bytes());
    bytes.extend(payload);
}

/// Finds the records of the journal of `owner`, and where a torn tail begins.
pub(super) fn scan(bytes: &[u8], owner: &Owner) -> Result<Scan, Damage> {
    let header = header(owner);
    if bytes.len() < header.len() && header.starts_with(bytes) {
        return Ok(Scan { payloads: Vec::new(), whole: 0 });
    }
    if !bytes.starts_with(&header) {
        return Err(Damage::Foreign(foreign(bytes)));
    }
    let mut payloads = Vec::new();
    let mut whole = header.len();
    while let Some(payload) = record_at(bytes, whole) {
        whole = payload.end;
        payloads.push(payload);
    }
    if (whole + 1..bytes.len()).any(|offset| record_at(bytes, offset).is_some()) {
        return Err(Damage::Middle { record: payloads.len(), offset: whole });
    }
    Ok(Scan { payloads, whole })
}

/// Where the payload of the record at `offset` is, if a whole record is there.
fn record_at(bytes: &[u8], offset: usize) -> Option<Range<usize>> {
    let (length, rest) = bytes.get(offset..)?.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let size = u32::from_be_bytes(*length) as usize;
    if size == 0 || size > RECORD_BYTES_MAX {
        return None;
    }
    let payload = rest.get(..size)?;
    let start = offset + HEAD;
    (checksum(*length, payload) == u32::from_be_bytes(*sum)).then_some(start..start + size)
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

/// Says what a file with a wrong header is.
fn foreign(bytes: &[u8]) -> String {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return "it does not begin as a journal does".into();
    };
    let version = rest.first_chunk().map(|v| u32::from_be_bytes(*v));
    if version != Some(VERSION) {
        return match version {
            Some(v) => format!("its format version is {v}, not {VERSION}"),
            None => "its header is damaged".into(),
        };
    }
    let owner = record_at(bytes, MAGIC.len() + 4)
        .and_then(|payload| serde_json::from_slice::<Owner>(&bytes[payload]).ok());
    match owner {
        Some(Owner { target, node }) => format!("it belongs to node n{node} of target {target}"),
        None => "its header is damaged".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owner() -> Owner {
        Owner { target: "raft-kv".into(), node: 3 }
    }

    fn journal(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = header(&owner());
        for payload in payloads {
            put(&mut bytes, payload);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Damage> {
        let scan = scan(bytes, &owner())?;
        Ok(scan.payloads.into_iter().map(|range| bytes[range].to_vec()).collect())
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8)
    }

    proptest! {
        #[test]
        fn every_prefix_holds_a_prefix_of_the_records(payloads in payloads()) {
            let bytes = journal(&payloads);
            for end in 0..=bytes.len() {
                let whole = read(&bytes[..end]).unwrap();
                prop_assert!(payloads.starts_with(&whole));
                let size = journal(&payloads[..whole.len()]).len();
                let more = payloads.get(whole.len()).map_or(usize::MAX, |p| size + HEAD + p.len());
                prop_assert!(end < more, "a whole record was cut at {end}");
            }
        }

        #[test]
        fn a_flipped_bit_is_refused_or_cuts_the_last_record(payloads in payloads()) {
            let bytes = journal(&payloads);
            for bit in 0..bytes.len() * 8 {
                let mut broken = bytes.clone();
                broken[bit / 8] ^= 1 << (bit % 8);
                match read(&broken) {
                    Err(Damage::Foreign(_)) => prop_assert!(bit / 8 < journal(&[]).len()),
                    Err(Damage::Middle { record, offset }) => {
                        prop_assert!(record + 1 < payloads.len());
                        prop_assert_eq!(offset, journal(&payloads[..record]).len());
                        prop_assert!(bit / 8 >= offset);
                    }
                    Ok(whole) => prop_assert_eq!(&whole[..], &payloads[..payloads.len() - 1]),
                }
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = journal(&[b"{}".to_vec()]);
            let _ = scan(&tail, &owner());
            bytes.extend(tail);
            let _ = scan(&bytes, &owner());
        }
    }

    #[test]
    fn a_tail_of_zeros_is_torn() {
        let mut bytes = journal(&[b"{}".to_vec()]);
        bytes.extend([0; 4096]);
        assert_eq!(read(&bytes), Ok(vec![b"{}".to_vec()]));
    }

    #[test]
    fn a_wrong_header_is_named() {
        let check = |bytes: &[u8], part: &str| {
            let Err(Damage::Foreign(why)) = scan(bytes, &owner()) else { panic!("accepted") };
            assert!(why.contains(part), "{why}");
        };
        check(b"{\"index\":0}\n", "does not begin");
        check(b"QUORATE\n\0\0\0\x09", "version is 9");
        check(&header(&Owner { target: "chat".into(), node: 2 }), "node n2 of target chat");
        let mut broken = header(&owner());
        broken[20] ^= 4;
        check(&broken, "header is damaged");
    }
}
