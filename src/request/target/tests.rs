use super::*;
use proptest::prelude::*;

fn readings(raw: &str) -> Vec<String> {
    let mut seen = Vec::new();
    Target::parse(raw).unwrap().each_path(|segments| {
        let text: Vec<_> = segments.iter().map(|segment| String::from_utf8_lossy(segment)).collect();
        seen.push(text.join("/"));
    });
    seen
}

fn parameters(query: &str) -> Vec<(String, String)> {
    let text = |bytes: Cow<'_, [u8]>| String::from_utf8_lossy(&bytes).into_owned();
    let target = Target::parse(&format!("/?{query}")).unwrap();
    target.parameters().map(|(name, value)| (text(name), text(value))).collect()
}

#[test]
fn path_and_query_are_parted_at_the_first_question_mark() {
    let target = Target::parse("/a/b?c=d?e").unwrap();
    assert_eq!((target.raw(), target.path(), target.query()), ("/a/b?c=d?e", "/a/b", "c=d?e"));
    assert_eq!(Target::parse("/").unwrap().query(), "");
}

#[test]
fn an_absolute_target_has_the_path_behind_its_host() {
    let target = Target::parse("HTTP://shop.example:8080/a?b").unwrap();
    assert_eq!((target.authority(), target.path(), target.query()), (Some("shop.example:8080"), "/a", "b"));
    let bare = Target::parse("https://shop.example?b").unwrap();
    assert_eq!((bare.path(), bare.query()), ("/", "b"));
    assert_eq!(Target::parse("/http://x/").unwrap().authority(), None);
}

#[test]
fn the_asterisk_is_a_target_and_nothing_that_begins_with_it() {
    assert_eq!(Target::parse("*").unwrap().path(), "*");
    assert_eq!(Target::parse("*/a"), Err(Rejection::TargetUnclear));
}

#[test]
fn what_cannot_be_read_surely_is_refused() {
    let unclear = [
        "",
        "a",
        "host:443",
        "ftp://host/",
        "http://",
        "http:///a",
        "http://u@host/",
        "/%00",
        "/%zz",
        "/%",
        "/%4",
        "/a\\b",
        "/a b",
        "/a\tb",
        "/a\0",
        "/a#b",
        "/?a#b",
        "/?a b",
        "/ä",
        "http://hö/",
        "/a%2",
        "http://a\\b/",
        "/\u{7f}",
    ];
    for raw in unclear {
        assert_eq!(Target::parse(raw), Err(Rejection::TargetUnclear), "{raw:?}");
    }
}

#[test]
fn queries_pass_as_browsers_write_them() {
    for raw in ["/?a=%zz", "/?a=\\|{}^`", "/?%", "/?a=%00", "/?ä=ö", "/?a[]=1&a[]=2"] {
        assert_eq!(Target::parse(raw).unwrap().raw(), raw);
    }
}

#[test]
fn an_ordinary_path_has_one_reading() {
    assert_eq!(readings("/2024/01/plain-post/"), ["2024/01/plain-post"]);
    assert_eq!(readings("/?a=%41"), [""]);
}

#[test]
fn every_layer_of_escapes_is_a_reading() {
    assert_eq!(readings("/a%252Fb"), ["a%252fb", "a%2fb", "a/b"]);
}

#[test]
fn dots_are_read_as_they_stand_and_resolved_in_both_orders() {
    assert_eq!(readings("/a//../b"), ["a/../b", "b", "a/b"]);
    assert_eq!(readings("/a/./b"), ["a/b"]);
    assert!(readings("/x/%2e%2e/a").contains(&"a".to_owned()));
    assert!(readings("/../../a").contains(&"a".to_owned()));
}

#[test]
fn an_encoded_backslash_is_a_slash_and_an_encoded_question_mark_cuts() {
    assert!(readings("/a%5cb").contains(&"a/b".to_owned()));
    assert!(readings("/a/b%3fc").contains(&"a/b".to_owned()));
}

/// The expected values are what PHP 8.2's `parse_str` gives; tests/it holds many more against PHP itself.
#[test]
fn parameters_are_named_as_php_names_them() {
    let named = |query: &str| parameters(query).remove(0).0;
    for query in
        ["rest_route=", "rest.route=", "rest+route", "rest[route=", "%20+rest_route", "rest_route%00x=", "rest%5Broute"]
    {
        assert_eq!(named(query), "rest_route", "{query}");
    }
    for (query, name) in
        [("a[x]", "a"), ("a[]", "a"), ("a.b[c.d]", "a_b"), ("a[b.c[d", "a_b_c_d"), ("[a", ""), ("a]b", "a]b")]
    {
        assert_eq!(named(query), name, "{query}");
    }
}

#[test]
fn every_value_of_a_name_is_shown_and_semicolons_part_too() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(parameters("&a=1&&a=2=3&b"), [pair("a", "1"), pair("a", "2=3"), pair("b", "")]);
    assert!(parameters("x=1;a=2").contains(&pair("a", "2")));
}

#[test]
fn debug_keeps_the_query_to_itself() {
    assert!(!format!("{:?}", Target::parse("/a?token=hush").unwrap()).contains("hush"));
}

proptest! {
    #[test]
    fn what_is_taken_keeps_its_bytes_and_is_taken_again(raw in "[ -~]{0,40}|/[-~%.a-f0-9/?&=\\[]{0,40}") {
        if let Ok(target) = Target::parse(&raw) {
            prop_assert_eq!(target.raw(), &raw);
            prop_assert_eq!(Target::parse(target.raw()), Ok(target.clone()));
            target.each_path(|segments| assert!(segments.iter().all(|segment| !segment.is_empty())));
            prop_assert!(target.parameters().count() <= 2 * raw.len());
        }
    }

    #[test]
    fn decoding_undoes_any_encoding(text in proptest::collection::vec(any::<u8>(), 0..40), which in any::<u64>()) {
        let encoded: Vec<u8> = text.iter().enumerate().flat_map(|(at, byte)| {
            let plain = byte.is_ascii_alphanumeric() && which >> (at % 64) & 1 == 0;
            if plain { vec![*byte] } else { format!("%{byte:02X}").into_bytes() }
        }).collect();
        prop_assert_eq!(php::decode(&encoded).into_owned(), text);
    }
}
