//! dry run (scratch)
#![allow(warnings)]
#[path = "../../commands/tests/saga/house.rs"]
mod house;
use house::*;
use std::collections::BTreeMap;
use std::process::{Command as P, Stdio, Child};
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom_commands::{*, signers::*, ceremony::*, payment::*};
use strongroom_domain::{*, charter::Enrolment, key::{Protocol, Key}};
use strongroom_store::{MemoryLog, AppendLog, ReadLog};
use strongroom_tests::regtest::*;

struct Sig { id: SignerId, dir: std::path::PathBuf, port: u16, child: Option<Child>, hsm: bool, cert: String, enrol: Enrolment }
impl Sig {
    fn start(&mut self) {
        let mut c = P::new("/work/main/target/debug/strongroom-signer");
        c.arg("serve").arg("--config").arg(self.dir.join("signer.toml")).env("SOFTHSM2_CONF", self.dir.join("softhsm2.conf"))
         .stderr(std::fs::OpenOptions::new().create(true).append(true).open(self.dir.join("log")).unwrap());
        self.child = Some(c.spawn().unwrap());
        let a = format!("127.0.0.1:{}", self.port);
        while std::net::TcpStream::connect(&a).is_err() { std::thread::sleep(Duration::from_millis(20)); }
    }
    fn kill(&mut self) { if let Some(mut c) = self.child.take() { c.kill(); c.wait(); } }
}
impl Drop for Sig { fn drop(&mut self) { self.kill() } }
fn port() -> u16 { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() }
fn private(p: &std::path::Path, t: &str) { use std::os::unix::fs::PermissionsExt; std::fs::write(p, t).unwrap(); std::fs::set_permissions(p, std::fs::Permissions::from_mode(0o600)).unwrap(); }
fn make(root: &std::path::Path, n: usize, hsm: bool) -> Sig {
    let dir = root.join(format!("s{n}")); std::fs::create_dir_all(&dir).unwrap();
    private(&dir.join("pass"), "abcdefgh12345678");
    let out = P::new("/work/main/target/debug/strongroom-signer").args(["init","--name",&format!("signer-{n}"),"--data"]).arg(dir.join("data")).arg("--passphrase-file").arg(dir.join("pass")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let v: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let cert = v["tls_certificate"].as_str().unwrap().to_owned();
    let id: SignerId = v["signer"].as_str().unwrap().parse().unwrap();
    let b = |k: &str| -> Bytes { v[k].as_str().unwrap().parse().unwrap() };
    let enrol = Enrolment { id, identity_key: b("identity_key"), sealing_key: b("sealing_key"), tls_certificate_sha256: v["tls_certificate_sha256"].as_str().unwrap().parse().unwrap() };
    let port = port();
    let mut t = format!("listen = \"127.0.0.1:{port}\"\ndata = {:?}\npassphrase_file = {:?}\nserver_certificate = {:?}\n", dir.join("data"), dir.join("pass"), root.join("server.pem"));
    if hsm {
        std::fs::create_dir_all(dir.join("tok")).unwrap();
        std::fs::write(dir.join("softhsm2.conf"), format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", dir.join("tok").display())).unwrap();
        private(&dir.join("pin"), "12345678");
        assert!(P::new("softhsm2-util").env("SOFTHSM2_CONF", dir.join("softhsm2.conf")).args(["--init-token","--free","--label","sr","--pin","12345678","--so-pin","87654321"]).status().unwrap().success());
        t.push_str(&format!("\n[token]\nmodule = \"/usr/lib/softhsm/libsofthsm2.so\"\nlabel = \"sr\"\npin_file = {:?}\n", dir.join("pin")));
    }
    std::fs::write(dir.join("signer.toml"), t).unwrap();
    Sig { id, dir, port, child: None, hsm, cert, enrol }
}
async fn until(what: &str, mut f: impl FnMut() -> bool) {
    let t = Instant::now();
    while !f() { if t.elapsed() > Duration::from_secs(30) { panic!("never: {what}"); } tokio::time::sleep(Duration::from_millis(20)).await; }
    eprintln!("### {what} after {:?}", t.elapsed());
}
struct E; 
#[tokio::test(flavor = "multi_thread")]
async fn dry() {
    let root = tempfile::tempdir().unwrap().keep(); eprintln!("{root:?}");
    assert!(P::new("openssl").args(["req","-x509","-newkey","ec","-pkeyopt","ec_paramgen_curve:P-256","-nodes","-subj","/CN=server","-keyout"]).arg(root.join("server.key")).arg("-out").arg(root.join("server.pem")).stderr(Stdio::null()).status().unwrap().success());
    let mut sigs: Vec<Sig> = (1..=4).map(|n| make(&root, n, n == 4)).collect();
    let ltc = Core::litecoind(); let mut anvil = Anvil::start(); anvil.automine(true);
    let payees = BTreeMap::from([
        (Network::LitecoinRegtest, strongroom_chains::address_of(Network::LitecoinRegtest, &hex::decode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798").unwrap().try_into().unwrap()).unwrap()),
        (Network::EthereumDev, "0x00000000000000000000000000000000DeaDBeef".parse().unwrap())]);
    let log: Arc<dyn AppendLog> = Arc::new(MemoryLog::default());
    let bus = Bus::open(log, clock).await.unwrap();
    let house = House::found(bus.clone(), sigs.iter().map(|s| s.enrol.clone()).collect(), payees).await;
    let genesis = bus.log().read_from(strongroom_ledger::Position::FIRST, 1).await.unwrap()[0].leaf();
    for s in &mut sigs {
        assert!(P::new("/work/main/target/debug/strongroom-signer").args(["pin","--data"]).arg(s.dir.join("data")).args(["--genesis", &genesis.to_string()]).status().unwrap().success());
        s.start();
    }
    let identity = ClientIdentity::from_pem(&std::fs::read(root.join("server.pem")).unwrap(), &std::fs::read(root.join("server.key")).unwrap()).unwrap();
    let eps = |sigs: &[Sig]| sigs.iter().map(|s| SignerEndpoint { signer: s.id, address: format!("127.0.0.1:{}", s.port), certificate_pem: s.cert.clone().into_bytes() }).collect::<Vec<_>>();
    let signers = Signers::start(&bus, &identity, eps(&sigs), signers::Limits::default()).unwrap();
    until("all live", || signers.live().len() == 4).await;
    let cer = Ceremonies::start(bus.clone(), signers.clone(), ceremony::Settings::default());
    let frost = house.ceremony(Protocol::FrostSecp256k1Tr, 2, sigs[..3].iter().map(|s| s.id).collect()).await;
    let hsm = house.ceremony(Protocol::Pkcs11Secp256k1, 1, vec![sigs[3].id]).await;
    let active = |k: KeyId| bus.read(|s| matches!(s.keys.get(&k), Some(Key::Active(_))));
    until("frost active", || active(frost)).await;
    until("hsm active", || active(hsm)).await;
    let point = |k: KeyId| bus.read(|s| s.keys[&k].active().unwrap().public_key.array::<33>().unwrap());
    let l = house.desk(Network::LitecoinRegtest, frost, point(frost)).await;
    let e = house.desk(Network::EthereumDev, hsm, point(hsm)).await;
    for _ in 0..6 {
        let txid = ltc.fund(l.address.as_str(), 10_000_000);
        let raw = ltc.must("getrawtransaction", serde_json::json!([txid, true])); 
        let n = raw["vout"].as_array().unwrap().iter().position(|o| (o["value"].as_f64().unwrap() - 0.1).abs() < 1e-9).unwrap();
        ltc.mine(1);
        house.deposit(&l, format!("{txid}:{n}"), 10_000_000).await;
    }
    let h = anvil.fund(e.address.as_str(), 5_000_000_000_000_000_000); anvil.mine(1);
    house.deposit(&e, h.trim_start_matches("0x").to_owned(), 5_000_000_000_000_000_000).await;
    let mut nodes = ChainNodes::new();
    nodes.add_bitcoin(Network::LitecoinRegtest, ltc.client()).unwrap();
    nodes.add_ethereum(Network::EthereumDev, anvil.client()).unwrap();
    let nodes = Arc::new(nodes);
    let pay = Payments::start(bus.clone(), signers.clone(), nodes.clone(), payment::Settings::default());
    { let (p, sg, b) = (pay.clone(), signers.clone(), bus.clone()); tokio::spawn(async move { loop { tokio::time::sleep(Duration::from_secs(2)).await; let l = b.log(); let mut n = 1; while let Ok(page) = l.read_from(strongroom_ledger::Position::new(n).unwrap(), 1000).await { if page.is_empty() { break; } n += page.len() as u64; if n > 80000 { for r in page.iter().rev().take(12).rev() { eprintln!("   {} {} {}", r.entry.position, r.entry.r#type, String::from_utf8_lossy(&r.payload).chars().take(200).collect::<String>()); } } }
 eprintln!("... {:?} {:?} {}", p.all_waiting(), sg.away(), b.log().head().position.get()); } }); }
    let a = house.transfer(&l, 3_000_000, 100_000).await;
    let b = house.transfer(&e, 1_000_000_000_000_000, 1_000_000_000_000_000).await;
    until("ltc broadcast", || house.state_of(a) == "broadcast").await;
    ltc.mine(1);
    until("ltc confirmed", || house.state_of(a) == "confirmed").await;
    until("eth signed", || { matches!(house.state_of(b), "signed" | "broadcast" | "confirmed") }).await;
    until("eth broadcast", || { matches!(house.state_of(b), "broadcast" | "confirmed") }).await;
    anvil.mine(1);
    until("eth confirmed", || house.state_of(b) == "confirmed").await;
    eprintln!("===== one signer down");
    sigs[0].kill();
    let c = house.transfer(&l, 3_000_000, 100_000).await;
    until("c broadcast", || house.state_of(c) == "broadcast").await;
    eprintln!("===== two down");
    sigs[1].kill();
    let d = house.transfer(&l, 3_000_000, 100_000).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    eprintln!("d {} waits {:?} away {:?}", house.state_of(d), pay.waiting(d), signers.away());
    sigs[1].start();
    until("d broadcast", || house.state_of(d) == "broadcast").await;
    eprintln!("===== killed in the middle");
    sigs[0].start();
    until("all live", || signers.live().len() == 4).await;
    let (f, g) = (house.transfer(&l, 3_000_000, 100_000).await, house.transfer(&l, 3_000_000, 100_000).await);
    sigs[0].kill();
    until("f broadcast", || house.state_of(f) == "broadcast").await;
    until("g broadcast", || house.state_of(g) == "broadcast").await;
    sigs[0].start();
    ltc.mine(1);
    for t in [c, d, f, g] { until("confirmed", || house.state_of(t) == "confirmed").await; }
    eprintln!("===== stopped signer");
    until("all live", || signers.live().len() == 4).await;
    let pid = sigs[0].child.as_ref().unwrap().id().to_string();
    P::new("kill").args(["-STOP", &pid]).status();
    let i = house.transfer(&l, 3_000_000, 100_000).await;
    until("i broadcast", || house.state_of(i) == "broadcast").await;
    P::new("kill").args(["-CONT", &pid]).status();
    eprintln!("===== insufficient");
    let j = house.transfer(&l, 50_000_000, 100_000);
    eprintln!("===== restart of the saga");
    drop(pay);
    let k = house.transfer(&e, 1_000_000_000_000_000, 1_000_000_000_000_000).await;
    let pay = Payments::start(bus.clone(), signers.clone(), nodes.clone(), payment::Settings::default());
    until("k broadcast", || matches!(house.state_of(k), "broadcast" | "confirmed")).await;
    anvil.mine(1); ltc.mine(1);
    until("k confirmed", || house.state_of(k) == "confirmed").await;
    until("i confirmed", || house.state_of(i) == "confirmed").await;
    eprintln!("===== load");
    let t0 = Instant::now();
    let mut many = Vec::new();
    for _ in 0..200 { many.push(house.transfer(&e, 1_000_000_000, 100_000_000_000_000).await); }
    eprintln!("requested after {:?}", t0.elapsed());
    until("many signed", || many.iter().all(|t| matches!(house.state_of(*t), "signed"|"broadcast" | "confirmed"))).await;
    eprintln!("signed after {:?}", t0.elapsed());
    until("many confirmed", || many.iter().all(|t| matches!(house.state_of(*t), "confirmed"))).await;
    eprintln!("confirmed after {:?}; head {}", t0.elapsed(), bus.log().head().position.get());
    eprintln!("waiting {:?} away {:?}", pay.all_waiting(), signers.away());
}
