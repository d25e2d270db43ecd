//! What is remembered, against a map that keeps everything; and how much memory that takes.

use super::*;
use crate::{ledger::Success, repeat::BodyMark};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn key(number: u64) -> Fingerprint {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(number.to_le_bytes());
    Fingerprint::from_bytes(digest[..16].try_into().unwrap())
}

/// A body, and an answer that goes with it.
fn first(body: u64) -> (BodyMark, Option<Success>) {
    (BodyMark(body), Success::from_byte(u8::try_from(body % 3).unwrap()))
}

#[derive(Clone, Debug)]
enum Step {
    Remember { key: u64, body: u64, wall_s: u64, running_s: u64 },
    Sweep { wall_s: u64, running_s: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let remember = (0_u64..300, 0_u64..3, 0_u64..2000, 0_u64..2000);
    prop_oneof![
        20 => remember.prop_map(|(key, body, wall_s, running_s)| Step::Remember { key, body, wall_s, running_s }),
        1 => (0_u64..2500, 0_u64..2500).prop_map(|(wall_s, running_s)| Step::Sweep { wall_s, running_s }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Nothing is forgotten before both clocks have passed, and a repeat is compared with the first body.
    #[test]
    fn a_key_is_remembered_until_both_clocks_have_passed(steps in proptest::collection::vec(step(), 1..200)) {
        let mut keys = Keys::default();
        let mut model: BTreeMap<u64, (u64, u64, u64)> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Remember { key: number, body, wall_s, running_s } => {
                    let known = keys.find(&key(number)).is_some();
                    keys.remember(key(number), first(body), wall_s, running_s);
                    let kept = model.entry(number).or_insert((body, wall_s, running_s));
                    if !known {
                        kept.0 = body;
                    }
                    (kept.1, kept.2) = (kept.1.max(wall_s), kept.2.max(running_s));
                }
                Step::Sweep { wall_s, running_s } => {
                    // Every shard has its turn.
                    (0..256).for_each(|_| keys.sweep(wall_s, running_s));
                    model.retain(|number, (_, until_wall_s, until_running_s)| {
                        let alive = *until_wall_s > wall_s || *until_running_s > running_s;
                        alive || keys.find(&key(*number)).is_some()
                    });
                }
            }
            for (number, (body, ..)) in &model {
                prop_assert_eq!(keys.find(&key(*number)), Some(first(*body)));
            }
            prop_assert_eq!(keys.len(), model.len());
        }
    }
}

/// The wall clock alone, wrong by a year, makes no spent key usable again; both clocks together do, within a slice.
#[test]
fn a_key_is_forgotten_when_both_clocks_have_passed_it() {
    let mut keys = Keys::default();
    keys.remember(key(1), first(1), 1000, 100);
    keys.sweep(1000 + 31_536_000, 99);
    assert!(keys.find(&key(1)).is_some(), "the running clock has not passed");
    keys.sweep(999, 1000);
    assert!(keys.find(&key(1)).is_some(), "the wall clock has not passed");
    keys.sweep(1000 + 64, 100);
    assert!(keys.find(&key(1)).is_none());
}

/// The bar is 32 bytes a key, at whatever size the tables have just grown to.
#[test]
fn a_hundred_thousand_keys_and_every_number_up_to_them_take_at_most_32_bytes_each() {
    let mut keys = Keys::default();
    for number in 0..200_000 {
        keys.remember(key(number), first(number), 1000, 1000);
        if number >= 100_000 && number % 1000 == 0 {
            let (bytes, count) = (keys.bytes(), keys.len());
            assert!(bytes <= count * 32, "{bytes} bytes for {count} keys");
        }
    }
    (0..256).for_each(|_| keys.sweep(2000, 2000));
    assert_eq!((keys.len(), keys.bytes()), (0, 256 * 8 * 24), "and what is forgotten gives its memory back");
}
