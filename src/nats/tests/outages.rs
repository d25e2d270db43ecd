//! A server that is killed, stands still or is full, behind the spool and directly: nothing is lost, and what is there twice
//! is counted.

use super::*;

struct Parts(Arc<Ears>);

impl Maker for Parts {
    type Destination = Stream;

    fn make(
        &self,
        destination: &policy::Destination,
        _: Option<&str>,
        secret: Option<&Secret>,
        _: Load,
    ) -> Result<Stream, BadDestination> {
        let Place::Nats(place) = &destination.place else { panic!("{destination:?}") };
        let written = Written {
            name: &destination.name,
            place,
            timeout: destination.timeout,
            horizon: HORIZON,
            largest_bytes: 0,
        };
        Ok(Stream::new(&written, secret, self.0.clone()).unwrap())
    }
}

fn flow(server: &Server) -> Flow<Parts> {
    Flow::to(destination(&format!("{}, timeout: 1s", written(server.port))), None, Parts)
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_there_twice_when_the_server_is_killed() {
    let server = server("");
    with_stream(&server, events()).await;
    let mut flow = flow(&server);
    for round in 1..=3 {
        flow.accept(100).await;
        flow.until_delivered(round * 60).await;
        server.kill();
        flow.accept(50).await;
        flow.until_heard("connect").await;
        server.start();
    }
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(&server).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_unknown_and_what_it_has_is_known_afterwards() {
    let server = server("");
    with_stream(&server, events()).await;
    let mut flow = flow(&server);
    flow.accept(20).await;
    flow.until_delivered(20).await;
    server.pause(true);
    flow.accept(100).await;
    flow.until_heard("no_answer").await;
    server.pause(false);
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(&server).await), 0);
    assert!(flow.ears.heard("known") > 0, "what was sent and not answered is sent again");
    flow.stop().await;
}

#[tokio::test]
async fn what_is_accepted_directly_is_there_once_though_the_server_was_killed_and_stood_still() {
    let server = server("");
    with_stream(&server, events()).await;
    let mut flow = flow(&server);
    let refusals = contract::outage::directly(&mut flow, &server).await;
    assert!(refusals > 0, "nobody was told that an event is there which is not");
    assert_eq!(flow.twice(&ids(&server).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_stream_that_is_full_accepts_nothing_directly_until_there_is_room() {
    let server = server("");
    let limited = Config { max_messages: 50, ..events() };
    let context = with_stream(&server, limited.clone()).await;
    let mut flow = flow(&server);
    assert_eq!(flow.hand_over(50).await, 0);
    assert!(flow.refuses().await.contains("out_of_space"));
    context.update_stream(Config { max_messages: -1, ..limited }).await.unwrap();
    flow.hand_over(50).await;
    assert_eq!(flow.twice(&ids(&server).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_whose_store_is_full_accepts_nothing_directly_until_consumers_have_caught_up() {
    let server = server(", max_file_store: 200KB ---");
    let context = with_stream(&server, events()).await;
    let mut flow = flow(&server);
    let full = async { while flow.hand_over_once().await {} };
    timeout(contract::PATIENCE, full).await.expect("it is full");
    assert!(flow.ears.heard("out_of_space") > 0);
    let mut read = consumed(&server, &context).await;
    flow.hand_over(50).await;
    read.extend(ids(&server).await);
    assert_eq!(flow.twice(&read), 0);
    flow.stop().await;
}

/// Outside of its duplicate window a stream takes for new what it has: the gate cannot help it, and counts.
#[tokio::test]
async fn what_comes_after_the_duplicate_window_is_there_twice_under_the_same_id() {
    let server = server("");
    let window = Duration::from_millis(100);
    with_stream(&server, Config { duplicate_window: window, ..events() }).await;
    let stream = stream(&written(server.port), None, Arc::default());
    let event = record("evt_1", b"{}");
    stream.publish(&event).await.unwrap();
    let again = async { while stream.publish(&event).await.unwrap() == Confirmed::Known {} };
    timeout(Duration::from_secs(20), again).await.expect("the window ends");
    assert_eq!(ids(&server).await, ["evt_1", "evt_1"]);
}

#[tokio::test]
async fn with_its_id_in_the_subject_an_event_is_known_for_as_long_as_it_is_there() {
    let server = server("");
    let window = Duration::from_millis(100);
    let context = with_stream(&server, Config { duplicate_window: window, ..events() }).await;
    let ears = Arc::<Ears>::default();
    let by_id = written(server.port).replace("shop.orders", "'shop.orders.{id}'");
    let stream = stream(&by_id, None, ears.clone());
    // As it is there when the window is over: under an id that the window does not know.
    let there = PublishMessage::build().payload("{}".into()).message_id("evt_0").header("Content-Type", "a/b");
    context.send_publish("shop.orders.evt_1", there).await.unwrap().await.unwrap();
    assert_eq!(stream.publish(&record("evt_1", b"{}")).await.unwrap(), Confirmed::Known);
    assert_eq!(stream.publish(&record("evt_2", b"{}")).await.unwrap(), Confirmed::Taken);
    assert_eq!(stream.publish(&record("evt_2", b"{}")).await.unwrap(), Confirmed::Known);
    assert_eq!(ids(&server).await, ["evt_0", "evt_2"]);
    assert_eq!(ears.heard("forgets_soon"), 0);
    let there = context.get_stream("EVENTS").await.unwrap().get_raw_message(2).await.unwrap();
    assert_eq!(there.subject.as_str(), "shop.orders.evt_2");
}

#[tokio::test]
async fn a_stream_that_is_full_costs_no_event_and_gets_all_when_there_is_room() {
    let server = server("");
    let limited = Config { max_messages: 50, ..events() };
    let context = with_stream(&server, limited.clone()).await;
    let mut flow = flow(&server);
    flow.accept(200).await;
    flow.until_heard("out_of_space").await;
    context.update_stream(Config { max_messages: -1, ..limited }).await.unwrap();
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(&server).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_whose_store_is_full_gets_the_rest_once_consumers_have_caught_up() {
    let server = server(", max_file_store: 200KB ---");
    let context = with_stream(&server, events()).await;
    let mut flow = flow(&server);
    flow.accept(300).await;
    flow.until_heard("out_of_space").await;
    flow.until_delivered(100).await;
    let mut read = consumed(&server, &context).await;
    flow.all_delivered().await;
    read.extend(ids(&server).await);
    assert_eq!(flow.twice(&read), 0);
    flow.stop().await;
}

/// As a consumer takes out what it has read, and nothing that came meanwhile.
async fn consumed(server: &Server, context: &Context) -> Vec<String> {
    let mut stream = context.get_stream("EVENTS").await.unwrap();
    let read = ids(server).await;
    let first = stream.info().await.unwrap().state.first_sequence;
    let count = u64::try_from(read.len()).unwrap();
    stream.purge().sequence(first + count).await.unwrap();
    read
}
