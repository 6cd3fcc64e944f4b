// OAuth 2.0 Form Post Response Mode: the page sends itself; without scripts its button does.
document.getElementById("retour").submit();
