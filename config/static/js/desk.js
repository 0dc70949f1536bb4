// What a page that stays open does by itself: count remaining times down, and follow the keyboard.
// Everything here is a convenience; without it the pages work the same.
(function () {
  "use strict";
  var MINUTE = 60000, DAYS_FROM_HOURS = 96;
  var korean = document.documentElement.lang.indexOf("ko") === 0;

  // As compliance.cli.duration writes it.
  function duration(milliseconds) {
    var minutes = Math.floor(Math.abs(milliseconds) / MINUTE);
    var hours = Math.floor(minutes / 60);
    minutes %= 60;
    if (hours >= DAYS_FROM_HOURS) {
      var days = Math.floor(hours / 24);
      return korean ? days + "일 " + (hours % 24) + "시간" : days + " d " + (hours % 24) + " h";
    }
    if (korean) { return hours ? hours + "시간 " + minutes + "분" : minutes + "분"; }
    return hours ? hours + " h " + minutes + " min" : minutes + " min";
  }

  // The server's clock decides; a wrong one in this machine must not move a deadline.
  function serverTime(board) {
    if (board.dataset.offset === undefined) {
      board.dataset.offset = String(Date.parse(board.dataset.now) - Date.now());
    }
    return Date.now() + Number(board.dataset.offset);
  }

  function tick() {
    var board = document.querySelector("[data-now]");
    if (!board) { return; }
    var now = serverTime(board), passed = false;
    board.querySelectorAll("[data-until]").forEach(function (place) {
      var left = Date.parse(place.dataset.until) - now;
      var text = duration(left);
      if (place.textContent !== text) { place.textContent = text; }
      if (left < 0 && place.dataset.late !== "1") { passed = true; place.dataset.late = "1"; }
    });
    if (passed) { board.dispatchEvent(new CustomEvent("due", { bubbles: true })); }
  }

  setInterval(tick, 1000);
  document.addEventListener("htmx:afterSettle", tick);
  document.addEventListener("DOMContentLoaded", tick);
  tick();

  function offline(is) {
    var sign = document.getElementById("stale");
    if (sign) { sign.hidden = !is; }
  }
  ["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach(function (name) {
    document.addEventListener(name, function () { offline(true); });
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.detail.xhr && event.detail.xhr.status > 0 && event.detail.xhr.status < 400) { offline(false); }
  });

  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  function step(by) {
    var links = Array.prototype.slice.call(document.querySelectorAll("main tr a.duty, main td a.row-link"));
    if (!links.length) { return; }
    var at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + by))].focus();
  }

  var waiting = 0;
  function go(key) {
    var link = document.querySelector('[data-go="' + CSS.escape(key) + '"]');
    if (link) { location.assign(link.href); }
  }

  var does = {
    "?": function () { var help = document.getElementById("keys"); if (help && !help.open) { help.showModal(); } },
    "/": function () { var field = document.querySelector("main [data-search]") || document.querySelector("[data-search]"); if (field) { open(field); field.focus(); field.select(); } },
    "n": function () { var link = document.querySelector("a.report"); if (link) { location.assign(link.href); } },
    "j": function () { step(1); },
    "k": function () { step(-1); }
  };
  function open(field) { var box = field.closest("details"); if (box) { box.open = true; } }

  document.addEventListener("keydown", function (event) {
    if (document.documentElement.dataset.keys === "off") { return; }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (typing(event.target) || document.querySelector("dialog[open]")) { return; }
    if (event.key === "Escape") {
      document.querySelectorAll("details.desk-menu[open]").forEach(function (menu) { menu.open = false; });
      return;
    }
    if (waiting && Date.now() - waiting < 1500) { waiting = 0; event.preventDefault(); go(event.key); return; }
    if (event.key === "g") { waiting = Date.now(); return; }
    if (Object.prototype.hasOwnProperty.call(does, event.key)) { event.preventDefault(); does[event.key](); }
  });
}());
