//! The page in a real browser, as people use it: on a desktop and on a phone, light and dark, and through the server's death.

use crate::support::{browser::Browser, on_postgresql, page::Page, tools};

const PLAN: &str = "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\ngates:\n  contract: {approvals: 1}\nsettings: {pacing: {batch_target: 5ms, batch_rows_max: 20}}\n";

#[test]
fn two_people_take_a_rename_from_start_to_contract_through_a_pause_and_the_death_of_the_server() {
    let Some(driver) = tools::program("chromedriver") else {
        return;
    };
    on_postgresql(async |database| {
        let name = &database.name;
        let (operator, approver) = (format!("operator_{name}"), format!("approver_{name}"));
        database
            .execute(&format!(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off); \
                 INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, 12000) AS i; \
                 CREATE ROLE {operator} SUPERUSER LOGIN; CREATE ROLE {approver} LOGIN"
            ))
            .await;
        database
            .execute(&format!("GRANT USAGE ON SCHEMA crossfade TO {approver}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {approver}"))
            .await;
        let token = |role: &str, can: &str| {
            let made = database.crossfade(&["token", "create", "--role", role, "--can", can]);
            made.exits(0).stdout.trim().to_owned()
        };
        let page = Page::of(database, &["--listen=127.0.0.1:0"]);
        let desktop = Browser::start(&driver, (1_200, 1_500), false).await;
        desktop.sign_in(&page, &token(&operator, "operate")).await;
        desktop.open(&page.url("/start")).await;
        desktop.fill("#plan", PLAN).await;
        desktop.click("button[value=check]").await;
        desktop.until("The plan fits the database").await;
        desktop.click("button[value=start]").await;
        desktop.until("The run is registered").await;
        desktop.order("advance", &[("#to", "backfill")]).await;

        // Under way: paused with a reason, which the other person sees on a phone in the dark.
        desktop.until("Backfill of public.vehicles").await;
        desktop.click("a[href$='/pause']").await;
        desktop.fill("#reason", "lunch in production").await;
        desktop
            .click("form.ask button.danger, form.ask button.main")
            .await;
        desktop.until("lunch in production").await;
        let phone = Browser::start(&driver, (390, 1_200), true).await;
        phone.sign_in(&page, &token(&approver, "approve")).await;
        phone.until("lunch in production").await;
        phone.keep("runs-on-a-phone").await;
        phone.click("a[href='/runs/rename-status']").await;
        phone.until("Paused").await;
        assert!(phone.is_off("Resume").await, "an approver may not resume");
        assert!(phone.fits().await, "nothing is wider than the phone");
        phone.keep("run-on-a-phone").await;

        desktop.open(&page.url("/runs/rename-status/resume")).await;
        desktop.click("form.ask button.main").await;
        desktop.until("The pause has ended").await;
        desktop.open(&page.url("/runs/rename-status")).await;
        desktop.until("Backfill of public.vehicles").await;
        desktop.keep("backfill").await;

        // The server dies in the middle, and another takes its place: the page that is open comes back by itself.
        let address = page.address.clone();
        page.kill();
        desktop.until("The server does not answer").await;
        let page = Page::of(database, &["--listen", &address]);
        assert_eq!(page.address, address);
        desktop.until_gone("The server does not answer").await;
        desktop.until("Advance: verify").await;

        desktop.order("advance", &[("#to", "retire")]).await;
        desktop.until("Run contract").await;
        phone.open(&page.url("/runs/rename-status/approve")).await;
        phone.choose("#phase", "contract").await;
        phone.fill("#comment", "seen on my phone").await;
        phone.click("form.ask button.main").await;
        phone.until("Your approval is recorded").await;
        desktop
            .open(&page.url("/runs/rename-status/advance?to=contract"))
            .await;
        desktop.until("cannot be undone").await;
        desktop.keep("contract").await;
        desktop.fill("#name", "rename-status").await;
        desktop.click("form.ask button.danger").await;
        database
            .wait_until("SELECT state = 'completed' FROM crossfade.runs")
            .await;
        desktop.until("the run is completed").await;
        phone.open(&page.url("/runs/rename-status/report")).await;
        phone.until("seen on my phone").await;
        assert!(phone.fits().await);
        desktop.open(&page.url("/runs/rename-status/report")).await;
        desktop.until("lunch in production").await;
        desktop.keep("report").await;
        assert_eq!(database.status("rename-status")["state"], "completed");
        assert_eq!(desktop.complaints().await, Vec::<String>::new());
        desktop.end().await;
        phone.end().await;
    });
}

#[test]
fn somebody_goes_back_on_the_page_and_gives_up_by_name_what_would_be_lost() {
    let Some(driver) = tools::program("chromedriver") else {
        return;
    };
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE vehicles (id bigint PRIMARY KEY, status text); INSERT INTO vehicles SELECT i, 's' FROM generate_series(1, 100) AS i")
            .await;
        let plan = "version: 1\nname: add-note\nchange:\n  add_column: {table: public.vehicles, column: note, type: text}\n";
        let file = crate::support::plan_file(plan);
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database.crossfade(&["advance", "add-note"]).exits(0);
        database
            .execute("UPDATE vehicles SET note = 'written' WHERE id <= 3")
            .await;
        let token = database
            .crossfade(&["token", "create", "--can", "operate"])
            .exits(0)
            .stdout;
        let page = Page::of(database, &["--listen=127.0.0.1:0"]);
        let browser = Browser::start(&driver, (1_200, 1_200), true).await;
        browser.sign_in(&page, token.trim()).await;
        browser.open(&page.url("/runs/add-note/rollback")).await;
        browser
            .until("3 rows of public.vehicles with a value in note")
            .await;
        browser.keep("rollback-in-the-dark").await;
        browser.fill("#name", "add-note").await;
        browser.click("form.ask button.danger").await;
        browser.until("going back would lose").await;
        assert_eq!(
            database.value("SELECT count(note) FROM vehicles").await,
            "3"
        );
        browser.open(&page.url("/runs/add-note/rollback")).await;
        browser.fill("#discard", "public.vehicles.note").await;
        browser.fill("#name", "add-note").await;
        browser.click("form.ask button.danger").await;
        browser.until("rolled back").await;
        browser.end().await;
    });
}
