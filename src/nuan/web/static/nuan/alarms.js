// The list of alarms renews itself; not while somebody has chosen rows or is writing a reason in it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const list = document.getElementById("alarm-list");
  if (event.target !== list) return;
  const busy = list.querySelector("input:checked") || [...list.querySelectorAll("input[maxlength]")].some((field) => field.value);
  if (busy || (document.activeElement && list.contains(document.activeElement) && document.activeElement.matches("input, select"))) event.preventDefault();
});
