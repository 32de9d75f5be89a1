// Keeps the part of a page that carries data-live fresh while somebody looks; when the state itself has changed, the
// whole page is loaded again, since other buttons belong to it. Without JavaScript, reloading does the same.
"use strict";

const PAUSE = 2000;

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
