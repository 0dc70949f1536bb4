// The page of a filing: the document beside the fields is drawn anew after the draft was saved without leaving the page.
// Whatever saves in the background says so with the event "draft:saved"; without any of it the page works the same.
(function () {
  "use strict";
  document.addEventListener("draft:saved", function () {
    var preview = document.getElementById("preview");
    if (!preview || !preview.offsetParent) { return; }
    var parts = preview.getAttribute("src").split("#");
    var address = parts[0].split("?")[0] + "?drawn=" + Date.now();
    preview.setAttribute("src", address + (parts[1] ? "#" + parts[1] : ""));
  });
  // After a refusal the reader is taken to what was refused.
  var refused = document.getElementById("refused");
  if (refused) { refused.focus(); }
})();
