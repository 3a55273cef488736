//! What it costs to ask the authorisation policy: once at start, and once for each request. Never a
//! test: no time is asserted.

#![expect(clippy::unwrap_used, reason = "a bench that can't go on fails")]

use std::{collections::BTreeSet, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use strongroom_api::authorisation::{Authorisation, Principal, Resource, Settings, Via};
use strongroom_domain::{ClientId, PersonId, charter::Role};

fn authorisation(criterion: &mut Criterion) {
    let open = || Authorisation::open(Settings::default()).unwrap();
    criterion.bench_function("compile and validate the policy", |bench| bench.iter(open));
    let policy = open();
    let who = Principal {
        id: PersonId(uuid::Uuid::from_u128(1)),
        roles: BTreeSet::from([Role::Initiator, Role::Approver]),
        via: Via::Session,
        stepped_up: true,
        scopes: BTreeSet::new(),
        clients: None,
    };
    criterion.bench_function("permit a request", |bench| {
        bench.iter(|| policy.permits(black_box(&who), "request-transfer", &Resource::System));
    });
    criterion.bench_function("refuse a request", |bench| {
        bench.iter(|| policy.permits(black_box(&who), "resend-webhook", &Resource::System));
    });
    let client = ClientId(uuid::Uuid::from_u128(7));
    let limited = Principal { clients: Some(BTreeSet::from([client])), ..who };
    criterion.bench_function("permit a client's data", |bench| {
        let resource = Resource::Client(client);
        bench.iter(|| policy.permits(black_box(&limited), "read-account", &resource));
    });
    criterion.bench_function("permit anybody", |bench| {
        bench.iter(|| policy.permits_anybody(black_box("read-health")));
    });
}

criterion_group!(benches, authorisation);
criterion_main!(benches);
