//! What the gate reads as a query is what PHP reads: held against PHP itself where it is installed.

use hookwarden::request::Target;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

const QUERIES: usize = 2000;

/// Hexadecimal query in, one a line; its flattened `parse_str` out: the top names and, for strings, the values.
const PHP: &str = r#"
while (false !== ($line = fgets(STDIN))) {
    parse_str(hex2bin(trim($line)), $read);
    $flat = array();
    foreach ($read as $name => $value) {
        $flat[] = bin2hex($name) . '=' . (is_string($value) ? bin2hex($value) : 'array');
    }
    echo implode('&', $flat), "\n";
}"#;

#[test]
fn php_reads_no_parameter_that_the_gate_does_not() {
    let mut runner =
        TestRunner::new_with_rng(ProptestConfig::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let query = "((a|rest|edd|_|\\.|\\[|\\]|\\+|%20|%00|%5b|%5D|%2e|%2B|%|%4|%zz|=|&|;|%26|%3d|b|\\||\\\\|%0a|%c3){0,10}&?){0,3}";
    let strategy = proptest::string::string_regex(query).unwrap();
    let queries: Vec<String> = (0..QUERIES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let Some(read) = ask_php(&queries) else {
        eprintln!("skipped: php is not installed");
        return;
    };
    assert_eq!(read.len(), queries.len());
    for (query, read) in queries.iter().zip(read) {
        let target = Target::parse(&format!("/?{query}")).unwrap();
        let ours: Vec<(String, String)> = target.parameters().map(|(name, value)| (hex(&name), hex(&value))).collect();
        for pair in read.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap();
            let seen = ours.iter().any(|ours| ours.0 == name && (value == "array" || ours.1 == value));
            assert!(seen, "php reads `{pair}` in `{query}`, we read {ours:?}");
        }
    }
}

fn ask_php(queries: &[String]) -> Option<Vec<String>> {
    let mut command = Command::new("php");
    command.args(["-n", "-d", "display_errors=stderr", "-r", PHP]);
    let mut php = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut input = php.stdin.take()?;
    let lines: String = queries.iter().map(|query| hex(query.as_bytes()) + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = php.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "php failed");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
