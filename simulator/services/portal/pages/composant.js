// Looks for the local component, says what was found, and reads the Vitale through it when its button is touched.
const told = document.getElementById("composant");
const base = told.dataset.url;
const form = document.getElementById("lecture");
const say = (text, kind) => { told.textContent = text; told.className = `told ${kind}`; };
const numbers = (version) => version.split(".").map(Number);
const older = (one, other) => {
  const [a, b] = [numbers(one), numbers(other)];
  for (let rank = 0; rank < b.length; rank += 1) if ((a[rank] ?? 0) !== b[rank]) return (a[rank] ?? 0) < b[rank];
  return false;
};
const ask = async (path) => (await fetch(`${base}${path}`)).json();
const missing = () => {
  say("Composant CNAM non actif. ", "bad");
  const link = document.createElement("a");
  link.href = "/composant";
  link.textContent = "Télécharger et installer le composant";
  told.append(link);
};
try {
  const { version } = await ask("/bifente/version");
  if (older(version, told.dataset.oldest)) {
    say(`Composant CNAM trop ancien (${version}) : installez la version ${told.dataset.oldest} ou une plus récente.`, "bad");
  } else {
    say(`Composant CNAM actif (${version}).`, "good");
    if (form) form.hidden = false;
  }
} catch { missing(); }
form?.addEventListener("submit", async (event) => {
  const card = document.getElementById("carte");
  if (card.value) return;
  event.preventDefault();
  say("Lecture de la carte…", "");
  try {
    const read = await ask("/bifente/vitale");
    if (read.code !== "0000") { say(`La carte n'a pas pu être lue (${read.code}) : réessayez.`, "bad"); return; }
    card.value = JSON.stringify(read.groups);
    form.submit();
  } catch { missing(); }
});
