// Leaves of the list what has every word that is typed, in its address or in what it does.
const list = document.getElementById("routes");
const field = document.getElementById("search");
field.parentNode.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const group of list.querySelectorAll("details")) {
    const links = [...group.querySelectorAll("a")];
    for (const link of links) {
      const said = [link.textContent, link.title].join(" ").toLowerCase();
      link.hidden = !words.every((word) => said.includes(word));
    }
    const found = links.filter((link) => !link.hidden).length;
    group.hidden = !found;
    group.open = words.length > 0;
    left += found;
  }
  document.getElementById("nothing").hidden = left > 0;
});
