//! What exactly is asked for? The raw bytes, and every reading that PHP or a web server could make of them.

pub(crate) mod php;
#[cfg(test)]
mod tests;

use crate::verdict::Rejection;
use std::{borrow::Cow, fmt};

/// The request target. The raw bytes go upstream as they came; guards look at the readings, which are made only when
/// somebody asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    raw: String,
    path_start: usize,
    path_end: usize,
    /// The path has one reading: no escapes, capitals, dots after slashes or doubled slashes.
    plain: bool,
}

/// Escapes inside escapes. Nothing between here and WordPress decodes more than twice; a link that was pasted into a
/// link that was pasted into a link has three.
const DECODINGS_MAX: usize = 4;

impl Target {
    /// Reads an origin-form target (`/path?query`), an absolute one (`http://host/path?query`), or `*`.
    ///
    /// # Errors
    /// [`Rejection::TargetUnclear`] for a *path* that cannot be read surely: NUL, backslash, invalid escapes, anything
    /// but visible ASCII; and anywhere for blanks, control bytes and `#`, which servers cut at or not. The query is
    /// taken as browsers write it.
    pub fn parse(raw: &str) -> Result<Self, Rejection> {
        if raw == "*" {
            return Ok(Self { raw: raw.to_owned(), path_start: 0, path_end: 1, plain: true });
        }
        if raw.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'#') {
            return Err(Rejection::TargetUnclear);
        }
        let path_start = if raw.starts_with('/') { 0 } else { end_of_authority(raw)? };
        let path = raw.get(path_start..).unwrap_or_default();
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let plain = is_plain(path)?;
        Ok(Self { raw: raw.to_owned(), path_start, path_end: path_start + path.len(), plain })
    }

    /// Byte for byte as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Host and port of an absolute target, as they came.
    pub fn authority(&self) -> Option<&str> {
        self.raw.get(..self.path_start)?.split_once("://").map(|(_, authority)| authority)
    }

    /// Everything before the first `?`, as it came; `/` for an absolute target without a path.
    pub fn path(&self) -> &str {
        let path = self.raw.get(self.path_start..self.path_end).unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// Everything after the first `?`, as it came; empty if there is none.
    pub fn query(&self) -> &str {
        self.raw.get(self.path_end..).and_then(|query| query.strip_prefix('?')).unwrap_or_default()
    }

    /// Shows every reading of the path: its segments in lower case, without empty ones; not decoded, decoded, decoded
    /// again; with dot segments left and resolved, before and after slashes are merged; with an encoded backslash as
    /// a slash, and cut at an encoded `?`, as WordPress cuts `PATH_INFO`.
    pub fn each_path(&self, mut look: impl FnMut(&[&[u8]])) {
        let path = self.path().as_bytes();
        if self.plain {
            let segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()).collect();
            return look(&segments);
        }
        let mut reading = path.to_ascii_lowercase();
        for _ in 0..=DECODINGS_MAX {
            each_resolution(&reading, &mut look);
            if let Some(cut) = reading.split(|byte| *byte == b'?').next().filter(|cut| cut.len() < reading.len()) {
                each_resolution(cut, &mut look);
            }
            match php::unescape(&reading) {
                Cow::Owned(decoded) => reading = decoded.to_ascii_lowercase(),
                Cow::Borrowed(_) => break,
            }
        }
    }

    /// Every `name=value` of the query, read as PHP reads it: decoded, the name mangled. PHP keeps the last value of a
    /// name, but only of its first 1000 (`max_input_vars`), so all of them are shown. Members of arrays are shown under
    /// the array's name. Pieces between `;` are shown too: PHP can be told to part there (`arg_separator.input`).
    pub fn parameters(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
        let query = self.query().as_bytes();
        let parted = if query.contains(&b';') { query } else { &[] };
        query
            .split(|byte| *byte == b'&')
            .chain(parted.split(|byte| matches!(byte, b'&' | b';')))
            .filter(|piece| !piece.is_empty())
            .map(php::parameter)
    }
}

impl fmt::Debug for Target {
    /// Queries carry tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.path()).finish()
    }
}

/// Where the path of an absolute target begins. User names in it are a way to make two parsers see two hosts.
fn end_of_authority(raw: &str) -> Result<usize, Rejection> {
    let (scheme, rest) = raw.split_once("://").ok_or(Rejection::TargetUnclear)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !known || authority.is_empty() || authority.bytes().any(|byte| matches!(byte, b'@' | b'\\' | b'%' | 0x80..)) {
        return Err(Rejection::TargetUnclear);
    }
    Ok(scheme.len() + "://".len() + authority.len())
}

/// Whether the path has one reading only; an error if it has none that is sure.
fn is_plain(path: &str) -> Result<bool, Rejection> {
    let mut plain = true;
    let mut rest = path.as_bytes();
    let mut before = 0;
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'\\' | 0x80.. => return Err(Rejection::TargetUnclear),
            b'%' => match php::escape(after) {
                None | Some(0) => return Err(Rejection::TargetUnclear),
                Some(_) => plain = false,
            },
            b'A'..=b'Z' => plain = false,
            b'/' | b'.' if before == b'/' => plain = false,
            _ => {}
        }
        before = *byte;
        rest = after;
    }
    Ok(plain)
}

/// The segments of one reading, with dot segments left, and resolved in both orders.
fn each_resolution(reading: &[u8], look: &mut impl FnMut(&[&[u8]])) {
    let all: Vec<&[u8]> = reading.split(|byte| matches!(byte, b'/' | b'\\')).map(trim).collect();
    let merged: Vec<&[u8]> = all.iter().copied().filter(|segment| !segment.is_empty() && *segment != b".").collect();
    look(&merged);
    if !merged.contains(&b"..".as_slice()) {
        return;
    }
    look(&resolve(&merged));
    // RFC 3986 counts empty segments: `/a//../b` is `/a/b` there, and `/b` where slashes are merged first.
    let resolved = resolve(&all);
    look(&resolved.into_iter().filter(|segment| !segment.is_empty()).collect::<Vec<_>>());
}

fn resolve<'a>(segments: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut resolved = Vec::with_capacity(segments.len());
    for segment in segments {
        match *segment {
            b"." => {}
            b".." => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    resolved
}

/// A pattern's `$` also matches before a line break, and names are trimmed: `/hook%0A` is `/hook`.
pub(crate) fn trim(segment: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    let start = segment.iter().position(|byte| !is_blank(byte)).unwrap_or(segment.len());
    let end = segment.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    segment.get(start..end).unwrap_or_default()
}
