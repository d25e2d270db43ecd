//! What a backlog costs, and in which order it is taken.

use super::*;
use crate::order::OrderKey;

fn waiting(event: u64) -> Waiting {
    let place = Place { segment: 1, at: event * 1100, bytes: 1100 };
    let accepted_at = Timestamp::from_unix_s(1_760_000_000) + Duration::from_secs(event);
    Waiting { place, accepted_at, tag: u32::try_from(event).unwrap(), keep: Duration::ZERO, order: None }
}

fn backlog(events: u64) -> (Index, Instant) {
    let now = Instant::now();
    let mut index = Index::new(now);
    let to = ["wordpress".to_owned()];
    (1..=events).for_each(|event| index.add(event, waiting(event), &to));
    (index, now)
}

fn bytes(index: &Index) -> usize {
    index.places.bytes() + index.destinations.values().map(Queue::bytes).sum::<usize>()
}

/// The bar is 64 bytes an event, at whatever size the lists have just grown to.
#[test]
fn a_backlog_takes_at_most_64_bytes_an_event() {
    for events in [100_000, 131_073, 200_000, 262_145] {
        let (index, _) = backlog(events);
        assert!(bytes(&index) <= index.len() * 64, "{} bytes for {events} events", bytes(&index));
    }
}

#[test]
fn a_backlog_that_is_gone_gives_its_memory_back() {
    let (mut index, now) = backlog(100_000);
    for claim in index.claim("wordpress", 100_000, now) {
        index.settle(claim.sequence, "wordpress", &Settlement::Delivered, now);
    }
    assert_eq!((index.len(), index.places.bytes(), index.unsettled_in(1)), (0, 0, Unsettled::default()));
}

#[test]
fn events_are_taken_in_the_order_of_acceptance_and_those_handed_back_by_turns() {
    let (mut index, now) = backlog(5);
    let taken = |index: &mut Index, most| -> Vec<u64> {
        index.claim("wordpress", most, now).into_iter().map(|claim| claim.sequence).collect()
    };
    assert_eq!(taken(&mut index, 2), [1, 2]);
    index.release(2, "wordpress", now);
    assert_eq!(taken(&mut index, 1), [3], "were it 2 each time, it could keep all others waiting");
    assert_eq!(taken(&mut index, 1), [2]);
    index.release(1, "wordpress", now);
    assert_eq!(taken(&mut index, 9), [4, 5, 1]);
    assert!(taken(&mut index, 9).is_empty());
}

#[test]
fn an_event_is_not_due_before_its_time() {
    let (mut index, now) = backlog(1);
    assert_eq!(index.claim("wordpress", 1, now).len(), 1);
    let due = now + Duration::from_millis(1234);
    index.due_again(1, "wordpress", 1, "status_500", due);
    assert!(index.next_due("wordpress", now).unwrap() >= Duration::from_millis(1234));
    assert!(index.claim("wordpress", 1, now + Duration::from_millis(1233)).is_empty());
    assert_eq!(index.claim("wordpress", 1, due + Duration::from_millis(100))[0].attempts, 1);
}

/// An event far behind its neighbours, as one that was carried forward and met again at the start.
#[test]
fn an_event_that_comes_late_keeps_its_place_in_the_line() {
    let (mut index, now) = backlog(10);
    let to = ["wordpress".to_owned()];
    index.settle(4, "wordpress", &Settlement::Delivered, now);
    index.add(4, waiting(4), &to);
    let taken = index.claim("wordpress", 9, now);
    assert_eq!(taken.iter().map(|claim| claim.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(index.oldest(), Some(waiting(1).accepted_at));
    assert_eq!((index.tagged(4), index.tagged(99)), (vec![4], vec![]));
}

#[test]
fn who_dropped_an_event_is_known_while_it_is_open_elsewhere() {
    let now = Instant::now();
    let mut index = Index::new(now);
    index.add(1, waiting(1), &["wordpress".to_owned(), "archive".to_owned()]);
    index.settle(1, "archive", &Settlement::Dropped("ops".into()), now);
    assert_eq!(index.dropped(1, "archive"), Some("ops".to_owned()));
    index.settle(1, "wordpress", &Settlement::Delivered, now);
    assert_eq!(index.dropped(1, "archive"), None);
}

/// Of so many events, with order keys by turns.
fn in_order(events: u64, keys: u64) -> (Index, Instant) {
    let now = Instant::now();
    let mut index = Index::new(now);
    for event in 1..=events {
        index.add(event, Waiting { order: order(event % keys), ..waiting(event) }, &["wordpress".to_owned()]);
    }
    (index, now)
}

fn order(key: u64) -> Option<OrderKey> {
    OrderKey::from_number(u32::try_from(key).unwrap() + 1)
}

fn taken(index: &mut Index, most: usize, now: Instant) -> Vec<u64> {
    index.claim("wordpress", most, now).into_iter().map(|claim| claim.sequence).collect()
}

fn held(index: &Index) -> (u64, u64) {
    let (_, counts) = index.counts().next().unwrap();
    (counts.held, counts.pending)
}

#[test]
fn of_one_order_key_one_event_is_taken_at_a_time_and_all_others_pass() {
    let (mut index, now) = in_order(6, 2);
    assert_eq!(taken(&mut index, 9, now), [1, 2]);
    assert_eq!((taken(&mut index, 9, now), held(&index)), (vec![], (4, 6)));
    index.settle(2, "wordpress", &Settlement::Delivered, now);
    index.due_again(1, "wordpress", 1, "status_500", now + Duration::from_secs(60));
    assert_eq!(taken(&mut index, 9, now), [4], "3 and 5 wait for 1, which has to be tried again");
    let later = now + Duration::from_secs(61);
    assert_eq!((taken(&mut index, 9, later), held(&index)), (vec![1], (3, 5)));
    index.settle(1, "wordpress", &Settlement::Dead("status_500".into()), now);
    assert_eq!(taken(&mut index, 9, now), [3], "a dead letter lets the next one go");
    index.settle(1, "wordpress", &Settlement::Reopened, now);
    assert!(taken(&mut index, 9, now).is_empty(), "not while the next one is in flight");
    index.release(3, "wordpress", now);
    assert_eq!(taken(&mut index, 9, now), [1], "then it is first again");
    index.settle(5, "wordpress", &Settlement::Dropped("ops".into()), now);
    for event in [1, 3, 4, 6] {
        index.settle(event, "wordpress", &Settlement::Delivered, now);
    }
    assert_eq!((held(&index), index.len()), ((0, 0), 0));
}

/// After a restart what was tried is known, and what was only in flight is as new.
#[test]
fn an_older_event_that_was_never_tried_goes_before_a_younger_one_that_was() {
    let (mut index, now) = in_order(4, 2);
    index.due_again(3, "wordpress", 1, "status_500", now);
    index.settle(4, "wordpress", &Settlement::Dead("status_500".into()), now);
    index.recovered();
    index.settle(4, "wordpress", &Settlement::Reopened, now);
    let later = now + Duration::from_secs(1);
    let mut first = taken(&mut index, 9, later);
    first.sort_unstable();
    assert_eq!(first, [1, 2]);
}

/// As an `order_by` makes it whose value is always the same.
#[test]
fn a_backlog_that_stands_in_one_line_takes_no_more_and_is_not_looked_at_in_one_go() {
    for events in [100_000, 131_073, 200_000] {
        let (mut index, now) = in_order(events, 1);
        assert_eq!(taken(&mut index, 2, now), [1]);
        assert!(held(&index).0 < 5000, "others want the index too");
        for _ in 0..100 {
            assert!(taken(&mut index, 2, now).is_empty());
            assert!(bytes(&index) <= index.len() * 64 + 4096, "{} bytes for {events}", bytes(&index));
        }
        assert_eq!(held(&index), (events - 1, events));
        assert_eq!(index.open_for(events, now).len(), 1);
        for event in 1..=events {
            index.settle(event, "wordpress", &Settlement::Delivered, now);
        }
        assert!(bytes(&index) < 100_000, "{} bytes for none", bytes(&index));
    }
}
