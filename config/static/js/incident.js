// The slider of an incident's page: it moves the choice beside it, which works by itself.
(function () {
  "use strict";
  function ready(root) {
    (root.querySelectorAll ? root : document).querySelectorAll("form[data-asof]").forEach(function (form) {
      if (form.dataset.ready) { return; }
      form.dataset.ready = "1";
      var range = form.querySelector("input[type=range]"), pick = form.querySelector("select");
      range.parentElement.hidden = false;
      function say() { range.setAttribute("aria-valuetext", pick.options[pick.selectedIndex].text); }
      say();
      range.addEventListener("input", function () { pick.selectedIndex = Number(range.value); say(); });
      range.addEventListener("change", move);
      pick.addEventListener("change", function () { range.value = String(pick.selectedIndex); say(); move(); });
      function move() { form.dispatchEvent(new CustomEvent("moved")); }
    });
  }
  document.addEventListener("DOMContentLoaded", function () { ready(document); });
  document.addEventListener("htmx:afterSettle", function () { ready(document); });
}());
