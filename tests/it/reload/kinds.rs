//! A key of another kind than its route's `alg` is held against is no key, at the start, at a reload, and for `check`.

use super::gate::{Gate, Shop, write_secret};
use std::{fs, path::Path};

const PEM: &str = include_str!("../../vectors/keys/ed25519.pub.pem");
const MAC: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtb";

fn policy(folder: &Path, shop: std::net::SocketAddr, alg: &str) -> String {
    let folder = folder.display();
    format!(
        "\
listeners: [{{ on: \"127.0.0.1:0\" }}]
admin: {{ on: \"127.0.0.1:0\" }}
origin: {{ url: \"http://{shop}\" }}
public_url: https://shop.example
spool: {{ folder: \"{folder}/spool\" }}
routes:
  partner:
    at: {{ path: /in }}
    sender: {{ provider: http-message-signatures, keys: partner, config: {{ alg: {alg}, components: '@method content-digest' }} }}
    deliver: {{ via: queue, to: [wordpress] }}
keys: {{ partner: [{{ id: live, from: \"file:{folder}/key\" }}] }}
destinations: {{ wordpress: {{ url: \"http://{shop}/events\" }} }}
"
    )
}

#[test]
fn a_key_of_another_kind_takes_no_good_ones_place_and_is_found_by_check() {
    let shop = Shop::open("shop");
    let folder = Gate::folder();
    write_secret(&folder.path().join("key"), PEM);
    let path = folder.path().join("gate.yaml");
    fs::write(&path, policy(folder.path(), shop.address, "ed25519")).unwrap();
    let gate = Gate::start(folder, path, &[]);
    let before = gate.digest();

    gate.save(&policy(gate.path("").as_path(), shop.address, "hmac-sha256"));
    assert_eq!(gate.hears("kept the policy that is loaded; the new one is not in order")["mistakes"], 1);
    assert_eq!(gate.digest(), before);
    let (code, told) = gate.cli(&["check", "--keys", "gate.yaml"]);
    assert!(code != Some(0) && told.contains("key `live` of `partner`: `alg: hmac-sha256` is held against"), "{told}");

    write_secret(&gate.path("key"), MAC);
    gate.hears("a policy is in force");
    assert_ne!(gate.digest(), before, "with a key of its kind it is taken");
    assert_eq!(gate.cli(&["check", "--keys", "gate.yaml"]).0, Some(0));
}
