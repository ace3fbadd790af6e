//! Tests with real servers: launch, settings, restart, kill, stop, keep, and the death of the owner.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio_postgres::NoTls;

use super::*;

/// Where the helper process of the orphan test writes its server's folder and pid.
const REPORT_VARIABLE: &str = "CROSSFADE_TEST_LAUNCH_REPORT";

fn answer(url: &str, query: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let answer = client.query_one(query, &[]).await.map(|row| row.get(0));
        drop(client);
        connection.await.unwrap()?;
        answer
    })
}

fn is_running(pid: i32) -> bool {
    // A process that ended but was not reaped (not ours, in a container without init) counts as ended.
    let is_zombie =
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    kill(Pid::from_raw(pid), None).is_ok() && !is_zombie
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 seconds: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_server_is_launched_restarted_killed_and_stopped() {
    let settings = vec![
        ("max_connections".to_owned(), "17".to_owned()),
        ("crossfade.note".to_owned(), r"it's a \ note".to_owned()),
    ];
    let mut server = Server::launch(&LaunchOptions {
        settings,
        ..LaunchOptions::default()
    })
    .unwrap();
    let url = server.url("postgres");
    assert_eq!(answer(&url, "SHOW max_connections").unwrap(), "17");
    assert_eq!(
        answer(&url, "SHOW \"crossfade.note\"").unwrap(),
        r"it's a \ note"
    );
    assert_eq!(answer(&url, "SHOW fsync").unwrap(), "off");
    assert_eq!(answer(&url, "SHOW synchronous_commit").unwrap(), "on");
    assert_eq!(answer(&url, "SHOW server_encoding").unwrap(), "UTF8");
    assert_eq!(
        answer(&url, "SELECT current_user::text").unwrap(),
        "postgres"
    );
    assert_eq!(server.tcp_url("postgres"), None);
    let version = answer(&url, "SHOW server_version").unwrap();
    assert!(
        version.starts_with(&server.version().0.to_string()),
        "{version}"
    );

    // A large object, as it is made by a query with an answer.
    answer(&url, "SELECT lo_create(4711)::text").unwrap();
    for mode in [StopMode::Fast, StopMode::Immediate] {
        let pid = server.pid();
        server.restart(mode).unwrap();
        assert_ne!(server.pid(), pid);
        assert_eq!(server.url("postgres"), url);
        assert_eq!(answer(&url, "SELECT 'up again'").unwrap(), "up again");
    }

    kill(Pid::from_raw(server.pid()), Signal::SIGKILL).unwrap();
    server.restart(StopMode::Fast).unwrap();
    let kept = "SELECT count(*)::text FROM pg_largeobject_metadata WHERE oid = 4711";
    assert_eq!(answer(&url, kept).unwrap(), "1");
    assert!(
        fs::read_to_string(server.log_path())
            .unwrap()
            .contains("ready to accept connections")
    );

    let (pid, folder) = (server.pid(), server.socket_folder.clone());
    server.stop().unwrap();
    assert!(!is_running(pid));
    assert!(!folder.exists());
    assert!(answer(&url, "SELECT 'x'").is_err());
}

#[test]
fn by_tcp_the_password_counts_and_a_drop_ends_all() {
    let password = "p@ss/w:rd %41 'ü\"".to_owned();
    let listen = Listen::Tcp {
        password: password.clone(),
    };
    let server = Server::launch(&LaunchOptions {
        listen,
        ..LaunchOptions::default()
    })
    .unwrap();
    assert!(!format!("{server:?}").contains(&password));
    let tcp_url = server.tcp_url("postgres").unwrap();
    assert_eq!(
        answer(&tcp_url, "SELECT host(inet_server_addr())").unwrap(),
        TCP_HOST
    );
    assert_eq!(
        answer(&server.url("postgres"), "SELECT 'by socket'").unwrap(),
        "by socket"
    );
    let wrong_url =
        tcp_url
            .replacen("postgres:", "postgres:x", 1)
            .replacen("postgresx", "postgres", 1);
    assert!(answer(&wrong_url, "SELECT 'x'").is_err());

    let (pid, folder) = (server.pid(), server.socket_folder.clone());
    drop(server);
    assert!(!is_running(pid));
    assert!(!folder.exists());
}

#[test]
fn a_kept_server_lives_on() {
    let server = Server::launch(&LaunchOptions::default()).unwrap();
    let (pid, url) = (server.pid(), server.url("postgres"));
    let folder = server.keep();
    assert_eq!(answer(&url, "SELECT 'kept'").unwrap(), "kept");
    kill(Pid::from_raw(pid), Signal::SIGQUIT).unwrap();
    wait_until("the kept server's end", || !is_running(pid));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_setting_that_postgres_refuses_is_shown_with_its_log() {
    let settings = vec![("work_mem".to_owned(), "a lot".to_owned())];
    let error = Server::launch(&LaunchOptions {
        settings,
        ..LaunchOptions::default()
    })
    .unwrap_err();
    assert!(matches!(error, LaunchError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("work_mem"), "{error}");
}

#[test]
fn odd_passwords_settings_and_parents_are_refused() {
    let refusal = |options: LaunchOptions| Server::launch(&options).unwrap_err();
    for password in ["", "two\nlines"] {
        let listen = Listen::Tcp {
            password: password.to_owned(),
        };
        assert!(matches!(
            refusal(LaunchOptions {
                listen,
                ..Default::default()
            }),
            LaunchError::Password
        ));
    }
    let settings = vec![("port".to_owned(), "1".to_owned())];
    assert!(matches!(
        refusal(LaunchOptions {
            settings,
            ..Default::default()
        }),
        LaunchError::Setting { .. }
    ));
    let deep = tempfile::tempdir().unwrap();
    let parent = deep.path().join("x".repeat(90));
    fs::create_dir(&parent).unwrap();
    let error = refusal(LaunchOptions {
        parent: Some(parent),
        ..Default::default()
    });
    assert!(matches!(error, LaunchError::PathTooLong { .. }), "{error}");
}

#[test]
fn the_watchdog_ends_the_server_when_its_owner_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "owner_that_waits_to_be_killed"])
        .env(REPORT_VARIABLE, &report)
        .spawn()
        .unwrap();
    wait_until("the owner's report", || {
        fs::read_to_string(&report).is_ok_and(|text| text.ends_with('\n'))
    });
    let text = fs::read_to_string(&report).unwrap();
    let (pid, server_folder) = text.trim_end().split_once(' ').unwrap();
    let pid = pid.parse().unwrap();
    assert!(is_running(pid));

    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until("the server's end", || !is_running(pid));
    wait_until("the folder's end", || !Path::new(server_folder).exists());
}

#[test]
#[ignore = "the helper process of the_watchdog_ends_the_server_when_its_owner_is_killed"]
fn owner_that_waits_to_be_killed() {
    let Some(report) = std::env::var_os(REPORT_VARIABLE) else {
        return;
    };
    let server = Server::launch(&LaunchOptions::default()).unwrap();
    fs::write(
        report,
        format!("{} {}\n", server.pid(), server.socket_folder.display()),
    )
    .unwrap();
    thread::sleep(Duration::from_secs(60));
}
