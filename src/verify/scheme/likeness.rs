//! What a value must look like. Where two values stand side by side in what is signed, with nothing between them, this says
//! where one ends and the other begins.

/// Letters of which a value is made; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Digits,
    /// Letters and `_`.
    Word,
    /// The alphabet of base64, and line breaks.
    Base64,
}

impl Likeness {
    pub(super) const WORDS: [(&'static str, Self); 3] =
        [("digits", Self::Digits), ("word", Self::Word), ("base64", Self::Base64)];

    pub(super) fn fits(self, text: &str) -> bool {
        let fits = |byte: u8| match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Word => byte.is_ascii_alphabetic() || byte == b'_',
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte),
        };
        !text.is_empty() && text.bytes().all(fits)
    }

    /// For tests: something that fits.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Digits => "1760000000",
            Self::Word => "test_event",
            Self::Base64 => "dGVzdA==",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing at all would move the border to where the next value ends.
    #[test]
    fn a_value_is_made_of_its_letters_and_of_one_at_least() {
        for (likeness, good, bad) in [
            (Likeness::Digits, "0123456789", "1a"),
            (Likeness::Word, "aZ_", "a1"),
            (Likeness::Base64, "aZ09+/=\n", "a-"),
        ] {
            assert!(likeness.fits(good) && likeness.fits(likeness.example()), "{good}");
            assert!(!likeness.fits(bad) && !likeness.fits("") && !likeness.fits(&format!("{good} ")), "{bad}");
        }
    }
}
