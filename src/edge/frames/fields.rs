//! What must be known of compressed fields (RFC 7541) to see what is malformed about them: whether a name begins with a
//! colon, whether a value holds a `#`, and how long both are, so that the table of what was said before stays the
//! client's. Nothing is decoded.

use std::collections::VecDeque;

/// The decoder's table, RFC 9113 section 6.5.2; the gate announces no other size.
const TABLE_BYTES: usize = 4096;
/// What a field of the table counts beside its letters, RFC 7541 section 4.1.
const ENTRY_BYTES: usize = 32;
/// More octets than this in one number are an overflow; `h2` has the same limit.
const INTEGER_OCTETS: usize = 5;

/// Names of the static table, RFC 7541 appendix A.
const STATIC: [&str; 61] = [
    ":authority",
    ":method",
    ":method",
    ":path",
    ":path",
    ":scheme",
    ":scheme",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "accept",
    "access-control-allow-origin",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];

/// How many symbols have a code of so many bits, RFC 7541 appendix B. The code is canonical, so lengths and an order
/// are all that there is to it. The last code is the end's, which must not occur.
const SYMBOLS: [u32; 31] =
    [0, 0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 3];
/// The first code of seven bits.
const COLON: Symbol = Symbol { bits: 7, index: 0 };
/// The first code of twelve bits.
const HASH: Symbol = Symbol { bits: 12, index: 0 };

/// The table's end was left, or a number or letter is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What is known of a header block so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// It comes after the body.
    trailers: bool,
    has_pseudo: bool,
    has_fragment: bool,
}

impl Block {
    pub(super) fn new(trailers: bool) -> Self {
        Self { trailers, ..Self::default() }
    }

    /// RFC 9113 section 8.1: no pseudo-field in trailers. Section 8.3.1: a `:path` has no fragment; and no other
    /// pseudo-field has any use for a `#`.
    pub(super) fn is_malformed(self) -> bool {
        self.has_fragment || (self.trailers && self.has_pseudo)
    }
}

/// What the client has said before, and may refer to.
#[derive(Debug)]
pub(super) struct Fields {
    /// The latest first.
    entries: VecDeque<Entry>,
    bytes: usize,
    most_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name_bytes: usize,
    value_bytes: usize,
    pseudo: bool,
    fragment: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Symbol {
    bits: usize,
    index: u32,
}

/// A string, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Text {
    bytes: usize,
    begins_with_colon: bool,
    has_hash: bool,
}

impl Default for Fields {
    fn default() -> Self {
        Self { entries: VecDeque::new(), bytes: 0, most_bytes: TABLE_BYTES }
    }
}

impl Fields {
    /// Reads whole fields into `block`; says how many bytes they took.
    pub(super) fn read(&mut self, bytes: &[u8], block: &mut Block) -> Result<usize, Unreadable> {
        let mut left = bytes;
        while let Some(after) = self.read_one(left, block)? {
            left = after;
        }
        Ok(bytes.len() - left.len())
    }

    /// RFC 7541 section 6.
    fn read_one<'b>(&mut self, bytes: &'b [u8], block: &mut Block) -> Result<Option<&'b [u8]>, Unreadable> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let (prefix, indexed) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, false),
        };
        let Some((number, mut rest)) = integer(bytes, prefix)? else { return Ok(None) };
        let entry = match first {
            0x80.. => self.entry(number)?,
            0x20..0x40 => {
                self.resize(number)?;
                return Ok(Some(rest));
            }
            _ => {
                let name = match number {
                    0 => match text(rest)? {
                        Some((name, after)) => {
                            rest = after;
                            Entry { name_bytes: name.bytes, pseudo: name.begins_with_colon, ..Entry::NONE }
                        }
                        None => return Ok(None),
                    },
                    index => self.entry(index)?,
                };
                let Some((value, after)) = text(rest)? else { return Ok(None) };
                rest = after;
                Entry { value_bytes: value.bytes, fragment: name.pseudo && value.has_hash, ..name }
            }
        };
        block.has_pseudo |= entry.pseudo;
        block.has_fragment |= entry.fragment;
        if indexed {
            self.insert(entry);
        }
        Ok(Some(rest))
    }

    fn entry(&self, index: usize) -> Result<Entry, Unreadable> {
        let at = index.checked_sub(1).ok_or(Unreadable)?;
        match STATIC.get(at) {
            Some(name) => Ok(Entry { name_bytes: name.len(), pseudo: name.starts_with(':'), ..Entry::NONE }),
            None => self.entries.get(at - STATIC.len()).copied().ok_or(Unreadable),
        }
    }

    fn insert(&mut self, entry: Entry) {
        self.evict(self.most_bytes.saturating_sub(entry.bytes()));
        if entry.bytes() <= self.most_bytes {
            self.bytes += entry.bytes();
            self.entries.push_front(entry);
        }
    }

    fn resize(&mut self, most_bytes: usize) -> Result<(), Unreadable> {
        if most_bytes > TABLE_BYTES {
            return Err(Unreadable);
        }
        self.most_bytes = most_bytes;
        self.evict(most_bytes);
        Ok(())
    }

    fn evict(&mut self, bytes: usize) {
        while self.bytes > bytes {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.bytes -= oldest.bytes();
        }
    }
}

impl Entry {
    const NONE: Self = Self { name_bytes: 0, value_bytes: 0, pseudo: false, fragment: false };

    fn bytes(&self) -> usize {
        self.name_bytes + self.value_bytes + ENTRY_BYTES
    }
}

/// RFC 7541 section 5.1. `None`: it is not whole yet.
fn integer(bytes: &[u8], prefix: u32) -> Result<Option<(usize, &[u8])>, Unreadable> {
    let Some((first, mut rest)) = bytes.split_first() else { return Ok(None) };
    let most = (1 << prefix) - 1;
    let mut value = usize::from(*first) & most;
    if value < most {
        return Ok(Some((value, rest)));
    }
    for octet in 0..INTEGER_OCTETS - 1 {
        let Some((byte, after)) = rest.split_first() else { return Ok(None) };
        rest = after;
        value += usize::from(byte & 0x7f) << (7 * octet);
        if byte & 0x80 == 0 {
            return Ok(Some((value, rest)));
        }
    }
    Err(Unreadable)
}

/// RFC 7541 section 5.2. `None`: it is not whole yet.
fn text(bytes: &[u8]) -> Result<Option<(Text, &[u8])>, Unreadable> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let Some((length, rest)) = integer(bytes, 7)? else { return Ok(None) };
    let Some((written, rest)) = rest.split_at_checked(length) else { return Ok(None) };
    let text = if first & 0x80 == 0 {
        Text { bytes: length, begins_with_colon: written.starts_with(b":"), has_hash: written.contains(&b'#') }
    } else {
        let mut text = Text::default();
        each_symbol(written, |symbol| {
            text.begins_with_colon |= text.bytes == 0 && symbol == COLON;
            text.has_hash |= symbol == HASH;
            text.bytes += 1;
        })?;
        text
    };
    Ok(Some((text, rest)))
}

/// Reads Huffman codes, bit by bit; what is left at the end is padding.
fn each_symbol(bytes: &[u8], mut tell: impl FnMut(Symbol)) -> Result<(), Unreadable> {
    let (mut bits, mut code, mut first) = (0, 0_u32, 0_u32);
    for bit in bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| u32::from(byte >> at & 1))) {
        (bits, code, first) = (bits + 1, code << 1 | bit, first << 1);
        let count = *SYMBOLS.get(bits).ok_or(Unreadable)?;
        let index = code - first;
        if index < count {
            tell(Symbol { bits, index });
            (bits, code, first) = (0, 0, 0);
        } else {
            first += count;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn huffman(hex: &str) -> Text {
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let mut text = Text::default();
        each_symbol(&bytes, |symbol| {
            text.begins_with_colon |= text.bytes == 0 && symbol == COLON;
            text.has_hash |= symbol == HASH;
            text.bytes += 1;
        })
        .unwrap();
        text
    }

    /// RFC 7541 appendix C.4 and C.6.
    #[test]
    fn huffman_strings_have_their_published_lengths() {
        for (hex, written) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("a8eb10649cbf", "no-cache"),
            ("25a849e95ba97d7f", "custom-key"),
            ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ] {
            assert_eq!(huffman(hex), Text { bytes: written.len(), ..Text::default() }, "{written}");
        }
    }

    /// ":" is 1011100, "#" 111111111010, "a" 00011; filled up with ones.
    #[test]
    fn a_colon_in_front_and_a_hash_are_seen() {
        assert_eq!(huffman("b8ff"), Text { bytes: 2, begins_with_colon: true, has_hash: false }, ":a");
        assert_eq!(huffman("1dcf"), Text { bytes: 2, begins_with_colon: false, has_hash: false }, "a:");
        assert_eq!(huffman("1ffd7f"), Text { bytes: 2, begins_with_colon: false, has_hash: true }, "a#");
    }

    /// RFC 7541 appendix C.5: a table of 256 bytes, from which entries are evicted.
    #[test]
    fn the_table_is_the_clients() {
        let mut fields = Fields::default();
        fields.resize(256).unwrap();
        let mut tables = Vec::new();
        for block in [
            "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17687474\
             70733a2f2f7777772e6578616d706c652e636f6d",
            "4803333037c1c0bf",
            "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a\
             4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
        ] {
            let block = data_encoding::HEXLOWER.decode(block.replace(' ', "").as_bytes()).unwrap();
            assert_eq!(fields.read(&block, &mut Block::default()), Ok(block.len()));
            tables.push((fields.entries.len(), fields.bytes));
        }
        assert_eq!(tables, [(4, 222), (4, 222), (3, 215)]);
    }

    #[test]
    fn a_field_that_is_not_whole_waits_and_one_that_is_none_is_refused() {
        let mut fields = Fields::default();
        let whole = b"\x40\x03x-a\x02bc";
        for cut in 0..whole.len() {
            assert_eq!(fields.read(&whole[..cut], &mut Block::default()), Ok(0), "{cut}");
        }
        assert_eq!(fields.read(whole, &mut Block::default()), Ok(whole.len()));
        assert_eq!(fields.read(b"\xbe", &mut Block::default()), Ok(1), "known from now on");
        let mut fields = Fields::default();
        for (what, bytes) in [
            ("index 0", &b"\x80"[..]),
            ("beyond the table", b"\xbf"),
            ("a table too large", b"\x3f\xe2\x1f"),
            ("an endless number", b"\x7f\xff\xff\xff\xff\xff"),
            ("thirty-one ones", b"\x00\x84\xff\xff\xff\xff"),
        ] {
            assert_eq!(fields.read(bytes, &mut Block::default()), Err(Unreadable), "{what}");
        }
    }
}
