//! When are two names one? For what must not leave the gate, when anybody could take them for one.

use std::iter;

/// Whether the names are equal under simple case folding (Unicode, CaseFolding.txt, C and S): PHP code is often lax
/// about case, and a rule that is not would have a hole.
pub(crate) fn alike(wanted: &str, name: &str) -> bool {
    if wanted.is_ascii() && name.is_ascii() {
        return wanted.eq_ignore_ascii_case(name);
    }
    wanted.chars().map(fold).eq(name.chars().map(fold))
}

/// Up and down again: `ſ` and `K` (Kelvin) have capitals of their own, and no small letter that differs. A letter that
/// becomes two of them has no simple folding, and the Turkish `ı` is no `i`.
fn fold(c: char) -> char {
    if c == 'ı' {
        return c;
    }
    let up = one(c.to_uppercase()).unwrap_or(c);
    one(up.to_lowercase()).unwrap_or(up)
}

fn one(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next();
    let mut both = first.into_iter().chain(iter::once(letters.next()).flatten());
    both.next().filter(|_| both.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::RegexBuilder;

    #[test]
    fn case_does_not_part_names_and_letters_do() {
        for (a, b) in
            [("email", "E-Mail"), ("email", "emails"), ("e", "é"), ("ss", "ß"), ("i", "İ"), ("i", "ı"), ("a", "")]
        {
            assert!(!alike(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("email", "eMAIL"),
            ("kundennummer", "\u{212a}undennummer"),
            ("adresse", "ADRE\u{17f}\u{17f}E"),
            ("σ", "ς"),
            ("ẞ", "ß"),
            ("µ", "μ"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
    }

    /// The tables of another kept crate are the judge, letter by letter.
    #[test]
    fn every_letter_folds_as_unicode_says() {
        let known = regex::Regex::new(r"\p{Alphabetic}").unwrap();
        let mut differ = Vec::new();
        for c in ('\u{1}'..=char::MAX).filter(|c| c.is_alphabetic() || !c.is_ascii()) {
            let folded = fold(c);
            if folded == c || !known.is_match(&c.to_string()) {
                continue;
            }
            let pattern =
                RegexBuilder::new(&regex::escape(&folded.to_string())).case_insensitive(true).build().unwrap();
            if !pattern.is_match(&c.to_string()) {
                differ.push((c, folded));
            }
        }
        assert_eq!(differ, []);
    }
}
