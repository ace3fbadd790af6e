//! A `crossfade serve` with its page, and a client of its page and its API.

use super::{Database, openapi::Described};
use reqwest::{Method, Response, StatusCode, header, redirect};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

/// The server and what it wrote to stderr so far. Killed when the test ends.
pub struct Page {
    child: Child,
    /// `127.0.0.1:43211`
    pub address: String,
    said: Arc<Mutex<String>>,
}

const STARTS_WITHIN: Duration = Duration::from_secs(30);

impl Page {
    pub fn of(database: &Database, arguments: &[&str]) -> Self {
        let all: Vec<&str> = ["serve"].iter().chain(arguments).copied().collect();
        Self::start(database.command(&all))
    }

    /// Any command that says where its page is.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        let said = Arc::new(Mutex::new(String::new()));
        let (sender, receiver) = mpsc::channel();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let address = line
                    .split_once("the page is on ")
                    .and_then(|(_, url)| url.split_once("://"));
                let address = address.map(|(_, address)| address.to_owned());
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
                drop(heard);
                if let Some(address) = address {
                    let _ = sender.send(address);
                }
            }
        });
        let address = receiver.recv_timeout(STARTS_WITHIN);
        let address = address.unwrap_or_else(|_| panic!("no page: {}", said.lock().unwrap()));
        Self {
            child,
            address,
            said,
        }
    }

    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it by SIGTERM; its exit code.
    pub fn end(mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("the signal is sent");
        self.child.wait().expect("it ends").code()
    }

    /// A browser without a script, signed in with the token.
    pub async fn visitor(&self, token: &str) -> Visitor {
        let visitor = Visitor::unknown(self);
        let signed_in = visitor.post("/sign-in", &[("token", token)]).await;
        assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
        let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Visitor {
            cookie: Some(cookie),
            ..visitor
        }
    }

    /// What the server says its answers look like.
    pub async fn described(&self) -> &'static Described {
        static DESCRIBED: tokio::sync::OnceCell<Described> = tokio::sync::OnceCell::const_new();
        let read = async || {
            let answer = client().get(self.url("/api/v1/openapi.json")).send().await;
            let text = answer.expect("an answer").text().await.expect("a document");
            Described::of(serde_json::from_str(&text).expect("JSON"))
        };
        DESCRIBED.get_or_init(read).await
    }

    /// Calls the API; the code and the document, which is as the server describes it.
    pub async fn call(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = client().request(method.clone(), self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.expect("an answer");
        let code = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        let value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {path}: {text}"));
        self.described().await.check(&method, path, code, &value);
        (code, value)
    }

    pub async fn get(&self, token: &str, path: &str) -> Value {
        let (code, value) = self.call(Some(token), Method::GET, path, None).await;
        assert_eq!(code, 200, "{path}: {value}");
        value
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn client() -> reqwest::Client {
    let provider = rustls::crypto::ring::default_provider();
    let _ = provider.install_default();
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        // The server closes a connection whose body it did not read to the end.
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}

/// A browser that knows forms and links only.
pub struct Visitor {
    client: reqwest::Client,
    base: String,
    cookie: Option<String>,
}

impl Visitor {
    pub fn unknown(page: &Page) -> Self {
        Self {
            client: client(),
            base: page.url(""),
            cookie: None,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        self.request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .expect("an answer")
    }

    pub async fn page(&self, path: &str) -> (u16, String) {
        let answer = self
            .request(Method::GET, path)
            .send()
            .await
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.text().await.expect("a page"),
        )
    }

    /// Opens the page, and sends its form with these fields besides the hidden ones. Where it leads.
    pub async fn act(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let (code, page) = self.page(path).await;
        assert_eq!(code, 200, "{page}");
        let hidden = hidden_of(&page);
        let own: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !fields.iter().any(|(field, _)| field == name))
            .chain(fields.iter().copied())
            .collect();
        let answer = self.post(path, &own).await;
        let code = answer.status().as_u16();
        let to = answer
            .headers()
            .get(header::LOCATION)
            .map(|to| to.to_str().unwrap().to_owned());
        match to {
            Some(to) => (code, to),
            None => (code, answer.text().await.unwrap()),
        }
    }
}

/// The hidden fields of the last form on the page, which is the one in its main part.
fn hidden_of(page: &str) -> Vec<(String, String)> {
    let form = page.rsplit("<form").next().unwrap_or_default();
    form.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            let (value, _) = rest.split_once('"')?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
