// Makes the chat page answer without loading it anew. Without this file every button is a plain form.
"use strict";

const log = document.getElementById("log");
const form = document.getElementById("ask");
const box = document.getElementById("question");
const larger = document.getElementById("larger");
const failed = "うまく送れませんでした。電波を確かめて、もう一度送ってください。書いた文は残っています。";
let busy = false;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function show(article) {
  log.append(article);
  article.scrollIntoView({ block: "nearest" });
  return article;
}

function choice(text) {
  return element("li", {}, element("button", { type: "submit", form: "ask", name: "question", value: text }, text));
}

function told(answer) {
  const article = element("article", { class: "bot" }, element("p", { class: "text" }, answer.text));
  const linked = new Map((answer.citations || []).filter((c) => c.url && /^https?:/.test(c.url)).map((c) => [c.source, c]));
  if (linked.size) {
    const sources = [...linked.values()].map((c) => element("li", {}, element("a", { href: c.url, rel: "noopener noreferrer" }, c.source)));
    article.append(element("ul", { class: "sources" }, ...sources));
  }
  const buttons = (answer.choices || []).map(choice);
  if (answer.rating && answer.layers.length) buttons.push(...ratings(answer.rating));
  if (buttons.length) article.append(element("ul", { class: "choices" }, ...buttons));
  return article;
}

function ratings(id) {
  return [["役に立った", true], ["ちがった", false]].map(([label, helpful]) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, label);
    button.addEventListener("click", async () => {
      const reply = await send("/api/ratings", { answer: id, helpful }).catch(() => null);
      if (!reply || !reply.ok) return;
      for (const other of button.closest("ul").querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", "true");
    });
    return element("li", {}, button);
  });
}

function send(address, body) {
  return fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30000),
  });
}

async function ask(question) {
  busy = true;
  show(element("article", { class: "member" }, element("p", {}, question)));
  const waiting = show(element("article", { class: "bot waiting" }, element("p", {}, "調べています…")));
  try {
    const reply = await send("/api/ask", { question });
    const body = await reply.json();
    waiting.remove();
    show(told(reply.ok ? body : { text: body.error || failed }));
  } catch {
    waiting.remove();
    show(told({ text: failed }));
    box.value = question;
  }
  busy = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = !event.submitter || event.submitter.name !== "question";
  const question = (typed ? box.value : event.submitter.value).trim();
  if (busy) return;
  if (!question) { box.focus(); return; }
  if (typed) box.value = "";
  ask(question);
  if (typed) box.focus();
});

// Enter sends, Shift+Enter makes a new line; Enter that only confirms a conversion does neither.
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    form.requestSubmit();
  }
});

function setLarger(on) {
  document.documentElement.classList.toggle("larger", on);
  larger.setAttribute("aria-pressed", String(on));
  try { localStorage.setItem("larger", on ? "1" : ""); } catch { /* private mode: for this page only */ }
}

larger.hidden = false;
larger.addEventListener("click", () => setLarger(larger.getAttribute("aria-pressed") !== "true"));
try { setLarger(localStorage.getItem("larger") === "1"); } catch { setLarger(false); }
