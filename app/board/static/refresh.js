// Brings the page up to date by itself: the same address is read again and its middle part put in place of the old one.
"use strict";
(() => {
  const every = Number(document.body.dataset.refresh || 0) * 1000;
  const offline = document.getElementById("offline");
  if (!every) return;
  const busy = () => document.hidden || document.activeElement?.closest("form.filter, input, select");
  const look = async () => {
    if (!busy()) {
      try {
        const answer = await fetch(location.href, { credentials: "same-origin", redirect: "follow" });
        if (answer.redirected) { location.reload(); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live"), old = document.getElementById("live");
        if (!busy() && fresh.innerHTML !== old.innerHTML) {
          const focused = document.activeElement?.getAttribute("href");
          old.replaceWith(fresh);
          if (focused) [...fresh.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus({ preventScroll: true });
        }
        offline.hidden = true;
      } catch { offline.hidden = false; }
    }
    setTimeout(look, every);
  };
  setTimeout(look, every);
})();
