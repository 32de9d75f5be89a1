// Keeps what an open page shows fresh, and takes a few keys. Without JavaScript, reloading and links do the same.
"use strict";

const PAUSE = 2000;
const COUNT_PAUSE = 20000;

// The part of a page that carries data-live, while somebody looks; when the state itself has changed, the whole page is
// loaded again, since other buttons belong to it.
for (const place of document.querySelectorAll("[data-live]")) {
  const refresh = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(place.dataset.live, { headers: { Accept: "text/html" } });
        if (!answer.ok) return; // signed out: what stands there is the last that was seen
        place.innerHTML = await answer.text();
        const state = place.querySelector("[data-state]");
        if (state && state.dataset.state !== place.dataset.state) {
          location.reload();
          return;
        }
      } catch {
        // the network is gone for a moment; the next look may find it
      }
    }
    setTimeout(refresh, PAUSE);
  };
  setTimeout(refresh, PAUSE);
}

// How many messages wait: in the navigation, on the page, and in the title, also of a tab that is behind others.
const counters = document.querySelector("[data-counters]");
if (counters) {
  const count = async () => {
    try {
      const answer = await fetch(counters.dataset.counters, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const found = await answer.json();
      for (const place of document.querySelectorAll("[data-count]")) {
        const value = found[place.dataset.count];
        place.textContent = value;
        const badge = place.closest(".count");
        if (badge) badge.hidden = !value;
      }
      const title = document.title.replace(/^\(\d+\) /, "");
      document.title = found.to_answer ? `(${found.to_answer}) ${title}` : title;
    } catch {
      // as above
    }
    setTimeout(count, COUNT_PAUSE);
  };
  setTimeout(count, COUNT_PAUSE);
}

// j and k go through a list of messages; r and e go to what carries that key. None of them sends anything.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select")) return;
  const cases = [...document.querySelectorAll("[data-case]")];
  if ((event.key === "j" || event.key === "k") && cases.length) {
    const at = cases.indexOf(document.activeElement);
    const to = event.key === "j" ? at + 1 : at < 0 ? cases.length - 1 : at - 1;
    cases[Math.min(Math.max(to, 0), cases.length - 1)].focus();
  } else {
    const place = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
    if (!place) return;
    place.focus();
  }
  event.preventDefault();
});
