//! Finds frames in a byte stream: a length as four bytes big-endian, then so many bytes.

use bytes::{Bytes, BytesMut};

/// A longer frame is taken for a stream that has no frames.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 20;

/// The bytes of the length.
pub(super) const HEAD: usize = 4;

/// The stream is not a sequence of frames.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFrames;

/// The whole length, head included, of the frame that begins at `at`; `None` while it is not
/// complete.
pub(super) fn frame_at(bytes: &[u8], at: usize) -> Result<Option<usize>, NotFrames> {
    let Some((head, rest)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk::<HEAD>())
    else {
        return Ok(None);
    };
    let body = u32::from_be_bytes(*head) as usize;
    if body > FRAME_BYTES_MAX {
        return Err(NotFrames);
    }
    Ok((rest.len() >= body).then_some(HEAD + body))
}

/// Takes the first frame out, without copying it; `None` while it is not complete.
pub(super) fn take_frame(buffer: &mut BytesMut) -> Result<Option<Bytes>, NotFrames> {
    Ok(frame_at(buffer, 0)?.map(|length| buffer.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However a stream is chopped up, its frames come out whole and in order.
        #[test]
        fn frames_survive_any_chopping(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
            chop in 1usize..60,
        ) {
            let framed = |body: &Vec<u8>| {
                let mut frame = (body.len() as u32).to_be_bytes().to_vec();
                frame.extend(body);
                frame
            };
            let stream: Vec<u8> = bodies.iter().flat_map(framed).collect();
            let mut buffer = BytesMut::new();
            let mut out = Vec::new();
            for chunk in stream.chunks(chop) {
                buffer.extend_from_slice(chunk);
                while let Some(frame) = take_frame(&mut buffer).unwrap() {
                    out.push(frame.to_vec());
                }
            }
            prop_assert_eq!(out, bodies.iter().map(framed).collect::<Vec<_>>());
            prop_assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_length_beyond_reason_is_no_frame() {
        assert_eq!(frame_at(&[0xff, 0xff, 0xff, 0xff, 0], 0), Err(NotFrames));
        assert_eq!(frame_at(b"GET / HTTP/1.1", 0), Err(NotFrames));
        assert_eq!(frame_at(&[0, 0, 0], 0), Ok(None));
        assert_eq!(frame_at(&[9, 0, 0, 0, 0], 1), Ok(Some(4)), "an empty frame is one");
    }
}
