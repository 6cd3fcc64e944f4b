// The page goes on by itself once the phone has answered; without this script its button does the same.
const form = document.getElementById("suite");
const look = async () => {
  try {
    const answer = await fetch(form.dataset.etat, { credentials: "same-origin" });
    if (answer.ok && (await answer.json()).answer !== "pending") { form.submit(); return; }
  } catch { /* the next look may do better */ }
  setTimeout(look, 1000);
};
setTimeout(look, 500);
