// Makes a page live: its changing part comes as events, a second old at most. Without this script, forms and links work alike.
"use strict";
(() => {
  const local = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.title = time.textContent;
        time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
      }
    }
  };
  local(document);

  const address = document.body.dataset.live;
  const live = document.getElementById("live");
  const top = document.getElementById("live-top");
  const connection = document.getElementById("connection");
  if (!address || !live || !top) return;

  // What is open stays open, and what has the focus keeps it.
  const show = (html) => {
    const open = [...live.querySelectorAll("details")].map((one) => one.open);
    const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    live.innerHTML = html;
    local(live);
    live.querySelectorAll("details").forEach((one, index) => { one.open = open[index] === true; });
    if (focused) {
      const again = [...live.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === focused);
      if (again) again.focus();
    }
  };

  // What may be done is asked for again when that may have changed: it depends on who looks.
  const refreshActions = async (mark) => {
    const actions = document.getElementById("actions");
    if (!actions || actions.dataset.mark === mark || mark === "away") return;
    actions.dataset.mark = mark;
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("actions");
    if (fresh) actions.replaceWith(fresh);
  };

  // After a sign-in that is over, or for a run that is gone, the page itself says so.
  const again = async () => {
    const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
    if (answer && (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404)) location.reload();
    else connect();
  };
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  let shown = "";
  const connect = () => {
    const events = new EventSource(address);
    events.onopen = () => { connection.textContent = ""; };
    events.onmessage = (event) => {
      const update = JSON.parse(event.data);
      if (event.data !== shown) {
        shown = event.data;
        top.innerHTML = update.top;
        local(top);
        show(update.html);
      }
      refreshActions(update.mark).catch(() => {});
    };
    events.addEventListener("over", () => {
      events.close();
      location.href = "/sign-in";
    });
    events.onerror = () => {
      connection.textContent = "The server does not answer. Trying again…";
      // The browser tries again by itself, unless it was refused.
      if (events.readyState === EventSource.CLOSED) {
        events.close();
        setTimeout(again, 2000);
      }
    };
    addEventListener("pagehide", () => events.close(), { once: true });
  };
  connect();
})();
