// The map: a canvas of our own points on a plain ground; colour and size say the state, the popup says it in words.
(function () {
  "use strict";
  const holder = document.getElementById("map");
  const style = getComputedStyle(document.documentElement);
  const colour = (state) => style.getPropertyValue("--" + state).trim();
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
          ? L.polygon([[point[0] - 0.0009, point[1] - 0.0012], [point[0] - 0.0009, point[1] + 0.0012], [point[0] + 0.0009, point[1] + 0.0012], [point[0] + 0.0009, point[1] - 0.0012]], { ...look, weight: 2 })
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
