use super::*;
use crate::json::read;
use serde_json::Value;

fn found(path: &str, raw: &str) -> Result<Vec<Value>, TooMany> {
    let document = read(raw.as_bytes()).unwrap();
    let mut found = Vec::new();
    Path::parse(path).unwrap().each(&document, Names::EXACT, &mut |node| found.push(node.to_value()))?;
    Ok(found)
}

/// Ours: a pattern is the policy's, and never the sender's.
fn asks_the_sender_for_a_pattern(bad: &BadPath) -> bool {
    bad.why.contains("not chosen by the sender")
}

#[test]
fn finds_what_the_compliance_suite_finds_and_refuses_what_it_refuses() {
    let (mut cases, mut ours) = (0, 0);
    for line in include_str!("../../../tests/vectors/jsonpath.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (name, selector) = (&case["name"], case["selector"].as_str().unwrap());
        cases += 1;
        let path = Path::parse(selector);
        if case["invalid_selector"] == true {
            assert!(path.is_err(), "{name}: `{selector}` is none");
            continue;
        }
        let path = match path {
            Ok(path) => path,
            Err(bad) if asks_the_sender_for_a_pattern(&bad) => {
                ours += 1;
                continue;
            }
            Err(bad) => panic!("{name}: `{selector}`: {bad}"),
        };
        let raw = case["document"].to_string();
        let document = read(raw.as_bytes()).unwrap();
        let mut found = Vec::new();
        path.each(&document, Names::EXACT, &mut |node| found.push(node.to_value())).unwrap();
        let expected = case["results"].as_array().unwrap();
        assert!(expected.contains(&Value::from(found.clone())), "{name}: `{selector}` finds {found:?} in {raw}");
    }
    assert_eq!((cases, ours), (687, 6));
}

/// <https://www.rfc-editor.org/rfc/rfc9535#section-1.5>
#[test]
fn finds_what_the_rfc_finds_in_its_bookstore() {
    let store = r#"{"store": {"book": [
        {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
        {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
        {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99},
        {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings",
         "isbn": "0-395-19395-8", "price": 22.99}], "bicycle": {"color": "red", "price": 399}}}"#;
    let count = |path| found(path, store).unwrap().len();
    assert_eq!(count("$.store.book[*].author"), 4);
    assert_eq!(count("$..author"), 4);
    assert_eq!(count("$.store.*"), 2);
    assert_eq!(count("$.store..price"), 5);
    assert_eq!(found("$..book[2].author", store).unwrap(), ["Herman Melville"]);
    assert_eq!(count("$..book[2].publisher"), 0);
    assert_eq!(found("$..book[-1].title", store).unwrap(), ["The Lord of the Rings"]);
    assert_eq!(count("$..book[0,1]"), 2);
    assert_eq!(count("$..book[:2]"), 2);
    assert_eq!(count("$..book[?@.isbn]"), 2);
    assert_eq!(count("$..book[?@.price<10]"), 2);
    assert_eq!(count("$..*"), 27);
}

/// Each `..` in another multiplies what there is to visit.
#[test]
fn stops_at_the_limit_of_visits() {
    let raw = format!("[{}]", vec![r#"{"a":[1,2,3]}"#; 2000].join(","));
    assert_eq!(found("$..a[0]", &raw).unwrap().len(), 2000);
    assert_eq!(found("$[?count($..*) > 1]", &raw), Err(TooMany));
}

#[test]
fn says_where_reading_stopped() {
    let bad = |text| Path::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(bad("/a").at, 0);
    assert_eq!(bad("$.a b").at, 3);
    assert_eq!(bad("$[?@.a == 1 || ]").at, 15);
    assert_eq!(bad(&format!("$.{}", "a".repeat(600))).at, 0);
}
