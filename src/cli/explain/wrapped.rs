//! Sentences in a column, for terminals of eighty.

/// So wide are lines at most: what is longer is not read to its end.
const WIDTH: usize = 80;

/// The text in lines behind `start`, all but the first one behind `indent` blanks.
pub(super) fn wrapped(start: &str, text: &str, indent: usize) -> String {
    let mut room = WIDTH.saturating_sub(start.chars().count());
    let (mut lines, mut line, mut length) = (Vec::new(), String::new(), 0);
    for word in text.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > room {
            lines.push(std::mem::take(&mut line));
            length = 0;
            room = WIDTH.saturating_sub(indent);
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += letters;
    }
    lines.push(line);
    format!("{start}{}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_before_the_column_does() {
        let text = wrapped("  guard     ", &"word ".repeat(40), 12);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("            w")), "{text}");
        assert_eq!(wrapped("a: ", "one", 10), "a: one\n");
    }
}
