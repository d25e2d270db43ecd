//! What a backlog costs, and in which order it is taken.

use super::*;

fn waiting(event: u64) -> Waiting {
    let place = Place { segment: 1, at: event * 1100, bytes: 1100 };
    let accepted_at = Timestamp::from_unix_s(1_760_000_000) + Duration::from_secs(event);
    Waiting { place, accepted_at, tag: u32::try_from(event).unwrap(), keep: Duration::ZERO }
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
