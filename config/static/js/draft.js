// A draft saves itself shortly after typing stops. What could not be saved (no network, signed out) stays in this browser until it
// is, never of a privileged draft. Without any of it the button saves.
(function () {
  "use strict";
  var form = document.getElementById("draft");
  if (!form || !window.fetch) { return; }
  var state = document.getElementById("draft-state"), words = form.dataset;
  var WAIT = 1500, timer = 0, sending = false, again = false, stopped = false;
  var key = "draft:" + words.who + ":" + words.autosave;
  var keeps = words.private !== "yes";

  function say(text) { if (state) { state.textContent = text; } }
  function values() {
    var found = {};
    new FormData(form).forEach(function (value, name) {
      if (name.indexOf("field-") === 0) { (found[name] = found[name] || []).push(value); }
    });
    return found;
  }
  var shown = JSON.stringify(values());
  function keep() {
    if (!keeps) { return; }
    try { localStorage.setItem(key, JSON.stringify({ at: Date.now(), values: values() })); } catch (error) { /* full or forbidden */ }
  }
  function forget() { try { localStorage.removeItem(key); } catch (error) { /* forbidden */ } }

  function changed() {
    if (JSON.stringify(values()) === shown) { return; }
    keep();
    clearTimeout(timer);
    if (!stopped) { say(words.typing); timer = setTimeout(save, WAIT); }
  }

  function save() {
    if (sending) { again = true; return; }
    sending = true;
    var sent = JSON.stringify(values());
    say(words.saving);
    fetch(words.autosave, {
      method: "POST", body: new FormData(form), credentials: "same-origin", redirect: "manual",
      headers: { "X-Autosave": "1", "Accept": "application/json" }
    }).then(function (answer) {
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) { return lost(words.out); }
      return answer.json().then(function (told) {
        if (answer.ok) { return saved(told, sent); }
        if (answer.status === 409) { stopped = true; }
        lost(told.error);
      });
    }).catch(function () { lost(words.failed); }).then(function () {
      sending = false;
      if (again) { again = false; changed(); }
    });
  }

  function saved(told, sent) {
    form.elements.edition.value = told.edition;
    form.elements.base.value = told.base;
    shown = sent;
    if (JSON.stringify(values()) === sent) { forget(); say(words.saved); }
    document.dispatchEvent(new CustomEvent("draft:saved"));
  }
  function lost(text) { keep(); say(text); }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", function () { clearTimeout(timer); keep(); });

  // Somebody who signs out takes the kept words along.
  document.querySelectorAll("form[action*='logout']").forEach(function (out) {
    out.addEventListener("submit", function () {
      Object.keys(localStorage).forEach(function (name) { if (name.indexOf("draft:") === 0) { localStorage.removeItem(name); } });
    });
  });

  var held = null;
  try { held = JSON.parse(localStorage.getItem(key) || "null"); } catch (error) { held = null; }
  if (!held || !keeps || JSON.stringify(held.values) === shown) { forget(); return; }
  if (document.getElementById("clash")) { return; }
  var box = document.getElementById("draft-kept");
  if (!box) { return; }
  box.hidden = false;
  box.querySelector("[data-do=back]").addEventListener("click", function () {
    Object.keys(held.values).forEach(function (name) {
      var fields = form.querySelectorAll("[name='" + CSS.escape(name) + "']");
      fields.forEach(function (field) {
        if (field.type === "checkbox") { field.checked = held.values[name].indexOf(field.value) >= 0; }
        else if (field.type !== "hidden") { field.value = held.values[name][0]; }
      });
    });
    box.hidden = true;
    changed();
  });
  box.querySelector("[data-do=away]").addEventListener("click", function () { forget(); box.hidden = true; });
}());
