//! What goes wrong with signatures in life, and who mends it.

use std::fmt;

/// Where it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Another key of the policy signed.
    Key,
    /// The right key, read in another way.
    Secret,
    /// The header that carries the signature.
    Header,
    /// Another way to sign than the route's sender has.
    Scheme,
    /// The bytes of the body.
    Body,
    /// The URL, for senders that sign it.
    Url,
    /// The signed time.
    Clock,
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Whoever writes the policy.
    Operator,
    /// Whoever runs what stands between the sender and the gate.
    Proxy,
    /// Whoever has the sender's settings, or its code.
    Sender,
}

/// One thing that went wrong. Holds no secret, no signature and nothing of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Stable, for scripts and documentation.
    pub code: &'static str,
    /// Where.
    pub area: Area,
    /// What, for people.
    pub what: String,
    /// Who mends it.
    pub by: By,
    /// How.
    pub mend: String,
}

impl Cause {
    pub(super) fn new(
        code: &'static str,
        area: Area,
        by: By,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { code, area, what: what.into(), by, mend: mend.into() }
    }

    /// Every code, with what it means; the documentation's table, which a test holds to this.
    pub const CODES: &[(&str, &str)] = &[
        ("key_retired", "a key signed that the policy has retired"),
        ("key_of_other_list", "a key of another list of the policy signed: another route's, another account's"),
        ("key_of_other_stage", "a key of another stage signed: the live secret on the test endpoint, or the other way"),
        ("secret_literal", "the sender uses the text of the secret as it stands, and the gate decodes it"),
        ("secret_decoded", "the sender decodes the text of the secret, and the gate takes it as it stands"),
        ("secret_prefix", "one of the two keeps the prefix of the secret (`whsec_`), the other one takes it off"),
        ("secret_untidy", "white space, quotation marks or a line end around the secret"),
        ("signature_case", "the digits of the signature are capitals"),
        ("signature_encoding", "the signature is written in another encoding: hexadecimal, base64, base64url"),
        ("signature_prefix", "the prefix of the signature is missing, doubled, or another one"),
        ("signature_quoted", "quotation marks or commas around the signature"),
        ("header_repeated", "a header of the signature comes more than once"),
        ("header_missing", "some headers of the signature are there, and others are missing"),
        ("header_renamed", "the signature is in another header"),
        ("other_algorithm", "signed with another algorithm of the same kind"),
        ("other_sender", "signed as another sender of the catalogue signs"),
        ("time_format", "the signed time is written in another format"),
        ("time_unit", "seconds for milliseconds, or the other way"),
        ("too_old", "signed longer ago than the route takes: late, recorded, or a clock that is wrong"),
        ("from_the_future", "signed further ahead than the route takes: a clock that is wrong"),
        ("body_line_end", "a line end at the end of the body was added or taken off"),
        ("body_line_ends", "the line ends within the body were changed: CRLF, LF"),
        ("body_mark", "a byte order mark before the body was added or taken off"),
        ("body_blanks", "white space around the body was added"),
        ("body_json", "the JSON was read and written anew"),
        ("body_compressed", "signed uncompressed, and it came compressed"),
        ("body_charset", "the body was put into another character encoding"),
        ("body_form", "the form was decoded, or encoded in another way"),
        ("body_cut", "the body is shorter than its head says"),
        ("body_unsigned", "signed without any body"),
        ("url_scheme", "the URL was signed with `http` for `https`, or the other way"),
        ("url_host", "the URL was signed with another host than `public_url` has"),
        ("url_port", "the URL was signed with a port, or without"),
        ("url_site", "the URL was signed with another scheme, host or port than `public_url` has"),
        ("url_path", "the URL was signed with another path than the one that came"),
        ("url_query", "the URL was signed with another query than the one that came"),
        ("url_method", "another method was signed than the one that came"),
    ];
}

impl Area {
    /// Stable, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Header => "header",
            Self::Scheme => "scheme",
            Self::Body => "body",
            Self::Url => "url",
            Self::Clock => "clock",
        }
    }

    /// What is tried there, for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Key => "other keys of the policy",
            Self::Secret => "other readings of its secrets",
            Self::Header => "other writings of the signature",
            Self::Scheme => "other headers, algorithms and senders",
            Self::Body => "other bytes of the body",
            Self::Url => "other URLs and methods",
            Self::Clock => "other readings of the time",
        }
    }
}

impl By {
    /// Stable, for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Proxy => "proxy",
            Self::Sender => "sender",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "in the policy",
            Self::Proxy => "before the gate",
            Self::Sender => "at the sender",
        })
    }
}
