//! The page and the API of `crossfade serve`: who may look and act, in whose name that is recorded, and what becomes of nonsense.

use crate::support::{
    connect, on_empty_postgresql, on_own_postgresql,
    page::{Page, Visitor, client},
    team::{ON_A_FREE_PORT, PLAN, RUN, Team},
    tools,
};
use reqwest::{Method, header};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

#[test]
fn a_whole_rename_by_forms_alone_is_recorded_in_the_names_of_those_who_did_it() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let page = team.serve(&[]);
        let operator = page.visitor(&team.token(&team.operator, "operate")).await;
        let (code, checked) = operator
            .act("/start", &[("plan", PLAN), ("what", "check")])
            .await;
        assert!(
            code == 200 && checked.contains("The plan fits"),
            "{checked}"
        );
        let wrong = PLAN.replace("from: status", "from: stattus");
        let (code, refused) = operator
            .act("/start", &[("plan", &wrong), ("what", "start")])
            .await;
        assert!(
            code == 200 && refused.contains("has no column"),
            "{refused}"
        );
        let (code, to) = operator
            .act("/start", &[("plan", PLAN), ("what", "start")])
            .await;
        assert_eq!(
            (code, to.as_str()),
            (303, "/runs/rename-status?did=started")
        );
        let advance = format!("/runs/{RUN}/advance");
        let (code, to) = operator.act(&advance, &[("to", "retire")]).await;
        assert_eq!(
            (code, to.as_str()),
            (303, "/runs/rename-status?did=ordered")
        );
        assert_eq!(team.until_ended().await, "done");
        // The gate of `contract` wants somebody else's approval; whoever started the run does not count.
        let approver = page.visitor(&team.token(&team.approver, "approve")).await;
        let approve = format!("/runs/{RUN}/approve");
        let (_, to) = approver
            .act(&approve, &[("phase", "contract"), ("comment", "seen")])
            .await;
        assert_eq!(to, "/runs/rename-status?did=approved");
        let (_, to) = approver.act(&approve, &[("phase", "contract")]).await;
        assert_eq!(to, "/runs/rename-status?did=approved-before");
        // The same role by its own login counts once, too.
        let again = team.run(&team.approver, &["approve", RUN, "contract"]);
        assert!(again.contains("already"), "{again}");
        let contract = format!("/runs/{RUN}/advance?to=contract");
        let (code, page_of) = operator.page(&contract).await;
        assert!(
            code == 200 && page_of.contains("cannot be undone"),
            "{page_of}"
        );
        let (code, refused) = operator.act(&contract, &[("name", "another")]).await;
        assert!(
            code == 400 && refused.contains("nothing was done"),
            "{refused}"
        );
        let (code, _) = operator.act(&contract, &[("name", RUN)]).await;
        assert_eq!(code, 303);
        assert_eq!(team.until_ended().await, "done");
        assert_eq!(database.status(RUN)["state"], "completed");
        let recorded = database
            .value("SELECT string_agg(DISTINCT kind || ' ' || role, ',' ORDER BY kind || ' ' || role) FROM crossfade.events WHERE os_user LIKE 'token %'")
            .await;
        let expected = format!(
            "approved {},ordered {op},started {op}",
            team.approver,
            op = team.operator
        );
        assert_eq!(recorded, expected);
        let intact = database
            .crossfade(&["history", RUN, "--verify"])
            .exits(0)
            .stdout;
        assert!(intact.contains("is intact"), "{intact}");
        let (code, list) = operator.page("/?q=rename").await;
        assert!(code == 200 && list.contains("completed"), "{list}");
    });
}

#[test]
fn a_token_lets_its_holder_do_what_both_the_token_and_the_role_allow() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        team.run(&team.deployer, &["advance", RUN, "--to", "dual_write"]);
        let page = team.serve(&[]);
        let may = async |token: &str| {
            let base = format!("/api/v1/runs/{RUN}");
            let (look, _) = page.call(Some(token), Method::GET, &base, None).await;
            let pause = json!({"reason": "a test"});
            let (operate, _) = page
                .call(
                    Some(token),
                    Method::PUT,
                    &format!("{base}/pause"),
                    Some(pause),
                )
                .await;
            if operate == 200 {
                page.call(Some(token), Method::DELETE, &format!("{base}/pause"), None)
                    .await;
            }
            let approval = json!({"phase": "contract"});
            let (approve, _) = page
                .call(
                    Some(token),
                    Method::POST,
                    &format!("{base}/approvals"),
                    Some(approval),
                )
                .await;
            (look, operate, approve)
        };
        for (role, can, expected) in [
            (&team.deployer, "view", (200, 403, 403)),
            (&team.deployer, "operate", (200, 200, 403)),
            (&team.deployer, "approve", (200, 403, 200)),
            (&team.operator, "operate,approve", (200, 200, 200)),
            (&team.approver, "view,operate,approve", (200, 403, 200)),
        ] {
            let token = team.token(role, can);
            assert_eq!(may(&token).await, expected, "{role}: {can}");
        }
        // A role without rights on Crossfade's tables cannot even make a token; one that is made for it opens nothing.
        let refused = team.tried(&team.stranger, &["token", "create"]).exits(1);
        assert!(
            refused.stderr.contains("may not look"),
            "{}",
            refused.stderr
        );
        let made = database.crossfade(&[
            "token",
            "create",
            "--role",
            &team.stranger,
            "--can",
            "view,operate,approve",
        ]);
        assert_eq!(may(made.exits(0).stdout.trim()).await, (403, 403, 403));
        // Rights are asked for each time.
        let token = team.token(&team.approver, "approve");
        database
            .execute(&format!("REVOKE SELECT ON ALL TABLES IN SCHEMA crossfade FROM \"{}\"; REVOKE EXECUTE ON FUNCTION crossfade.approve FROM PUBLIC", team.approver))
            .await;
        assert_eq!(may(&token).await, (403, 403, 403));
    });
}

#[test]
fn nobody_makes_or_forges_a_token_of_a_role_that_he_could_not_be() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        for (maker, holder) in [
            (&team.deployer, &team.approver),
            (&team.operator, &team.deployer),
            (&team.approver, &team.deployer),
        ] {
            let refused = team
                .tried(maker, &["token", "create", "--role", holder])
                .exits(1);
            assert!(
                refused.stderr.contains("may not make a token"),
                "{}",
                refused.stderr
            );
        }
        let nobody = team
            .tried(
                &team.deployer,
                &["token", "create", "--role", "no_such_role"],
            )
            .exits(1);
        assert!(
            nobody.stderr.contains("there is no role no_such_role"),
            "{}",
            nobody.stderr
        );
        // A role that drives runs writes to Crossfade's tables, and still makes no token, and acts for nobody.
        let driver = format!("driver_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {driver} LOGIN; GRANT USAGE, CREATE ON SCHEMA crossfade TO {driver}; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {driver}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {driver}"
            ))
            .await;
        team.token(&team.approver, "approve");
        let client = connect(&team.url(&driver)).await;
        let hash = "f".repeat(64);
        for sql in [
            format!("INSERT INTO crossfade.tokens (role, role_oid, can, hash, created_by, created_by_os) VALUES ('x', 10, '{{operate}}', '{hash}', 'x', 'x')"),
            format!("UPDATE crossfade.tokens SET hash = '{hash}'"),
            "UPDATE crossfade.tokens SET can = '{operate}'".to_owned(),
            "UPDATE crossfade.tokens SET revoked_at = NULL".to_owned(),
            "DELETE FROM crossfade.tokens".to_owned(),
            "TRUNCATE crossfade.tokens CASCADE".to_owned(),
            format!("INSERT INTO crossfade.sign_ins (hash, token_id, expires_at) VALUES ('{hash}', 1, now() + interval '1 day')"),
            "SELECT crossfade.revoke_token(1, 'x')".to_owned(),
            format!("SELECT crossfade.create_token('{}', '{{approve}}', '{hash}', NULL, 'x')", team.approver),
            "BEGIN; SET LOCAL crossfade.token = 'guess'; SELECT crossfade.approve(1, 'contract', 'x', NULL)".to_owned(),
            "BEGIN; SET LOCAL crossfade.token = 'guess'; SELECT crossfade.record(1, 'x', 'x', '{}')".to_owned(),
        ] {
            let tried = client.batch_execute(&sql).await;
            assert!(tried.is_err(), "{sql}");
            client.batch_execute("ROLLBACK").await.unwrap();
        }
        // What the database keeps of a token is of no use to whoever reads it.
        let kept = database.value("SELECT hash FROM crossfade.tokens").await;
        let page = team.serve(&[]);
        let (code, _) = page
            .call(Some(&kept), Method::GET, "/api/v1/runs", None)
            .await;
        assert_eq!(code, 401);
    });
}

#[test]
fn a_token_that_is_revoked_or_has_expired_ends_its_sign_ins_and_streams() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "operate");
        let visitor = page.visitor(&token).await;
        let mut stream = visitor
            .request(Method::GET, &format!("/runs/{RUN}/live"))
            .send()
            .await
            .unwrap();
        let first = stream.chunk().await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&first).contains("rename-status"));
        let list: Value =
            serde_json::from_str(&team.run(&team.operator, &["token", "list", "--format", "json"]))
                .unwrap();
        let id = list["tokens"][0]["id"].to_string();
        let refused = team
            .tried(&team.stranger, &["token", "revoke", &id])
            .exits(1);
        assert!(!refused.stderr.is_empty());
        team.run(&team.operator, &["token", "revoke", &id]);
        let (code, _) = page
            .call(Some(&token), Method::GET, "/api/v1/runs", None)
            .await;
        assert_eq!(code, 401);
        let (code, _) = visitor.page("/").await;
        assert_eq!(code, 303, "to the form");
        let acted = visitor
            .post(
                &format!("/runs/{RUN}/pause"),
                &[("form", "x"), ("reason", "x")],
            )
            .await;
        assert_eq!(acted.status().as_u16(), 303);
        let began = Instant::now();
        let mut rest = String::new();
        while let Ok(Some(chunk)) = stream.chunk().await {
            rest.push_str(&String::from_utf8_lossy(&chunk));
            if rest.contains("event: over") {
                break;
            }
        }
        assert!(
            rest.contains("event: over") && began.elapsed() < Duration::from_secs(20),
            "{rest}"
        );
        let short = team.run(&team.operator, &["token", "create", "--expires", "1s"]);
        database
            .wait_until("SELECT bool_or(expires_at < clock_timestamp()) FROM crossfade.tokens")
            .await;
        let (code, problem) = page
            .call(Some(short.trim()), Method::GET, "/api/v1/runs", None)
            .await;
        assert!(
            code == 401 && problem["detail"].as_str().unwrap().contains("expired"),
            "{problem}"
        );
    });
}

#[test]
fn an_order_by_token_wants_a_role_that_could_become_the_server_and_ends_with_its_token() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        // Rights on the tables, without membership: it may pause, and not have the server do what it may not do itself.
        let outsider = format!("outsider_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {outsider} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {outsider}; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {outsider}"
            ))
            .await;
        let page = team.serve(&[]);
        let token = team.token(&outsider, "operate");
        let path = format!("/api/v1/runs/{RUN}/orders");
        let plan = json!({"plan": PLAN.replace("rename-status", "other")});
        for (path, body) in [
            (path.as_str(), json!({"action": "advance"})),
            ("/api/v1/runs", plan.clone()),
            ("/api/v1/plans/check", plan),
        ] {
            let (code, problem) = page
                .call(Some(&token), Method::POST, path, Some(body))
                .await;
            assert_eq!(code, 403, "{path}: {problem}");
        }
        let pause = json!({"reason": "a test"});
        let pausing = format!("/api/v1/runs/{RUN}/pause");
        let paused = page
            .call(Some(&token), Method::PUT, &pausing, Some(pause))
            .await;
        assert_eq!(paused.0, 200, "{}", paused.1);
        // An order that waits ends with the token that it was placed by.
        let token = team.token(&team.operator, "operate");
        let order = json!({"action": "advance", "phase": "contract"});
        let (code, placed) = page
            .call(Some(&token), Method::POST, &path, Some(order))
            .await;
        assert_eq!(code, 201, "{placed}");
        let id = database.value("SELECT max(id) FROM crossfade.tokens").await;
        team.run(&team.operator, &["token", "revoke", &id]);
        let ended = team.until_ended().await;
        assert_eq!(ended, "cancelled: its token was revoked");
        let intact = database
            .crossfade(&["history", RUN, "--verify"])
            .exits(0)
            .stdout;
        assert!(intact.contains("is intact"), "{intact}");
    });
}

#[test]
fn code_of_others_makes_no_token_in_somebody_elses_session() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let (mallory, approver) = (&team.stranger, &team.approver);
        let hash = "a".repeat(64);
        database
            .execute(&format!("GRANT USAGE ON SCHEMA crossfade TO {mallory}; CREATE SCHEMA m AUTHORIZATION {mallory}; GRANT USAGE ON SCHEMA m TO PUBLIC"))
            .await;
        let client = connect(&team.url(mallory)).await;
        client
            .batch_execute(&format!(
                "CREATE FUNCTION m.mint(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN \
                     IF session_user <> '{mallory}' THEN PERFORM crossfade.create_token(session_user::text, '{{view,operate,approve}}', '{hash}', NULL, 'x'); END IF; \
                     RETURN value; EXCEPTION WHEN insufficient_privilege THEN RETURN value; END $$; \
                 CREATE VIEW m.report AS SELECT m.mint('x') AS value; GRANT SELECT ON m.report TO PUBLIC; \
                 CREATE TABLE m.t (v text); INSERT INTO m.t VALUES ('a'); CREATE INDEX ON m.t (m.mint(v))"
            ))
            .await
            .expect("a trap");
        let victim = connect(&team.url(approver)).await;
        victim
            .query("SELECT * FROM m.report", &[])
            .await
            .expect("a report");
        // A superuser's, as in a worker of autovacuum, the role itself being tried first so that the trap is known to work.
        database.execute("ANALYZE m.t; REINDEX TABLE m.t").await;
        assert_eq!(
            database
                .value("SELECT count(*) FROM crossfade.tokens")
                .await,
            "0"
        );
        let own =
            format!("SELECT crossfade.create_token('{approver}', '{{view}}', '{hash}', NULL, 'x')");
        victim
            .batch_execute(&own)
            .await
            .expect("by the role itself");
        assert_eq!(
            database
                .value("SELECT count(*) FROM crossfade.tokens")
                .await,
            "1"
        );
        // Nor does a program look like a token's act.
        let says = victim
            .query_one("SELECT crossfade.actor_through('token 1 through ops')", &[])
            .await
            .unwrap();
        assert_eq!(says.get::<_, String>(0), "says token 1 through ops");
    });
}

#[test]
fn one_locked_table_hides_no_run() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        team.run(&team.deployer, &["advance", RUN, "--to", "verify"]);
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "view");
        let mut holder = database.client().await;
        let transaction = holder.transaction().await.unwrap();
        transaction
            .batch_execute("LOCK TABLE vehicles")
            .await
            .unwrap();
        let began = Instant::now();
        let list = page.get(&token, "/api/v1/runs").await;
        assert_eq!(list["runs"][0]["run"], RUN);
        let status = page.get(&token, &format!("/api/v1/runs/{RUN}")).await;
        assert_eq!(
            status["backfill"]["table_growth"],
            Value::Null,
            "not known now"
        );
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(database.status(RUN)["state"], "active");
        transaction.rollback().await.unwrap();
        assert!(database.status(RUN)["backfill"]["table_growth"].is_number());
    });
}

#[test]
fn every_answer_to_nonsense_is_a_problem_document_that_says_what_is_wrong() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "view,operate,approve");
        let run = format!("/api/v1/runs/{RUN}");
        let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
        for (method, path, body, code) in [
            (&get, "/api/v1/runs/none", None, 404),
            (&get, "/api/v1/runs/%00", None, 400),
            (&get, "/api/v1/runs/%FF", None, 400),
            (&get, "/api/v1/nothing", None, 404),
            (&delete, "/api/v1/runs", None, 405),
            (&get, &format!("{run}/events?after=x"), None, 400),
            (&get, &format!("{run}/events?limit=0"), None, 400),
            (
                &get,
                &format!("{run}/events?after=-9223372036854775808"),
                None,
                200,
            ),
            (&post, &format!("{run}/orders"), Some("{}"), 422),
            (&post, &format!("{run}/orders"), Some("not json"), 400),
            (
                &post,
                &format!("{run}/orders"),
                Some(r#"{"action": "explode"}"#),
                422,
            ),
            (
                &post,
                &format!("{run}/orders"),
                Some(r#"{"action": "advance", "phase": "lunch"}"#),
                422,
            ),
            (
                &post,
                &format!("{run}/orders"),
                Some(r#"{"action": "advance", "phase": "sql"}"#),
                404,
            ),
            (
                &post,
                &format!("{run}/orders"),
                Some(r#"{"action": "advance", "more": 1}"#),
                422,
            ),
            (
                &post,
                &format!("{run}/orders"),
                Some(r#"{"action": "rollback", "phase": "sql"}"#),
                409,
            ),
            (
                &post,
                &format!("{run}/approvals"),
                Some(r#"{"phase": "sql"}"#),
                404,
            ),
            (
                &put,
                &format!("{run}/pause"),
                Some(r#"{"reason": " "}"#),
                400,
            ),
            (
                &put,
                &format!("{run}/pause"),
                Some(r#"{"reason": "a\u0000b"}"#),
                400,
            ),
            (
                &put,
                &format!("{run}/pause"),
                Some(r#"{"reason": "x", "until": "tomorrow"}"#),
                422,
            ),
            (
                &put,
                &format!("{run}/tunings"),
                Some(r#"{"reason": "x", "limits": {"workers": "many"}}"#),
                409,
            ),
            (
                &put,
                &format!("{run}/tunings"),
                Some(r#"{"reason": "x", "limits": {"lunch": "1"}}"#),
                409,
            ),
            (
                &post,
                &format!("{run}/quarantine/accepted"),
                Some(r#"{"reason": "x", "ids": [1]}"#),
                409,
            ),
            (
                &post,
                "/api/v1/runs",
                Some(r#"{"plan": "version: 1"}"#),
                422,
            ),
            (
                &post,
                "/api/v1/plans/check",
                Some(r#"{"plan": "\u0000"}"#),
                422,
            ),
        ] {
            let request = client()
                .request(method.clone(), page.url(path))
                .bearer_auth(&token);
            let request = match body {
                Some(body) => request
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(body.to_owned()),
                None => request,
            };
            let answer = request.send().await.unwrap();
            let found = answer.status().as_u16();
            let kind = answer
                .headers()
                .get(header::CONTENT_TYPE)
                .map(|kind| kind.to_str().unwrap().to_owned());
            let text = answer.text().await.unwrap();
            assert_eq!(found, code, "{method} {path} {body:?}: {text}");
            page.described().await.check(
                method,
                path,
                found,
                &serde_json::from_str(&text).unwrap(),
            );
            if code >= 400 {
                assert_eq!(
                    kind.as_deref(),
                    Some("application/problem+json"),
                    "{path}: {text}"
                );
                let problem: Value = serde_json::from_str(&text).unwrap();
                assert!(
                    problem["status"] == code && !problem["detail"].as_str().unwrap().is_empty(),
                    "{text}"
                );
            }
        }
        let visitor = page.visitor(&token).await;
        for (path, code) in [
            ("/runs/none", 404),
            ("/runs/none/live", 404),
            ("/runs/%00", 400),
            ("/nothing", 404),
            ("/runs/rename-status/rollback?to=lunch", 400),
            ("/runs/rename-status/history?before=x", 400),
            ("/?skip=x", 400),
        ] {
            let (found, text) = visitor.page(path).await;
            assert_eq!(found, code, "{path}: {text}");
        }
        assert_eq!(
            team.run(&team.deployer, &["history", RUN]).lines().count(),
            1,
            "nothing was done"
        );
    });
}

#[test]
fn a_form_of_another_site_does_nothing() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let visitor = page.visitor(&team.token(&team.operator, "operate")).await;
        let path = format!("/runs/{RUN}/pause");
        let (_, form) = visitor.page(&path).await;
        let (_, rest) = form.rsplit_once("name=\"form\" value=\"").unwrap();
        let known = rest.split('"').next().unwrap();
        let post = async |form: &str, name: header::HeaderName, value: &str| {
            let request = visitor.request(Method::POST, &path);
            let request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(name, value);
            let answer = request
                .body(format!("form={form}&reason=x"))
                .send()
                .await
                .unwrap();
            answer.status().as_u16()
        };
        let own = format!("http://{}", page.address);
        let fetch_site = header::HeaderName::from_static("sec-fetch-site");
        assert_eq!(post("guess", header::ORIGIN, &own).await, 403);
        assert_eq!(post("", header::ORIGIN, &own).await, 403);
        assert_eq!(
            post(known, header::ORIGIN, "http://evil.example").await,
            403
        );
        assert_eq!(post(known, fetch_site, "cross-site").await, 403);
        assert_eq!(database.status(RUN)["paused"], Value::Null);
        assert_eq!(post(known, header::ORIGIN, &own).await, 303);
        assert_ne!(database.status(RUN)["paused"], Value::Null);
        let answer = visitor.request(Method::GET, "/").send().await.unwrap();
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    });
}

#[test]
fn without_a_token_nobody_acts_and_only_a_public_page_is_shown() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let closed = team.serve(&[]);
        let unknown = Visitor::unknown(&closed);
        for path in [
            "/",
            "/history",
            "/start",
            "/live",
            "/runs/rename-status",
            "/runs/rename-status/live",
            "/runs/rename-status/advance",
        ] {
            assert_eq!(unknown.page(path).await.0, 303, "{path}");
        }
        for path in [
            "/api/v1/runs",
            "/api/v1/runs/rename-status/events",
            "/health/migrations",
        ] {
            assert_eq!(
                closed.call(None, Method::GET, path, None).await.0,
                401,
                "{path}"
            );
        }
        for path in [
            "/healthz",
            "/readyz",
            "/sign-in",
            "/assets/style.css",
            "/assets/live.js",
        ] {
            assert_eq!(unknown.page(path).await.0, 200, "{path}");
        }
        let public = team.serve(&["--public-read"]);
        let unknown = Visitor::unknown(&public);
        let (code, shown) = unknown.page("/runs/rename-status").await;
        assert!(code == 200 && shown.contains("sign in first"), "{shown}");
        assert_eq!(
            unknown.page("/runs/rename-status/quarantine").await.0,
            403,
            "rows are shown to nobody unknown"
        );
        for path in [
            "/runs/rename-status/advance",
            "/runs/rename-status/pause",
            "/start",
        ] {
            let answer = unknown
                .post(
                    path,
                    &[
                        ("form", ""),
                        ("reason", "x"),
                        ("to", "expand"),
                        ("plan", "x"),
                        ("what", "check"),
                    ],
                )
                .await;
            assert_eq!(answer.status().as_u16(), 303, "{path}: to the form");
        }
        let pause = json!({"reason": "x"});
        assert_eq!(
            public
                .call(
                    None,
                    Method::PUT,
                    "/api/v1/runs/rename-status/pause",
                    Some(pause.clone())
                )
                .await
                .0,
            401
        );
        let health = public
            .call(None, Method::GET, "/health/migrations", None)
            .await
            .1;
        assert_eq!(health["runs"][0]["status"], "active");
        // A rollback is not counted for those who could not order it.
        team.run(&team.deployer, &["advance", RUN, "--to", "dual_write"]);
        let path = "/runs/rename-status/rollback";
        let (code, shown) = unknown.page(path).await;
        assert!(
            code == 200 && shown.contains("sign in first") && !shown.contains("It undoes"),
            "{shown}"
        );
        let viewer = public.visitor(&team.token(&team.operator, "view")).await;
        let (code, shown) = viewer.page(path).await;
        assert!(
            code == 200 && shown.contains("may not place orders") && !shown.contains("It undoes"),
            "{shown}"
        );
        let operator = public.visitor(&team.token(&team.operator, "operate")).await;
        let (code, shown) = operator.page(path).await;
        assert!(code == 200 && shown.contains("It undoes"), "{shown}");
        let order = Some(json!({"action": "rollback", "discards": ["public.nothing"]}));
        let viewer = team.token(&team.operator, "view");
        let (code, refused) = public
            .call(
                Some(&viewer),
                Method::POST,
                "/api/v1/runs/rename-status/orders",
                order,
            )
            .await;
        assert_eq!(code, 403, "before anything is counted: {refused}");
        let looking = team.serve(&["--read-only"]);
        let token = team.token(&team.operator, "operate");
        assert_eq!(
            looking
                .call(
                    Some(&token),
                    Method::PUT,
                    "/api/v1/runs/rename-status/pause",
                    Some(pause)
                )
                .await
                .0,
            403
        );
        assert_eq!(database.status(RUN)["paused"], Value::Null);
    });
}

#[test]
fn a_freeze_is_placed_and_ended_by_whoever_may_operate_and_shown_to_all() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let path = "/api/v1/freeze";
        let freeze = || Some(json!({"reason": "the sale"}));
        for (role, can, expected) in [
            (&team.approver, "approve", 403),
            (&team.operator, "view", 403),
            (&team.operator, "operate", 200),
        ] {
            let token = team.token(role, can);
            let placed = page.call(Some(&token), Method::PUT, path, freeze()).await;
            assert_eq!(placed.0, expected, "{can}: {}", placed.1);
        }
        let token = team.token(&team.operator, "operate");
        let looked = page.get(&token, path).await;
        assert_eq!(looked["frozen"]["reason"], "the sale");
        let wrong = Some(json!({"reason": "x", "until": "2020-01-01T00:00:00Z"}));
        let wrong = page.call(Some(&token), Method::PUT, path, wrong).await;
        assert_eq!(wrong.0, 400, "{}", wrong.1);
        let viewer = page.visitor(&team.token(&team.approver, "view")).await;
        for shown in ["/", "/freeze", &format!("/runs/{RUN}")] {
            let (code, text) = viewer.page(shown).await;
            assert!(code == 200 && text.contains("the sale"), "{shown}: {text}");
        }
        assert_eq!(viewer.act("/unfreeze", &[]).await.0, 403);
        let operator = page.visitor(&token).await;
        assert_eq!(operator.act("/unfreeze", &[]).await.0, 303);
        assert_eq!(database.status(RUN)["frozen"], Value::Null);
        assert_eq!(operator.act("/freeze", &[("reason", " ")]).await.0, 400);
        let (code, to) = operator
            .act("/freeze", &[("reason", "by a form"), ("span", "2h")])
            .await;
        assert_eq!((code, to.as_str()), (303, "/"));
        let frozen = database.status(RUN)["frozen"].clone();
        assert_eq!(frozen["reason"], "by a form");
        assert!(frozen["until"].is_string(), "{frozen}");
        let by = frozen["by"].as_str().unwrap();
        assert!(
            by.starts_with(&team.operator) && by.contains("token"),
            "{by}"
        );
        let ended = page.call(Some(&token), Method::DELETE, path, None).await;
        assert_eq!(ended.1["ended"][0]["reason"], "by a form");
        let looking = team.serve(&["--read-only"]);
        let refused = looking
            .call(Some(&token), Method::PUT, path, freeze())
            .await;
        assert_eq!(refused.0, 403, "{}", refused.1);
    });
}

#[test]
fn tokens_go_nowhere_unencrypted_and_appear_nowhere() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let refused = team
            .tried(&team.deployer, &["serve", "--listen", "0.0.0.0:0"])
            .exits(2);
        assert!(
            refused.stderr.contains("--behind-proxy"),
            "{}",
            refused.stderr
        );
        database
            .execute(&format!(
                "ALTER ROLE {} PASSWORD 'planted-secret'",
                team.deployer
            ))
            .await;
        let with_password = team
            .url(&team.deployer)
            .replacen('@', ":planted-secret@", 1);
        let mut command = crate::support::command(
            &with_password,
            &["serve", ON_A_FREE_PORT, "-vvv", "--behind-proxy"],
        );
        command.env("CROSSFADE_LOG", "trace");
        let page = Page::start(command);
        let token = team.token(&team.operator, "operate,approve");
        let unknown = Visitor::unknown(&page);
        let signed_in = unknown.post("/sign-in", &[("token", &token)]).await;
        let cookie = signed_in.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            cookie.starts_with("__Host-crossfade=") && cookie.contains("; Secure"),
            "{cookie}"
        );
        let sign_in = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
        let mut seen = String::new();
        for path in [
            "/",
            "/history",
            "/runs/rename-status",
            "/runs/none",
            "/sign-in",
        ] {
            let request = unknown
                .request(Method::GET, path)
                .header(header::COOKIE, format!("__Host-crossfade={sign_in}"));
            seen.push_str(&request.send().await.unwrap().text().await.unwrap());
        }
        for path in [
            "/api/v1/runs",
            "/api/v1/runs/rename-status",
            "/api/v1/runs/none",
            "/health/migrations",
        ] {
            seen.push_str(
                &page
                    .call(Some(&token), Method::GET, path, None)
                    .await
                    .1
                    .to_string(),
            );
        }
        assert!(seen.contains("rename-status"));
        seen.push_str(&page.said());
        seen.push_str(
            &database
                .value("SELECT string_agg(t::text, '') FROM crossfade.tokens AS t")
                .await,
        );
        seen.push_str(
            &database
                .value("SELECT string_agg(t::text, '') FROM crossfade.sign_ins AS t")
                .await,
        );
        seen.push_str(
            &database
                .value("SELECT string_agg(e::text, '') FROM crossfade.events AS e")
                .await,
        );
        for (what, secret) in [
            ("password", "planted-secret"),
            ("token", &token),
            ("sign-in", &sign_in),
        ] {
            assert!(!seen.contains(secret), "the {what} is shown somewhere");
        }
    });
}

#[test]
fn who_guesses_tokens_has_to_wait() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let page = team.serve(&[]);
        let unknown = Visitor::unknown(&page);
        let mut codes = Vec::new();
        for attempt in 0..11 {
            let guess = format!("crossfade_{attempt:064x}");
            codes.push(
                unknown
                    .post("/sign-in", &[("token", &guess)])
                    .await
                    .status()
                    .as_u16(),
            );
        }
        assert_eq!(codes, [[401; 10].as_slice(), &[429]].concat());
        // Nobody is locked out by that.
        page.visitor(&team.token(&team.operator, "view")).await;
        let elsewhere = unknown
            .request(Method::GET, "/sign-in")
            .header(header::HOST, "evil.example")
            .send()
            .await
            .unwrap();
        assert_eq!(
            elsewhere.status().as_u16(),
            403,
            "a name that is not of this machine"
        );
    });
}

#[test]
fn the_page_says_that_the_database_is_away_and_comes_back_by_itself() {
    on_own_postgresql(&[], async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "operate");
        let visitor = page.visitor(&token).await;
        let mut stream = visitor.request(Method::GET, "/live").send().await.unwrap();
        let shown = stream.chunk().await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&shown).contains(RUN));
        let admin = connect(&database.server().url("postgres")).await;
        let name = &database.name;
        admin
            .batch_execute(&format!(
                "ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ))
            .await
            .unwrap();
        let mut until = async |word: &str| {
            let mut seen = String::new();
            let began = Instant::now();
            while !seen.contains(word) {
                assert!(began.elapsed() < Duration::from_secs(25), "{word}: {seen}");
                let chunk = stream.chunk().await.unwrap().unwrap();
                seen = String::from_utf8_lossy(&chunk).into_owned();
            }
        };
        until("The database is unavailable").await;
        assert_eq!(page.call(None, Method::GET, "/healthz", None).await.0, 200);
        assert_eq!(page.call(None, Method::GET, "/readyz", None).await.0, 503);
        let (code, away) = visitor.page("/").await;
        assert_eq!(code, 503, "{away}");
        assert_eq!(
            page.call(Some(&token), Method::GET, "/api/v1/runs", None)
                .await
                .0,
            503
        );
        admin
            .batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            .await
            .unwrap();
        until(RUN).await;
        let (code, _) = visitor.page("/").await;
        assert_eq!(code, 200, "signed in still");
        assert_eq!(page.call(None, Method::GET, "/readyz", None).await.0, 200);
        assert_eq!(page.end(), Some(0));
    });
}

#[test]
fn events_are_streamed_once_each_and_go_on_behind_the_last_one_seen() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "operate");
        let path = format!("/api/v1/runs/{RUN}/events/live");
        let listen = async |last: Option<&str>| {
            let request = client().get(page.url(&path)).bearer_auth(&token);
            let request = match last {
                Some(last) => request.header("last-event-id", last),
                None => request,
            };
            request.send().await.unwrap()
        };
        let ids_until = async |stream: &mut reqwest::Response, last: &str| {
            let mut text = String::new();
            while !text.contains(last) {
                text.push_str(&String::from_utf8_lossy(
                    &stream.chunk().await.unwrap().unwrap(),
                ));
            }
            let ids = text
                .lines()
                .filter_map(|line| line.strip_prefix("id: ")?.parse().ok());
            ids.collect::<Vec<i64>>()
        };
        let mut stream = listen(None).await;
        team.run(&team.deployer, &["advance", RUN]);
        let ids = ids_until(&mut stream, "phase_completed").await;
        let recorded = page
            .get(&token, &format!("/api/v1/runs/{RUN}/events?limit=1000"))
            .await;
        let recorded: Vec<i64> = recorded["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["number"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, recorded);
        let mut again = listen(Some("2")).await;
        assert_eq!(
            ids_until(&mut again, "phase_completed").await,
            recorded[2..]
        );
        let first = page
            .get(&token, &format!("/api/v1/runs/{RUN}/events?limit=2"))
            .await;
        assert_eq!(first["next"], 2);
    });
}

/// The names of metrics in a text.
fn metric_names(text: &str) -> BTreeSet<String> {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.match_indices("crossfade_")
        .map(|(at, _)| {
            text[at..]
                .chars()
                .take_while(|one| letter(*one))
                .collect::<String>()
        })
        .filter(|name| name != "crossfade_")
        .collect()
}

#[test]
fn metrics_are_what_the_status_says_and_alerts_and_dashboard_know_no_others() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        team.run(&team.deployer, &["advance", RUN, "--to", "verify"]);
        team.run(&team.deployer, &["pause", RUN, "--reason", "a test"]);
        let page = team.serve(&[]);
        let token = team.token(&team.approver, "view");
        assert_eq!(page.call(None, Method::GET, "/metrics", None).await.0, 401);
        let ask = || client().get(page.url("/metrics")).bearer_auth(&token);
        let classic = ask().send().await.unwrap().text().await.unwrap();
        let answer = ask()
            .header(
                header::ACCEPT,
                "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            )
            .send()
            .await
            .unwrap();
        let kind = answer.headers()[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        let text = answer.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let value = |start: &str| {
            let line = text.lines().find(|line| line.starts_with(start));
            let line = line.unwrap_or_else(|| panic!("{start}: {text}"));
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        let status = database.status(RUN);
        let of_run = format!("{{run=\"{RUN}\"}}");
        let number = |value: &Value| value.as_f64().unwrap();
        assert_eq!(
            value(&format!("crossfade_backfill_rows_total{of_run}")),
            number(&status["backfill"]["rows_changed"])
        );
        assert_eq!(
            value(&format!("crossfade_rows_different{of_run}")),
            number(&status["verification"]["rows_different"])
        );
        assert_eq!(
            value(&format!("crossfade_quarantined_rows{of_run}")),
            number(&status["quarantined"])
        );
        assert_eq!(
            value(&format!(
                "crossfade_phase_state{{run=\"{RUN}\",phase=\"verify\",state=\"completed\"}}"
            )),
            1.0
        );
        assert_eq!(
            value(&format!(
                "crossfade_run_standing{{run=\"{RUN}\",standing=\"paused\"}}"
            )),
            1.0
        );
        assert_eq!(value("crossfade_orders{state=\"open\"}"), 0.0);
        assert_eq!(value("crossfade_served"), 1.0);
        let events = team.run(&team.deployer, &["history", RUN]);
        let completed = events
            .lines()
            .filter(|line| line.contains("  phase completed  "))
            .count();
        assert_eq!(
            value(&format!(
                "crossfade_events_total{{run=\"{RUN}\",kind=\"phase completed\"}}"
            )),
            completed as f64
        );
        let since: f64 = value(&format!(
            "crossfade_run_paused_since_timestamp_seconds{of_run}"
        ));
        let paused = database
            .value("SELECT extract(epoch FROM paused_at) FROM crossfade.runs")
            .await;
        assert!(
            (since - paused.parse::<f64>().unwrap()).abs() < 0.001,
            "{since} {paused}"
        );

        let read = |path: &str| {
            std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        let described = metric_names(&read("docs/guides/metrics.md"));
        let samples: String = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(['{', ' ']).next().unwrap().to_owned() + "\n")
            .collect();
        for name in metric_names(&samples) {
            assert!(
                described.contains(&name),
                "{name} is not in docs/guides/metrics.md"
            );
        }
        for path in [
            "docs/monitoring/alerts.yaml",
            "docs/monitoring/dashboard.json",
        ] {
            for name in metric_names(&read(path)) {
                assert!(described.contains(&name), "{path}: {name}");
            }
        }
        if let Some(promtool) = tools::program("promtool") {
            let rules = format!("{}/docs/monitoring/alerts.yaml", env!("CARGO_MANIFEST_DIR"));
            let checked = std::process::Command::new(&promtool)
                .args(["check", "rules", &rules])
                .output()
                .unwrap();
            assert!(
                checked.status.success(),
                "{}",
                String::from_utf8_lossy(&checked.stderr)
            );
            let mut file = tempfile::NamedTempFile::new().unwrap();
            std::io::Write::write_all(&mut file, classic.as_bytes()).unwrap();
            let checked = std::process::Command::new(&promtool)
                .args(["check", "metrics"])
                .stdin(file.reopen().unwrap())
                .output()
                .unwrap();
            assert!(
                checked.status.success(),
                "{}\n{classic}",
                String::from_utf8_lossy(&checked.stderr)
            );
        }
    });
}

#[test]
fn without_a_token_nobody_reads_what_errors_say() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        team.run(&team.deployer, &["advance", RUN, "--to", "dual_write"]);
        let page = team.serve(&["--public-read"]);
        let token = team.token(&team.operator, "operate");
        // An order that ends with an error, and a step that has one, as PostgreSQL says them: with a value.
        let path = format!("/api/v1/runs/{RUN}/orders");
        let order = json!({"action": "advance", "phase": "contract"});
        let (code, placed) = page
            .call(Some(&token), Method::POST, &path, Some(order))
            .await;
        assert_eq!(code, 201, "{placed}");
        team.until_ended().await;
        database
            .execute("ALTER TABLE crossfade.orders DISABLE TRIGGER USER; UPDATE crossfade.orders SET outcome = 'planted-value'; ALTER TABLE crossfade.orders ENABLE TRIGGER USER; UPDATE crossfade.steps SET error = 'planted-value', state = 'failed' WHERE step = (SELECT max(step) FROM crossfade.steps)")
            .await;
        let unknown = Visitor::unknown(&page);
        let known = page.visitor(&token).await;
        let run = format!("/runs/{RUN}");
        let shown = known.page(&run).await.1;
        assert!(shown.contains("planted-value"), "{shown}");
        for path in ["/", &run, &format!("{run}/pause"), &format!("{run}/verify")] {
            let (code, shown) = unknown.page(path).await;
            assert_eq!(code, 200, "{path}: {shown}");
            assert!(!shown.contains("planted-value"), "{path}: {shown}");
        }
        let mut stream = unknown
            .request(Method::GET, &format!("{run}/live"))
            .send()
            .await
            .unwrap();
        let first = stream.chunk().await.unwrap().unwrap();
        let first = String::from_utf8_lossy(&first).into_owned();
        assert!(
            first.contains(RUN) && !first.contains("planted-value"),
            "{first}"
        );
        for path in [
            "/history",
            &format!("{run}/history"),
            &format!("{run}/report"),
        ] {
            assert_eq!(unknown.page(path).await.0, 303, "{path}");
            assert_eq!(known.page(path).await.0, 200, "{path}");
        }
        let base = format!("/api/v1{run}");
        for path in ["/api/v1/runs", &base] {
            let (code, shown) = page.call(None, Method::GET, path, None).await;
            assert_eq!(code, 200, "{path}: {shown}");
            assert!(
                !shown.to_string().contains("planted-value"),
                "{path}: {shown}"
            );
        }
        let told = page.get(&token, &base).await;
        assert!(told.to_string().contains("planted-value"), "{told}");
        for path in ["events", "events/live", "report", "next"] {
            let path = format!("{base}/{path}");
            let (code, _) = page.call(None, Method::GET, &path, None).await;
            assert_eq!(code, 401, "{path}");
        }
    });
}
