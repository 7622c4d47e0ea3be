// Pan and zoom of the network drawing. Without it the drawing stands still and can be read all the same.
(function () {
  "use strict";
  for (const frame of document.querySelectorAll(".network-frame")) {
    const svg = frame.querySelector("svg.network");
    if (!svg) continue;
    const tools = frame.querySelector(".network-tools");
    if (tools) tools.hidden = false;
    const whole = svg.dataset.whole.split(" ").map(Number);
    let box = svg.getAttribute("viewBox").split(" ").map(Number);
    const show = () => svg.setAttribute("viewBox", box.map((n) => n.toFixed(1)).join(" "));
    const scale = () => svg.style.setProperty("--size", (box[2] / 1000).toFixed(3));
    const zoom = (factor, fx, fy) => {
      const wide = Math.min(Math.max(box[2] * factor, 40), whole[2] * 1.5);
      const f = wide / box[2];
      box = [box[0] + box[2] * fx * (1 - f), box[1] + box[3] * fy * (1 - f), wide, box[3] * f];
      show();
      scale();
    };
    const acts = { in: () => zoom(0.7, 0.5, 0.5), out: () => zoom(1 / 0.7, 0.5, 0.5), whole: () => { box = whole.slice(); show(); scale(); } };
    if (tools) tools.addEventListener("click", (e) => { const act = e.target.dataset.zoom; if (act) acts[act](); });
    svg.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && !e.shiftKey && !svg.contains(document.activeElement)) return;
      e.preventDefault();
      const r = svg.getBoundingClientRect();
      zoom(e.deltaY > 0 ? 1.15 : 1 / 1.15, (e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height);
    }, { passive: false });
    const held = new Map();
    let moved = 0;
    svg.addEventListener("pointerdown", (e) => { held.set(e.pointerId, [e.clientX, e.clientY]); moved = 0; });
    svg.addEventListener("pointermove", (e) => {
      const from = held.get(e.pointerId);
      if (!from) return;
      const r = svg.getBoundingClientRect(), perPixel = Math.max(box[2] / r.width, box[3] / r.height);
      if (held.size === 2) {
        const other = [...held.entries()].find(([id]) => id !== e.pointerId)[1];
        const before = Math.hypot(from[0] - other[0], from[1] - other[1]), after = Math.hypot(e.clientX - other[0], e.clientY - other[1]);
        if (after > 5) zoom(before / after, 0.5, 0.5);
      } else {
        box[0] -= (e.clientX - from[0]) * perPixel;
        box[1] -= (e.clientY - from[1]) * perPixel;
        show();
      }
      moved += Math.abs(e.clientX - from[0]) + Math.abs(e.clientY - from[1]);
      held.set(e.pointerId, [e.clientX, e.clientY]);
      if (moved > 6) svg.classList.add("dragging");
    });
    const done = (e) => { held.delete(e.pointerId); svg.classList.remove("dragging"); };
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) svg.addEventListener(name, done);
    svg.addEventListener("dragstart", (e) => e.preventDefault());
    // a drag that ends on a pipe is no click on it
    svg.addEventListener("click", (e) => { if (moved > 6) { e.preventDefault(); e.stopPropagation(); } }, true);
  }
})();
