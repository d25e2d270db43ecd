//! What a slip on a command line, or a place that cannot be written, is told with.

use super::{Bench, POLICY, name};
use std::{net::TcpListener, os::unix::fs::PermissionsExt as _};

/// What is said on standard error, with the exit code of a failure or of a wrong command line.
fn told(bench: &Bench, arguments: &[&str], code: i32) -> String {
    let ran = bench.run(arguments);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    ran.err
}

#[test]
fn an_address_that_is_none_is_told_with_one_that_is() {
    let bench = Bench::new(&[]);
    for option in ["--listen", "--admin"] {
        let told = told(&bench, &["run", option, "80", "--upstream", "http://127.0.0.1:8080"], 2);
        assert!(told.contains("write an IP address and a port, such as `127.0.0.1:8000`"), "{told}");
    }
}

#[test]
fn who_sends_to_nobody_hears_where_nobody_listens() {
    let bench = Bench::new(&[("key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
    let key = format!("file:{}", name(&bench.path("key")));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // and closes it again
    let send = |url: &str| told(&bench, &["send", "--provider", "standard-webhooks", "--key", &key, url], 1);
    let url = format!("http://{nobody}/hooks/shop");
    let told = send(&url);
    assert!(
        told.contains(&format!("cannot connect to `{nobody}`, where `{url}` is; does the gate listen there?")),
        "{told}"
    );
    assert!(send("ftp://shop.example/").contains("write `http://` or `https://`"));
}

#[test]
fn a_spool_that_cannot_be_made_is_told_by_its_key() {
    let bench = Bench::new(&[("file", "")]);
    bench.write("key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    std::fs::set_permissions(bench.path("key"), std::fs::Permissions::from_mode(0o400)).unwrap();
    let policy = POLICY.replace("env:SHOP_SECRET", &format!("\"file:{}\"", name(&bench.path("key"))));
    bench.write("gate.yaml", &policy.replace("folder: spool", "folder: file/spool"));
    let told = told(&bench, &["run", "gate.yaml"], 3);
    assert!(told.contains("`spool: { folder: ... }` must name a folder that the gate may write to"), "{told}");
}

#[test]
fn the_language_is_written_into_a_folder_that_was_not_there() {
    let bench = Bench::new(&[("file", "")]);
    assert_eq!(bench.run(&["schema", "--write", "a/b"]).code, Some(0));
    assert!(bench.path("a/b/gate.schema.json").is_file());
    let told = told(&bench, &["schema", "--write", "file/b"], 1);
    assert!(told.contains("cannot make the folder `file/b`"), "{told}");
}

#[test]
fn each_verb_knows_the_spool_by_both_of_its_names() {
    let bench = Bench::new(&[]);
    for option in ["--folder", "--spool"] {
        let told = told(&bench, &["spool", "ls", option, "nowhere"], 1);
        assert!(told.contains("`nowhere`"), "{told}");
        let told = self::told(&bench, &["policy", "show", option, "nowhere"], 1);
        assert!(told.contains("no gate runs on the spool `nowhere`"), "{told}");
    }
}

#[test]
fn an_unknown_sender_is_asked_about() {
    let bench = Bench::new(&[]);
    let ran = bench.run(&["providers", "show", "githubb"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("unknown sender `githubb`; did you mean `github`?"), "{ran:?}");
    let ran = bench.run(&["providers", "show", "zzz"]);
    assert!(ran.err.contains("unknown sender `zzz`; `hookwarden providers` lists them"), "{ran:?}");
    let ran = bench.run(&["sign", "http://127.0.0.1/", "--provider", "strip", "--key", "env:A"]);
    assert!(ran.err.contains("did you mean `stripe`?"), "{ran:?}");
}

/// As the README writes the commands: in the folder of the policy, without a word about where the spool is.
#[test]
fn a_verb_finds_the_spool_by_the_policy() {
    let bench = Bench::new(&[("gate.yaml", &POLICY.replace("folder: spool", "folder: queue"))]);
    bench.write("other.yaml", "spool: { folder: other }\n");
    for (arguments, place) in [
        (
            &["spool", "ls"][..],
            "`queue` (as `gate.yaml` says); name its folder with --spool, or the policy with --policy",
        ),
        (&["spool", "ls", "--policy", "other.yaml"], "`other` (as `other.yaml` says)"),
        (&["spool", "retry", "evt_1"], "`queue` (as `gate.yaml` says)"),
        (&["policy", "show"], "no gate runs on the spool `queue` (as `gate.yaml` says)"),
        (&["policy", "show", "other.yaml"], "`other` (as `other.yaml` says)"),
        (&["policy", "reload", "--policy", "other.yaml"], "`other` (as `other.yaml` says)"),
        (&["observe", "report"], "`queue` (as `gate.yaml` says)"),
        (&["handshake", "arm", "shop", "--policy", "other.yaml"], "`other` (as `other.yaml` says)"),
    ] {
        let told = told(&bench, arguments, 1);
        assert!(told.contains(place), "{arguments:?}: {told}");
    }
    for both in [&["--policy", "other.yaml", "--spool", "other"][..], &["--env", "prod", "--spool", "other"]] {
        let told = told(&bench, &[&["spool", "ls"], both].concat(), 2);
        assert!(told.contains("cannot be used with"), "{told}");
    }
    std::fs::remove_file(bench.path("gate.yaml")).unwrap();
    let told = told(&bench, &["spool", "ls"], 1);
    assert!(told.contains("`hookwarden-spool` (no `gate.yaml` here says another)"), "{told}");
}

/// An empty queue of a route that there is, and a slip of the finger, are told apart.
#[test]
fn a_route_or_a_destination_that_nobody_has_is_told_with_what_was_meant() {
    let bench = Bench::new(&[("gate.yaml", POLICY)]);
    std::fs::create_dir(bench.path("spool")).unwrap();
    bench.write("spool/lock", "");
    for (arguments, told) in [
        (&["spool", "drop", "--route", "shap"][..], "the policy has no route `shap`"),
        (&["spool", "retry", "--route", "shap", "--dry-run"], "the policy has no route `shap`"),
        (&["spool", "ls", "--route", "shap"], "the policy has no route `shap`"),
        (&["spool", "export", "--route", "shap"], "the policy has no route `shap`"),
        (&["spool", "redeliver", "--route", "shap"], "the policy has no route `shap`"),
        (&["spool", "drop", "--destination", "wordpres"], "the policy has no destination `wordpres`"),
        (&["spool", "redeliver", "--route", "shop", "--to", "wordpres"], "the policy has no destination `wordpres`"),
        (&["spool", "drop", "--route", "shap", "--spool", "spool"], "no event in the spool has the route `shap`"),
        (&["spool", "drop", "--route", "shop"], "no dead letter is such"),
    ] {
        let err = self::told(&bench, arguments, 1);
        assert!(err.contains(told), "{arguments:?}: {err}");
        let meant = if told.starts_with("the policy") { "; did you mean `" } else { "" };
        assert!(err.contains(meant), "{arguments:?}: {err}");
    }
    for arguments in [&["spool", "ls", "--route", "shop"][..], &["spool", "ls", "--route", "shap", "--spool", "spool"]]
    {
        assert_eq!(bench.run(arguments).code, Some(0), "{arguments:?}");
    }
}

#[test]
fn a_key_is_not_handed_over_into_a_place_that_others_rule() {
    let bench = Bench::new(&[]);
    let above = bench.path("above");
    std::fs::create_dir_all(above.join("keys")).unwrap();
    let policy = POLICY
        .replace(
            "sender: { provider: standard-webhooks, keys: shop }",
            "sender: { provider: asana, keys: shop }, repeats: { remember: 72h }",
        )
        .replace("env:SHOP_SECRET", &format!("\"handed:{}\"", name(&above.join("keys/asana"))));
    bench.write(
        "gate.yaml",
        &format!("{policy}listeners: [{{ on: \"127.0.0.1:0\" }}]\nadmin: {{ on: \"127.0.0.1:0\" }}\n"),
    );
    let keys = || bench.run(&["check", "gate.yaml", "--keys"]);
    assert_eq!(keys().code, Some(0), "{:?}", keys());
    std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o777)).unwrap();
    let why = format!("others may write to `{}` (mode 0777); run `chmod go-w {0}`", above.display());
    let checked = keys();
    assert!(checked.code == Some(3) && checked.out.contains(&why), "{checked:?}");
    assert!(checked.out.contains("gate.yaml:4:"), "{checked:?}");
    let started = told(&bench, &["run", "gate.yaml"], 3);
    assert!(started.contains(&why), "{started}");
}
