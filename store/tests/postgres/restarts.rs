//! A server that dies under load. Never loses what was acknowledged, and never goes on as if
//! nothing had been.

use strongroom_store::ReadLog;

use crate::cluster::Cluster;
use crate::open;
use crate::writer::{Acknowledged, Writer, check};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_server_is_killed_the_log_stops_and_opens_again_whole() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let mut acknowledged = Acknowledged::new();
    for round in 0..3 {
        let mut writer = Writer::start(&url, &format!("writer{round}"));
        writer.serves();
        writer.acknowledges(1 + round * 200);
        cluster.kill();
        writer.stops();
        cluster.restart();
        acknowledged.append(&mut writer.acknowledged);
        check(&url, &acknowledged).await;
    }
    let log = open(&url).await;
    assert_eq!(log.verify_all().await.unwrap(), log.head());
}
