//! Messages: whoever is named in the configuration is told of what happened, at least once, whatever the receiver, the server or
//! the database does meanwhile.

use crate::support::{Background, Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

const RUN: &str = "rename-status";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[derive(Clone, Debug)]
struct Request {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Request {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn topic(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

/// What a receiver does with a request.
#[derive(Clone, Copy)]
enum Answers {
    With(u16),
    Never,
}

/// An HTTP server that keeps what it is sent.
struct Inbox {
    url: String,
    answers: Arc<Mutex<Answers>>,
    requests: mpsc::Receiver<Request>,
}

impl Inbox {
    fn open(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "http://{}/hooks/s3cret-path",
            listener.local_addr().unwrap()
        );
        let (sender, requests) = mpsc::channel();
        let answers = Arc::new(Mutex::new(answers));
        let now = Arc::clone(&answers);
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let Some(request) = read(&mut stream) else {
                    continue;
                };
                let answers = *now.lock().unwrap();
                match answers {
                    Answers::With(status) => {
                        let _ = write!(
                            stream,
                            "HTTP/1.1 {status} Word\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        );
                    }
                    Answers::Never => hanging.push(stream),
                }
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self {
            url,
            answers,
            requests,
        }
    }

    fn answer(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    fn next(&self) -> Request {
        self.requests
            .recv_timeout(Duration::from_secs(30))
            .expect("a request")
    }

    /// Those up to the first with this topic.
    fn until(&self, topic: &str) -> Vec<Request> {
        let mut requests = Vec::new();
        loop {
            let request = self.next();
            let is_it = request.topic() == topic;
            requests.push(request);
            if is_it {
                return requests;
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        headers,
        body: String::from_utf8(body).ok()?,
    })
}

async fn start(database: &Database, more: &str) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7 FROM generate_series(1, 500) AS i",
        )
        .await;
    database.crossfade(&["init"]).exits(0);
    begin(database, more);
}

fn begin(database: &Database, more: &str) {
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n{more}"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

fn configuration(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

struct Server {
    process: Background,
    _configuration: tempfile::NamedTempFile,
}

/// A server with this configuration, which has noted where its receivers begin to listen.
async fn serve(database: &Database, text: &str, receivers: usize) -> Server {
    let file = configuration(text);
    let environment = [("HOOK_SECRET", SECRET)];
    let path = file.path().to_str().unwrap();
    let process = database.spawn(&environment, &["serve", "--config", path]);
    database
        .wait_until(&format!(
            "SELECT count(*) = {receivers} FROM crossfade.receivers"
        ))
        .await;
    Server {
        process,
        _configuration: file,
    }
}

impl Server {
    /// What it wrote to stderr.
    fn stop(self) -> String {
        self.process.signal(Signal::SIGTERM);
        self.process.wait().exits(0).stderr
    }
}

#[test]
fn a_webhook_is_told_what_it_wants_with_a_signature_and_the_report_at_the_end() {
    on_postgresql(async |database| {
        start(database, "gates: {switch_reads: {approvals: 1}}\n").await;
        let inbox = Inbox::open(Answers::With(200));
        let server = serve(
            database,
            &format!(
                "page: http://127.0.0.1:8080/\nnotify:\n  release-desk: {{webhook: {:?}, secrets: [\"${{HOOK_SECRET}}\"], events: [phase_finished, approval_needed, gate_open, paused, finished]}}\n",
                inbox.url
            ),
            1,
        )
        .await;
        database
            .crossfade(&["pause", RUN, "--reason", "lunch <now>"])
            .exits(0);
        let paused = inbox.next();
        assert_eq!(
            paused.topic(),
            "paused",
            "of what was before, nothing is told"
        );
        let data = &paused.json()["data"];
        assert_eq!(data["summary"], "rename-status: paused: lunch <now>");
        assert_eq!(data["link"], "http://127.0.0.1:8080/runs/rename-status");
        assert!(data["by"].as_str().unwrap().starts_with("postgres ("));
        let signed = Webhook::new(SECRET).unwrap();
        let headers = paused.headers.iter();
        let headers = headers.filter_map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, reqwest::header::HeaderValue::from_str(value).ok()?))
        });
        let headers: reqwest::header::HeaderMap = headers.collect();
        signed.verify(paused.body.as_bytes(), &headers).unwrap();
        database.crossfade(&["resume", RUN]).exits(0);
        database
            .crossfade(&["advance", RUN, "--to", "enforce"])
            .exits(0);
        let needed = inbox.until("approval_needed").pop().unwrap();
        let words = "switch_reads waits for an approval (0 of 1 approvals";
        assert!(needed.body.contains(words), "{}", needed.body);
        // Whoever started the run does not count.
        let role = format!("second_{}", database.name);
        database
            .execute(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role}"))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        database
            .crossfade(&["--database-url", &url, "approve", RUN, "switch_reads"])
            .exits(0);
        assert_eq!(inbox.until("gate_open").len(), 1);
        database
            .crossfade(&["advance", RUN, "--to", "contract", "--yes"])
            .exits(0);
        let finished = inbox.until("finished").pop().unwrap().json();
        assert_eq!(finished["data"]["report"]["state"], "completed");
        let link = finished["data"]["link"].as_str().unwrap();
        assert!(link.ends_with("/runs/rename-status/report"), "{link}");
        database
            .wait_until("SELECT bool_and(state = 'delivered') FROM crossfade.messages")
            .await;
        let listed = database.crossfade(&["notify", "list"]).exits(0).stdout;
        assert!(listed.contains("0 waiting, 0 given up"), "{listed}");
        let intact = database.crossfade(&["history", RUN, "--verify"]).exits(0);
        assert!(intact.stdout.contains("is intact"), "{}", intact.stdout);
        server.stop();
    });
}

#[test]
fn a_receiver_that_fails_is_told_again_with_the_same_id_and_one_that_hangs_keeps_nobody_waiting() {
    on_postgresql(async |database| {
        start(database, "").await;
        let (fails, hangs) = (Inbox::open(Answers::With(500)), Inbox::open(Answers::Never));
        let marks = tempfile::tempdir().unwrap();
        let mark = marks.path().join("told");
        let server = serve(
            database,
            &format!(
                "notify:\n  fails: {{webhook: {:?}, secrets: [\"${{HOOK_SECRET}}\"], events: [paused, resumed]}}\n  hangs: {{slack: {:?}}}\n  tool: {{command: [sh, -c, 'printenv CROSSFADE_DATABASE_URL; cat >> {}'], events: [paused, resumed]}}\n",
                fails.url,
                hangs.url,
                mark.display()
            ),
            3,
        )
        .await;
        database
            .crossfade(&["pause", RUN, "--reason", "first"])
            .exits(0);
        let first = fails.next();
        assert!(hangs.next().body.contains("paused: first"));
        fails.answer(Answers::With(200));
        database.crossfade(&["resume", RUN]).exits(0);
        // The message that failed comes again by itself, after the one that is newer or before it.
        let mut later = [fails.next(), fails.next()];
        later.sort_by_key(Request::topic);
        assert_eq!(later[0].id(), first.id());
        assert_eq!(later[1].topic(), "resumed");
        assert_ne!(later[1].id(), first.id());
        database
            .wait_until("SELECT count(*) = 4 FROM crossfade.messages WHERE state = 'delivered' AND receiver IN ('fails', 'tool')")
            .await;
        let told = std::fs::read_to_string(&mark).unwrap();
        assert!(
            told.contains("\"summary\":\"rename-status: paused: first\""),
            "{told}"
        );
        let log = server.stop();
        let words = "rename-status: the message paused was not delivered to fails, and is sent again in 5s: it answered 500";
        assert!(log.contains(words), "{log}");
        let recorded = database
            .value("SELECT coalesce(string_agg(m::text, ' '), '') FROM crossfade.messages AS m")
            .await;
        for secret in ["s3cret-path", SECRET] {
            assert!(
                !log.contains(secret) && !recorded.contains(secret),
                "{log} {recorded}"
            );
        }
    });
}

#[test]
fn nothing_that_happens_while_no_server_lives_is_lost_and_two_servers_tell_it_once() {
    on_postgresql(async |database| {
        start(database, "").await;
        let inbox = Inbox::open(Answers::With(204));
        let text = format!(
            "notify: {{desk: {{webhook: {:?}, secrets: [\"${{HOOK_SECRET}}\"], events: [run_started, paused, resumed]}}}}\n",
            inbox.url
        );
        let server = serve(database, &text, 1).await;
        server.process.signal(Signal::SIGKILL);
        server.process.wait();
        for number in 0..10 {
            let reason = format!("reason {number}");
            database
                .crossfade(&["pause", RUN, "--reason", &reason])
                .exits(0);
            database.crossfade(&["resume", RUN]).exits(0);
        }
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        begin(database, "");
        let servers = [
            serve(database, &text, 1).await,
            serve(database, &text, 1).await,
        ];
        database
            .wait_until(
                "SELECT count(*) = 21 AND bool_and(state = 'delivered') FROM crossfade.messages",
            )
            .await;
        let mut told: Vec<Request> = inbox.requests.try_iter().collect();
        let count = told.len();
        told.sort_by(|a, b| a.id().cmp(b.id()));
        told.dedup_by(|a, b| a.id() == b.id());
        assert_eq!(
            (told.len(), count),
            (21, 21),
            "each once, where nothing fails"
        );
        assert!(told.iter().any(|one| one.topic() == "run_started"));
        for server in servers {
            server.stop();
        }
    });
}

#[test]
fn a_difference_and_rows_in_quarantine_are_noticed_once_with_keys() {
    on_postgresql(async |database| {
        start(database, "").await;
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
        let inbox = Inbox::open(Answers::With(200));
        let text = format!(
            "notify: {{desk: {{webhook: {:?}, secrets: [\"${{HOOK_SECRET}}\"], events: [difference_found, resumed]}}}}\n",
            inbox.url
        );
        let server = serve(database, &text, 1).await;
        database
            .execute("SET session_replication_role = replica; UPDATE vehicles SET vehicle_status = 'other' WHERE id IN (7, 77); SET session_replication_role = origin")
            .await;
        database.crossfade(&["verify", RUN]).exits(5);
        let found = inbox.next();
        assert_eq!(found.topic(), "difference_found");
        let detail = found.json()["data"]["detail"]["detail"].to_string();
        assert!(detail.contains("2 of 500 rows differ"), "{detail}");
        assert!(detail.contains("7") && detail.contains("77"), "{detail}");
        // It is told when there is news, and not again while it lasts.
        let looks = database.value("SELECT now()").await;
        database
            .wait_until(&format!(
                "SELECT now() > '{looks}'::timestamptz + interval '12 s'"
            ))
            .await;
        database
            .crossfade(&["pause", RUN, "--reason", "x"])
            .exits(0);
        database.crossfade(&["resume", RUN]).exits(0);
        assert_eq!(inbox.next().topic(), "resumed");
        server.stop();
    });
}

#[test]
fn what_a_receiver_that_is_gone_would_have_been_told_is_given_up_after_three_days() {
    on_postgresql(async |database| {
        start(database, "").await;
        database
            .execute(
                "INSERT INTO crossfade.receivers (name) VALUES ('gone'); \
                 INSERT INTO crossfade.messages (receiver, run_id, number, topic, due_at) SELECT 'gone', id, 1, 'run_started', now() - d.age \
                     FROM crossfade.runs, (VALUES (interval '73 hours')) AS d (age); \
                 INSERT INTO crossfade.messages (receiver, run_id, number, topic, due_at) SELECT 'gone', id, 2, 'paused', now() - interval '71 hours' \
                     FROM crossfade.runs",
            )
            .await;
        let server = serve(database, "notify: {desk: {command: [\"true\"]}}\n", 2).await;
        database
            .wait_until("SELECT bool_or(state = 'given_up') FROM crossfade.messages")
            .await;
        let listed = database.crossfade(&["notify", "list"]).exits(0).stdout;
        let words = "gone: 0 delivered; 1 waiting, 1 given up: no server had this receiver";
        assert!(listed.contains(words), "{listed}");
        server.stop();
    });
}

#[test]
fn a_test_message_says_whether_it_arrived_and_never_where() {
    on_postgresql(async |database| {
        let inbox = Inbox::open(Answers::With(404));
        let file = configuration(&format!(
            "notify:\n  chat: {{teams: {:?}}}\n  tool: {{command: [\"true\"]}}\n",
            inbox.url
        ));
        let path = file.path().to_str().unwrap();
        let tested = database
            .crossfade(&["notify", "test", "--config", path])
            .exits(1);
        assert_eq!(
            tested.stdout,
            "chat: not delivered: it answered 404 Not Found\ntool: delivered\n"
        );
        assert_eq!(inbox.next().json()["type"], "message");
        let json = database
            .crossfade(&[
                "notify", "test", "tool", "--config", path, "--format", "json",
            ])
            .exits(0)
            .json();
        assert_eq!(
            json,
            json!({"receivers": [{"receiver": "tool", "delivered": true, "error": null}]})
        );
        let unknown = database
            .crossfade(&["notify", "test", "desk", "--config", path])
            .exits(2);
        assert!(
            unknown.stderr.contains("It has: chat, tool"),
            "{}",
            unknown.stderr
        );
        let wrong =
            configuration("notify:\n  pager: {webhook: \"${NOT_SET_HERE}\", secrets: [a]}\n");
        let wrong = database
            .crossfade(&["notify", "test", "--config", wrong.path().to_str().unwrap()])
            .exits(1);
        assert!(
            wrong.stderr.contains("NOT_SET_HERE is not set"),
            "{}",
            wrong.stderr
        );
    });
}
