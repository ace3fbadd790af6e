//! People whom a proxy in front signs in: `--trust-header`.

use crate::support::{
    on_empty_postgresql,
    page::{Page, Visitor},
    team::{ON_A_FREE_PORT, RUN, Team},
};
use reqwest::{Method, header};
use serde_json::{Value, json};

const HEADER: &str = "x-forwarded-user";

/// A server that trusts this address, with two users.
fn serve(team: &Team<'_>, folder: &std::path::Path, trusted: &str) -> Page {
    let file = folder.join("crossfade.yaml");
    let text = "users:\n  ada@example.com: ${ADA_TOKEN}\n  grace@example.com: ${GRACE_TOKEN}\n";
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let arguments = [
        "serve",
        ON_A_FREE_PORT,
        "--config",
        &file,
        "--trust-header",
        "X-Forwarded-User",
        "--trusted-proxy",
        trusted,
    ];
    let mut command = crate::support::command(&team.url(&team.deployer), &arguments);
    command.env("ADA_TOKEN", team.token(&team.operator, "operate"));
    command.env("GRACE_TOKEN", team.token(&team.approver, "approve"));
    Page::start(command)
}

/// The form's hidden value as this user sees it, and the code and the text of the page.
async fn look(visitor: &Visitor, user: &str, path: &str) -> (u16, String) {
    let answer = visitor
        .request(Method::GET, path)
        .header(HEADER, user)
        .send()
        .await
        .unwrap();
    let code = answer.status().as_u16();
    (code, answer.text().await.unwrap())
}

fn form_in(page: &str) -> String {
    let (_, rest) = page.rsplit_once("name=\"form\" value=\"").expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

async fn post(
    visitor: &Visitor,
    user: &str,
    path: &str,
    body: String,
    origin: Option<&str>,
) -> u16 {
    let mut request = visitor
        .request(Method::POST, path)
        .header(HEADER, user)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    request.body(body).send().await.unwrap().status().as_u16()
}

#[test]
fn a_user_of_the_proxy_acts_by_his_token_and_the_history_names_both() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let folder = tempfile::tempdir().unwrap();
        let page = serve(&team, folder.path(), "127.0.0.0/8");
        let visitor = Visitor::unknown(&page);
        let (ada, grace) = ("ada@example.com", "grace@example.com");
        let pause = format!("/runs/{RUN}/pause");
        let (code, shown) = look(&visitor, ada, &pause).await;
        assert_eq!(code, 200, "{shown}");
        assert!(
            shown.contains(&format!("{ada} as {}", team.operator)),
            "{shown}"
        );
        let form = form_in(&shown);
        // What another site, and what another user, could send.
        let evil = Some("http://evil.example");
        assert_eq!(
            post(&visitor, ada, &pause, format!("form={form}&reason=x"), evil).await,
            403
        );
        assert_eq!(
            post(
                &visitor,
                ada,
                &pause,
                "form=guess&reason=x".to_owned(),
                None
            )
            .await,
            403
        );
        let (_, others) = look(&visitor, grace, &pause).await;
        assert!(!others.contains(&form));
        assert_eq!(
            post(
                &visitor,
                grace,
                &pause,
                format!("form={form}&reason=x"),
                None
            )
            .await,
            403
        );
        assert_eq!(database.status(RUN)["paused"], Value::Null);
        assert_eq!(
            post(&visitor, ada, &pause, format!("form={form}&reason=x"), None).await,
            303
        );
        // An approval through the proxy and one by the role's own login count once.
        let approve = format!("/runs/{RUN}/approve");
        let (_, shown) = look(&visitor, grace, &approve).await;
        let body = format!("form={}&phase=contract&comment=", form_in(&shown));
        assert_eq!(post(&visitor, grace, &approve, body, None).await, 303);
        let again = team.run(&team.approver, &["approve", RUN, "contract"]);
        assert!(again.contains("already"), "{again}");
        let recorded = database
            .value("SELECT string_agg(kind || ' ' || role || ' ' || split_part(os_user, ' through ', 1), ', ' ORDER BY number) FROM crossfade.events WHERE number > 1")
            .await;
        assert_eq!(
            recorded,
            format!(
                "paused {} token 1 for {ada}, approved {} token 2 for {grace}",
                team.operator, team.approver
            )
        );
        let by = database.status(RUN)["paused"]["by"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(by.contains(ada), "{by}");
        // A token that is over is no sign-in, and no way around one.
        team.run(&team.operator, &["token", "revoke", "1"]);
        let (code, refused) = look(&visitor, ada, "/").await;
        assert!(
            code == 403 && refused.contains("is not valid"),
            "{code} {refused}"
        );
        let intact = database
            .crossfade(&["history", RUN, "--verify"])
            .exits(0)
            .stdout;
        assert!(intact.contains("is intact"), "{intact}");
    });
}

#[test]
fn a_header_from_elsewhere_of_nobody_known_or_to_the_api_is_ignored() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = serve(&team, folder.path(), "10.0.0.0/8");
        let visitor = Visitor::unknown(&elsewhere);
        assert_eq!(look(&visitor, "ada@example.com", "/").await.0, 303);
        let page = serve(&team, folder.path(), "127.0.0.1");
        let visitor = Visitor::unknown(&page);
        for user in [
            "eve@example.com",
            "",
            "ada@example.com, eve",
            "ADA@example.com",
        ] {
            assert_eq!(look(&visitor, user, "/").await.0, 303, "{user}");
        }
        let twice = visitor
            .request(Method::GET, "/")
            .header(HEADER, "ada@example.com")
            .header(HEADER, "grace@example.com");
        assert_eq!(twice.send().await.unwrap().status().as_u16(), 303);
        let api = visitor
            .request(Method::GET, "/api/v1/runs")
            .header(HEADER, "ada@example.com");
        assert_eq!(
            api.send().await.unwrap().status().as_u16(),
            401,
            "programs send a token"
        );
        // Somebody whom the proxy names, and who has no token here, may still sign in with one.
        let token = team.token(&team.operator, "view");
        let signed_in = page.visitor(&token).await;
        let answer = signed_in
            .request(Method::GET, "/")
            .header(HEADER, "eve@example.com")
            .send()
            .await;
        assert_eq!(answer.unwrap().status().as_u16(), 200);
        let path = format!("/api/v1/runs/{RUN}/pause");
        let body = Some(json!({"reason": "x"}));
        let pause = page.call(None, Method::PUT, &path, body);
        assert_eq!(pause.await.0, 401);
    });
}

#[test]
fn what_would_trust_everybody_or_nobody_is_refused() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crossfade.yaml");
        let path = file.display().to_string();
        let serve = |text: &str, further: &[&str], exit: i32| {
            std::fs::write(&file, text).unwrap();
            let all = [
                &["serve", "--listen=127.0.0.1:0", "--config", &path][..],
                further,
            ]
            .concat();
            team.tried(&team.deployer, &all).exits(exit).stderr
        };
        let token = team.token(&team.operator, "view");
        let users = format!("users: {{ada@example.com: {token}}}\n");
        let header = ["--trust-header", "X-User"];
        let with = |proxy| [&header[..], &["--trusted-proxy", proxy]].concat();
        let said = serve(&users, &with("0.0.0.0/0"), 2);
        assert!(said.contains("is every address"), "{said}");
        assert!(serve(&users, &with("10.0.0.0/99"), 2).contains("is not a range of addresses"));
        assert!(serve(&users, &header, 2).contains("--trusted-proxy"));
        let said = serve("page: https://ops.example\n", &with("10.0.0.1"), 2);
        assert!(said.contains("no user is named"), "{said}");
        let said = serve("users: {ada@example.com: hunter2}\n", &with("10.0.0.1"), 1);
        assert!(
            said.contains("this is no token") && !said.contains("hunter2"),
            "{said}"
        );
        let said = serve("users: {\"ada l\": hunter2}\n", &with("10.0.0.1"), 1);
        assert!(
            said.contains("without spaces") && !said.contains("hunter2"),
            "{said}"
        );
        let said = serve(
            "users: {ada@example.com: \"${NO_SUCH_TOKEN}\"}\n",
            &with("10.0.0.1"),
            1,
        );
        assert!(said.contains("NO_SUCH_TOKEN is not set"), "{said}");
    });
}
