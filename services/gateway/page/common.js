// What the three pages share: elements, the key, and calls to the API.
const $ = id => document.getElementById(id);
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const fromHash = new URLSearchParams(location.hash.slice(1)).get("key");
let key = fromHash || sessionStorage.getItem("rapport-key") || "";
if (fromHash) history.replaceState(null, "", location.pathname + location.search);   // out of sight, and out of the history

function say(text, failed) { $("state").textContent = text; $("state").className = failed ? "error" : ""; }

// Asks for a key until one is accepted; `begin` runs at once with the key that is known, and again with a new one.
function withKey(begin) {
  const form = el("form"), field = el("input"), label = el("label", "Private API key ");
  form.id = "keyform"; form.hidden = Boolean(key); field.type = "password"; field.autocomplete = "off"; label.append(field); form.append(label, el("button", "Open"));
  document.querySelector("nav").after(form);
  const start = () => { sessionStorage.setItem("rapport-key", key); begin(); };
  form.onsubmit = event => { event.preventDefault(); key = field.value; form.hidden = true; start(); };
  if (key) start(); else say("a private key is needed", true);
}

async function call(path, body) {
  const answer = await fetch(path, { method: body ? "POST" : "GET", headers: { Authorization: "Bearer " + key, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  if (answer.status === 403) $("keyform").hidden = false;
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw Object.assign(new Error([told.field, told.error || answer.statusText].filter(Boolean).join(": ")), { status: answer.status });
}
const json = async (path, body) => (await call(path, body)).json();
