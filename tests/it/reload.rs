//! A gate in another process gets another policy while it serves: by itself, by a signal, by a person; and keeps the one
//! that it has where the other is not in order.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, outside of #[test]"
)]

mod gate;
mod handover;
mod kinds;
mod observe;

use gate::{Gate, KEY, OTHER_KEY, Shop, until, write_secret};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// One queued route at `/hooks/NAME`, named so, in front of this shop.
fn policy(folder: &Path, shop: SocketAddr, name: &str) -> String {
    policy_at(&format!("/hooks/{name}"), folder, shop, name)
}

fn policy_at(path: &str, folder: &Path, shop: SocketAddr, name: &str) -> String {
    let folder = folder.display();
    format!(
        "\
listeners: [{{ on: \"127.0.0.1:0\" }}]
admin: {{ on: \"127.0.0.1:0\" }}
origin: {{ url: \"http://{shop}\" }}
spool: {{ folder: \"{folder}/spool\" }}
routes:
  {name}:
    at: {{ path: {path} }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    limits: {{ per_address: 1000000/s }}
    deliver: {{ via: queue, to: [wordpress] }}
keys: {{ shop: [{{ id: of-{name}, from: \"file:{folder}/key\" }}] }}
destinations: {{ wordpress: {{ url: \"http://{shop}/events\" }} }}
"
    )
}

#[test]
fn an_edit_is_in_force_by_itself_also_on_connections_that_are_open() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let (before, mut open) = (gate.digest(), gate.connect());
    assert_eq!(open.get("/hooks/second"), (200, "shop".to_owned()), "nobody guards it yet");

    gate.save(&policy(gate.folder.path(), shop.address, "second"));
    let told = gate.hears("a policy is in force");
    assert_eq!(told["by"], "changed files");
    assert_eq!(open.get("/hooks/second").0, 405, "the connection is the same, the policy is not");
    assert_eq!(open.deliver("/hooks/second", KEY, "msg_1"), 202);

    let standing = gate.standing();
    assert_eq!(standing["digest"], told["policy"]);
    assert_eq!(standing["previous"]["digest"], before);
    assert!(gate.counts(&format!("hookwarden_policy_info{{digest=\"{}\"}} 1", gate.digest())), "{}", gate.metrics());
    assert!(!gate.metrics().contains(&before), "one policy, one series");
    assert!(gate.counts("hookwarden_policy_reloads_total{result=\"applied\"} 1"));
    assert!(gate.counts("hookwarden_requests_total{outcome=\"accepted\",route=\"second\"} 1"), "its name is a label");
}

#[test]
fn a_broken_policy_changes_nothing_and_is_told_once_until_it_is_repaired() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let (good, before) = (policy(gate.folder.path(), shop.address, "first"), gate.digest());
    gate.save(&good.replace("provider: standard-webhooks", "provider: standard-webhook").replace("origin:", "orgin:"));
    assert_eq!(gate.hears("kept the policy that is loaded; the new one is not in order")["mistakes"], 2);
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    assert!(gate.counts("hookwarden_policy_last_reload_ok 0"), "{}", gate.metrics());

    let (code, told) = gate.policy("show");
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains(&before) && told.contains("gate.yaml:3:1: unknown key `orgin`"), "{told}");
    assert!(told.contains("  | ^^^^^"), "the report is whole: {told}");
    let (code, told) = gate.policy("reload");
    assert!(code == Some(3) && told.contains("unknown key `orgin`"), "{told}");
    let refused = "kept the policy that is loaded; the new one is not in order";
    until("both attempts are told", || (gate.told(refused).len() == 2).then_some(()));

    gate.save(&good);
    until("it is told that all is well", || gate.counts("hookwarden_policy_last_reload_ok 1").then_some(()));
    assert_eq!(gate.policy("show").0, Some(0));
    gate.hears("read the policy again; nothing has changed"); // it is the one that was loaded all the time
    assert_eq!(gate.told(refused).len(), 2, "nothing is told twice");
}

/// As Kubernetes does with a `ConfigMap`: files are links through a folder that is a link, and that one is swapped.
#[test]
fn a_swapped_link_is_a_change() {
    let (shop, folder) = (Shop::open("shop"), Gate::folder());
    for name in ["first", "second"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        let text = policy(folder.path(), shop.address, name);
        fs::write(folder.path().join(name).join("gate.yaml"), text).unwrap();
    }
    symlink("first", folder.path().join("..data")).unwrap();
    symlink("..data/gate.yaml", folder.path().join("gate.yaml")).unwrap();
    let path = folder.path().join("gate.yaml");
    let gate = Gate::start(folder, path, &[]);
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    symlink("second", gate.path("..data_tmp")).unwrap();
    fs::rename(gate.path("..data_tmp"), gate.path("..data")).unwrap();
    gate.hears("a policy is in force");
    assert_eq!(gate.deliver("/hooks/second", KEY, "msg_2"), 202);
}

#[test]
fn a_file_that_comes_into_the_folder_is_a_change_of_the_policy() {
    let (shop, folder) = (Shop::open("shop"), Gate::folder());
    let whole = policy(folder.path(), shop.address, "first");
    let (platform, rest) = whole.split_once("\nroutes:").unwrap();
    let (route, stage) = rest.split_once("\nkeys:").unwrap();
    let owned = route.replace("    at:", "    owner: { team: shop@shop.example }\n    at:");
    let path = folder.path().join("policies");
    fs::create_dir_all(path.join("routes")).unwrap();
    fs::create_dir_all(path.join("env")).unwrap();
    fs::write(path.join("gate.yaml"), platform).unwrap();
    fs::write(path.join("env/prod.yaml"), format!("keys:{stage}")).unwrap();
    fs::write(path.join("routes/first.yaml"), format!("routes:{owned}")).unwrap();
    let gate = Gate::start(folder, path.clone(), &["--env", "prod"]);
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    fs::write(path.join("routes/second.yaml"), format!("routes:{}", owned.replace("first", "second"))).unwrap();
    gate.hears("a policy is in force");
    assert_eq!(gate.deliver("/hooks/second", KEY, "msg_2"), 202);
    let (_, told) = gate.cli(&["policy", "show", "--env", "prod", "policies"]);
    assert!(told.contains("env       prod") && told.contains("2 routes"), "{told}");
}

#[test]
fn a_policy_that_is_gone_for_a_while_goes_on() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    fs::rename(gate.path("gate.yaml"), gate.path("elsewhere.yaml")).unwrap();
    gate.hears("kept the policy that is loaded; the new one is not in order");
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    fs::rename(gate.path("elsewhere.yaml"), gate.path("gate.yaml")).unwrap();
    until("it is told that all is well", || gate.counts("hookwarden_policy_last_reload_ok 1").then_some(()));
}

#[test]
fn a_key_is_rotated_without_a_word_in_the_policy() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let before = gate.digest();
    write_secret(&gate.path("key"), OTHER_KEY);
    assert_eq!(gate.hears("other secrets are in force, under the same policy")["policy"], before);
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 401);
    assert_eq!(gate.deliver("/hooks/first", OTHER_KEY, "msg_2"), 202);

    write_secret(&gate.path("key"), "");
    assert_eq!(gate.hears("kept the policy that is loaded; the new one is not in order")["mistakes"], 1);
    assert_eq!(gate.deliver("/hooks/first", OTHER_KEY, "msg_3"), 202, "an empty secret replaces none");
    assert_eq!(gate.policy("rollback").0, Some(0));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_4"), 202, "a policy goes back with its keys");
}

#[test]
fn secrets_are_rotated_under_what_is_in_force_whatever_the_files_say() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    gate.save(&policy(gate.folder.path(), shop.address, "first").replace("routes:", "routez:"));
    gate.hears("kept the policy that is loaded; the new one is not in order");
    write_secret(&gate.path("key"), OTHER_KEY);
    gate.hears("other secrets are in force, under the same policy");
    assert_eq!(gate.deliver("/hooks/first", OTHER_KEY, "msg_1"), 202);
    assert!(gate.counts("hookwarden_policy_last_reload_ok 0"), "the files are as broken as before");
    assert_eq!(gate.policy("show").0, Some(3));

    gate.save(&policy(gate.folder.path(), shop.address, "second"));
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.policy("rollback").0, Some(0));
    assert_eq!(gate.standing()["differs"], true);
    write_secret(&gate.path("key"), KEY);
    until("the secret is read again", || {
        (gate.told("other secrets are in force, under the same policy").len() == 2).then_some(())
    });
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_2"), 202, "the rollback stays");
}

#[test]
fn a_policy_waits_for_a_secret_that_comes_later() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    gate.save(&policy(gate.folder.path(), shop.address, "second").replace("/key\"", "/late-key\""));
    gate.hears("kept the policy that is loaded; the new one is not in order");
    write_secret(&gate.path("late-key"), OTHER_KEY);
    gate.hears("a policy is in force");
    assert_eq!(gate.deliver("/hooks/second", OTHER_KEY, "msg_1"), 202);
}

#[test]
fn without_a_watch_a_signal_or_a_word_is_needed() {
    let (shop, folder) = (Shop::open("shop"), Gate::folder());
    let path = folder.path().join("gate.yaml");
    fs::write(&path, policy(folder.path(), shop.address, "first")).unwrap();
    let gate = Gate::start(folder, path, &["--no-watch"]);
    assert_eq!(gate.standing()["watched"], false);
    gate.save(&policy(gate.folder.path(), shop.address, "second"));
    gate.signal("HUP");
    assert_eq!(gate.hears("a policy is in force")["by"], "reload by SIGHUP");
    assert_eq!(gate.deliver("/hooks/second", KEY, "msg_1"), 202);

    let (code, told) = gate.policy("reload");
    assert!(code == Some(0) && told.starts_with("read again; nothing has changed"), "{told}");
    assert!(gate.stop().success());
}

#[test]
fn a_rollback_stays_until_the_files_change() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let first = gate.digest();
    assert_eq!(gate.policy("rollback").0, Some(3), "there is nothing to go back to");
    gate.save(&policy(gate.folder.path(), shop.address, "second"));
    assert_eq!(gate.policy("reload").0, Some(0));
    let (code, told) = gate.policy("rollback");
    assert!(code == Some(0) && told.contains("rollback by alice"), "{told}");
    assert_eq!(gate.digest(), first);
    assert!(gate.counts("hookwarden_policy_reloads_total{result=\"rolled_back\"} 1"));

    gate.save(&policy(gate.folder.path(), shop.address, "third"));
    until("the change is loaded", || (gate.told("a policy is in force").len() == 2).then_some(()));
    assert_eq!(gate.deliver("/hooks/third", KEY, "msg_1"), 202);
}

/// The next start would meet what the files say: that somebody went back does not mend it.
#[test]
fn a_rollback_leaves_the_alarm_of_broken_files_on() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    gate.save(&policy(gate.folder.path(), shop.address, "second"));
    assert_eq!(gate.policy("reload").0, Some(0));
    gate.save(&policy(gate.folder.path(), shop.address, "third").replace("origin:", "orgin:"));
    assert_eq!(gate.policy("reload").0, Some(3));
    let acts: Vec<_> = gate.told("an operator acted").iter().map(|act| act["what"].clone()).collect();
    assert_eq!(acts.last().unwrap(), "policy reload refused");
    gate.policy("rollback");
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202, "the one before is in force");
    assert!(gate.counts("hookwarden_policy_last_reload_ok 0"), "{}", gate.metrics());
    assert_eq!(gate.policy("show").0, Some(3));
}

/// CONTRACT C16: whoever changes who may come in, or how strictly, has acted, and it is written down who that was.
#[test]
fn keys_that_come_and_go_and_routes_that_guard_less_are_acts() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let other = policy(gate.folder.path(), shop.address, "first");
    gate.save(&other.replace("id: of-first", "id: new").replace("keys: shop }", "keys: shop, max_age: 10m }"));
    let acts = until("they are written down", || Some(gate.told("an operator acted")).filter(|acts| acts.len() == 4));
    let acts: Vec<_> =
        acts.iter().map(|act| (act["actor"].clone(), act["what"].clone(), act["about"].clone())).collect();
    let by = |what: &str, about: &str| ("changed files".into(), what.into(), about.into());
    assert_eq!(acts[0], by("policy reload", gate.digest().as_str()));
    assert_eq!(acts[1], by("key added", "shop/new"));
    assert_eq!(acts[2], by("key retired", "shop/of-first"));
    assert_eq!(acts[3], by("weaken", "first: `sender.max_age` was `5m` or less"));

    assert_eq!(gate.policy("rollback").0, Some(0));
    let acts = until("they are written down", || Some(gate.told("an operator acted")).filter(|acts| acts.len() > 6));
    let last: Vec<_> = acts[4..].iter().map(|act| act["what"].clone()).collect();
    assert_eq!(last, ["policy rollback", "key added", "key retired"], "the old age is no weakening");
    assert_eq!(acts[5]["actor"], "alice");
}

/// CONTRACT C11: no request fails, and none sees two policies: whatever names a policy in an event names the same one.
#[test]
fn reloads_and_rollbacks_under_load_fail_no_request_and_none_sees_two_policies() {
    let shop = Shop::open("shop");
    let named = |folder: &Path, name: &str| policy_at("/hooks", folder, shop.address, name);
    let gate = Gate::run(|folder| named(folder, "even"));
    let (over, turns) = (AtomicBool::new(false), 30);
    let sent: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (over, gate) = (&over, &gate);
                scope.spawn(move || {
                    let (mut io, mut sent) = (gate.connect(), 0);
                    while !over.load(Ordering::Relaxed) {
                        assert_eq!(io.deliver("/hooks", KEY, &format!("msg_{client}_{sent}")), 202);
                        assert_eq!(io.get("/").0, 200);
                        sent += 1;
                    }
                    sent
                })
            })
            .collect();
        for turn in 0..turns {
            gate.save(&named(gate.folder.path(), if turn % 2 == 0 { "odd" } else { "even" }));
            assert_eq!(gate.policy("reload").0, Some(0));
            if turn % 5 == 0 {
                assert_eq!(gate.policy("rollback").0, Some(0));
            }
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    let (mut digests, events) = ([None, None], gate.events());
    assert_eq!(events.len(), sent);
    for event in &events {
        let payload = event["payload_base64"].as_str().unwrap();
        let payload = data_encoding::BASE64.decode(payload.as_bytes()).unwrap();
        let cloud: serde_json::Value = std::str::from_utf8(&payload).unwrap().parse().unwrap();
        let route = cloud["source"].as_str().unwrap();
        assert_eq!(cloud["hwkey"], format!("of-{route}"), "{cloud}");
        let digest = cloud["hwpolicy"].as_str().unwrap().to_owned();
        assert_eq!(*digests[usize::from(route == "even")].get_or_insert(digest.clone()), digest, "{cloud}");
    }
    let [odd, even] = digests;
    assert!(odd.is_some() && even.is_some() && odd != even, "both were in force");
}

#[test]
fn routes_can_come_to_a_gate_that_had_none() {
    let shop = Shop::open("shop");
    let with = |folder: &Path| policy(folder, shop.address, "first");
    let without = |folder: &Path| with(folder).split("routes:").next().unwrap().to_owned() + "routes: {}\n";
    let gate = Gate::run(without);
    assert_eq!(gate.connect().get("/hooks/first").0, 200);
    gate.save(&with(gate.folder.path()));
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    assert_eq!(gate.events().len(), 1);
    until("it is delivered", || (shop.received("msg_1") == 1).then_some(()));
}

#[test]
fn destinations_come_move_and_go_and_no_event_goes_with_them() {
    let (shop, moved) = (Shop::open("shop"), Shop::open("moved"));
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let first = policy(gate.folder.path(), shop.address, "first");
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    until("it is delivered", || (shop.received("msg_1") == 1).then_some(()));

    let to_moved = first.replace(&format!("{}/events", shop.address), &format!("{}/events", moved.address));
    gate.save(&to_moved);
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_2"), 202);
    until("it is delivered there", || (moved.received("msg_2") == 1).then_some(()));

    // To one that does not answer; then that one is taken out of the policy.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let to_nobody = first.replace(&format!("{}/events", shop.address), &format!("{nobody}/events"));
    gate.save(&to_nobody);
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_3"), 202);
    gate.save(&first.replace("wordpress", "billing"));
    assert_eq!(gate.policy("reload").0, Some(0));
    let told = gate.hears("events wait for a destination that the policy does not have; add it, or drop them");
    assert_eq!((&told["destination"], &told["pending"]), (&"wordpress".into(), &1.into()));
    assert!(gate.counts("hookwarden_spool_events{destination=\"wordpress\",state=\"pending\"} 1"));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_4"), 202);
    until("the new one has its own", || (shop.received("msg_4") == 1).then_some(()));

    gate.save(&first);
    assert_eq!(gate.policy("reload").0, Some(0));
    until("what waited is delivered", || (shop.received("msg_3") == 1).then_some(()));
    assert_eq!(shop.received("msg_2") + moved.received("msg_1"), 0);
}

#[test]
fn what_cannot_change_says_that_it_needs_a_restart_and_the_rest_is_in_force() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    let text = policy(gate.folder.path(), shop.address, "first")
        .replace("listeners: [{ on: \"127.0.0.1:0\" }]", "listeners: [{ on: \"127.0.0.2:0\" }]")
        .replace("/spool\"", "/queue\"")
        .replace("/hooks/first", "/hooks/moved");
    gate.save(&format!("{text}secret: \"file:{}\"\n", gate.path("other-key").display()));
    let (_, told) = gate.cli(&["policy", "reload", "--actor", "alice", "--spool", "spool"]);
    assert!(told.contains("restart   needed for what it says under listeners, spool.folder, secret"), "{told}");
    let waits = until("three keys are named", || {
        Some(gate.told("what the policy says here needs a restart; the rest is in force"))
            .filter(|told| told.len() == 3)
    });
    let keys: Vec<_> = waits.iter().map(|line| line["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["listeners", "spool.folder", "secret"]);
    assert!(gate.counts("hookwarden_policy_needs_restart 3"));
    assert_eq!(gate.deliver("/hooks/moved", KEY, "msg_1"), 202);
    gate.hears("knew an event already"); // it is remembered by the secret of the start
    assert_eq!(gate.deliver("/hooks/moved", KEY, "msg_2"), 202);
    assert!(!gate.path("queue").exists());
}

/// The gate's own secret lies in the spool's folder, where the policy names no other.
#[test]
fn a_spool_elsewhere_is_made_with_the_restart_and_not_before() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    gate.save(&policy(gate.folder.path(), shop.address, "first").replace("/spool\"", "/queue\""));
    let (code, told) = gate.cli(&["policy", "reload", "--actor", "alice", "--spool", "spool"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("read again, and in force, but for `spool.folder`: that needs a restart"), "{told}");
    assert!(told.contains("restart   needed for what it says under spool.folder\n"), "and for nothing else: {told}");
    assert!(!gate.path("queue").exists(), "nothing is made before the restart");
    assert_eq!(gate.deliver("/hooks/first", KEY, "msg_1"), 202);
    gate.hears("knew an event already");
    let gate = gate.restarted(&["--no-watch"]);
    assert!(gate.path("queue/secret").exists(), "it is made by the gate that has its spool there");
}

/// One name for whoever acts, in all that comes of it.
#[test]
fn acts_of_one_reload_have_one_actor_and_its_reason() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    gate.save(&policy(gate.folder.path(), shop.address, "first").replace("id: of-first", "id: other"));
    let (code, told) = gate.cli(&["policy", "reload", "--actor", "alice", "--reason", "SEC-42"]);
    assert_eq!(code, Some(0), "{told}");
    let (_, acts) = gate.cli(&["spool", "acts", "--json"]);
    let acts: Vec<serde_json::Value> = acts.lines().map(|act| serde_json::from_str(act).unwrap()).collect();
    let what: Vec<_> = acts.iter().map(|act| act["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"key added") && what.contains(&"policy reload"), "{acts:?}");
    assert!(acts.iter().all(|act| act["actor"] == "alice" && act["reason"] == "SEC-42"), "{acts:?}");
}

#[test]
fn another_origin_is_asked_at_once_and_one_that_is_nowhere_never() {
    let (shop, moved) = (Shop::open("shop"), Shop::open("moved"));
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let mut open = gate.connect();
    assert_eq!(open.get("/").1, "shop");
    let to_moved = policy(gate.folder.path(), moved.address, "first");
    gate.save(&to_moved);
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(open.get("/").1, "moved");
    gate.save(&to_moved.replace(
        &format!("origin: {{ url: \"http://{}\"", moved.address),
        "origin: { url: \"http://nowhere.invalid\"",
    ));
    let (code, told) = gate.policy("reload");
    assert_eq!(code, Some(3));
    assert!(told.contains("the name of the new origin `nowhere.invalid` does not resolve"), "{told}");
    assert_eq!(open.get("/").1, "moved");
}

#[test]
fn limits_of_connections_change_for_connections_that_are_open() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let (mut open, long) = (gate.connect(), format!("/?{}", "x".repeat(2000)));
    assert_eq!(open.get(&long).0, 200);
    gate.save(&(policy(gate.folder.path(), shop.address, "first") + "edge: { target: 1KiB }\n"));
    assert_eq!(gate.policy("reload").0, Some(0));
    assert_eq!(open.get(&long).0, 414);
}

#[test]
fn a_gate_that_is_not_there_is_said_to_be_absent() {
    let shop = Shop::open("shop");
    let gate = Gate::run(|folder| policy(folder, shop.address, "first"));
    let (code, told) = gate.cli(&["policy", "show", "--spool", "elsewhere"]);
    assert!(code == Some(1) && told.contains("no gate runs on the spool `elsewhere`"), "{told}");
}
