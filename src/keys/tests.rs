mod kinds;
mod known;

use super::{KeyError, Trouble, Whose, check, errors_in, load, of_destinations, own};
use crate::{
    clock::Timestamp,
    policy::{Policy, tests::compiled},
    secret::Secret,
    verify::Keys,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

const NOW: Timestamp = Timestamp::from_unix_s(1_795_478_400);

fn policy(entries: &str, rest: &str) -> Policy {
    let text = format!(
        "routes: {{ shop: {{ at: {{ path: /a }}, sender: {{ provider: stripe, keys: shop }} }} }}\n\
         keys: {{ shop: [{entries}] }}\n\
         destinations: {{ wordpress: {{ url: 'http://127.0.0.1/', sign: 'env:WP' }} }}\n{rest}"
    );
    compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy
}

fn environment(name: &str) -> Option<String> {
    match name {
        "SHOP" => Some("a secret of the shop's own\n".to_owned()),
        "OWN" => Some("a secret of the gate's own".to_owned()),
        "WP" => Some("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()),
        "SHORT" => Some("hunter2".to_owned()),
        "BLANK" => Some(" \n".to_owned()),
        _ => None,
    }
}

fn trouble(from: &str) -> String {
    let policy = policy(&format!("{{ id: live, from: '{from}' }}"), "secret: env:OWN");
    let errors = load(&policy, &environment, NOW).err().expect("must be refused");
    assert_eq!(errors.len(), 1);
    errors[0].to_string()
}

fn file(folder: &Path, name: &str, content: &str, mode: u32) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    format!("file:{}", path.display())
}

#[test]
fn a_key_comes_from_the_environment_without_its_last_newline() {
    let policy = policy("{ id: live, from: env:SHOP }", "secret: env:OWN");
    let (keys, warnings) = load(&policy, &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(warnings, []);
    let names: Vec<_> = keys.in_force("shop/stripe", NOW).map(|key| key.id.as_str()).collect();
    assert_eq!(names, ["live"]);
    assert_eq!(keys.memory().len_bytes(), "a secret of the gate's own".len());
}

#[test]
fn a_file_that_others_may_read_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let open = file(folder.path(), "open", "a secret of the shop's own", 0o640);
    let path = folder.path().join("open");
    let expected = format!(
        "key `live` of `shop`: `{0}` is open to others (mode 0640); run `chmod 0400 {0}` (for a secret's volume in \
         Kubernetes set `defaultMode: 0400`)",
        path.display()
    );
    assert_eq!(trouble(&open), expected);
}

#[test]
fn a_link_is_followed_to_a_private_file() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "..data", "a secret of the shop's own\r\n", 0o400);
    symlink("..data", folder.path().join("key")).unwrap();
    let policy = policy(&format!("{{ id: live, from: 'file:{}/key' }}", folder.path().display()), "secret: env:OWN");
    assert!(load(&policy, &environment, NOW).is_ok());
}

#[test]
fn what_cannot_be_a_secret_is_refused_by_its_label() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        trouble("env:NONE"),
        "key `live` of `shop`: `env:NONE` is not set; set the variable where the gate is started, or write `file:/path`"
    );
    assert_eq!(trouble("env:BLANK"), "key `live` of `shop`: it is empty or blank; everybody could sign with it");
    let blank = file(folder.path(), "blank", "\n\n", 0o600);
    assert!(trouble(&blank).ends_with("it is empty or blank; everybody could sign with it"));
    let long = file(folder.path(), "long", &"a".repeat(64 * 1024 + 1), 0o600);
    assert!(trouble(&long).ends_with("has more than 65536 bytes, so it is something else"));
    assert!(trouble(&format!("file:{}", folder.path().display())).ends_with("is not a file"));
    assert!(trouble("file:/no/such/file").contains("`/no/such/file`: "));
}

#[test]
fn a_pipe_does_not_hold_up_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(trouble(&format!("file:{}", pipe.display())).ends_with("is not a file"));
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_nothing_of_a_secret() {
    let policy = policy("{ id: a, from: env:NONE }, { id: b, from: env:BLANK }", "secret: env:ALSO_NONE");
    let errors = load(&policy, &environment, NOW).err().unwrap();
    let whose: Vec<_> = errors.iter().map(|KeyError { whose, .. }| whose.to_string()).collect();
    assert_eq!(whose, ["key `a` of `shop`", "key `b` of `shop`", "the gate's own secret"]);
}

/// A person looks for it in the policy, and finds the line.
#[test]
fn a_secret_that_is_not_there_is_told_where_the_policy_names_it() {
    let text = "routes:
  shop: { at: { path: /a }, sender: { provider: github, keys: shop }, repeats: { remember: 72h } }
keys:
  shop:
    - { id: old, from: env:NONE, retire: 2026-01-01 }
    - { id: live, from: env:NONE }
    - { id: short, from: env:SHORT }
destinations: { wordpress: { url: 'http://w/', sign: env:NO_SIGN } }
secret: env:NO_OWN
";
    let source = crate::policy::Source::one("gate.yaml", text);
    let policy = crate::policy::tests::compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let errors = check(&policy, &environment, NOW).unwrap_err();
    let told = errors_in(&source, &policy, &errors);
    let told: Vec<_> = told.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.message)).collect();
    let way_out = "set the variable where the gate is started, or write `file:/path`";
    assert_eq!(
        told,
        [
            format!("6:25 key `live` of `shop`: `env:NONE` is not set; {way_out}"),
            format!("8:54 signing key of destination `wordpress`: `env:NO_SIGN` is not set; {way_out}"),
            format!("9:9 the gate's own secret: `env:NO_OWN` is not set; {way_out}"),
        ]
    );
}

#[test]
fn a_short_secret_is_a_warning_that_names_the_route() {
    let policy = policy("{ id: live, from: env:SHORT }", "secret: env:OWN");
    let (_, warnings) = load(&policy, &environment, NOW).ok().unwrap();
    assert_eq!(
        warnings[0].whose,
        Whose::Key { routes: vec!["shop".to_owned()], key: "live".to_owned(), at: "/keys/shop/0/from".into() }
    );
    assert!(!warnings[0].to_string().contains("hunter2"));
}

/// A secret of Standard Webhooks, pasted where a text is expected, would verify nothing.
#[test]
fn a_secret_that_looks_as_if_it_were_to_be_decoded_is_a_warning() {
    let warned = |provider: &str| {
        let text = format!(
            "routes: {{ shop: {{ at: {{ path: /a }}, sender: {{ provider: {provider}, keys: k }} }} }}\nsecret: env:OWN\n\
             keys: {{ k: [{{ id: live, from: env:WHSEC }}] }}\n\
             destinations: {{ wordpress: {{ url: 'http://127.0.0.1/' }} }}\n"
        );
        let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
        let secret = |name: &str| {
            if name == "WHSEC" { Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()) } else { environment(name) }
        };
        let (_, warnings) = load(&policy, &secret, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let told = warned("slack");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("key `live` of `shop`: it begins with `whsec_`"), "{told:?}");
    for fits in ["stripe", "polar", "standard-webhooks", "clerk"] {
        assert_eq!(warned(fits), Vec::<String>::new(), "{fits}");
    }
}

#[test]
fn a_secret_with_something_around_it_is_warned_of() {
    let text = "routes: { shop: { at: { path: /a }, sender: { provider: slack, keys: k } } }\nsecret: env:OWN\nkeys: { k: [{ id: live, from: env:AROUND }] }\ndestinations: { wordpress: { url: 'http://127.0.0.1/' } }\n";
    let policy = compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let told = |around: &str| {
        let secret = |name: &str| if name == "AROUND" { Some(around.to_owned()) } else { environment(name) };
        let (_, warnings) = load(&policy, &secret, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for around in ["\"a secret of sixteen\"", "'a secret of sixteen'", " a secret of sixteen", "a secret of sixteen\t"]
    {
        let told = told(around);
        assert!(
            told.len() == 1 && told[0].contains("white space or quotation marks stand around it"),
            "{around:?}: {told:?}"
        );
    }
    for plain in ["a secret of sixteen", "a secret of sixteen\n", "\"a secret of sixteen", "it's a secret of sixteen'"]
    {
        assert_eq!(told(plain), Vec::<String>::new(), "{plain:?}");
    }
}

#[test]
fn a_retired_key_is_not_even_looked_for() {
    let entries = "{ id: old, from: env:GONE, retire: 2026-11-24 }, { id: new, from: env:SHOP }";
    let policy = policy(entries, "secret: env:OWN");
    let (keys, _) = load(&policy, &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(keys.in_force("shop/stripe", NOW).count(), 1);
}

#[test]
fn destinations_are_signed_with_what_their_secret_decodes_to() {
    let policy = policy("{ id: live, from: env:SHOP }", "secret: env:OWN");
    let secrets = of_destinations(&policy, &environment).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(secrets["wordpress"].len_bytes(), 24);
    let errors = super::of_destinations(&policy, &|_| Some("not base64!".to_owned())).err().unwrap();
    assert!(matches!(errors[0].trouble, Trouble::Undecodable(_)));
}

#[test]
fn a_broker_is_told_its_password_as_it_is_however_short() {
    let broker = "{ redis: 'rediss://r', stream: a, password: 'env:SHORT' }";
    let text = format!("routes: {{}}\nsecret: env:OWN\ndestinations: {{ orders: {broker} }}\n");
    let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
    let secrets = of_destinations(&policy, &environment).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert!(secrets["orders"].is(b"hunter2"));
    assert!(check(&policy, &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}")).is_empty());
    let errors = of_destinations(&policy, &|_| None).err().unwrap();
    assert_eq!(
        errors[0].to_string(),
        "login of destination `orders`: `env:SHORT` is not set; set the variable where the gate is started, or write `file:/path`"
    );
}

#[test]
fn checking_makes_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let policy = policy("{ id: live, from: env:SHOP }", &format!("spool: {{ folder: '{}' }}", spool.display()));
    assert!(check(&policy, &environment, NOW).is_ok());
    assert!(!spool.exists());
    assert!(load(&policy, &environment, NOW).is_ok());
    assert!(spool.join("secret").exists());
}

#[test]
fn the_gates_own_secret_is_made_once_private_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("new");
    let mark = |secret: &Secret| secret.digest(&[b"mark"]);
    let first = own::find_or_make(&spool).unwrap();
    assert_eq!(first.len_bytes(), 64, "32 random bytes in hex");
    assert_eq!(mark(&own::find_or_make(&spool).unwrap()), mark(&first));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&spool), mode(&spool.join("secret"))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&spool).unwrap().count(), 1, "nothing unfinished is left");
    fs::write(spool.join("secret"), "").unwrap();
    assert!(own::find_or_make(&spool).is_err(), "an emptied one is no reason to forget everything");
}

#[test]
fn of_many_starts_at_once_all_have_the_same_secret() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("new");
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let spool = spool.clone();
            std::thread::spawn(move || own::find_or_make(&spool).unwrap().digest(&[b"mark"]))
        })
        .collect();
    let marks: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    assert!(marks.iter().all(|mark| *mark == marks[0]));
}

#[test]
fn where_nothing_is_guarded_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let policy = compiled(&format!("routes: {{}}\nspool: {{ folder: '{}' }}", spool.display())).unwrap().policy;
    let loaded: Result<(Keys, _), _> = load(&policy, &environment, NOW);
    assert!(loaded.is_ok());
    assert!(!spool.exists());
}

/// Two senders that hand their keys over, one list.
fn handed(folder: &Path) -> Policy {
    let text = format!(
        "routes:\n  tasks: {{ at: {{ path: /a }}, sender: {{ provider: asana, keys: shop }}, repeats: {{ remember: 168h }} }}\n  \
         pages: {{ at: {{ path: /b }}, sender: {{ provider: notion, keys: shop }}, repeats: {{ remember: 168h }} }}\n  \
         events: {{ at: {{ path: /c }}, sender: {{ provider: stripe, keys: other }} }}\n\
         keys:\n  shop: [{{ id: old, from: env:SHOP }}, {{ id: new, from: 'handed:{0}/keys/new' }}, {{ id: next, from: 'handed:{0}/keys/next' }}]\n  \
         other: [{{ id: live, from: env:SHOP }}]\n\
         secret: env:OWN\ndestinations: {{ wordpress: {{ url: 'http://127.0.0.1/' }} }}\n",
        folder.display()
    );
    compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy
}

/// As its sender hands it over, through a validation call.
fn handed_over(policy: &Policy, keys: &Keys, key: &str) -> crate::verify::Handed {
    let route = policy.routes.iter().find(|route| *route.name == *"tasks").unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("x-hook-secret", key.parse().unwrap());
    let (target, host, client) = (crate::request::Target::parse("/a").unwrap(), String::new(), [127, 0, 0, 1].into());
    let head = crate::request::Head { method: http::Method::POST, target, host, headers, client };
    let request = crate::request::Unverified { head, raw: bytes::Bytes::new() };
    route.sender.webhook().unwrap().greet_stranger(keys, &request, NOW).unwrap().handed.unwrap()
}

fn ids(keys: &Keys, name: &str) -> Vec<String> {
    keys.in_force(name, NOW).map(|key| key.id.clone()).collect()
}

const HANDED: &str = "b537207f20cbfa02357cf448134da559";

#[test]
fn a_key_that_is_handed_over_is_kept_for_all_that_share_it_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let policy = handed(folder.path());
    let (keys, warnings) = load(&policy, &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
    let told =
        "nobody has handed it over yet; run `hookwarden handshake arm ROUTE --for 10m`, then let the sender do it";
    assert!(warnings.len() == 4 && warnings[0].to_string().ends_with(told), "{warnings:?}");
    assert_eq!(ids(&keys, "shop/asana"), ["old"]);

    let handed = handed_over(&policy, &keys, HANDED);
    assert_eq!(format!("{handed:?}"), "Handed { key: None, .. }");
    let (with, file) = super::handed::place(&policy, &keys, "tasks", "new", &handed).unwrap();
    assert!(!file.exists());
    super::handed::keep(&file, &handed).unwrap();
    for name in ["shop/asana", "shop/notion"] {
        assert_eq!(ids(&with, name), ["old", "new"]);
        assert!(with.in_force(name, NOW).nth(1).unwrap().secret.is(HANDED.as_bytes()));
    }
    assert_eq!(ids(&with, "other/stripe"), ["live"]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let (again, warnings) = load(&policy, &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!((ids(&again, "shop/asana"), warnings.len()), (vec!["old".to_owned(), "new".to_owned()], 2));

    let other = handed_over(&policy, &keys, &HANDED.replace('b', "c"));
    let (replaced, file) = super::handed::place(&policy, &with, "pages", "new", &other).unwrap();
    super::handed::keep(&file, &other).unwrap();
    assert_eq!(ids(&replaced, "shop/asana"), ["old", "new"]);
    assert!(!replaced.in_force("shop/asana", NOW).nth(1).unwrap().secret.is(HANDED.as_bytes()));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{}\n", HANDED.replace('b', "c")));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_key_is_handed_over_only_where_the_policy_says_so_and_to_a_folder_of_the_gates_own() {
    let folder = tempfile::tempdir().unwrap();
    let policy = handed(folder.path());
    let (keys, _) = load(&policy, &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
    let labels = |route: &str| -> Vec<String> {
        super::handed::expected(&policy, route, NOW).into_iter().map(|(label, _)| label).collect()
    };
    assert_eq!(labels("tasks"), ["new", "next"]);
    assert!(labels("events").is_empty() && labels("nobody").is_empty());
    let handed = handed_over(&policy, &keys, HANDED);
    for (route, key) in [("tasks", "old"), ("tasks", "other"), ("events", "live"), ("nobody", "new")] {
        let refused = super::handed::place(&policy, &keys, route, key, &handed).err().expect("must be refused");
        assert!(refused.to_string().starts_with(&format!("route `{route}` expects no key `{key}`")), "{refused}");
    }
    let open = folder.path().join("keys");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o720)).unwrap();
    let refused = super::handed::keep(&open.join("new"), &handed).unwrap_err().to_string();
    assert!(refused.contains("others may write to its folder (mode 0720); run `chmod 0700"), "{refused}");
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
    fs::write(open.join("new"), HANDED).unwrap();
    fs::set_permissions(open.join("new"), fs::Permissions::from_mode(0o644)).unwrap();
    let errors = load(&policy, &environment, NOW).err().expect("must be refused");
    assert!(errors[0].to_string().contains("is open to others"), "as any secret's file");
}

fn listing(file: &str) -> Policy {
    let text = format!(
        "routes: {{ shop: {{ at: {{ path: /a }}, sender: {{ provider: mollie-classic, accept: unsigned, addresses: ['{file}'] }}, \
         repeats: {{ protection: impossible }}, deliver: {{ via: relay }} }} }}\nsecret: env:OWN"
    );
    compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy
}

#[test]
fn a_list_of_addresses_is_read_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# of the vendor's page\n192.0.2.0/24  # the old ones\n\n2001:db8::1\n";
    let from = file(folder.path(), "list", text, 0o644);
    let (keys, _) = load(&listing(&from), &environment, NOW).unwrap_or_else(|errors| panic!("{errors:?}"));
    let listed: Vec<_> = keys.addresses(&folder.path().join("list")).iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["192.0.2.0/24", "2001:db8::1/128"]);
}

#[test]
fn a_list_of_nobody_or_of_anybodys_making_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name: &str, text: &str, mode| {
        let errors = load(&listing(&file(folder.path(), name, text, mode)), &environment, NOW).err().expect(name);
        errors[0].to_string().replace(&folder.path().join(name).display().to_string(), "FILE")
    };
    let before = "addresses that may send: `FILE`";
    assert_eq!(
        told("writable", "192.0.2.1\n", 0o664),
        format!("{before} can be written by others (mode 0664); run `chmod go-w FILE`")
    );
    let line = "line 2 is neither an address nor a network; write something such as `192.0.2.0/24`";
    assert_eq!(told("odd", "192.0.2.1\nshop.example\n", 0o644), format!("{before} {line}"));
    let everybody = "line 1 has everybody in it, so that it tells nobody from others; name the sender's own networks";
    assert_eq!(told("open", "0.0.0.0/0\n", 0o644), format!("{before} {everybody}"));
    assert_eq!(told("open6", "::/0\n", 0o644), format!("{before} {everybody}").replace("open", "open6"));
    let nobody = "has no address in it, so that nobody could send";
    assert_eq!(told("empty", "# none yet\n", 0o644), format!("{before} {nobody}"));
    let long = "192.0.2.1\n".repeat(30_000);
    assert_eq!(
        told("long", &long, 0o644),
        format!("{before} is too long for a list of addresses, so it is something else")
    );
    let policy = listing("file:/nowhere/at-all");
    assert!(check(&policy, &environment, NOW).is_err(), "a list that is not there is told before it is put in force");
}

/// It is read again when it changes, without a change of the policy.
#[test]
fn a_list_that_changes_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let by = std::hash::RandomState::new();
    let policy = listing(&file(folder.path(), "list", "192.0.2.1\n", 0o644));
    let before = super::mark(&policy, &environment, NOW, &by);
    assert_eq!(super::mark(&policy, &environment, NOW, &by), before);
    file(folder.path(), "list", "192.0.2.2\n", 0o644);
    assert_ne!(super::mark(&policy, &environment, NOW, &by), before);
}
