/* Says it on the page when a passkey did not work. */
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.querySelectorAll("[data-key-failed]").forEach((place) => { place.hidden = false; });
});
