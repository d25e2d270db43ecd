//! PHP itself is the judge of what documents and forms say: WordPress reads with it what the gate has checked.

use crate::bed;
use data_encoding::BASE64;
use hookwarden::{
    json::{self, Node},
    payload::read_form,
};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// One process for all of them: a line in, a line out.
fn php(code: &str, raw: &[Vec<u8>]) -> Vec<String> {
    // PHP comes with the bed.
    let _bed = bed::wordpress();
    let script = format!(
        "while (($line = fgets(STDIN)) !== false) {{ $raw = base64_decode(rtrim($line)); {code} \
         echo $error ?: json_encode($value, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), \"\\n\"; }}"
    );
    let mut child = Command::new("php")
        .args(["-n", "-d", "serialize_precision=-1", "-d", "memory_limit=1G", "-r", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("PHP runs");
    let lines: String = raw.iter().map(|raw| format!("{}\n", BASE64.encode(raw))).collect();
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("PHP ends");
    writing.join().unwrap().expect("PHP reads every line");
    let told = String::from_utf8(output.stdout).expect("PHP writes UTF-8");
    let told: Vec<_> = told.lines().map(str::to_owned).collect();
    assert_eq!(told.len(), raw.len(), "a line for each");
    told
}

/// The same every time: what fails here can be looked at.
fn samples<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Whether what PHP wrote is this tree. It is read by our own reader: `serde_json` rounds some doubles.
fn is_same(node: &Node, told: &str) -> bool {
    json::read(told.as_bytes()).is_ok_and(|php| php.to_value() == node.to_value())
}

const EDGES: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-0",
    "-0.0",
    "0.0",
    "1e0",
    "1E+2",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "1e309",
    "-1e400",
    "5e-324",
    "1e-400",
    "0.1",
    "1.0",
    "100000.0",
    "12345678901234567890.0",
    "9007199254740993",
    "9007199254740993.0",
    "2.2250738585072011e-308",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "0x10",
    "NaN",
    "Infinity",
    "true",
    "TRUE",
    "True",
    "nul",
    "null ",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\\ud83d\"",
    "\"\\/\"",
    "\"\\'\"",
    "\"\\x41\"",
    "\"\\u00g0\"",
    "\"\t\"",
    "\"\u{7f}\"",
    "\"\u{2028}\"",
    "\"\u{feff}\"",
    "\u{feff}1",
    "{\"\":1}",
    "{\"\\u0000\":1}",
    "{\"a\\u0000\":1}",
    "{\"\\u0000a\":1}",
    "{\"0\":1,\"00\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"a\":{},\"b\":[]}",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "[1]//",
    "[1] [2]",
    "",
    " ",
    "\u{b}1",
    "\u{a0}1",
    "[1]\u{0}",
    "\"\u{0}\"",
    "[[[]]]",
    "{\"_\":{\"$\":[{}]}}",
];

fn document() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("JSON has no other", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
    ];
    let escape = prop::sample::select(vec![
        "\\n",
        "\\u0041",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\\\",
        "\\/",
        "\\\"",
        "\\u0000",
        "\\udc00",
        "é",
        "😀",
    ]);
    let text = prop::collection::vec(prop_oneof!["[ -!#-\\[\\]-~]{0,3}", escape.prop_map(str::to_owned)], 0..4);
    let text = text.prop_map(|parts| format!("\"{}\"", parts.concat())).boxed();
    let word = prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned);
    let leaf = prop_oneof![number, text.clone(), word];
    let space = prop::sample::select(vec!["", " ", "\n\t", "\r"]);
    let tree = leaf.prop_recursive(6, 30, 5, move |inner| {
        let member = (text.clone(), inner.clone()).prop_map(|(name, value)| format!("{name}:{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..5), space.clone())
                .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(","))),
            (prop::collection::vec(member, 0..5), space.clone())
                .prop_map(|(members, space)| format!("{space}{{{}}}", members.join(&format!(",{space}")))),
        ]
    });
    let change = (any::<prop::sample::Index>(), prop::sample::select(b"\"\\{}[],:0-.eE \x00\x80u".to_vec()), 0..3_u8);
    (tree, prop::option::weighted(0.4, change)).prop_map(|(text, change)| {
        let mut raw = text.into_bytes();
        if let Some((at, byte, how)) = change {
            let at = at.index(raw.len());
            match how {
                0 => raw[at] = byte,
                1 => raw.insert(at, byte),
                _ => drop(raw.remove(at)),
            }
        }
        raw
    })
}

#[test]
fn an_accepted_document_is_what_json_decode_reads() {
    let edges = EDGES.iter().map(|text| text.as_bytes().to_vec());
    let broken = [&b"\"\xff\""[..], b"\"\xed\xa0\x80\"", b"\"\xc0\xaf\"", b"\"\xf4\x90\x80\x80\""].map(<[u8]>::to_vec);
    let all = edges.chain(broken).chain(samples(&document(), 20_000));
    let accepted: Vec<_> = all.filter_map(|raw| json::read(&raw).ok().map(|node| (raw, node))).collect();
    assert!(accepted.len() > 8_000, "{} documents are enough", accepted.len());
    let raw: Vec<_> = accepted.iter().map(|(raw, _)| raw.clone()).collect();
    let told = php("$value = json_decode($raw); $error = json_last_error() ? json_last_error_msg() : '';", &raw);
    for ((raw, node), told) in accepted.iter().zip(told) {
        assert!(is_same(node, &told), "`{}` is `{told}` for PHP", String::from_utf8_lossy(raw));
    }
}

fn form() -> impl Strategy<Value = Vec<u8>> {
    let name = "[a-c]{1,2}|%6[12]|a[.+ _]b|\\+a|%20|%00a|a%00";
    let index = "\\[\\]|\\[[a-b0-2]{1,2}\\]|%5B[a-b]%5D|\\[0\\]|\\[|\\]|\\[\\+a\\]|x";
    let value = "[a-z0-9+]{0,4}|%[0-9A-F]{2}|%c3%a9|%|%4|=|\\[\\]";
    let field = (name, prop::collection::vec(index, 0..3), prop::option::weighted(0.9, value));
    let field = field.prop_map(|(name, indices, value)| {
        let value = value.map(|value| format!("={value}")).unwrap_or_default();
        format!("{name}{}{value}", indices.concat())
    });
    prop::collection::vec(prop_oneof![9 => field, 1 => Just(String::new())], 0..6)
        .prop_map(|fields| fields.join("&").into_bytes())
}

#[test]
fn an_accepted_form_is_what_post_has() {
    let many = (0..1000).map(|n| format!("f{n}=1")).collect::<Vec<_>>().join("&").into_bytes();
    let deep = format!("a{}=1", "[b]".repeat(63)).into_bytes();
    let all = [many, deep].into_iter().chain(samples(&form(), 40_000));
    let accepted: Vec<_> = all.filter_map(|raw| read_form(&raw).map(|node| (raw, node))).collect();
    assert!(accepted.len() > 8_000, "{} forms are enough", accepted.len());
    let raw: Vec<_> = accepted.iter().map(|(raw, _)| raw.clone()).collect();
    let told = php("parse_str($raw, $value); $value = (object) $value; $error = '';", &raw);
    for ((raw, node), told) in accepted.iter().zip(told) {
        assert!(is_same(node, &told), "`{}` is `{told}` for PHP", String::from_utf8_lossy(raw));
    }
}
