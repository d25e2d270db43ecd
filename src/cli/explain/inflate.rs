//! Takes the compression off a body, as far as it may grow.

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use std::io::Read;

/// The plain bytes and the name of the coding; `None` for what is not compressed, not whole, or longer than `most`.
pub(super) fn inflate(raw: &[u8], most: usize) -> Option<(Vec<u8>, &'static str)> {
    match raw {
        [0x1f, 0x8b, ..] => Some((all(GzDecoder::new(raw), most)?, "gzip")),
        [first, second, ..]
            if first & 0x0f == 8 && (u16::from(*first) * 256 + u16::from(*second)).is_multiple_of(31) =>
        {
            Some((all(ZlibDecoder::new(raw), most)?, "deflate"))
        }
        // Raw deflate has no mark: text that begins like it does not come to a good end.
        [first, ..] if !first.is_ascii_graphic() => Some((all(DeflateDecoder::new(raw), most)?, "deflate")),
        _ => None,
    }
}

fn all(reader: impl Read, most: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let read = reader.take(most as u64 + 1).read_to_end(&mut plain).ok()?;
    (read <= most).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use std::io::Write as _;

    #[test]
    fn each_coding_is_taken_off_and_a_bomb_is_left_alone() {
        let plain = vec![b'a'; 5000];
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&plain).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(inflate(&gzip, 5000), Some((plain.clone(), "gzip")));
        assert_eq!(inflate(&gzip, 4999), None);
        assert_eq!(inflate(&gzip[..gzip.len() - 9], 5000), None, "cut off");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&plain).unwrap();
        assert_eq!(inflate(&zlib.finish().unwrap(), 5000), Some((plain.clone(), "deflate")));
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(&plain).unwrap();
        assert_eq!(inflate(&deflate.finish().unwrap(), 5000), Some((plain, "deflate")));
        assert_eq!(inflate(b"{\"a\":1}", 5000), None);
    }
}
