//! The algorithms of RFC 7518 and RFC 8037 that are spoken here, and what each one wants of a key.

use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, EdDSAParameters, RsaParameters};

/// A signature algorithm. `none` is not one, in any spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// What an algorithm verifies with.
pub(super) enum Means {
    /// A shared secret of at least so many bytes.
    Mac { key_min_bytes: usize },
    /// An RSA key.
    Rsa(&'static RsaParameters),
    /// A point on this curve.
    Ec(&'static EcdsaVerificationAlgorithm),
    /// A point of Ed25519.
    Ed(&'static EdDSAParameters),
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// By its registered name, letter for letter: `rs256` is nobody's algorithm.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// As it is registered, and as a policy writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether whoever can verify can also sign, so that the key must never be published.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// How long its signatures are; `None` where that follows from the key.
    pub(super) const fn signature_bytes(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 | Self::Es256 | Self::EdDsa => Some(64),
            Self::Es384 => Some(96),
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => None,
        }
    }

    pub(super) fn means(self) -> Means {
        match self {
            // RFC 7518 section 3.2: at least as long as the hash's output.
            Self::Hs256 => Means::Mac { key_min_bytes: 32 },
            Self::Hs384 => Means::Mac { key_min_bytes: 48 },
            Self::Hs512 => Means::Mac { key_min_bytes: 64 },
            Self::Rs256 => Means::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Means::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Means::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Means::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Means::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Means::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Self::Es256 => Means::Ec(&signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Means::Ec(&signature::ECDSA_P384_SHA384_FIXED),
            Self::EdDsa => Means::Ed(&signature::ED25519),
        }
    }
}
