//! `Idempotency-Key`: a request that is sent again does nothing, whichever server it is sent to.

use crate::support::{
    connect, on_empty_postgresql,
    page::{Page, client},
    team::{RUN, Team},
};
use reqwest::{Method, header};
use serde_json::{Value, json};

struct Sent<'a> {
    key: &'a str,
    method: Method,
    path: &'a str,
    body: Option<Value>,
}

/// The code, the document, and whether it was said that it had been given before.
async fn send(page: &Page, token: &str, sent: &Sent<'_>) -> (u16, Value, bool) {
    let mut request = client()
        .request(sent.method.clone(), page.url(sent.path))
        .bearer_auth(token)
        .header("idempotency-key", sent.key);
    if let Some(body) = &sent.body {
        request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let code = answer.status().as_u16();
    let is_replayed = answer.headers().contains_key("idempotent-replayed");
    let value: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let described = page.described().await;
    described.check(&sent.method, sent.path, code, &value);
    (code, value, is_replayed)
}

const PAUSE: &str = "/api/v1/runs/rename-status/pause";
const ORDERS: &str = "/api/v1/runs/rename-status/orders";
const ORDER: &str = "/api/v1/runs/rename-status/order";

fn pause<'a>(key: &'a str, reason: &str) -> Sent<'a> {
    Sent {
        key,
        method: Method::PUT,
        path: PAUSE,
        body: Some(json!({"reason": reason})),
    }
}

const PAUSES: &str = "SELECT count(*) FROM crossfade.events WHERE kind = 'paused'";

#[test]
fn a_request_that_is_sent_again_is_answered_as_before_by_any_server_and_after_a_restart() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let (one, other) = (team.serve(&[]), team.serve(&[]));
        let token = team.token(&team.operator, "operate");
        let first = send(&one, &token, &pause("k1", "a test")).await;
        assert_eq!(
            (first.0, &first.1["replaced"], first.2),
            (200, &Value::Null, false)
        );
        for page in [&one, &other] {
            let again = send(page, &token, &pause("k1", "a test")).await;
            assert_eq!(again, (200, first.1.clone(), true));
        }
        one.kill();
        let one = team.serve(&[]);
        let again = send(&one, &token, &pause("k1", "a test")).await;
        assert_eq!(again, (200, first.1.clone(), true));
        assert_eq!(database.value(PAUSES).await, "1");
        // The key is of the role, and not of the token.
        let further = team.token(&team.operator, "operate");
        assert!(send(&one, &further, &pause("k1", "a test")).await.2);
        // Something else was asked.
        let another = send(&other, &token, &pause("k1", "another")).await;
        assert_eq!((another.0, another.2), (422, false), "{}", another.1);
        let elsewhere = Sent {
            path: "/api/v1/freeze",
            ..pause("k1", "a test")
        };
        assert_eq!(send(&other, &token, &elsewhere).await.0, 422);
        assert_eq!(database.value(PAUSES).await, "1");
        // Under another key, and of another role, it is another request.
        let replaced = send(&other, &token, &pause("k2", "a test")).await;
        assert_eq!(replaced.1["replaced"]["reason"], "a test");
        let deployer = team.token(&team.deployer, "operate");
        assert!(!send(&other, &deployer, &pause("k1", "a test")).await.2);
        assert_eq!(database.value(PAUSES).await, "3");
        // After a day it is forgotten.
        database
            .execute("UPDATE crossfade.answers SET asked_at = asked_at - interval '25 hours'")
            .await;
        assert!(!send(&other, &token, &pause("k1", "a test")).await.2);
        let left = database
            .value("SELECT count(*) FROM crossfade.answers")
            .await;
        assert_eq!(left, "1", "what has expired is deleted");
    });
}

#[test]
fn the_same_request_at_the_same_moment_is_carried_out_once() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        // An order that stays open.
        team.run(&team.deployer, &["pause", RUN, "--reason", "a test"]);
        let (one, other) = (team.serve(&[]), team.serve(&[]));
        let token = team.token(&team.operator, "operate");
        for key in ["k1", "k2", "k3"] {
            let order = Sent {
                key,
                method: Method::POST,
                path: ORDERS,
                body: Some(json!({"action": "advance"})),
            };
            let answers =
                futures_util::future::join_all((0..6).map(|number| {
                    send(if number % 2 == 0 { &one } else { &other }, &token, &order)
                }))
                .await;
            for (code, answer, _) in &answers {
                assert_eq!(
                    (*code, &answer["order"]),
                    (201, &answers[0].1["order"]),
                    "{answer}"
                );
            }
            assert_eq!(
                answers.iter().filter(|answer| !answer.2).count(),
                1,
                "{answers:?}"
            );
            team.run(&team.operator, &["cancel", RUN]);
        }
        let orders = database
            .value("SELECT count(*) FROM crossfade.orders")
            .await;
        assert_eq!(orders, "3");
    });
}

#[test]
fn what_did_nothing_or_was_refused_stays_so_and_a_lost_answer_is_said_to_be_lost() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        team.run(&team.deployer, &["pause", RUN, "--reason", "a test"]);
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "operate");
        let order = |key| Sent {
            key,
            method: Method::POST,
            path: ORDERS,
            body: Some(json!({"action": "advance"})),
        };
        let cancel = Sent {
            key: "k1",
            method: Method::DELETE,
            path: ORDER,
            body: None,
        };
        assert_eq!(
            send(&page, &token, &cancel).await.1["cancelled"],
            Value::Null
        );
        assert_eq!(send(&page, &token, &order("k2")).await.0, 201);
        // Sent again, it must not cancel what was placed since.
        let again = send(&page, &token, &cancel).await;
        assert_eq!((&again.1["cancelled"], again.2), (&Value::Null, true));
        let open = "SELECT count(*) FROM crossfade.orders WHERE state = 'open'";
        assert_eq!(database.value(open).await, "1");
        // Refused because one is open, and refused still when it has ended.
        let refused = send(&page, &token, &order("k3")).await;
        assert_eq!((refused.0, refused.2), (409, false), "{}", refused.1);
        team.run(&team.operator, &["cancel", RUN]);
        assert_eq!(
            send(&page, &token, &order("k3")).await,
            (409, refused.1, true)
        );
        assert_eq!(database.value(open).await, "0");
        // A server that died between the act and the answer.
        database
            .execute("UPDATE crossfade.answers SET status = NULL, body = NULL WHERE key = 'k2'")
            .await;
        let lost = send(&page, &token, &order("k2")).await;
        assert_eq!((lost.0, lost.2), (409, false));
        assert!(
            lost.1["detail"]
                .as_str()
                .unwrap()
                .contains("its answer was lost"),
            "{}",
            lost.1
        );
        assert_eq!(database.value(open).await, "0");
    });
}

#[test]
fn keys_are_short_bounded_and_of_those_who_may_act() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "operate");
        for key in ["", "a b", &"x".repeat(201)] {
            let (code, answer, _) = send(&page, &token, &pause(key, "x")).await;
            assert_eq!(code, 400, "{key}: {answer}");
        }
        let kept = "SELECT count(*) FROM crossfade.answers";
        // What could not be read, or is not allowed, is not kept.
        assert_eq!(send(&page, &token, &pause("k", " ")).await.0, 400);
        let viewer = team.token(&team.approver, "view");
        assert_eq!(send(&page, &viewer, &pause("k", "x")).await.0, 403);
        let approver = team.token(&team.approver, "approve");
        assert_eq!(send(&page, &approver, &pause("k", "x")).await.0, 403);
        assert_eq!(database.value(kept).await, "0");
        // A login writes and reads under its own role, and only by the functions.
        let driver = format!("driver_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {driver} LOGIN; GRANT USAGE, CREATE ON SCHEMA crossfade TO {driver}; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {driver}"
            ))
            .await;
        let client = connect(&team.url(&driver)).await;
        let hash = "a".repeat(64);
        let insert = format!(
            "INSERT INTO crossfade.answers (role_oid, key, request) VALUES (10, 'k', '{hash}')"
        );
        assert!(client.batch_execute(&insert).await.is_err());
        client
            .query_one("SELECT crossfade.keep_answer('k', $1, 200, '{}')", &[&hash])
            .await
            .unwrap();
        let owner = database
            .value("SELECT string_agg(role_oid::regrole::text, ',') FROM crossfade.answers")
            .await;
        assert_eq!(owner, driver);
        // So many, and then no more.
        database
            .execute(&format!("INSERT INTO crossfade.answers (role_oid, key, request, status, body) \
                SELECT '{}'::regrole, 'k' || i, '{hash}', 200, '{{}}' FROM generate_series(1, 10000) AS i", team.operator))
            .await;
        let (code, answer, _) = send(&page, &token, &pause("one-more", "x")).await;
        assert_eq!(code, 409);
        assert!(
            answer["detail"]
                .as_str()
                .unwrap()
                .contains("Send the request without one"),
            "{answer}"
        );
        assert_eq!(database.value(PAUSES).await, "0");
        let plain = json!({"reason": "x"});
        let (code, _) = page
            .call(Some(&token), Method::PUT, PAUSE, Some(plain))
            .await;
        assert_eq!(code, 200);
    });
}
