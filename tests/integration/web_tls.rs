//! A server that speaks TLS itself.

use crate::support::{
    certificates::Certificates,
    on_empty_postgresql,
    page::Page,
    team::{RUN, Team},
    tools,
};
use reqwest::{Client, header, redirect};
use std::{
    fs,
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

/// Trusts this authority only.
fn trusting(authority: &str) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).expect("an authority");
    Client::builder()
        .tls_certs_only([authority])
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(20))
        .build()
        .expect("a client")
}

fn put(folder: &Path, made: &Certificates, name: &str) {
    for (file, from) in [("tls.crt", "crt"), ("tls.key", "key")] {
        fs::write(folder.join(file), made.text(&format!("{name}.{from}"))).unwrap();
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn a_certificate_lets_other_machines_come_and_is_replaced_while_the_server_runs() {
    let Some(openssl) = tools::program("openssl") else {
        return;
    };
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let made = Certificates::make(&openssl);
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &made, "right");
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (chain, key) = (file("tls.crt"), file("tls.key"));
        let arguments = [
            "serve",
            "--listen=0.0.0.0:0",
            "--tls-cert",
            &chain,
            "--tls-key",
            &key,
        ];
        let page = Page::start(crate::support::command(
            &team.url(&team.deployer),
            &arguments,
        ));
        let port = page.address.rsplit(':').next().unwrap().to_owned();
        assert!(
            page.said().contains("the page is on https://"),
            "{}",
            page.said()
        );
        let url = |path: &str| format!("https://localhost:{port}{path}");
        let (old, new) = (
            trusting(&made.text("ca.crt")),
            trusting(&made.text("other-ca.crt")),
        );
        // Somebody who says nothing, and somebody who does not speak TLS, keep nobody out.
        let silent = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        let plain = crate::support::page::client()
            .get(format!("http://localhost:{port}/"))
            .send();
        assert!(plain.await.is_err());
        let token = team.token(&team.operator, "operate");
        let signed_in = old
            .post(url("/sign-in"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("token={token}"))
            .send()
            .await
            .unwrap();
        let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.starts_with("__Host-crossfade=") && cookie.contains("; Secure"),
            "{cookie}"
        );
        assert!(
            signed_in
                .headers()
                .contains_key(header::STRICT_TRANSPORT_SECURITY)
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let run = old
            .get(url(&format!("/runs/{RUN}")))
            .header(header::COOKIE, &cookie);
        assert_eq!(run.send().await.unwrap().status().as_u16(), 200);
        assert!(new.get(url("/healthz")).send().await.is_err());
        // Half of a new pair, and no pair at all: the one before stays.
        fs::write(&chain, made.text("wrong-ca.crt")).unwrap();
        until("a warning", async || {
            page.said().contains("the one before stays in use")
        })
        .await;
        assert_eq!(
            old.get(url("/healthz"))
                .send()
                .await
                .unwrap()
                .status()
                .as_u16(),
            200
        );
        put(folder.path(), &made, "wrong-ca");
        until("the new one", async || {
            new.get(url("/healthz")).send().await.is_ok()
        })
        .await;
        // A client that has been here resumes its session; one that comes for the first time sees the new certificate.
        let newcomer = trusting(&made.text("ca.crt"));
        assert!(newcomer.get(url("/healthz")).send().await.is_err());
        fs::remove_file(&key).unwrap();
        until("a second warning", async || {
            page.said().matches("stays in use").count() == 2
        })
        .await;
        assert_eq!(
            new.get(url("/healthz"))
                .send()
                .await
                .unwrap()
                .status()
                .as_u16(),
            200
        );
        let planted = made.text("right.key");
        assert!(!page.said().contains(planted.lines().nth(1).unwrap()));
        drop(silent);
        assert_eq!(page.end(), Some(0));
    });
}

#[test]
fn a_pair_that_cannot_be_used_is_said_before_anything_is_served() {
    let Some(openssl) = tools::program("openssl") else {
        return;
    };
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let made = Certificates::make(&openssl);
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &made, "right");
        let file = |name: &str| folder.path().join(name).display().to_string();
        fs::write(folder.path().join("other.key"), made.text("wrong-host.key")).unwrap();
        fs::write(folder.path().join("empty"), "").unwrap();
        for (chain, key, why, exit) in [
            ("tls.crt", "other.key", "cannot be used together", 1),
            ("tls.crt", "empty", "has no private key in it", 1),
            ("tls.key", "tls.key", "has no certificate in it", 1),
            ("none.crt", "tls.key", "none.crt: No such file", 1),
        ] {
            let (chain, key) = (file(chain), file(key));
            let arguments = [
                "serve",
                "--listen=127.0.0.1:0",
                "--tls-cert",
                &chain,
                "--tls-key",
                &key,
            ];
            let refused = team.tried(&team.deployer, &arguments).exits(exit);
            assert!(refused.stderr.contains(why), "{why}: {}", refused.stderr);
        }
        let half = ["serve", "--listen=127.0.0.1:0", "--tls-cert", "x"];
        let refused = team.tried(&team.deployer, &half).exits(2);
        assert!(refused.stderr.contains("--tls-key"), "{}", refused.stderr);
    });
}
