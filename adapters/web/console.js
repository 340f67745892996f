// Everything here works without this file too; with it, less has to be loaded and clicked.
"use strict";

// A part of a page that takes a moment: <div data-load="/address">, filled when it comes into view. Focus in it stays in it.
const REACHED = "a[href], button, summary";
async function fill(part, address, options) {
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...options });
    if (!answer.ok) return;
    const text = await answer.text();
    const at = [...part.querySelectorAll(REACHED)].indexOf(document.activeElement);
    part.innerHTML = text;
    if (at < 0) return;
    part.tabIndex = -1;
    (part.querySelectorAll(REACHED)[at] ?? part).focus({ preventScroll: true });
  } catch { /* the link in it stays */ }
}
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((e) => e.isIntersecting)) {
    seen.unobserve(entry.target);
    fill(entry.target, entry.target.dataset.load);
  }
});
document.querySelectorAll("[data-load]").forEach((part) => seen.observe(part));

// A form that shows what comes of it while it is typed: <form data-preview="/address"> and an element #preview.
document.querySelectorAll("form[data-preview]").forEach((form) => {
  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => fill(document.getElementById("preview"), form.dataset.preview, { method: "POST", body: new FormData(form) }), 400);
  });
});

// Long work: <div data-watch="/address">, asked again every two seconds until what comes is not marked as going on.
document.querySelectorAll("[data-watch]").forEach((part) => {
  const again = async () => {
    await fill(part, part.dataset.watch);
    if (part.querySelector("[data-going-on]")) setTimeout(again, 2000);
  };
  if (part.querySelector("[data-going-on]")) setTimeout(again, 2000);
});

// A second press while the first is on its way does nothing.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  if (event.target.method === "post") event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

// What was done is read out and seen first.
const said = document.getElementById("said");
if (said) {
  said.tabIndex = -1;
  said.focus();
  const here = new URL(location.href);
  ["said", "undo"].forEach((name) => here.searchParams.delete(name));
  history.replaceState(null, "", here.pathname + here.search);
}
const wrong = document.getElementById("wrong");
if (wrong) wrong.tabIndex = -1;
(wrong ?? document.querySelector("[aria-invalid]"))?.focus();
