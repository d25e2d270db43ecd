//! `hookwarden check` looks at the files that its listeners name, and says where they are named.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

struct Pair {
    certificate: String,
    key: String,
}

fn pair() -> Pair {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["shop.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Whether the policy is in order, and what is said of it.
fn check(folder: &Path, options: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwarden"));
    let output = command.arg("check").args(options).arg(folder).output().expect("it runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn files_that_no_listener_could_use_are_found_where_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.pem");
    let policy = format!(
        "listeners:\n  - {{ on: '127.0.0.1:1' }}\n  - {{ on: '127.0.0.1:0', tls: {{ certificate: '{}' }} }}\nroutes: {{}}\n",
        file.display()
    );
    fs::write(folder.path().join("gate.yaml"), policy).unwrap();
    let place = "gate.yaml:3:46: ";

    let (in_order, told) = check(folder.path(), &[]);
    assert!(in_order && told.contains(&format!("{place}warning: cannot read `{}`", file.display())), "{told}");
    let (in_order, told) = check(folder.path(), &["--keys"]);
    assert!(!in_order && told.contains(&format!("{place}cannot read `{}`", file.display())), "{told}");

    let (one, other) = (pair(), pair());
    for (what, text) in [
        ("nothing", String::new()),
        ("no key", one.certificate.clone()),
        ("no certificate", one.key.clone()),
        ("no PEM", "certificate".to_owned()),
        (
            "a certificate that is none",
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{}", one.key),
        ),
        (
            "a key that is none",
            format!("{}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", one.certificate),
        ),
        ("another's key", one.certificate.clone() + &other.key),
    ] {
        write_private(&file, &text);
        let (in_order, told) = check(folder.path(), &[]);
        assert!(
            !in_order && told.contains(&format!("{place}`{}` is not a certificate chain", file.display())),
            "{what}: {told}"
        );
        assert!(!told.contains("PRIVATE") && !told.contains("warning"), "{what}: {told}");
    }

    write_private(&file, &(one.certificate + &one.key));
    let (in_order, told) = check(folder.path(), &["--keys"]);
    assert!(in_order && !told.contains("shop.pem"), "{told}");

    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let (in_order, told) = check(folder.path(), &[]);
    assert!(!in_order && told.contains("is open to others (mode 0644); run `chmod 0400 "), "{told}");
}
