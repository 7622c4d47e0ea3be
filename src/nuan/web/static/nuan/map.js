// The map: a canvas of our own points on a plain ground; colour and size say the state, the popup says it in words.
(function () {
  "use strict";
  const holder = document.getElementById("map");
  const style = getComputedStyle(document.documentElement);
  const colour = (state) => style.getPropertyValue("--" + state).trim();
  // A station is a square of the same size at every zoom, so that its shape tells it from a building.
  const Square = L.CircleMarker.extend({
    _updatePath() {
      const pen = this._renderer._ctx;
      if (!this._renderer._drawing || this._empty()) return;
      const size = this._radius;
      pen.beginPath();
      pen.rect(this._point.x - size, this._point.y - size, 2 * size, 2 * size);
      this._renderer._fillStroke(pen, this);
    },
  });
  const map = L.map(holder, { preferCanvas: true, attributionControl: false, minZoom: 8, maxZoom: 18 });
  fetch(holder.dataset.places, { credentials: "same-origin" })
    .then((answer) => answer.json())
    .then((places) => {
      const bounds = [];
      for (const place of places.features) {
        const point = [place.geometry.coordinates[1], place.geometry.coordinates[0]];
        const facts = place.properties;
        bounds.push(point);
        const look = { color: colour(facts.state), fillColor: colour(facts.state), fillOpacity: facts.state === "grey" ? 0.15 : 0.7, weight: 1.2 };
        const mark = facts.kind === "station"
          ? new Square(point, { ...look, weight: 2, radius: 7 })
          : L.circleMarker(point, { ...look, radius: facts.state === "red" ? 6 : facts.state === "amber" ? 5 : 4 });
        const words = document.createElement("div");
        const link = document.createElement("a");
        link.href = facts.address;
        link.textContent = facts.name;
        words.append(link, document.createElement("br"), facts.word + " · " + facts.text);
        mark.bindPopup(words).addTo(map);
      }
      if (bounds.length) map.fitBounds(bounds, { padding: [24, 24] });
      else map.setView([39.8, 110], 10);
    });
})();
