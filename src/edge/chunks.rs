//! Can this body's framing be read in one way only? Pingora reads chunks leniently (an empty size line is the end, a
//! bare LF ends a line); what stands before the gate may read them in another way, and the two would part over where
//! the next request begins.

use pingora_error::Error;
use std::{
    io,
    sync::{Mutex, PoisonError},
};

/// RFC 9112 section 7.1.1 wants a limit for extensions: they are bytes that nobody reads.
const EXTENSION_MAX_BYTES: usize = 256;
/// 15 digits fit an `i64`, whoever parses it.
const SIZE_DIGITS: usize = 15;
/// All trailers together; they are read and dropped.
const TRAILERS_MAX_BYTES: usize = 8 * 1024;

/// The chunks cannot be read surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of the body is malformed")]
pub(super) struct Malformed;

impl Malformed {
    /// Whether this is what the connection itself found in the request's body.
    pub(super) fn caused(error: &Error) -> bool {
        let cause = error.root_cause().downcast_ref::<io::Error>();
        cause.and_then(|cause| cause.get_ref()).is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

/// Follows one connection's bytes through the body of its current request.
#[derive(Debug, Default)]
pub(super) struct Chunks(Mutex<State>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No chunked body is due, or it has come to its end.
    #[default]
    Idle,
    /// In the digits of a size.
    Size {
        size: u64,
        digits: usize,
    },
    /// After the digits.
    Extension {
        size: u64,
        bytes: usize,
    },
    /// After a size line's CR.
    SizeEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    /// After a chunk's data.
    DataCr,
    DataLf,
    /// In the trailers: bytes in all, and of the current line.
    Trailer {
        bytes: usize,
        line: usize,
    },
    /// After a trailer line's CR.
    TrailerLf {
        bytes: usize,
        line: usize,
    },
    Broken,
}

impl Chunks {
    /// A head with a chunked body has been let in.
    pub(super) fn begin(&self) {
        self.set(State::Size { size: 0, digits: 0 });
    }

    /// Whatever is left of a body, the next bytes are a head.
    pub(super) fn end(&self) {
        self.set(State::Idle);
    }

    /// Looks at the next bytes of the connection.
    pub(super) fn follow(&self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = advance(*state, bytes);
        if *state == State::Broken { Err(Malformed) } else { Ok(()) }
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

fn advance(mut state: State, mut bytes: &[u8]) -> State {
    while let Some((&byte, rest)) = bytes.split_first() {
        state = match state {
            State::Idle | State::Broken => return state,
            State::Data { left } => {
                // Data is passed over at once: it is most of what comes.
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(here..).unwrap_or_default();
                let left = left - here as u64;
                state = if left == 0 { State::DataCr } else { State::Data { left } };
                continue;
            }
            State::Size { .. } | State::Extension { .. } | State::SizeEnd { .. } => size_line(state, byte),
            State::DataCr if byte == b'\r' => State::DataLf,
            State::DataLf if byte == b'\n' => State::Size { size: 0, digits: 0 },
            State::DataCr | State::DataLf => State::Broken,
            State::Trailer { .. } | State::TrailerLf { .. } => trailer(state, byte),
        };
        bytes = rest;
    }
    state
}

fn size_line(state: State, byte: u8) -> State {
    match (state, byte) {
        (State::Size { size, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if digits < SIZE_DIGITS => {
            let digit = char::from(byte).to_digit(16).unwrap_or_default();
            State::Size { size: (size << 4) | u64::from(digit), digits: digits + 1 }
        }
        (State::Size { size, digits: 1.. }, b';' | b' ' | b'\t') => State::Extension { size, bytes: 0 },
        (State::Size { size, digits: 1.. } | State::Extension { size, .. }, b'\r') => State::SizeEnd { size },
        (State::Extension { size, bytes }, b'\t' | b' '..=b'~' | 0x80..) if bytes < EXTENSION_MAX_BYTES => {
            State::Extension { size, bytes: bytes + 1 }
        }
        (State::SizeEnd { size: 0 }, b'\n') => State::Trailer { bytes: 0, line: 0 },
        (State::SizeEnd { size }, b'\n') => State::Data { left: size },
        _ => State::Broken,
    }
}

fn trailer(state: State, byte: u8) -> State {
    match (state, byte) {
        (State::Trailer { bytes, line }, b'\r') => State::TrailerLf { bytes, line },
        (State::Trailer { bytes, line }, b'\t' | b' '..=b'~' | 0x80..) if bytes < TRAILERS_MAX_BYTES => {
            State::Trailer { bytes: bytes + 1, line: line + 1 }
        }
        (State::TrailerLf { line: 0, .. }, b'\n') => State::Idle,
        (State::TrailerLf { bytes, .. }, b'\n') => State::Trailer { bytes, line: 0 },
        _ => State::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<State, Malformed> {
        let whole = Chunks::default();
        whole.begin();
        let all_at_once = whole.follow(body.as_bytes());
        let pieces = Chunks::default();
        pieces.begin();
        let one_by_one = body.bytes().try_for_each(|byte| pieces.follow(&[byte]));
        assert_eq!(all_at_once, one_by_one, "{body:?}");
        let state = *whole.0.lock().unwrap();
        all_at_once.map(|()| state)
    }

    #[test]
    fn good_chunks_come_to_an_end() {
        for body in [
            "0\r\n\r\n",
            "2\r\nab\r\n0\r\n\r\n",
            "A;x=y\r\n0123456789\r\n00\r\nX-Trailer: z\r\nY:\r\n\r\n",
            "2 \r\n\r\n\r\n0\r\n\r\nGET / HTTP/1.1\n\n",
        ] {
            assert_eq!(read(body), Ok(State::Idle), "{body:?}");
        }
        assert_eq!(read("5\r\nab"), Ok(State::Data { left: 3 }));
    }

    #[test]
    fn what_two_parsers_could_read_in_two_ways_is_malformed() {
        for body in [
            "\r\n2\r\nab\r\n",
            "ZZ\r\nab",
            "-1\r\n",
            "+1\r\n",
            "0x2\r\n",
            "2\nab",
            "2\r\nabXX",
            "2\r\nab\n0",
            " 2\r\n",
            "2;a\nb\r\n",
            "2;a\0\r\n",
            "2\r\rab",
            "2;a\rb\r\n",
            ";a\r\n",
            "1111111111111111\r\n",
            "0\r\nX: a\n\r\n",
            "0\r\nX: a\0\r\n",
            "0\n\n",
        ] {
            assert_eq!(read(body), Err(Malformed), "{body:?}");
        }
        assert_eq!(read(&format!("2;{}\r\n", "a".repeat(300))), Err(Malformed));
        assert_eq!(read(&format!("0\r\n{}", "X: a\r\n".repeat(3000))), Err(Malformed));
    }
}
