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
    /// Whoever runs the gate's machine, and whoever runs the sender: clocks, and what lies between.
    Both,
}

/// Every code is written once: what it is called here, outside, and what it means. The documentation has the same table, which
/// a test holds to this, and another test that each is found in a request that was made wrong in that way.
macro_rules! codes {
    ($($variant:ident, $name:literal, $meaning:literal;)*) => {
        /// What went wrong, for scripts and documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// All, in the documentation's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Stable.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// For people.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    KeyRetired, "key_retired", "a key signed that the policy has retired";
    KeyOfOtherList, "key_of_other_list", "a key of another list of the policy signed: another route's, another account's";
    KeyOfOtherStage, "key_of_other_stage", "a key of another stage signed: the live secret on the test endpoint, or the other way";
    KeyDefault, "key_default", "the sender has no secret, and signs with the word that it uses then";
    KeyIdOther, "key_id_other", "the signature names a key by an id that none of the route's keys has";
    SecretLiteral, "secret_literal", "the sender uses the text of the secret as it stands, and the gate decodes it";
    SecretDecoded, "secret_decoded", "the sender decodes the text of the secret, and the gate takes it as it stands";
    SecretPrefix, "secret_prefix", "one of the two keeps the prefix of the secret (`whsec_`), the other one takes it off";
    SecretUntidy, "secret_untidy", "white space, quotation marks or a line end around the secret";
    SignatureCase, "signature_case", "the digits of the signature are capitals";
    SignatureEncoding, "signature_encoding", "the signature is written in another encoding: hexadecimal, base64, base64url";
    SignaturePrefix, "signature_prefix", "the prefix of the signature is missing, doubled, or another one";
    SignatureQuoted, "signature_quoted", "quotation marks or commas around the signature";
    HeaderRepeated, "header_repeated", "a header of the signature comes more than once";
    HeaderMissing, "header_missing", "some headers of the signature are there, and others are missing";
    HeaderRenamed, "header_renamed", "the signature is in another header";
    ComponentMissing, "component_missing", "a part that the policy wants signed is not signed (RFC 9421)";
    ItemMissing, "item_missing", "the header of the signature has no item of the name that the sender's has";
    MessageOther, "message_other", "what is signed is put together in another way than the file of a sender of your own says";
    LabelOther, "label_other", "the signature has another label, tag or key id than the policy names, or there are several and it names none (RFC 9421)";
    CertificateOther, "certificate_other", "the certificate is named by a URL that is none of the sender's";
    OtherAlgorithm, "other_algorithm", "signed with another algorithm of the same kind";
    OtherSender, "other_sender", "signed as another sender of the catalogue signs";
    AccountOther, "account_other", "it names another account, topic or version than policy and sender have";
    ClaimOther, "claim_other", "the token is good, and says another issuer, audience or the like than it should";
    ClaimMissing, "claim_missing", "the token is good, and lacks something that it has to say";
    ItemOther, "item_other", "some of the items are signed as they should be, and others are not";
    TimeFormat, "time_format", "the signed time is written in another format";
    TimeUnit, "time_unit", "seconds, milliseconds or microseconds, one for the other";
    TooOld, "too_old", "signed longer ago than the route takes: late, recorded, or a clock that is wrong";
    FromTheFuture, "from_the_future", "signed further ahead than the route takes: a clock that is wrong";
    TimeMissing, "time_missing", "nothing says when it was signed";
    Expired, "expired", "the signature or the token says until when it is good, and that is over";
    NotYet, "not_yet", "the token says from when on it is good, and that is still to come";
    BodyLineEnd, "body_line_end", "a line end at the end of the body was added or taken off";
    BodyLineEnds, "body_line_ends", "the line ends within the body were changed: CRLF, LF";
    BodyMark, "body_mark", "a byte order mark before the body was added or taken off";
    BodyBlanks, "body_blanks", "white space around the body was added";
    BodyJson, "body_json", "the JSON was read and written anew";
    BodyCompressed, "body_compressed", "signed uncompressed, and it came compressed";
    BodyDecompressed, "body_decompressed", "the head says that the body is compressed, and it is not: what was signed is gone";
    BodyCharset, "body_charset", "the body was put into another character encoding";
    BodyForm, "body_form", "the form was decoded, or encoded in another way";
    BodyCut, "body_cut", "the body is shorter than its head says";
    BodyChunked, "body_chunked", "the chunks of the transfer are still in the body";
    BodyOther, "body_other", "the signature is good, and its digest is that of another body";
    BodyUnsigned, "body_unsigned", "signed without any body";
    DigestOther, "digest_other", "the digest in the signature is that of what came, and is written in another way, or made with another algorithm, than it should be";
    UrlScheme, "url_scheme", "the URL was signed with `http` for `https`, or the other way";
    UrlHost, "url_host", "the URL was signed with another host than `public_url` has";
    UrlPort, "url_port", "the URL was signed with a port, or without";
    UrlSite, "url_site", "the URL was signed with another scheme, host or port than `public_url` has";
    UrlPath, "url_path", "the URL was signed with another path than the one that came";
    UrlQuery, "url_query", "the URL was signed with another query than the one that came";
    UrlMethod, "url_method", "another method was signed than the one that came";
    UrlOther, "url_other", "the signature is good, and names the digest of another URL";
}

impl Code {
    /// What of a sender's file says how this should be.
    pub(super) const fn words_of_entry(self) -> Option<&'static str> {
        Some(match self {
            Self::SecretLiteral | Self::SecretDecoded | Self::SecretPrefix => "`key`",
            Self::SignatureCase
            | Self::SignatureEncoding
            | Self::SignaturePrefix
            | Self::HeaderRenamed
            | Self::ItemMissing => "`sig`",
            Self::OtherAlgorithm => "`alg`",
            Self::TimeFormat | Self::TimeUnit | Self::TimeMissing => "`ts`",
            Self::AccountOther => "`require`",
            Self::HeaderMissing => "`sig`, `ts`, `id` and `message`",
            _ => return None,
        })
    }
}

/// One thing that went wrong. Holds no secret, no signature and nothing of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// By name.
    pub code: Code,
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
    pub(super) fn new(code: Code, area: Area, by: By, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { code, area, what: what.into(), by, mend: mend.into() }
    }
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
            Self::Both => "both",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "in the policy",
            Self::Proxy => "before the gate",
            Self::Sender => "at the sender",
            Self::Both => "on either side",
        })
    }
}
