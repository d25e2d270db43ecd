use super::{form::*, *};
use crate::request::Target;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method};
use proptest::prelude::*;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

const WC_API: usize = 0;
const REST: usize = 2;
const AJAX: usize = 3;
const PATH: usize = 4;
const KINDS: [&str; 5] = ["wc-api", "query", "rest", "ajax", "path"];

fn guards() -> Guards {
    let selectors = [
        Selector::wc_api("wc_stripe"),
        Selector::query("edd-listener=stripe"),
        Selector::rest("/vendor/v1/hook"),
        Selector::ajax("vendor_hook"),
        Selector::path("/mepr/notify"),
    ];
    Guards::new(selectors.into_iter().map(Result::unwrap).zip(0..))
}

fn head(method: &str, target: &str, content_type: Option<&str>) -> Option<Head> {
    let mut headers = http::HeaderMap::new();
    if let Some(value) = content_type {
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
    }
    Some(Head {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: Target::parse(target).ok()?,
        host: "shop.example".to_owned(),
        headers,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
    })
}

fn get(target: &str) -> Head {
    head("GET", target, None).unwrap()
}

fn find(target: &str) -> Found {
    guards().find(&get(target))
}

/// WordPress matches a REST route as a regular expression: `/shop/v1.0/orders` answers at `/shop/v1x0/orders`, and at
/// `/shop/v1/0/orders`.
#[test]
fn a_dot_in_a_rest_route_is_any_byte() {
    let routes =
        ["/shop/v1.0/orders", "/shop/v1.0/orders/new", "/shop/v1.0/orders.x", "/shop/v1x0/orders", "/plain/v1/x"];
    let selectors = routes.iter().map(|route| Selector::rest(route).unwrap());
    let guards = Guards::new(selectors.zip(0..));
    let found = |target: &str| guards.find(&get(target));
    for target in ["/wp-json/shop/v1.0/orders", "/?rest_route=/shop/v1-0/orders/7", "//wp-json/Shop/V1_0/Orders/"] {
        assert_eq!(found(target), Found::Guarded(0), "{target}");
    }
    assert_eq!(found("/wp-json/shop/v1/0/orders"), Found::Guarded(0), "a slash is a byte, too");
    assert_eq!(found("/wp-json/shop/v1.0/orders/new"), Found::Guarded(1), "the longer one is meant");
    assert_eq!(found("/wp-json/shop/v1.0/orders-x"), Found::Guarded(2));
    assert_eq!(found("/wp-json/shop/v1x0/orders"), Found::Ambiguous, "two routes answer here");
    assert_eq!(found("/wp-json/plain/v1/x"), Found::Guarded(4));
    for target in
        ["/wp-json/shop/v10/orders", "/wp-json/shop/v1..0/orders", "/wp-json/shop/v1.0/ordersx1", "/shop/v1.0/orders"]
    {
        assert_eq!(found(target), Found::Open, "{target}");
    }
    let form = head("POST", "/", Some("application/x-www-form-urlencoded")).unwrap();
    let Found::Form(kind) = guards.find(&form) else { panic!("forms can name REST routes") };
    let refused = |body: &'static [u8]| {
        guards.scanner(&form, kind.clone()).feed(&Bytes::from_static(body), true) == Verdict::Refuse
    };
    assert!(refused(b"rest_route=/shop/v1x0/orders"));
    assert!(!refused(b"rest_route=/shop/v10/orders"));
    for pattern in ["/shop/v1+", "/shop/v1?", "/shop/$", "/shop|x", "/a\\.b", "/a(b)", "/a[b]", "/a{2}", "/a.*"] {
        assert!(Selector::rest(pattern).is_err(), "{pattern}");
    }
}

/// Feeds a form in pieces that end where `cuts` say; what has passed, or nothing if it was refused.
fn scan(head: &Head, body: &[u8], cuts: &[usize]) -> Option<Vec<u8>> {
    let guards = guards();
    let Found::Form(kind) = guards.find(head) else { panic!("no form: {head:?}") };
    let mut scanner = guards.scanner(head, kind);
    let mut passed = BytesMut::new();
    let mut rest = Bytes::copy_from_slice(body);
    for cut in cuts {
        let piece = rest.split_to((*cut).min(rest.len()));
        let Verdict::Pass(bytes) = scanner.feed(&piece, false) else { return None };
        passed.extend_from_slice(&bytes);
    }
    let Verdict::Pass(bytes) = scanner.feed(&rest, true) else { return None };
    passed.extend_from_slice(&bytes);
    Some(passed.to_vec())
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

fn form(target: &str, content_type: &str) -> Head {
    head("POST", target, Some(content_type)).unwrap()
}

fn spellings() -> impl Iterator<Item = Value> {
    include_str!("../../tests/vectors/spellings.jsonl").lines().map(|line| serde_json::from_str(line).unwrap())
}

/// Each line says what it must be guarded as, and what a real WordPress did with it (`deploy/dev/spellings.php`).
#[test]
fn every_spelling_is_guarded_and_every_look_alike_passes() {
    let (mut guarded, mut passed, mut wrong) = (0, 0, Vec::new());
    for case in spellings() {
        let text = |key: &str| case[key].as_str();
        let body = text("body").unwrap_or_default().as_bytes();
        let want = text("guard").unwrap();
        let found = head(text("method").unwrap(), text("target").unwrap(), text("type"));
        let found = found.map(|head| (guards().find(&head), head));
        let ok = match (want, found) {
            ("none", Some((Found::Open, _))) => true,
            ("none", Some((Found::Form(_), head))) => scan(&head, body, &[]).as_deref() == Some(body),
            (_, None | Some((Found::Ambiguous, _))) | ("batch", Some((Found::Batch, _))) => want != "none",
            (kind, Some((Found::Form(_), head))) => kind.starts_with("form:") && scan(&head, body, &[]).is_none(),
            (kind, Some((Found::Guarded(route), _))) => KINDS[route] == kind,
            (_, Some((Found::Open | Found::Batch, _))) => false,
        };
        if !ok {
            wrong.push(case.to_string());
        }
        if want == "none" { passed += 1 } else { guarded += 1 }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(guarded >= 97 && passed >= 16, "{guarded} guarded, {passed} passed");
}

#[test]
fn what_reached_a_real_endpoint_is_in_the_table_as_guarded() {
    for case in spellings().filter(|case| !case["reaches"].is_null()) {
        assert_ne!(case["guard"], "none", "{case}");
    }
}

#[test]
fn the_method_does_not_matter() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let head = head(method, "/?wc-api=wc_stripe&_method=GET", None).unwrap();
        assert_eq!(guards().find(&head), Found::Guarded(WC_API), "{method}");
    }
}

#[test]
fn two_readings_that_mean_two_routes_are_ambiguous() {
    for target in [
        "/?wc-api=wc_stripe&edd-listener=stripe",
        "/mepr/notify/1?rest_route=/vendor/v1/hook",
        "/wc-api/wc_stripe/wp-json/vendor/v1/hook",
    ] {
        assert_eq!(find(target), Found::Ambiguous, "{target}");
    }
}

#[test]
fn batch_wins_over_a_guarded_route() {
    assert_eq!(find("/wp-json/vendor/v1/hook?rest_route=/batch/v1"), Found::Batch);
}

#[test]
fn batch_passes_where_no_rest_route_is_guarded() {
    let guards = Guards::new([(Selector::wc_api("x").unwrap(), 0)]);
    assert_eq!(guards.find(&get("/wp-json/batch/v1")), Found::Open);
}

#[test]
fn without_guards_everything_is_open() {
    let guards = Guards::new([]);
    assert_eq!(guards.find(&form("/?rest_route=/batch/v1", URLENCODED)), Found::Open);
    assert_eq!(Guards::default().find(&get("/%41")), Found::Open);
}

#[test]
fn of_nested_selectors_the_narrower_is_meant() {
    let paths = ["/hooks", "/hooks/stripe", "/other/end"];
    let guards = Guards::new(paths.into_iter().map(|path| Selector::path(path).unwrap()).zip(0..));
    assert_eq!(guards.find(&get("/x/hooks/github")), Found::Guarded(0));
    assert_eq!(guards.find(&get("/hooks/stripe/live")), Found::Guarded(1));
    assert_eq!(guards.find(&get("/hooks/stripe-other")), Found::Guarded(0));
    assert_eq!(guards.find(&get("/hooks/stripe/other/end")), Found::Ambiguous);
    assert_eq!(guards.find(&get("/hooks/a/hooks/b")), Found::Guarded(0));
    assert_eq!(guards.find(&get("/hook/stripe")), Found::Open);
}

#[test]
fn a_query_name_alone_means_any_value() {
    let selectors = [Selector::query("wppusher-hook").unwrap(), Selector::query("wppusher-hook=x").unwrap()];
    let guards = Guards::new(selectors.into_iter().zip(0..));
    for (target, route) in
        [("/?wppusher-hook", 0), ("/?wppusher-hook&token=a", 0), ("/?wppusher-hook=y", 0), ("/?wppusher-hook=x", 1)]
    {
        assert_eq!(guards.find(&get(target)), Found::Guarded(route), "{target}");
    }
}

/// A guard that is the only one of its kind is no less of one.
#[test]
fn a_form_reaches_no_guarded_endpoint_whichever_guard_is_alone() {
    for (selector, target, naming) in [
        (Selector::ajax("hook"), "/wp-admin/admin-ajax.php", "action=hook"),
        (Selector::wc_api("hook"), "/", "wc-api=hook"),
        (Selector::rest("/a/v1/hook"), "/", "rest_route=/a/v1/hook"),
    ] {
        let guards = Guards::new([(selector.unwrap(), 0)]);
        let fate = |content_type: &str, body: &str| {
            let head = form(target, content_type);
            let Found::Form(kind) = guards.find(&head) else { panic!("{target} is not looked into") };
            let mut scanner = guards.scanner(&head, kind.clone());
            (kind, matches!(scanner.feed(&Bytes::copy_from_slice(body.as_bytes()), true), Verdict::Pass(_)))
        };
        assert_eq!(fate(URLENCODED, naming), (Kind::Urlencoded, false), "{naming}");
        assert_eq!(fate(URLENCODED, "a=b"), (Kind::Urlencoded, true), "{naming}");
        assert_eq!(fate("multipart/form-data", naming), (Kind::Unreadable, false), "{naming}");
    }
}

#[test]
fn forms_are_looked_into_only_where_a_guard_could_be_named() {
    let query_only = Guards::new([(Selector::query("a=b").unwrap(), 0), (Selector::ajax("hook").unwrap(), 1)]);
    assert_eq!(query_only.find(&form("/", URLENCODED)), Found::Open);
    assert_eq!(query_only.find(&form("/wp-admin/admin-ajax.php", URLENCODED)), Found::Form(Kind::Urlencoded));
    assert_eq!(guards().find(&head("PUT", "/", Some(URLENCODED)).unwrap()), Found::Open);
    assert_eq!(guards().find(&form("/", "application/json")), Found::Open);
}

#[test]
fn a_form_that_readers_could_part_differently_is_unreadable() {
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a",
        "multipart/form-data; xboundary=a",
        "multipart/form-data; boundary=a b",
        "multipart/form-data, boundary=a",
    ] {
        let head = form("/", content_type);
        assert_eq!(guards().find(&head), Found::Form(Kind::Unreadable), "{content_type}");
        assert_eq!(scan(&head, b"x", &[]), None);
    }
    // One reader ends a line at a bare carriage return, and another reads on: what stands behind it may be a name.
    for odd in ["\r", "\0"] {
        let part = format!("--b\r\nContent-Disposition: form-data;{odd} name=\"x\"\r\n\r\n1\r\n--b--\r\n");
        let head = form("/", "multipart/form-data; boundary=b");
        assert_eq!(scan(&head, part.as_bytes(), &[]), None, "{odd:?}");
        assert!(scan(&head, part.replace(odd, "").as_bytes(), &[]).is_some());
    }
    let mut twice = form("/", URLENCODED);
    twice.headers.append(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    assert_eq!(guards().find(&twice), Found::Form(Kind::Unreadable));
    let mut coded = form("/", URLENCODED);
    coded.headers.append(http::header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(guards().find(&coded), Found::Form(Kind::Unreadable));
}

#[test]
fn nothing_behind_a_candidate_passes_before_it_is_classified() {
    let head = form("/", URLENCODED);
    let guards = guards();
    let mut scanner = guards.scanner(&head, Kind::Urlencoded);
    let mut feed = |text: &'static str| scanner.feed(&Bytes::from_static(text.as_bytes()), false);
    let pass = |text: &'static str| Verdict::Pass(Bytes::from_static(text.as_bytes()));
    assert_eq!(feed("a=b&rest_"), pass("a=b&"));
    assert_eq!(feed("route=/ven"), pass(""));
    assert_eq!(feed("ue&c=d"), pass("rest_route=/venue&c=d"));
    assert_eq!(feed("&rest_route=/vendor/v1/hook"), pass("&"));
    assert_eq!(feed("&"), Verdict::Refuse);
    assert_eq!(feed("x"), Verdict::Refuse);
}

#[test]
fn a_held_piece_over_its_limit_is_refused_and_json_sent_as_a_form_is_not() {
    let head = form("/", URLENCODED);
    assert_eq!(scan(&head, format!("rest_route={}", "/".repeat(5000)).as_bytes(), &[]), None);
    assert_eq!(scan(&head, " ".repeat(5000).as_bytes(), &[]), None);
    assert_eq!(scan(&head, format!("rest_route[{}", "x".repeat(5000)).as_bytes(), &[]), None);
    let json = format!("{{\"text\":\"{}\"}}", "x".repeat(5000));
    assert_eq!(scan(&head, json.as_bytes(), &[]).as_deref(), Some(json.as_bytes()));
}

#[test]
fn an_upload_streams_through_unheld() {
    let head = form("/wp-admin/async-upload.php", "multipart/form-data; boundary=----x");
    let guards = guards();
    let Found::Form(kind) = guards.find(&head) else { panic!("no form") };
    let mut scanner = guards.scanner(&head, kind);
    let begin = "------x\r\nContent-Disposition: form-data; name=\"async-upload\"; filename=\"a.jpg\"\r\n\r\n";
    assert!(matches!(scanner.feed(&Bytes::from(begin), false), Verdict::Pass(bytes) if bytes == begin));
    let chunk = Bytes::from("\r\n------y-\n--\r\n".repeat(4096));
    for _ in 0..1100 {
        assert!(matches!(scanner.feed(&chunk, false), Verdict::Pass(bytes) if bytes.len() == chunk.len()));
    }
    assert!(matches!(scanner.feed(&Bytes::from("\r\n------x--\r\n"), true), Verdict::Pass(bytes) if bytes.len() == 13));
}

#[test]
fn a_guarded_routes_own_form_may_name_it_again_but_no_other() {
    let head = form("/wp-admin/admin-ajax.php?action=vendor_hook", URLENCODED);
    let strays = |body: &'static str| guards().strays(&head, &Bytes::from(body), AJAX);
    assert!(!strays("action=vendor_hook&x=y"));
    assert!(!strays("x=y"));
    assert!(strays("rest_route=/vendor/v1/hook"));
    assert!(strays("rest_route=/batch/v1"));
    assert!(!guards().strays(&get("/?wc-api=wc_stripe"), &Bytes::from("rest_route=/vendor/v1/hook"), WC_API));
}

#[test]
fn a_selector_is_brought_into_the_form_that_is_compared() {
    let shown = |made: Result<Selector, String>| made.unwrap().to_string();
    assert_eq!(shown(Selector::path("/Hooks/Stripe/")), "path: /hooks/stripe");
    assert_eq!(shown(Selector::wc_api("WC_Stripe")), "wc-api: wc_stripe");
    assert_eq!(shown(Selector::rest("/Shop/v1/orders/")), "rest: /shop/v1/orders");
    assert_eq!(shown(Selector::query("edd.listener=Stripe")), "query: edd_listener=stripe");
    assert_eq!(shown(Selector::ajax("stripe_webhook")), "ajax: stripe_webhook");
}

#[test]
fn a_selector_that_would_miss_spellings_names_the_one_that_does_not() {
    let refused = |made: Result<Selector, String>| made.unwrap_err();
    assert!(refused(Selector::path("/wp-json/shop/v1/orders")).contains("`rest: /shop/v1/orders`"));
    assert!(refused(Selector::path("/wc-api/wc_stripe")).contains("`wc-api: wc_stripe`"));
    assert!(refused(Selector::path("/wp-admin/admin-ajax.php")).contains("`ajax: ACTION`"));
    assert!(refused(Selector::query("wc-api=wc_stripe")).contains("`wc-api: wc_stripe`"));
    assert!(refused(Selector::query("rest_route=/a/v1")).contains("`rest: /a/v1`"));
    assert!(refused(Selector::rest("/wp-json/shop/v1")).contains("`rest: /shop/v1`"));
    assert!(refused(Selector::path("hooks")).contains("write `/hooks`"));
    for made in [
        Selector::path("/"),
        Selector::path("/a?b"),
        Selector::path("/a//b"),
        Selector::path("/a/../b"),
        Selector::path("/a%20"),
        Selector::path("/ä"),
        Selector::rest("/"),
        Selector::rest("/batch/v1"),
        Selector::rest("/a/(?P<id>x)"),
        Selector::wc_api(""),
        Selector::wc_api("/?wc-api=x"),
        Selector::query("?a=b"),
        Selector::query("=b"),
        Selector::query("a=b&c=d"),
        Selector::query("a=ä"),
        Selector::ajax("a/b"),
    ] {
        made.unwrap_err();
    }
}

#[test]
fn a_selector_covers_what_could_never_be_told_from_it() {
    let path = |text| Selector::path(text).unwrap();
    let rest = Selector::rest("/shop/v1/orders").unwrap();
    assert!(path("/a").covers(&path("/A/")));
    assert!(!path("/a").covers(&path("/a/b")), "the narrower one wins");
    assert!(path("/shop/v1").covers(&rest));
    assert!(!path("/shop/v1/order").covers(&rest));
    assert!(path("/wc_stripe").covers(&Selector::wc_api("wc_stripe").unwrap()));
    assert!(path("/wp-admin").covers(&Selector::ajax("x").unwrap()));
    assert!(Selector::query("action").unwrap().covers(&Selector::ajax("x").unwrap()));
    assert!(!Selector::query("a=b").unwrap().covers(&Selector::query("a=c").unwrap()));
}

/// Writes some characters as escapes; `depth` times over.
fn escaped(text: &str, which: u64, depth: usize) -> String {
    let mut text = text.to_owned();
    for layer in 0..depth {
        let escape =
            |(at, byte): (usize, u8)| match which.rotate_left(u32::try_from(layer * 7).unwrap()) >> (at % 64) & 1 {
                0 if byte != b'%' || layer == 0 => char::from(byte).to_string(),
                _ => format!("%{byte:02x}"),
            };
        text = text.bytes().enumerate().map(escape).collect();
    }
    text
}

fn cased(text: &str, which: u64) -> String {
    let upper = |at: usize| which >> (at % 64) & 1 == 1;
    text.chars().enumerate().map(|(at, char)| if upper(at) { char.to_ascii_uppercase() } else { char }).collect()
}

proptest! {
    #[test]
    fn no_encoding_of_a_path_escapes(which in any::<u64>(), case in any::<u64>(), depth in 0usize..4, kind in 0usize..4) {
        let (path, route) = [("mepr/notify/1/whk", PATH), ("wc-api/wc_stripe", WC_API), ("wp-json/vendor/v1/hook", REST), ("wp-admin/admin-ajax.php", AJAX)][kind];
        let target = format!("/{}?action=vendor_hook", escaped(&cased(path, case), which, depth));
        prop_assert_eq!(find(&target), Found::Guarded(route), "{}", target);
    }

    #[test]
    fn no_slashes_dots_or_detours_escape(parts in proptest::collection::vec(0usize..6, 4), kind in 0usize..3) {
        let (path, route) = [("mepr/notify/1", PATH), ("x/wc-api/wc_stripe", WC_API), ("wp-json/vendor/v1/hook", REST)][kind];
        let between = ["/", "//", "/./", "/a/../", "/%2e/", "/a/%2E%2e//"];
        let pieces = path.split('/').zip(parts.iter().cycle()).flat_map(|(segment, part)| [between[*part], segment]);
        let target: String = pieces.collect();
        prop_assert_eq!(find(&target), Found::Guarded(route), "{}", target);
    }

    #[test]
    fn no_encoding_of_a_parameter_escapes(which in any::<u64>(), blanks in 0usize..4, dot in 0usize..4, junk in "[a-z&=%+;]{0,12}") {
        let name = escaped(["rest_route", "rest.route", "rest route", "rest[route"][dot], which, 1).replace(' ', "+");
        let target = format!("/x?{junk}&{}{name}={}", "+".repeat(blanks), escaped("/vendor/v1/hook", which.rotate_left(9), 1));
        prop_assert_eq!(find(&target), Found::Guarded(REST), "{}", target);
        let body = target.split_once('?').unwrap().1;
        prop_assert_eq!(scan(&form("/", URLENCODED), body.as_bytes(), &[]), None);
    }

    #[test]
    fn pieces_of_any_size_have_one_outcome(which in 0usize..400, cuts in proptest::collection::vec(0usize..40, 0..60)) {
        let cases: Vec<Value> = spellings().filter(|case| case["body"].is_string()).collect();
        let case = &cases[which % cases.len()];
        let text = |key: &str| case[key].as_str().unwrap();
        let head = form(text("target"), text("type"));
        if let Found::Form(_) = guards().find(&head) {
            let body = text("body").as_bytes();
            let whole = scan(&head, body, &[]);
            prop_assert!(whole.as_deref().is_none_or(|passed| passed == body));
            prop_assert_eq!(scan(&head, body, &cuts), whole, "{}", case);
        }
    }

    #[test]
    fn any_bytes_have_one_outcome_and_pass_whole(
        body in "(--b|\r\n|\n|-|Content-Disposition: form-data; name=\"(a|action|rest_route)\"|/vendor/v1/hook|x){0,14}(\r\n--b--)?",
        cuts in proptest::collection::vec(0usize..12, 0..60),
        multipart in any::<bool>(),
    ) {
        let head = form("/wp-admin/admin-ajax.php", if multipart { "multipart/form-data; boundary=b" } else { URLENCODED });
        let whole = scan(&head, body.as_bytes(), &[]);
        prop_assert!(whole.as_deref().is_none_or(|passed| passed == body.as_bytes()));
        prop_assert_eq!(scan(&head, body.as_bytes(), &cuts), whole);
    }
}
