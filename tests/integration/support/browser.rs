//! Chromium without a window, driven by WebDriver.

use super::page::Page;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub struct Browser {
    driver: Child,
    client: Client,
}

const WITHIN: Duration = Duration::from_secs(60);

/// A browser of a test machine: without a window, and without asking anybody's network for anything.
const ARGUMENTS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

impl Browser {
    pub async fn start(driver: &Path, (width, height): (u32, u32), is_dark: bool) -> Self {
        let mut command = Command::new(driver);
        command
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromedriver starts");
        let stdout = BufReader::new(driver.stdout.take().expect("its stdout"));
        let port = stdout
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver says its port");
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|one| (*one).to_owned()).collect();
        // A window is 500 wide at least: a phone is emulated.
        let mut options = json!({});
        if width < 500 {
            options["mobileEmulation"] =
                json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0}});
        } else {
            arguments.push(format!("--window-size={width},{height}"));
        }
        if is_dark {
            arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        options["args"] = json!(arguments);
        let mut capabilities: Map<String, Value> = Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser");
        Self { driver, client }
    }

    pub async fn open(&self, url: &str) {
        self.client
            .goto(url)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub async fn sign_in(&self, page: &Page, token: &str) {
        self.open(&page.url("/sign-in")).await;
        self.fill("#token", token).await;
        self.click("form.narrow button").await;
        self.until("Sign out").await;
    }

    /// What is live may be replaced between the look and the click.
    pub async fn click(&self, css: &str) {
        let began = Instant::now();
        loop {
            let clicked = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            match clicked {
                Ok(()) => return,
                Err(error) => assert!(began.elapsed() < WITHIN, "{css}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let found = self
            .client
            .wait()
            .at_most(WITHIN)
            .for_element(Locator::Css(css))
            .await;
        let element = found.unwrap_or_else(|error| panic!("{css}: {error}"));
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    pub async fn choose(&self, css: &str, value: &str) {
        let element = self
            .client
            .find(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
        element
            .select_by_value(value)
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// From the run's page: opens the action, fills its form, and places the order.
    pub async fn order(&self, action: &str, choices: &[(&str, &str)]) {
        self.click(&format!("a[href$='/{action}']")).await;
        self.until("How to undo it").await;
        for (css, value) in choices {
            self.choose(css, value).await;
        }
        self.click("form.ask button.main").await;
        self.until("The order is placed").await;
    }

    async fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        let text = self.client.execute(script, vec![]).await;
        text.ok()
            .and_then(|text| text.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Until the page shows this, for a bounded time.
    pub async fn until(&self, text: &str) {
        self.wait(text, true).await;
    }

    pub async fn until_gone(&self, text: &str) {
        self.wait(text, false).await;
    }

    async fn wait(&self, text: &str, is_there: bool) {
        let began = Instant::now();
        while self.text().await.contains(text) != is_there {
            assert!(
                began.elapsed() < WITHIN,
                "{text:?} ({is_there}): {}",
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A button that cannot be used says so to everybody.
    pub async fn is_off(&self, label: &str) -> bool {
        let script = "return [...document.querySelectorAll('[aria-disabled=true]')].some((one) => one.innerText.startsWith(arguments[0]) && one.title)";
        self.client
            .execute(script, vec![json!(label)])
            .await
            .unwrap()
            == json!(true)
    }

    /// Nothing has to be scrolled sideways.
    pub async fn fits(&self) -> bool {
        let script =
            "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        self.client.execute(script, vec![]).await.unwrap() == json!(true)
    }

    /// A picture, for whoever wants to see what the tests saw.
    pub async fn keep(&self, name: &str) {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "target", "screenshots"]
            .iter()
            .collect();
        std::fs::create_dir_all(&folder).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// What the browser noted in its console, but for requests that failed while no server was there.
    pub async fn complaints(&self) -> Vec<String> {
        let script = "return window.performance.getEntriesByType('resource').filter((one) => new URL(one.name).host !== location.host).map((one) => one.name)";
        let elsewhere = self.client.execute(script, vec![]).await.unwrap();
        serde_json::from_value(elsewhere).unwrap()
    }

    pub async fn end(mut self) {
        let _ = self.client.clone().close().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
