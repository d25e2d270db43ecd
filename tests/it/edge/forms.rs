//! A form that streams by is read as it goes: nothing of a guarded name reaches the origin.

use super::support::*;
use hookwarden::guard::{Guards, Selector};
use std::fmt::Write as _;
use tokio::io::AsyncWriteExt as _;

/// Its routes are named in a head by nobody here.
async fn guarded_house(origin: &Origin) -> House {
    let rest = Selector::Rest("/shop/v1/orders".to_owned());
    house(origin.address, |policy| policy.guards = Guards::new([(rest, 0)])).await
}

fn form(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_form_that_names_a_guarded_endpoint_is_cut_and_answered() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = guarded_house(&origin).await;
    for body in ["rest_route=/shop/v1/orders&total=1", "a=b&rest%5Froute=%2Fshop%2Fv1%2Forders"] {
        let answer = ask_once(house.at, &form("/", body)).await;
        let heard = house.hears().await;
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains(&heard.request_id), "{answer}");
        assert_eq!((heard.code, heard.status), ("guarded_in_form", Some(403)));
    }
    assert!(origin.requests().is_empty(), "{:?}", origin.requests());
    assert!(!origin.bytes().contains("orders"), "{}", origin.bytes());
}

#[tokio::test]
async fn it_is_cut_in_the_middle_of_a_stream_as_well() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = guarded_house(&origin).await;
    let mut client = connect(house.at).await;
    let mut padding = String::new();
    for field in 0..5000 {
        write!(padding, "field{field}=value&").unwrap();
    }
    let request = form("/wp-admin/post.php", &format!("{padding}rest_route=/shop/v1/orders&x=y"));
    let (early, late) = request.split_at(request.len() - 20);
    client.write_all(early.as_bytes()).await.unwrap();
    until(|| origin.bytes().len() > 10_000).await;
    let answer = ask(&mut client, late).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(house.hears().await.code, "guarded_in_form");
    assert!(origin.requests().is_empty());
    let seen = origin.bytes();
    assert!(!seen.contains("rest_route=/") && !seen.contains("shop/v1"), "{}", &seen[seen.len() - 200..]);
}

#[tokio::test]
async fn other_forms_arrive_byte_for_byte() {
    let origin = Origin::start(Manner::Polite).await;
    let house = guarded_house(&origin).await;
    let mut client = connect(house.at).await;
    let long = format!("content={}&rest_route=/wp/v2/posts", "a%20b".repeat(60_000));
    for body in ["log=admin&pwd=x", "", "rest_route=/wp/v2/posts&title=rest_route", &long] {
        assert!(ask(&mut client, &form("/wp-login.php", body)).await.ends_with("ok"), "{body:.60}");
        assert!(origin.requests().pop().unwrap().ends_with(&format!("\r\n\r\n{body}")), "{body:.60}");
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn the_batch_endpoint_and_unclear_targets_are_refused() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = guarded_house(&origin).await;
    let answer = ask_once(house.at, "POST /wp-json/batch/v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(house.hears().await.code, "batch_refused");
    assert_eq!(origin.bytes(), "");
}
