//! What the author of an entry hears of a call that would not do what is meant: each slip alone, and nothing else with it.

use super::vendors::entry;
use hookwarden::verify::Provider;

fn told_of(text: &str) -> Vec<String> {
    let wrong = Provider::from_yaml(text).err().unwrap_or_default();
    wrong.into_iter().map(|mistake| mistake.message).collect()
}

fn told(call: &str) -> Vec<String> {
    told_of(&entry("own", "hmac-sha256", &format!("[{{ name: a, {call} }}]")))
}

/// Each of these alone is wrong with an entry that is good without it.
fn each(slips: &[(&str, &str)]) {
    for (call, what) in slips {
        let told = told(call);
        assert!(matches!(told.as_slice(), [one] if one.contains(what)), "{call}: {what}: {told:?}");
    }
}

#[test]
fn why_a_call_is_answered_has_all_that_belongs_to_it() {
    const ARMED: &str = "when: { present: ['header:X-K'] }, proof: armed";
    assert_eq!(told(&format!("{ARMED}, key: 'header:X-K'")), [""; 0]);
    each(&[
        ("when: { has: [/a] }, proof: signature, token: 'query:a'", "goes with `proof: verify_token` alone"),
        ("when: { has: [/a] }, proof: signature, key: 'header:X-K'", "goes with `proof: armed` alone"),
        ("when: { has: [/a] }, proof: verify_token", "where is it? write `token: query:NAME`"),
        ("when: { has: [/a] }, proof: verify_token, token: a", "cannot read `a`"),
        ("when: { present: ['query:k'] }, proof: armed, key: 'query:k'", "a key in a URL is in every log"),
        (ARMED, "where is the key? write `key: header:NAME`"),
        (&format!("{ARMED}, key: X-K"), "did you mean `header:X-K`?"),
        (
            &format!("{ARMED}, key: 'header:X-K', reply: {{ text: [{{ hmac_hex: 'header:X-K' }}] }}"),
            "there is no key yet to make a keyed digest with",
        ),
        ("when: { header: { X-A: b } }, proof: signature", "anyone can change a header or a query"),
        ("when: { query: { a: b }, lacks: [/a] }, proof: nothing", "its body is not read"),
    ]);
    let armed = entry("own", "sha256", &format!("[{{ name: a, {ARMED}, key: 'header:X-K' }}]"));
    let told = told_of(&armed.replace("[body]", "[secret, body]"));
    assert!(matches!(told.as_slice(), [one] if one.contains("this sender's key is no shared secret")), "{told:?}");
}

#[test]
fn by_what_a_call_is_told_could_be_there() {
    let value = "is held against a text, a number or `true` alone";
    each(&[
        ("when: { has: [/a], lacks: [/a] }, proof: nothing", "`/a` cannot be there and be missing"),
        ("when: { json: { /a: b }, lacks: [/a] }, proof: nothing", "`/a` cannot be there and be missing"),
        ("when: { json: { /a: {} } }, proof: nothing", value),
        ("when: { json: { /a: [] } }, proof: nothing", value),
        ("when: { json: { /a: null } }, proof: nothing", value),
        ("when: { json: { a: b } }, proof: nothing", "`a` is no JSON Pointer"),
        ("when: { has: [a] }, proof: nothing", "`a` is no JSON Pointer"),
        ("when: { has: [/a], lacks: [b] }, proof: nothing", "`b` is no JSON Pointer"),
        ("when: { header: { X-A: b, x-a: c } }, proof: nothing", "`x-a` is held against two values"),
        ("when: { header: { Connection: b } }, proof: nothing", "belongs to one connection"),
        ("when: { form: [' a'] }, proof: nothing", "no name of a field"),
        ("when: { query: { 'a&b': c } }, proof: nothing", "no name of a parameter"),
        ("when: { has: [/a] }, proof: nothing, texts: { chars: letters }", "unknown kind of text `letters`"),
        ("when: { has: [/a] }, proof: nothing, texts: { bytes_max: 0 }", "from 1 to 512 bytes"),
    ]);
}

#[test]
fn where_an_operator_is_led_is_said_whole() {
    let call = |show: &str| format!("when: {{ has: [/a] }}, proof: nothing, show: {{ {show} }}");
    assert_eq!(told(&call("url: 'json:/a', hosts: [a.example, .b.example]")), [""; 0]);
    each(&[(&call("url: 'json:a', hosts: [a.example]"), "`a` is no JSON Pointer")]);
    for host in ["Vendor.example", ".com", "a.example:8", "a.example/b", "a.example?b", "."] {
        each(&[(&call(&format!("url: 'json:/a', hosts: ['{host}']")), &format!("`{host}` is no host"))]);
    }
}

#[test]
fn what_goes_back_is_something_that_a_vendor_could_read() {
    let call = |reply: &str| format!("when: {{ has: [/a] }}, proof: nothing, reply: {{ {reply} }}");
    let field = |made: &str| call(&format!("headers: {{ X-A: {{ {made} }} }}"));
    for good in
        ["status: 299", "status: 204", "text: [{ is: 1 }, { echo: 'header:X-A' }]", "members: { a: { is: [1] } }"]
    {
        assert_eq!(told(&call(good)), [""; 0], "{good}");
    }
    let line = "`X-A` holds one line of ASCII";
    each(&[
        (&call("status: 199"), "a status from 200 to 299"),
        (&call("status: 300"), "a status from 200 to 299"),
        (&call("status: 204, text: [{ is: a }]"), "an answer with 204 has no body"),
        (&call("status: 205, echo: 'json:/a'"), "an answer with 205 has no body"),
        (&call("status: 204, members: { a: { is: 1 } }"), "an answer with 204 has no body"),
        (&call("echo: a"), "cannot read `a`"),
        (&call("text: [{ echo: a }]"), "cannot read `a`"),
        (&call("text: [{ config: 'a b' }]"), "no name that a policy could write"),
        (&call("members: { b: {} }"), "how is `b` made?"),
        (&call("members: { b: { is: 1, echo: 'json:/a' } }"), "how is `b` made?"),
        (&field("echo: a"), "cannot read `a`"),
        (&field("is: ä"), line),
        (&field("is: ' a'"), line),
        (&field("is: [1]"), line),
        (&field("is: { a: 1 }"), line),
        (&field("is: 1, prefix: ä"), line),
    ]);
    for digest in ["hmac_hex", "hmac_base64"] {
        let call = |from: &str| {
            format!("when: {{ has: [/a] }}, proof: signature, reply: {{ members: {{ b: {{ {digest}: {from} }} }} }}")
        };
        assert_eq!(told(&call("'json:/a'")), [""; 0], "{digest}");
        each(&[(&call("a"), "cannot read `a`")]);
    }
}
