"""The words of the writers, in French and English. What a run says itself travels in its events."""

from __future__ import annotations

from bifente.ground.french import shown
from bifente.ground.text import Lang, Text

INTERRUPTED = Text("interrompu avant la fin", "interrupted before its end")
"""The reason of a scenario or a step whose end is not in the journal."""

WORDS: dict[str, Text] = {
    "report": Text("Rapport d'essais", "Test report"),
    "tagline": Text(
        "Banc d'essai du poste de travail de santé : cartes, lecteurs, services",
        "Test bench of the health workstation: cards, readers, services",
    ),
    "not_an_approval": Text("Ce rapport n'est pas un agrément.", "This report is not an approval."),
    "not_an_approval_more": Text(
        "Il consigne ce que le banc a envoyé, attendu et observé. Il ne remplace ni l'homologation, ni la "
        "certification, ni les cahiers de test officiels, et n'engage aucun organisme.",
        "It records what the bench sent, expected and observed. It replaces neither homologation, nor certification, "
        "nor the official test books, and commits no authority.",
    ),
    "interrupted": Text("Passage interrompu.", "Interrupted run."),
    "interrupted_more": Text(
        "Ce rapport s'arrête où le journal s'arrête ; scénarios jamais commencés : {missing}.",
        "This report stops where the journal stops; scenarios never begun: {missing}.",
    ),
    "truncated": Text(
        "La dernière ligne du journal est coupée : elle n'est pas prise en compte.",
        "The last line of the journal is cut: it is left out.",
    ),
    "never_begun": Text("jamais commencés", "never begun"),
    "never_begun_reason": Text(
        "scénarios jamais commencés : {missing}",
        "scenarios never begun: {missing}",
    ),
    "all_good": Text("Aucun échec : {good} sur {all} réussis.", "No failure: {good} of {all} passed."),
    "incomplete": Text("Passage incomplet : {good} sur {all} réussis.", "Incomplete run: {good} of {all} passed."),
    "some_bad": Text("À examiner : {bad} sur {all} scénarios.", "To look at: {bad} of {all} scenarios."),
    "none_ran": Text("Aucun scénario exécuté.", "No scenario ran."),
    "verdict": Text("Verdict", "Verdict"),
    "verdicts": Text("Verdicts", "Verdicts"),
    "summary": Text("Synthèse", "Summary"),
    "failures": Text("Ce qui a échoué", "What failed"),
    "no_failures": Text(
        "Rien n'a échoué, rien n'est bloqué, et le banc ne s'est pas trompé.",
        "Nothing failed, nothing is blocked, and the bench made no error.",
    ),
    "no_failures_so_far": Text(
        "Rien n'a échoué jusqu'à l'interruption ; la suite n'est pas connue.",
        "Nothing had failed when the run stopped; the rest is not known.",
    ),
    "suite": Text("Suite", "Suite"),
    "suites": Text("Suites", "Suites"),
    "scenario": Text("Scénario", "Scenario"),
    "scenarios": Text("Scénarios", "Scenarios"),
    "generated": Text("dont engendrés", "of them generated"),
    "results": Text("Résultats", "Results"),
    "selected": Text("Choisis", "Selected"),
    "duration": Text("Durée", "Duration"),
    "requirement": Text("Exigence", "Requirement"),
    "requirements": Text("Exigences", "Requirements"),
    "matrix_intro": Text(
        "Exigences du catalogue : {total}. Citées par ce passage : {cited} ({cited_pc}) ; jugées : {judged} "
        "({judged_pc}) ; satisfaites : {met} ({met_pc}). Les autres ne sont pas essayées ici.",
        "Requirements in the catalogue: {total}. Cited by this run: {cited} ({cited_pc}); judged: {judged} "
        "({judged_pc}); met: {met} ({met_pc}). The others are not tested here.",
    ),
    "no_requirements": Text("Ce passage ne cite aucune exigence.", "This run cites no requirement."),
    "uncatalogued": Text("absente du catalogue", "not in the catalogue"),
    "not_cited_yet": Text("aucun scénario commencé ne la cite", "no scenario that began cites it"),
    "level": Text("Niveau", "Level"),
    "actor": Text("Acteur", "Actor"),
    "confidence": Text("Confiance", "Confidence"),
    "note": Text("Note", "Note"),
    "notes": Text("Notes du passage", "Notes of the run"),
    "fidelity": Text("Fidélité", "Fidelity"),
    "fidelity_intro": Text(
        "Ce sur quoi repose un comportement simulé. Chaque verdict montre le fondement le plus faible qu'il utilise.",
        "What a simulated behaviour rests on. Each verdict shows the weakest ground it uses.",
    ),
    "identity": Text("Identité du passage", "Identity of the run"),
    "run": Text("Passage", "Run"),
    "tool": Text("Banc", "Bench"),
    "commit": Text("Révision", "Commit"),
    "target": Text("Cible", "Target"),
    "reader": Text("Lecteur", "Reader"),
    "profile": Text("Profil", "Profile"),
    "seed": Text("Graine", "Seed"),
    "started": Text("Début", "Start"),
    "ended": Text("Fin", "End"),
    "last_event": Text("Dernier événement", "Last event"),
    "environment": Text("Environnement", "Environment"),
    "inputs": Text("Fichiers d'entrée", "Input files"),
    "inputs_intro": Text(
        "Empreintes SHA-256 des fichiers dont dépend le passage.",
        "SHA-256 hashes of the files the run depends on.",
    ),
    "file": Text("Fichier", "File"),
    "reproduce": Text("Reproduire", "Reproduce"),
    "cards": Text("Cartes", "Cards"),
    "judges": Text("Ce qui est jugé", "What is judged"),
    "judges_card": Text("la carte", "the card"),
    "judges_module": Text("le module PKCS#11", "the PKCS#11 module"),
    "judges_host": Text("le poste hôte", "the host"),
    "call": Text("Appel", "Call"),
    "destructive": Text("destructif", "destructive"),
    "destructive_more": Text("peut consommer des essais ou modifier la carte", "may use up tries or change the card"),
    "steps": Text("Étapes", "Steps"),
    "step": Text("Étape", "Step"),
    "phase_setup": Text("préparation", "setup"),
    "phase_steps": Text("essai", "test"),
    "phase_teardown": Text("remise en état", "teardown"),
    "via": Text("étape partagée", "shared stage"),
    "arguments": Text("Arguments", "Arguments"),
    "expectation": Text("Attente", "Expectation"),
    "expected": Text("Attendu", "Expected"),
    "observed": Text("Observé", "Observed"),
    "met": Text("conforme", "met"),
    "met_with_remark": Text("conforme, remarque", "met, remark"),
    "unmet": Text("non conforme", "not met"),
    "outcome": Text("Constat", "Outcome"),
    "state": Text("État de la carte", "Card state"),
    "before": Text("Avant", "Before"),
    "after": Text("Après", "After"),
    "changed": Text("changé", "changed"),
    "decoded": Text("Données décodées", "Decoded data"),
    "exchanges": Text("Échanges avec la carte", "Exchanges with the card"),
    "command": Text("Commande", "Command"),
    "response": Text("Réponse", "Response"),
    "bench": Text("Banc", "Bench"),
    "message": Text("Message", "Message"),
    "message_sent": Text("envoyé à", "sent to"),
    "message_received": Text("reçu de", "received from"),
    "octets": Text("{count} octets", "{count} bytes"),
    "body_elsewhere": Text("corps de {count} octets, SHA-256 {digest}", "body of {count} bytes, SHA-256 {digest}"),
    "outside": Text("Hors de tout scénario", "Outside any scenario"),
    "product": Text("Produit à l'essai", "Product under test"),
    "in_journal": Text(
        "Étapes : {steps} ; faits consignés : {happened}. Tout est dans le journal, lignes {first} à {last}.",
        "Steps: {steps}; facts recorded: {happened}. All of it is in the journal, lines {first} to {last}.",
    ),
    "counted": Text("Étapes : {steps} ; faits consignés : {happened}.", "Steps: {steps}; facts recorded: {happened}."),
    "bytes_more": Text("{count} octets de plus dans le journal", "{count} more bytes in the journal"),
    "no_steps": Text("Aucune étape.", "No step."),
    "show": Text("Afficher", "Show"),
    "where": Text("Emplacement", "Location"),
    "no_scenarios": Text("Aucun scénario n'a commencé.", "No scenario began."),
    "cited": Text("citées", "cited"),
    "judged": Text("jugées", "judged"),
    "to_top": Text("haut de page", "top of page"),
    "legend": Text("Légende", "Legend"),
    "contents": Text("Sommaire", "Contents"),
    "level_must": Text("doit", "must"),
    "level_should": Text("devrait", "should"),
    "level_may": Text("peut", "may"),
    "level_info": Text("information", "information"),
    "confidence_documented": Text("documentée", "documented"),
    "confidence_observed": Text("observée", "observed"),
    "confidence_modelled": Text("modélisée", "modelled"),
    "confidence_seed": Text("texte fondateur", "founding text"),
    "actor_card": Text("carte", "card"),
    "actor_reader": Text("lecteur", "reader"),
    "actor_middleware": Text("intergiciel", "middleware"),
    "actor_software": Text("logiciel", "software"),
    "actor_service": Text("service", "service"),
    "actor_bench": Text("banc", "bench"),
    "unknown": Text("inconnu", "unknown"),
    "picture": Text("Le banc au fil du temps", "The bench as time passes"),
    "picture_intro": Text(
        "Chaque colonne commence à l'heure dite de l'horloge du banc ; les repères numérotés sont les étapes.",
        "Each column begins at the time shown on the bench clock; the numbered marks are the steps.",
    ),
    "picture_empty": Text("vide", "empty"),
    "picture_unknown": Text("inconnu", "unknown"),
    "picture_out_of_reach": Text("hors de portée", "out of reach"),
    "picture_up": Text("établie", "up"),
    "picture_weak": Text("faible", "weak"),
    "picture_lost": Text("perdue", "lost"),
    "picture_unpaired": Text("non appairé", "unpaired"),
    "picture_closed": Text("fermée", "closed"),
    "picture_lapsed": Text("échu", "lapsed"),
    "picture_link": Text("liaison", "link"),
    "picture_token": Text("jeton", "token"),
    "picture_battery": Text("batterie", "battery"),
    "generated_from": Text(
        "Rendu du seul journal du passage {run}. Codes et secrets sont masqués (••) avant l'écriture.",
        "Rendered from the journal of run {run} alone. Codes and secrets are masked (••) before writing.",
    ),
}
"""Every word of the writers by name; `{...}` are filled by `say`."""


def say(word: str, lang: Lang, **values: object) -> str:
    """Return the word named `word` in `lang`, filled with `values`; raises `KeyError` for a name that is not there."""
    return WORDS[word].get(lang).format(**values)


def translated(kind: str, value: str, lang: Lang) -> str:
    """Return a word of the catalogue of requirements in `lang`, as it stands when nobody has translated it."""
    word = f"{kind}_{value}"
    return say(word, lang) if word in WORDS else value


LABELS: dict[str, str] = {
    "à faire": "to do",
    "affiché": "shown",
    "avertit": "warns",
    "bloque": "blocks",
    "certificat": "certificate",
    "courrier": "mail",
    "ensuite": "then",
    "essais restants": "tries left",
    "état": "state",
    "étiquettes": "labels",
    "motif": "reason",
    "part AMC": "AMC share",
    "part AMO": "AMO share",
    "raison": "reason given",
    "refus": "refusal",
    "remède": "remedy",
}
"""The labels of decoded data that steps give in French, and their English."""
_FRENCH_LABELS = {english: french for french, english in LABELS.items()}


def told(words: str | Text, lang: Lang) -> str:
    """Return what was expected, observed or decoded in `lang`; a text of one language is put into French if it can."""
    return words.get(lang) if isinstance(words, Text) else shown(words, lang)


def label(words: str | Text, lang: Lang) -> str:
    """Return the label of decoded data in `lang`."""
    if isinstance(words, Text):
        return words.get(lang)
    return (LABELS if lang == "en" else _FRENCH_LABELS).get(words, words)


def labelled(label: str, value: str, lang: Lang) -> str:
    """Return `label` and `value` joined by a colon, as `lang` sets it."""
    return f"{label} : {value}" if lang == "fr" else f"{label}: {value}"


def duration(microseconds: int, lang: Lang) -> str:
    """Return a duration with three significant figures or so, e.g. `850 µs`, `12,4 ms`, `3,21 s`, `2 min 05 s`."""
    if microseconds < 1_000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        shown = f"{microseconds / 1_000:.3g} ms" if microseconds < 999_500 else "1 s"
    elif microseconds < 60_000_000:
        shown = f"{microseconds / 1_000_000:.3g} s" if microseconds < 59_950_000 else "60 s"
    else:
        minutes, seconds = divmod(round(microseconds / 1_000_000), 60)
        return f"{minutes} min {seconds:02} s"
    return shown.replace(".", ",") if lang == "fr" else shown


def percent(value: float, lang: Lang) -> str:
    """Return a percentage with one decimal, as `lang` writes it: `12,5 %` or `12.5%`."""
    return f"{value:.1f} %".replace(".", ",") if lang == "fr" else f"{value:.1f}%"


def moment(time: str, lang: Lang) -> str:
    """Return a journal time to the second, for a reader: `2025-03-01 09:30:00 UTC`; the word for unknown when empty."""
    return f"{time[:10]} {time[11:19]} UTC" if time else say("unknown", lang)
