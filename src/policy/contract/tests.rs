use super::*;
use crate::json::read_yaml;
use serde::de::DeserializeOwned;

const NOW: Timestamp = Timestamp::from_unix_s(1_760_000_000);

const EVENT: &str = r#"{
    "$id": "https://shop.example/event/1",
    "properties": { "customer": { "properties": { "email": { "type": "string" } }, "additionalProperties": false } },
    "required": ["customer"]
}"#;

fn text<T: DeserializeOwned>(yaml: &str) -> T {
    serde_json::from_value(read_yaml(yaml).unwrap().root.to_value()).unwrap()
}

fn compiled(contract: &str, redact: &str, content_types: &[&str]) -> (Option<Contract>, Vec<String>) {
    let files = [
        ("schemas/event.json", EVENT),
        ("schemas/versions/2025-01-01.json", "{}"),
        ("schemas/versions/2026-01-01.json", EVENT),
        ("schemas/versions/deep/2027.json", "{}"),
        ("schemas/broken.json", "{\"type\": 1}"),
        ("schemas/slip.json", "{\"requierd\": [\"a\"]}"),
        ("schemas/text.json", "{"),
    ];
    let library = Library::of(files);
    let shelf = Shelf { library: &library, file: "routes/payments.yaml", now: NOW };
    let contract: Option<ContractText> = (!contract.is_empty()).then(|| text(contract));
    let redact: Vec<RedactText> = text(redact);
    let content_types: Vec<_> = content_types.iter().map(|media| (*media).to_owned()).collect();
    let said = Said { contract: contract.as_ref(), redact: &redact, content_types: &content_types };
    let mut told = Vec::new();
    let compiled = super::contract(Naming::default(), said, shelf, &mut |one| {
        told.push(format!("{}{}: {}", if one.is_warning { "warning " } else { "" }, one.pointer, one.message));
    });
    (compiled, told)
}

fn told(contract: &str, redact: &str) -> Vec<String> {
    let (compiled, told) = compiled(contract, redact, &[]);
    let wrong = told.iter().any(|told| !told.starts_with("warning "));
    assert_eq!(compiled.is_none(), wrong, "{told:?}");
    told
}

#[test]
fn what_is_in_order_compiles_without_a_word() {
    let redact = r#"[
        { at: /customer/email, as: mask },
        { at: $..card.number, as: drop },
        { name: phone, as: truncate, characters: 4 },
        { field: "customer[email]", as: pseudonym },
        { header: X-Email, as: drop },
        { query: token, as: mask },
    ]"#;
    assert_eq!(told("{ schema: ../schemas/event.json }", redact), [""; 0]);
    let versions = "{ schemas: ../schemas/versions/, by: /api_version, accepts: ['2026-01-01'], sunset: { '2026-01-01': 2027-01-31 } }";
    assert_eq!(told(versions, "[]"), [""; 0]);
    assert_eq!(told("", "[]"), [""; 0]);
    let soon = "{ schemas: ../schemas/versions, by: /v, sunset: { '2025-01-01': 2025-10-11 } }";
    assert_eq!(
        told(soon, "[]"),
        ["warning /contract/sunset/2025-01-01: version `2025-01-01` ends in 2 days, and is refused then"]
    );
}

/// What `check --effective` writes stands in one file, and names schemas as the files did that it was made from.
#[test]
fn a_schema_is_named_from_its_file_and_never_from_outside() {
    for (named, from) in [
        ("../schemas/event.json", "routes/payments.yaml"),
        ("schemas/event.json", "gate.yaml"),
        ("../schemas/event.json", "gate.yaml"),
        ("./../../../schemas//event.json", "routes/payments.yaml"),
        ("/schemas/event.json", "gate.yaml"),
    ] {
        assert_eq!(schemas::file(named, from), "schemas/event.json", "{named}");
    }
}

#[test]
fn every_mistake_in_a_contract_is_told() {
    let schema = |name: &str| told(&format!("{{ schema: ../schemas/{name}.json }}"), "[]").concat();
    assert_eq!(
        schema("evnt"),
        "/contract/schema: there is no schema file `schemas/evnt.json`; did you mean `schemas/event.json`?"
    );
    assert!(schema("broken").starts_with("/contract/schema: schemas/broken.json:1:10: not a JSON Schema: 1 is not"));
    assert!(schema("text").starts_with("/contract/schema: schemas/text.json: not a JSON document"));
    assert_eq!(
        schema("../../evnt"),
        "/contract/schema: `../schemas/../../evnt.json` leads out of the policy's folder; a schema is a file in `schemas/` \
         there"
    );
    assert_eq!(
        schema("slip"),
        "warning /contract/schema: schemas/slip.json:1:2: `requierd` is no keyword of this draft; did you mean \
         `required`? (`/requierd`)"
    );
    assert_eq!(
        told("{}", "[]"),
        ["/contract: which schema? write `schema` with a file, or `schemas` with a folder and `by`"]
    );
    assert_eq!(told("{ schema: a, schemas: b }", "[]").len(), 1);
    assert_eq!(told("{ schema: ../schemas/event.json, by: /a, accepts: [], sunset: {} }", "[]").len(), 3);
    assert_eq!(told("{ schemas: ../schemas/nowhere }", "[]").len(), 2, "no files, no member");
    assert_eq!(
        told(
            "{ schemas: ../schemas/versions, by: /v, accepts: ['2026-01-02', '2025-01-01'], sunset: { x: 2027-01-01, '2025-01-01': 2025-01-01 } }",
            "[]"
        ),
        [
            "/contract/accepts/0: no file is called `2026-01-02.json`; did you mean `2026-01-01`?",
            "warning /contract/sunset/2025-01-01: version `2025-01-01` has ended and is refused; take it out",
            "/contract/sunset/x: version `x` is not accepted here; known here: `2025-01-01`",
        ]
    );
}

#[test]
fn every_mistake_in_a_rule_is_told() {
    let rule = |rule: &str| told("", &format!("[{{ {rule} }}]")).concat();
    for (text, expected) in [
        ("as: mask", "/redact/0: which place? write one of"),
        ("at: /a, name: b, as: mask", "/redact/0: one rule is for one place, and here are `at` and `name`"),
        ("at: customer, as: mask", "/redact/0/at: write a JSON Pointer such as"),
        ("at: /a~2b, as: mask", "/redact/0/at: in a JSON Pointer `~` is written `~0`"),
        ("at: $, as: drop", "/redact/0/at: this is the whole document"),
        ("at: '$.a[', as: drop", "/redact/0/at: not a JSONPath, at its character 5"),
        ("at: '$.ü日[', as: drop", "/redact/0/at: not a JSONPath, at its character 6"),
        ("name: '', as: drop", "/redact/0/name: which name?"),
        ("field: 'a[', as: drop", "/redact/0/field: no form has such a field"),
        ("field: 'a[]', as: drop", "/redact/0/field: which of them?"),
        ("header: 'a b', as: drop", "/redact/0/header: no header has such a name"),
        ("header: Content-Type, as: drop", "/redact/0/header: without its content type"),
        ("query: '', as: drop", "/redact/0/query: which parameter?"),
        ("name: a, as: truncate", "/redact/0/as: how much stays?"),
        ("name: a, as: mask, characters: 3", "/redact/0/characters: only what is truncated"),
    ] {
        assert!(rule(text).starts_with(expected), "{text}: {}", rule(text));
    }
    assert_eq!(
        told("", "[{ at: /a, as: mask }, { at: /a, as: drop }]"),
        ["/redact/1/at: a rule above is for this place; leave one of the two out"]
    );
}

#[test]
fn a_place_that_no_schema_allows_is_a_slip() {
    let slip = |contract: &str| told(contract, "[{ at: /customer/phone, as: mask }]");
    assert_eq!(
        slip("{ schema: ../schemas/event.json }"),
        ["/redact/0/at: the schema says that there is no `/customer/phone`, so this would take out nothing"]
    );
    assert_eq!(slip("{ schemas: ../schemas/versions, by: /v }"), [""; 0], "one version allows it");
    assert_eq!(slip(""), [""; 0], "no schema says anything");
}

#[test]
fn an_opaque_body_has_neither_schema_nor_rules() {
    let opaque = |contract: &str, redact: &str| compiled(contract, redact, &["application/json", "text/xml"]).1;
    for (contract, redact) in [("{ schema: ../schemas/event.json }", "[]"), ("", "[{ name: a, as: drop }]")] {
        let told = opaque(contract, redact);
        assert!(told.concat().starts_with("/admit/content_types/1: a body of `text/xml` cannot be read"), "{told:?}");
    }
    assert_eq!(opaque("", "[{ header: X-A, as: drop }]"), [""; 0]);
    assert_eq!(opaque("", "[]"), [""; 0]);
}

#[test]
fn what_is_to_be_in_order_is_named_where_the_schema_has_it() {
    let library = Library::of([("schemas/event.json", EVENT)]);
    let shelf = Shelf { library: &library, file: "routes/payments.yaml", now: NOW };
    let schema: ContractText = text("{ schema: ../schemas/event.json }");
    let told = |pointer: &str, content_types: &[String]| {
        let naming = Naming { order_by: Some(pointer.to_owned()), ..Naming::default() };
        let said = Said { contract: Some(&schema).filter(|_| content_types.is_empty()), redact: &[], content_types };
        let mut told = Vec::new();
        let compiled = super::contract(naming, said, shelf, &mut |one| told.push(one));
        assert_eq!(compiled.is_some(), told.is_empty());
        told.pop().map(|told| (told.pointer, told.message)).unwrap_or_default()
    };
    let nothing = (String::new(), String::new());
    assert_eq!((told("/customer/email", &[]), told("/id", &[])), (nothing.clone(), nothing));
    for wrong in ["/a~2", "/customer/phone", "/customer/Email"] {
        let (pointer, message) = told(wrong, &[]);
        assert!(pointer == "/order_by" && !message.is_empty(), "`{wrong}`: {message}");
    }
    let (pointer, message) = told("/id", &["text/plain".to_owned()]);
    assert_eq!(pointer, "/admit/content_types/0", "{message}");
}
