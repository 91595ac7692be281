"use strict";
// Replaces the page's content every five seconds; a lost connection is said in words.
(() => {
  const offline = document.getElementById("offline");
  const refresh = async () => {
    if (document.hidden || !document.getSelection().isCollapsed) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["main", "stamp"]) {
        const fresh = page.getElementById(id);
        const shown = document.getElementById(id);
        if (fresh && shown && fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
      }
      offline.hidden = true;
    } catch {
      offline.hidden = false;
    }
  };
  setInterval(refresh, 5000);
})();
