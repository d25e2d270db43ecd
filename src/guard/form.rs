//! Forms that stream by: from a candidate field on, nothing more goes upstream until its value is classified.

mod multipart;
mod urlencoded;

use super::table::{Matches, Table};
use crate::request::Head;
use bytes::{Bytes, BytesMut};
use http::{Method, header};
use std::sync::Arc;

/// How a form body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data` with this boundary.
    Multipart(String),
    /// Says that it is a form, and cannot be read as one: refused where any guard looks into forms.
    Unreadable,
}

impl Kind {
    /// How PHP would read the body into `$_POST`; absent if it would not.
    ///
    /// PHP cuts the type at `;`, `,` or a blank and ignores its case (main/SAPI.c), and only looks at a POST.
    pub(super) fn of(head: &Head) -> Option<Self> {
        if !head.method.as_str().eq_ignore_ascii_case(Method::POST.as_str()) {
            return None;
        }
        let mut kinds = head.headers.get_all(header::CONTENT_TYPE).iter().map(|value| declared(value.as_bytes()));
        let first = kinds.next()?;
        if let Some(other) = kinds.next() {
            // Servers differ in which one they pass on, or join them.
            return first.or(other).or(kinds.flatten().next()).map(|_| Self::Unreadable);
        }
        // Who decodes a body in front of PHP reads another form than the one that passes here.
        let coded = head.headers.get_all(header::CONTENT_ENCODING).iter().any(|value| value != "identity");
        if coded { first.map(|_| Self::Unreadable) } else { first }
    }
}

/// What may be done with what has been read so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These bytes may go upstream; the scanner keeps the rest until it knows more.
    Pass(Bytes),
    /// The form names a guarded endpoint, or cannot be read: nothing more goes upstream.
    Refuse,
}

/// Which fields of a form WordPress dispatches by, and what they must not name.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) table: Arc<Table>,
    /// The target dispatches by `action`.
    pub(super) ajax: bool,
    /// The route that the head has named, which its body may name again.
    pub(super) own: Option<usize>,
    /// The first route that a field has named, and that lets everything through.
    pub(super) observed: Option<usize>,
}

impl Fields {
    /// Whether WordPress would look at a field of this name, as PHP reads it.
    fn is_candidate(&self, name: &[u8]) -> bool {
        match name {
            b"rest_route" => self.table.has_rest(),
            b"wc-api" => !self.table.wc_api.is_empty(),
            b"action" => self.ajax,
            _ => false,
        }
    }

    /// Whether this field names a guarded endpoint.
    fn is_guarded(&mut self, name: &[u8], value: &[u8]) -> bool {
        let found = match name {
            b"rest_route" => self.table.rest(value),
            b"wc-api" => self.table.wc_api(value),
            b"action" if self.ajax => self.table.ajax(value),
            _ => Matches::default(),
        };
        let observed = found.route.filter(|route| self.table.observed.contains(route));
        self.observed = self.observed.or(observed);
        let guarded = found.route.filter(|_| observed.is_none());
        found.batch || found.ambiguous || guarded.is_some_and(|route| self.own != Some(route))
    }
}

/// Longer than the names of all candidates, with room for escapes and blanks.
const NAME_BYTES_MAX: usize = 1024;
/// A candidate's value that is longer is refused unread: no endpoint has such a name.
const VALUE_BYTES_MAX: usize = 4096;
/// The head of one part. Below the 5 KiB at which PHP begins to cut lines in pieces.
const HEAD_BYTES_MAX: usize = 4096;

/// Reads one form body as it streams by.
#[derive(Debug)]
pub struct Scanner {
    reader: Reader,
    fields: Fields,
    /// What has been taken in and not yet passed on.
    held: Vec<u8>,
    refused: bool,
}

#[derive(Debug)]
enum Reader {
    Urlencoded(urlencoded::Reader),
    Multipart(multipart::Reader),
    Unreadable,
}

/// What a reader makes of the next bytes. Readers see each byte once; what they hold stays with the scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// So many bytes pass, together with all that is held.
    Pass(usize),
    /// So many bytes are held.
    Hold(usize),
    /// The form names a guarded endpoint, or cannot be read.
    Refuse,
}

impl Scanner {
    pub(super) fn new(kind: Kind, fields: Fields) -> Self {
        let reader = match kind {
            Kind::Urlencoded => Reader::Urlencoded(urlencoded::Reader::default()),
            Kind::Multipart(boundary) => Reader::Multipart(multipart::Reader::new(&boundary)),
            Kind::Unreadable => Reader::Unreadable,
        };
        Self { reader, fields, held: Vec::new(), refused: false }
    }

    /// The route that is observed, and that the form has named: it would have been refused for that.
    pub fn observed(&self) -> Option<usize> {
        self.fields.observed
    }

    /// Takes the next piece of the body; `end` says that it is the last one. Any cut into pieces has the same outcome.
    /// Where everything that forms could name is only observed, all passes as it comes.
    pub fn feed(&mut self, chunk: &Bytes, end: bool) -> Verdict {
        if self.fields.table.refuses_forms(self.fields.ajax) {
            return self.scan(chunk, end);
        }
        self.scan(chunk, end);
        Verdict::Pass(chunk.clone())
    }

    pub(super) fn scan(&mut self, chunk: &Bytes, end: bool) -> Verdict {
        if self.refused {
            return Verdict::Refuse;
        }
        let carried = self.held.clone(); // small: both readers bound what they hold
        let mut rest = chunk.as_ref();
        while !rest.is_empty() {
            let taken = match self.step(rest) {
                Step::Pass(bytes) => {
                    self.held.clear();
                    bytes
                }
                Step::Hold(bytes) => {
                    self.held.extend_from_slice(rest.get(..bytes).unwrap_or_default());
                    bytes
                }
                Step::Refuse => return self.refuse(),
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        if end {
            if !self.ends_well() {
                return self.refuse();
            }
            self.held.clear();
        }
        Verdict::Pass(joined(&carried, chunk, carried.len() + chunk.len() - self.held.len()))
    }

    fn step(&mut self, rest: &[u8]) -> Step {
        match &mut self.reader {
            Reader::Urlencoded(reader) => reader.step(&self.held, rest, &mut self.fields),
            Reader::Multipart(reader) => reader.step(&self.held, rest, &mut self.fields),
            Reader::Unreadable => Step::Refuse,
        }
    }

    /// What is held at the end of the body may go after all.
    fn ends_well(&mut self) -> bool {
        match &self.reader {
            Reader::Urlencoded(reader) => reader.ends_well(&self.held, &mut self.fields),
            Reader::Multipart(reader) => reader.ends_well(),
            Reader::Unreadable => true,
        }
    }

    fn refuse(&mut self) -> Verdict {
        self.refused = true;
        self.held.clear();
        Verdict::Refuse
    }
}

/// The first bytes of what was carried over and what came now; no copy if nothing was carried over.
fn joined(carried: &[u8], chunk: &Bytes, bytes: usize) -> Bytes {
    let from_chunk = chunk.slice(..bytes.saturating_sub(carried.len()).min(chunk.len()));
    if carried.is_empty() || bytes == 0 {
        return from_chunk;
    }
    let mut joined = BytesMut::with_capacity(bytes);
    joined.extend_from_slice(carried);
    joined.extend_from_slice(&from_chunk);
    joined.freeze()
}

/// The kind that a content type declares to PHP.
fn declared(content_type: &[u8]) -> Option<Kind> {
    let text = content_type.trim_ascii();
    let media_type = text.split(|byte| matches!(byte, b';' | b',' | b' ' | b'\t')).next().unwrap_or_default();
    if media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        return Some(Kind::Urlencoded);
    }
    let multipart = media_type.eq_ignore_ascii_case(b"multipart/form-data");
    multipart.then(|| boundary(text).map_or(Kind::Unreadable, Kind::Multipart))
}

/// The one boundary that every parser would find; absent where they could differ (main/rfc1867.c takes the first
/// `boundary` anywhere, quoted or up to `,` or `;`).
fn boundary(content_type: &[u8]) -> Option<String> {
    let text = str::from_utf8(content_type).ok()?;
    let lower = text.to_ascii_lowercase();
    let mut places = lower.match_indices("boundary");
    let (at, word) = places.next()?;
    if places.next().is_some() || !lower.get(..at)?.trim_end().ends_with(';') {
        return None;
    }
    let value = text.get(at + word.len()..)?.strip_prefix('=')?;
    let boundary = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?.0,
        None => value.split(';').next()?.trim_end(),
    };
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_-./:=?".contains(&byte);
    ((1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()) && boundary.bytes().all(usual)).then(|| boundary.to_owned())
}

/// RFC 2046 section 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;
