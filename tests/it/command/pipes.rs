//! Standard output that nobody reads, or that is full.

use super::{Bench, POLICY, Ran};
use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Read as _, Write as _, pipe},
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
};

const CASES: &str = "cases: [{ name: a, request: { target: /x }, expect: { decision: passed } }]\n";
const RECORDED: &str = r#"{"id":1,"scheme":"github","now_unix":0}"#;
/// Every verb that prints, where it prints.
const VERBS: [&[&str]; 15] = [
    &["providers"],
    &["providers", "--json"],
    &["providers", "show", "github"],
    &["providers", "lint", "recorded"],
    &["check", "gate.yaml"],
    &["check", "gate.yaml", "--json"],
    &["check", "gate.yaml", "--effective"],
    &["check", "nowhere.yaml"],
    &["test", "gate.yaml"],
    &["schema"],
    &["schema", "--reference"],
    &["verify", "--requests", "recorded"],
    &["spool", "fsck", "--spool", "."],
    &["version"],
    &["demo", "--once", "--folder", "demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
];

fn bench() -> Bench {
    Bench::new(&[("gate.yaml", POLICY), ("gate.test.yaml", CASES), ("recorded", RECORDED), ("lock", "")])
}

/// The output of a command whose standard output has no reader.
fn unread(bench: &Bench, verb: &[&str]) -> Ran {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    Ran::of(&bench.command(verb).stdout(writer).output().unwrap())
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_verb_quietly() {
    let bench = bench();
    for verb in VERBS {
        let ran = unread(&bench, verb);
        assert_eq!((ran.code, &*ran.err), (Some(141), ""), "{verb:?}");
    }
}

#[test]
fn what_cannot_be_written_is_a_failure_with_a_reason() {
    let bench = bench();
    for verb in VERBS {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(&bench.command(verb).stdout(full).output().unwrap());
        assert_eq!(ran.code, Some(1), "{verb:?}: {ran:?}");
        assert!(ran.err.starts_with("hookwarden: cannot write to standard output: "), "{verb:?}: {ran:?}");
    }
}

#[test]
fn an_event_that_was_sent_stays_sent_when_nobody_reads_the_answer() {
    let bench = bench();
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/shop", origin.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (mut stream, _) = origin.accept().unwrap();
        let mut some = [0; 4096];
        let read = stream.read(&mut some).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
        read
    });
    bench.write("secret", "It's a Secret to Everybody");
    let ran = unread(&bench, &["send", &url, "--provider", "github", "--key", "file:secret"]);
    assert_eq!((ran.code, &*ran.err), (Some(141), ""));
    assert!(served.join().unwrap() > 0);
}

/// A process that does not outlive a test that fails.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_gate_whose_log_nobody_reads_goes_on_and_stops_in_order() {
    let bench = bench();
    let arguments = ["run", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let mut gate = Ends(bench.command(&arguments).stderr(Stdio::piped()).spawn().unwrap());
    let mut log = BufReader::new(gate.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the gate stands") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended before it stood");
    }
    drop(log);
    assert!(Command::new("kill").arg(gate.0.id().to_string()).status().unwrap().success());
    assert_eq!(gate.0.wait().unwrap().code(), Some(0), "it has something to say as it stops");
}
