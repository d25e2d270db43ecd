//! A text that a pattern fits, for tests: an id that this vendor could have given.

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Repetition},
};
use sha2::{Digest as _, Sha256};

/// The same one for the same seed. `None` for a pattern whose texts nobody would write.
pub(super) fn sample(pattern: &str, seed: &str) -> Option<String> {
    let tree = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).ok()?;
    let mut sampler = Sampler { bits: Sha256::digest(seed).to_vec(), next: 0, text: Vec::new() };
    sampler.write(&tree)?;
    String::from_utf8(sampler.text).ok()
}

/// So many of what may be there any number of times: an id of one letter would be found in everything.
const USUAL: u32 = 10;
/// As long as any id may be.
const BYTES_MAX: usize = 256;

struct Sampler {
    bits: Vec<u8>,
    next: usize,
    text: Vec<u8>,
}

impl Sampler {
    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let bits = self.bits.get(self.next % self.bits.len().max(1)).copied().unwrap_or_default();
        self.next += 1;
        all.get(usize::from(bits) % all.len().max(1))
    }

    fn write(&mut self, tree: &Hir) -> Option<()> {
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.text.extend_from_slice(&literal.0),
            HirKind::Class(class) => {
                let letters: Vec<_> = (b'!'..=b'~').filter(|byte| has(class, *byte)).collect();
                let plain: Vec<_> = letters.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
                let letter = *self.one_of(if plain.is_empty() { &letters } else { &plain })?;
                self.text.push(letter);
            }
            HirKind::Repetition(Repetition { min, max, sub, .. }) => {
                let times = max.unwrap_or(USUAL).min(USUAL).max(*min);
                for _ in 0..times {
                    self.write(sub)?;
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part))?,
            HirKind::Alternation(ways) => {
                let way = self.one_of(ways)?.clone();
                self.write(&way)?;
            }
        }
        (self.text.len() <= BYTES_MAX).then_some(())
    }
}

fn has(class: &Class, byte: u8) -> bool {
    match class {
        Class::Bytes(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&byte)),
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&char::from(byte))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn what_is_made_of_a_pattern_fits_it_and_is_the_same_again() {
        for pattern in [
            "tr_[A-Za-z0-9]{1,64}",
            "[0-9]+",
            "(?:ord|pay)-[0-9a-f]{8}-.+",
            "a*b?c",
            "[^/]{3}",
            "x{3}y{0}",
            "[A-Z]\\d\\w",
        ] {
            let whole = Regex::new(&format!("^(?:{pattern})$")).unwrap();
            for seed in ["1", "2", "3"] {
                let made = sample(pattern, seed).unwrap_or_else(|| panic!("{pattern} makes nothing"));
                assert!(whole.is_match(&made) && !made.is_empty(), "{pattern}: {made}");
                assert_eq!(sample(pattern, seed), Some(made));
            }
        }
        assert_ne!(sample("[0-9]+", "1"), sample("[0-9]+", "2"));
        assert_eq!(sample("a{300}", "1"), None, "longer than any id");
        assert_eq!(sample("\\x01", "1").as_deref(), Some("\u{1}"), "and refused by whoever asks");
    }
}
