use super::*;
use crate::json::read;

fn library(files: &[(&str, &str)]) -> Library {
    Library::of(files.iter().copied())
}

fn load(files: &[(&str, &str)]) -> Result<Loaded, BadSchema> {
    library(files).load(files[0].0, Formats::ByDraft)
}

fn admits(schema: &Schema, raw: &str) -> bool {
    schema.admits(&read(raw.as_bytes()).unwrap())
}

#[test]
fn a_schema_refers_to_its_neighbours_by_file_and_by_name() {
    let common =
        r#"{"$id": "https://shop.example/common.json", "$defs": {"mail": {"type": "string", "minLength": 3}}}"#;
    for reference in [
        "common.json#/$defs/mail",
        "../schemas/common.json#/$defs/mail",
        "https://shop.example/common.json#/$defs/mail",
    ] {
        let order = format!(r#"{{"properties": {{"mail": {{"$ref": "{reference}"}}}}}}"#);
        let loaded = load(&[("schemas/order.json", &order), ("schemas/common.json", common)]).unwrap();
        assert!(admits(&loaded.schema, r#"{"mail": "a@b"}"#), "{reference}");
        assert!(!admits(&loaded.schema, r#"{"mail": 1}"#), "{reference}");
    }
}

/// A schema that names itself is a place for references, too: nothing is fetched from there.
#[test]
fn nothing_is_fetched() {
    let named = r#"{"$id": "https://shop.example/schemas/order.json", "$ref": "other.json"}"#;
    let schemas = [
        named,
        r#"{"$ref": "file:///etc/hostname"}"#,
        r#"{"$ref": "https://example.test/schema.json"}"#,
        r#"{"$ref": "/etc/hostname"}"#,
        r#"{"$ref": "absent.json"}"#,
        r#"{"$schema": "https://example.test/meta.json"}"#,
    ];
    for schema in schemas {
        assert!(load(&[("order.json", schema)]).is_err(), "{schema}");
    }
    let told = load(&[("order.json", named)]).unwrap_err().to_string();
    assert!(told.contains("https://shop.example/schemas/other.json"), "{told}");
}

#[test]
fn every_draft_has_its_own_meaning() {
    let draft = |uri: &str| format!(r#"{{"$schema": "{uri}", "type": "integer"}}"#);
    for (uri, integer) in [
        ("http://json-schema.org/draft-04/schema#", false),
        ("http://json-schema.org/draft-06/schema#", true),
        ("http://json-schema.org/draft-07/schema#", true),
        ("https://json-schema.org/draft/2019-09/schema", true),
        ("https://json-schema.org/draft/2020-12/schema", true),
    ] {
        let loaded = load(&[("a.json", &draft(uri))]).unwrap();
        assert!(admits(&loaded.schema, "1"), "{uri}");
        assert_eq!(admits(&loaded.schema, "1.0"), integer, "{uri}");
    }
    assert!(load(&[("a.json", r#"{"type": "integre"}"#)]).is_err());
}

#[test]
fn format_is_held_against_the_document_as_the_policy_says() {
    let files = [("a.json", r#"{"format": "date"}"#)];
    for (formats, admitted) in [(Formats::ByDraft, true), (Formats::Told, true), (Formats::Checked, false)] {
        let loaded = library(&files).load("a.json", formats).unwrap();
        assert_eq!(admits(&loaded.schema, r#""2026-02-30""#), admitted, "{formats:?}");
    }
}

#[test]
fn what_checks_nothing_is_told_with_its_place() {
    let schema = "{\n  \"properties\": {\n    \"a\": { \"requierd\": [\"b\"], \"title\": \"A\", \"x-note\": 1 },\n    \"type\": {}\n  },\n  \"allOf\": [{ \"maxlength\": 1 }],\n  \"format\": \"dtae\"\n}";
    let idle: Vec<_> = load(&[("a.json", schema)]).unwrap().idle;
    let told: Vec<_> = idle.iter().map(|idle| format!("{} {}: {}", idle.place, idle.pointer, idle.why)).collect();
    assert_eq!(
        told,
        [
            "6:15 /allOf/0/maxlength: `maxlength` is no keyword of this draft; did you mean `maxLength`?",
            "7:13 /format: no format `dtae` is known, so nothing is checked",
            "3:12 /properties/a/requierd: `requierd` is no keyword of this draft; did you mean `required`?",
        ]
    );
}

#[test]
fn the_version_is_the_id_or_the_digest_of_the_file() {
    let version = |schema: &str| load(&[("a.json", schema)]).unwrap().version;
    assert_eq!(version(r#"{"$id": "https://shop.example/order/2"}"#), "https://shop.example/order/2");
    assert_eq!(version("{}"), format!("sha256:{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"));
}

/// A circle ends where the document does; a long row of references has an end of its own.
#[test]
fn recursion_has_an_end() {
    let tree = r##"{"properties": {"next": {"$ref": "#"}}, "required": ["id"]}"##;
    let loaded = load(&[("a.json", tree)]).unwrap();
    let nested = |depth| format!("{}{{}}{}", r#"{"id":1,"next":"#.repeat(depth), "}".repeat(depth));
    assert!(!admits(&loaded.schema, &nested(60)));
    assert!(admits(&load(&[("a.json", r##"{"$ref": "#"}"##)]).unwrap().schema, "1"), "says nothing, for ever");

    let row = |length: usize| {
        let step = |n| format!(r##""d{n}": {{"allOf": [{{"$ref": "#/$defs/d{}"}}]}}"##, n + 1);
        let steps: Vec<_> = (0..length).map(step).collect();
        format!(r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d{length}": {{"type": "null"}}}}}}"##, steps.join(","))
    };
    // No larger than a thread of the runtime has.
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let longest = row(REFERENCES_MAX - 1);
    let judged = small.spawn(move || {
        let schema = load(&[("a.json", &longest)]).unwrap().schema;
        (admits(&schema, "null"), admits(&schema, "1"), schema.first_mistake(&read(b"1").unwrap()).is_some())
    });
    assert_eq!(judged.unwrap().join().unwrap(), (true, false, true));
    assert!(load(&[("a.json", &row(REFERENCES_MAX))]).is_err());
}

/// Backtracking would take for ever.
#[test]
fn a_pattern_takes_linear_time() {
    let loaded = load(&[("a.json", r#"{"pattern": "^(a+)+$"}"#)]).unwrap();
    assert!(!admits(&loaded.schema, &format!("\"{}!\"", "a".repeat(50_000))));
    assert!(load(&[("a.json", r#"{"pattern": "(?=a)b"}"#)]).is_err(), "looks ahead");
    assert!(load(&[("a.json", r#"{"pattern": "(a)\\1"}"#)]).is_err(), "refers back");
}
