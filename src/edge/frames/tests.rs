use super::*;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [.., high, low] = payload.len().to_be_bytes();
    [&[0, high, low, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// What is passed on of these frames, whether they come at once or byte by byte.
fn passed(frames: &[Vec<u8>]) -> Result<Vec<u8>, Unreadable> {
    let bytes = frames.concat();
    let mut at_once = BytesMut::new();
    let result = Frames::default().follow(&bytes, &mut at_once);
    let (mut one_by_one, mut follower) = (BytesMut::new(), Frames::default());
    assert_eq!(bytes.iter().try_for_each(|byte| follower.follow(&[*byte], &mut one_by_one)), result);
    assert_eq!(at_once, one_by_one);
    result.map(|()| at_once.to_vec())
}

/// `:path: /a`, indexed from now on.
const PATH: &[u8] = b"\x44\x02/a";

#[test]
fn what_is_in_order_passes_as_it_came() {
    let frames = [
        frame(4, 0, 0, b"\x00\x03\x00\x00\x00\x01"),
        frame(HEADERS, END_HEADERS, 1, &[b"\x82", PATH].concat()),
        frame(0, 0, 1, &[b'#'; 300]),
        frame(HEADERS, END_HEADERS | 1, 1, b"\x00\x01x\x02:#"),
        frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 3, b"\x02\0\0\0\x01\x10\xbe\0\0"),
        frame(HEADERS, 1, 5, b"\x82\x44"),
        frame(CONTINUATION, END_HEADERS, 5, b"\x02/b"),
        frame(99, 255, 0, b""),
    ];
    assert_eq!(passed(&frames), Ok(frames.concat()));
}

#[test]
fn pseudo_fields_in_trailers_are_spoilt() {
    let opened = frame(HEADERS, END_HEADERS, 1, PATH);
    for (what, trailers) in [
        ("of the static table", &b"\x84"[..]),
        ("of the dynamic table", b"\xbe"),
        ("with a static name", b"\x04\x02/b"),
        ("with a dynamic name", b"\x0f\x2f\x02/b"),
        ("literal", b"\x00\x05:path\x02/b"),
        ("huffman", b"\x00\x84\xb9\x58\xd3\x3f\x02/b"),
        ("after another", b"\x00\x01x\x01y\x84"),
        ("unknown", b"\x00\x02:x\x01y"),
    ] {
        let bad = frame(HEADERS, END_HEADERS | 1, 1, trailers);
        let spoilt = frame(HEADERS, END_HEADERS | 1, 1, &[trailers, SPOILER].concat());
        assert_eq!(passed(&[opened.clone(), bad]), Ok([opened.clone(), spoilt].concat()), "{what}");
    }
}

#[test]
fn a_fragment_in_the_path_is_spoilt_before_the_padding_or_in_the_continuation() {
    let block = b"\x44\x04/a#b";
    let padded = [b"\x03", block.as_slice(), b"\0\0\0"].concat();
    let spoilt = [b"\x03", block.as_slice(), SPOILER, b"\0\0\0"].concat();
    let flags = END_HEADERS | PADDED;
    assert_eq!(passed(&[frame(HEADERS, flags, 1, &padded)]), Ok(frame(HEADERS, flags, 1, &spoilt)));

    let (one, other) = block.split_at(3);
    let continued = [other, SPOILER].concat();
    let begin = frame(HEADERS, 0, 1, one);
    assert_eq!(
        passed(&[begin.clone(), frame(CONTINUATION, END_HEADERS, 1, other)]),
        Ok([begin, frame(CONTINUATION, END_HEADERS, 1, &continued)].concat())
    );
    // What was said once is known again.
    let again = frame(HEADERS, END_HEADERS, 3, b"\xbe");
    let all = passed(&[frame(HEADERS, flags, 1, &padded), again]).unwrap();
    assert!(all.ends_with(&frame(HEADERS, END_HEADERS, 3, &[b"\xbe", SPOILER].concat())), "{all:?}");
}

#[test]
fn a_block_that_cannot_be_read_ends_the_connection() {
    assert_eq!(passed(&[frame(HEADERS, END_HEADERS, 1, b"\xff\xff")]), Err(Unreadable));
    assert_eq!(passed(&[frame(HEADERS, END_HEADERS, 1, b"\x44\x04/a")]), Err(Unreadable), "not whole");
    let endless = [b"\x44\x7f\xff\xff\x07".as_slice(), &[b'a'; 16_000]].concat();
    let mut frames = vec![frame(HEADERS, 0, 1, &endless)];
    frames.extend(std::iter::repeat_n(frame(CONTINUATION, 0, 1, &[b'a'; 16_000]), 4));
    assert_eq!(passed(&frames), Err(Unreadable), "more than a field may have");
}

/// `h2` ends the connection, or refuses the stream without reading its block.
#[test]
fn what_the_library_refuses_unread_is_left_to_it() {
    for bad in [
        frame(HEADERS, END_HEADERS | PADDED, 1, b"\x09\x82"),
        frame(HEADERS, END_HEADERS | PADDED, 1, b""),
        frame(HEADERS, END_HEADERS | PRIORITY, 1, b"\0\0\0\x01\x10\xff\xff"),
        frame(HEADERS, END_HEADERS, 1, &vec![0xff; FRAME_MAX_BYTES + 1]),
    ] {
        assert_eq!(passed(std::slice::from_ref(&bad)), Ok(bad));
    }
}

/// RFC 9113 section 5.1.1: not trailers, but a connection error.
#[test]
fn a_stream_that_was_left_out_is_left_to_the_library() {
    let frames = [frame(HEADERS, END_HEADERS, 5, PATH), frame(HEADERS, END_HEADERS, 3, b"\xbe")];
    assert_eq!(passed(&frames), Ok(frames.concat()));
}
