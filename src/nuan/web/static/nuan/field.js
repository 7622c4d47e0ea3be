// Forms of the field: what was typed stays on the phone until it has arrived, is sent once, and waits where there is no network.
// Without this script the same forms work as plain forms; the server knows a repetition by its key.
(() => {
  const words = document.getElementById("field-words");
  const text = (name) => (words ? words.dataset[name] : "");
  const skip = new Set(["csrfmiddlewaretoken", "photos", "event", "point", "at"]);

  const say = (form, sentence) => {
    const line = form.querySelector(".field-say");
    if (!line) return;
    line.textContent = sentence;
    line.hidden = !sentence;
  };
  const store = {
    read(key) { try { return JSON.parse(localStorage.getItem(key) || "null"); } catch { return null; } },
    write(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* a full or forbidden store: the page still works */ } },
    drop(key) { try { localStorage.removeItem(key); } catch { /* as above */ } },
  };

  const keep = (form) => {
    const kept = {};
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && !skip.has(name)) kept[name] = value;
    store.write("nuan:" + form.dataset.keep, kept);
  };
  const restore = (form) => {
    const kept = store.read("nuan:" + form.dataset.keep);
    if (!kept) return;
    let changed = false;
    for (const [name, value] of Object.entries(kept)) {
      const field = form.elements.namedItem(name);
      if (!field || !value) continue;
      if (field.value !== value && name !== "key") changed = true;
      field.value = value;
    }
    if (changed) say(form, text("restored"));
  };

  const send = async (form) => {
    if (form.dataset.sending) return;
    form.dataset.sending = "1";
    const data = new FormData(form);
    if (form.dataset.pressed) data.set("finding", form.dataset.pressed);
    say(form, text("sending"));
    try {
      const answer = await fetch(form.action || location.href, { method: "POST", body: data, credentials: "same-origin", headers: { "X-Field-Form": "1" } });
      if (answer.status === 204) {
        store.drop("nuan:" + form.dataset.keep);
        const to = new URL(answer.headers.get("X-Location"), location.href);
        // the query makes it another address, so that the page is loaded anew where only the anchor differs
        location.assign(to.pathname + "?sent=" + Date.now() + to.hash);
        return;
      }
      // refused with a sentence, or signed out: the plain form shows it
      delete form.dataset.waiting;
      if (form.dataset.pressed) {
        const pressed = Object.assign(document.createElement("input"), { type: "hidden", name: "finding", value: form.dataset.pressed });
        form.append(pressed);
      }
      form.submit();
    } catch {
      delete form.dataset.sending;
      form.dataset.waiting = "1";
      keep(form);
      say(form, text("kept"));
    }
  };

  for (const form of document.querySelectorAll("form[data-field-form]")) {
    restore(form);
    form.addEventListener("change", ({ target }) => {
      const due = form.elements.namedItem("deadline");
      if (due && target.dataset.due) due.value = target.dataset.due;
    });
    form.addEventListener("input", () => keep(form));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const at = form.elements.namedItem("at");
      if (at && !form.dataset.waiting) at.value = new Date().toISOString();
      if (event.submitter && event.submitter.name === "finding") form.dataset.pressed = event.submitter.value;
      keep(form);
      send(form);
    });
  }
  const waiting = () => document.querySelectorAll("form[data-field-form][data-waiting]").forEach(send);
  addEventListener("online", waiting);
  setInterval(waiting, 20000);

  if (!navigator.geolocation || !isSecureContext) return;
  for (const box of document.querySelectorAll("[data-position]")) {
    box.hidden = false;
    const line = box.querySelector("[role=status]");
    box.querySelector("button").addEventListener("click", () => {
      line.textContent = line.dataset.asking;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          box.querySelector("[name=lon]").value = coords.longitude.toFixed(6);
          box.querySelector("[name=lat]").value = coords.latitude.toFixed(6);
          box.querySelector("[name=accuracy]").value = String(Math.round(coords.accuracy));
          line.textContent = line.dataset.found.replace("{m}", String(Math.round(coords.accuracy)));
          box.closest("form").dispatchEvent(new Event("input"));
        },
        () => { line.textContent = line.dataset.refused; },
        { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 },
      );
    });
  }
})();
