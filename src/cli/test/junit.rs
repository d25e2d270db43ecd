//! Results as `JUnit` XML, in the part of it that every CI system reads:
//! <https://github.com/testmoapp/junitxml>.

use super::Played;
use crate::policy::{Diagnostic, Report};
use std::fmt::Write as _;

/// One suite for each file, in each stage. Where nothing was played, what is wrong is one error each: a system that
/// finds no file, or no case, would be content.
pub(super) fn document(results: &[Played], wrong: &Report) -> String {
    let failed = |results: &[Played]| results.iter().filter(|played| !played.passed).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let (tests, errors) = (results.len() + wrong.iter().count(), wrong.iter().count());
    let _ = writeln!(xml, "<testsuites tests=\"{tests}\" failures=\"{}\" errors=\"{errors}\">", failed(results));
    for Diagnostic { file, line, column, message, .. } in wrong.iter() {
        let (file, message) = (text(file), text(message));
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{file}\" tests=\"1\" errors=\"1\">\n    <testcase name=\"can be read\" classname=\"{file}\" \
             file=\"{file}\" line=\"{line}\">\n      <error message=\"{message}\">{file}:{line}:{column}: {message}</error>\n    \
             </testcase>\n  </testsuite>"
        );
    }
    for suite in results.chunk_by(|a, b| a.file == b.file && a.env == b.env) {
        let Some(first) = suite.first() else { continue };
        let env = first.env.as_ref().map_or_else(String::new, |env| format!(" ({env})"));
        let name = text(&format!("{}{env}", first.file));
        let _ = writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\">", suite.len(), failed(suite));
        for played in suite {
            let (case, file, line) = (text(&played.name), text(&played.file), played.line);
            let open = format!("    <testcase name=\"{case}\" classname=\"{name}\" file=\"{file}\" line=\"{line}\"");
            if played.passed {
                let _ = writeln!(xml, "{open}/>");
                continue;
            }
            let told: Vec<_> = played
                .differences
                .iter()
                .map(|[what, expected, found]| format!("{what}: expected {expected}, found {found}"))
                .chain(played.unplayable.clone())
                .collect();
            let message = text(told.first().map_or("", String::as_str));
            let all = text(&told.join("\n"));
            let _ = writeln!(xml, "{open}>\n      <failure message=\"{message}\">{all}</failure>\n    </testcase>");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Fit for an attribute and for text; what XML 1.0 cannot say at all is replaced.
fn text(raw: &str) -> String {
    raw.chars()
        .map(|character| match character {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\n' => "&#10;".to_owned(),
            control if control.is_control() => "\u{fffd}".to_owned(),
            '\u{fffe}' | '\u{ffff}' => "\u{fffd}".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_case_says_cannot_break_the_document() {
        let played = Played {
            file: "a&b.test.yaml".to_owned(),
            line: 3,
            name: "\"<&>\u{1}".to_owned(),
            env: None,
            passed: false,
            differences: vec![["code".to_owned(), "<a>".to_owned(), "]]>".to_owned()]],
            unplayable: None,
        };
        let xml = document(&[played], &Report::default());
        assert!(xml.contains("<testsuites tests=\"1\" failures=\"1\" errors=\"0\">"), "{xml}");
        assert!(xml.contains("name=\"&quot;&lt;&amp;&gt;\u{fffd}\" classname=\"a&amp;b.test.yaml\""), "{xml}");
        assert!(xml.contains("<failure message=\"code: expected &lt;a&gt;, found ]]&gt;\">"), "{xml}");
    }
}
