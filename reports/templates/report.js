// The page needs no script: this only unfolds everything on paper in browsers that print folded parts folded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((part) => { part.open = true; });
});
addEventListener("afterprint", () => {
  folded.forEach((part) => { part.open = false; });
});
