#!/bin/sh
# Inventaire d'un poste macOS pour bifente diagnose, en lecture seule.
# Rien n'est modifié, rien n'est envoyé à une carte, aucun droit d'administrateur n'est demandé.
# Usage : sh inventaire-macos.sh [DOSSIER]   (par défaut : ./inventaire-bifente, créé pour cela)
set -u
LC_ALL=C
export LC_ALL
PATH="$PATH:/usr/sbin:/usr/bin:/bin:/sbin"
dossier="${1:-./inventaire-bifente}"
mkdir -p "$dossier" || exit 1
fichier="$dossier/poste.yaml"

# Une valeur entre guillemets, sans rien qui puisse en sortir.
quoted() { printf '"%s"' "$(printf '%s' "$1" | tr -d '"\\\000-\037' | cut -c 1-200)"; }
# La première suite de nombres à points.
version_in() { printf '%s' "$1" | sed -n 's/^[^0-9]*\([0-9][0-9]*\(\.[0-9][0-9]*\)*\).*/\1/p' | head -n 1; }
plist_version() {
    defaults read "$1" CFBundleShortVersionString 2>/dev/null || defaults read "$1" CFBundleVersion 2>/dev/null
}
receipt_version() {
    pkgutil --pkgs 2>/dev/null | grep -i "$1" | while read -r name; do
        pkgutil --pkg-info "$name" 2>/dev/null | sed -n 's/^version: //p'
    done | head -n 1
}
told=""
unseen=""
tell() { told="$told  $1: $(quoted "$2")
"; }
miss() { unseen="$unseen  $1: $(quoted "$2")
"; }
# tell_version CLÉ TEXTE RAISON : la version si le texte en contient une, sinon la raison.
tell_version() {
    number="$(version_in "$2")"
    if [ -n "$number" ]; then tell "$1" "$number"; else miss "$1" "$3"; fi
}
group() { [ -n "$told" ] && printf '%s:\n%s' "$1" "$told"; told=""; }

{
    echo "# Inventaire d'un poste macOS, en lecture seule : bifente diagnose CE-FICHIER l'explique."
    echo "# Lecteurs et cartes vus par le système :"
    system_profiler SPSmartCardsDataType 2>/dev/null | tr -d '\000-\010\013-\037' | head -n 200 | sed 's/^/#   /'
    echo "# Programmes des composants :"
    ps -axo comm 2>/dev/null | grep -i -E 'galss|srvsvcnam|dmpconnect|cps|amelipro' | head -n 50 | sed 's/^/#   /'
    echo "# Ports locaux écoutés :"
    lsof -nP -iTCP -sTCP:LISTEN 2>/dev/null | grep -E ':(1234|1922|1943|998[2-5]|40500) ' | head -n 50 | sed 's/^/#   /'
    echo "# Cache de la Cryptolib :"
    ls -l /Library/Caches/santesocial/CPS 2>/dev/null | wc -l | sed 's/^ */#   lignes : /'

    echo "poste: ce-mac"
    tell os macos
    tell_version os-version "$(sw_vers -productVersion 2>/dev/null)" "sw_vers ne dit rien"
    group system

    miss software "à demander à l'utilisateur"
    miss card-access "à demander à l'utilisateur"
    if [ -n "${SSH_CONNECTION:-}" ]; then tell session remote; else tell session local; fi
    group software

    browsers=""
    for one in "firefox:/Applications/Firefox.app" "chrome:/Applications/Google Chrome.app" "edge:/Applications/Microsoft Edge.app" "safari:/Applications/Safari.app"; do
        app="${one#*:}"
        [ -d "$app" ] || continue
        number="$(plist_version "$app/Contents/Info")"
        echo "# Navigateur : ${one%%:*} $(version_in "$number")"
        browsers="$browsers ${one%%:*}"
    done
    miss browser "présents :$browsers ; lequel sert est à demander"
    miss browser-version "lequel sert est à demander"

    tell_version galss "$(receipt_version galss)" "aucun reçu d'installation : absent, ou installé autrement"
    tell_version srvsvcnam "$(receipt_version srvsvcnam)" "aucun reçu d'installation : absent, ou installé autrement"
    tell_version cryptolib "$(receipt_version 'cryptolib')" "aucun reçu d'installation : absent, ou installé autrement"
    tell_version dmpconnect-js "$(plist_version /Applications/DmpConnectJS2.app/Contents/Info)" "pas d'application DmpConnectJS2 lisible"
    group components

    for name in galss.ini sesam.ini; do
        place=""
        for folder in /Library/Preferences /etc; do
            if [ -z "$place" ] && [ -r "$folder/$name" ]; then place="$folder/$name"; fi
        done
        if [ -n "$place" ] && head -c 262144 "$place" > "$dossier/$name" 2>/dev/null; then
            files="${files:-}  $name: $name
"
            miss "${name%.ini}-ini" "jugé sur le fichier même"
        else
            miss "${name%.ini}-ini" "aucun fichier lisible dans /Library/Preferences ni /etc"
        fi
    done
    [ -n "${files:-}" ] && printf 'files:\n%s' "$files"

    for key in browser-trust local-network-access atsam fsv mica io-comm galss-service srvsvcnam-service \
        smart-card-service io-comm-state mica-bits mica-state connector-service cryptolib-cache software-preferences \
        tables-x86 tables-x64 cps cps-family cps-state cps-association holder-code vitale vitale-state reader \
        reader-firmware reader-mode reader-link reader-holder network clock port-holder antivirus service-dmp \
        service-frontal service-adri portal-asks; do
        miss "$key" "non relevé par le script"
    done
    printf 'unseen:\n%s' "$unseen"
} > "$fichier"
echo "$fichier"
